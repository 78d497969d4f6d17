"""Accepting a store that somebody put back without Troth: why is recorded, and what is known of the time between done again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from troth.errors import Refused
from troth.ledger import heads, seal
from troth.ledger.keys import public_keys
from troth.ledger.restored import RECORDED, enter, role_and_reason
from troth.restoring.record import Said, carry_over, of_file
from troth.restoring.replay import Replayed, replay
from troth.store.site import Site


def accept(site: Site, because: str, by: str, record: Path | None = None) -> tuple[heads.Problem, Replayed]:
    """Record why the stores are not what was sealed, and go on from what they hold; what was wrong, and was done again.

    ``record`` is an export or witness file of the ledger: entries that the store lacks are carried over from it, and the
    erasures, noes and deliveries among them done again. Interrupted, it is begun again by whoever calls it again.

    Raises:
        Refused: when the stores are what was sealed.
        InvalidInput: without a role or a reason.
        Unverifiable: when ``record`` does not go on from the store's ledger, or that cannot be sealed for another cause.
    """
    role, reason = role_and_reason(because, by)
    problem = heads.look(site)
    if problem is None:
        raise Refused("Nothing is to be recorded: the stores are what was sealed.")
    said: list[Said] = []
    with site.writing() as conn:
        if record is not None:
            said = carry_over(conn, of_file(record, site.name), site.name, public_keys(site))
        last = heads.last_checkpoint(conn)
        found = problem.lost is not None and heads.held(conn, problem.lost)
        enter(site, conn, RECORDED, reason, role, replace(problem, lost=None) if found else problem, last)
    replayed = replay(site, said)
    heads.reset(site, last)
    seal(site)
    return problem, replayed
