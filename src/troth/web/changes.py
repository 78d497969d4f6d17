"""What changed between two versions of a notice, sentence by sentence. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from troth.policy.notice import Item, Notice

_ALWAYS = "promise-policy"
"""the sentence with the version's number, which changes each time and tells nothing"""


@dataclass(frozen=True, slots=True)
class Changed:
    """One thing that is said differently."""

    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Changes:
    """What a version says that the one before did not, what it no longer says, and what it says differently."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[Changed, ...]

    @property
    def any(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def changes(before: Notice, after: Notice) -> Changes:
    """Compare two notices in the same language, item by item."""
    old, new = ({item.id: _words(item) for item in one.items if item.id != _ALWAYS} for one in (before, after))
    return Changes(
        added=tuple(words for key, words in new.items() if key not in old),
        removed=tuple(words for key, words in old.items() if key not in new),
        changed=tuple(Changed(old[key], words) for key, words in new.items() if key in old and old[key] != words),
    )


def _words(item: Item) -> str:
    return " ".join((item.sentence, *item.details))
