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

from sqlalchemy import Connection, Row, insert, select, update

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


def disclose(
    site: Site, person_id: str, recipient: str, fields: Collection[str], purpose: str, case: Case | None = None
) -> str:
    """Record that ``fields`` of a person go to ``recipient`` and hand the delivery to the agenda; returns the disclosure's id.

    Raises:
        Refused: when the policy does not allow it; the refusal is on the ledger and nothing leaves.
    """
    case = case or Case()
    with site.writing() as conn:
        compiled = site.policy(conn)
        ask = _ask(site, conn, compiled, person_id, recipient, frozenset(fields), purpose, case)
        decision = compiled.decide(ask)
        if decision.allowed:
            made = _recorded(site, conn, person_id, ask, case)
            _ledgered(site, conn, compiled, ask, decision, made, person_id, events.DISCLOSURE_MADE)
            return made
        _ledgered(site, conn, compiled, ask, decision, "", person_id, events.DISCLOSURE_REFUSED)
    raise Refused(f"This may not be given to `{recipient}`.", decision.reason, decision.because)


def _ask(
    site: Site,
    conn: Connection,
    compiled: Compiled,
    person_id: str,
    recipient: str,
    fields: frozenset[str],
    purpose: str,
    case: Case,
) -> Ask:
    policy = compiled.policy
    facts = vault.facts(site, conn, [person_id], By("system"), site.now()).get(person_id, frozenset())
    if recipient in policy.recipients:
        facts |= facts_of(policy, recipient, site.now().date()) | live_consent(facts, recipient, purpose)
    if case.ground in policy.legal:
        facts |= case.facts(policy.legal[case.ground].needs)
    people = vault.kind_of(conn, person_id) or ""
    return Ask("disclose", purpose, fields, people, recipient, facts)


def _recorded(site: Site, conn: Connection, person_id: str, ask: Ask, case: Case) -> str:
    made = new_id(site.now())
    row = {"person_id": person_id, "recipient": ask.recipient, "purpose": ask.purpose, "case_ref": case.ref}
    named = " ".join(sorted(ask.fields))
    conn.execute(insert(disclosure).values(id=made, **row, fields=named, at=site.now(), state="queued"))
    agenda.put(conn, DELIVER, f"{DELIVER}:{made}", made, due_at=site.now(), at=site.now())
    return made


def _ledgered(
    site: Site,
    conn: Connection,
    compiled: Compiled,
    ask: Ask,
    decision: Decision,
    made: str,
    person_id: str,
    event: str,
) -> None:
    body = {**ledger.decision_body(ask, decision, compiled.version), "person": person_id}
    ledger.append(conn, site.now(), event, {**body, "disclosure": made} if made else body)


def deliver(site: Site, job: agenda.Job) -> None:
    """Deliver one recorded disclosure, unless the policy or the person no longer allows it; the agenda retries failures."""
    with site.writing() as conn:
        row = conn.execute(select(disclosure).where(disclosure.c.id == job.ref)).first()
        if row is None or row.state != "queued":
            return
        payload = _payload(site, conn, row)
        if payload is None:
            conn.execute(update(disclosure).where(disclosure.c.id == job.ref).values(state="refused"))
            return
    if connectors.send(site, row.recipient, "disclosure", job.ref, {"person": row.person_id, "data": payload}):
        _delivered(site, job.ref)


def _payload(site: Site, conn: Connection, row: Row[tuple[object, ...]]) -> Mapping[str, str] | None:
    """The promised fields, read now; None when the policy of now says no."""
    compiled = site.policy(conn)
    asked = row._mapping
    fields = frozenset(str(asked["fields"]).split())
    case = Case(str(asked["case_ref"]))
    purpose, recipient, person_id = str(asked["purpose"]), str(asked["recipient"]), str(asked["person_id"])
    ask = _ask(site, conn, compiled, person_id, recipient, fields, purpose, case)
    decision = compiled.decide(ask)
    if decision.allowed:
        return vault.open_for(site, conn, person_id, fields, decision)
    _ledgered(site, conn, compiled, ask, decision, str(asked["id"]), person_id, events.DISCLOSURE_REFUSED)
    return None


def _delivered(site: Site, made: str) -> None:
    with site.writing() as conn:
        change = {"state": "delivered", "delivered_at": site.now()}
        conn.execute(update(disclosure).where(disclosure.c.id == made, disclosure.c.state == "queued").values(**change))
        ledger.append(conn, site.now(), events.DISCLOSURE_DELIVERED, {"disclosure": made})
