"""Where accounts are opened, how long a link is good, and which cookie may keep somebody logged in. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from troth.clock import DAY
from troth.policy.compile import Compiled
from troth.policy.model import Policy
from troth.policy.periods import Period

LINK_LASTS = timedelta(hours=24)
RESET_LASTS = timedelta(hours=1)
MAILS_A_DAY = 5
"""links and words about a registration that one person is sent for whatever anybody types; whoever uses a link starts anew"""


@dataclass(frozen=True, slots=True)
class LogIn:
    """The cookie of the policy that keeps people logged in: its id, its purpose and how long it lives."""

    cookie: str
    life: Period


def registers(policy: Policy, point: str) -> bool:
    """Whether an account is opened at the collection point ``point``."""
    return point in policy.collection and policy.collection[point].kind == "account"


def log_in_cookie(compiled: Compiled) -> LogIn | None:
    """The cookie that a log-in may use: an essential one of the operator's own, with an end; None when none is declared."""
    own = ((key, one) for key, one in compiled.policy.cookies.items() if one.essential and one.set_by == "itself")
    return next((LogIn(key, one.life) for key, one in own if one.life is not None), None)


def may_write(written: Collection[datetime], now: datetime) -> bool:
    """Whether somebody who was sent mail at these instants may be sent more ``now``."""
    return sum(at > now - DAY for at in written) < MAILS_A_DAY
