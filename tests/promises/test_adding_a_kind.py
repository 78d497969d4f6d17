"""Adding a kind touches its file, its translations and the room that owns the act: a whole copy of Troth shows it.

A copy gets one more file in ``policy/kinds``, one sentence in each language and a proof in a room; everything else must see
the new kind by itself: the check, the notice, its pictures, differences and their weight, the export and the catalogue.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import troth

KIND = '''
"""``pigeons``: how long a message by pigeon is kept."""

from collections.abc import Iterator

from pydantic import Field

from troth.policy.clocks import clocks
from troth.policy.kind import NOTICE, ROOM, Bar, Entries, Kind, Weight, always
from troth.policy.lint.registry import Flaw, rule
from troth.policy.periods import Period
from troth.policy.words import Entry


class Pigeons(Entry):
    """``pigeons``: messages by pigeon."""

    keep: Period | None = Field(None, description="how long a message is kept")


unkept = rule("X-99", "pigeons without an end", "error", "No pigeon flies.")


@unkept
def pigeon_without_an_end(policy, context) -> Iterator[Flaw]:
    if policy.pigeons and policy.pigeons.keep is None:
        yield Flaw(("pigeons",), "nothing says how long.", "Write `keep:`.")


def _makes(source):
    if source.policy.pigeons is not None:
        yield source.promise("pigeon.post", ("pigeons",), source.policy.pigeons)


def _bars(policy, speaker):
    if policy.pigeons and policy.pigeons.keep:
        yield Bar("Pigeons", policy.pigeons.keep, "arrival")


KIND = Kind(
    id="pigeon.post",
    order=999,
    makes=_makes,
    tell=always("kept"),
    place=("how long", "clocks"),
    lint=(pigeon_without_an_end,),
    entries=Entries(
        "pigeons", Weight(significant=True, spans={"keep": "more"}), model=Pigeons, keys={"keep": ROOM}
    ),
    bars=_bars,
    nodes=lambda policy: [{"@id": "#pigeons", "@type": "dpv:Process"}] if policy.pigeons else [],
)
'''
PROOF = """

@proves("pigeon.post", covers=("keep",), enforced_by=(sweep,))
def pigeons(proving: Proving, promise: Promise) -> Proof:
    return proving.nothing_yet("query", proving.say("kept"), "nothing has ended so far")
"""
ASKED = """
import json, sys
from datetime import UTC, datetime
from troth.evidence.catalogue import CATALOGUE
from troth.policy.check import check_texts
from troth.policy.compile import compile_policy
from troth.policy.diff import diff
from troth.policy.export import dpv
from troth.policy.notice import notice
from troth.policy.reference import policy_reference
from troth.policy.schema import policy_schema

HEAD = "policy: {version: %d}\\noperator: {name: Lamp Shop, email: a@shop.example}\\n"
before = check_texts(HEAD % 1 + "pigeons: {keep: 30 days}\\n").policy
after = check_texts(HEAD % 2 + "pigeons: {keep: 60 days}\\n").policy
compiled = compile_policy(before)
made = notice(compiled, "en")
[change] = diff(before, after, datetime(2026, 1, 1, tzinfo=UTC)).changes
json.dump({
    "lint": [one.rule for one in check_texts(HEAD % 1 + "pigeons: {}\\n").findings if one.path == ("pigeons",)],
    "misspelt": [one.hint for one in check_texts(HEAD % 1 + "pigeons: {keeep: 1 day}\\n").findings if one.rule == "P-01"],
    "promises": [one.id for one in compiled.promises if one.kind == "pigeon.post"],
    "sentences": [item.sentence for item in made.items if item.promise_id == "pigeons"],
    "chinese": [item.sentence for item in notice(compiled, "zh-Hant").items if item.promise_id == "pigeons"],
    "pictures": [row[0] for pictures in made.pictures.values() for one in pictures for row in one.rows],
    "change": [list(change.path), change.significance, change.direction],
    "export": [node["@id"] for node in dpv(before, "https://shop.example/")["@graph"] if node["@id"] == "#pigeons"],
    "proof": sorted(CATALOGUE["pigeon.post"].covers),
    "reference": "## `pigeons`" in policy_reference(),
    "schema": "pigeons" in policy_schema()["properties"],
}, sys.stdout)
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Troth with one more kind of promise."""
    home = tmp_path_factory.mktemp("copy")
    source = Path(troth.__file__).parent
    shutil.copytree(source, home / "troth", ignore=shutil.ignore_patterns("__pycache__", "static"))
    (home / "troth" / "policy" / "kinds" / "pigeons.py").write_text(KIND)
    for tag, words in (("en", "Pigeons: {{ duration(it.keep) }}."), ("zh-Hant", "信鴿：{{ duration(it.keep) }}。")):
        file = home / "troth" / "policy" / "sentences" / f"{tag}.yaml"
        text = file.read_text("utf-8")
        said = f'kinds:\n  pigeon.post:\n    say:\n      kept: "{words}"\n'
        assert text.count("\nkinds:\n") == 1
        file.write_text(text.replace("kinds:\n", said, 1), "utf-8")
    proofs = home / "troth" / "retention" / "proofs.py"
    proofs.write_text(proofs.read_text("utf-8") + PROOF, "utf-8")
    return home


def asked(home: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(home)}
    return subprocess.run(
        [sys.executable, "-c", ASKED], cwd=home, env=environment, capture_output=True, text=True, check=False
    )


def test_a_kind_that_is_added_is_seen_everywhere(copy: Path) -> None:
    ran = asked(copy)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    assert found == {
        "lint": ["X-99"],
        "misspelt": ["Did you mean `keep`?"],
        "promises": ["pigeons"],
        "sentences": ["Pigeons: 30 days."],
        "chinese": ["信鴿：30 天。"],
        "pictures": ["Pigeons"],
        "change": [["pigeons", "keep"], "significant", "more"],
        "export": ["#pigeons"],
        "proof": ["keep"],
        "reference": True,
        "schema": True,
    }


def test_a_kind_that_no_room_proves_keeps_troth_from_starting(copy: Path) -> None:
    proofs = copy / "troth" / "retention" / "proofs.py"
    whole = proofs.read_text("utf-8")
    proofs.write_text(whole.removesuffix(PROOF), "utf-8")
    try:
        ran = asked(copy)
    finally:
        proofs.write_text(whole, "utf-8")
    assert "no room enforces and proves pigeon.post" in ran.stderr
