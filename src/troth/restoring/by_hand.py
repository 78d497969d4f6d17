"""Accepting a store that somebody put back without Troth: why is recorded, and what is known of the time between done again.

What could go wrong: the process dies when it is recorded and carried over and not yet done again; the ledger is whole, and
whoever was erased in between stays in use. So what is recorded says that it is not finished, and who calls again goes on.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, or_, select

from troth.errors import Refused
from troth.ledger import heads, seal
from troth.ledger.keys import public_keys
from troth.ledger.restored import RECORDED, Unfinished, enter, finish, role_and_reason, unfinished
from troth.ledger.tables import entry
from troth.restoring.record import Said, carry_over, of_file
from troth.restoring.replay import Replayed, replay
from troth.store.site import Site


def accept(site: Site, because: str, by: str, record: Path | None = None) -> tuple[heads.Problem, Replayed]:
    """Record why the stores are not what was sealed, and go on from what they hold; what was wrong, and was done again.

    ``record`` is an export of the ledger: entries that the store lacks are carried over from it, and the erasures, noes and
    deliveries among them done again. One that was interrupted is gone on with, for the reason that was recorded then.

    Raises:
        Refused: when the stores are what was sealed.
        InvalidInput: without a role or a reason.
        Unverifiable: when ``record`` does not go on from the store's ledger, or that cannot be sealed for another cause.
    """
    role, reason = role_and_reason(because, by)
    with site.reading() as conn:
        begun = unfinished(conn)
    if begun is None:
        begun = _recorded(site, reason, role, record)
    with site.reading() as conn:
        said = _said(conn, begun)
        last = heads.last_checkpoint(conn)
    replayed = replay(site, said, begun.at, all_is_said=record is not None)
    heads.reset(site, last)
    seal(site, recorded=True)
    with site.writing() as conn:
        finish(site, conn, begun.restoration)
    seal(site)
    return begun.found, replayed


def _recorded(site: Site, reason: str, role: str, record: Path | None) -> Unfinished:
    problem = heads.look(site)
    if problem is None:
        raise Refused("Nothing is to be recorded: the stores are what was sealed.")
    with site.writing() as conn:
        last = heads.last_checkpoint(conn)
        first, said = last.size if last else 0, []
        if record is not None:
            said = carry_over(conn, of_file(record, site.name), site.name, public_keys(site), all_sealed=True)
            last = heads.last_checkpoint(conn)
        until = max((one.id for one in said), default=0)
        found = problem.lost is not None and heads.held(conn, problem.lost)
        gap = replace(problem, lost=None) if found else problem
        enter(site, conn, RECORDED, reason, role, gap, last, carried=(first, until))
        begun = unfinished(conn)
    if begun is None:
        raise Refused("The record of this was lost.")
    return replace(begun, found=problem)


def _said(conn: Connection, begun: Unfinished) -> list[Said]:
    """What the entries say that were carried over."""
    carried = or_(entry.c.position >= begun.first, entry.c.position.is_(None)), entry.c.id <= begun.until
    rows = conn.execute(
        select(entry.c.at, entry.c.event, entry.c.body, entry.c.id).where(*carried).order_by(entry.c.id)
    )
    return [Said(row.at, row.event, json.loads(row.body), row.id) for row in rows]
