"""Each operator is rehearsed on PostgreSQL: nothing is lost, nothing outlives its clock, every promise is kept."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.rehearsals import NAMES, passes


@pytest.mark.parametrize("name", NAMES)
def test_a_life_keeps_every_promise(name: str, fresh_database: Callable[..., str], tmp_path: Path) -> None:
    passes(name, "postgresql", fresh_database, tmp_path)
