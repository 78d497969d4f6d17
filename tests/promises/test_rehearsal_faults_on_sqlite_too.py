"""Operators are rehearsed on SQLite while processes are killed, stores fail and clocks are wrong."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.troubles import REST, passes_in_spite_of_everything


@pytest.mark.parametrize("name", REST)
def test_a_life_full_of_faults_keeps_every_promise(
    name: str, fresh_database: Callable[..., str], tmp_path: Path
) -> None:
    passes_in_spite_of_everything(name, "sqlite", fresh_database, tmp_path)
