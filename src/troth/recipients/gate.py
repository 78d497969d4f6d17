"""The gate: the only door through which personal data leaves.

What could go wrong: a field more than was promised; a recipient that was switched off between the click and the delivery; a
safeguard that expired meanwhile; a delivery made twice, or made although its cause was rolled back; one that arrived and is
forgotten. So the gate asks the policy twice, when the disclosure is recorded and when it leaves; the payload is built here,
from the promised fields alone; the record and the job that delivers are one transaction; that a delivery is leaving is
committed before it leaves, so that whoever may have it is told to delete it; and the recipient gets the disclosure's id as a
key, so that a retry after a lost answer is recognised. Values are read when the delivery leaves: neither the record nor the
job holds any.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import Connection, RowMapping, func, insert, select, update

from troth import agenda, ledger
from troth.consent.stops.rules import left_out, scopes
from troth.decide import Ask, Decision
from troth.errors import Refused
from troth.ids import new_id
from troth.ledger import events
from troth.people import vault
from troth.people.vault import By
from troth.policy.acts import LEGAL
from troth.policy.compile import Compiled
from troth.recipients import connectors
from troth.recipients.rules import FIELDS, facts_of, lacking, live_consent
from troth.recipients.tables import BY_HAND, DELIVERED, LEAVING, QUEUED, REFUSED, UNSURE, disclosure
from troth.store.site import Site

DELIVER = "deliver"


@dataclass(frozen=True, slots=True)
class Case:
    """What a disclosure is for: a dealing of the person, or a legal case with what is on record of it.

    Attributes:
        ref: the reference of one open dealing of the person; blank when any of the kind will do.
        ground: the legal ground of the policy.
        record: what the ground ``needs``, by name: the ``reference`` of the docket, the role of the ``approver``, and whatever
            else the policy names. It is kept with the disclosure, so it holds no personal value.
    """

    ref: str = ""
    ground: str = ""
    record: Mapping[str, str] = field(default_factory=dict)

    def facts(self, needs: Collection[str], person_id: str) -> frozenset[str]:
        """``legal:GROUND`` when everything that the ground needs is on record, and speaks of this person; else nothing."""
        if self.ground and not lacking(set(needs) - {FIELDS}, self.record, person_id):
            return frozenset({f"{LEGAL}{self.ground}"})
        return frozenset()


NO_CASE = Case()
SYSTEM = By("system")


def disclose(
    site: Site, person_id: str, recipient: str, fields: Collection[str], purpose: str, *, case: Case = NO_CASE
) -> str:
    """Record that ``fields`` of a person go to ``recipient`` and hand the delivery to the agenda; returns the disclosure's id.

    Raises:
        Refused: when the policy does not allow it; the refusal is on the ledger and nothing leaves.
    """
    with site.writing(in_pipeline=True) as conn:
        came = disclose_in(site, conn, person_id, recipient, fields, purpose, case=case)
    if isinstance(came, str):
        return came
    raise Refused(f"This may not be given to `{recipient}`.", came.reason, came.because)


def disclose_in(
    site: Site,
    conn: Connection,
    person_id: str,
    recipient: str,
    fields: Collection[str],
    purpose: str,
    *,
    case: Case = NO_CASE,
    by: By = SYSTEM,
) -> str | Decision:
    """As ``disclose``, in the caller's transaction; the decision when it refuses, which is on the ledger if this commits.

    ``by`` is who asks for it. When it leaves, it is the operator's system that asks again.
    """
    way = _WayOut(site, conn, site.policy(conn), person_id, recipient)
    ask = way.ask(frozenset(fields), purpose, case, by)
    decision = way.compiled.decide(ask)
    if decision.allowed:
        return way.record(ask, case, decision)
    way.ledger(events.DISCLOSURE_REFUSED, ask, decision)
    return decision


def show(site: Site, person_id: str, recipient: str, fields: Collection[str], purpose: str) -> Mapping[str, str]:
    """What of a person everybody may see at this moment, asked anew for each who looks; nothing when the policy says no.

    Nothing is delivered and no disclosure is kept, since nobody in particular received it; that it was shown is on the ledger,
    and so is a refusal. ``recipient`` must have the role ``public``.
    """
    with site.writing() as conn:
        way = _WayOut(site, conn, site.policy(conn), person_id, recipient)
        ask = way.ask(frozenset(fields), purpose, NO_CASE)
        decision = way.compiled.decide(ask)
        named = way.compiled.policy.recipients.get(recipient)
        if not decision.allowed or named is None or named.role != "public":
            way.ledger(events.DISCLOSURE_REFUSED, ask, decision)
            return {}
        way.ledger(events.DISCLOSURE_SHOWN, ask, decision)
        return way._opened(ask, NO_CASE, decision) or {}


@dataclass(frozen=True)
class _WayOut:
    """The way of one person's data to one recipient, inside one transaction."""

    site: Site
    conn: Connection
    compiled: Compiled
    person_id: str
    recipient: str

    def ask(self, fields: frozenset[str], purpose: str, case: Case, by: By = SYSTEM) -> Ask:
        """The question to the policy, with the facts that the rooms below establish."""
        policy, now = self.compiled.policy, self.site.now()
        facts = vault.facts(
            self.site, self.conn, [self.person_id], by, now,
            purpose=purpose, case=case.ref or None, policy=self.compiled, scopes=scopes(purpose, self.recipient),
        )[self.person_id]  # fmt: skip
        if self.recipient in policy.recipients:
            facts |= facts_of(policy, self.recipient, now.date())
            facts |= live_consent(facts, self.recipient, purpose)
        if case.ground in policy.legal:
            facts |= case.facts(policy.legal[case.ground].needs, self.person_id)
        people = vault.kind_of(self.conn, self.person_id) or ""
        return Ask("disclose", purpose, fields, people, self.recipient, facts)

    def record(self, ask: Ask, case: Case, decision: Decision) -> str:
        """The disclosure, its ledger row and the job that delivers it, together."""
        now = self.site.now()
        made = new_id(now)
        row = {"id": made, "person_id": self.person_id, "recipient": self.recipient, "purpose": ask.purpose}
        row |= {"fields": " ".join(sorted(ask.fields)), "case_ref": case.ref, "ground": case.ground}
        self.conn.execute(insert(disclosure).values(**row, record=dict(case.record), at=now, state=QUEUED))
        agenda.put(self.conn, DELIVER, f"{DELIVER}:{made}", made, due_at=now, at=now)
        self.ledger(events.DISCLOSURE_QUEUED, ask, decision, made)
        return made

    def ledger(self, event: str, ask: Ask, decision: Decision, made: str = "") -> None:
        """Put the decision on the ledger, with the disclosure it is about when there is one."""
        body = {**ledger.decision_body(ask, decision, self.compiled.version), "person": self.person_id}
        ledger.append(self.conn, self.site.now(), event, {**body, "disclosure": made} if made else body)

    def payload(self, asked: RowMapping, by: By = SYSTEM) -> Mapping[str, str] | None:
        """The promised fields of a recorded disclosure, read now and about to leave; None when the policy of now says no."""
        case = Case(asked["case_ref"], asked["ground"], asked["record"])
        ask = self.ask(frozenset(asked["fields"].split()), asked["purpose"], case, by)
        decision = self.compiled.decide(ask)
        values = self._opened(ask, case, decision) if decision.allowed else None
        if values is None:
            self.ledger(events.DISCLOSURE_REFUSED, ask, decision, asked["id"])
            _becomes(self.conn, asked["id"], REFUSED if asked["state"] != LEAVING else UNSURE)
            return None
        self.ledger(events.DISCLOSURE_MADE, ask, decision, asked["id"])
        return values

    def _opened(self, ask: Ask, case: Case, decision: Decision) -> Mapping[str, str] | None:
        """The values; None when stops for certain origins leave nothing to give."""
        without = left_out(ask.facts)
        values = vault.open_for(
            self.site, self.conn, self.person_id, ask.fields, decision,
            purpose=ask.purpose, case=case.ref or None, without=without,
        )  # fmt: skip
        return None if without and not values else values


def deliver(site: Site, job: agenda.Job) -> None:
    """Deliver one recorded disclosure, unless the policy or the person no longer allows it; the agenda retries failures."""
    with site.writing() as conn:
        asked = _open(conn, job.ref, QUEUED, LEAVING)
        if asked is None:
            return
        if not connectors.wired(site, asked["recipient"]):
            return _becomes(conn, job.ref, BY_HAND)
        payload = _WayOut(site, conn, site.policy(conn), asked["person_id"], asked["recipient"]).payload(asked)
        if payload is None:
            return
        _becomes(conn, job.ref, LEAVING)
    body = {"person": asked["person_id"], "data": dict(payload)}
    connectors.send(site, asked["recipient"], "disclosure", job.ref, body)
    with site.writing() as conn:
        _arrived(site, conn, job.ref)


def hand_over(site: Site, disclosure_id: str) -> Mapping[str, str]:
    """The promised fields of a disclosure that waits for staff, who give them to the recipient: decided again, then delivered.

    Raises:
        Refused: when nothing waits under this id, or the policy or the person no longer allows it.
    """
    with site.writing() as conn:
        payload = hand_over_in(site, conn, disclosure_id)
    if payload is None:
        raise Refused(*NOTHING_WAITS)
    return payload


NOTHING_WAITS = ("There is nothing to hand over.", "It was given already, taken back, or is no longer allowed.")


def hand_over_in(site: Site, conn: Connection, disclosure_id: str, by: By = SYSTEM) -> Mapping[str, str] | None:
    """As ``hand_over``, in the caller's transaction, asked for ``by``; None when there is nothing to hand over, which stands if
    this commits."""
    asked = _open(conn, disclosure_id, BY_HAND)
    if asked is None:
        return None
    payload = _WayOut(site, conn, site.policy(conn), asked["person_id"], asked["recipient"]).payload(asked, by)
    if payload is not None:
        _arrived(site, conn, disclosure_id)
    return payload


@dataclass(frozen=True, slots=True)
class Given:
    """One disclosure as it is on record: which fields went, or wait to go, to whom and for what; no value."""

    id: str
    person_id: str
    recipient: str
    purpose: str
    fields: tuple[str, ...]
    at: datetime
    state: str


def disclosures(
    conn: Connection, person_id: str | None = None, state: str | None = None, limit: int | None = None, offset: int = 0
) -> list[Given]:
    """The disclosures about a person, the youngest first; or all of one ``state``, the one that waits longest ahead."""
    order = (disclosure.c.at, disclosure.c.id) if person_id is None else (disclosure.c.at.desc(), disclosure.c.id)
    query = select(disclosure).order_by(*order).limit(limit).offset(offset)
    query = query if person_id is None else query.where(disclosure.c.person_id == person_id)
    query = query if state is None else query.where(disclosure.c.state == state)
    return [
        Given(row.id, row.person_id, row.recipient, row.purpose, tuple(row.fields.split()), row.at, row.state)
        for row in conn.execute(query)
    ]


def count_of(conn: Connection, state: str) -> int:
    """How many disclosures there are of one ``state``."""
    return conn.scalar(select(func.count()).select_from(disclosure).where(disclosure.c.state == state)) or 0


def _open(conn: Connection, disclosure_id: str, *states: str) -> RowMapping | None:
    mine = (disclosure.c.id == disclosure_id) & disclosure.c.state.in_(states)
    return conn.execute(select(disclosure).where(mine).with_for_update()).mappings().first()


def _becomes(conn: Connection, disclosure_id: str, state: str, delivered_at: datetime | None = None) -> None:
    change = {"state": state, "delivered_at": delivered_at}
    conn.execute(update(disclosure).where(disclosure.c.id == disclosure_id).values(**change))


def _arrived(site: Site, conn: Connection, disclosure_id: str) -> None:
    """Note that the recipient has it, unless the disclosure was erased meanwhile or somebody else noted it."""
    if asked := _open(conn, disclosure_id, LEAVING, BY_HAND, UNSURE):
        _becomes(conn, disclosure_id, DELIVERED, site.now())
        body = {"disclosure": disclosure_id, "recipient": asked["recipient"]}
        ledger.append(conn, site.now(), events.DISCLOSURE_DELIVERED, body)
