"""Which cookie of a policy may keep somebody logged in. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from troth.policy.model import Policy
from troth.policy.periods import Period


@dataclass(frozen=True, slots=True)
class LogIn:
    """The cookie of the policy that keeps people logged in: its id and how long it lives."""

    cookie: str
    life: Period


def log_in_cookie(policy: Policy) -> LogIn | None:
    """The cookie that a log-in may use: the first essential one of the operator's own that has an end; None without one."""
    own = ((key, one) for key, one in policy.cookies.items() if one.essential and one.set_by == "itself")
    return next((LogIn(key, one.life) for key, one in own if one.life is not None), None)
