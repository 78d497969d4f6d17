"""The operator's own work in a demo: orders and tickets that begin and end, data that is read and given for them, messages, and
what the law asks for. Programs and staff read data and visits as everywhere; all else is done by the acts that ``docs/acts.md``
lists, as from the command line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from troth.acts.model import Caller
from troth.acts.perform import perform
from troth.acts.shared import KINDS, events_of_policy, fields
from troth.errors import Refused
from troth.people.dealings import open_cases
from troth.people.vault import By, read
from troth.policy.assurances import LegalGround
from troth.policy.compile import Compiled
from troth.recipients.rules import PERSONS
from troth.recipients.tables import BY_HAND, disclosure
from troth.rehearsal.demo_people import Somebody
from troth.store.site import Site
from troth.visits import actions as visits

CONSOLE = Caller("console", "console", "console", frozenset())
WRITTEN = ("notice", "confirmation")
"""kinds of messages that leave by themselves, when a version is published or something was ordered"""
SUBJECT, WORDS = "What is new", "There is something new.\n\nCome and see."
CLAIM = "a claim is being looked into"
HELD_FOR = timedelta(days=90)


def act(site: Site, name: str, caller: Caller = CONSOLE, **given: Any) -> Mapping[str, Any] | None:
    """Carry out the act ``name`` and return what came of it; None when the policy does not allow it.

    Raises:
        InvalidInput: when there is no such act, or ``given`` does not fit it: a mistake of the demo.
    """
    try:
        return perform(site, caller, name, given).result
    except Refused:
        return None


def number_of(somebody: Somebody, kind: str) -> str:
    """The operator's own number of a dealing with ``somebody``."""
    return f"{kind}-{1_000 + somebody.number}"


def begins(somebody: Somebody) -> None:
    """Open what the policy's purposes and recipients need to be open and is not yet; have the order paid, with a warranty."""
    site, person, now = somebody.walk.site, somebody.person_id, somebody.walk.site.now()
    closed = _not_open(somebody)
    for kind in closed:
        act(site, "open-dealing", person=person, kind=kind, number=number_of(somebody, kind))
    if "order" in closed:
        order = number_of(somebody, "order")
        act(site, "pay-order", number=order)
        act(site, "set-warranty", number=order, warranty_ends=(now + timedelta(days=365)).isoformat())


def ends(somebody: Somebody) -> None:
    """Close all of it again, and report what else the policy counts from."""
    for kind in _needed(somebody.compiled):
        act(somebody.walk.site, "close-dealing", kind=kind, number=number_of(somebody, kind))
    for event in events_of_policy(somebody.compiled):
        number = number_of(somebody, event)
        act(somebody.walk.site, "report-event", person=somebody.person_id, event=event, number=number)


def _not_open(somebody: Somebody) -> list[str]:
    with somebody.walk.site.reading() as conn:
        there = open_cases(conn, [somebody.person_id]).get(somebody.person_id, frozenset())
    return [kind for kind in _needed(somebody.compiled) if (kind, number_of(somebody, kind)) not in there]


def _needed(compiled: Compiled) -> list[str]:
    policy = compiled.policy
    needs = [
        one.needs for section in (policy.purposes, policy.recipients, policy.collection) for one in section.values()
    ]
    words = {need.removeprefix("open ").removeprefix("paid ") for some in needs for need in some}
    return [kind for kind in KINDS if kind in words]


def works_for(somebody: Somebody) -> None:
    """Read what each purpose uses of somebody, in a role that may, and give each recipient what it receives of them."""
    policy, site, people = somebody.compiled.policy, somebody.walk.site, _kind(somebody)
    for key, purpose in policy.purposes.items():
        if purpose.uses and (not purpose.people or people in purpose.people):
            by = By("staff", purpose.roles[0]) if purpose.roles else By("program")
            _read(site, somebody.person_id, purpose.uses, key, by)
    for key, one in policy.recipients.items():
        for purpose_ in one.for_ if one.receives else ():
            act(site, "disclose", person=somebody.person_id, recipient=key, purpose=purpose_)


def looks_at_visits(site: Site) -> None:
    """Read the newest visit for each purpose that the visits may be read for."""
    policy = site.policy().policy
    for purpose in policy.visits.for_ if policy.visits else ():
        try:
            next(visits.read(site, purpose, By("program")), None)
        except Refused:
            continue


def _kind(somebody: Somebody) -> str:
    return somebody.compiled.policy.collection[somebody.point].people


def _read(site: Site, person: str, names: Iterable[str], purpose: str, by: By) -> None:
    try:
        read(site, person, tuple(names), purpose, by)
    except Refused:
        return


def hands_over(somebody: Somebody) -> None:
    """Give by hand what waits for that about somebody, to recipients that no wire leads to."""
    site, mine = somebody.walk.site, disclosure.c.person_id == somebody.person_id
    with site.reading() as conn:
        waiting = conn.scalars(select(disclosure.c.id).where(mine, disclosure.c.state == BY_HAND)).all()
    for one in waiting:
        act(site, "hand-over", disclosure=one)


def writes(somebody: Somebody, caller: Caller = CONSOLE) -> None:
    """Send somebody a message of each class that staff write, as far as they may get it: the classes for whose purpose one
    needs a role when ``caller`` has one, and the others when not."""
    policy = somebody.compiled.policy
    for name, one in policy.messages.items():
        if one.kind not in WRITTEN and bool(policy.purposes[one.for_].roles) == bool(caller.roles):
            said = {"class": name, "subject": SUBJECT, "words": WORDS}
            act(somebody.walk.site, "send-message", caller, person=somebody.person_id, **said)


def answers_the_law(somebody: Somebody) -> None:
    """Use each legal ground once: give what it asks for about somebody, or keep theirs for it."""
    site, person = somebody.walk.site, somebody.person_id
    known, some = set(fields(somebody.compiled)), list(somebody.values())[:1]
    for number, (key, ground) in enumerate(somebody.compiled.policy.legal.items(), start=1):
        case: dict[str, Any] = {"person": person, "ground": key, "record": _record(ground, person, number)}
        if ground.act == "disclose":
            act(site, "disclose-in-case", recipient=f"authority-{number}", fields=some, **case)
        elif ground.act == "keep":
            kept, ends_at = [name for name in ground.data if name in known], site.now() + HELD_FOR
            act(site, "place-hold", fields=kept, because=CLAIM, ends=ends_at.isoformat(), **case)


def _record(ground: LegalGround, person: str, number: int) -> dict[str, str]:
    known = {"reference": f"C-{number}", "approver": "privacy lead", PERSONS: person}
    return {need: known.get(need, "seen and on file") for need in ground.needs}
