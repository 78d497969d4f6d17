"""What an HTML message shows, as plain text. Pure; nothing of it is carried out, fetched or kept as markup.

Python's own parser takes minutes for a hundred kilobytes of tags that nobody closed, and mail is written by anybody. Here one
pass finds what is plainly a tag, and all else is text; the result is only ever shown as text, so a mistake costs a stray ``<``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

_UNSEEN = frozenset({"script", "style", "head", "title", "template", "noscript", "svg", "math", "textarea", "object"})
_BREAKS = frozenset({"address", "article", "blockquote", "br", "center", "dd", "div", "dl", "dt", "footer", "form", "h1", "h2",
                     "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "ol", "p", "pre", "section", "table", "td", "th",
                     "tr", "ul"})  # fmt: skip
_NO_CHARACTER = re.compile(r"&#[0-9]{20,};?")
"""a number that Python refuses to read, of a character that there is not"""
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:]{0,30})[^<>]*>")


def text_of(html: str) -> str:
    """The text of ``html``, a line for each block; what it quotes begins with ``>``, as in plain mail."""
    lines: list[tuple[int, list[str]]] = [(0, [])]
    quoted, unseen = 0, ""
    for text, closes, tag in _pieces(_without_comments(html)):
        if not unseen:
            lines[-1][1].append(unescape(_NO_CHARACTER.sub("\ufffd", text)))
        if tag in _UNSEEN:
            unseen = _unseen(unseen, tag, closes)
        if tag in _BREAKS and not unseen:
            quoted = max(0, quoted + (-1 if closes else 1) * (tag == "blockquote"))
            lines.append((quoted, []))
    return "\n".join(
        _marked(depth, " ".join("".join(pieces).split())) for depth, pieces in lines if any(pieces)
    ).strip()


def _pieces(html: str) -> Iterator[tuple[str, bool, str]]:
    """Each text, and the tag that ends it: whether it closes something, and its name; blank at the end."""
    place = 0
    for found in _TAG.finditer(html):
        yield html[place : found.start()], bool(found[1]), found[2].lower()
        place = found.end()
    yield html[place:], False, ""


def _unseen(inside: str, tag: str, closes: bool) -> str:
    """Within which element nothing is shown, after this tag: what is opened within it changes nothing."""
    if closes:
        return "" if tag == inside else inside
    return inside or tag


def _marked(depth: int, line: str) -> str:
    return f"{'>' * min(depth, 9)} {line}" if depth and line else line


def _without_comments(html: str) -> str:
    """``html`` without comments and declarations; what was never closed goes on to the end."""
    kept, place = [], 0
    while (start := html.find("<!", place)) >= 0:
        kept.append(html[place:start])
        end = "-->" if html.startswith("<!--", start) else ">"
        found = html.find(end, start)
        if found < 0:
            return "".join(kept)
        place = found + len(end)
    return "".join([*kept, html[place:]])
