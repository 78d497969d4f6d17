"""What is held about a person, as it is shown: frozen values in the reader's language, the same for page and copies. Pure.

Whatever a page, a table or a program is shown comes from these values alone, so that no copy can say less than another.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from troth.policy.notice.language import Speaker
from troth.rights.copy.words import say

TABLES = ("choices", "disclosures", "holds", "leaving", "dealings", "messages", "account", "visits", "rights")
"""the tables of a copy besides the records, in the order they are shown"""


@dataclass(frozen=True, slots=True)
class Named:
    """Something the policy names: its id there, for programs, and the words for it, for people."""

    id: str
    label: str


Cell = str | int | bool | datetime | Named | tuple[Named, ...] | None


@dataclass(frozen=True, slots=True)
class Section:
    """One table: ``empty`` says what would appear in it; a row has a cell for each column."""

    key: str
    title: str
    about: str
    empty: str
    columns: tuple[Named, ...]
    rows: tuple[tuple[Cell, ...], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Use:
    """One purpose that may use a record: why it may, and whether it does now."""

    purpose: Named
    basis: str
    state: Named


@dataclass(frozen=True, slots=True, eq=False)  # told apart as objects: one is shared by all records it is true of
class Given:
    """Who received fields of a record: how often since it was taken in, and when last."""

    recipient: Named
    country: str
    fields: tuple[Named, ...]
    times: int
    last: datetime
    words: str


@dataclass(frozen=True, slots=True)
class Goes:
    """When a record goes. ``how``: ``dated``, ``waits`` (``by`` is blank, it depends on something), ``held`` or ``never``."""

    by: datetime | None
    because: str
    how: str


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """What records of one kind share: where they come in, from whom, which fields they have and what these are for."""

    number: int
    through: Named
    source: Named
    fields: tuple[Named, ...]
    uses: tuple[Use, ...]
    apart: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One record: its values in the order of ``kind.fields``, who received them and when they go."""

    kind: Kind
    at: datetime
    version: int
    values: Mapping[str, str] = field(repr=False)
    masked: frozenset[str]
    given: tuple[Given, ...]
    goes: Goes


@dataclass(frozen=True, slots=True)
class About:
    """What stands above everything: who holds the data, how to reach them, as of when."""

    language: str
    operator: str
    contact: str
    at: datetime
    version: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """Everything about a person: the tables, and the records, to be gone through once."""

    about: About
    sections: tuple[Section, ...]
    items: Iterator[Item] = field(repr=False)
    speaker: Speaker = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Group:
    """Records with the same first purpose, the newest first."""

    purpose: Named
    basis: str
    items: tuple[Item, ...]


@dataclass(frozen=True)
class Overview:
    """Everything about a person in memory, to be read: ``count`` records there are, the newest of them in ``groups``."""

    about: About
    groups: tuple[Group, ...]
    sections: tuple[Section, ...]
    count: int
    shown: int
    speaker: Speaker = field(repr=False, compare=False)

    @property
    def items(self) -> Iterator[Item]:
        """The records, group by group."""
        return (item for group in self.groups for item in group.items)

    def section(self, key: str) -> Section:
        """The table called ``key``."""
        return next(one for one in self.sections if one.key == key)


def counted(about: About, count: int) -> str:
    """``We hold 3 records about you.``"""
    key = {0: "none", 1: "one"}.get(count, "many")
    return say(about.language, f"copy.count_{key}", count=f"{count:,}")


def more(about: About, shown: int, count: int) -> str:
    """That some records are left out; blank when none are."""
    return say(about.language, "copy.more", shown=f"{shown:,}", count=f"{count:,}") if shown < count else ""
