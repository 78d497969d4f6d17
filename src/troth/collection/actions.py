"""Data coming in: checked, decided, sealed and recorded, in one transaction, or not at all."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from troth import agenda, ledger
from troth.collection import rules
from troth.collection.forms import form
from troth.collection.rules import Submission
from troth.consent import actions as consent
from troth.decide import Ask, Decision
from troth.errors import InvalidInput, Refused
from troth.ledger import events
from troth.people import dealings, vault
from troth.policy.compile import Compiled
from troth.retention import relationship
from troth.store.site import Site

SECOND_HAND = "tell:second-hand"


@dataclass(frozen=True)
class Receipt:
    """What came of a submission. ``opened`` names the dealing it began; ``repeated`` that it had been stored before."""

    person_id: str
    holdings: tuple[str, ...]
    opened: str | None
    repeated: bool


def collect(site: Site, submission: Submission) -> Receipt:
    """Take in ``submission`` at its collection point.

    Raises:
        InvalidInput: the point is unknown, or fields are missing, undeclared or not what they should be.
        Refused: the policy does not allow it (an unregistered partner, an unlisted source, somebody too young).
        StoreError: a store is locked, full or missing. In every case nothing was stored.
    """
    compiled = site.policy()
    if submission.point not in compiled.policy.collection:
        raise InvalidInput(
            "There is no such collection point.", hint="The policy lists the places where data comes in."
        )
    checked = rules.check(compiled, submission, site.now())
    if checked.problems:
        raise InvalidInput("Some answers need your attention. Nothing was stored.", dict(checked.problems))
    try:
        return _stored(site, compiled, submission, checked)
    except IntegrityError:  # somebody else admitted the same person a moment ago: now they can be found
        return _stored(site, compiled, submission, checked)


def _stored(site: Site, compiled: Compiled, submission: Submission, checked: rules.Checked) -> Receipt:
    with site.writing() as conn:
        known = _known_person(site, conn, compiled, submission, checked)
        ask = _ask(site, conn, compiled, submission, checked, known)
        decision = compiled.decide(ask)
        if decision.allowed:
            return _taken_in(site, conn, compiled, submission, checked, known, decision)
        body = {**ledger.decision_body(ask, decision, compiled.version), "point": submission.point}
        ledger.append(conn, site.now(), events.COLLECTION_REFUSED, body)
    raise Refused("We may not take this in.", decision.reason, decision.because)


def _ask(
    site: Site, conn: Connection, compiled: Compiled, submission: Submission, checked: rules.Checked, known: str | None
) -> Ask:
    point = compiled.policy.collection[submission.point]
    facts = checked.facts
    if submission.partner and submission.partner not in site.wiring.partners:
        facts -= {f"partner:{submission.partner}"}
    if submission.member is not None and submission.member == known:
        facts |= {"registered"} & vault.facts(site, conn, [known], vault.By("person"), site.now())[known]
    return Ask("collect", submission.point, frozenset(checked.values), point.people, facts=facts)


def _known_person(
    site: Site, conn: Connection, compiled: Compiled, submission: Submission, checked: rules.Checked
) -> str | None:
    if submission.member is not None:
        return submission.member
    for key in sorted(compiled.identifying & checked.values.keys()):
        if found := vault.find(site, conn, key, checked.values[key]):
            return found
    return None


def _taken_in(
    site: Site,
    conn: Connection,
    compiled: Compiled,
    submission: Submission,
    checked: rules.Checked,
    known: str | None,
    decision: Decision,
) -> Receipt:
    point = compiled.policy.collection[submission.point]
    person_id = known or vault.admit(site, conn, point.people)
    told = form(compiled, submission.point, submission.language).told_words
    shown = consent.remember(conn, told, submission.language, site.now())
    holdings = vault.hold(
        site,
        conn,
        person_id=person_id,
        point=submission.point,
        source=point.source,
        values=checked.values,
        told=shown,
        submission=submission.key,
        policy=compiled,
        partner=submission.partner,
    )
    if not holdings:
        return Receipt(person_id, (), None, repeated=True)
    _choices(site, conn, compiled, submission, person_id, told)
    opened = _dealing(site, conn, compiled, submission, person_id)
    if submission.partner:
        agenda.put(conn, SECOND_HAND, f"{SECOND_HAND}:{holdings[0]}", holdings[0], due_at=site.now(), at=site.now())
    _ledgered(site, conn, compiled, submission, checked, person_id, decision)
    return Receipt(person_id, tuple(holdings), opened, repeated=False)


def _choices(
    site: Site, conn: Connection, compiled: Compiled, submission: Submission, person_id: str, told: str
) -> None:
    """Records the boxes that were ticked; a box left alone is no choice at all."""
    for scope, ticked in submission.choices.items():
        if ticked:
            scoped = scope if scope in compiled.policy.purposes else f"@{scope}"
            consent.record(
                site, conn, person_id, scoped, "given", told, submission.language, submission.point, compiled
            )


def _dealing(site: Site, conn: Connection, compiled: Compiled, submission: Submission, person_id: str) -> str | None:
    """Opens what the point's purposes need to be open (an order, a ticket), and notes that somebody registered."""
    point = compiled.policy.collection[submission.point]
    needed = {need.removeprefix("open ") for key in point.for_ for need in compiled.policy.purposes[key].needs}
    kinds = sorted(needed & {"order", "request", "ticket"})
    if point.kind == "account":
        kinds.append("registration")
    for kind in kinds or ["contact"]:
        dealings.open_dealing(site, conn, person_id, kind, f"{submission.point}:{submission.key}", site.now())
    relationship.refresh(site, conn, [person_id])
    return kinds[0] if kinds else None


def _ledgered(
    site: Site,
    conn: Connection,
    compiled: Compiled,
    submission: Submission,
    checked: rules.Checked,
    person_id: str,
    decision: Decision,
) -> None:
    point = compiled.policy.collection[submission.point]
    ask = Ask("collect", submission.point, frozenset(checked.values), point.people, facts=checked.facts)
    body = {**ledger.decision_body(ask, decision, compiled.version), "person": person_id, "source": point.source}
    ledger.append(conn, site.now(), events.HOLDING_COLLECTED, body)
