"""Stopping and lifting from a terminal."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

from __future__ import annotations

import json
from pathlib import Path

from tests.terminal import blank, published, shop, troth  # noqa: F401  (fixtures)

WHY = ("--because", "complaint 4 is looked into", "--by", "privacy lead")


def test_what_was_stopped_and_lifted_is_listed_with_its_reason_and_role(published: Path) -> None:
    assert troth("stop", published, "newsletter", *WHY).exit_code == 0
    assert troth("lift", published, "newsletter", *WHY).exit_code == 0
    listed = json.loads(troth("stops", published, "--json").stdout)["stops"]
    assert [(one["state"], one["scope"], one["by"], one["because"]) for one in listed] == [
        (state, "newsletter", "privacy_lead", "complaint 4 is looked into") for state in ("stopped", "lifted")
    ]
    lines = troth("stops", published).stdout.splitlines()
    assert len(lines) == 2 and lines[0].endswith("stopped  newsletter  by privacy_lead: complaint 4 is looked into")


def test_what_cannot_be_stopped_or_lifted_is_said_and_changes_nothing(published: Path) -> None:
    for words in (
        ("stop", published, "nosuch", *WHY),
        ("lift", published, "newsletter", *WHY),
        ("stop", published, "newsletter", "--because", "x", "--by", " "),
        ("stop", published, "newsletter", "--from", "nowhere", *WHY),
        ("stop", published, "newsletter", "--from", "form", "--recall", *WHY),
    ):
        assert troth(*words).exit_code in {1, 2}, words
    assert json.loads(troth("stops", published, "--json").stdout)["stops"] == []
