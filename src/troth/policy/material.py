"""How material a difference between two versions is: its significance, its direction, and whose data it is about. Pure.

A change is *significant* when the policy in force says that changes of its section are, or when it touches data, a purpose,
a recipient or a retention period; *internal* when nobody outside could notice; *small* otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from typing import Any, Literal

from troth.policy.findings import Path
from troth.policy.model import Policy

Significance = Literal["significant", "small", "internal"]
Direction = Literal["more", "less", ""]

BY_DEFAULT = frozenset(
    ("data", "purposes", "collection", "recipients", "cookies", "visits", "relationship", "retention", "erasure",
     "request log", "transfers", "legal")
)  # fmt: skip
"""Sections about data, purposes, recipients and retention: a change of one is significant whatever the policy says."""

INTERNAL = frozenset(("note", "cites", "wording", "dpv", "agreement", "assessment"))
"""Keys that no sentence of the notice is made from."""

_SPELT = frozenset(("label", "measure", "told", "why essential"))
_MORE = frozenset(
    ("uses", "receives", "for", "required", "optional", "records", "holds", "may move to", "stored in", "may keep",
     "shared with", "partners", "unless", "limits", "roles", "counts as consent")
)  # fmt: skip
"""Keys whose growth lets the operator do more with data."""
_SPANS = frozenset(("keep", "life", "destroy within", "answer within", "silence", "lead time", "remind every"))
_PROTECTS = frozenset(("rights", "absolutes", "security", "retention"))
"""Sections whose entries protect people, so that a new one lets the operator do less."""


def significance(path: Path, promised: Collection[str]) -> tuple[Significance, str]:
    """How material a change at ``path`` is and why; ``promised`` are the sections that the policy in force names."""
    section, key = path[0], path[-1]
    if len(path) > 1 and key in INTERNAL:
        return "internal", "kept for the team; no promise changes"
    if section in promised:
        return "significant", f"`changes.significant means` names `{section}`"
    if len(path) > 2 and key in _SPELT:
        return "small", "other words for the same thing"
    if section in BY_DEFAULT:
        return "significant", f"`{section}` says what happens to data"
    return "small", f"`{section}` says nothing about the use of data"


def direction(path: Path, before: Any, after: Any) -> Direction:
    """Whether the operator may do more or less with data than before; blank when that cannot be told from the change."""
    if isinstance(before, timedelta) or isinstance(after, timedelta):
        return _longer(path, before, after) if path[-1] in _SPANS else ""
    if len(path) == 2 and (before is None) != (after is None):
        return _entry(path[0], after is not None)
    if path[-1] in _MORE and not isinstance(before or after, str | bool):
        added, taken = set(after or ()) - set(before or ()), set(before or ()) - set(after or ())
        return "more" if added else "less" if taken else ""
    return ""


def _entry(section: str, new: bool) -> Direction:
    if section in _PROTECTS:
        return "less" if new else "more"
    return ("more" if new else "less") if section in BY_DEFAULT else ""


def _longer(path: Path, before: timedelta | None, after: timedelta | None) -> Direction:
    """A longer period lets data live longer; without one, for ever. Notice of changes is the other way round."""
    grows = after is None or (before is not None and after > before)
    return "more" if grows != (path[-1] == "lead time") else "less"


def concerned(path: Path, *versions: Policy) -> tuple[str, ...]:
    """The kinds of people whose data the entry at ``path`` is about, in any of the versions; none means everybody's."""
    section, key = path[0], path[1] if len(path) > 1 else ""
    found = [set(_KINDS[section](policy, key)) for policy in versions] if section in _KINDS else [set()]
    return tuple(sorted(set().union(*found)))


def _of_recipient(policy: Policy, key: str) -> Iterable[str]:
    entry = policy.recipients.get(key)
    each = [policy.purposes[name].people for name in entry.for_ if name in policy.purposes] if entry else []
    return {kind for kinds in each for kind in kinds} if all(each) else ()


def _of_clock(policy: Policy, key: str) -> Iterable[str]:
    clock = policy.retention.get(key)
    if clock is None:
        return ()
    about = {word.rsplit(" ", 1)[-1] for word in clock.what if word.startswith("everything about")}
    return about | ({clock.people} if clock.people else set())


def _of_data(policy: Policy, key: str) -> Iterable[str]:
    return {point.people for point in policy.collection.values() if key in (*point.required, *point.optional)}


def _of_visits(policy: Policy, _key: str) -> Iterable[str]:
    return {point.people for point in policy.collection.values() if point.kind == "visit"}


def _of_point(policy: Policy, key: str) -> Iterable[str]:
    return (policy.collection[key].people,) if key in policy.collection else ()


def _of_purpose(policy: Policy, key: str) -> Iterable[str]:
    return policy.purposes[key].people if key in policy.purposes else ()


_KINDS: Mapping[str, Callable[[Policy, str], Iterable[str]]] = {
    "people": lambda _policy, key: (key,),
    "relationship": lambda _policy, key: (key,),
    "collection": _of_point,
    "purposes": _of_purpose,
    "recipients": _of_recipient,
    "retention": _of_clock,
    "data": _of_data,
    "visits": _of_visits,
    "cookies": _of_visits,
}
