"""Troth's side: every operation through the doors that an application uses, sealed, decided and on the ledger.

What the table keeps with each record stands where it was said: purpose, term and source in the policy; objections and refusals
of automated decisions with the person; a purpose or a recipient that is suspended is a stop. Operations come as from a queue:
up to fifty of them share one commit, each decided and entered by itself, and nothing is opened before it. An operation took as
long as the batch it was in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from time import perf_counter
from typing import Any

from sqlalchemy import Connection, insert

from benchmarks.gdprbench.model import LOGS, PAGE, TERM, Meta, Model, Op, early
from benchmarks.gdprbench.policy import field, party, point, purpose, source
from troth import ledger
from troth.clock import MovedClock, to_micros
from troth.collection.actions import collect_in
from troth.collection.rules import Submission
from troth.consent import actions as consent
from troth.consent.actions import Choosing
from troth.consent.stops import actions as stops
from troth.decide import Ask
from troth.ids import new_id
from troth.ledger import events
from troth.ledger.look import between
from troth.people import vault
from troth.people.correcting import Correction, correct_each
from troth.people.each import Asked, Want, ask_each, open_each
from troth.people.facts import By
from troth.people.keystore import open_keys
from troth.people.listing import Listed, Place, listed, of_people, of_point, of_submissions
from troth.people.sealing import seal
from troth.people.shapes import shape_ids
from troth.people.tables import holding
from troth.policy.rules import OWN_ACCESS
from troth.retention.ending import Going, begin_each, destroy_due
from troth.retention.sweep import sweep
from troth.store.site import Site

TOGETHER = 50
WORDS = "We use this for the purposes of our notice."
SYSTEM, DESK = By("system"), By("staff", role="authority desk")
Later = Callable[[], Any]
"""the answer to an operation, once its batch is committed"""
READS = frozenset(
    {"read_own", "own_meta", "read_by_key", "read_by_purpose", "read_by_objection", "read_by_decision", "meta_by_user"}
)


class Troth:
    """A site, and which of its people is which user of the benchmark."""

    def __init__(self, site: Site, people: dict[str, str]) -> None:
        self.site, self.people = site, people
        self.users = {person_id: user for user, person_id in people.items()}

    def run(self, ops: Iterable[Op]) -> Iterator[tuple[Any, float]]:
        """Do the operations in batches; yields the answer to each and how long its batch took."""
        for batch in _batches(ops):
            began = perf_counter()
            answers = self._expired(batch[0]) if batch[0].name == "delete_expired" else self._together(batch)
            took = perf_counter() - began
            yield from ((answer, took) for answer in answers)

    def _together(self, batch: list[Op]) -> list[Any]:
        with self.site.writing() as conn:
            answers = _Queue(self, conn).answers(batch)
        return [answer() if callable(answer) else answer for answer in answers]

    def _expired(self, op: Op) -> list[int]:
        clock = self.site.clock
        assert isinstance(clock, MovedClock) and op.at is not None
        clock.at = op.at
        return [sweep(self.site).moved]

    def finish(self) -> None:
        """Destroy for good what was deleted, ahead of its deadline as the worker would."""
        clock = self.site.clock
        assert isinstance(clock, MovedClock)
        clock.at += TERM.length
        destroy_due(self.site)

    def state(self, key: str) -> tuple[Meta, str] | None:
        """A record with its metadata; None when it is gone."""
        with self.site.writing() as conn:
            places = of_submissions(conn, [key]).get(key)
            if not places:
                return None
            (place,) = places
            by = By("person", ref=place.person_id)
            told = listed(self.site, conn, [place.person_id], OWN_ACCESS, [by])[place.person_id]
            want = Want(place.person_id, place.fields, OWN_ACCESS, by, held=place.id)
            asked = ask_each(self.site, conn, [want])
        (reading,) = open_each(self.site, asked)
        assert reading is not None
        (data,) = reading.values.values()
        return next(self.meta(one) for one in told if one.place.id == place.id), data

    def meta(self, one: Listed) -> Meta:
        """The metadata of a record, from what is said about a holding."""
        kind = _kind(one.place)
        assert one.ends_at is not None
        return (
            "" if purpose(kind) in one.stopped else purpose(kind),
            to_micros(one.ends_at - early(kind)),
            self.users[one.place.person_id],
            purpose(kind) in one.objected,
            "deciding" in one.purposes,
            "" if f"@{party(kind)}" in one.stopped else party(kind),
            one.place.source,
        )


def _batches(ops: Iterable[Op]) -> Iterator[list[Op]]:
    """Up to fifty operations at a time; a sweep, which is a worker's task with transactions of its own, stands alone."""
    for alone, some in groupby(ops, key=lambda op: op.name == "delete_expired"):
        rest = list(some)
        size = 1 if alone else TOGETHER
        yield from (rest[start : start + size] for start in range(0, len(rest), size))


ALIKE = {
    **dict.fromkeys(READS, "read"),
    **dict.fromkeys(("object_by_key", "decide_by_user"), "choose"),
    **dict.fromkeys(("delete_by_key", "delete_by_user"), "delete"),
}
"""operations that are done together, whatever they are called"""
LOOKS = ("read", "logs", "verify_deletion")
ORDER = (*LOOKS, "create", "choose", "update_data", "delete", "suspend_by_purpose", "unshare_by_party")
"""in which what is done together follows each other in a turn"""
AGAIN = ("create", "choose", "update_data")
"""what may be done twice to one person in a turn, one after the other"""
ALL = "*"


def turns(batch: list[Op]) -> list[dict[str, list[Op]]]:
    """A batch as turns, each with what is done together in it, by ``ORDER``: what only looks, then what changes something.

    What is done to one person, or to the scope of a stop, stays in the order in which it came: it shares a turn with what came
    before it where that is done earlier in it. A look comes in a later turn than any change of its person and of any stop; one
    that names no person, than every change.
    """
    made: list[dict[str, list[Op]]] = []
    changed: dict[str, tuple[int, int]] = {}
    looked: dict[str, int] = {}
    for op in batch:
        alike = ALIKE.get(op.name, op.name)
        name = op.user or (ALL if alike in LOOKS else f"{op.name}:{_stopped(op)}")
        if alike in LOOKS:
            seen = [turn for what, (turn, _) in changed.items() if name in (ALL, what) or ":" in what]
            turn = max(seen, default=-1) + 1
            looked[name] = max(turn, looked.get(name, 0))
        else:
            place = ORDER.index(alike)
            last, its = changed.get(name, (0, -1))
            follows = place > its or (place == its and alike in AGAIN)
            before = max((at for what, at in looked.items() if ":" in name or what in (name, ALL)), default=0)
            turn = max(before, last if follows else last + 1)
            changed[name] = (turn, place)
        made += [{one: [] for one in ORDER} for _ in range(turn + 1 - len(made))]
        made[turn][alike].append(op)
    return made


def _stopped(op: Op) -> str:
    return party(op.kind) if op.name == "unshare_by_party" else purpose(op.kind)


def _choosing(person_id: str, op: Op) -> Choosing:
    if op.name == "object_by_key":
        return Choosing(person_id, purpose(op.kind), "objected" if op.on else "lifted")
    return Choosing(person_id, "deciding", "lifted" if op.on else "objected")


def _kind(place: Place) -> int:
    return int(place.point.removeprefix("form_"))


class _Queue:
    """One batch on its way, in one transaction."""

    def __init__(self, troth: Troth, conn: Connection) -> None:
        self.troth, self.site, self.people, self.conn = troth, troth.site, troth.people, conn
        self.asked: list[Asked] = []
        self.opened: list[dict[str, str] | None] | None = None

    def answers(self, batch: list[Op]) -> list[Any]:
        """An answer for each, or a function that gives it after the commit."""
        told: dict[int, Any] = {}
        for turn in turns(batch):
            for alike, ops in turn.items():
                told |= zip(map(id, ops), self._done(alike, ops) if ops else (), strict=True)
        return [told[id(op)] for op in batch]

    def _done(self, alike: str, ops: list[Op]) -> list[Any]:
        """The answers to operations of one kind, done together where Troth has a door for several."""
        together: dict[str, Callable[[list[Op]], list[Any]]] = {
            "read": self._read,
            "choose": self._choose,
            "update_data": self._correct,
            "delete": self._end,
        }
        return together[alike](ops) if alike in together else [getattr(self, alike)(op) for op in ops]

    # --- reads

    def _read(self, ops: list[Op]) -> list[Later]:
        keyed = self._places(of_submissions, [op.key for op in ops if op.name == "read_by_key"])
        owned = self._places(of_people, [self.people[op.user] for op in ops if op.name == "read_by_objection"])
        listings = self._listed([op for op in ops if op.name in {"own_meta", "meta_by_user"}])
        wanted = [self._wants(op, keyed, owned) for op in ops]
        start = len(self.asked)
        flat = [want for wants in wanted for want, _ in wants]
        self.asked += ask_each(self.site, self.conn, flat) if flat else []
        later = []
        for op, wants in zip(ops, wanted, strict=True):
            if op.name in {"own_meta", "meta_by_user"}:
                later.append(self._meta(op, listings.get(self.people[op.user], [])))
            else:
                later.append(self._values(op, start, [place for _, place in wants]))
                start += len(wants)
        return later

    def _places(self, find: Callable[..., dict[str, list[Place]]], ids: list[str]) -> dict[str, list[Place]]:
        return find(self.conn, ids) if ids else {}

    def _listed(self, ops: list[Op]) -> dict[str, list[Listed]]:
        told: dict[str, list[Listed]] = {}
        for name, why in (("own_meta", OWN_ACCESS), ("meta_by_user", "supervision")):
            ids = [self.people[op.user] for op in ops if op.name == name]
            by = [By("person", ref=one) if name == "own_meta" else DESK for one in ids]
            told |= listed(self.site, self.conn, ids, why, by) if ids else {}
        return told

    def _wants(
        self, op: Op, keyed: dict[str, list[Place]], owned: dict[str, list[Place]]
    ) -> list[tuple[Want, Place | None]]:
        """What an operation wants to read, each with the holding it is about, if it is about one."""
        if op.name == "read_own":
            person_id = self.people[op.user]
            return [(Want(person_id, None, OWN_ACCESS, By("person", ref=person_id)), None)]
        if op.name in {"read_by_purpose", "read_by_decision"}:
            assert op.at is not None
            places = of_point(self.conn, point(op.kind), op.at, PAGE)
        else:
            places = keyed.get(op.key, []) if op.name == "read_by_key" else owned.get(self.people.get(op.user, ""), [])
        why = "deciding" if op.name == "read_by_decision" else ""
        return [
            (Want(one.person_id, one.fields, why or purpose(_kind(one)), SYSTEM, held=one.id), one) for one in places
        ]

    def _values(self, op: Op, start: int, places: list[Place | None]) -> Later:
        def answer() -> Any:
            if self.opened is None:
                readings = open_each(self.site, self.asked)
                self.opened = [dict(one.values) if one is not None else None for one in readings]
            mine = self.opened[start : start + len(places)]
            if op.name == "read_own":
                return tuple(sorted((int(name[6:]), value) for name, value in (mine[0] or {}).items()))
            read = [(place, min(one.values())) for place, one in zip(places, mine, strict=True) if place and one]
            if op.name == "read_by_key":
                return read[0][1] if read else None
            if op.name == "read_by_objection":
                return tuple(sorted((_kind(place), value) for place, value in read))
            return tuple(sorted((place.submission, value) for place, value in read))

        return answer

    def _meta(self, op: Op, told: list[Listed]) -> Any:
        if op.name == "own_meta":
            return next((self.troth.meta(one) for one in told if one.place.submission == op.key), None)
        return tuple(sorted(map(self.troth.meta, told)))

    def logs(self, op: Op) -> tuple[int, ...]:
        assert op.at is not None and op.until is not None
        entered = between(self.conn, op.at, op.until, [events.HOLDING_COLLECTED], LOGS)
        return tuple(to_micros(one.at) for one in entered)

    def verify_deletion(self, op: Op) -> bool:
        return op.key not in of_submissions(self.conn, [op.key])

    # --- writes

    def create(self, op: Op) -> str:
        clock = self.site.clock
        assert isinstance(clock, MovedClock) and op.at is not None
        clock.at = op.at
        sent = Submission(point(op.kind), {field(op.kind): op.data}, op.key, member=self.people.get(op.user))
        person_id = collect_in(self.site, self.conn, sent).person_id
        self.people[op.user] = person_id
        self.troth.users[person_id] = op.user
        return "done"

    def _correct(self, ops: list[Op]) -> list[str]:
        whose = [(op, self.people[op.user]) for op in ops]
        sent = [Correction(who, op.key, {field(op.kind): op.data}, By("person", ref=who)) for op, who in whose]
        return ["done" for _ in correct_each(self.site, self.conn, sent)]

    def _end(self, ops: list[Op]) -> list[int]:
        deadline = self.site.now() + TERM.length
        goings = [
            Going(self.people[op.user], "request:bench", deadline, None if op.kind < 0 else frozenset({field(op.kind)}))
            for op in ops
        ]
        return [begun.counted for begun in begin_each(self.site, self.conn, goings)]

    def _choose(self, ops: list[Op]) -> list[str]:
        policy = self.site.policy(self.conn)
        chosen = [_choosing(self.people[op.user], op) for op in ops]
        consent.record_each(self.site, self.conn, chosen, WORDS, "en", "privacy_centre", policy)
        return ["done" for _ in ops]

    def suspend_by_purpose(self, op: Op) -> str:
        return self._stop(purpose(op.kind), op.on)

    def unshare_by_party(self, op: Op) -> str:
        return self._stop(f"@{party(op.kind)}", op.on)

    def _stop(self, scope: str, on: bool) -> str:
        act = stops.stop if on else stops.lift
        act(self.site, self.conn, scope, by="privacy lead", because="benchmark", policy=self.site.policy(self.conn))
        return "done"


def load(site: Site, model: Model) -> dict[str, str]:
    """Put the records at the start into a fresh site, as many at once as it takes; returns the person of each user."""
    clock = site.clock
    assert isinstance(clock, MovedClock)
    start = clock.at
    clock.at = next(iter(model.records.values())).at
    names = list(model.of_user)
    people: dict[str, str] = {}
    with site.writing() as conn:
        people = dict(zip(names, vault.admit_many(site, conn, "customer", len(names)), strict=True))
        _hold(site, conn, model, people)
        _choices(site, conn, model, people)
    clock.at = start
    return people


def _hold(site: Site, conn: Connection, model: Model, people: dict[str, str]) -> None:
    policy, shapes = site.policy(conn), {}
    for kind in model.of_kind:
        shapes[kind] = shape_ids(conn, point(kind), source(kind), [field(kind)])[field(kind)]
    told = consent.remember(conn, WORDS, "en", site.now())
    keys = open_keys(site, list(people.values()))
    rows = []
    for one in model.records.values():
        made, person_id = new_id(one.at), people[one.user]
        body = seal(keys[person_id], person_id, made, {field(one.kind): one.data})
        row = {"id": made, "person_id": person_id, "shape_id": shapes[one.kind], "at": one.at, "told": told}
        rows.append(row | {"submission": one.key, "policy_version": policy.version, "body": body})
        ask = Ask(
            "collect",
            point(one.kind),
            frozenset({field(one.kind)}),
            "customer",
            facts=frozenset({f"source:{source(one.kind)}"}),
        )
        said = ledger.decision_body(ask, policy.decide(ask), policy.version) | {"person": person_id, "holdings": 1}
        ledger.append(conn, one.at, events.HOLDING_COLLECTED, said | {"source": source(one.kind)})
    conn.execute(insert(holding), rows)


def _choices(site: Site, conn: Connection, model: Model, people: dict[str, str]) -> None:
    policy = site.policy(conn)
    scopes = [(user, purpose(kind)) for user, kind in sorted(model.objected)]
    for user, scope in [*scopes, *((user, "deciding") for user in sorted(model.undecided))]:
        consent.record(site, conn, people[user], scope, "objected", WORDS, "en", "privacy_centre", policy)
