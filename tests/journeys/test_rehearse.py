"""A rehearsal as its users meet it: answers, exit codes, a page, a document for programs, and the way to what went wrong."""

from __future__ import annotations

import html
import json
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.testing import Result

from tests.terminal import SHOP, edit, troth
from troth.people import facts
from troth.rehearsal import asked as rehearsal
from troth.rehearsal.document import schema
from troth.rehearsal.events import read_line


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    """One short life, asked for with everything that can be written."""
    folder = tmp_path_factory.mktemp("rehearsed")
    asked = ("--days", 5, "--people", 12, "--json", "--report", folder / "year.html", "--keep", folder / "kept")
    return troth("rehearse", SHOP, *asked), folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Nothing is written to where the tests were started, and nothing stays in the folder for scratch files."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("TMPDIR", str(here))
    monkeypatch.setattr("tempfile.tempdir", None)
    yield here
    assert not [path for path in here.iterdir() if path.name.startswith("troth-rehearsal-")]


def document(answer: tuple[Result, Path]) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(answer[0].stdout)
    return made


def test_a_life_in_which_all_promises_hold_is_exit_code_zero_and_one_document(answer: tuple[Result, Path]) -> None:
    made = document(answer)
    assert answer[0].exit_code == 0, made["violations"]
    assert made["held"] is True
    assert made["answer"].startswith("Every promise held through 5 days with 12 people")
    assert len(made["counts"]) == 5
    assert made["summary"]["broken"] == 0 < made["summary"]["kept"]
    assert sum(made["counts"][-1]["held"].values()) > 0


def test_the_document_fits_its_schema_and_the_schema_is_one(answer: tuple[Result, Path]) -> None:
    Draft202012Validator.check_schema(schema())
    made = document(answer)
    Draft202012Validator(schema()).validate(made)
    assert not Draft202012Validator(schema()).is_valid({**made, "violations": [{"kind": "other"}]})
    assert json.loads(troth("schema", "rehearsal").stdout) == schema()


def test_the_page_says_the_answer_first(answer: tuple[Result, Path]) -> None:
    page = (answer[1] / "year.html").read_text()
    words = re.sub(r"<[^>]+>", " ", page[page.index("<main") :]).split()
    assert " ".join(words).startswith("Every promise held Every promise held through 5 days with 12 people")
    assert page.count("<svg") > 2
    assert "<script" not in page
    assert not re.findall(r'(?:src|href)="(?!#)', page)


def test_what_is_kept_is_a_site_with_its_stores(answer: tuple[Result, Path]) -> None:
    site = answer[1] / "kept" / "published" / "site"
    assert (site / "var" / "data.db").exists()
    verified = troth("ledger", "verify", site)
    assert verified.exit_code == 0, verified.output
    assert "Whole" in verified.stdout


def test_the_site_itself_is_not_touched(answer: tuple[Result, Path]) -> None:
    assert sorted(path.name for path in SHOP.iterdir()) == ["decisions.yaml", "policy.yaml", "site.yaml"]


def test_a_terminal_shows_each_promise_and_the_answer_last(elsewhere: Path) -> None:
    shown = troth("rehearse", SHOP, "--days", 2, "--people", 3)
    lines = [line for line in shown.stdout.splitlines() if line.strip()]
    assert shown.exit_code == 0, shown.output
    assert lines[0] == "What happened"
    assert any(re.match(r"✓ kept +visits\.keep +oldest visit", line) for line in lines)
    assert "Again: troth rehearse" in shown.stdout
    assert " ".join(lines[-2:]).split("Every promise held")[1].endswith("nothing outlived its time.")
    assert list(elsewhere.iterdir()) == []


# --- what cannot be rehearsed --------------------------------------------------------------------------------------------


def refused(*words: object, code: int = 2) -> str:
    asked = troth("rehearse", *words)
    assert asked.exit_code == code, asked.output
    assert "Traceback" not in asked.output
    assert asked.stdout == ""
    return asked.stderr


def test_what_is_no_site_is_refused_with_what_to_do(tmp_path: Path) -> None:
    assert "policy.yaml" in refused(tmp_path)
    assert "SITE" in refused(tmp_path / "nowhere")


def test_a_life_has_at_least_a_day_and_somebody_in_it() -> None:
    assert "--days" in refused(SHOP, "--days", 0)
    assert "--people" in refused(SHOP, "--people", 0)


def test_a_draft_that_does_not_check_shows_its_findings(tmp_path: Path) -> None:
    draft = Path(shutil.copy(SHOP / "policy.yaml", tmp_path / "draft.yaml"))
    edit(draft, "keep: 60 days, after: relationship ends", "after: relationship ends")
    said = refused(SHOP, "--policy", draft, code=1)
    assert re.search(rf"{tmp_path}/policy.yaml:\d+:\d+: error: ", said) or re.search(
        r"draft.yaml:\d+:\d+: error: ", said
    )
    assert "decisions.yaml" in said


def test_a_site_with_an_unsettled_error_is_not_rehearsed(tmp_path: Path) -> None:
    site = Path(shutil.copytree(SHOP, tmp_path / "shop"))
    edit(site / "policy.yaml", "uses: [email, full_name, question]", "uses: [email, full_name, qestion]")
    assert "Did you mean `question`?" in refused(site, "--days", 2, code=1)


def test_options_that_do_not_go_together_are_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'data.db'}"
    assert "go together" in refused(SHOP, "--database", url)
    assert "two lives" in refused(SHOP, "--policy", SHOP / "policy.yaml", "--database", url, "--keys", url)
    assert f"{SHOP}/policy.yaml" in refused(SHOP, "--policy", SHOP)


def test_a_folder_with_something_in_it_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    assert "not an empty folder" in refused(SHOP, "--keep", tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_a_database_with_something_in_it_is_not_lived_in(answer: tuple[Result, Path]) -> None:
    stores = answer[1] / "kept" / "published" / "site" / "var"
    data, keys = (f"sqlite:///{stores / name}.db" for name in ("data", "keys"))
    assert "not empty" in refused(SHOP, "--days", 1, "--people", 1, "--database", data, "--keys", keys)


@pytest.mark.parametrize(
    "line",
    [
        "no json",
        "[1, 2]",
        '{"number": 1}',
        '{"number": 1, "day": -1, "part": 0.5, "act": "erase"}',
        '{"number": 1, "day": 0, "part": 0.5, "act": "dance"}',
    ],
)
def test_a_file_that_holds_no_events_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(f'{{"number": 0, "day": 0, "part": 0.1, "act": "visits"}}\n\n{line}\n')
    assert f"{file}:3:" in refused(SHOP, "--events", file)


def test_an_interrupted_rehearsal_leaves_nothing_behind(elsewhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: object, **rest: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("troth.rehearsal.run.Life.prove", interrupted)
    asked = troth("rehearse", SHOP, "--days", 1, "--people", 2)
    assert asked.exit_code == 130
    assert list(elsewhere.iterdir()) == []


# --- what went wrong -----------------------------------------------------------------------------------------------------


def test_a_gate_that_forgets_consent_is_shown_by_a_handful_of_events_that_do_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = facts.facts_of
    with monkeypatch.context() as broken:
        broken.setattr(rehearsal, "MOST_WAYS", 1)
        broken.setattr(
            facts, "facts_of", lambda rows, **_: whole(rows) | {"consent:@newsletter_house", "consent:marketing"}
        )
        found = troth("rehearse", SHOP, "--days", 6, "--people", 20, "--json", "--report", tmp_path / "year.html")
        assert found.exit_code == 1, found.output
        made = json.loads(found.stdout)
        [wrong] = [one for one in made["violations"] if (one["kind"], one["about"]) == ("let out", "newsletter_house")]
        way = wrong["shortest"]
        assert 1 <= len(way["events"]) <= 6
        assert way["minimal"]
        assert way["events"][-1]["says"].endswith("is to go to Letter House for “send you offers”")
        assert way["events"][-1]["says"] in html.unescape((tmp_path / "year.html").read_text())

        command = shlex.split(way["replay"])
        [file] = [word.partition("=")[2] for word in command if word.startswith("--events=")]
        events = [read_line(line) for line in Path(file).read_text().splitlines()]
        assert [event.number for event in events] == [event["number"] for event in way["events"]]
        again = troth(*command[1:])
        assert again.exit_code == 1
        assert "data was let out (newsletter_house)" in again.stdout
    mended = troth(*command[1:], "--json")
    assert (mended.exit_code, json.loads(mended.stdout)["violations"]) == (0, [])


# --- a draft -------------------------------------------------------------------------------------------------------------


def test_a_draft_is_lived_with_the_same_events_and_what_differs_is_said(tmp_path: Path) -> None:
    draft = Path(shutil.copy(SHOP / "policy.yaml", tmp_path / "draft.yaml"))
    edit(draft, "version: 1,", "version: 2,")
    edit(draft, "url], for: [improvement], keep: 30 days}", "url], for: [improvement], keep: 5 days}")
    edit(draft, "silence: 90 days", "silence: 2 days")
    edit(draft, "keep: 60 days, after: relationship ends", "keep: 2 days, after: relationship ends")
    edit(draft, "roles: {finance: finance}", "roles: {finance: finance, board: our board}")
    edit(draft, "roles: [finance]", "roles: [board]")
    asked = ("--days", 12, "--people", 40, "--policy", draft)
    found = troth("rehearse", SHOP, *asked, "--json", "--report", tmp_path / "both.html")
    made = json.loads(found.stdout)
    said = made["draft"]
    assert found.exit_code == 0, (made["violations"], said["violations"])
    Draft202012Validator(schema()).validate(made)
    assert said["versions"] == [1, 2]
    assert {one["point"] for one in said["moved"]} == {"contact", "fair_import"}
    assert all(one["direction"] == "earlier" and 0 < one["records"] <= one["of"] for one in said["moved"])
    assert said["most_visits"][1] < said["most_visits"][0]
    books = [one for one in said["flips"] if one["what"] == "accounts" and one["after"] == "refused"]
    assert sum(one["count"] for one in books) > 0
    assert any(
        line.startswith("Reading data for “keep our books” would be refused")
        for lines in said["says"].values()
        for line in lines
    )
    page = (tmp_path / "both.html").read_text()
    assert page.index(said["answer"]) < page.index('id="year"')
    assert 'id="draft-wide-area-1"' in page
