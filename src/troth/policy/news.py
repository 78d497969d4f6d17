"""What a new version says otherwise than the one before, sentence by sentence, what matters most first. Pure.

The sentences are those of the two notices; how much each matters comes from the difference of the two policies, so that what
people are told first is what the policy itself calls significant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from troth.policy.compile import Compiled
from troth.policy.diff import Change, changed_periods, differences
from troth.policy.findings import Path
from troth.policy.material import Direction, Significance
from troth.policy.notice import Item, Notice
from troth.policy.periods import Period
from troth.policy.rewording import Piece, reworded

_ALWAYS = "promise-policy"
"""the sentence with the version's number, which changes each time and tells nothing"""
_ORDER: tuple[Significance, ...] = ("significant", "small", "internal")
_TURNS: tuple[Direction, ...] = ("more", "", "less")
Kind = Literal["new", "gone", "changed"]


@dataclass(frozen=True, slots=True)
class Lasts:
    """A period that is shorter or longer than it was."""

    was: Period
    now: Period

    @property
    def turn(self) -> Literal["shorter", "longer"]:
        """Which of both."""
        return "shorter" if self.now < self.was else "longer"


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that is said otherwise. ``direction`` says whether the operator may do more or less with data than before.

    ``periods`` are those in it that are shorter or longer now; ``only_periods`` says that nothing else of it is different.
    """

    kind: Kind
    before: str
    after: str
    significance: Significance
    direction: Direction = ""
    periods: tuple[Lasts, ...] = ()
    only_periods: bool = False

    @property
    def pieces(self) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
        """``before`` and ``after`` in pieces, each with whether it is said otherwise in the other."""
        return reworded(self.before, self.after)


def news(old: Compiled, new: Compiled, before: Notice, after: Notice) -> tuple[Said, ...]:
    """How the notices of ``old`` and ``new``, in one language, differ: the most material first, else in the notice's order."""
    changes = tuple(differences(old.policy, new.policy))
    lasts = {path: Lasts(was, now) for path, was, now in changed_periods(old.policy, new.policy)}
    had, has = _items(before), _items(after)
    found = (
        _said(had.get(key), has.get(key), old if key in had else new, changes, lasts)
        for key in dict.fromkeys((*has, *had))
        if _words(had.get(key)) != _words(has.get(key))
    )
    return tuple(sorted(found, key=lambda one: (_ORDER.index(one.significance), _TURNS.index(one.direction))))


def _items(notice: Notice) -> dict[str, Item]:
    return {item.id: item for item in notice.items if item.id != _ALWAYS}


def _words(item: Item | None) -> str:
    return " ".join((item.sentence, *item.details)) if item else ""


def _said(
    before: Item | None, after: Item | None, where: Compiled, changes: Sequence[Change], lasts: Mapping[Path, Lasts]
) -> Said:
    item = before or after
    assert item is not None
    promise = where.by_id.get(item.promise_id or "")
    path = promise.path if promise else ()
    about = [one for one in changes if path and _concerns(path, one.path)]
    weights: set[Significance] = {one.significance for one in about}
    turns: set[Direction] = {one.direction for one in about}
    kind: Kind = "new" if before is None else "gone" if after is None else "changed"
    least: Significance = "small"
    weight = next((one for one in _ORDER if one in weights), least)
    turn: Direction = next((one for one in _TURNS if one in turns), "")
    periods = tuple(lasts[one.path] for one in about if one.path in lasts) if kind == "changed" else ()
    return Said(kind, _words(before), _words(after), weight, turn, periods, 0 < len(periods) == len(about))


def _concerns(promise: Path, change: Path) -> bool:
    """Whether what is at ``change`` is of the entry that a promise was made from, or holds it."""
    shorter = min(len(promise), len(change))
    return promise[:shorter] == change[:shorter]
