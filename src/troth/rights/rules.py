"""What a request is, what it needs before anything is done, and by when it must be answered. Pure.

The version of the policy that was in force when a request arrived decides about it to the end, so everything here is asked of
that version and of nothing else.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, get_args

from troth.clock import DAY
from troth.messages.rules import stopping
from troth.policy.clocks import REQUEST_LOG
from troth.policy.compile import Compiled
from troth.policy.kinds.automated_decisions import reviewed
from troth.policy.law import Authority, complaint_to, profiles_of
from troth.policy.model import Policy, Right
from troth.policy.periods import Calendar, Period

Channel = Literal["account", "link", "web", "e-mail", "letter", "agent", "opendsr", "drp"]
CHANNELS: tuple[Channel, ...] = get_args(Channel)
CANCEL = "cancel account"
QUESTION = "question"
"""what somebody wrote that names no right, or several: staff sort it"""
COMPLAINT, TO_US = "complaint", "complaint to us"
"""a request that is a complaint is one to the operator, whatever a policy says of the authorities besides"""
REVIEW, DECISION = "review", "decision:"
"""the right to have an automated decision reviewed, and how such a request names the decisions it is about"""
RIGHTS: tuple[str, ...] = (
    *(right for right in get_args(Right.model_fields["right"].annotation) if right != TO_US),
    QUESTION,
)
OUTCOMES = ("done", "partly done", "changed", "stands", "refused", "not found", "cancelled", "not verified")
"""``changed`` and ``stands`` are what becomes of a decision that somebody reviewed"""
ANSWERED = frozenset({"done", "partly done", "changed", "stands", "not found"})
USUAL = Period(30, "day")
"""to answer by, where neither the policy nor a law names a time"""
LINK_LIFE = Period(3, "day")
"""of a link that is good for once, where the policy names no life"""
VERIFY_WITHIN = 14 * DAY
"""to show who one is; then the request ends unanswered, and may be made again"""
LOG_KEPT = Period(1, "year")
"""how long what was said in a request is kept, where the policy names no time"""
FAILURES = 3
"""wrong answers to the question who somebody is, after which a request ends"""
MAILS_A_DAY = 3
"""messages that requests may cause to one address in a day: nobody fills somebody else's mailbox with them"""
REMIND = (7 * DAY, 2 * DAY)
"""how long before a request is due its staff are reminded"""
LAY_AT_MOST = 60 * DAY
"""between the day a letter came and the day it is entered"""
NEEDS_NOBODY = frozenset({"stop marketing", "complaint", QUESTION})
"""what is done, or looked at, without asking who somebody is"""
ALWAYS = frozenset({"stop marketing", "withdrawal"})
"""what no policy can take from anybody"""
IN_WORDS = frozenset({"correction", "complaint", QUESTION})
"""what people may say in their own words, which staff read: such a request can be sorted even when it is verified"""
COPIES = frozenset({"access", "copy", "portability"})
CHOICES = frozenset({"objection", "withdrawal", "stop marketing"})


@dataclass(frozen=True)
class Intake:
    """A request as it arrives.

    Attributes:
        key: of what brought it, up to 64 visible ASCII characters: a form, a message, a letter, the id a protocol gave it.
        about: purposes, ``@`` recipients, ``transfers``, fields, or ``decision:`` and an automated decision that it names.
        changes: new values by field, for a correction; blank takes the field away.
        member: the id of whoever is logged in, from your own session and never from a form.
        vouched: what has shown already that this is the person: ``account``, ``link``, ``staff`` or ``mandate``.
        by: the number of the member of staff who entered it.
        at: when it was received, if before now: a letter that lay on a desk is due from the day it came.
        silent: whether no program may write back that it came, as it came from where one could answer that; staff may.
    """

    right: str
    channel: Channel
    key: str
    email: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    ip: str = field(default="", repr=False)
    language: str = "en"
    about: tuple[str, ...] = ()
    changes: Mapping[str, str] = field(default_factory=dict, repr=False)
    member: str | None = None
    vouched: Literal["", "account", "link", "staff", "mandate"] = ""
    by: str = ""
    at: datetime | None = None
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """What a version of the policy says about one right: how soon, how much longer, and what comes before."""

    offered: bool
    within: Period
    by_law: tuple[Period, ...]
    longer: Period | None
    verify: bool
    link_life: Period

    def due(self, calendar: Calendar, at: datetime) -> datetime:
        """By when a request of ``at`` is answered: what is promised and what laws ask, whichever ends first."""
        return min(calendar.end(at, one) for one in (self.within, *self.by_law))


def terms(compiled: Compiled, right: str) -> Terms:
    """What ``compiled`` says about ``right``; the soonest of its entries counts, and so does a law's."""
    policy = compiled.policy
    mine = entries(policy, right)
    within = [one.answer_within for one in mine if one.answer_within is not None]
    words: set[str] = {one.right for one in mine} or {right}
    asked = [one for law in profiles_of(policy) for one in law.rights if one.right in words]
    log = policy.request_log
    return Terms(
        offered=bool(mine) or right in ALWAYS,
        within=min(within, default=USUAL),
        by_law=tuple(one.within for one in asked if one.within) if mine else (),
        longer=min((one.extended for one in asked if one.extended), default=None),
        verify=right not in NEEDS_NOBODY and (not mine or any(one.verify for one in mine)),
        link_life=log.link_life if log and log.link_life else LINK_LIFE,
    )


def entries(policy: Policy, right: str) -> list[Right]:
    """What the policy says of requests of this kind."""
    to_us = [one for one in policy.rights.values() if right == COMPLAINT and one.right == TO_US]
    return to_us or [one for one in policy.rights.values() if one.right == right]


def concerns(policy: Policy, right: Right, kind: str, about: Collection[str]) -> bool:
    """Whether a request of ``kind`` about these scopes is one for ``right``: of several of one kind each has its own scopes,
    and a request that names none is one for all of them."""
    if not any(one is right for one in entries(policy, kind)):
        return False
    own = scopes(policy, kind, right.against) if right.against else ()
    return not own or not about or not set(about).isdisjoint(own)


def log_kept(policy: Policy) -> Period:
    """How long the log of requests, and all that is on record of them, is kept: the shortest time that the policy names."""
    named = [entry.keep for entry in policy.retention.values() if REQUEST_LOG in entry.what and entry.keep is not None]
    if policy.request_log and policy.request_log.keep:
        named.append(policy.request_log.keep)
    return min(named, default=LOG_KEPT)


def log_over(compiled: Compiled, now: datetime) -> datetime:
    """What was logged or said in requests at this instant or before is past its time ``now``."""
    return compiled.calendar.cutoff(now, log_kept(compiled.policy))


def destroys_within(compiled: Compiled) -> Period:
    """From the moment an erasure is asked for until all is destroyed."""
    erasure = compiled.policy.erasure
    return erasure.destroy_within if erasure and erasure.destroy_within else USUAL


def destroyed_by(compiled: Compiled, at: datetime) -> datetime:
    """By when all is destroyed of somebody whose erasure was asked for at ``at``: as promised, and no later than laws say."""
    return min(
        compiled.calendar.end(at, one) for one in (destroys_within(compiled), *terms(compiled, "erasure").by_law)
    )


def about(policy: Policy, right: str, named: Collection[str], fields: Collection[str]) -> tuple[str, ...]:
    """What a request is about, in words of the policy alone: what the policy does not know is no scope.

    ``named`` are purposes, recipients and decisions; whoever names none means all that the right speaks of.
    """
    if right in CHOICES:
        return scopes(policy, right, named)
    if right == REVIEW:
        there = tuple(f"{DECISION}{key}" for key in reviewed(policy))
        return tuple(one for one in there if one in named) or there
    return tuple(sorted(set(fields) & policy.data.keys()))


Next = Literal["carry out", "verify", "not found", "staff"]


def next_step(right: str, terms: Terms, *, known: bool, verified: bool, by_staff: bool) -> Next:
    """What happens to a request that has just arrived.

    A request that neither the policy nor a law offers is looked at by people, and so is one whose person was not found although
    a member of staff entered it: they may know better. Everybody else who is not known here is told so.
    """
    if right in {QUESTION, "complaint"} or not terms.offered:
        return "staff"
    if not known:
        return "staff" if by_staff else "not found"
    return "carry out" if verified or not terms.verify else "verify"


def scopes(policy: Policy, right: str, about: Collection[str]) -> tuple[str, ...]:
    """The purposes, and recipients with an ``@``, that an objection, a withdrawal or a stop is about.

    Whoever names none means all that the right speaks of. ``transfers`` are the recipients that the service can do without.
    """
    if right == "stop marketing":
        return tuple(key for key, one in policy.purposes.items() if one.marketing)
    named = about or [each for one in policy.rights.values() if one.right == right for each in one.against]
    if not named:
        named = _open_to(policy, right)
    found = [scope for word in named for scope in _meant(policy, word)]
    return tuple(dict.fromkeys(found))


def _open_to(policy: Policy, right: str) -> list[str]:
    if right == "withdrawal":
        return [key for key, one in policy.purposes.items() if one.basis == "consent"]
    return [key for key, one in policy.purposes.items() if one.opt_out or one.basis == "legitimate interest"]


def _meant(policy: Policy, word: str) -> list[str]:
    if word == "transfers":
        return [f"@{key}" for key, one in policy.recipients.items() if not one.essential]
    if word in policy.purposes:
        return [word]
    key = word.removeprefix("@")
    return [f"@{key}"] if key in policy.recipients else []


def is_absolute(policy: Policy, scope: str) -> bool:
    """Whether an objection needs no weighing: to direct marketing (GDPR Art. 21(3)), and to what people may switch off."""
    if scope.startswith("@"):
        recipient = policy.recipients[scope[1:]]
        return recipient.choice or recipient.consent == "itself" or not recipient.essential
    purpose = policy.purposes[scope]
    return purpose.marketing or purpose.opt_out or purpose.basis == "consent"


def rests_on_consent(policy: Policy, scope: str) -> bool:
    """Whether ``scope`` needs a yes of its own."""
    if scope.startswith("@"):
        return policy.recipients[scope[1:]].consent == "itself"
    return policy.purposes[scope].basis == "consent"


def state_of_no(policy: Policy, right: str, scope: str) -> Literal["withdrawn", "objected"]:
    """How a no to ``scope`` is recorded: what was agreed to is withdrawn, anything else is objected to."""
    if right == "withdrawal":  # of a yes; where none was asked for, only an objection stops anything
        return "withdrawn" if rests_on_consent(policy, scope) else "objected"
    if right == "stop marketing":
        classes = [one for one in policy.messages.values() if one.for_ == scope]
        if classes and all(stopping(one) == "withdrawn" for one in classes):
            return "withdrawn"
        return "objected" if policy.purposes[scope].basis != "consent" else "withdrawn"
    return "objected"


def holds_up(policy: Policy, scope: str) -> bool:
    """Whether a no to ``scope`` may hold up an order that is open: it is given, or used, to carry orders out."""
    if not scope.startswith("@"):
        return _for_orders(policy.purposes[scope].needs)
    recipient = policy.recipients[scope[1:]]
    needs = (
        *recipient.needs,
        *(need for key in recipient.for_ if key in policy.purposes for need in policy.purposes[key].needs),
    )
    return _for_orders(needs)


def _for_orders(needs: Collection[str]) -> bool:
    return any(need.endswith("order") for need in needs)


def ends_business(policy: Policy, scope: str) -> bool:
    """Whether an objection to ``scope`` is the notice that ends business: to being kept as an existing customer."""
    purpose = policy.purposes.get(scope)
    return purpose is not None and purpose.before is not None


def reminder_due(due_at: datetime, reminded_at: datetime | None, now: datetime) -> bool:
    """Whether staff are to be reminded now of a request that is due at ``due_at``: each of ``REMIND`` once."""
    passed = [due_at - before for before in REMIND if due_at - before <= now < due_at]
    return bool(passed) and (reminded_at is None or reminded_at < max(passed))


def logged(records: Collection[str], policy: Policy, intake: Intake) -> dict[str, str]:
    """The fields of a request that the policy lets be logged, by their names; time and method have columns of their own."""
    categories = {"pd:EmailAddress": intake.email, "pd:IPAddress": intake.ip, "pd:Name": intake.name}
    found = {}
    for name in records:
        entry = policy.data.get(name)
        value = categories.get(entry.category, "") if entry else ""
        if value:
            found[name] = value
    return found


def authority(policy: Policy) -> Authority | None:
    """Whom people can complain to about the operator: the authority that it names, else that of its country."""
    return complaint_to(policy)[0]
