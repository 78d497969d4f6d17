"""Bytes of a message as text, whatever they claim to be. Pure; nothing here raises.

Only charsets that mail is written in are believed: some of the names that Python knows are no charsets, some take quadratic
time, and some names mean a smaller set than the bytes that are sent under it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator

_CODECS = {
    **dict.fromkeys(("utf-8", "utf8"), ("utf-8",)),
    **dict.fromkeys(("us-ascii", "ascii", "iso-8859-1", "latin1", "windows-1252", "cp1252"), ("utf-8", "cp1252")),
    **dict.fromkeys(("big5", "big-5", "cn-big5", "cp950", "big5-hkscs", "big5hkscs"), ("cp950", "big5hkscs")),
    **dict.fromkeys(("gb2312", "gbk", "gb18030", "cp936", "hz-gb-2312"), ("gb18030",)),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "cp932", "windows-31j"), ("cp932",)),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "cp949"), ("cp949",)),
    **{name: (name,) for name in ("euc-jp", "iso-2022-jp", "iso-2022-kr", "koi8-r", "koi8-u", "utf-16", "utf-7", "tis-620")},
    **{f"iso-8859-{number}": (f"iso-8859-{number}",) for number in (2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)},
    **{f"windows-125{number}": (f"cp125{number}",) for number in (0, 1, 3, 4, 5, 6, 7, 8)},
}  # fmt: skip
_UNKNOWN = ("utf-8", "cp1252")
_GONE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
"""controls, marks that change the direction of what follows or show nothing, halves of characters, and what is none"""
_MOST_MARKS = 30
"""on one letter, as in the Stream-Safe Text Format (UAX 15): putting them in order takes the square of their number"""
_BREAKS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")


def decoded(raw: bytes, charset: str = "") -> str:
    """``raw`` as text: by its ``charset`` where that is known and fits, else by whatever fits, else with gaps marked."""
    for codec in (*_CODECS.get(charset.strip().lower(), ()), *_UNKNOWN):
        try:
            return raw.decode(codec)
        except UnicodeError:
            continue
    return raw.decode("cp1252", "replace")


def clean(text: str) -> str:
    """``text`` with one kind of line break and without characters that nobody sees, in normal form."""
    lines = _BREAKS.sub("\n", text)
    return unicodedata.normalize("NFC", "".join(_few_marks(filter(_seen, lines))))


def clean_line(text: str, most: int) -> str:
    """``text`` on one line, at most ``most`` characters long."""
    return " ".join(clean(text[: most * 4]).split())[:most]


def _few_marks(chars: Iterable[str]) -> Iterator[str]:
    marks = 0
    for char in chars:
        marks = marks + 1 if unicodedata.combining(char) else 0
        if marks <= _MOST_MARKS:
            yield char


def _seen(char: str) -> bool:
    return char in "\n\t" or unicodedata.category(char) not in _GONE
