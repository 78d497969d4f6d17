"""A policy that nobody wrote lives as well as any: the language has no corner that the engine or its rehearsal forgot.

The rest of the sites are in ``test_generated_policies_more.py``, so that both files can run side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.generated import generated, options
from tests.generated_lives import lives, lots

LIVED = range(10)
ALL = range(200)


def test_everything_that_the_model_lets_a_policy_say_is_said() -> None:
    """A new option of the language is drawn as soon as it is there, so that it is rehearsed; one that is not is found here."""
    used = {one for seed in ALL for one in generated(seed).used}
    assert used >= options()


@pytest.mark.parametrize("seeds", lots(LIVED.start, LIVED.stop), ids=str)
def test_a_policy_that_nobody_wrote_lives(seeds: range, fresh_database: Callable[..., str], tmp_path: Path) -> None:
    for seed in seeds:
        lives(seed, "sqlite", fresh_database, tmp_path)
