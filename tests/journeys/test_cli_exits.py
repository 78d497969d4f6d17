"""Every command ends with the code that its documentation gives: the example of each is run where it cannot do its work.

With an error that nobody settled the answer of whatever judges the files is no (1); all others cannot be done (2), since
nothing is published. In a folder without any site nothing can be done.
"""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

from __future__ import annotations

import inspect
import re
import shlex
import shutil
from pathlib import Path

import pytest
import typer.main

from tests.terminal import blank, edit, published, shop, troth  # noqa: F401  (fixtures)
from troth.cli import app
from troth.commands.reference import commands_of

COMMANDS = dict(commands_of(typer.main.get_command(app)))
JUDGES = ("troth check", "troth publish", "troth serve", "troth work", "troth rehearse", "troth export dpv")
"""commands whose answer depends on what the files say, so that an unsettled error is a no"""
WORKS_ON_A_DRAFT = ("troth notice", "troth diff")
"""what shows the files as they stand, whatever is wrong with them"""
WITHOUT_A_SITE = ("troth init", "troth schema", "troth demo")
ABOUT_A_SITE = sorted(COMMANDS.keys() - set(WITHOUT_A_SITE))


def example(name: str, folder: Path) -> list[str]:
    """What the example of a command types, with ``folder`` for the site, up to where a shell takes over."""
    [typed] = re.findall(r"Example: (.+)", COMMANDS[name].help)
    words = shlex.split(re.split(r" [|<>] ", typed)[0])[1:]
    return [re.sub(r"^(sites/\*|sites/\w+|published/my-shop|my-shop)$", str(folder), word) for word in words]


def exits(name: str) -> dict[int, str]:
    """What a command's documentation says of each exit code that it names."""
    [said] = re.findall(r"Exit: (.+)", COMMANDS[name].help) or [""]
    return {int(code): words for code, words in re.findall(r"(\d) ([^;]+)", said)}


@pytest.mark.parametrize("name", ABOUT_A_SITE)
def test_a_site_that_is_not_there_is_something_that_could_not_be_done(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = troth(*example(name, tmp_path / "nowhere"), input="{}")
    assert (asked.exit_code, "Traceback" in asked.output) == (2, False), asked.output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ABOUT_A_SITE)
def test_an_unsettled_error_is_a_no_of_whatever_judges_the_files(
    name: str, blank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = troth(*example(name, blank), input="{}")
    if name in WORKS_ON_A_DRAFT:
        return
    assert asked.exit_code == (1 if name in JUDGES else 2), asked.output
    if name in JUDGES:
        assert "unsettled" in exits(name)[1] or "no decision settles" in exits(name)[1]
        assert "operator.name" in asked.output


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_that_may_end_with_a_no_says_when(name: str) -> None:
    source = inspect.getsource(inspect.unwrap(COMMANDS[name].callback))
    if "Exit(NO)" in source or "settled(" in source:
        assert 1 in exits(name)


def test_a_version_that_may_not_follow_is_a_no(published: Path) -> None:
    edit(published / "policy.yaml", "silence: 90 days", "silence: 91 days")
    assert troth("publish", published).exit_code == 1, "what is published is not rewritten"
    edit(published / "policy.yaml", "version: 1", "version: 2")
    soon = troth("publish", published)
    assert (soon.exit_code, "before people had time" in soon.output) == (1, True), soon.output
    assert troth("publish", published, "--take-back", 1).exit_code == 1, "it has taken effect"
    assert troth("publish", published, "--take-back", 7).exit_code == 2, "there is none"
    shutil.rmtree(published / "var")
    (published / "policy.yaml").unlink()
    assert troth("publish", published).exit_code == 2, "there is nothing to read"
