"""A trial: acts carried out on the real stores by the real functions, and taken back whole.

A proof that says "this is refused" should have tried it. What a trial writes, the refusal on the ledger included, is never
committed, so it leaves no case behind; work for after the commit never begins.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from sqlalchemy import Connection

from troth.policy.compile import Compiled
from troth.store.site import Site


@dataclass(frozen=True)
class Trial(Site):
    """A site of which all reading and writing goes through one transaction that will not be committed."""

    conn: Connection
    compiled: Compiled

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """The one transaction."""
        with nullcontext(self.conn) as conn:
            yield conn

    reading = writing
    alone = writing

    def policy(self, conn: Connection | None = None, at: object = None) -> Compiled:
        """The version in force when the trial began."""
        return self.compiled


@contextmanager
def trial(site: Site) -> Iterator[Trial]:
    """``site`` for acts that are taken back at the end of the block.

    Raises:
        StoreError: when the store is locked or gone.
    """
    with site.writing() as conn:
        compiled, undo = site.policy(conn), conn.begin_nested()
        try:
            yield Trial(site.folder, site.wiring, site.engine, site.keys, site.clock, conn=conn, compiled=compiled)
        finally:
            undo.rollback()
