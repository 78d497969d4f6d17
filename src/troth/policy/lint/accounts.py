"""Accounts that nobody can log in to, and what is open to members where there are none."""

from __future__ import annotations

from collections.abc import Iterator

from troth.policy.lint.registry import Context, Flaw, rule
from troth.policy.log_in import log_in_cookie
from troth.policy.model import Policy

locked_out = rule(
    "E-42",
    "An account, or something for its holders, that nobody can reach",
    "error",
    "Nobody logs in; rights are used by the other ways that the policy names.",
)


@locked_out
def account_without_a_cookie(policy: Policy, context: Context) -> Iterator[Flaw]:
    if log_in_cookie(policy) is not None:
        return
    for key, point in policy.collection.items():
        if point.kind == "account":
            message = f"`{key}` opens an account, and no cookie can keep anybody logged in."
            hint = "Declare one under `cookies` that is `essential: true`, has a `life`, and that nobody else sets."
            yield Flaw(("collection", key, "kind"), message, hint)


@locked_out
def for_members_where_there_are_none(policy: Policy, context: Context) -> Iterator[Flaw]:
    if not policy.collection or any(point.kind == "account" for point in policy.collection.values()):
        return
    hint = "Write a collection point of kind `account`, or"
    for key, point in policy.collection.items():
        if point.members_only and point.kind != "visit":
            message = f"`{key}` is for people who have registered, and nobody can."
            yield Flaw(("collection", key, "members only"), message, f"{hint} take `members only` out.")
    for key, right in policy.rights.items():
        if "account" in right.by:
            message = f"`{key}` can be used in an account, and nobody can open one."
            yield Flaw(("rights", key, "by"), message, f"{hint} take `account` out of `by`.")
