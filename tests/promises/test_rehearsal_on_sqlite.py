"""Each operator is rehearsed on SQLite: nothing is lost, nothing outlives its clock, every promise is kept."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rehearsals import DAYS, NAMES, SHORT, few_in_every_run, passes


@pytest.mark.parametrize("name", few_in_every_run(NAMES, few=()))
def test_a_life_keeps_every_promise(name: str, fresh_database: Callable[..., str], tmp_path: Path) -> None:
    passes(name, "sqlite", DAYS[name], fresh_database, tmp_path)


@pytest.mark.parametrize("name", few_in_every_run(NAMES, few={"infortrend"}))
def test_a_shorter_life_keeps_every_promise(name: str, fresh_database: Callable[..., str], tmp_path: Path) -> None:
    passes(name, "sqlite", SHORT[name], fresh_database, tmp_path)
