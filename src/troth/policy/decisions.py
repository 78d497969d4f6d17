"""``decisions.yaml``: what the operator decided where the policy is silent, contradictory or unfilled.

A decision cites the findings it settles and may set values; the values are laid over the policy's tree before it is read
again, so that a decision can say nothing that the policy itself could not. What a decision cites must exist (D-01), what
it sets must fit and may not switch off an absolute (D-02), two decisions may not set one value (D-03), and who is responsible
is settled by no reason, only by a value (D-04).
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path as FilePath
from typing import Any

from pydantic import Field

from troth.policy.document import Document, read_document
from troth.policy.findings import Finding, Path, Place, did_you_mean
from troth.policy.parse import fit
from troth.policy.words import Noted, Section, Several, Shown, is_placeholder

FILE = "decisions.yaml"
_LIFTS = ("unless", "what", "to", "for")


class Decision(Section):
    """One decision: which findings it settles, why, by whom and when, and what it sets."""

    settles: Several[Noted] = Field(min_length=1, description="keys of findings: rule and path, as `E-05 visits`")
    because: Shown = Field(min_length=1, description="why, in a sentence")
    by: Shown = Field(min_length=1, description="a role or a name of the operator's staff")
    on: date = Field(description="the day it was decided")
    set_: dict[str, Any] = Field(
        default_factory=dict, description="dotted path to value, laid over the policy; null takes the entry away"
    )

    @property
    def says(self) -> str:
        """Who settled it, when and why, for reports."""
        return f"{self.by}, {self.on.isoformat()}: {self.because}"


class Decisions(Section):
    """``decisions.yaml``, whole."""

    decisions: tuple[Decision, ...] = ()


@dataclass(frozen=True)
class Taken:
    """The decisions of a site as read. ``sets`` has one item for each value they set, in the order of the file."""

    document: Document | None = None
    decisions: tuple[Decision, ...] = ()
    findings: tuple[Finding, ...] = ()

    def place(self, number: int, *path: str) -> Place:
        """Where decision ``number`` stands, or the part of it at ``path``."""
        return self.document.place(("decisions", str(number), *path)) if self.document else Place(FILE, 1, 1)

    def sets(self) -> Iterator[tuple[int, str, Any]]:
        """Every value that is set: number of the decision, dotted path, value."""
        for number, decision in enumerate(self.decisions):
            yield from ((number, path, value) for path, value in decision.set_.items())


def read_decisions(folder: FilePath) -> Taken:
    """The decisions in ``folder``; none when there is no such file. Raises ``PolicyError`` when it is no YAML."""
    file = folder / FILE
    return decisions_in(read_document(file)) if file.is_file() else Taken()


def decisions_in(document: Document) -> Taken:
    """The decisions that ``document`` holds, and what does not fit."""
    read, findings = fit(document, Decisions)
    return Taken(document, read.decisions if read else (), findings)


@dataclass(frozen=True)
class Overlaid:
    """The policy's tree with the decisions laid over it; ``origins`` maps each path that was set to its decision."""

    document: Document
    origins: Mapping[Path, str]
    findings: tuple[Finding, ...]


def lay_over(document: Document, taken: Taken) -> Overlaid:
    """Lay what ``taken`` sets over ``document``. Pure; neither is changed."""
    tree, places = copy.deepcopy(document.tree), dict(document.places)
    origins: dict[Path, str] = {}
    findings = []
    for number, dotted, value in taken.sets():
        path = tuple(dotted.split("."))
        problem = _not_settable(document.tree, origins, path) or _put(tree, path, value)
        if problem:
            findings.append(_refusal(taken, number, dotted, problem))
            continue
        origins[path] = f"decision {taken.decisions[number].settles[0]}"
        places.update(_places(taken, number, dotted, path))
    return Overlaid(replace(document, tree=tree, places=places), origins, tuple(findings))


def _not_settable(published: dict[str, Any], origins: Mapping[Path, str], path: Path) -> str:
    clash = next((other for other in origins if path[: len(other)] == other or other[: len(path)] == path), None)
    if clash:
        return f"`{'.'.join(path)}` is already set by {origins[clash]}"
    absolutes = published.get("absolutes")
    existing = path[0] == "absolutes" and (len(path) == 1 or (isinstance(absolutes, dict) and path[1] in absolutes))
    if existing and (len(path) < 3 or path[2] not in _LIFTS):
        return f"`{'.'.join(path)}` would switch off a promise that says never or only"
    return ""


def _put(tree: dict[str, Any], path: Path, value: Any) -> str:
    for part in path[:-1]:
        if tree.get(part) is None or is_placeholder(tree[part]):
            tree[part] = {}
        tree = tree[part]
        if not isinstance(tree, dict):
            return f"`{part}` holds no keys, so nothing can be set inside it"
    if value is None:
        tree.pop(path[-1], None)
    else:
        tree[path[-1]] = copy.deepcopy(value)
    return ""


def _refusal(taken: Taken, number: int, dotted: str, problem: str) -> Finding:
    where: Path = ("decisions", str(number), "set", dotted)
    hint = "Set only its `unless`, `what`, `to` or `for`." if "switch off" in problem else "Set each value once."
    return Finding(_rule(problem), "error", where, taken.place(number, "set", dotted), f"{problem}.", hint)


def _rule(problem: str) -> str:
    return "D-03" if "already set" in problem else "D-02"


def _places(taken: Taken, number: int, dotted: str, path: Path) -> dict[Path, Place]:
    """Where the parts of a set value stand, under the paths they get in the policy."""
    prefix: Path = ("decisions", str(number), "set", dotted)
    known = taken.document.places if taken.document else {}
    return {(*path, *at[4:]): place for at, place in known.items() if at[:4] == prefix}


def misfits(overlaid: Overlaid, before: tuple[Finding, ...], after: tuple[Finding, ...]) -> Iterator[Finding]:
    """D-02 for everything that could be read before the decisions were laid over the policy, and cannot after."""
    known = {(finding.path, finding.message) for finding in before}
    for finding in after:
        if (finding.path, finding.message) not in known:
            yield replace(finding, rule="D-02", place=overlaid.document.place(finding.path))


def settle(
    findings: tuple[Finding, ...], taken: Taken, complete: bool = True, unset: frozenset[str] = frozenset()
) -> tuple[Finding, ...]:
    """The findings, those that a decision cites marked as settled by it; D-01 for what is cited but not found.

    ``complete`` says that the policy could be read, so that what is not among the findings is really not there. ``unset``
    are the keys of findings that only a value settles and that have none in effect: they stay open, with D-04 for whoever
    cites them.
    """
    citing = {key: decision for decision in taken.decisions for key in decision.settles if key not in unset}
    settled = tuple(
        replace(finding, settled_by=citing[finding.key].says) if _settles(finding, citing) else finding
        for finding in findings
    )
    known = sorted({f.key for f in findings if _can_settle(f)})
    said = (*_unused(taken, known), *_without_a_value(taken, unset))
    return settled + said if complete else settled


def _can_settle(finding: Finding) -> bool:
    return not finding.rule.startswith(("P-", "D-"))


def _settles(finding: Finding, citing: Mapping[str, Decision]) -> bool:
    return _can_settle(finding) and finding.key in citing


def _unused(taken: Taken, keys: list[str]) -> Iterator[Finding]:
    for path, place, key in _cited(taken):
        if key not in keys:
            yield Finding("D-01", "error", path, place, f"the policy has no finding `{key}`.", _nearest(key, keys))


def _without_a_value(taken: Taken, unset: frozenset[str]) -> Iterator[Finding]:
    for path, place, key in _cited(taken):
        if key in unset:
            message = f"no reason settles `{key}`, and with what the decisions set it is still found."
            yield Finding("D-04", "error", path, place, message, "Set what is missing under `set`.")


def _cited(taken: Taken) -> Iterator[tuple[Path, Place, str]]:
    """Every key that a decision cites: its path in the file, where that stands, and the key."""
    for number, decision in enumerate(taken.decisions):
        for position, key in enumerate(decision.settles):
            path: Path = ("decisions", str(number), "settles", str(position))
            yield path, taken.place(number, "settles", str(position)), key


def _nearest(key: str, keys: list[str]) -> str:
    rule = key.partition(" ")[0]
    same_rule = [known for known in keys if known.partition(" ")[0] == rule]
    return did_you_mean(key, same_rule or keys) or "Take the decision away; there is nothing to settle."
