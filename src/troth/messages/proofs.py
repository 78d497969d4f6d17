"""Proofs about telling people: of changes, early enough, everybody who was there, by every way that is named; and of data about
them that somebody else handed in.

Each change is held to what the version in force when it was published had promised, since that is what people were told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from typing import Any

from sqlalchemy import BigInteger, Select, and_, case, distinct, func, literal, or_, select, type_coerce
from sqlalchemy.sql.elements import ColumnElement

from troth.agenda.tables import job
from troth.bindings import WALKED, proves
from troth.clock import DAY
from troth.collection.actions import SECOND_HAND, collect
from troth.collection.forms import of_change
from troth.collection.proofs import held_of, imports_refused, nameless
from troth.consent.tables import shown
from troth.messages.actions import DELIVER, deliver, tell_second_hand
from troth.messages.changing import Round, remind, tell
from troth.messages.posting import announced, on_pages, posted
from troth.messages.publish import publish
from troth.messages.tables import message as letter
from troth.people.tables import holding, person, shape
from troth.policy.announced import Announced
from troth.policy.compile import Compiled
from troth.policy.diff import lead_of
from troth.policy.model import Changes
from troth.policy.notice.language import Speaker, language
from troth.policy.promises import Promise
from troth.proof import Named, Proof, Proving, Some, Words
from troth.store import versions
from troth.verdicts import Verdict

_UNDER_WAY = timedelta(minutes=1)
"""for what was sent in just before a version was published, and is stored just after"""


@proves(
    "change.notice",
    covers=("lead time", "told by", "remind every", "posted before"),
    enforced_by=(publish, announced, tell, remind),
    rests_on={
        **WALKED,
        **dict.fromkeys(("policy_version", "message", "posting", "person", "holding", "shown", "job"), ""),
    },
    keys={
        "changes.told by": tell,
        "changes.lead time": lead_of,
        "changes.posted before": lead_of,
        "changes.remind every": remind,
        "changes.disagree": tell,
    },
)
def change(proving: Proving, promise: Promise) -> Proof:
    """Each version after the first: early enough, on the pages, to everybody's address, with its reminders, at each door."""
    lead = lead_of(proving.compiled.policy)
    limit = proving.say("told before it takes effect")
    if lead:
        limit = proving.say("told {lead} before it takes effect", lead=lead)
    changes = versions.announced(proving.conn)
    if not changes:
        return proving.nothing_yet("query", limit, "no version has followed another so far")
    made = Some(len(changes), "change")
    late = sum(one.effective_at < _no_sooner(proving, one) for one in changes)
    if late:
        return proving.counted(late, made, limit, "{wrong} told too late")
    looked = [(one, list(_Telling(proving, one).ways())) for one in changes]
    one, found = min(reversed(looked), key=lambda pair: _worst(pair[1]))
    worst = _RANKS[_worst(found)]
    told = [way.measured for way in found if way.verdict == worst]
    if not told:
        return proving.counted(0, made, limit, "{wrong} told too late")
    which = proving.both(proving.say("version {number}", number=one.version), proving.say("{all} looked at", all=made))
    return Proof(worst, "query", limit, reduce(proving.both, told), which)


_RANKS: tuple[Verdict, ...] = ("broken", "not proven", "kept")


@dataclass(frozen=True, slots=True)
class _Way:
    """What came of one way of telling people of one change."""

    verdict: Verdict
    measured: Words


def _worst(found: list[_Way]) -> int:
    return min((_RANKS.index(way.verdict) for way in found), default=_RANKS.index("kept"))


def _promised(proving: Proving, one: Announced) -> Compiled | None:
    """The version that was in force when a change was published: what it says of changes binds this one."""
    return proving.in_force(one.published_at) or proving.version(one.before)


def _no_sooner(proving: Proving, one: Announced) -> datetime:
    """When a change could take effect, as was promised when it was published."""
    compiled = _promised(proving, one)
    lead = lead_of(compiled.policy) if compiled else None
    return compiled.calendar.end(one.published_at, lead, floor=True) if compiled and lead else one.published_at


@dataclass(frozen=True)
class _Telling:
    """One change: who had to be told of it, and how it went."""

    proving: Proving
    change: Announced

    def ways(self) -> Iterator[_Way]:
        """Each way that was promised, in the order in which people are told."""
        compiled = _promised(self.proving, self.change)
        changes = compiled.policy.changes if compiled else None
        if compiled is None or changes is None:
            return
        by = self._by(compiled)
        if on_pages(compiled.policy) or (changes.told_by and changes.posted_before):
            yield self._pages(by)
        if "e-mail" in changes.told_by:
            yield self._mail(by, alone=not on_pages(compiled.policy))
        if changes.remind_every is not None:
            yield from self._reminders(changes)
        if changes.told_by:
            yield from self._doors(compiled)

    def _by(self, compiled: Compiled) -> datetime:
        """By when people had to know: the promised time before it takes effect; at the latest when it does."""
        lead = lead_of(compiled.policy)
        if lead:
            return compiled.calendar.cutoff(self.change.effective_at, lead, floor=True)
        return max(self.change.effective_at, self.change.published_at + DAY)

    def _pages(self, by: datetime) -> _Way:
        proving, canary = self.proving, self.proving.canary
        at = proving.once(_posted).get(self.change.version)
        if at is None and proving.now <= by:
            return _Way("not proven", proving.say("no page has told of it so far"))
        if at is None or at > by:
            return _Way("broken", proving.say("no page told of it in time"))
        looked = canary.at is not None and canary.at >= at and self.change in proving.compiled.announced(canary.at)
        if looked and "changes" in canary.failed:
            return _Way("broken", proving.say(canary.failed["changes"]))
        first = proving.say("on our pages {after} after it was published", after=at - self.change.published_at)
        if not (looked and "changes" in canary.steps and canary.at):
            return _Way("kept", first)
        seen = proving.say("found on each of them {age} ago", age=proving.now - canary.at)
        return _Way("kept", proving.both(first, seen))

    def _mail(self, by: datetime, *, alone: bool) -> _Way:
        """``alone`` when there is no other way, so that whoever has no address that works was not told at all.

        Letters of which none arrived are no way of telling people, whatever the pages say.
        """
        proving, sent = self.proving, self._sent(Round(self.change.version), self.change.published_at, by)
        waiting = Some(sent.waiting, "person")
        if sent.late:
            return _Way("broken", proving.say("{wrong} written to too late", wrong=Some(sent.late, "person")))
        if sent.waiting and proving.now > by:
            return _Way("broken", proving.say("{some} not written to in time", some=waiting))
        if sent.waiting:
            return _Way("not proven", proving.say("{some} still to be written to", some=waiting))
        unreached = sent.failed + (sent.excluded if not sent.sent else 0)
        if (unreached and alone) or (sent.failed and not sent.sent):
            return _Way("not proven", proving.say("{some} could not be reached", some=Some(unreached, "person")))
        return _Way("kept", self._written(sent))

    def _written(self, sent: _Sent) -> Words:
        """How many were written to, and when the first and the last."""
        proving, since = self.proving, self.change.published_at
        others = Some(sent.excluded + sent.failed, "person")
        if sent.first is None or sent.last is None:
            left = proving.say("{some} whom mail may not or cannot reach", some=others)
            return left if others.number else proving.say("nobody had to be written to")
        said = proving.say(
            "{told} written to, the first {first} and the last {last} after it was published",
            told=Some(sent.sent, "person"),
            first=sent.first - since,
            last=sent.last - since,
        )
        rest = proving.say("{some} whom mail may not or cannot reach", some=others)
        return proving.both(said, rest) if others.number else said

    def _reminders(self, changes: Changes) -> Iterator[_Way]:
        assert changes.remind_every is not None
        due = [at for at in self.change.reminders(changes.remind_every) if at <= self.proving.now]
        sent = [self._sent(Round(self.change.version, str(nth)), at, at + DAY) for nth, at in enumerate(due, start=1)]
        late = sum(
            one.late + (one.waiting if self.proving.now > at + DAY else 0) for at, one in zip(due, sent, strict=True)
        )
        waiting = sum(one.waiting for one in sent)
        if late:
            yield _Way("broken", self.proving.say("{wrong} late or not sent", wrong=Some(late, "reminder")))
        elif waiting:
            yield _Way("not proven", self.proving.say("{some} still to be sent", some=Some(waiting, "reminder")))
        elif due and not any(one.sent for one in sent) and any(one.excluded + one.failed for one in sent):
            yield _Way("not proven", self.proving.say("no reminder reached anybody"))
        elif due:
            done = Some(sum(one.sent for one in sent), "reminder")
            yield _Way("kept", self.proving.say("{some} sent, each when it was due", some=done))

    def _sent(self, round_: Round, since: datetime, by: datetime) -> _Sent:
        """How the messages of a round fared to those who were here at an instant and still are."""
        theirs = literal(round_.key("@").partition("@")[0]) + person.c.id + literal(round_.key("@").partition("@")[2])
        sent = letter.c.state == "sent"
        query = select(
            _number(sent),
            _number(letter.c.state == "refused"),
            _number(letter.c.state == "failed"),
            _number(or_(letter.c.id.is_(None), letter.c.state == "queued")),
            _number(and_(sent, letter.c.sent_at > by)),
            func.min(letter.c.sent_at),
            func.max(letter.c.sent_at),
        ).select_from(person.outerjoin(letter, letter.c.key == theirs))
        here = (person.c.state == "active") & (person.c.since <= since)
        return _Sent(*self.proving.conn.execute(query.where(here)).one())

    def _doors(self, compiled: Compiled) -> Iterator[_Way]:
        """Whoever came in between publishing and effect: the words that they were shown said that the policy changes."""
        until = min(self.change.effective_at, self.proving.now)
        came = and_(holding.c.at > self.change.published_at + _UNDER_WAY, holding.c.at < until)
        new = and_(came, holding.c.partner.is_(None), person.c.since > self.change.published_at + _UNDER_WAY)
        lines = [
            of_change(Speaker(compiled.policy, language(tag)), self.change) for tag in compiled.policy.policy.languages
        ]
        told = select(shown.c.digest).where(or_(*(shown.c.words.contains(line, autoescape=True) for line in lines)))
        people = select(func.count(distinct(person.c.id))).select_from(
            holding.join(person, person.c.id == holding.c.person_id)
        )
        total = self.proving.conn.scalar(people.where(new)) or 0
        untold = self.proving.conn.scalar(people.where(new, holding.c.told.not_in(told))) or 0
        if untold:
            some = Some(untold, "person")
            yield _Way("broken", self.proving.say("{some} not told at the form they came in by", some=some))
        elif total:
            some = Some(total, "person")
            yield _Way("kept", self.proving.say("{some} told at the form they came in by", some=some))


@dataclass(frozen=True, slots=True)
class _Sent:
    """People by what became of their message; ``first`` and ``last`` are when messages left."""

    sent: int
    excluded: int
    failed: int
    waiting: int
    late: int
    first: datetime | None
    last: datetime | None


def letters(proving: Proving) -> tuple[Counter[str], Counter[str]]:
    """How many messages of each class wait, left or failed, and how many of these nobody decided to send; through ``once``."""
    there, undecided = Counter[str](), Counter[str]()
    query = select(letter.c.id, letter.c["class"].label("name")).where(letter.c.state != "refused")
    for rows in proving.conn.execute(query, execution_options={"yield_per": 2_000}).partitions():
        there.update(row.name for row in rows)
        undecided.update(row.name for row in rows if proving.heard.letters.get(row.id) != row.name)
    return there, undecided


def _number(which: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count().filter(which)


def _posted(proving: Proving) -> dict[int, datetime]:
    return dict(posted(proving.conn))


TOLD_WITHIN = timedelta(days=28)
"""for which a notice that data came from somebody else may wait: a month at the latest (GDPR Art. 14(3))"""


@proves(
    "collection.import",
    covers=("required", "optional", "source", "partners"),
    enforced_by=(collect, tell_second_hand, deliver),
    rests_on={"policy_version": "", "holding": "", "shape": "point", "quarantined": "", "message": "", "job": ""},
)
def partner(proving: Proving, promise: Promise) -> Proof:
    """What partners supplied names a partner of its version, and a notice of it was sent to the person in time, or waits."""
    key = promise.path[1]
    partners = proving.compiled.policy.collection[key].partners
    limit = proving.say("only from {partners}, and the person is told", partners=Named("recipients", partners))
    if not partners:
        limit = proving.say("from nobody")
    held, strange = held_of(proving, key)
    if strange:
        return proving.counted(strange, held, limit, "{wrong} with other fields, or from another source")
    without = nameless(proving, key)
    if without:
        return proving.counted(without, held, limit, "{wrong} from nobody whom the policy names")
    if not held.number and not partners:
        return proving.constructed(limit, imports_refused)
    return _told_of(proving, key, limit)


IN_TIME, TOO_LATE, UNSURE, NOBODY = range(4)
"""what became of the notice of a submission; of several letters the first of these counts"""
_SAID_WRONG = {
    NOBODY: "{wrong} of which nobody told the person",
    TOO_LATE: "{wrong} of which the person was told too late",
}
_TOLD_MICROS = TOLD_WITHIN // timedelta(microseconds=1)


def _told_of(proving: Proving, key: str, limit: str) -> Proof:
    """Whether the person of each submission was told in time, or may still be; else the promise is broken.

    Of a letter that a server refused, or that was tried and never came to an end, nobody knows whether its person was told.
    """
    query = _settled(key, proving.now - TOLD_WITHIN)
    found = {state: int(number) for state, number in proving.conn.execute(query)}
    of = Some(sum(found.values()), "submission")
    wrong = [proving.say(said, wrong=Some(found[one], of.thing)) for one, said in _SAID_WRONG.items() if found.get(one)]
    looked = proving.say("{all} looked at", all=of)
    if wrong:
        return Proof("broken", "query", limit, reduce(proving.both, wrong), looked)
    if found.get(UNSURE):
        some = proving.say("{some} of which nothing shows that the person was told", some=Some(found[UNSURE], of.thing))
        return Proof("not proven", "query", limit, some, looked)
    return proving.counted(0, of, limit, "{wrong} of which nobody told the person")


def _settled(point: str, since: datetime) -> Select[int, int]:
    """How many submissions came in at ``point``, by what became of the notice; one may wait if it came after ``since``.

    That a job for it was done shows nothing: only a letter that left does. One that waits has a job that is open. Both are
    known by the submission; those of an earlier version by the first of its parts.
    """
    asking, leaving = job.alias(), job.alias()
    here = holding.join(shape, shape.c.id == holding.c.shape_id)
    keys = [literal(f"{SECOND_HAND}:") + column for column in (holding.c.submission, holding.c.id)]
    mine = and_(letter.c.key.in_(keys), letter.c.person_id == holding.c.person_id)
    there = here.outerjoin(letter, mine).outerjoin(asking, asking.c.key.in_(keys))
    there = there.outerjoin(leaving, leaving.c.key == literal(f"{DELIVER}:") + letter.c.id)
    goes_on = and_(letter.c.state == "queued", leaving.c.id.is_not(None), leaving.c.done_at.is_(None))
    waits = or_(and_(letter.c.id.is_(None), asking.c.id.is_not(None), asking.c.done_at.is_(None)), goes_on)
    sent, after = letter.c.state == "sent", _micros(letter.c.sent_at) - _micros(holding.c.at)
    state = case(
        (or_(and_(sent, after <= _TOLD_MICROS), and_(holding.c.at > since, waits)), IN_TIME),
        (and_(sent, after > _TOLD_MICROS), TOO_LATE),
        (or_(sent, letter.c.state == "failed", and_(goes_on, leaving.c.attempts > 0)), UNSURE),
        else_=NOBODY,
    )
    each = select(func.min(state).label("state")).select_from(there).where(shape.c.point == point)
    best = each.group_by(holding.c.submission).subquery()
    return select(best.c.state, func.count()).group_by(best.c.state)


def _micros(instant: ColumnElement[Any]) -> ColumnElement[int]:
    return type_coerce(instant, BigInteger)
