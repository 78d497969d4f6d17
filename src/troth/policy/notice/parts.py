"""What a notice consists of: sections, groups within them, and one item for each promise or statement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from troth.policy.findings import Place
from troth.policy.notice.pictures import Picture


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something comes from that the published text did not say; ``sentence`` is for people."""

    kind: Literal["decision", "law"]
    sentence: str


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of a list that an item brings along, such as an authority: where, who, its page, and whether it leads."""

    label: str
    text: str
    url: str = ""
    leads: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One promise, or one statement that nothing depends on. ``sentence`` starts with ``lead`` when there is one."""

    id: str
    promise_id: str | None
    kind: Literal["promise", "statement"]
    sentence: str
    lead: str = ""
    details: tuple[str, ...] = ()
    listing: tuple[Listed, ...] = ()
    origins: tuple[Origin, ...] = ()
    cites: tuple[str, ...] = ()
    place: Place | None = None

    @property
    def rest(self) -> str:
        """The sentence after its lead."""
        return self.sentence.removeprefix(self.lead)


@dataclass(frozen=True, slots=True)
class Group:
    """Items that belong together; ``heading`` is blank when the section needs no parts."""

    id: str
    heading: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One thing that people ask, with all that answers it."""

    id: str
    heading: str
    introduction: str
    groups: tuple[Group, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        return tuple(item for group in self.groups for item in group.items)


@dataclass(frozen=True)
class Notice:
    """A policy version as people read it, in one language. ``questions`` says that the operator chose the headings."""

    title: str
    operator: str
    introduction: str
    language: str
    languages: tuple[str, ...]
    version: int
    effective: date | None
    sections: tuple[Section, ...]
    questions: bool
    words: Mapping[str, str] = field(repr=False)
    pictures: Mapping[str, tuple[Picture, ...]] = field(repr=False, default_factory=dict)
    """by the id of the section that they stand in"""

    @property
    def items(self) -> Iterator[Item]:
        """Every item, in the order of the page."""
        return (item for section in self.sections for item in section.items)
