"""What the store has that acts are about: dealings, choices, disclosures, instructions and holds, of one person or of all.

No value of anybody is among them: numbers of the operator, words of the policy, states and days.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection

from troth.acts.deal import PAID
from troth.acts.model import Act
from troth.acts.shared import KINDS
from troth.acts.table import ACTS
from troth.consent.actions import choices
from troth.consent.rules import Choice
from troth.consent.stops.actions import in_force
from troth.consent.stops.rules import Stop
from troth.people.dealings import Dealt, dealings_of
from troth.people.facts import Known, known
from troth.recipients import gate, instructions
from troth.recipients.gate import Given
from troth.recipients.instructions import Unanswered
from troth.recipients.tables import BY_HAND
from troth.retention.holds import Hold, count_in_force, holds_in_force, holds_of
from troth.retention.keeping import POLICY
from troth.rights import restricting
from troth.store.site import Site


@dataclass(frozen=True, slots=True)
class Rows:
    """What there is of ``person``; where that is blank, what waits for staff about anybody.

    Attributes:
        there: the person, unless they are erased.
        owing: how many instructions to delete each recipient has not acknowledged.
        suspended: what is suspended for everybody.
    """

    person: str = ""
    there: Known | None = None
    restricted: bool = False
    dealings: list[Dealt] = field(default_factory=list)
    chosen: list[Choice] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)
    unanswered: list[Unanswered] = field(default_factory=list)
    holds: list[Hold] = field(default_factory=list)
    owing: Mapping[str, int] = field(default_factory=dict)
    suspended: list[Stop] = field(default_factory=list)

    def open_dealings(self, *kinds: str) -> list[Dealt]:
        """The dealings of ``kinds`` that are not closed."""
        return [one for one in self.dealings if one.kind in kinds and one.closed_at is None]

    def waiting(self) -> list[Given]:
        """The disclosures that wait to be handed over."""
        return [one for one in self.given if one.state == BY_HAND]

    def releasable(self) -> list[Hold]:
        """The holds that somebody placed; those that the policy keeps as an archive end by its clock."""
        return [one for one in self.holds if one.approver != POLICY]

    def paid(self, ref: str) -> bool:
        """Whether the order under this number is paid and has not left."""
        return any(one.ref == ref for one in self.open_dealings(PAID))


def rows_of(site: Site, conn: Connection, person_id: str) -> Rows:
    """What there is of one person."""
    unanswered = instructions.unanswered(conn, person_id)
    owing: dict[str, int] = {}
    for one in unanswered:
        owing[one.recipient] = owing.get(one.recipient, 0) + 1
    return Rows(
        person_id,
        known(conn, [person_id]).get(person_id),
        restricting.is_restricted(conn, person_id),
        dealings_of(conn, person_id),
        choices(conn, [person_id]).get(person_id, []),
        gate.disclosures(conn, person_id),
        unanswered,
        holds_of(conn, person_id, site.now()),
        owing,
        in_force(conn),
    )


def rows_of_all(site: Site, conn: Connection, limit: int, offset: int = 0) -> Rows:
    """What waits for staff about anybody: of each so many rows, after so many."""
    return Rows(
        given=gate.disclosures(conn, state=BY_HAND, limit=limit, offset=offset),
        unanswered=instructions.unanswered(conn, limit=limit, offset=offset),
        holds=holds_in_force(conn, site.now(), limit, offset),
        owing=instructions.waiting(conn),
        suspended=in_force(conn),
    )


def waiting_for(site: Site, conn: Connection, act: Act) -> int:
    """How many rows there are, about anybody, that ``act`` is about; none where it goes by no such rows."""
    if act.argument("disclosure"):
        return gate.count_of(conn, BY_HAND)
    if act.argument("ending"):
        return sum(instructions.waiting(conn).values())
    return count_in_force(conn, site.now()) if act.argument("hold") else 0


def filled_in(act: Act, rows: Rows, of: str) -> dict[str, str]:
    """The arguments of ``act`` about ``rows.person`` and, of what they have, about what has the id ``of``."""
    found = {"person": rows.person} if rows.person else {}
    for dealt in rows.dealings:
        if of == dealt.id:
            found |= {"kind": dealt.kind, "number": dealt.ref, "case": dealt.ref}
    for chosen in rows.chosen:
        if of == chosen.id:
            found["about"] = chosen.scope
    found |= {"disclosure": of} if any(of == one.id for one in rows.given) else {}
    found |= {"hold": of} if any(of == one.id for one in rows.holds) else {}
    for told in rows.unanswered:
        if of == told.ending_id:
            found |= {"ending": of, "recipient": told.recipient}
    return {name: said for name, said in found.items() if act.argument(name)}


def offered(rows: Rows) -> dict[str, list[str]]:
    """By the id of what they have: the acts that make sense about it now."""
    found: dict[str, list[str]] = {}
    for dealt in rows.dealings:
        if dealt.kind == "order" and dealt.closed_at is None:
            found[dealt.id] = ["dispatch-order" if rows.paid(dealt.ref) else "pay-order", "close-dealing"]
        elif dealt.kind in KINDS and dealt.closed_at is None:
            found[dealt.id] = ["close-dealing"]
        if dealt.kind == "order":
            found.setdefault(dealt.id, []).append("set-warranty")
    undone = {"given": "withdraw-consent", "objected": "lift-objection"}
    found |= {one.id: [undone[one.state]] for one in rows.chosen if one.state in undone}
    found |= {one.id: ["hand-over"] for one in rows.waiting()}
    found |= {one.ending_id: ["acknowledge-deletion"] for one in rows.unanswered}
    return found | {one.id: ["release-hold"] for one in rows.releasable()}


BESIDE_A_ROW = frozenset(
    {"pay-order", "dispatch-order", "close-dealing", "set-warranty", "lift-objection", "acknowledge-deletion"}
)
"""acts about a person that are reached beside what they are about alone, as ``offered`` names them"""


def about_person(rows: Rows) -> list[Act]:
    """The acts about the person as a whole that make sense now."""
    done = "restrict" if rows.restricted else "lift-restriction"
    return [act for act in ACTS.values() if act.argument("person") and act.name not in {done, *BESIDE_A_ROW}]
