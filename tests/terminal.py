"""The command line for tests: run in this process or as one of its own, on sites made from the starter."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from troth import cli

ROOT = Path(__file__).parents[1]
SHOP = ROOT / "tests" / "shop"
TROTH = Path(sys.executable).parent / "troth"
FILLED = {
    '"[the legal name of your business]"': "Lamp Shop Limited",
    '"[an address people can write to about their data]"': "privacy@lamps.example",
    '"[your postal address]"': "1 Lamp Street, Dublin",
}


def filled_in() -> str:
    """The policy of the starter with its blanks filled in: a clean policy."""
    text = files("troth").joinpath("starter/policy.yaml").read_text(encoding="utf-8")
    for placeholder, value in FILLED.items():
        text = text.replace(placeholder, value)
    return text


def troth(*words: object, env: dict[str, str] | None = None, input: str | None = None) -> Result:  # noqa: A002  (Click calls it so)
    return CliRunner().invoke(cli.app, [str(word) for word in words], env=env, input=input)


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@pytest.fixture
def blank(tmp_path: Path) -> Path:
    """A site fresh from the starter, not filled in."""
    folder = tmp_path / "my-shop"
    assert troth("init", folder).exit_code == 0
    return folder


@pytest.fixture
def shop(blank: Path) -> Path:
    for placeholder, value in FILLED.items():
        edit(blank / "policy.yaml", placeholder, value)
    return blank


@pytest.fixture
def published(shop: Path) -> Path:
    done = troth("publish", shop)
    assert done.exit_code == 0, done.output
    return shop


def run(*words: object, **env: str) -> subprocess.CompletedProcess[str]:
    command = [str(TROTH), *(str(word) for word in words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, env={**os.environ, **env}, check=False)
