"""The page of benchmarks shows of each figure the newest, and what belongs to it in its place."""

from pathlib import Path

from benchmarks.measure import Figure, Pairs, figure
from benchmarks.report import kept, newest
from troth.clock import utc


def line(what: str, store: str, ours: float) -> Figure:
    return figure(what, Pairs((ours,), (1.0,)), None, ours="ours", theirs="theirs", store=store)


def test_a_figure_taken_anew_replaces_its_own_kind_and_no_other(tmp_path: Path) -> None:
    first = [line("reading", "sqlite", 2), line("... half", "sqlite", 3), line("writing", "sqlite", 4)]
    kept([*first, line("... half", "sqlite", 5)], {"cores": 1}, False, utc(2026, 1, 5), tmp_path)
    again = [line("writing", "sqlite", 6), line("... half", "sqlite", 7), line("writing", "postgresql", 8)]
    kept(again, {"cores": 2}, False, utc(2026, 1, 6), tmp_path)
    machine, found = newest(tmp_path)
    assert machine == {"cores": 2}
    assert [(day, one.what, one.store, one.reached) for day, one in found] == [
        ("2026-01-05", "reading", "sqlite", 2),
        ("2026-01-05", "... half", "sqlite", 3),
        ("2026-01-06", "writing", "sqlite", 6),
        ("2026-01-06", "... half", "sqlite", 7),
        ("2026-01-06", "writing", "postgresql", 8),
    ]


def test_several_runs_of_one_day_are_all_kept(tmp_path: Path) -> None:
    names = [kept([], {}, False, utc(2026, 1, 5), tmp_path).name for _ in range(3)]
    assert names == ["2026-01-05.json", "2026-01-05-2.json", "2026-01-05-3.json"]
