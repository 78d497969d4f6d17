"""Each operator lives a year on SQLite, then every promise is proven. One file a store: they run side by side."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.years import NAMES, every_promise_is_kept_after_a_year


@pytest.mark.parametrize("name", NAMES)
def test_a_year_later_every_promise_is_kept(name: str, fresh_database: Callable[..., str], tmp_path: Path) -> None:
    every_promise_is_kept_after_a_year(name, "sqlite", fresh_database, tmp_path)
