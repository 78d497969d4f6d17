"""The policy language: what a business writes, what is wrong with it, and what follows from it. Pure."""

from troth.policy import kinds  # noqa: F401  the sections of a policy are known once every kind of promise is
