"""What a role may do, what a login name looks like, and how long sessions, links and the log last. Pure."""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Literal

from troth.clock import DAY
from troth.ledger.events import STAFF_READY
from troth.logins.rules import may_try
from troth.policy.clocks import STAFF_LOG
from troth.policy.model import Policy
from troth.policy.periods import Period
from troth.policy.references import roles as named_roles
from troth.policy.vocabulary import DESK_ROLES

PRIVACY_LEAD, DESK = DESK_ROLES
"""all of the desk and the rest of the staff; and who works on requests"""

Act = Literal["own", "requests", "people", "staff"]
"""``own``: one's own log-in; ``requests``: what people ask for; ``people``: acts about somebody; ``staff``: who else may
enter, and the log of it"""

_EVERYBODY: frozenset[Act] = frozenset({"own"})
_PERMITS: Mapping[str, frozenset[Act]] = {
    PRIVACY_LEAD: frozenset({"requests", "people", "staff"}),
    DESK: frozenset({"requests", "people"}),
}
"""Roles that are words of the policy permit nothing at the desk: with them data is read for the policy's purposes."""

IDLE = timedelta(minutes=30)
"""a session that nobody uses for this long is over"""
LONGEST = timedelta(hours=12)
"""a session is over after this time, however busy"""
LINK_LASTS = DAY
REASONS = ("order", "asked", "duty", "mistake")
"""why somebody is looked up at the desk, as words of the log: a dealing, a wish of theirs, a legal duty, wrong data"""
LOOKS_FOR = timedelta(hours=1)
"""a person whom a member of staff looked up with a reason, or acted on, is shown to them for this long without a new one"""
USUAL_LOG = Period(175, "day")
"""how long the log of the staff is kept where the policy names no time"""
_LOGIN = re.compile(r"[a-z][a-z0-9]*(?:[._-][a-z0-9]+)*")
LONGEST_LOGIN = 40


def may(roles: Collection[str], act: Act) -> bool:
    """Whether somebody in ``roles`` may do ``act``: only when it is everybody's or one of the roles permits it."""
    return act in _EVERYBODY or any(act in _PERMITS.get(role, frozenset()) for role in roles)


def roles_of(policy: Policy) -> tuple[str, ...]:
    """The roles that staff can have here: the two of the desk, then those that the policy names under ``operator.roles``."""
    return named_roles(policy)


def login_problem(login: str) -> str:
    """What is wrong with a login name; blank when nothing is."""
    if len(login) <= LONGEST_LOGIN and _LOGIN.fullmatch(login):
        return ""
    return f"A login name has small letters, digits and single . _ - between them, at most {LONGEST_LOGIN} in all."


def roles_problem(policy: Policy, roles: Collection[str]) -> str:
    """What is wrong with the roles somebody is to have; blank when nothing is."""
    known = roles_of(policy)
    if not roles:
        return f"Somebody on the staff has at least one role: {', '.join(known)}."
    unknown = [role for role in roles if role not in known]
    return f"There is no such role here. There are: {', '.join(known)}." if unknown else ""


def is_open(seen_at: datetime, ends_at: datetime, now: datetime) -> bool:
    """Whether a session, last used at ``seen_at`` and to end at ``ends_at`` in any case, is still open ``now``."""
    return now < ends_at and now < seen_at + IDLE


def log_kept(policy: Policy) -> Period:
    """How long the log of the staff is kept: the shortest time the policy names for it, else the usual one."""
    named = [entry.keep for entry in policy.retention.values() if STAFF_LOG in entry.what and entry.keep is not None]
    return min(named, default=USUAL_LOG)


UNCOUNTED = "login:uncounted"
"""the act of a try that came while the door was closed: it was refused, and does not keep the door closed"""
SHOWN: frozenset[str] = frozenset({"staff:password", "staff:codes"})
"""acts at an open session that take the right password, with which the tries before it are forgiven"""
_APART = timedelta(minutes=1)
"""a try is counted when it begins and in the log when it has failed; between them lies a moment"""


Logged = tuple[str | None, str, str, datetime]
"""a row of the log: who, what, act, when"""


def let_in_wrongly(rows: Iterable[Logged]) -> int:
    """How many log-ins came although too many had failed: ``rows`` of the log, oldest first.

    Whoever came in by a set-up link guessed nothing.
    """
    failed: dict[str, list[datetime]] = defaultdict(list)
    wrong = 0
    for who, what, act, at in rows:
        if who is None:
            continue
        if what == "failed" and act != UNCOUNTED:
            failed[who].append(at)
        elif what == "entered":
            wrong += act != STAFF_READY and not may_try(failed[who], at + _APART)
        if what == "entered" or act in SHOWN:
            failed[who].clear()
    return wrong


def unlogged(opened: Iterable[tuple[str, datetime]], rows: Iterable[Logged]) -> int:
    """How many of ``opened`` (who was let in, and when) no row of the log, oldest first, tells of.

    A row tells of one log-in, within a moment after it.
    """
    entered: dict[str, deque[datetime]] = defaultdict(deque)
    for who, what, _, at in rows:
        if who is not None and what == "entered":
            entered[who].append(at)
    return sum(not _told(entered[who], at) for who, at in sorted(opened))


def _told(rows: deque[datetime], at: datetime) -> bool:
    """Whether one of ``rows``, oldest first, tells of a log-in at ``at``; it and what was before it is taken out."""
    while rows and rows[0] < at:
        rows.popleft()
    return bool(rows) and rows.popleft() <= at + _APART
