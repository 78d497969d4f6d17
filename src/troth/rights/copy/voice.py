"""How things are called for one reader: labels of the policy, days with their zone, and never an id or a bare key. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from babel.dates import format_date, format_time

from troth.policy.acts import LEGAL
from troth.policy.compile import Compiled
from troth.policy.model import Policy
from troth.policy.notice.language import Speaker, language
from troth.rights.copy.model import Cell, Named
from troth.rights.copy.words import one_of, say, words

Older = Callable[[int], Policy | None]


@dataclass(frozen=True)
class Voice:
    """Speaks of one policy in one language. ``older`` finds earlier versions, for what the policy no longer names."""

    compiled: Compiled
    speaker: Speaker
    tag: str
    older: Older

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.compiled.policy

    def say(self, key: str, **terms: object) -> str:
        """The words of the copies under ``key``."""
        return say(self.tag, key, **terms)

    def one_of(self, table: str, key: str) -> Named:
        """What ``key`` of one of our own tables is called."""
        return Named(key, self.speaker.finish(one_of(self.tag, table, key)))

    def moment(self, at: datetime) -> str:
        """``5 January 2026, 09:00 UTC``"""
        return moment(at, self.tag)

    def day(self, at: datetime) -> str:
        """``5 January 2026``"""
        return day(at, self.tag)

    def field(self, key: str, version: int | None = None) -> Named:
        """A field of data, by the name it has in the policy in force, or else had in ``version``."""
        speaker = self.speaker if key in self.policy.data else self._back_then(version)
        return Named(key, self.speaker.finish(speaker.label(key)))

    def fields(self, keys: Iterable[str]) -> tuple[Named, ...]:
        """Several fields."""
        return tuple(self.field(key) for key in keys)

    def point(self, key: str, version: int | None = None) -> Named:
        """A collection point, likewise."""
        for speaker in (self.speaker, self._back_then(version)):
            if found := speaker.policy.collection.get(key):
                return Named(key, self.speaker.finish(speaker.text(found.label)))
        return Named(key, _spelt(key))

    def purpose(self, key: str) -> Named:
        """A purpose, or a legal ground after ``legal:``."""
        if key.startswith(LEGAL) and key.removeprefix(LEGAL) in self.policy.legal:
            return Named(key, self.ground(key.removeprefix(LEGAL)).label)
        found = self.policy.purposes.get(key)
        return Named(key, self.speaker.finish(self.speaker.text(found.label)) if found else _spelt(key))

    def recipient(self, key: str) -> Named:
        """A recipient."""
        known = key in self.policy.recipients
        return Named(key, self.speaker.finish(self.speaker.recipient(key)) if known else _spelt(key))

    def country_of(self, key: str) -> str:
        """The country that a recipient keeps data in; blank when the policy names none."""
        found = self.policy.recipients.get(key)
        return self.speaker.territory(found.country) if found and found.country else ""

    def scope(self, scope: str) -> Named:
        """What a choice is about: a purpose, or a recipient."""
        if scope.startswith("@"):
            return Named(scope, self.recipient(scope[1:]).label)
        return self.purpose(scope)

    def ground(self, key: str) -> Named:
        """What keeps data or lets it go out: a legal ground, a word of the policy's erasure, or an archive."""
        if legal := self.policy.legal.get(key):
            return Named(key, self.speaker.finish(self.speaker.text(legal.label)))
        if archive := self.policy.retention.get(key):
            return Named(key, self.speaker.finish(archive.because or self.speaker.purposes(archive.for_)))
        return Named(key, self.speaker.finish(self.speaker.phrase("may keep", key)))

    def channel(self, key: str) -> Named:
        """Where a choice was made: at a collection point or in another way."""
        if key in self.policy.collection:
            return self.point(key)
        known = words(self.tag)["channels"]
        if key in known:
            return Named(key, self.speaker.finish(str(known[key])))
        return Named(key, self.speaker.finish(self.say("channels.other", words=_spelt(key).lower())))

    def times(self, count: int) -> str:
        """``once``, ``3 times``"""
        return self.say("copy.times_one") if count == 1 else self.say("copy.times_many", count=f"{count:,}")

    def _back_then(self, version: int | None) -> Speaker:
        found = self.older(version) if version is not None else None
        return Speaker(found, language(self.tag)) if found else self.speaker


def _spelt(key: str) -> str:
    """An id that nobody named, as words."""
    return key.replace("_", " ").replace("-", " ").strip().capitalize()


def said(cell: Cell, speaker: Speaker) -> str:
    """A cell as people read it."""
    tag = speaker.words.tag
    if cell in (None, "", ()):
        return say(tag, "copy.none")
    if isinstance(cell, bool):
        return say(tag, "copy.yes" if cell else "copy.no")
    if isinstance(cell, datetime):
        return moment(cell, tag)
    if isinstance(cell, tuple):
        return speaker.every(one.label for one in cell)
    return cell.label if isinstance(cell, Named) else f"{cell:,}" if isinstance(cell, int) else str(cell)


@lru_cache(maxsize=4096)
def moment(at: datetime, tag: str) -> str:
    """``5 January 2026, 09:00 UTC``: whatever instants are kept, they are kept in UTC."""
    time = format_time(at, "HH:mm", locale=language(tag).locale)
    return say(tag, "copy.moment", day=day(at, tag), time=time)


@lru_cache(maxsize=4096)
def day(at: datetime, tag: str) -> str:
    """``5 January 2026``"""
    return format_date(at, "long", locale=language(tag).locale)
