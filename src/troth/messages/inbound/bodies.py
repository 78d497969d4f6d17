"""The parts of a message: the text that a person wrote, and how many other things hang on it. Pure; nothing here raises.

What could go wrong: parts within parts without end, thousands of boundaries, a megabyte in one line, an archive that unpacks to
a terabyte. So parts are taken apart without recursion, to a depth and up to a number; only text is decoded, and only its
beginning; everything else is counted and dropped as it came. What is forwarded as a message counts as attached.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from troth.messages.inbound.charsets import clean, decoded
from troth.messages.inbound.heads import Head, parameters, split
from troth.messages.inbound.html import text_of

DEEPEST = 12
MOST_PARTS = 300
LONGEST_BODY = 400_000
"""bytes of one part that are decoded"""
LONGEST_TEXT = 100_000
"""characters of text that are looked at"""


@dataclass(frozen=True, slots=True)
class Part:
    """One part that holds no others."""

    kind: str
    charset: str
    attached: bool
    head: Head
    body: bytes


@dataclass(frozen=True, slots=True)
class Written:
    """What stands in a message: its text, whose charset was ``charset``, and the number of things attached to it."""

    text: str
    charset: str
    attachments: int


def written(head: Head, body: bytes) -> Written:
    """The text of a message: what is plain text, else what its HTML shows."""
    parts = list(_parts(head, body))
    plain = [part for part in parts if part.kind == "text/plain" and not part.attached]
    html = [part for part in parts if part.kind == "text/html" and not part.attached]
    attachments = len(parts) - len(plain) - len(html)
    charset = next((part.charset for part in (*plain, *html) if part.charset), "")
    text = clean("\n".join(_text(part) for part in plain)[:LONGEST_TEXT])
    if not text.strip():
        text = clean("\n".join(text_of(_text(part)[:LONGEST_TEXT]) for part in html[:3])[:LONGEST_TEXT])
    return Written(text, charset, attachments)


def _parts(head: Head, body: bytes) -> Iterator[Part]:
    waiting, number = [(head, body, 0)], 0
    while waiting and number < MOST_PARTS:
        head, body, depth = waiting.pop()
        kind, more = parameters(head, "content-type")
        if kind.startswith("multipart/") and more.get("boundary") and depth < DEEPEST:
            inside = [(*split(piece), depth + 1) for piece in _pieces(body, more["boundary"])]
            waiting += reversed(inside)
            continue
        number += 1
        where, told = parameters(head, "content-disposition")
        attached = where == "attachment" or "filename" in told or "name" in more
        if kind and "/" not in kind:
            kind = "text/plain"  # RFC 2045 5.2: what makes no sense counts as not said
        yield Part(kind or "text/plain", more.get("charset", ""), attached, head, body)


def _pieces(body: bytes, boundary: str) -> Iterator[bytes]:
    line = re.compile(rb"(?:^|\n)--" + re.escape(boundary.encode("latin-1")) + rb"(--)?[ \t]*(?=\n|$)")
    start = None
    for number, found in enumerate(line.finditer(body)):
        if start is not None:
            yield body[start : found.start()]
        start = found.end() + 1
        if found[1] or number >= MOST_PARTS:
            return
    if start is not None:
        yield body[start:]  # it was cut off before its end


_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))


def _text(part: Part) -> str:
    how = parameters(part.head, "content-transfer-encoding")[0]
    raw = part.body[:LONGEST_BODY]
    if how == "base64":
        letters = raw.translate(None, _NOT_BASE64)
        raw = binascii.a2b_base64(letters[: len(letters) // 4 * 4] + _end(letters[len(letters) // 4 * 4 :]))
    elif how == "quoted-printable":
        raw = binascii.a2b_qp(raw)
    return decoded(_whole(raw, len(part.body) > LONGEST_BODY), part.charset)


def _end(letters: bytes) -> bytes:
    return letters + b"=" * (4 - len(letters)) if len(letters) > 1 else b""


def _whole(raw: bytes, cut: bool) -> bytes:
    """``raw`` up to its last line break, where it was cut: half a character would make all of it unreadable."""
    return raw[: raw.rfind(b"\n") + 1] or raw[:-8] if cut else raw
