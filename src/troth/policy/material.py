"""How material a difference between two versions is: its significance, its direction, and whose data it is about. Pure.

A change is *significant* when the policy in force says that changes of its section are, or when it touches data, a purpose,
a recipient or a retention period; *internal* when nobody outside could notice; *small* otherwise.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

from troth.policy import kind
from troth.policy.findings import Path
from troth.policy.kind import Weight
from troth.policy.kinds import SECTIONS
from troth.policy.model import Policy
from troth.policy.periods import Period

Significance = Literal["significant", "small", "internal"]
Direction = Literal[kind.Direction, ""]

BY_DEFAULT = frozenset(section for section, entries in SECTIONS.items() if entries.weight.significant)
"""Sections about data, purposes, recipients and retention: a change of one is significant whatever the policy says."""

_OF_ENTRIES = ("note", "cites", "wording")
INTERNAL = frozenset((*_OF_ENTRIES, *(key for entries in SECTIONS.values() for key in entries.weight.internal)))
"""Keys that no sentence of the notice is made from."""


def _weight(path: Path) -> Weight:
    return SECTIONS[path[0]].weight


def significance(path: Path, promised: Collection[str]) -> tuple[Significance, str]:
    """How material a change at ``path`` is and why; ``promised`` are the sections that the policy in force names."""
    section, key = path[0], path[-1]
    if len(path) > 1 and (key in _OF_ENTRIES or key in _weight(path).internal):
        return "internal", "kept for the team; no promise changes"
    if section in promised:
        return "significant", f"`changes.significant means` names `{section}`"
    if len(path) > 2 and key in _weight(path).wording:
        return "small", "other words for the same thing"
    if section in BY_DEFAULT:
        return "significant", f"`{section}` says what happens to data"
    return "small", f"`{section}` says nothing about the use of data"


def direction(path: Path, before: Any, after: Any, entry: Mapping[str, Any]) -> Direction:
    """Whether the operator may do more or less with data than before; blank when that cannot be told from the change.

    ``entry`` is the entry of ``path`` as it was, or as it is when it is new.
    """
    weight, key = _weight(path), path[-1]
    if isinstance(before, Period) or isinstance(after, Period):
        return _longer(path, before, after) if key in weight.spans else ""
    if len(path) == (2 if SECTIONS[path[0]].many else 1):
        return _entry(path[0], before, after)
    if key in weight.scales:
        words, blank = weight.scales[key]
        steps = [words.index(before or blank), words.index(after or blank)]
        return "more" if steps[1] > steps[0] else "less"
    if key in weight.yes:
        is_yes = after if after is not None else not before  # the value that is left out is the other one
        return weight.yes[key] if is_yes else _other(weight.yes[key])
    if key in (*weight.more, *weight.less) and not isinstance(before or after, str | bool):
        return _listed(weight, key, before, after, entry)
    return ""


def _listed(weight: Weight, key: str, before: Any, after: Any, entry: Mapping[str, Any]) -> Direction:
    narrowing, rules_out = weight.narrows
    narrows = key in narrowing and rules_out(entry)
    if narrows and bool(before) != bool(after):
        return "more" if after else "less"  # a blank list of what is ruled out rules out all
    grown = _grown(before, after)
    return grown if not grown or (key in weight.more and not narrows) else _other(grown)


def _other(one: Direction) -> Direction:
    return "less" if one == "more" else "more"


def _grown(before: Any, after: Any) -> Direction:
    """``more`` for a larger number, or for a list with something that was not there before."""
    if isinstance(before or after, int):
        return "more" if (after or 0) > (before or 0) else "less"
    added, taken = set(after or ()) - set(before or ()), set(before or ()) - set(after or ())
    return "more" if added else "less" if taken else ""


def _entry(section: str, before: Any, after: Any) -> Direction:
    """What an entry that is new or gone, or written as another, lets the operator do."""
    weight = SECTIONS[section].weight
    if (before is None) == (after is None):
        return ""
    usual: Direction = "less" if weight.protects else "more" if section in BY_DEFAULT else ""
    means = weight.judged(before if after is None else after) or usual
    return means if after is not None or not means else _other(means)


def _longer(path: Path, before: Period | None, after: Period | None) -> Direction:
    """A longer period lets data live longer; without one, for ever. Notice of changes is the other way round."""
    grows = after is None or (before is not None and after > before)
    longer = _weight(path).spans[path[-1]]
    return longer if grows else "less" if longer == "more" else "more"


def concerned(path: Path, *versions: Policy) -> tuple[str, ...]:
    """The kinds of people whose data the entry at ``path`` is about, in any of the versions; none means everybody's."""
    concerns, key = _weight(path).concerns, path[1] if len(path) > 1 else ""
    return tuple(sorted({people for policy in versions for people in concerns(policy, key)}))
