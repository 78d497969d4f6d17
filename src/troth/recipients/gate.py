"""The gate: the only door through which personal data leaves.

What could go wrong: a field more than was promised; a recipient that was switched off between the click and the delivery; a
safeguard that expired meanwhile; a delivery made twice, or made although its cause was rolled back. So the gate asks the policy
twice, when the disclosure is recorded and when it leaves; the payload is built here, from the promised fields alone; the
record and the job that delivers are one transaction; and the recipient gets the disclosure's id as a key, so that a retry after
a lost answer is recognised. Values are read when the delivery leaves: neither the record nor the job holds any.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, insert, select, update

from troth import agenda, ledger
from troth.decide import Ask, Decision
from troth.errors import Refused
from troth.ids import new_id
from troth.ledger import events
from troth.people import vault
from troth.people.vault import By
from troth.policy.compile import Compiled
from troth.recipients import connectors
from troth.recipients.rules import facts_of, live_consent
from troth.recipients.tables import disclosure
from troth.store.site import Site

DELIVER = "deliver"


@dataclass(frozen=True, slots=True)
class Case:
    """What a disclosure is for: a dealing of the person (an order's reference), or an approved legal case."""

    ref: str = ""
    ground: str = ""
    reference: str = ""
    approver: str = ""

    def facts(self, needs: Collection[str]) -> frozenset[str]:
        """``legal:GROUND`` when everything that the ground needs is on record, else nothing."""
        given = {"reference": self.reference, "approver": self.approver}
        if self.ground and all(given.get(need) for need in needs):
            return frozenset({f"legal:{self.ground}"})
        return frozenset()


NO_CASE = Case()


def disclose(
    site: Site, person_id: str, recipient: str, fields: Collection[str], purpose: str, *, case: Case = NO_CASE
) -> str:
    """Record that ``fields`` of a person go to ``recipient`` and hand the delivery to the agenda; returns the disclosure's id.

    Raises:
        Refused: when the policy does not allow it; the refusal is on the ledger and nothing leaves.
    """
    with site.writing() as conn:
        way = _WayOut(site, conn, site.policy(conn), person_id, recipient)
        ask = way.ask(frozenset(fields), purpose, case)
        decision = way.compiled.decide(ask)
        if decision.allowed:
            return way.record(ask, case, decision)
        way.ledger(events.DISCLOSURE_REFUSED, ask, decision)
    raise Refused(f"This may not be given to `{recipient}`.", decision.reason, decision.because)


@dataclass(frozen=True)
class _WayOut:
    """The way of one person's data to one recipient, inside one transaction."""

    site: Site
    conn: Connection
    compiled: Compiled
    person_id: str
    recipient: str

    def ask(self, fields: frozenset[str], purpose: str, case: Case) -> Ask:
        """The question to the policy, with the facts that the rooms below establish."""
        policy = self.compiled.policy
        theirs = vault.facts(self.site, self.conn, [self.person_id], By("system"), self.site.now(), purpose=purpose)
        facts = theirs.get(self.person_id, frozenset())
        if self.recipient in policy.recipients:
            facts |= facts_of(policy, self.recipient, self.site.now().date())
            facts |= live_consent(facts, self.recipient, purpose)
        if case.ground in policy.legal:
            facts |= case.facts(policy.legal[case.ground].needs)
        people = vault.kind_of(self.conn, self.person_id) or ""
        return Ask("disclose", purpose, fields, people, self.recipient, facts)

    def record(self, ask: Ask, case: Case, decision: Decision) -> str:
        """The disclosure, its ledger row and the job that delivers it, together."""
        now, made = self.site.now(), new_id(self.site.now())
        row = {"id": made, "person_id": self.person_id, "recipient": self.recipient, "purpose": ask.purpose}
        named = " ".join(sorted(ask.fields))
        self.conn.execute(insert(disclosure).values(**row, fields=named, case_ref=case.ref, at=now, state="queued"))
        agenda.put(self.conn, DELIVER, f"{DELIVER}:{made}", made, due_at=now, at=now)
        self.ledger(events.DISCLOSURE_QUEUED, ask, decision, made)
        return made

    def ledger(self, event: str, ask: Ask, decision: Decision, made: str = "") -> None:
        """Put the decision on the ledger, with the disclosure it is about when there is one."""
        body = {**ledger.decision_body(ask, decision, self.compiled.version), "person": self.person_id}
        ledger.append(self.conn, self.site.now(), event, {**body, "disclosure": made} if made else body)

    def payload(self, asked: RowMapping) -> Mapping[str, str] | None:
        """The promised fields of a recorded disclosure, read now; None when the policy of now says no."""
        ask = self.ask(frozenset(asked["fields"].split()), asked["purpose"], Case(asked["case_ref"]))
        decision = self.compiled.decide(ask)
        if decision.allowed:
            return vault.open_for(self.site, self.conn, self.person_id, ask.fields, decision)
        self.ledger(events.DISCLOSURE_REFUSED, ask, decision, asked["id"])
        return None


def deliver(site: Site, job: agenda.Job) -> None:
    """Deliver one recorded disclosure, unless the policy or the person no longer allows it; the agenda retries failures."""
    queued = (disclosure.c.id == job.ref) & (disclosure.c.state == "queued")
    with site.writing() as conn:
        asked = conn.execute(select(disclosure).where(queued)).mappings().first()
        if asked is None:
            return
        way = _WayOut(site, conn, site.policy(conn), asked["person_id"], asked["recipient"])
        payload = way.payload(asked)
        if payload is None:
            conn.execute(update(disclosure).where(queued).values(state="refused"))
            return
    body = {"person": asked["person_id"], "data": dict(payload)}
    if connectors.send(site, asked["recipient"], "disclosure", job.ref, body):
        _delivered(site, job.ref)


def _delivered(site: Site, made: str) -> None:
    with site.writing() as conn:
        change = {"state": "delivered", "delivered_at": site.now()}
        conn.execute(update(disclosure).where(disclosure.c.id == made, disclosure.c.state == "queued").values(**change))
        ledger.append(conn, site.now(), events.DISCLOSURE_MADE, {"disclosure": made})
