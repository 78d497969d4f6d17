"""Of some clauses in every run: their tests notice when what they rest on is switched off. `make mutants` asks it of all."""

import os
import subprocess
import sys
from pathlib import Path

from tests.databases import RUN_FOLDER

ROOT = Path(__file__).parents[2]
CLAUSES = 4


def test_what_some_clauses_rest_on_is_missed_when_it_is_switched_off() -> None:
    """Which clauses is a matter of what docs/clauses.md says: the same until that page changes, and then others."""
    env = {name: value for name, value in os.environ.items() if name != RUN_FOLDER and not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "tests.mutation", "--clauses", str(CLAUSES), "--jobs", "1"]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " 0 survived" in done.stdout
