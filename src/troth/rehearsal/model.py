"""What must be so: who gave what when, what they chose, what is open, and so what must be held now and gone by when. Pure.

A model in memory beside the store (``docs/decisions/0008``). It hears of every event and what came of it, keeps instants and
numbers and no value, and is asked what it expects. It is told who somebody is in the store, and nothing else from there.

    held ----- out of use, by its term ----- gone, checked once and forgotten
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from random import Random

from troth.clock import DAY
from troth.ledger import events
from troth.policy.compile import Compiled
from troth.policy.model import Policy
from troth.rehearsal.events import Event
from troth.rehearsal.expects import Answer, Chosen, Whom, may_collect, may_disclose, may_read
from troth.rehearsal.known import Gone, Part, Somebody, Wrong, in_use, later
from troth.rehearsal.made_up import answers
from troth.rehearsal.result import Outcome
from troth.rehearsal.tasks import APART, Task, given_to, kinds_of, ticked
from troth.rehearsal.terms import NOTICE, Dealt, Term, Terms

__all__ = ["Field", "Gone", "Model", "Part", "Somebody", "Wrong"]

Field = tuple[str, str]
"""a collection point and a field"""
_NEEDS_SOMEBODY = frozenset({"choose", "order", "close", "notice", "erase"})
_CHOICES = {
    "given": events.CONSENT_GIVEN,
    "withdrawn": events.CONSENT_WITHDRAWN,
    "objected": events.OBJECTION_MADE,
    "lifted": events.OBJECTION_LIFTED,
}


class Model:
    """The people of one site and what is due of theirs."""

    def __init__(
        self, compiled: Compiled, seed: int, partners: Collection[str], began: datetime, margin: timedelta = 2 * DAY
    ) -> None:
        self.compiled, self.seed, self.partners, self.margin = compiled, seed, frozenset(partners), margin
        self.people: dict[str, Somebody] = {}
        self.latest: dict[int, str] = {}
        """who a made-up person was last, by their number"""
        self.must: Counter[Field] = Counter()
        """holdings in which a field must be now"""
        self.may: Counter[Field] = Counter()
        """holdings in which a field may still be, out of use"""
        self.entries: Counter[str] = Counter()
        """ledger entries by event that today's acts must have left"""
        self.doubtful: set[str] = set()
        """events of which there may be more today, since something was lived again"""
        self.visits: deque[tuple[datetime, int]] = deque()
        """the last instant of some visits, and how many they were"""
        self._versions = [(began, Terms(compiled.policy, margin))]
        self._known: Terms = self._versions[0][1]
        self._queue: list[tuple[datetime, str]] = []
        self._going: list[tuple[datetime, str, int]] = []
        self.ids: list[str] = []
        """everybody of ``people``, in the order in which they came"""

    # --- Before an event ---------------------------------------------------------------------------------------------

    def task(self, event: Event, at: datetime) -> Task | None:
        """``event`` with the ids it is about; None when whom it is about never came, or is gone by now."""
        if event.act == "read" and event.who is None:
            listed = self._listed(event)
            return Task(event, at, listed) if listed else None
        person_id = None if event.who is None else self.latest.get(event.who)
        if event.act in {"submit", "import", "hostile", "visits", "jump", "amend"}:
            return Task(event, at, (person_id,) if person_id else ())
        if person_id is None:
            return None
        somebody = self.people.get(person_id)
        if event.act in _NEEDS_SOMEBODY and (somebody is None or not somebody.active):
            return None
        return Task(event, at, (person_id,))

    def _listed(self, event: Event) -> tuple[str, ...]:
        """Whom staff find on a list: people who came one after the other."""
        if not self.ids:
            return ()
        first = Random(f"{self.seed}:list:{event.number}").randrange(len(self.ids))
        return tuple(self.ids[(first + n) % len(self.ids)] for n in range(min(event.count, len(self.ids))))

    def terms(self, at: datetime) -> Terms:
        """What the version in force at ``at`` says about time."""
        return max((one for one in self._versions if one[0] <= at), key=lambda one: one[0])[1]

    # --- After an event ----------------------------------------------------------------------------------------------

    def happened(self, task: Task, outcome: Outcome) -> list[Wrong]:
        """Take note of what came of ``task``; returns what should not have come of it."""
        before = Counter(self.entries) if outcome.again else None
        found = list(_HEARD[task.event.act](self, task, outcome))
        if before is not None:
            self.doubtful |= (self.entries - before).keys()
        return found

    def _nothing(self, task: Task, outcome: Outcome) -> Iterator[Wrong]:
        yield from ()

    def _visited(self, task: Task, outcome: Outcome) -> Iterator[Wrong]:
        if outcome.count:
            self.visits.append((task.at, outcome.count))
        wanted = task.event.count if self.terms(task.at).keeps_visits else 0
        if outcome.count != wanted:
            yield Wrong("lost", "visits", f"{wanted} visits were made and {outcome.count} recorded")

    def _submitted(self, task: Task, outcome: Outcome) -> Iterator[Wrong]:
        event = task.event
        somebody = self.people.get(task.people[0]) if task.people else None
        member = somebody.whom if somebody is not None and somebody.active else None
        given = self._given(event)
        partner = event.details.get("partner", "")
        allowed = may_collect(self.terms(task.at).policy, event.what, given, partner, member) and (
            not partner or partner in self.partners
        )
        if outcome.result == "done":
            yield from () if allowed else (Wrong("taken in", event.what, "was taken in although nothing allows it"),)
            self._takes(task, outcome.person, given)
            return
        if allowed:
            yield Wrong("refused", event.what, "was turned away although the policy takes it in")

    def _given(self, event: Event) -> list[str]:
        """The fields of a submission, but for those that are only kept when they differ from others."""
        point = self.compiled.policy.collection[event.what]
        values = answers(self.compiled, self.seed, point, event.who or 0, event.number)
        same = {key for key, other in point.keeps_when_different.items() if values.get(key) == values.get(other)}
        return [key for key in values if key not in same]

    def _takes(self, task: Task, person_id: str, given: Collection[str]) -> None:
        event, policy = task.event, self.compiled.policy
        point = policy.collection[event.what]
        kinds: list[str] = [point.opens] if point.opens != "none" else []
        somebody = self.people.get(person_id)
        if somebody is None:
            somebody = self._comes(person_id, event.who or 0, Whom(point.people, task.at))
        elif point.kind == "account" or "order" in kinds:
            somebody.whom.kind = point.people
        if event.who is not None:
            self.latest[event.who] = person_id
        for fields, clocks in self.terms(task.at).groups(event.what, given):
            somebody.parts.append(Part(event.number, event.who or 0, event.what, fields, clocks, task.at))
            self.must.update((event.what, name) for name in fields)
        for scope in ticked(self.seed, event.number, point):
            self._chooses(somebody, scope if scope in policy.purposes else f"@{scope}", "given", task.at)
        kinds += ["registration"] if point.kind == "account" else []
        if point.kind != "visit":
            self._opens(somebody, kinds or ["contact"], task)
        self.entries[events.HOLDING_COLLECTED] += 1
        self._reckon(somebody, task.at)

    def _comes(self, person_id: str, who: int, whom: Whom) -> Somebody:
        somebody = self.people[person_id] = Somebody(person_id, who, whom)
        self.ids.append(person_id)
        self.entries[events.PERSON_ADMITTED] += 1
        return somebody

    def _opens(self, somebody: Somebody, kinds: Collection[str], task: Task, warranty: datetime | None = None) -> None:
        somebody.whom.dealt += [Dealt(kind, task.event.number, task.at, warranty=warranty) for kind in kinds]
        self.entries[events.DEALING_OPENED] += len(kinds)

    def _hostile(self, task: Task, outcome: Outcome) -> Iterator[Wrong]:
        event = task.event
        if event.details["how"] == "twice":
            if outcome.count != 1:
                yield Wrong("taken in", event.what, "the same submission was stored twice")
            yield from self._submitted(task, outcome)
            return
        if outcome.result == "done":
            yield Wrong("taken in", event.what, f"hostile input ({event.details['how']}) was taken in")

    def _chose(self, task: Task, outcome: Outcome) -> Iterator[Wrong]:
        if outcome.result == "done":
            self._chooses(self.people[task.people[0]], task.event.what, task.event.details["state"], task.at)
            self._reckon(self.people[task.people[0]], task.at)
        else:
            yield Wrong("refused", task.event.what, "a choice was not recorded")

    def _chooses(self, somebody: Somebody, scope: str, state: str, at: datetime) -> None:
        somebody.whom.chosen.setdefault(scope, Chosen()).say(state)
        somebody.whom.said[scope] = (state, at)
        self.entries[_CHOICES[state]] += 1

    def _ordered(self, task: Task, outcome: Outcome) -> Iterator[Wrong]:
        if outcome.result != "done":
            yield Wrong("refused", task.event.act, "a dealing could not be opened")
            return
        somebody, days = self.people[task.people[0]], task.event.details.get("warranty")
        kinds = [NOTICE] if task.event.act == "notice" else kinds_of(task.event)
        warranty = task.at + int(days) * 86_400 * APART if days else None
        self._opens(somebody, kinds, task, warranty)
        self._reckon(somebody, task.at)

    def _closed(self, task: Task, outcome: Outcome) -> Iterator[Wrong]:
        somebody, number = self.people[task.people[0]], int(task.event.details["order"])
        closing = [
            one
            for one in somebody.whom.dealt
            if one.number == number and one.kind in kinds_of(task.event) and one.closed_at is None
        ]
        for one in closing:
            one.closed_at = task.at
        self.entries[events.DEALING_CLOSED] += len(closing)
        if not outcome.again and outcome.count != len(closing):
            yield Wrong("lost", "close", f"{len(closing)} dealings were open and {outcome.count} closed")
        self._reckon(somebody, task.at)

    def _read(self, task: Task, outcome: Outcome) -> Iterator[Wrong]:
        purpose, role, opened_ids = task.event.what, task.event.details.get("role", ""), {*outcome.opened}
        policy = self.terms(task.at).policy
        self.entries[events.PERSON_READ] += len(opened_ids)
        self.entries[events.READ_REFUSED] += len(task.people) - len(opened_ids)
        for person_id in task.people:
            expected = self._may_read(policy, person_id, purpose, role)
            if person_id in opened_ids and expected == "no":
                yield Wrong("let out", purpose, f"data was opened for `{purpose}` that the policy does not open")
            if person_id not in opened_ids and expected == "yes":
                yield Wrong("refused", purpose, f"a read for `{purpose}` was refused that the policy allows")

    def _may_read(self, policy: Policy, person_id: str, purpose: str, role: str) -> Answer:
        somebody = self.people.get(person_id)
        return in_use(somebody, may_read(policy, purpose, role, somebody.whom)) if somebody else "no"

    def _disclosed(self, task: Task, outcome: Outcome) -> Iterator[Wrong]:
        event = task.event
        done = outcome.result == "done"
        self.entries[events.DISCLOSURE_QUEUED if done else events.DISCLOSURE_REFUSED] += 1
        fields = given_to(self.compiled, event)
        expected = self.may_disclose(task.people[0], event.what, fields, event.details["purpose"], task.at)
        if done and expected == "no":
            yield Wrong("let out", event.what, f"a disclosure to `{event.what}` was allowed that nothing permits")
        if not done and expected == "yes":
            yield Wrong("refused", event.what, f"a disclosure to `{event.what}` was refused that the policy allows")

    def may_disclose(
        self, person_id: str, recipient: str, fields: Collection[str], purpose: str, at: datetime
    ) -> Answer:
        """Whether ``fields`` of somebody may be given to ``recipient`` at ``at``."""
        somebody = self.people.get(person_id)
        if somebody is None:
            return "no"
        policy = self.terms(at).policy
        return in_use(somebody, may_disclose(policy, recipient, fields, purpose, somebody.whom, at))

    def _erased(self, task: Task, outcome: Outcome) -> Iterator[Wrong]:
        if outcome.result != "done":
            yield Wrong("refused", "erasure", "somebody could not be erased")
            return
        somebody = self.people[task.people[0]]
        self._ends(somebody, task.at, self.terms(task.at))
        somebody.erased = True
        self.entries[events.ENDING_QUARANTINED] += 1

    def amended(self, effective: datetime, compiled: Compiled) -> None:
        """A version was published that takes effect at ``effective``."""
        self._versions.append((effective, Terms(compiled.policy, self.margin)))

    # --- Time --------------------------------------------------------------------------------------------------------

    def _reckon(self, somebody: Somebody, at: datetime) -> None:
        """Enter when something of theirs is next due, if that comes sooner than what is entered."""
        due = min((term.out for part in somebody.parts for term in self._terms(somebody, part)), default=None)
        if due is not None and (somebody.due is None or due < somebody.due):
            somebody.due = due
            heapq.heappush(self._queue, (due, somebody.id))

    def _terms(self, somebody: Somebody, part: Part) -> list[Term]:
        if part.state == "out":
            return []
        whom = somebody.whom
        said = self._known.terms(part.clocks, part.given, whom.kind, whom.since, whom.dealt, whom.said)
        return [term for term in said if part.state == "held" or term.archive]

    def turn(self, at: datetime) -> None:
        """What a worker that does everything due at ``at`` takes out of use."""
        terms = self.terms(at)
        if terms is not self._known:
            self._known = terms
            self._queue = []
            for somebody in self.people.values():
                somebody.due = None
                self._reckon(somebody, at)
        while self._queue and self._queue[0][0] <= at:
            due, person_id = heapq.heappop(self._queue)
            somebody = self.people.get(person_id)  # type: ignore[assignment]
            if somebody is None or somebody.due != due:
                continue
            somebody.due = None
            self._out(somebody, at, terms)
            self._reckon(somebody, at)

    def _out(self, somebody: Somebody, at: datetime, terms: Terms) -> None:
        for part in somebody.parts:
            said = self._terms(somebody, part)
            due = [term for term in said if term.out <= at]
            if due:
                self._goes(somebody, part, [*due], said, at)

    def _goes(self, somebody: Somebody, part: Part, due: list[Term], said: list[Term], at: datetime) -> None:
        """Out of use, or kept apart by an archive that goes on."""
        alive = [term for term in said if term.archive and term not in due and term.gone > at]
        if alive and part.state == "held":
            part.state = "kept"
            return
        self._leaves(somebody, part, min(term.gone for term in due))

    def _leaves(self, somebody: Somebody, part: Part, gone: datetime) -> None:
        part.state, part.gone = "out", gone
        names = [(part.point, name) for name in part.fields]
        self.must.subtract(names)
        self.may.update(names)
        heapq.heappush(self._going, (gone, somebody.id, somebody.parts.index(part)))

    def _ends(self, somebody: Somebody, at: datetime, terms: Terms) -> None:
        """An erasure: everything leaves by the time that is promised, but for what an archive keeps."""
        whom = somebody.whom
        for part in (one for one in somebody.parts if one.state == "held"):
            said = terms.terms(part.clocks, part.given, whom.kind, whom.since, whom.dealt, whom.said)
            if any(term.archive and term.gone > at for term in said):
                part.state = "kept"
            else:
                self._leaves(somebody, part, terms.erased_by(at))
        self._reckon(somebody, at)

    def gone_by(self, at: datetime) -> list[Gone]:
        """The parts whose time is over at ``at``, each once; whoever has nothing left is forgotten with them."""
        over = []
        while self._going and self._going[0][0] <= at:
            _, person_id, index = heapq.heappop(self._going)
            somebody = self.people[person_id]
            over.append(Gone(somebody, somebody.parts[index]))
        for one in over:
            self.may.subtract((one.part.point, name) for name in one.part.fields)
        return over

    def forget(self, over: Collection[Gone], at: datetime) -> list[Somebody]:
        """Forget the people of ``over`` of whom nothing is left, and return them."""
        touched = {one.person.id: one.person for one in over}
        left = [one for one in touched.values() if all(part.gone and part.gone <= at for part in one.parts)]
        for one in left:
            del self.people[one.id]
        if left:
            self.ids = [one for one in self.ids if one in self.people]
        return left

    def visits_at(self, at: datetime) -> int:
        """How many visits must be there at ``at``, to the microsecond."""
        cutoff = self.terms(at).visits_over(at)
        while self.visits and self.visits[0][0] <= cutoff:
            self.visits.popleft()
        return sum(later(last, number, cutoff) for last, number in self.visits)


_HEARD = {
    "visits": Model._visited,
    "submit": Model._submitted,
    "import": Model._submitted,
    "choose": Model._chose,
    "order": Model._ordered,
    "notice": Model._ordered,
    "close": Model._closed,
    "read": Model._read,
    "disclose": Model._disclosed,
    "erase": Model._erased,
    "hostile": Model._hostile,
    "amend": Model._nothing,
    "jump": Model._nothing,
}
