"""A build that breaks a promise is caught: each patch of ``tests/mutants`` breaks one, and the rehearsal must find it.

The first line of a patch says which promise of the engine it breaks and how, the second which kind of violation must be found,
the third how ``tests/mutants/site`` lives: ``quietly``, or ``with faults`` where only those show it. To make one: change a copy
of the source, and put those lines above what ``git diff`` says.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.databases import unavailable

ROOT = Path(__file__).parents[2]
MUTANTS = ROOT / "tests" / "mutants"
PATCHES = sorted(MUTANTS.glob("*.patch"))


@dataclass(frozen=True)
class Mutant:
    """What the lines above a patch say."""

    breaks: str
    caught: str
    faults: bool


def read(patch: Path) -> Mutant:
    lines = patch.read_text("utf-8").splitlines()[:3]
    said = dict(line.split(": ", 1) for line in lines)
    assert list(said) == ["Breaks", "Caught", "Lives"], f"{patch.name} must begin with Breaks, Caught and Lives"
    assert said["Lives"] in {"quietly", "with faults"}
    return Mutant(said["Breaks"], said["Caught"], said["Lives"] == "with faults")


def live(source: Path, faults: bool) -> tuple[int, dict[str, Any]]:
    """Exit code and findings of a rehearsal by the code in ``source``, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "tests.mutants.life", str(MUTANTS / "site"), *(["faults"] if faults else [])]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 1}, done.stderr
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


@cache
def whole(faults: bool) -> tuple[int, dict[str, Any]]:
    """The same life by the code as it is."""
    return live(ROOT / "src", faults)


def broken(patch: Path, folder: Path) -> Path:
    """A copy of the source with ``patch`` applied."""
    git = shutil.which("git")
    if git is None:
        unavailable("no git on the PATH, which a checkout needs anyway; hint: apt install git")
    shutil.copytree(ROOT / "src" / "troth", folder / "src" / "troth")
    done = subprocess.run([git, "apply", str(patch)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (
        f"{patch.name} no longer applies: {done.stderr}\n"
        f"Renew it: make the change it describes ({read(patch).breaks}) in a copy of src/troth as it is now,"
        " and put its first three lines above the new `git diff`."
    )
    return folder / "src"


def test_there_are_mutants_of_every_sort() -> None:
    assert len(PATCHES) >= 10
    assert {read(patch).caught for patch in PATCHES} >= {"let out", "outlived", "lost", "ledger", "taken in"}
    assert any(read(patch).faults for patch in PATCHES)


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.stem)
def test_a_broken_build_is_caught(patch: Path, tmp_path: Path) -> None:
    mutant = read(patch)
    code, lived = live(broken(patch, tmp_path), mutant.faults)
    assert (code, mutant.caught in lived["found"]) == (1, True), (mutant.breaks, lived["found"])
    good, as_it_is = whole(mutant.faults)
    assert (good, as_it_is["found"], as_it_is["events"]) == (0, {}, lived["events"])
