"""Data coming in: checked, decided, sealed and recorded, in one transaction, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import Connection, select
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
from troth.people.tables import holding
from troth.policy.compile import Compiled
from troth.policy.model import CollectionPoint
from troth.policy.rules import one_word
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
    except Refused:  # perhaps the same submission came twice at once, and the other one was quicker
        if not _is_stored(site, submission):
            raise
        return _stored(site, compiled, submission, checked)


def _is_stored(site: Site, submission: Submission) -> bool:
    with site.reading() as conn:
        return _whose(conn, submission) is not None


def _whose(conn: Connection, submission: Submission) -> str | None:
    """Whose submission it was, when one with this key has been stored."""
    query = select(holding.c.person_id).where(holding.c.submission == submission.key).limit(1)
    return conn.execute(query).scalar_one_or_none()


def _stored(site: Site, compiled: Compiled, submission: Submission, checked: rules.Checked) -> Receipt:
    with site.writing() as conn:
        intake = _Intake(site, conn, compiled, submission, checked)
        ask = intake.ask()
        decision = compiled.decide(ask)
        if decision.allowed:
            return intake.take_in(ask, decision)
        body = {**ledger.decision_body(ask, decision, compiled.version), "point": submission.point}
        ledger.append(conn, site.now(), events.COLLECTION_REFUSED, body)
    raise Refused("We may not take this in.", f"{decision.reason[:1].upper()}{decision.reason[1:]}.", decision.because)


@dataclass(frozen=True)
class _Intake:
    """One submission on its way in, inside one transaction."""

    site: Site
    conn: Connection
    compiled: Compiled
    submission: Submission
    checked: rules.Checked

    @property
    def point(self) -> CollectionPoint:
        return self.compiled.policy.collection[self.submission.point]

    @cached_property
    def known(self) -> str | None:
        """The person this is about, when we know them already."""
        if self.submission.member is not None:
            return self.submission.member
        fields = sorted(self.compiled.identifying & self.checked.values.keys())
        found = (vault.find(self.site, self.conn, key, self.checked.values[key]) for key in fields)
        return next(filter(None, found), None)

    def ask(self) -> Ask:
        """The question to the policy; a partner that ``site.yaml`` does not register is no partner."""
        facts = self.checked.facts
        if self.submission.partner and self.submission.partner not in self.site.wiring.partners:
            facts -= {f"partner:{self.submission.partner}"}
        if self.submission.member is not None:
            member = self.submission.member
            theirs = vault.facts(self.site, self.conn, [member], vault.By("person"), self.site.now())
            facts |= {"registered"} & theirs.get(member, frozenset())
        fields = frozenset(self.checked.values)
        return Ask("collect", self.submission.point, fields, self.point.people, facts=facts)

    def take_in(self, ask: Ask, decision: Decision) -> Receipt:
        """Seal and record everything, or find that it was stored before."""
        if stored := _whose(self.conn, self.submission):
            return Receipt(stored, (), None, repeated=True)
        person_id = self.known or vault.admit(self.site, self.conn, self.point.people)
        told = form(self.compiled, self.submission.point, self.submission.language).told_words
        holdings = self._hold(person_id, told)
        self._record_choices(person_id, told)
        opened = self._open_dealings(person_id)
        self._tell_second_hand(holdings[0])
        body = ledger.decision_body(ask, decision, self.compiled.version)
        told_of = {**body, "person": person_id, "source": one_word(self.point.source), "holdings": len(holdings)}
        ledger.append(self.conn, self.site.now(), events.HOLDING_COLLECTED, told_of)
        return Receipt(person_id, tuple(holdings), opened, repeated=False)

    def _hold(self, person_id: str, told: str) -> list[str]:
        return vault.hold(
            self.site,
            self.conn,
            person_id=person_id,
            point=self.submission.point,
            source=self.point.source,
            values=self.checked.values,
            told=consent.remember(self.conn, told, self.submission.language, self.site.now()),
            submission=self.submission.key,
            policy=self.compiled,
            partner=self.submission.partner,
        )

    def _record_choices(self, person_id: str, told: str) -> None:
        """Records the boxes that were ticked; a box left alone is no choice at all."""
        for offered, ticked in self.submission.choices.items():
            if ticked:
                scope = offered if offered in self.compiled.policy.purposes else f"@{offered}"
                consent.record(
                    self.site,
                    self.conn,
                    person_id,
                    scope,
                    "given",
                    words=told,
                    language=self.submission.language,
                    channel=self.submission.point,
                    policy=self.compiled,
                )

    def _open_dealings(self, person_id: str) -> str | None:
        """Opens what the point's purposes need to be open (an order, a ticket), and notes that somebody registered."""
        purposes = self.compiled.policy.purposes
        needed = {need.removeprefix("open ") for key in self.point.for_ for need in purposes[key].needs}
        kinds = sorted(needed & {"order", "request", "ticket"})
        noted = [*kinds, "registration"] if self.point.kind == "account" else kinds
        ref = f"{self.submission.point}:{self.submission.key}"
        for kind in noted or ["contact"]:
            dealings.open_dealing(self.site, self.conn, person_id, kind, ref, self.site.now())
        relationship.refresh(self.site, self.conn, [person_id])
        return kinds[0] if kinds else None

    def _tell_second_hand(self, holding_id: str) -> None:
        """Data that came from somebody else is told to its person (GDPR Art. 14)."""
        if self.submission.partner:
            now = self.site.now()
            agenda.put(self.conn, SECOND_HAND, f"{SECOND_HAND}:{holding_id}", holding_id, due_at=now, at=now)
