"""Operators are rehearsed on SQLite while processes are killed, stores fail and clocks are wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rehearsals import few_in_every_run
from tests.troubles import FIRST, passes_in_spite_of_everything


@pytest.mark.parametrize("name", few_in_every_run(FIRST, few={"ledflex", "ledinside"}))
def test_a_life_full_of_faults_keeps_every_promise(
    name: str, fresh_database: Callable[..., str], tmp_path: Path
) -> None:
    passes_in_spite_of_everything(name, "sqlite", fresh_database, tmp_path)
