"""Requests from a terminal: entered from a file, listed, shown without a name, taken back."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

from __future__ import annotations

import json
from pathlib import Path

from tests.terminal import blank, published, shop, troth  # noqa: F401  (fixtures)

LETTER = {"name": "Ann Sparrow", "email": "ann@shop.example", "text": "Who are you?"}


def test_a_letter_is_entered_listed_shown_and_taken_back(published: Path) -> None:
    assert "nothing waits" in troth("request", "list", published).stderr
    entered = troth("request", "enter", published, "question", input=json.dumps(LETTER))
    assert entered.exit_code == 0 and "due" in entered.stderr
    [one] = json.loads(troth("request", "list", published, "--json").stdout)["requests"]
    assert (one["right"], one["state"], one["waits_for"]) == ("question", "open", "staff")
    shown = troth("request", "show", published, one["id"], "--json")
    assert [step["act"] for step in json.loads(shown.stdout)["steps"]] == ["received"]
    for value in LETTER.values():
        assert value not in shown.stdout + troth("request", "list", published).stdout
    assert troth("request", "cancel", published, one["id"]).exit_code == 0
    assert troth("request", "cancel", published, one["id"]).exit_code == 2
    [one] = json.loads(troth("request", "list", published, "--ended", "--json").stdout)["requests"]
    assert one["outcome"] == "cancelled"


def test_what_is_no_letter_is_refused_with_a_hint(published: Path) -> None:
    for written in ("", "[]", '{"password": "x"}'):
        refused = troth("request", "enter", published, "question", input=written)
        assert refused.exit_code == 2 and "JSON object" in refused.stderr
    assert troth("request", "enter", published, "everything", input="{}").exit_code == 2
    assert troth("request", "show", published, "0" * 26).exit_code in {1, 2}
