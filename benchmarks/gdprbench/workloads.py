"""The four workloads, written from the paper's description: who asks for what, how often, of whom.

Controller: 25 % create a record, 25 % delete (by key, by user, what has expired), 50 % update metadata (by key, user, purpose,
sharing), all uniform. Customer: 20 % each read own data, read metadata by key, update data, update metadata, delete, by a
zipfian choice of people. Processor: 80 % read by key, zipfian, 20 % by purpose, objection or decision, uniform. Regulator: 46 %
metadata by user, 31 % logs by time, 23 % verify that a key is gone.
"""

from __future__ import annotations

import random
from bisect import bisect
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import accumulate
from typing import Any

from benchmarks.gdprbench.model import Model, Op, Record, early
from benchmarks.gdprbench.policy import KINDS, party, term
from benchmarks.stores import START

EACH = 10
"""records a person has at the start"""
ZIPF = 0.99
BACK = term(0) - early(0)
"""how long before the start the first record came in: the oldest are about to expire"""
LOGGED = 50
"""entries, more or less, between the instants that a regulator asks about"""
Step = tuple[Op, Any]
"""an operation and the answer to it"""


def data(rng: random.Random) -> str:
    """The data of a record: 40 characters, a telephone number, an address, or such."""
    return "".join(rng.choices("abcdefghijklmnopqrstuvwxyz ", k=39)).strip() + "x"


def loaded(records: int, seed: int = 7) -> Model:
    """The records at the start: every person has ten of different kinds; some object, some want no automated decision."""
    rng, model = random.Random(seed), Model()  # noqa: S311
    began, gap = START - BACK, BACK / (records + 1)
    for number in range(records):
        user, turn = divmod(number, EACH)
        name, kind = f"u{user:06d}", (user * 7 + turn * 5) % KINDS
        at = began + gap * (number + 1)
        model.add(Record(f"r{number:07d}", name, kind, at, data(rng)))
        model.logged.append(at)
        if rng.random() < 0.05:
            model.objected.add((name, kind))
        if not turn and rng.random() < 0.05:
            model.undecided.add(name)
    return model


TRIES = 50
"""at people picked at random, most of whom still have a record, before those who have one are listed"""


class Picking:
    """Choices among people and records as the paper has them."""

    def __init__(self, model: Model, rng: random.Random) -> None:
        self.model, self.rng = model, rng
        self.users = list(model.of_user)
        rng.shuffle(self.users)
        self.keys = list(model.records)
        rng.shuffle(self.keys)
        self._user_weights = list(accumulate(1 / (rank + 1) ** ZIPF for rank in range(len(self.users))))
        self._key_weights = list(accumulate(1 / (rank + 1) ** ZIPF for rank in range(len(self.keys))))
        self._clock = START

    def later(self) -> datetime:
        """An instant after all before it."""
        self._clock += timedelta(microseconds=1)
        return self._clock

    def user(self) -> str:
        """Anybody who has a record, each as likely; whoever came later as soon as few of the first are left."""
        for _ in range(TRIES):
            name = self.users[self.rng.randrange(len(self.users))]
            if self.model.of_user[name]:
                return name
        self.users = [name for name, records in self.model.of_user.items() if records]
        if not self.users:
            raise ValueError("Everybody was deleted: more records, or fewer operations.")
        return self.rng.choice(self.users)

    def key_of(self, user: str) -> str:
        """One of a person's records."""
        return self.rng.choice(list(self.model.of_user[user].values()))

    def zipfian_user(self) -> str:
        """Somebody who has a record, the first much likelier than the last."""
        place = bisect(self._user_weights, self.rng.random() * self._user_weights[-1])
        for _ in self.users:
            if self.model.of_user[self.users[place % len(self.users)]]:
                return self.users[place % len(self.users)]
            place += 1
        raise ValueError("Everybody was deleted: more records, or fewer operations.")

    def zipfian_key(self) -> str:
        """A key that was there at the start."""
        return self.keys[bisect(self._key_weights, self.rng.random() * self._key_weights[-1])]


def _steps(
    model: Model, ops: int, seed: int, kinds: dict[str, float], make: Callable[[Picking, str], Op]
) -> list[Step]:
    rng = random.Random(seed)  # noqa: S311
    picking, names, weights = Picking(model, rng), list(kinds), list(kinds.values())
    steps = []
    for _ in range(ops):
        op = make(picking, rng.choices(names, weights)[0])
        steps.append((op, model.apply(op)))
    return steps


CONTROLLER = {
    "create": 25,
    "delete_by_key": 12,
    "delete_by_user": 12,
    "delete_expired": 1,
    "object_by_key": 12.5,
    "decide_by_user": 12.5,
    "suspend_by_purpose": 12.5,
    "unshare_by_party": 12.5,
}
CUSTOMER = dict.fromkeys(("read_own", "own_meta", "update_data", "object_by_key", "delete_by_key"), 20)
PROCESSOR = {"read_by_key": 80, "read_by_purpose": 20 / 3, "read_by_objection": 20 / 3, "read_by_decision": 20 / 3}
REGULATOR = {"meta_by_user": 46, "logs": 31, "verify_deletion": 23}


def _by_controller(pick: Picking, name: str) -> Op:
    model, rng = pick.model, pick.rng
    if name == "create":
        return _create(pick)
    if name == "delete_expired":
        pick._clock += timedelta(hours=6)
        return Op(name, at=pick.later())
    if name in {"suspend_by_purpose", "unshare_by_party"}:
        kind = rng.randrange(KINDS)
        off = kind in model.suspended if name == "suspend_by_purpose" else party(kind) in model.unshared
        return Op(name, kind=kind, on=not off)
    user = pick.user()
    if name == "decide_by_user":
        return Op(name, user=user, on=user in model.undecided)
    if name == "delete_by_user":
        return Op(name, user=user)
    return _of_record(pick, name, user)


def _create(pick: Picking) -> Op:
    model, rng = pick.model, pick.rng
    user = f"n{rng.getrandbits(40):010x}" if rng.random() < 0.1 else pick.user()
    free = [kind for kind in range(KINDS) if kind not in model.had[user]]
    if not free:
        return _create(pick)
    op = Op("create", f"c{rng.getrandbits(48):012x}", user, rng.choice(free), data(rng), at=pick.later())
    assert op.at is not None
    model.add(Record(op.key, user, op.kind, op.at, op.data))
    meta = model.meta(op.key)
    model.remove(op.key)
    return Op(op.name, op.key, op.user, op.kind, op.data, at=op.at, meta=meta)


def _of_record(pick: Picking, name: str, user: str) -> Op:
    key = pick.key_of(user)
    kind = pick.model.records[key].kind
    fresh = data(pick.rng) if name == "update_data" else ""
    return Op(name, key, user, kind, fresh, on=(user, kind) not in pick.model.objected)


def _by_customer(pick: Picking, name: str) -> Op:
    return _of_record(pick, name, pick.zipfian_user())


def _by_processor(pick: Picking, name: str) -> Op:
    if name == "read_by_key":
        return Op(name, pick.zipfian_key())
    since = START - BACK * pick.rng.random()
    return Op(name, user=pick.user(), kind=pick.rng.randrange(KINDS), at=since)


def _by_regulator(pick: Picking, name: str) -> Op:
    if name == "meta_by_user":
        return Op(name, user=pick.zipfian_user())
    if name == "logs":
        since = START - BACK * pick.rng.random()
        return Op(name, at=since, until=since + LOGGED * BACK / len(pick.keys))
    known = pick.rng.random() < 0.5
    return Op(name, pick.zipfian_key() if known else f"r{10_000_000 + pick.rng.randrange(10**6)}")


Workload = Callable[[Model, int, int], list[Step]]


def _workload(
    kinds: dict[str, float], make: Callable[[Picking, str], Op], model: Model, ops: int, seed: int
) -> list[Step]:
    return _steps(model, ops, seed, kinds, make)


WORKLOADS: dict[str, Workload] = {
    "controller": partial(_workload, CONTROLLER, _by_controller),
    "customer": partial(_workload, CUSTOMER, _by_customer),
    "processor": partial(_workload, PROCESSOR, _by_processor),
    "regulator": partial(_workload, REGULATOR, _by_regulator),
}
