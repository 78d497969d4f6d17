"""People to be counted: what each holds of some fields, for a count that is on the ledger already, and for nothing else.

What could go wrong: a value leaves with whoever it is about. So the one caller is the room of figures, which says how many and
never who; whoever objects to the purpose, is restricted, or may not be counted for any other reason is not among them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from sqlalchemy import Connection, select

from troth.consent.stops import actions as stops
from troth.consent.stops.rules import comes_from, left_out
from troth.decide import Ask
from troth.people.bodies import holdings_with, latest_values
from troth.people.facts import BATCH, By, gather
from troth.people.keystore import open_keys
from troth.people.tables import person
from troth.store.site import Site


def held_by_each(site: Site, fields: Collection[str], purpose: str, by: By) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Each person who may be counted for ``purpose``, and the youngest value of each of ``fields`` that is held of them.

    Goes through people in the order of their numbers, ``BATCH`` at a time. Those of whom none of the fields is held are left
    out; without fields everybody is there.
    """
    after = ""
    while True:
        with site.reading() as conn:
            ids = list(conn.scalars(select(person.c.id).where(person.c.id > after).order_by(person.c.id).limit(BATCH)))
            if not ids:
                return
            yield from _batch(site, conn, ids, frozenset(fields), purpose, by)
        after = ids[-1]


def _batch(
    site: Site, conn: Connection, ids: list[str], fields: frozenset[str], purpose: str, by: By
) -> list[tuple[str, Mapping[str, str]]]:
    policy = site.policy(conn)
    gathered = gather(site, conn, ids, site.now(), policy=policy)
    stopped = stops.facts(conn, [purpose])
    allowed = [
        one
        for one in ids
        if one in gathered.people
        and policy.decide(
            Ask(
                "count",
                purpose,
                fields,
                gathered.people[one].kind,
                facts=gathered.facts(one, by, purpose) | stopped,
            )
        ).allowed
    ]
    if not fields:
        return [(one, {}) for one in allowed]
    sealed, origins = holdings_with(conn, allowed, fields, purpose), left_out(stopped)
    counted = {
        one: [each for each in its if not comes_from(origins, each.source, each.partner)] for one, its in sealed.items()
    }
    keys = open_keys(site, [one for one, its in counted.items() if its])
    return [(one, latest_values(its, keys[one], fields)) for one, its in counted.items() if its and one in keys]
