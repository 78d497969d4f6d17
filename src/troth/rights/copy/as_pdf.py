"""The copy as a document: tagged PDF (PDF/UA-1), so that it can be read aloud, with its title and its language.

What could go wrong: a value that is taken for markup; a sign that no font of this machine has, and a box in its place; an error
that quotes a value. So values go in as strings, beside a template that is ours alone; what no font has is found out before, is
marked in words, and the document says that it did so; and an error of the typesetter is passed on without its words. A
document is made whole, so it holds as many records as ``overview`` was asked for, and unlike JSON and CSV takes the memory for
all of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, replace
from functools import cache
from importlib.resources import files
from math import sqrt
from typing import Any

from troth.errors import TrothError
from troth.rights.copy.model import Overview
from troth.rights.copy.reading import Sheet, page
from troth.rights.copy.words import say, words

LATIN = "Libertinus Serif"
"""comes with Typst"""
CHINESE = (
    *("Noto Serif CJK TC", "Noto Serif TC", "Source Han Serif TC", "Noto Sans CJK TC", "Noto Sans TC"),
    *("Source Han Sans TC", "PingFang TC", "Microsoft JhengHei", "PMingLiU", "MingLiU"),
)
_SAMPLE = {"en": "", "zh-Hant": "我們持有您的資料"}
_REGION = {"en": ("en", "GB"), "zh-Hant": ("zh", "TW")}
_PROBE = b"#set document(title: sys.inputs.signs)\n#set text(font: json(bytes(sys.inputs.fonts)))\n#sys.inputs.signs"
_UNSHOWN = re.compile(r'the text `"(.*?)"` could not be displayed', re.DOTALL)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ufffe\uffff]")
_LONG = re.compile("[^\\s\u2e80-\uffff]{40}")
_MOST_PROBES = 60


def printable_language(tag: str) -> str:
    """``tag`` when this machine can print it, else English: what to ask ``overview`` for before making a document."""
    return tag if not _unprintable(_SAMPLE.get(tag, "")) else "en"


def as_pdf(told: Overview, asked: str = "") -> bytes:
    """The document. ``asked`` is the language the reader wanted, if ``told`` is in another because of the fonts.

    Raises:
        TrothError: when the typesetter fails; without what it said, which may quote a value.
    """
    tag = told.about.language
    made = page(told)
    signs = frozenset("".join(_strings(asdict(made))))
    missing = _unprintable("".join(sorted(signs)))
    notes = [say(tag, "copy.english_note")] if asked not in ("", tag) else []
    notes += [say(tag, "copy.unprintable_note")] if missing else []
    shown = _printed(asdict(replace(made, lead=(*made.lead, *notes))), missing, say(tag, "copy.unprintable"))
    lang, region = _REGION[tag]
    for sheet, one in zip(shown["sheets"], made.sheets, strict=True):
        sheet["widths"] = _widths(one)
    inputs = {"page": json.dumps(shown, ensure_ascii=False), "fonts": json.dumps(_families()), "lang": lang}
    inputs |= {"region": region, "footer": str(words(tag)["copy"]["page"])}
    template = files("troth.rights.copy").joinpath("copy.typ").read_bytes()
    return _compiled(template, inputs, round(told.about.at.timestamp()))


def _widths(sheet: Sheet) -> list[float]:
    """How wide each column is beside the others: by the root of its longest cell, within reason."""
    longest = [max((len(row[at]) for row in sheet.rows), default=0) for at in range(len(sheet.heads))]
    return [min(max(sqrt(length), 3.5), 12.0) for length in longest]


def _compiled(template: bytes, inputs: dict[str, str], at: int | None = None) -> bytes:
    import typst

    try:
        made = typst.compile(
            template, format="pdf", pdf_standards="ua-1", sys_inputs=inputs, font_paths=fonts(), timestamp=at
        )
    except typst.TypstError as error:
        found = _UNSHOWN.search(str(error))
        if found:
            raise _NotShown(found[1]) from None
        raise TrothError("The document could not be made.", "The readable page and the tables hold the same.") from None
    assert isinstance(made, bytes)
    return made


class _NotShown(TrothError):
    """Signs that no font has; ``signs`` as the typesetter spells them."""

    def __init__(self, spelt: str) -> None:
        super().__init__("A sign cannot be printed.", "This machine has no font for it.")
        self.signs = re.sub(r"\\u\{([0-9a-f]+)\}", lambda code: chr(int(code[1], 16)), spelt)


@cache
def fonts() -> Any:
    """The fonts of this machine and those that come with Typst."""
    import typst

    return typst.Fonts()


@cache
def _families() -> list[str]:
    """The fonts to set the document in; whatever they lack is looked for in all others."""
    there = set(fonts().families())
    return [LATIN, *(one for one in CHINESE if one in there)]


def _unprintable(signs: str) -> frozenset[str]:
    """Those of ``signs`` that no font of this machine has."""
    waiting = {one for one in signs if ord(one) > 0x7E and not _CONTROL.match(one)}
    missing: set[str] = set()
    for _ in range(_MOST_PROBES):
        if not waiting:
            return frozenset(missing)
        try:
            _compiled(_PROBE, {"signs": " ".join(sorted(waiting)), "fonts": json.dumps(_families())})
        except _NotShown as lacking:
            found = {one for one in waiting if one in lacking.signs} or waiting
            if any(map(_is_chinese, found)) and not _has_chinese():
                found |= {one for one in waiting if _is_chinese(one)}
            missing |= found
            waiting -= found
        else:
            return frozenset(missing)
    return frozenset(missing | waiting)


def _is_chinese(sign: str) -> bool:
    return sign >= "\u2e80"


@cache
def _has_chinese() -> bool:
    try:
        _compiled(_PROBE, {"signs": "的", "fonts": json.dumps(_families())})
    except _NotShown:
        return False
    return True


def _strings(tree: Any) -> Iterable[str]:
    if isinstance(tree, str):
        yield tree
    elif isinstance(tree, dict):
        for value in tree.values():
            yield from _strings(value)
    else:
        for value in tree:
            yield from _strings(value)


def _printed(tree: Any, missing: frozenset[str], instead: str) -> Any:
    """The same with ``instead`` for every run of signs that cannot be printed, and places to break long words at."""
    if isinstance(tree, dict):
        return {key: _printed(value, missing, instead) for key, value in tree.items()}
    if not isinstance(tree, str):
        return [_printed(value, missing, instead) for value in tree]
    text = tree.replace("\r\n", "\n").replace("\t", "    ")
    gone = f"[{re.escape(''.join(sorted(missing)))}]+" if missing else ""
    text = re.sub(gone, lambda _: instead, text) if gone else text
    return _LONG.sub(lambda run: run[0] + "\u200b", _CONTROL.sub(instead, text))
