"""Links entries that are not sealed yet into the tree, in batches, and signs a checkpoint for each batch.

What could go wrong: two sealers give one position to two entries; a sealer dies between giving positions and signing; an entry
commits late on PostgreSQL, with an id below ones that are sealed already; the store is an old copy, and what is sealed on top
of it hides what was lost. So a batch is one transaction under a lock that only sealers take: positions and checkpoint appear
together or not at all. The order that is sealed is that of positions; an entry that commits late gets a later one. And a tree
grows only if it contains the kept head (``heads``): the last checkpoint must be that head, and the new tree is made from its
peaks. Writers of entries never wait for any of this.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Select, Update, func, insert, select, text, update

from troth.errors import Unverifiable
from troth.ledger.checkpoints import Checkpoint, frontier_of, genuine, key_id, signed
from troth.ledger.heads import HINT, announce, last_checkpoint, of_sealer, settle
from troth.ledger.keys import signing_key
from troth.ledger.sums import enter_sums
from troth.ledger.tables import checkpoint, entry
from troth.ledger.tree import Frontier
from troth.store.site import Site

BATCH = 10_000
_LOCK = 0x74726F74_6C656467  # any number that nothing else on this database locks


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a round of sealing did: entries sealed, and the size of the tree now."""

    entries: int
    size: int


def seal(site: Site, batch: int = BATCH, recorded: bool = False) -> Sealed:
    """Seal what waits, a batch a transaction, until less than a batch was left.

    ``recorded``: what witnesses deny was recorded as lost, in an entry that this very seal is to cover.

    Raises:
        Unverifiable: when the last checkpoint is not what this site signed, or is not the kept head; nothing is sealed then.
        StoreError: when the signing key is missing or the store does not answer.
    """
    entries = size = 0
    full = True
    while full:
        before, latest = _seal_batch(site, batch, recorded)
        size = latest.size if latest else 0
        entries += size - before
        full = size - before == batch
        if latest:
            settle(site, latest)
    return Sealed(entries, size)


def unsealed(conn: Connection) -> int:
    """How many entries are not sealed yet."""
    return conn.execute(select(func.count()).select_from(waiting().subquery())).scalar_one()


def waiting() -> Select[tuple[int]]:
    """The query for entries not sealed yet, in the order in which they will be."""
    return select(entry.c.id).where(entry.c.position.is_(None)).order_by(entry.c.id)


def placing(start: int, batch: int) -> Update:
    """The statement that gives the next ``batch`` entries their positions, counted from ``start``."""
    first = waiting().limit(batch).subquery("first")
    place = func.row_number().over(order_by=first.c.id) + (start - 1)
    placed = select(first.c.id, place.label("position")).subquery("placed")
    return update(entry).where(entry.c.id == placed.c.id).values(position=placed.c.position)


def _seal_batch(site: Site, batch: int, recorded: bool) -> tuple[int, Checkpoint | None]:
    """Seal one batch; the size of the tree before, and its last checkpoint after."""
    with site.writing() as conn:
        _only_sealer(conn)
        last = last_checkpoint(conn)
        _contains_the_head(site, conn, last, recorded)
        before = last.size if last else 0
        if conn.execute(waiting().limit(1)).first() is None:
            return before, last
        key = signing_key(site, make=last is None)
        tree = _tree_of(site.name, last, key.public_key())
        _nothing_beyond(conn, before)
        enter_sums(site, conn)
        conn.execute(placing(before, batch))
        leaves = select(entry.c.leaf).where(entry.c.position >= before).order_by(entry.c.position)
        latest = signed(site.name, tree.extended(conn.execute(leaves).scalars()), site.now(), key)
        conn.execute(insert(checkpoint), asdict(latest))
        announce(site, last, latest)
        return before, latest


def _contains_the_head(site: Site, conn: Connection, last: Checkpoint | None, recorded: bool) -> None:
    """Refuse to go on with a ledger that is not the one whose head was kept."""
    problem = of_sealer(site, conn, last)
    if problem is not None and not (recorded and problem.kind == "witness"):
        raise Unverifiable(problem.words, HINT)


def _only_sealer(conn: Connection) -> None:
    """Wait until no other process seals; on SQLite whoever writes is alone already."""
    if conn.dialect.name == "postgresql":
        conn.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})


def _tree_of(ledger: str, last: Checkpoint | None, key: Ed25519PublicKey) -> Frontier:
    if last is None:
        return Frontier()
    if last.key_id != key_id(key):
        hint = "Put back the `ledger.key` that signed it; every host of a site uses the same one."
        raise Unverifiable("The ledger's last checkpoint was signed with another key.", hint)
    tree = frontier_of(last)
    if tree is None or not genuine(ledger, last, {last.key_id: key}):
        raise _tampered("The ledger's last checkpoint was changed.")
    return tree


def _nothing_beyond(conn: Connection, size: int) -> None:
    if conn.execute(select(entry.c.id).where(entry.c.position >= size).limit(1)).first() is not None:
        raise _tampered("The ledger holds entries with a position that no checkpoint covers.")


def _tampered(message: str) -> Unverifiable:
    return Unverifiable(message, "Nothing was sealed. Run `troth ledger verify` and look into it.")
