"""The kept head: the last checkpoint that was signed, outside the data and in two places.

What could go wrong: the data store is cut, put back from a copy or exchanged for another, and the ledger in it is whole in
itself; or the key store is put back, and with it the keys of people who were erased. So the last checkpoint is kept in the key
store and in the file ``ledger.head`` beside the signing key, and the two stores are held against each other.

A seal *announces* its checkpoint in the key store, commits it with the data, and then *settles* it in both places. So the last
checkpoint of the data is the settled one or the announced one and no other: a data store that ends before the settled one is an
old copy, and one that goes beyond the announced one shows that the key store is an old copy. A crash anywhere leaves what the
next seal makes good. The file may lag, since other hosts seal too; what it names must be in the ledger.

What witnesses outside said is a third memory (``witnessed``), which somebody who writes ledger and heads anew does not reach.

A key store from before it kept heads takes over what is sealed, once. The row that says so is signed by nobody; so it counts
only while the ledger, which is, tells of nothing that came later.

Nothing here heals: a head is replaced by a later one of the same tree, or by ``reset`` when somebody has recorded why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, insert, select

from troth.ledger import events
from troth.ledger.checkpoints import Checkpoint
from troth.ledger.gaps import explained, gaps
from troth.ledger.keys import remember, remembered, replace_remembered
from troth.ledger.tables import checkpoint, entry, head
from troth.ledger.witnessed import Told, denied, told
from troth.store.engines import reading, writing
from troth.store.site import Site
from troth.store.turns import take_turns

SETTLED, ANNOUNCED, ADOPT = "settled", "announced", "adopt"

Kind = Literal["cut", "other", "keys", "missing", "witness"]
WORDS: dict[Kind, str] = {
    "cut": "The data store does not hold all that was sealed: it was cut, or an old copy was put back.",
    "other": "The data store holds another ledger than the one that was sealed.",
    "keys": "The key store is older than the ledger: an old copy of it was put back.",
    "missing": "The kept head of a ledger that was sealed is missing.",
    "witness": "A witness outside saw another ledger: this one was written anew, or cut.",
}
HINT = (
    "Nothing is sealed and nothing leaves. Put the right store back, or say why this one is right: "
    "`troth ledger restored SITE --because ... --by ...`."
)


@dataclass(frozen=True, slots=True)
class Kept:
    """What the two places say. ``adopting``: the key store was made before it kept heads and takes over what is sealed."""

    settled: Checkpoint | None
    announced: Checkpoint | None
    file: Checkpoint | None
    adopting: bool = False


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the stores cannot be what was sealed; ``lost`` is the head that they do not hold, ``since`` when it was signed.

    ``kept`` is the size up to which they do hold what was sealed, where another than their last checkpoint says so.
    """

    kind: Kind
    lost: Checkpoint | None
    since: datetime
    kept: int | None = None

    @property
    def words(self) -> str:
        """In a sentence."""
        return WORDS[self.kind]


def kept(site: Site) -> Kept:
    """The heads as they are kept now. Raises ``Unverifiable`` when the file cannot be read, ``StoreError`` as stores do."""
    with reading(site.keys) as conn:
        rows = _rows(conn)
    return Kept(rows.get(SETTLED), rows.get(ANNOUNCED), remembered(site), ADOPT in rows and _may_adopt(site))


def _may_adopt(site: Site) -> bool:
    """Whether the ledger is from before key stores kept heads: the row that says so is not signed.

    Sums of marks came later than heads, and a seal that enters them ends the taking over, so a ledger that tells of them was
    sealed when its key store had its heads already.
    """
    summed = select(entry.c.id).where(entry.c.event == events.STORE_SUMMED, entry.c.position.is_not(None)).limit(1)
    with site.reading() as conn:
        return conn.execute(summed).first() is None


def look(site: Site) -> Problem | None:
    """Hold the stores against the kept heads, at the cost of a few rows; others may be sealing meanwhile.

    Raises:
        Unverifiable: when ``ledger.head`` cannot be read.
        StoreError: when a store does not answer.
    """
    before, notes = kept(site), told(site)
    with site.reading() as conn:
        last = last_checkpoint(conn)
        before = here(conn, before, last)
        known = held(conn, before.file)
        said = outside(site, conn, notes)
    return judged(before, last, kept(site), known) or said


def of_sealer(site: Site, conn: Connection, last: Checkpoint | None) -> Problem | None:
    """As ``look``, for whoever seals: in the transaction and under the lock that keep others from sealing."""
    found = here(conn, kept(site), last)
    return judged(found, last, found, held(conn, found.file)) or outside(site, conn, told(site))


def outside(site: Site, conn: Connection, notes: Told) -> Problem | None:
    """What is wrong by the witnesses whose ``notes`` are kept here."""
    denial = denied(site, conn, notes)
    if denial is None:
        return None
    return Problem("witness", denial.note.checkpoint(), denial.note.at, denial.agreed)


def here(conn: Connection, found: Kept, last: Checkpoint | None) -> Kept:
    """``found``, where a file that another host's recorded restoration left behind stands for what the ledger holds now."""
    file = found.file
    if file is None or last is None or held(conn, file) or not explained(file, gaps(conn)):
        return found
    return replace(found, file=last)


def judged(before: Kept, last: Checkpoint | None, after: Kept, file_held: bool = True) -> Problem | None:
    """What is wrong with a ledger that ends with ``last``; the heads as they were read ``before`` and ``after`` it. Pure.

    ``file_held``: whether the ledger holds the checkpoint of ``before.file`` if that is not the last one.
    """
    for one in (before.settled, before.file):
        if one is not None and (last is None or last.size < one.size):
            return Problem("cut", one, one.at)
        if one is not None and last is not None and last.size == one.size and last.root != one.root:
            return Problem("other", one, one.at)
    if last is None:
        return None
    if before.file is not None and not file_held:
        return Problem("other", before.file, before.file.at)
    return _unknown(last, after)


def _unknown(last: Checkpoint, kept_: Kept) -> Problem | None:
    """What is wrong with heads that do not know the ledger's ``last`` checkpoint."""
    if kept_.adopting:
        return None if kept_.file is not None else Problem("missing", None, last.at)
    heads = [one for one in (kept_.settled, kept_.announced) if one is not None]
    if not heads or (kept_.settled is not None and kept_.file is None):
        return Problem("missing", None, last.at)
    furthest = max(heads, key=lambda one: one.size)
    if last.size > furthest.size:
        return Problem("keys", furthest, furthest.at)
    same = [one for one in heads if one.size == last.size]
    if same and all(one.root != last.root for one in same):
        return Problem("other", same[0], same[0].at)
    return None


def held(conn: Connection, one: Checkpoint | None) -> bool:
    """Whether the ledger has the checkpoint ``one``, which somebody kept."""
    if one is None:
        return True
    return conn.execute(select(checkpoint.c.root).where(checkpoint.c.size == one.size)).scalar() == one.root


def last_checkpoint(conn: Connection) -> Checkpoint | None:
    """The checkpoint with the largest tree."""
    row = conn.execute(select(checkpoint).order_by(checkpoint.c.size.desc()).limit(1)).one_or_none()
    return None if row is None else Checkpoint(**row._mapping)


def announce(site: Site, last: Checkpoint | None, coming: Checkpoint) -> None:
    """Say in the key store that ``coming`` follows ``last``: before it is committed, under the sealers' lock."""
    with _alone(site) as conn:
        _replace(conn, {SETTLED: last, ANNOUNCED: coming})


def settle(site: Site, latest: Checkpoint) -> None:
    """Keep ``latest``, which is committed, in both places, unless they have it or a later one."""
    remember(site, latest)
    with _alone(site) as conn:
        now = _rows(conn)
        settled, announced = now.get(SETTLED), now.get(ANNOUNCED)
        if settled is not None and settled.size >= latest.size:
            return
        later = announced if announced is not None and announced.size > latest.size else None
        _replace(conn, {SETTLED: latest, ANNOUNCED: later})


def reset(site: Site, last: Checkpoint | None) -> None:
    """Keep ``last`` in both places, whatever they kept: for ``ledger.restored`` alone, which has recorded why."""
    replace_remembered(site, last)
    with _alone(site) as conn:
        _replace(conn, {SETTLED: last})


@contextmanager
def _alone(site: Site) -> Iterator[Connection]:
    with writing(site.keys) as conn:
        take_turns(conn, "ledger:head")
        yield conn


def _replace(conn: Connection, states: dict[str, Checkpoint | None]) -> None:
    conn.execute(delete(head))
    rows = [{"state": state, **asdict(one)} for state, one in states.items() if one is not None]
    if rows:
        conn.execute(insert(head), rows)


def _rows(conn: Connection) -> dict[str, Checkpoint]:
    return {row.state: _checkpoint(row) for row in conn.execute(select(head))}


def _checkpoint(row: Row[Any]) -> Checkpoint:
    return Checkpoint(**{name: value for name, value in row._mapping.items() if name != "state"})
