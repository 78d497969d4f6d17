"""Replay: every decision on the ledger is asked again under the policy version then in force, and must come out the same.

The ledger keeps the question (act, purpose, fields, facts) with the answer. A row that was forged, a read that was let
through without a purpose, a gate that forgot consent: each is an answer that the policy of its day does not give. A fact
could be forged or left out as well, so what people chose, what was going on with them and what the operator stopped is
gathered on the way, in the ledger's own order, and held against the facts of each decision. An entry that says something was
done and holds no question at all counts as a decision that was never asked for. One pass serves all promises.

A ``Replay`` goes on where it stopped. What it heard cannot have changed: the ledger's triggers refuse that, and whoever gets
round them is found when all is read again (``evidence.prove``) or by ``troth ledger verify``. What was said by a version of
the policy holds as long as that version is as it was; else all is heard again. It keeps the choices and the dealings of people,
who has left, the endings on their way, and what was decided about each disclosure and message, at most some 350 bytes for
each, and nothing for any other entry.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from sys import intern
from time import perf_counter
from typing import Any

from sqlalchemy import BigInteger, Connection, func, select, type_coerce

from troth.batches import batches
from troth.clock import from_micros
from troth.consent.rules import STATES, Choice
from troth.consent.stops.rules import stops_among
from troth.consent.tables import choice
from troth.decide import Ask
from troth.evidence.archive import Archive, Row, archive
from troth.evidence.chosen import CHOICES, Chosen, choices_among
from troth.evidence.confirmed import CONFIRMATIONS, ConfirmedHeard
from troth.evidence.dealt import DEALINGS, DealtHeard, cases_among
from troth.evidence.departed import DEPARTURES, DepartedHeard
from troth.evidence.ended import ENDINGS, EndedHeard
from troth.evidence.entries import ask_of, body_of, is_names, spoken_of, who_asks
from troth.evidence.owed import OwedHeard
from troth.evidence.stopped import STOPS, StopsHeard, under
from troth.evidence.swept import SweptHeard
from troth.ledger import events
from troth.ledger.restored import lost_between
from troth.ledger.tables import entry
from troth.people.proofs import card_like
from troth.people.tables import person
from troth.proof import Heard, Replayed

DECIDED = frozenset(
    {
        events.PERSON_READ,
        events.COUNT_MADE,
        events.HOLDING_COLLECTED,
        events.DISCLOSURE_QUEUED,
        events.DISCLOSURE_MADE,
        events.DISCLOSURE_SHOWN,
        events.MESSAGE_QUEUED,
        events.DECISION_MADE,
    }
)
"""Events of things that are done only after a decision; each entry must hold its question."""
LATE_BY = 3600.0
"""Seconds for which an id that no entry has may still appear: on PostgreSQL a transaction takes its ids before it commits."""
_BATCH = 2_000
_REMEMBERED = 10_000
_GIVEN = frozenset({events.DISCLOSURE_QUEUED, events.DISCLOSURE_MADE})
_OF_PEOPLE = frozenset({"read", "disclose", "send"})


@dataclass(frozen=True, slots=True)
class _Entry:
    id: int
    at: int
    """microseconds since 1970"""
    event: str
    body: Mapping[str, Any]


@dataclass(slots=True)
class _Count:
    decisions: int = 0
    allowed: int = 0
    wrong: int = 0
    first_wrong: int | None = None

    def add(self, decisions: int, allowed: int, wrong: Collection[int]) -> None:
        self.decisions += decisions
        self.allowed += allowed
        self.wrong += len(wrong)
        if wrong and self.first_wrong is None:
            self.first_wrong = min(wrong)

    def frozen(self) -> Replayed:
        return Replayed(self.decisions, self.allowed, self.wrong, self.first_wrong)


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """What is to be said of all decisions with the same question, answer and version."""

    same: bool
    allowed: bool
    about: tuple[str, ...]
    ask: Ask | None
    told: frozenset[str]
    of_somebody: bool
    """it was allowed, about a person: their choices must bear it out"""
    under: tuple[str, ...]
    """it was allowed: the scopes whose stops must bear it out"""
    stops: frozenset[str]
    cases: tuple[str, ...] = ()
    """it was allowed, about a person: the kinds of dealings of which theirs must bear it out"""


@dataclass
class _State:
    """All that was heard: counts, choices, disclosures, versions, and where the ledger was left."""

    versions: tuple[Row, ...] = ()
    last_id: int = 0
    last_at: int = 0
    late: dict[int, float] = field(default_factory=dict)
    """ids below ``last_id`` that no entry has, each with the second in which that was seen"""
    counts: dict[str, _Count] = field(default_factory=lambda: defaultdict(_Count))
    chosen: dict[str, Chosen] = field(default_factory=lambda: defaultdict(Chosen))
    chosen_ids: set[str] = field(default_factory=set)
    stops: StopsHeard = field(default_factory=StopsHeard)
    dealt: DealtHeard = field(default_factory=DealtHeard)
    departed: DepartedHeard = field(default_factory=DepartedHeard)
    confirmed: ConfirmedHeard = field(default_factory=ConfirmedHeard)
    reached: int = 0
    """how often something was let through about somebody who had left every use"""
    disclosed: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    left: dict[str, tuple[tuple[str, str, str], int]] = field(default_factory=dict)
    letters: dict[str, str] = field(default_factory=dict)
    published: dict[int, str] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)
    cards: int = 0
    ended: EndedHeard = field(default_factory=EndedHeard)
    owed: OwedHeard = field(default_factory=OwedHeard)
    swept: SweptHeard = field(default_factory=SweptHeard)
    readers: Counter[tuple[str, str]] = field(default_factory=Counter)
    """how often fields were opened, by who asked and for which purpose"""
    told: dict[tuple[str, str, str], tuple[str, str, str]] = field(default_factory=dict)
    """one of each kind of disclosure, so that those alike share it"""


class Replay:
    """What was heard of one ledger so far."""

    def __init__(self, seconds: Callable[[], float] = perf_counter) -> None:
        self._seconds = seconds
        self._state = _State()

    def heard(self, conn: Connection) -> Heard:
        """Hear what is new; counts by promise id, by ``act:NAME`` and, for all, under ``*``.

        What is returned holds until the next call.
        """
        now = archive(conn)
        if not self._goes_on(conn, now):
            self._state = _State()
        state = self._state
        state.versions = now.rows
        hearing = _Hearing(conn, now, state)
        self._hear_late(conn, hearing)
        columns = (entry.c.id, type_coerce(entry.c.at, BigInteger).label("at"), entry.c.event, entry.c.body)
        query = select(*columns).where(entry.c.id > state.last_id).order_by(entry.c.id)
        for rows in conn.execute(query, execution_options={"yield_per": _BATCH}).partitions():
            self._note_missing(conn, [row.id for row in rows])
            hearing.hear(rows)
        replayed = {name: count.frozen() for name, count in state.counts.items()}
        return Heard(
            replayed,
            state.disclosed,
            state.left,
            state.letters,
            state.chosen_ids,
            state.published,
            state.events,
            state.cards,
            state.ended.ended,
            state.ended.begun,
            state.owed.owed,
            state.readers,
            state.reached,
            state.swept.visits,
        )

    @property
    def waits_for(self) -> int:
        """How many ids below the last one may still appear."""
        return len(self._state.late)

    def _goes_on(self, conn: Connection, now: Archive) -> bool:
        """Whether all that was heard would be heard again: same versions, and a ledger that was not cut off."""
        last = conn.scalar(select(func.max(entry.c.id))) or 0
        return last >= self._state.last_id and now.speaks_as(self._state.versions, self._state.last_at)

    def _note_missing(self, conn: Connection, ids: list[int]) -> None:
        state = self._state
        if conn.dialect.name != "sqlite":  # where there is one writer, ids are in the order of commits
            missing = set(range(state.last_id + 1, ids[-1])) - set(ids)
            state.late |= dict.fromkeys(missing, self._seconds())
        state.last_id = ids[-1]

    def _hear_late(self, conn: Connection, hearing: _Hearing) -> None:
        late = self._state.late
        for id_ in [id_ for id_, seen in late.items() if self._seconds() - seen > LATE_BY]:
            del late[id_]
        columns = (entry.c.id, type_coerce(entry.c.at, BigInteger).label("at"), entry.c.event, entry.c.body)
        for ids in batches(sorted(late), _BATCH):
            which = entry.c.id.in_(ids)
            rows = conn.execute(select(*columns).where(which).order_by(entry.c.id)).all()
            hearing.hear(rows)
            for row in rows:
                del late[row.id]


@dataclass
class _Hearing:
    """One round: entries in, the state brought up to them."""

    conn: Connection
    archive: Archive
    state: _State
    judged: dict[Any, _Judged] = field(default_factory=dict)
    lost: list[tuple[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        self.lost = lost_between(self.conn)

    def hear(self, rows: Sequence[Any]) -> None:
        heard = [_Entry(row.id, row.at, row.event, body_of(row.body)) for row in rows]
        state, forged = self.state, self._forged_choices(heard)
        state.cards += card_like([row.body for row in rows])
        wrong: dict[_Judged, list[int]] = defaultdict(list)
        decisions: Counter[_Judged] = Counter()
        for one in heard:
            state.events[one.event] += 1
            state.last_at = max(state.last_at, one.at)
            if one.event not in CHOICES:
                self._note(one)
            elif one.id not in forged:
                self._choose(one)
            if "ask" in one.body or one.event in DECIDED:
                judged = self._judge(one)
                if not self._right(judged, one):
                    wrong[judged].append(one.id)
                decisions[judged] += 1
        for judged, number in decisions.items():
            if judged.allowed and judged.ask is not None and judged.ask.act == "read":
                state.readers[who_asks(judged.ask), judged.ask.purpose] += number
            for name in judged.about:
                state.counts[name].add(number, number if judged.allowed else 0, wrong.get(judged, ()))

    def _note(self, one: _Entry) -> None:
        """Take in what an entry says of anything but a choice."""
        state = self.state
        if one.event in ENDINGS:
            state.ended.hear(one.event, one.at, one.body, self.lost)
        if one.event == events.ENDING_DESTROYED and is_names(one.body.get("gone")):
            state.owed.gone(str(one.body.get("ending")), one.body["gone"])
        if one.event in STOPS:
            state.stops.hear(self.conn, one.event, one.at, one.body)
        elif one.event in DEALINGS:
            state.dealt.hear(one.event, one.at, one.body, self.lost)
        elif one.event in DEPARTURES:
            state.departed.hear(one.event, one.at, one.body, partial(self.archive.kept_for, at=one.at))
        elif one.event in CONFIRMATIONS:
            state.confirmed.hear(one.event, one.at, one.body, self.lost)
        elif one.event == events.VISIT_SWEPT:
            state.swept.hear(one.at, one.body, self.archive, self.lost)
        elif one.event == events.POLICY_PUBLISHED and isinstance(one.body.get("version"), int):
            state.published[one.body["version"]] = str(one.body.get("digest", ""))

    def _forged_choices(self, heard: list[_Entry]) -> set[int]:
        """Entries that speak of a choice which somebody who is here never made."""
        spoken = {one.id: (one.body.get("person"), one.body.get("choice")) for one in heard if one.event in CHOICES}
        people = {str(person_id) for person_id, _ in spoken.values()}
        if not people:
            return set()
        here = set(self.conn.scalars(select(person.c.id).where(person.c.id.in_(people))))
        made = set(self.conn.scalars(select(choice.c.id).where(choice.c.person_id.in_(here))))
        return {id_ for id_, (person_id, made_id) in spoken.items() if person_id in here and made_id not in made}

    def _choose(self, one: _Entry) -> None:
        body = one.body
        if body.get("state") in STATES:
            made, whose, scope = (str(body.get(name)) for name in ("choice", "person", "scope"))
            state: Any = intern(body["state"])
            channel = intern(str(body.get("channel")))
            self.state.chosen[whose].add(Choice(made, "", intern(scope), state, from_micros(one.at), "", channel, 0))
            self.state.chosen_ids.add(made)

    def _judge(self, one: _Entry) -> _Judged:
        """What the version of that day says; worked out once for all that are alike."""
        body = one.body
        version = body.get("version")
        number = version if self.archive.was_in_force(version, one.at) else None
        key = (
            one.event in DECIDED,
            body.get("allowed") is True,
            number,
            repr(body.get("because")),
            repr(body.get("ask")),
        )
        judged = self.judged.get(key)
        if judged is None:
            if len(self.judged) >= _REMEMBERED:
                self.judged.clear()
            judged = self.judged[key] = self._judged(one, number)
        return judged

    def _judged(self, one: _Entry, version: int | None) -> _Judged:
        ask = ask_of(one.body.get("ask"))
        again = self.archive.decide(version, ask) if version is not None and ask else None
        allowed = one.body.get("allowed") is True or one.event in DECIDED
        same = again is not None and again.allowed == allowed and list(again.because) == one.body.get("because")
        about = spoken_of(ask, one.body, again.because if again else ())
        of_somebody = allowed and ask is not None and ask.act in _OF_PEOPLE
        facts, scopes = (ask.facts, under(ask) if allowed else ()) if ask else (frozenset[str](), ())
        chosen, cases = choices_among(facts), cases_among(facts) if of_somebody else ()
        return _Judged(same, allowed, tuple(about), ask, chosen, of_somebody, scopes, stops_among(facts), cases)

    def _give(self, ask: Ask, one: _Entry) -> None:
        """What was decided of a disclosure: when it was asked for, and last when it left."""
        state, made = self.state, str(one.body.get("disclosure"))
        what = ask.recipient, ask.purpose, " ".join(sorted(ask.fields))
        told = state.told.setdefault(what, what)
        if one.event == events.DISCLOSURE_QUEUED:
            state.disclosed[made] = told
        else:
            state.left[made] = told, one.at
            if isinstance(one.body.get("person"), str):
                state.owed.left(intern(one.body["person"]), told[0], told[1], one.at, self.lost)

    def _right(self, judged: _Judged, one: _Entry) -> bool:
        ask = judged.ask
        if ask and one.event in _GIVEN:
            self._give(ask, one)
        if ask and one.event == events.MESSAGE_QUEUED and "message" in one.body:
            self.state.letters[str(one.body["message"])] = intern(ask.recipient)
        if judged.same and judged.under and not self.state.stops.bear_out(judged.under, judged.stops, one.at):
            return False
        if not judged.same or not judged.of_somebody or "person" not in one.body:
            return judged.same
        if not self.state.departed.bear_out(str(one.body["person"]), ask.purpose if ask else "", one.at):
            self.state.reached += 1
            return False
        if judged.cases and not self.state.dealt.bear_out(str(one.body["person"]), judged.cases, one.at):
            return False
        whose = str(one.body["person"])
        chosen = self.state.chosen.get(whose)
        unsure = self.state.confirmed.unconfirmed(whose, one.at, self.lost)
        return chosen.bear_out(judged.told, one.at, unsure) if chosen else not judged.told
