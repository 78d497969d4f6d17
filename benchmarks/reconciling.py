"""Reconciling: the marks of a million rows computed again, and a second look at the same rows, beside counting them.

The rows are holdings, choices, disclosures and people, written by Troth's own connection, so that each carries its mark. The
first look hashes every row; the second compares digests of strides and hashes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import func, select, text

from benchmarks.measure import Figure, Goal, Pairs, figure, seconds
from benchmarks.registry import Bench, benchmark
from benchmarks.stores import START, Kind, shop
from troth.clock import to_micros
from troth.consent.tables import choice
from troth.ledger.walk import unmoving
from troth.people.tables import holding, person
from troth.recipients.tables import disclosure
from troth.reconcile.reconcile import Before, differences
from troth.store.site import Site

ROWS = 1_000_000
NUMBERS = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {last}) ",
    "postgresql": "WITH n AS (SELECT generate_series(0, {last}) AS i) ",
}
NAMED = {"sqlite": "printf('%026d', {number})", "postgresql": "lpad(({number})::text, 26, '0')"}
BODY = {"sqlite": "randomblob(200)", "postgresql": "decode(repeat(md5(random()::text), 12), 'hex')"}
MADE = (
    (10, "INSERT INTO person (id, kind, state, since) {n} SELECT {i}, 'customer', 'active', {at} FROM n"),
    (
        40,
        "INSERT INTO holding (id, person_id, shape_id, at, policy_version, told, submission, body)"
        " {n} SELECT {i}, {one}, 1, {at} + i, 1, '{digest}', {i}, {body} FROM n",
    ),
    (
        30,
        "INSERT INTO choice (id, person_id, scope, state, at, shown, channel, policy_version)"
        " {n} SELECT {i}, {one}, 'marketing', 'given', {at} + i, '{digest}', 'register', 1 FROM n",
    ),
    (
        20,
        "INSERT INTO disclosure (id, person_id, recipient, purpose, fields, case_ref, ground, record, at, state)"
        " {n} SELECT {i}, {one}, 'courier', 'fulfil_order', 'full_name', '', '', '{{}}', {at} + i, 'delivered' FROM n",
    ),
)
"""percent of the rows, and how they are made"""


@benchmark("reconciling")
def reconciling(bench: Bench) -> Iterator[Figure]:
    """A first and a second look on each store."""
    for kind in bench.stores.kinds:
        with shop(bench.stores, kind) as site:
            rows = bench.size(ROWS)
            _fill(site, kind, rows)
            first, again, count = _looks(bench, site)
            told = {"store": kind, "size": f"{rows:,} rows", "theirs": "count(*)"}
            yield figure("first look at every row", Pairs(first, count), Goal("seconds", 20), ours="marks", **told)
            yield figure(
                "second look, nothing changed", Pairs(again, count), Goal("seconds", 2), ours="digests", **told
            )


def _fill(site: Site, kind: Kind, rows: int) -> None:
    with site.writing() as conn:
        conn.execute(text("INSERT INTO shape (point, source, fields) VALUES ('order', 'form', 'full_name')"))
        for percent, statement in MADE:
            conn.exec_driver_sql(
                statement.format(
                    n=NUMBERS[kind].format(last=rows * percent // 100 - 1),
                    i=NAMED[kind].format(number="i"),
                    one=NAMED[kind].format(number=f"mod(i, {max(1, rows // 10)})"),
                    at=to_micros(START),
                    digest="a" * 64,
                    body=BODY[kind],
                )
            )


def _looks(bench: Bench, site: Site) -> tuple[tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    first, again, count = [], [], []
    for _ in range(bench.pairs):
        before = Before()
        first.append(seconds(lambda: _look(site, before)))  # noqa: B023 - called at once
        again.append(seconds(lambda: _look(site, before)))  # noqa: B023
        count.append(seconds(lambda: _count(site)))
    return tuple(first), tuple(again), tuple(count)


def _look(site: Site, before: Before) -> None:
    with unmoving(site) as conn:
        found = list(differences(conn, "data", before))
    if found:
        raise AssertionError(found[0].line())


def _count(site: Site) -> None:
    with site.reading() as conn:
        for table in (person, holding, choice, disclosure):
            conn.scalar(select(func.count()).select_from(table))
