"""The documents say what the code does: the reference is made from it, the tutorial is run, every link leads somewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer.main

from scripts.documents import MADE
from tests.databases import unavailable
from troth.cli import app
from troth.commands.reference import commands_of
from troth.settings import (
    Agent,
    Attestation,
    Controller,
    DataRightsProtocol,
    Delivery,
    KeyWires,
    LedgerWires,
    MailboxWires,
    MailWires,
    OpenDsr,
    Program,
    ReceiveWires,
    StoreWires,
    Wires,
    Wiring,
    WitnessWires,
)

ROOT = Path(__file__).parents[2]
TROTH = typer.main.get_command(app)
COMMANDS = {name for name, _ in commands_of(TROTH)}
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")])


# --- the tutorial --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Step:
    """A block of the tutorial: a script with the output it announces, or YAML for a file."""

    kind: str
    text: str
    file: str = ""
    whole: bool = False
    expected: str = ""


BLOCK = re.compile(
    r"(?:^In `(?P<file>[^`\n]+)`, replace the (?:section `(?P<section>\w+)`|whole file)[^\n]*:\n\n)?"
    r"```(?P<kind>\w+)\n(?P<text>.*?)```",
    re.DOTALL | re.MULTILINE,
)
"""A block, and before that of a file the words that tell a reader what to do with it: the test does just that."""


def steps(document: str) -> list[Step]:
    found: list[Step] = []
    for block in BLOCK.finditer(document):
        if block["kind"] == "text":
            last = found.pop()
            found.append(Step(last.kind, last.text, last.file, last.whole, block["text"]))
        else:
            assert not block["section"] or block["text"].startswith(f"{block['section']}:"), block["text"]
            found.append(Step(block["kind"], block["text"], block["file"] or "", not block["section"]))
    return found


def put(file: Path, section: str) -> None:
    """Replace the top-level section that ``section`` begins with, up to the next one."""
    key = section.partition(":")[0]
    text, count = re.subn(
        rf"^{key}:.*?(?=^\S|\Z)", lambda _: f"{section}\n", file.read_text(), flags=re.DOTALL | re.MULTILINE
    )
    assert count == 1, f"{file} has no section {key}"
    file.write_text(text)


def run(script: str, folder: Path, port: int) -> str:
    """One block in a shell of its own; what it starts in the background goes on."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "300"}
    output = folder / "output.txt"
    with output.open("w") as file:
        subprocess.run(["bash", "-c", script.replace("8081", str(port))], cwd=folder, env=env, stdout=file,
                       stderr=subprocess.STDOUT, timeout=150, check=False, start_new_session=False)  # fmt: skip
    return output.read_text()


def matches(expected: str, output: str) -> Iterator[str]:
    """The announced lines that the output lacks; ``...`` stands for anything."""
    for line in expected.splitlines():
        pattern = ".*".join(re.escape(part) for part in line.strip().split("..."))
        if not re.search(pattern, output):
            yield line


def free_port() -> int:
    with socket.socket() as place:
        place.bind(("127.0.0.1", 0))
        return int(place.getsockname()[1])


def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    if not shutil.which("curl"):
        unavailable("no curl on the PATH; hint: apt install curl")
    port = free_port()
    server = tmp_path / "server.pid"
    try:
        for step in steps((ROOT / "docs" / "tutorial.md").read_text()):
            if step.kind == "yaml":
                target = tmp_path / step.file
                target.write_text(step.text) if step.whole else put(target, step.text)
                continue
            script = step.text.replace(" &\n", f" & echo $! > '{server}'\n").replace(
                "kill %1", f"kill $(cat '{server}')"
            )
            output = run(script, tmp_path, port)
            missing = list(matches(step.expected, output))
            assert not missing, f"after\n{step.text}\nthese lines were announced:\n{missing}\nand this came:\n{output}"
    finally:
        if server.exists():
            subprocess.run(["kill", "-9", server.read_text().strip()], check=False, capture_output=True)


def test_a_step_that_announces_something_else_is_noticed() -> None:
    assert list(matches("version 1 ... published\n", "version 1 is published")) == []
    assert list(matches("version 2 ... published\n", "version 1 is published")) == ["version 2 ... published"]


def test_every_block_for_a_file_says_visibly_which_file_and_what_it_replaces() -> None:
    files = [step for step in steps((ROOT / "docs" / "tutorial.md").read_text()) if step.kind == "yaml"]
    assert len(files) == 4 and all(step.file for step in files)
    assert [step.whole for step in files] == [False, False, True, False]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_said_in_a_comment_that_no_reader_sees(document: Path) -> None:
    """But marks, between which a program writes its figures."""
    said = {one.strip() for one in re.findall(r"<!--(.*?)-->", document.read_text(), re.DOTALL)}
    assert said <= {"results", "end of results", "figures", "end of figures"}


def test_every_block_of_the_tutorial_is_run_or_compared() -> None:
    text = (ROOT / "docs" / "tutorial.md").read_text()
    fences = re.findall(r"^```(\w*)$", text, re.MULTILINE)
    assert set(fences) <= {"sh", "text", "yaml", ""}
    assert len(steps(text)) + fences.count("text") == fences.count("") == len(fences) // 2


# --- references ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_from_the_code_is_current(name: str) -> None:
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == MADE[name](), "run: make docs"


def test_every_command_has_an_example_that_is_a_command() -> None:
    for name, command in commands_of(TROTH):
        [example] = re.findall(r"Example: (.+)", command.help)
        assert example.startswith(f"{name} ") or example == name


def test_every_command_and_option_says_what_it_is() -> None:
    for name, command in commands_of(TROTH):
        for part in command.params:
            assert part.help, f"{name} {part.name}"


def _commands_named(text: str) -> Iterator[str]:
    code = re.findall(r"`([^`\n]+)`", text) + [line for line in text.splitlines() if re.match(r"\s*(\$ )?troth ", line)]
    for piece in code:
        for words in re.findall(r"\btroth ((?:[a-z]+ ?){1,2})", piece):
            yield f"troth {words.strip()}"


def _is_command(words: str) -> bool:
    return (
        words in COMMANDS
        or words.rpartition(" ")[0] in COMMANDS
        or any(name.startswith(f"{words} ") for name in COMMANDS)
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_that_is_named_exists(document: Path) -> None:
    unknown = {words for words in _commands_named(document.read_text()) if not _is_command(words)}
    assert not unknown


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for document in DOCUMENTS:
        named = set(re.findall(r"(?:`|^ +)make ([a-z-]+)", document.read_text(), re.MULTILINE))
        assert named <= targets, document


def test_a_command_that_is_not_there_is_noticed() -> None:
    assert not _is_command("troth frobnicate")
    assert list(_commands_named("`troth prove SITE` and\n\n    troth nosuch x")) == ["troth prove", "troth nosuch x"]


# --- links ---------------------------------------------------------------------------------------------------------------


def links(document: Path) -> Iterator[str]:
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    yield from re.findall(r"\]\(([^)\s]+)\)", text)
    yield from re.findall(r'(?:src|href)="([^"]+)"', text)


def headings(document: Path) -> set[str]:
    """The anchors that code hosts make from headings."""
    found = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in links(document):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert not anchor or anchor in headings(target), link


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        reached.add(document)
        for link in links(document):
            target = (document.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.exists() and target not in reached:
                waiting.append(target)
    unreached = set(DOCUMENTS) - reached - set((ROOT / "docs" / "decisions").glob("*.md"))
    assert not unreached


# --- the wiring ----------------------------------------------------------------------------------------------------------


MODELS: tuple[type[Wires], ...] = (
    *(Wiring, StoreWires, KeyWires, Delivery, Program, Attestation),
    *(MailWires, ReceiveWires, MailboxWires),
    *(OpenDsr, Controller, DataRightsProtocol, Agent),
    *(LedgerWires, WitnessWires),
)


def test_operating_names_every_key_of_site_yaml_and_no_other() -> None:
    text = (ROOT / "docs" / "operating.md").read_text()
    table = re.search(r"## What site.yaml may hold\n(.*?)\n## ", text, re.DOTALL)
    assert table
    told = set(re.findall(r"^\| `([a-z ]+)`", table[1], re.MULTILINE))
    assert told == {str(info.alias) for model in MODELS for info in model.model_fields.values()}


def test_the_example_of_site_yaml_is_one(tmp_path: Path) -> None:
    from troth.store.wiring import read_wiring

    text = (ROOT / "docs" / "operating.md").read_text()
    examples = re.findall(r"```yaml\n(name:.*?)```", text, re.DOTALL)
    assert examples
    for number, example in enumerate(examples):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "site.yaml").write_text(example)
        assert read_wiring(tmp_path / str(number)).name


def test_the_policy_in_the_readme_becomes_the_sentence_in_the_readme() -> None:
    from troth.policy.check import check_texts
    from troth.policy.compile import compile_policy
    from troth.policy.notice import notice

    text = (ROOT / "README.md").read_text()
    [policy] = re.findall(r"```yaml\n(policy:.*?)```", text, re.DOTALL)
    checked = check_texts(policy)
    assert checked.policy is not None
    sentences = {item.sentence for item in notice(compile_policy(checked.policy), "en").items}
    quotes = re.findall(r"^> .+(?:\n> .+)*", text, re.MULTILINE)
    quoted = [" ".join(re.sub(r"^> ", "", quote, flags=re.MULTILINE).split()) for quote in quotes]
    assert quoted
    assert set(quoted) <= sentences


def test_the_rooms_are_drawn_as_the_arrows_are_checked() -> None:
    (contract,) = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (drawn,) = re.findall(r"```mermaid\nflowchart TD\n(.*?)```", (ROOT / "docs/how-it-works.md").read_text(), re.DOTALL)
    called = dict(re.findall(r'(\w+)\["([^"]+)"\]', drawn))
    order: list[str] = []
    for line in re.sub(r'\["[^"]+"\]', "", drawn).strip().splitlines():
        first, *below = (one.strip() for one in line.split("-->"))
        assert order[-1:] in ([], [first])
        order += below if order else [first, *below]
    assert [called.get(one, one) for one in order] == contract["layers"]


def test_the_schemas_in_docs_are_valid_json_schema() -> None:
    from jsonschema import Draft202012Validator

    for kind in ("policy", "decisions", "site"):
        Draft202012Validator.check_schema(json.loads((ROOT / "docs" / f"{kind}.schema.json").read_text()))


def test_every_decision_has_a_number_of_its_own() -> None:
    numbers = [page.name[:4] for page in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert numbers == [f"{number:04}" for number in range(1, len(numbers) + 1)]
