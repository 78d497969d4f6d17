"""The page about rehearsing does what it says."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

from __future__ import annotations

from pathlib import Path

from tests.promises.test_docs import ROOT, matches, run, steps
from tests.terminal import blank, shop  # noqa: F401  (fixtures)
from troth.rehearsal.events import Event
from troth.rehearsal.reproduce import FIRST

TEXT = (ROOT / "docs" / "rehearsal.md").read_text()


def test_what_the_page_tells_to_type_answers_what_it_says(shop: Path) -> None:
    found = steps(TEXT)
    assert len(found) == 2
    for step in found:
        output = run(step.text, shop.parent, 0)
        missing = list(matches(step.expected, output))
        assert step.expected
        assert not missing, f"after\n{step.text}\nthese lines were announced:\n{missing}\nand this came:\n{output}"
    assert (shop.parent / "year.html").read_text().startswith("<!doctype html>")


def test_the_page_names_every_way_in_which_a_life_can_go_wrong() -> None:
    words = ("broken", "lost", "outlived", "let out", "wrongly refused", "ledger", "alarm", "failed")
    assert len(words) == len(FIRST)
    assert [word for word in words if word not in TEXT] == []


def test_the_lines_of_the_example_are_lines_as_the_tool_writes_them() -> None:
    from tests.notices import compiled
    from troth.rehearsal.sentences import Names, event_line

    names = Names(compiled("ledflex").policy)
    shown = event_line(Event(1, 1, 0.5, "disclose", 17, "mailchimp", details={"purpose": "marketing"}), names)
    assert f"    {shown}\n" in TEXT
