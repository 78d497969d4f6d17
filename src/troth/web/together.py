"""Reads that come in while others are under way wait for them, and are then carried out together.

What could go wrong: one read of a batch fails for all of them; a read leaves no entry of its own because another asked for the
same person at the same moment; an answer is handed to the wrong program. So each read has a future of its own; whatever is
wrong with one is its own answer; and a person is in one call of the vault at most once. What is gained: a batch shares its
transactions, a commit and a visit to the key store. Nobody waits longer than for the batch before theirs, and a read that comes
alone is carried out at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from anyio import to_thread
from sqlalchemy import Connection

from troth.errors import InvalidInput, Refused, TrothError
from troth.ids import new_id
from troth.people import vault
from troth.people.vault import By, Reading
from troth.policy.compile import Compiled
from troth.store.site import Site

MOST = 100
"""reads in a batch"""
REFUSED = "The policy does not allow this read, or there is nobody to be seen: both look the same from outside."
HINT = "The ledger says what a refusal rests on."


@dataclass(frozen=True)
class Wanted:
    """One read: of a ``person``, or of whoever has ``value`` in the identifying field ``found_by``."""

    by: By
    purpose: str
    fields: frozenset[str]
    person: str = ""
    found_by: str = ""
    value: str = field(default="", repr=False)
    case: str | None = None

    @property
    def used(self) -> frozenset[str]:
        """The fields that are decided upon: those that are read and the one that finds the person."""
        return self.fields | {self.found_by} if self.found_by else self.fields


@dataclass(frozen=True)
class Found:
    """What was opened of whom."""

    person: str
    reading: Reading


Answer = Found | Exception


class Together:
    """The reads of one site."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._waiting: list[tuple[Wanted, asyncio.Future[Answer]]] = []
        self._work: asyncio.Task[None] | None = None

    async def read(self, wanted: Wanted) -> Found:
        """Carry out one read, with those that came while others were under way.

        Raises:
            InvalidInput: when the policy has no such purpose or field, or nobody can be found by that field.
            Refused: when the policy does not allow it, and just so when there is no such person.
            StoreError: when a store is missing.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, future))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._carry_out())
        answer = await future
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def _carry_out(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            answers = await to_thread.run_sync(read_all, self._site, [wanted for wanted, _ in batch])
            for (_, future), answer in zip(batch, answers, strict=True):
                if not future.cancelled():
                    future.set_result(answer)


def read_all(site: Site, batch: Sequence[Wanted]) -> list[Answer]:
    """The answer to each of ``batch``, in its order; what is wrong with a read is its answer."""
    try:
        with site.reading() as conn:
            compiled = site.policy(conn)
            answers = [_meant(site, conn, compiled, wanted) for wanted in batch]
        for places in _rounds(batch, answers):
            _answer_round(site, batch, answers, places)
    except Exception as error:  # it is told to each of those who wait, who would else wait for ever
        return [error for _ in batch]
    refused = Refused(REFUSED, HINT)
    return [refused if isinstance(answer, str) else answer for answer in answers]


def _meant(site: Site, conn: Connection, compiled: Compiled, wanted: Wanted) -> Answer | str:
    """Whose data is meant; an id of nobody when nobody is found, so that the read is refused, and noted, like any other."""
    problems = dict(_problems(compiled, wanted))
    if problems:
        return InvalidInput("This is no read that the policy knows.", problems)
    if not wanted.found_by:
        return wanted.person
    return vault.find(site, conn, wanted.found_by, wanted.value) or new_id(site.now())


def _problems(compiled: Compiled, wanted: Wanted) -> Iterator[tuple[str, str]]:
    policy = compiled.policy
    if wanted.purpose not in policy.purposes:
        yield "purpose", "There is no such purpose in the policy."
    if wanted.fields - policy.data.keys():
        yield "fields", "There is no such field in the policy."
    if wanted.found_by and not (wanted.found_by in policy.data and policy.data[wanted.found_by].identifies):
        yield "find", "Nobody can be found by this field."


def _rounds(batch: Sequence[Wanted], answers: Sequence[Answer | str]) -> Iterator[list[int]]:
    """The places of reads that the vault can carry out in one call: all alike, and each of another person."""
    alike: dict[object, dict[str, int]] = {}
    left = []
    for place, (wanted, person) in enumerate(zip(batch, answers, strict=True)):
        if isinstance(person, str):
            people = alike.setdefault((wanted.by, wanted.purpose, wanted.used, wanted.case), {})
            if people.setdefault(person, place) != place:
                left.append(place)
    yield from (list(people.values()) for people in alike.values())
    yield from ([place] for place in left)


def _answer_round(site: Site, batch: Sequence[Wanted], answers: list[Answer | str], places: list[int]) -> None:
    """Put what the vault opens in the place of the people who were meant; who is refused stays."""
    wanted = batch[places[0]]
    people = {str(answers[place]): place for place in places}
    try:
        for person, reading in _readings(site, list(people), wanted):
            answers[people[person]] = Found(person, reading)
    except TrothError as error:
        for place in places:
            answers[place] = error


def _readings(site: Site, people: list[str], wanted: Wanted) -> Iterator[tuple[str, Reading]]:
    if wanted.case is None:
        yield from vault.read_many(site, people, wanted.used, wanted.purpose, wanted.by)
        return
    for person in people:
        try:
            yield person, vault.read(site, person, wanted.used, wanted.purpose, wanted.by, wanted.case)
        except Refused:
            continue
