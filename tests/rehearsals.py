"""Rehearsals of the five operators, for tests: long enough for clocks to run out, with people enough to meet each other."""

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

import pytest

from tests.databases import StoreKind
from tests.first_day import data_tables_made, key_tables_made
from tests.operators import SITES
from troth.rehearsal.result import Rehearsal
from troth.rehearsal.run import rehearse
from troth.web.inside import Inside

NAMES = sorted(path.parent.name for path in SITES.glob("*/policy.yaml"))
DAYS = {"ledflex": 185, "infortrend": 185, "ledinside": 120, "made-in-china": 120, "optokingdom": 120}
"""as long as the longest clock that can run out, until its data is destroyed: others count from the end of years of silence"""
SHORT = {"ledflex": 70, "infortrend": 100, "ledinside": 70, "made-in-china": 70, "optokingdom": 70}
"""long enough for visits, for erasures and for what an amendment shortens"""
IN_EVERY_RUN = {"ledflex"}
"""this one is lived on PostgreSQL in every run, another on SQLite; in `make test-all` all five are, for all of their days"""


def few_in_every_run(names: Iterable[str], *also: str, few: Collection[str] = frozenset(IN_EVERY_RUN)) -> list[object]:
    """``names`` as parameters, each with what is ``also`` given.

    All but ``few`` of them are left to `make test-all`: they take long and show the least.
    """
    return [pytest.param(name, *also, marks=() if name in few else pytest.mark.long) for name in names]


def rehearsed(name: str, kind: StoreKind, days: int, fresh_database: Callable[..., str], folder: Path) -> Rehearsal:
    """The site called ``name`` lived for so many ``days`` on fresh stores of this kind."""
    return rehearse(
        SITES / name,
        days=days,
        people=30,
        database=fresh_database(kind, prepared_by=data_tables_made),
        keys=fresh_database(kind, prepared_by=key_tables_made),
        folder=folder,
        door=Inside,
    )


def passes(name: str, kind: StoreKind, days: int, fresh_database: Callable[..., str], folder: Path) -> None:
    """The rehearsal finds nothing wrong, and it did try: data went, hostile input came, reads and disclosures were refused."""
    life = rehearsed(name, kind, days, fresh_database, folder)
    assert [(one.day, one.kind, one.about, one.says) for one in life.violations] == []
    assert life.report.broken == ()
    assert life.report.summary["kept"] > life.report.summary["nothing to check yet"]
    assert sum(day.destroyed for day in life.days) > 0
    assert life.happened["hostile: refused"] > 0
    assert life.happened["read: refused"] > 0
    assert life.happened["disclose: refused"] > 0
