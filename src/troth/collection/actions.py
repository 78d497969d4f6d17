"""Data coming in: checked, decided, sealed and recorded, in one transaction, or not at all.

What could go wrong: a form that is sent twice is stored twice; two forms of one new person make two people; half a submission,
such as a consent without the words that were shown; data of a partner nobody registered, told as if the person had given it.
So whoever brings the same submission or the same identifier waits for the one who came first and then finds what it stored;
everything of a submission is one transaction; and what is permitted is decided over an origin that is established here, never
taken from a form.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from sqlalchemy import Connection, bindparam, null, select, update

from troth import agenda, ledger
from troth.collection import rules
from troth.collection.forms import form
from troth.collection.rules import Submission
from troth.consent import actions as consent
from troth.decide import Ask, Decision
from troth.errors import InvalidInput, Refused
from troth.ledger import events
from troth.people import dealings, vault
from troth.people.blind import blind, normalised
from troth.people.tables import holding, person, shape
from troth.policy.compile import Compiled
from troth.policy.model import CollectionPoint
from troth.policy.rules import BARRED, OWN_ACCESS, one_word
from troth.retention import relationship
from troth.store.prepared import Prepared
from troth.store.secret import read_ring
from troth.store.site import Site
from troth.store.turns import take_turns

SECOND_HAND = "tell:second-hand"

_OF_SUBMISSION = Prepared(
    select(holding.c.id, holding.c.person_id, shape.c.point)
    .join(shape, shape.c.id == holding.c.shape_id)
    .where(holding.c.submission == bindparam("submission"))
    .order_by(holding.c.id)
)
_BECOMING = Prepared(
    update(person)
    .where(person.c.id == bindparam("person_id"), person.c.kind != bindparam("people"))
    .values(kind=bindparam("people"), relationship_ends_at=null())
)
"""Whoever asked us something once and now registers or orders has become a customer (or whom the point is for). When business
with them ends is reckoned anew: what was on record is the end of another kind of business."""


@dataclass(frozen=True)
class Receipt:
    """What came of a submission.

    Attributes:
        person_id: who it is about, admitted now or known before.
        holdings: the ids of what is held of it, one for each set of fields that ends by clocks of its own.
        opened: the order, request, ticket, application or project it opened, if any.
        case: the reference of that dealing, to be given to ``vault.read(..., case=...)`` and to the gate.
        repeated: whether the same submission had been stored before, so that nothing was done now.
    """

    person_id: str
    holdings: tuple[str, ...]
    opened: str | None
    case: str | None
    repeated: bool


def collect(site: Site, submission: Submission) -> Receipt:
    """Take in ``submission`` at its collection point, whole; the same ``key`` twice is stored once.

    Raises:
        InvalidInput: the point is unknown, or answers are missing, undeclared or not what they should be; ``problems`` says
            for each what is wrong with it, and repeats no value.
        Refused: the policy does not allow it (an unregistered partner, an unlisted source, nobody registered at a point for
            members, somebody too young); the refusal is on the ledger.
        StoreError: a store is locked, full or missing, or the site key is. In every case nothing was stored.
    """
    checked = _checked(site, site.policy(), submission)
    with site.writing(in_pipeline=True) as conn:
        came = _taken_in(site, conn, submission, *checked)
    return _received(came)


def collect_in(site: Site, conn: Connection, submission: Submission) -> Receipt:
    """As ``collect``, in the caller's transaction, which may hold other acts; a refusal is on the ledger if it is committed."""
    return _received(_taken_in(site, conn, submission, *_checked(site, site.policy(conn), submission)))


def _checked(site: Site, compiled: Compiled, submission: Submission) -> tuple[Compiled, rules.Checked]:
    if submission.point not in compiled.policy.collection:
        raise InvalidInput(
            "There is no such collection point.", hint="The policy lists the places where data comes in."
        )
    checked = rules.check(compiled, submission, site.now())
    if checked.problems:
        raise InvalidInput("Some answers need your attention. Nothing was stored.", dict(checked.problems))
    return compiled, checked


def _taken_in(
    site: Site, conn: Connection, submission: Submission, compiled: Compiled, checked: rules.Checked
) -> Receipt | Decision:
    """The receipt; the decision when it refuses."""
    intake = _Intake(site, conn, compiled, submission, checked, site.now())
    take_turns(conn, f"submission:{submission.key}", *intake.marks())
    if stored := intake.stored_before():
        return stored
    ask = intake.ask()
    decision = compiled.decide(ask)
    if decision.allowed:
        return intake.take_in(ask, decision)
    body = {**ledger.decision_body(ask, decision, compiled.version), "point": submission.point}
    ledger.append(conn, intake.now, events.COLLECTION_REFUSED, body)
    return decision


def _received(came: Receipt | Decision) -> Receipt:
    if isinstance(came, Receipt):
        return came
    raise Refused("We may not take this in.", f"{came.reason[:1].upper()}{came.reason[1:]}.", came.because)


def stored_of(conn: Connection, submission: Submission) -> tuple[set[str], set[str]]:
    """What is held of a submission that came before: its fields, and the scopes that its person ever agreed to at its point."""
    mine = (holding.c.submission == submission.key) & (shape.c.point == submission.point)
    of_it = select(holding.c.person_id, shape.c.fields).join(shape, shape.c.id == holding.c.shape_id).where(mine)
    rows = conn.execute(of_it).all()
    fields = {field for row in rows for field in row.fields.split()}
    made = consent.histories(conn, {row.person_id for row in rows}).values()
    agreed = {one.scope.removeprefix("@") for each in made for one in each if one.state == "given"}
    return fields, agreed


@dataclass(frozen=True)
class _Intake:
    """One submission on its way in, inside one transaction, at one instant."""

    site: Site
    conn: Connection
    compiled: Compiled
    submission: Submission
    checked: rules.Checked
    now: datetime

    @property
    def point(self) -> CollectionPoint:
        return self.compiled.policy.collection[self.submission.point]

    def marks(self) -> Iterator[str]:
        """What the person of this submission is found by, as marks that say nothing about them."""
        if self.submission.member is not None:
            yield f"person:{self.submission.member}"
            return
        for field, mark in self._identifying.items():
            yield f"{field}:{mark.hex()}"

    @cached_property
    def _identifying(self) -> dict[str, bytes]:
        """The blind marks of the identifying fields that were given, in order."""
        values, index = self.checked.values, read_ring(self.site).index
        fields = sorted(self.compiled.identifying & values.keys())
        return {field: blind(index, field, normalised(self.compiled, field, values[field])) for field in fields}

    def stored_before(self) -> Receipt | None:
        """The receipt of this submission, when one with its key is held.

        Raises:
            InvalidInput: when the key is that of a submission to another point.
        """
        rows = _OF_SUBMISSION.rows(self.conn, {"submission": self.submission.key})
        if not rows:
            return None
        if any(point != self.submission.point for _, _, point in rows):
            raise InvalidInput(
                "This key is that of another submission.", hint="Every submission needs a key of its own."
            )
        return self._receipt(rows[0][1], [id_ for id_, _, _ in rows], repeated=True)

    def _receipt(self, person_id: str, holdings: list[str], *, repeated: bool) -> Receipt:
        opened = self._opens()
        return Receipt(person_id, tuple(holdings), opened, self._ref() if opened else None, repeated)

    def ask(self) -> Ask:
        """The question to the policy; of a partner that ``site.yaml`` does not register, no source is stated."""
        facts = self.checked.facts
        if self.submission.partner is not None and self.submission.partner not in self.site.wiring.partners:
            facts = frozenset(fact for fact in facts if not fact.startswith(("partner:", "source:")))
        if self.submission.member is not None:
            facts |= self._of_member(self.submission.member)
        return Ask("collect", self.submission.point, frozenset(self.checked.values), self.point.people, facts=facts)

    def _of_member(self, member: str) -> frozenset[str]:
        """``registered`` and what they have open, or ``barred`` when whoever claims to be logged in is unknown or gone."""
        by = vault.By("person", ref=member)
        told = vault.facts(self.site, self.conn, [member], by, self.now, purpose=OWN_ACCESS, policy=self.compiled)
        return frozenset(fact for fact in told[member] if fact in {"registered", BARRED} or fact.startswith("case:"))

    def take_in(self, ask: Ask, decision: Decision) -> Receipt:
        """Seal and record everything; what the ledger is told of it is written together."""
        person_id, told = self._person()
        words, digest = self._words()
        holdings = self._hold(person_id, digest)
        told += self._choices(person_id, words, digest)
        told += self._open_dealings(person_id)
        self._tell_second_hand()
        body = ledger.decision_body(ask, decision, self.compiled.version)
        source = {"source": one_word(self.point.source), "holdings": len(holdings)}
        told.append((events.HOLDING_COLLECTED, {**body, "person": person_id, **source}))
        ledger.append_all(self.conn, self.now, told)
        return self._receipt(person_id, holdings, repeated=False)

    def _person(self) -> tuple[str, list[ledger.Told]]:
        """Whoever is logged in or found by what they gave; otherwise somebody new, of whom the ledger must be told."""
        found = (vault.found(self.conn, field, mark) for field, mark in self._identifying.items())
        known = self.submission.member or next(filter(None, found), None)
        if known is None:
            [made], told = vault.admitted(self.site, self.conn, self.point.people)
            return made, told
        if self.point.kind == "account" or self._opens() == "order":
            _BECOMING.send(self.conn, {"person_id": known, "people": self.point.people})
        return known, []

    def _words(self) -> tuple[str, str]:
        """What everybody is shown at this form, and its digest, under which it is kept."""
        point, language = self.submission.point, self.submission.language
        words = self.compiled.once(("told", point, language), lambda: form(self.compiled, point, language).told_words)
        return words, consent.remember(self.conn, words, language, self.now)

    def _hold(self, person_id: str, told: str) -> list[str]:
        return vault.hold(
            self.site,
            self.conn,
            person_id=person_id,
            point=self.submission.point,
            source=self.point.source,
            values=self.checked.values,
            told=told,
            submission=self.submission.key,
            policy=self.compiled,
            partner=self.submission.partner,
        )

    def _choices(self, person_id: str, words: str, digest: str) -> list[ledger.Told]:
        """Records the boxes that were ticked; a box left alone is no choice at all."""
        ticked = [scope for scope, made in self.submission.choices.items() if made]
        scopes = (scope if scope in self.compiled.policy.purposes else f"@{scope}" for scope in ticked)
        return consent.choose(
            self.site,
            self.conn,
            [consent.Choosing(person_id, scope, "given") for scope in scopes],
            words=words,
            language=self.submission.language,
            channel=self.submission.point,
            policy=self.compiled,
            digest=digest,
        )

    def _opens(self) -> str | None:
        """What a submission begins, as the policy says of its point."""
        return None if self.point.opens == "none" else self.point.opens

    def _ref(self) -> str:
        return rules.case_ref(self.submission.point, self.submission.key)

    def _open_dealings(self, person_id: str) -> list[ledger.Told]:
        """Opens what the submission begins, and notes that somebody registered, or was in contact."""
        if self.point.kind == "visit":  # a look at a page is neither
            return []
        opened = self._opens()
        kinds = ([opened] if opened else []) + (["registration"] if self.point.kind == "account" else [])
        named = kinds or ["contact"]
        _, told = dealings.open_dealings(self.site, self.conn, person_id, named, self._ref(), self.now)
        relationship.refresh(self.site, self.conn, [person_id], self.compiled)
        return told

    def _tell_second_hand(self) -> None:
        """Data that came from somebody else is told to its person (GDPR Art. 14): of the submission, however it is parted."""
        if self.submission.partner is not None:
            ref = self.submission.key
            agenda.put(self.conn, SECOND_HAND, f"{SECOND_HAND}:{ref}", ref, due_at=self.now, at=self.now)
