"""Findings: what is wrong with a policy, where, and what to do; the one form that parser and linter speak in."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

Severity = Literal["error", "warning", "info"]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A position in a file: line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. ``key`` is how ``decisions.yaml`` names it: rule and path, such as ``E-05 visits``."""

    rule: str
    severity: Severity
    path: Path
    place: Place
    message: str
    hint: str = ""
    cites: tuple[str, ...] = ()
    settled_by: str = ""

    @property
    def key(self) -> str:
        return f"{self.rule} {'.'.join(self.path)}".strip()

    @property
    def of_the_linter(self) -> bool:
        """Whether it says how a policy promises, so that another version of the linter may say something else.

        A decision about a finding that is there no more (D-01) is one of these, too.
        """
        return self.rule.startswith("E-") or self.rule == "D-01"

    def line(self) -> str:
        """One line for a terminal: place, severity, message, hint, rule."""
        settled = f" (settled: {self.settled_by})" if self.settled_by else ""
        hint = f" {self.hint}" if self.hint else ""
        return f"{self.place}: {self.severity}: {self.message}{hint} [{self.key}]{settled}"


def did_you_mean(word: str, known: list[str]) -> str:
    """``Did you mean `marketing`?`` when one of ``known`` is close to ``word``, else the list of what there is."""
    close = get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"Did you mean `{close[0]}`?"
    return f"Known here: {', '.join(f'`{name}`' for name in sorted(known)[:12])}." if known else ""
