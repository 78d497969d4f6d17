"""Operators are rehearsed on PostgreSQL while processes are killed, stores fail and clocks are wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rehearsals import few_in_every_run
from tests.troubles import FIRST, passes_in_spite_of_everything


@pytest.mark.parametrize("name", few_in_every_run(FIRST))
def test_a_life_full_of_faults_keeps_every_promise(
    name: str, fresh_database: Callable[..., str], tmp_path: Path
) -> None:
    passes_in_spite_of_everything(name, "postgresql", fresh_database, tmp_path)
