"""A copy to be read: headings, lines and tables in their order, nothing but text. Page and PDF lay out the same. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from troth.rights.copy.model import Group, Item, Overview, Section, counted, more
from troth.rights.copy.voice import day, moment, said
from troth.rights.copy.words import say, words


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that is said of a record; ``id`` is for style sheets."""

    id: str
    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """One record: its values by label, and what is said of it."""

    title: str
    values: tuple[tuple[str, str], ...]
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Records with one purpose."""

    title: str
    basis: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One table; without rows, ``empty`` says what would be in it."""

    id: str
    title: str
    about: str
    empty: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole copy."""

    language: str
    title: str
    operator: str
    lead: tuple[str, ...]
    count: str
    empty: str
    parts: tuple[Part, ...]
    sheets: tuple[Sheet, ...]


def page(told: Overview) -> Page:
    """``told`` as text."""
    about, tag = told.about, told.about.language
    taken = moment(about.at, tag)
    lead = [say(tag, "copy.taken", at=taken, version=about.version), *about.notes]
    lead += [say(tag, "copy.contact", contact=about.contact)] if about.contact else []
    lead += [line for line in [more(about, told.shown, told.count)] if line]
    return Page(
        language=tag,
        title=say(tag, "copy.heading", operator=about.operator),
        operator=about.operator,
        lead=tuple(lead),
        count=counted(about, told.count),
        empty=say(tag, "copy.empty"),
        parts=tuple(_part(one, told) for one in told.groups),
        sheets=tuple(_sheet(one, told) for one in told.sections),
    )


def _part(group: Group, told: Overview) -> Part:
    return Part(group.purpose.label, group.basis, tuple(_card(one, told) for one in group.items))


def _card(item: Item, told: Overview) -> Card:
    at = moment(item.at, told.about.language)
    title = say(told.about.language, "copy.record", through=item.kind.through.label, at=at)
    values = tuple((field.label, item.values[field.id]) for field in item.kind.fields)
    return Card(title, values, tuple(_facts(item, told)))


def _facts(item: Item, told: Overview) -> Iterator[Fact]:
    tag, kind = told.about.language, item.kind
    label = words(tag)["copy"]
    uses = [
        say(tag, "copy.use", purpose=u.purpose.label, basis=u.basis, state=u.state.label) for u in kind.uses
    ]  # fmt: skip
    yield Fact("source", label["source"], (kind.source.label,))
    yield Fact("version", label["version"], (str(item.version),))
    yield Fact("used", label["used"], tuple(uses) or (label["unused"],))
    yield Fact("received", label["received"], tuple(one.words for one in item.given) or (label["received_nobody"],))
    yield Fact("goes", label["goes"], (goes_line(item, told),))
    if kind.apart:
        yield Fact("apart", label["apart"], kind.apart)


def goes_line(item: Item, told: Overview) -> str:
    """``By 5 May 2026. 100 days after we got it.``"""
    tag, by = told.about.language, item.goes.by
    if item.goes.how == "never":
        return item.goes.because
    when = say(tag, "goes.open") if by is None else say(tag, "goes.by", day=day(by, tag))
    return told.speaker.finish(say(tag, "copy.goes_line", by=when, because=item.goes.because))


def _sheet(section: Section, told: Overview) -> Sheet:
    rows = tuple(tuple(said(cell, told.speaker) for cell in row) for row in section.rows)
    heads = tuple(one.label for one in section.columns)
    return Sheet(section.key, section.title, section.about, section.empty, heads, rows)
