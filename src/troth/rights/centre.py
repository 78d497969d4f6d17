"""What a person may choose and change in the privacy centre, and doing it: the same acts as any request, already verified.

A switch that is moved to no is a withdrawal or an objection with everything that follows from one: it is logged as a request,
counts at once, takes back what waits, and tells recipients to delete. A switch that is moved to yes is a consent, recorded
with the words beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select

from troth.consent import actions as consent
from troth.consent.rules import PRIVACY_CENTRE
from troth.errors import Refused
from troth.people.facts import chosen_facts
from troth.people.tables import person
from troth.people.vault import By, Held, everything
from troth.policy.compile import Compiled
from troth.policy.model import Policy
from troth.policy.notice.language import Speaker, language
from troth.retention import relationship
from troth.rights import restricting, rules
from troth.rights.choosing import OpenOrder, open_orders, waited_for
from troth.rights.copy.masks import NONE, Masks
from troth.rights.copy.model import Overview
from troth.rights.copy.overview import MOST_SHOWN, overview
from troth.rights.intake import Received, receive
from troth.rights.rules import Intake
from troth.rights.tables import request
from troth.store.site import Site
from troth.visits.rules import nameless


@dataclass(frozen=True, slots=True)
class Switch:
    """One check box: a purpose, or a recipient with an ``@``; ``on`` as the record of choices says now."""

    scope: str
    label: str
    on: bool
    holds_up: bool
    """whether a no may hold up an order that is open"""


@dataclass(frozen=True, slots=True)
class Correctable:
    """A field that can be corrected: its name, what it is called and what it says now."""

    field: str
    label: str
    value: str
    long: bool


@dataclass(frozen=True, slots=True)
class AskedFor:
    """A request of the person; ``orders`` are the open orders that it waits for."""

    right: str
    outcome: str
    orders: tuple[OpenOrder, ...]


@dataclass(frozen=True)
class Centre:
    """What the privacy centre offers one person now."""

    switches: tuple[Switch, ...]
    objections: tuple[Switch, ...]
    corrects: tuple[Correctable, ...]
    restricted: bool
    orders: tuple[str, ...]
    requests: tuple[AskedFor, ...]
    """what the person asked for, the youngest first"""
    told: Overview
    """what is held"""
    nameless: str
    """for how long visits are kept of which nobody can tell whose they are; blank where none are"""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whose privacy centre it is, and what they came by."""

    person_id: str
    came_by: Literal["account", "link"]
    masks: Masks = NONE
    """what staff decided not to show them, since it would tell of somebody else"""

    @property
    def by(self) -> By:
        return By("person", ref=self.person_id)


def centre(site: Site, visitor: Visitor, tag: str, most: int = MOST_SHOWN) -> Centre:
    """Everything that ``visitor`` may choose now, in the language ``tag``, and what is held, the newest ``most`` records.

    What is held is read once, since each record has to be opened; that is on the ledger as any access is.
    """
    latest = _Latest(visitor.masks, site.policy().policy)
    told = overview(site, visitor.person_id, visitor.by, tag, visitor.masks, most, latest.meet)
    values = latest.values(site.policy())
    with site.reading() as conn:
        compiled = site.policy(conn)
        facts = chosen_facts(conn, visitor.person_id)
        orders = tuple(open_orders(conn, visitor.person_id))
        restricted = _restricted(conn, visitor.person_id)
        asked = _asked(conn, visitor.person_id)
    speaker, kept = Speaker(compiled.policy, language(tag)), nameless(compiled)
    return Centre(
        tuple(_switch(compiled, speaker, one, facts) for one in switchable(compiled.policy)),
        tuple(_switch(compiled, speaker, one, facts) for one in _objectable(compiled)),
        tuple(_held(compiled, speaker, field, value) for field, value in values.items()),
        restricted, orders, asked, told, speaker.duration(kept) if kept else "",
    )  # fmt: skip


class _Latest:
    """The youngest value of each field, of what somebody handed in; what was recorded of visits is not theirs to write."""

    def __init__(self, masks: Masks, policy: Policy) -> None:
        self._masks = masks
        self._recorded = {key for key, point in policy.collection.items() if point.kind == "visit"}
        self._found: dict[str, str] = {}
        self._masked: set[str] = set()

    def meet(self, one: Held) -> None:
        if one.point in self._recorded:
            return
        self._found |= one.fields
        self._masked |= self._masks.of(one, "")[1]

    def values(self, compiled: Compiled) -> dict[str, str]:
        """What a person may change without confirming who they are anew, and may see."""
        fixed = compiled.identifying | self._masked
        return {field: value for field, value in self._found.items() if field not in fixed}


def _latest(site: Site, visitor: Visitor) -> dict[str, str]:
    latest = _Latest(visitor.masks, site.policy().policy)
    for one in everything(site, visitor.person_id, visitor.by):
        latest.meet(one)
    return latest.values(site.policy())


def switchable(policy: Policy) -> tuple[str, ...]:
    """What has a check box of its own: purposes that rest on consent or that people may opt out of, and switched recipients."""
    purposes = [key for key, one in policy.purposes.items() if one.basis == "consent" or one.opt_out or one.marketing]
    recipients = [f"@{key}" for key, one in policy.recipients.items() if one.choice or one.consent == "itself"]
    return (*purposes, *recipients)


def _objectable(compiled: Compiled) -> tuple[str, ...]:
    """What can be objected to and has no check box."""
    scopes = rules.scopes(compiled.policy, "objection", ())
    return tuple(one for one in scopes if one not in switchable(compiled.policy))


def _switch(compiled: Compiled, speaker: Speaker, scope: str, facts: frozenset[str]) -> Switch:
    policy = compiled.policy
    if scope.startswith("@"):
        recipient = policy.recipients[scope[1:]]
        label = f"{speaker.recipient(scope[1:])}: {speaker.text(recipient.does)}"
    else:
        label = speaker.text(policy.purposes[scope].label)
    asks = rules.rests_on_consent(policy, scope)
    on = f"consent:{scope}" in facts if asks else f"objection:{scope}" not in facts
    return Switch(scope, speaker.finish(label), on, rules.holds_up(policy, scope))


def _held(compiled: Compiled, speaker: Speaker, field: str, value: str) -> Correctable:
    long = "\n" in value or len(value) > 80
    return Correctable(
        field, speaker.finish(speaker.label(field)) if field in compiled.policy.data else field, value, long
    )


def _restricted(conn: Connection, person_id: str) -> bool:
    query = select(person.c.only_for).where(person.c.id == person_id, person.c.state == "active")
    row = conn.execute(query).first()
    return row is not None and row.only_for is not None


def _asked(conn: Connection, person_id: str) -> tuple[AskedFor, ...]:
    columns = (request.c.id, request.c.right, request.c.outcome)
    query = select(*columns).where(request.c.person_id == person_id).order_by(request.c.at.desc()).limit(20)
    orders = waited_for(conn, person_id)
    return tuple(AskedFor(row.right, row.outcome, orders.get(row.id, ())) for row in conn.execute(query))


@dataclass(frozen=True, slots=True)
class Change:
    """What moving switches means: the scopes that become yes and no, and the open orders that a no may hold up."""

    yes: tuple[str, ...]
    no: tuple[str, ...]
    orders: tuple[str, ...]


def change(site: Site, visitor: Visitor, on: Collection[str]) -> Change:
    """What it would mean to leave exactly ``on`` switched on; nothing is recorded."""
    with site.reading() as conn:
        policy = site.policy(conn).policy
        facts = chosen_facts(conn, visitor.person_id)
        orders = tuple(open_orders(conn, visitor.person_id))
    compiled = site.policy()
    speaker = Speaker(policy, language(policy.policy.languages[0]))
    now = [_switch(compiled, speaker, one, facts) for one in switchable(policy)]
    no = tuple(one.scope for one in now if one.on and one.scope not in on)
    held_up = any(one.holds_up for one in now if one.scope in no)
    yes = tuple(one.scope for one in now if not one.on and one.scope in on)
    return Change(yes, no, orders if held_up else ())


def switch(site: Site, visitor: Visitor, wanted: Change, key: str, tag: str, ip: str = "") -> Received | None:
    """Carry out ``wanted``: consents are recorded with their words; everything that becomes a no is one request."""
    if wanted.yes:
        with site.writing() as conn:
            _agree(site, conn, visitor, wanted.yes, tag)
    if not wanted.no:
        return None
    return ask(site, visitor, "withdrawal", key, tag, about=wanted.no, ip=ip)


def _agree(site: Site, conn: Connection, visitor: Visitor, scopes: Sequence[str], tag: str) -> None:
    compiled = site.policy(conn)
    speaker = Speaker(compiled.policy, language(tag))
    for scope in scopes:
        asks = _switch(compiled, speaker, scope, frozenset())
        state: Literal["given", "lifted"] = "given" if rules.rests_on_consent(compiled.policy, scope) else "lifted"
        consent.record(site, conn, visitor.person_id, scope, state, asks.label, tag, PRIVACY_CENTRE, compiled)
    relationship.refresh(site, conn, [visitor.person_id], compiled)


def ask(
    site: Site,
    visitor: Visitor,
    right: str,
    key: str,
    tag: str,
    *,
    about: Collection[str] = (),
    changes: Mapping[str, str] | None = None,
    text: str = "",
    ip: str = "",
) -> Received:
    """Exercise a right in the privacy centre: whoever is there has shown already who they are."""
    wish = Intake(
        right, visitor.came_by, key, text=text, ip=ip, language=tag, about=tuple(about), changes=changes or {},
        member=visitor.person_id, vouched=visitor.came_by,
    )  # fmt: skip
    return receive(site, wish)


def correct(
    site: Site, visitor: Visitor, values: Mapping[str, str], key: str, tag: str, ip: str = ""
) -> Received | None:
    """Correct what ``values`` says otherwise than what is held; None when nothing does.

    Raises:
        Refused: for a field that is not held, or that a person is found by.
    """
    held = _latest(site, visitor)
    if values.keys() - held.keys():
        raise Refused("There is nothing to correct.", "What is not held here cannot be corrected.")
    changes = {field: value for field, value in values.items() if value.strip() != held[field].strip()}
    return ask(site, visitor, "correction", key, tag, changes=changes, ip=ip) if changes else None


def use_again(site: Site, visitor: Visitor) -> None:
    """Lift a restriction that the person asked for; an account that was closed stays closed."""
    with site.writing() as conn:
        restricting.lift(site, conn, visitor.person_id)
