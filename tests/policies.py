"""What tests of the five published policies share: a site checked as it stands, changed or undecided, and asked."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from troth.decide import Ask
from troth.evidence.clauses import SITES as NAMES
from troth.evidence.clauses import Clause, of_site
from troth.policy.check import Checked, check, check_document
from troth.policy.compile import Compiled, compile_policy
from troth.policy.decisions import Taken, read_decisions
from troth.policy.document import read_document
from troth.policy.model import Policy

SITES = Path(__file__).parents[1] / "sites"
__all__ = ["NAMES", "SITES", "SitePolicy", "errors", "keys"]


@dataclass(frozen=True)
class SitePolicy:
    """The policy of one of the folders in ``sites/``."""

    name: str

    @property
    def folder(self) -> Path:
        return SITES / self.name

    @cached_property
    def effective(self) -> Checked:
        """As it runs: with its decisions."""
        return check(self.folder)

    @cached_property
    def published(self) -> Checked:
        """As it was published: without them."""
        return check(self.folder, as_published=True)

    @cached_property
    def compiled(self) -> Compiled:
        return compile_policy(self.policy, self.effective.document.places, self.effective.origins)

    @property
    def policy(self) -> Policy:
        assert self.effective.policy is not None
        return self.effective.policy

    def edited(self, edits: Mapping[str, Any], decided: bool = False) -> Checked:
        """Checked with some dotted paths of its published policy changed."""
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
        """What the effective policy answers; ``fields`` and ``facts`` may be words with spaces between them."""
        named = fields.split() if isinstance(fields, str) else fields
        ask = Ask(act, purpose, frozenset(named), people, to, frozenset(facts.split()))
        return self.compiled.decide(ask).allowed

    @property
    def clauses(self) -> tuple[Clause, ...]:
        """The site's clauses."""
        return of_site(self.name)

    def cited(self) -> set[str]:
        """The clauses that an entry of the published policy cites."""
        return _cites(self.effective.document.tree)

    def lacks(self, language: str) -> list[str]:
        """Where something is said to people in English, and not in ``language``."""
        return _lacks(self.effective.document.tree, language, "")


def keys(checked: Checked) -> set[str]:
    return {finding.key for finding in checked.findings}


def errors(checked: Checked) -> set[str]:
    """The keys of the errors that nobody settled."""
    return {finding.key for finding in checked.unsettled}


def _cites(entry: Any) -> set[str]:
    if isinstance(entry, dict):
        own = entry.get("cites", [])
        return set(own if isinstance(own, list) else [own]).union(*(_cites(value) for value in entry.values()))
    return set().union(*(_cites(item) for item in entry)) if isinstance(entry, list) else set()


def _lacks(value: Any, language: str, path: str) -> list[str]:
    if isinstance(value, dict) and "en" in value:
        return [] if value.get(language) else [path]
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [lack for key, item in parts for lack in _lacks(item, language, f"{path}.{key}")]
