"""What a new version of a policy changes for people: what, how material, whom to tell, how soon it may take effect.

Pure. What counts is what the version in force promised about changes, since that is what people were told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal

from troth.policy.compile import compile_policy
from troth.policy.findings import Path
from troth.policy.material import INTERNAL, Direction, Significance, concerned, direction, significance
from troth.policy.model import Policy
from troth.policy.notice import notice
from troth.policy.periods import Period
from troth.policy.words import ANY_LANGUAGE
from troth.policy.zones import calendar_of

_HEADER = ("version", "effective")


@dataclass(frozen=True, slots=True)
class Change:
    """One difference. ``before`` and ``after`` are values in words; no ``people`` means that it concerns everybody."""

    path: Path
    kind: Literal["new", "gone", "changed"]
    before: str
    after: str
    significance: Significance
    because: str
    direction: Direction = ""
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reworded:
    """A sentence of the notice before and after; blank where there was or will be none."""

    item: str
    before: str
    after: str


@dataclass(frozen=True)
class Difference:
    """All that is different. ``people`` are the kinds of people to tell, ``told_by`` the promised ways to tell them."""

    versions: tuple[int, int]
    changes: tuple[Change, ...]
    sentences: tuple[Reworded, ...]
    people: tuple[str, ...]
    told_by: tuple[str, ...]
    lead_time: Period | None
    earliest: date
    problems: tuple[str, ...]

    @property
    def significance(self) -> Significance:
        """That of the most material change."""
        found = {change.significance for change in self.changes}
        return "significant" if "significant" in found else "small" if "small" in found else "internal"


def diff(old: Policy, new: Policy, at: datetime, language: str = "en") -> Difference:
    """What changes when ``new`` follows ``old``, if it is published at ``at``."""
    changes = tuple(differences(old, new))
    earliest = _earliest(old, at)
    return Difference(
        versions=(old.policy.version, new.policy.version),
        changes=changes,
        sentences=tuple(_reworded(old, new, at, language)),
        people=_people_of(changes, old, new),
        told_by=old.changes.told_by if old.changes else (),
        lead_time=lead_of(old),
        earliest=earliest,
        problems=tuple(_problems(old, new, earliest)) if changes else (),
    )


def differences(old: Policy, new: Policy) -> Iterator[Change]:
    """Each part of ``new`` that is other than in ``old``, and how material that is."""
    promised = old.changes.significant_means if old.changes else ()
    was, is_now = _plain(old), _plain(new)
    for path, before, after in _leaves(was, is_now, ()):
        if path[0] == "policy" and path[-1] in _HEADER:
            continue
        material, because = significance(path, promised)
        yield Change(
            path=path,
            kind="new" if before is None else "gone" if after is None else "changed",
            before=_words(before),
            after=_words(after),
            significance=material,
            because=because,
            direction=direction(path, before, after, _entry_at(path, was) or _entry_at(path, is_now)),
            people=concerned(path, old, new),
        )


def changed_periods(old: Policy, new: Policy) -> Iterator[tuple[Path, Period, Period]]:
    """Each period of ``new`` that is shorter or longer than in ``old``: where, what it was and what it is."""
    for path, before, after in _leaves(_plain(old), _plain(new), ()):
        if isinstance(before, Period) and isinstance(after, Period) and (before < after or after < before):
            yield path, before, after


def _entry_at(path: Path, tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """The entry that ``path`` lies in; nothing when there is none."""
    entry = (tree.get(path[0]) or {}).get(path[1]) if len(path) > 2 else None
    return entry if isinstance(entry, dict) else {}


def _plain(policy: Policy) -> dict[str, Any]:
    """The policy as written, without what is left at its default; durations stay what they are."""
    return policy.model_dump(by_alias=True, exclude_defaults=True)


def _leaves(old: Any, new: Any, path: Path) -> Iterator[tuple[Path, Any, Any]]:
    """Every part that differs: a whole entry that is new or gone, or one value of an entry that stays."""
    if old == new:
        return
    if not _goes_deeper(old, new, path):
        yield path, old, new
        return
    old, new = old or {}, new or {}
    for key in dict.fromkeys((*old, *new)):
        yield from _leaves(old.get(key), new.get(key), (*path, key))


def _goes_deeper(old: Any, new: Any, path: Path) -> bool:
    """Into entries that stay, and into a section of entries even when all of it is new or gone."""
    if isinstance(old, dict) and isinstance(new, dict):
        return not _is_text(path, old, new)
    whole = old if new is None else new
    return len(path) == 1 and isinstance(whole, dict) and all(isinstance(entry, dict) for entry in whole.values())


def _is_text(path: Path, *values: Mapping[str, Any]) -> bool:
    """Whether the mapping is one text in several languages, not a section or an entry."""
    return len(path) > 2 and all(isinstance(item, str) for value in values for item in value.values())


def _words(value: Any) -> str:
    if isinstance(value, dict):
        if set(value) == {ANY_LANGUAGE}:
            return str(value[ANY_LANGUAGE])
        return "; ".join(f"{key}: {_words(item)}" for key, item in value.items() if key not in INTERNAL)
    if isinstance(value, list | tuple):
        return ", ".join(_words(item) for item in value) or "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _people_of(changes: tuple[Change, ...], old: Policy, new: Policy) -> tuple[str, ...]:
    """Whom to tell: those whom a significant change concerns; everybody when one concerns everybody."""
    material = [change for change in changes if change.significance == "significant"]
    if any(not change.people for change in material):
        return tuple(dict.fromkeys((*old.people, *new.people)))
    return tuple(sorted({kind for change in material for kind in change.people}))


POSTED_BEFORE = Period(1, "day")
"""how long a version is there to be read before it takes effect, where the policy says that it is, and not how long"""
TOLD_WITHIN = timedelta(hours=6)
"""in which everybody is told once a version is published"""


def lead_of(old: Policy) -> Period | None:
    """How long before its effect a version is published, as ``old`` promised."""
    if old.changes is None:
        return None
    return old.changes.lead_time or (POSTED_BEFORE if old.changes.posted_before else None)


def effective_from(old: Policy, at: datetime) -> datetime:
    """When what is published at ``at`` may take effect: at the first 00:00 UTC that is no sooner than ``old`` promised.

    What was promised begins when people are told and not when the version is published, so there is time to tell them.
    """
    lead = lead_of(old)
    instant = calendar_of(old).end(at + TOLD_WITHIN, lead, floor=True) if lead else at
    day = datetime.combine(instant.astimezone(UTC).date(), time(), UTC)
    return day if day == instant else day + timedelta(days=1)


def _earliest(old: Policy, at: datetime) -> date:
    return effective_from(old, at).date()


def _problems(old: Policy, new: Policy, earliest: date) -> Iterator[str]:
    if new.policy.version <= old.policy.version:
        yield f"Version {old.policy.version} is there already; count `policy.version` up to {old.policy.version + 1}."
    effective = new.policy.effective
    if effective is not None and effective < earliest:
        promised = f"people were promised {lead_of(old)} of notice" if lead_of(old) else "it is past"
        yield f"{effective} is too early: {promised}, so the earliest day is {earliest}."


def _reworded(old: Policy, new: Policy, at: datetime, language: str) -> Iterator[Reworded]:
    """The sentences of the notice that differ, in the order of the new notice, those that are gone last."""
    before, after = _sentences(old, at, language), _sentences(new, at, language)
    for key in dict.fromkeys((*after, *before)):
        if before.get(key) != after.get(key):
            yield Reworded(key, before.get(key, ""), after.get(key, ""))


def _sentences(policy: Policy, at: datetime, language: str) -> dict[str, str]:
    tag = language if language in policy.policy.languages else policy.policy.languages[0]
    return {item.id: item.sentence for item in notice(compile_policy(policy), tag, at).items}
