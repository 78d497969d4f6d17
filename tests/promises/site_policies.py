"""What the tests of the example sites ask about a site folder: its clauses, its findings, and what it allows."""

from __future__ import annotations

import copy
import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from troth.decide import Ask
from troth.policy.check import Checked, check, check_document
from troth.policy.compile import Compiled, compile_policy
from troth.policy.decisions import Taken, read_decisions
from troth.policy.document import read_document
from troth.policy.model import Policy

SITES = Path(__file__).parents[2] / "sites"


@dataclass(frozen=True)
class SiteFolder:
    """One folder of ``sites/``, read once."""

    name: str

    @property
    def folder(self) -> Path:
        return SITES / self.name

    @cached_property
    def published(self) -> Checked:
        return check(self.folder, as_published=True)

    @cached_property
    def decided(self) -> Checked:
        return check(self.folder)

    @property
    def policy(self) -> Policy:
        """The policy in effect."""
        assert self.decided.policy is not None
        return self.decided.policy

    @cached_property
    def compiled(self) -> Compiled:
        return compile_policy(self.policy, self.decided.document.places, self.decided.origins)

    @cached_property
    def clauses(self) -> list[Mapping[str, str]]:
        text = files("troth.evidence").joinpath(f"clauses/{self.name}.csv").read_text(encoding="utf-8")
        return list(csv.DictReader(text.splitlines()))

    def edited(self, edits: Mapping[str, Any], decided: bool = True) -> Checked:
        """The site checked with some dotted paths of its published policy changed."""
        document = read_document(self.folder / "policy.yaml")
        tree = copy.deepcopy(document.tree)
        for dotted, value in edits.items():
            *around, last = dotted.split(".")
            part = tree
            for name in around:
                part = part[name]
            part[last] = value
        return check_document(replace(document, tree=tree), read_decisions(self.folder) if decided else Taken())

    def allows(
        self, act: str, purpose: str, fields: Iterable[str] | str, facts: str = "", to: str = "", people: str = ""
    ) -> bool:
        """Whether the policy in effect allows it; ``fields`` and ``facts`` may be words in one string."""
        named = fields.split() if isinstance(fields, str) else fields
        return self.compiled.decide(Ask(act, purpose, frozenset(named), people, to, frozenset(facts.split()))).allowed


def keys(checked: Checked) -> set[str]:
    return {finding.key for finding in checked.findings}


def cites(entry: Any) -> set[str]:
    """Every clause that an entry or one inside it cites."""
    if isinstance(entry, dict):
        own = entry.get("cites", [])
        return set(own if isinstance(own, list) else [own]).union(*(cites(value) for value in entry.values()))
    return set().union(*(cites(item) for item in entry)) if isinstance(entry, list) else set()


def untranslated(entry: Any, path: str = "") -> list[str]:
    """Paths of words for people that stand in English only."""
    if isinstance(entry, list):
        return [lack for number, item in enumerate(entry) for lack in untranslated(item, f"{path}.{number}")]
    if not isinstance(entry, dict):
        return []
    if "en" in entry:
        return [] if entry.get("zh-Hant") else [path]
    return [lack for key, item in entry.items() for lack in untranslated(item, f"{path}.{key}")]
