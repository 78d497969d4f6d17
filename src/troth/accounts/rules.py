"""Where accounts are opened, and how long a link is good. Pure."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from troth.clock import DAY
from troth.policy.model import Policy

LINK_LASTS = timedelta(hours=24)
RESET_LASTS = timedelta(hours=1)
MAILS_A_DAY = 5
"""links and words about a registration that one person is sent for whatever anybody types; whoever uses a link starts anew"""


def registers(policy: Policy, point: str) -> bool:
    """Whether an account is opened at the collection point ``point``."""
    return point in policy.collection and policy.collection[point].kind == "account"


def may_write(written: Collection[datetime], now: datetime) -> bool:
    """Whether somebody who was sent mail at these instants may be sent more ``now``."""
    return sum(at > now - DAY for at in written) < MAILS_A_DAY
