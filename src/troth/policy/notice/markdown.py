"""The notice as Markdown: for files, for reading what a change changes, and for mail."""

from __future__ import annotations

import re
from collections.abc import Iterator

from troth.policy.notice.parts import Item, Notice, Section

_SPECIAL = re.compile(r"([\\`*\[\]])")


def as_markdown(notice: Notice) -> str:
    """``notice`` in CommonMark, ending in a line break. What the policy says is escaped, never taken for markup."""
    return "\n".join(_lines(notice)).rstrip() + "\n"


def _lines(notice: Notice) -> Iterator[str]:
    yield from (f"# {_plain(notice.title)}", "", _plain(notice.introduction), "")
    yield from (f"- [{_plain(section.heading)}](#{section.id})" for section in notice.sections)
    yield ""
    for section in notice.sections:
        yield from _section(notice, section)
    yield from ("---", "")
    if any(item.kind == "statement" for item in notice.items):
        yield from (_plain(notice.words["statements note"]), "")
    if any(item.origins for item in notice.items):
        yield _plain(notice.words["decisions note"])


def _section(notice: Notice, section: Section) -> Iterator[str]:
    yield from (f'<a id="{section.id}"></a>', "", f"## {_plain(section.heading)}", "")
    if section.introduction:
        yield from (_plain(section.introduction), "")
    for group in section.groups:
        if group.heading:
            yield from (f"### {_plain(group.heading)}", "")
        for item in group.items:
            yield from _item(notice, item)
        yield ""


def _item(notice: Notice, item: Item) -> Iterator[str]:
    lead = f"**{_plain(item.lead)}**" if item.lead else ""
    mark = f" *({_plain(notice.words['statement'])})*" if item.kind == "statement" else ""
    yield f"- {lead}{_plain(item.rest if item.lead else item.sentence)}{mark}"
    yield from (f"  - {_plain(detail)}" for detail in item.details)
    if item.listing:
        yield "  - " + "; ".join(f"{_plain(line.label)}: [{_plain(line.text)}]({line.url})" for line in item.listing)
    yield from (f"  - *{_plain(origin.sentence)}*" for origin in item.origins)


def _plain(words: str) -> str:
    return _SPECIAL.sub(r"\\\1", words).replace("<", "&lt;").replace("\n", " ")
