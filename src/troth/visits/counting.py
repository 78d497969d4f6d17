"""Visits to be counted: what each record holds of some fields, for a count that is on the ledger already."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import count

from sqlalchemy import Connection

from troth.consent.stops import actions as stops
from troth.decide import Ask
from troth.people.vault import By
from troth.policy.compile import Compiled
from troth.store.site import Site
from troth.visits.actions import stream
from troth.visits.rules import ADDRESS, DEVICE, TIME

DAY = "day"


def ask_of_visits(conn: Connection, fields: Collection[str], purpose: str, by: By) -> Ask:
    """Whether visits may be counted for ``purpose`` by these fields of their records."""
    asked = frozenset(TIME if field == DAY else field for field in fields)
    return Ask("count", purpose, asked, facts=by.facts("") | stops.facts(conn, [purpose]))


def recorded_by_each(site: Site) -> Iterator[tuple[str, Mapping[str, str]]]:
    """From where each visit came that has not expired, and its record; ``day`` is its day in UTC.

    From where is the address and the code that were recorded, which are told to nobody: many visits from one place are one
    visitor's as far as can be known. Where the policy records neither, each visit counts as another's.
    """
    compiled = site.policy()
    places, numbers = _places(compiled), count()
    for visit in stream(site, compiled, None):
        where = " ".join(visit.fields.get(field, "") for field in places) if places else str(next(numbers))
        yield where, {**visit.fields, DAY: visit.at.date().isoformat()}


def _places(compiled: Compiled) -> list[str]:
    """The recorded fields that tell visitors apart."""
    visits, data = compiled.policy.visits, compiled.policy.data
    records = visits.records if visits else ()
    return [field for field in records if field in data and data[field].category in {ADDRESS, DEVICE}]
