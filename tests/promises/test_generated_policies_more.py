"""More policies that nobody wrote (see ``test_generated_policies.py``), and some of all of them on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.generated_lives import lives, lots

ON_POSTGRESQL = range(5, 200, 40)


@pytest.mark.long
@pytest.mark.parametrize("seeds", lots(20, 200), ids=str)
def test_a_policy_that_nobody_wrote_lives(seeds: range, fresh_database: Callable[..., str], tmp_path: Path) -> None:
    for seed in seeds:
        lives(seed, "sqlite", fresh_database, tmp_path)


@pytest.mark.parametrize("seed", ON_POSTGRESQL)
def test_a_policy_that_nobody_wrote_lives_on_postgresql(
    seed: int, fresh_database: Callable[..., str], tmp_path: Path
) -> None:
    lives(seed, "postgresql", fresh_database, tmp_path)
