"""The copy as tables: one ZIP of CSV files, written as the records are read.

What could go wrong: a value that begins like a formula is carried out by whatever opens the file (CSV injection). So a cell
that begins with one of ``= + - @``, a tab or a line end has an apostrophe put before it, and so has one that begins with an
apostrophe itself, which makes it reversible: whoever finds an apostrophe first removes one. ``README.txt`` in the ZIP says so.
Line feeds inside cells stay, quoted as RFC 4180 has it; files begin with a byte order mark, so that spreadsheets read UTF-8.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import count

from troth.clock import iso
from troth.rights.copy.model import About, Cell, Item, Kind, Named, Section, Told
from troth.rights.copy.words import say, words

RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "'")
_BOM = "\ufeff"
_EPOCH = (1980, 1, 1, 0, 0, 0)
_PIECE = 64 * 1024
DATA = (
    *("record", "kind", "field.id", "field", "value", "masked", "through.id", "through", "source.id", "source"),
    *("at", "policy_version", "goes_by", "goes_how", "goes_because", "given_to"),
)
USES = ("kind", "purpose.id", "purpose", "basis", "state.id", "state")
APART = ("kind", "apart")


def guarded(cell: str) -> str:
    """``cell`` so that no program takes it for a formula."""
    return f"'{cell}" if cell.startswith(RISKY) else cell


def unguarded(cell: str) -> str:
    """The cell that ``guarded`` was given."""
    return cell.removeprefix("'")


def as_csv(told: Told) -> Iterator[bytes]:
    """The ZIP in pieces.

    Raises, as it is gone through:
        StoreError: as ``vault.everything`` does.
    """
    out = _Pipe()
    kinds: dict[int, Kind] = {}
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        yield from _file(archive, out, "data.csv", DATA, _data(told.items, kinds))
        yield from _file(archive, out, "uses.csv", USES, _uses(kinds.values()))
        yield from _file(
            archive, out, "apart.csv", APART, ([str(k.number), one] for k in kinds.values() for one in k.apart)
        )
        for one in told.sections:
            yield from _file(archive, out, f"{one.key}.csv", _heads(one), (_cells(one, row) for row in one.rows))
        with archive.open(zipfile.ZipInfo("README.txt", _EPOCH), "w") as file:
            file.write((_BOM + readme(told.about, told.sections)).encode())
    yield out.taken()


class _Pipe(io.RawIOBase):
    """What the ZIP is written into and taken from, so that it is never whole in memory."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        self._held += view
        return len(view)

    def __len__(self) -> int:
        return len(self._held)

    def taken(self) -> bytes:
        """What was written since it was last taken."""
        taken = bytes(self._held)
        self._held.clear()
        return taken


def _file(
    archive: zipfile.ZipFile, out: _Pipe, name: str, heads: Iterable[str], rows: Iterable[list[str]]
) -> Iterator[bytes]:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    with archive.open(info, "w") as raw, io.TextIOWrapper(raw, "utf-8", newline="") as text:
        text.write(_BOM)
        write = csv.writer(text, lineterminator="\r\n").writerow
        write(list(heads))
        for row in rows:
            write([guarded(cell) for cell in row])
            if len(out) >= _PIECE:
                yield out.taken()


def _data(items: Iterable[Item], kinds: dict[int, Kind]) -> Iterator[list[str]]:
    for number, item in zip(count(1), items, strict=False):
        kind = kinds.setdefault(item.kind.number, item.kind)
        record = [
            kind.through.id,
            kind.through.label,
            kind.source.id,
            kind.source.label,
            iso(item.at),
            str(item.version),
        ]
        record += [_text(item.goes.by), item.goes.how, item.goes.because, "\n".join(one.words for one in item.given)]
        for field in kind.fields:
            value = item.values[field.id]
            masked = "yes" if field.id in item.masked else "no"
            yield [str(number), str(kind.number), field.id, field.label, value, masked, *record]


def _uses(kinds: Iterable[Kind]) -> Iterator[list[str]]:
    for kind in kinds:
        for use in kind.uses:
            yield [str(kind.number), use.purpose.id, use.purpose.label, use.basis, use.state.id, use.state.label]


def _heads(section: Section) -> list[str]:
    return [head for column in section.columns for head in (f"{column.id}.id", column.id)]


def _cells(section: Section, row: tuple[Cell, ...]) -> list[str]:
    """Two cells for each column: the ids of what the policy names, or nothing, and the words or the value."""
    return [text for cell in row for text in (_ids(cell), _text(cell))]


def _ids(cell: Cell) -> str:
    if isinstance(cell, Named):
        return cell.id
    return "\n".join(one.id for one in cell) if isinstance(cell, tuple) else ""


def _text(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case datetime():
            return iso(cell)
        case Named():
            return cell.label
        case tuple():
            return "\n".join(one.label for one in cell)
        case _:
            return str(cell)


def readme(about: About, tables: Iterable[Section]) -> str:
    """What is in the ZIP and how to read it."""
    tag = about.language
    told = words(tag)["readme"]
    lines = [told["title"], say(tag, "copy.heading", operator=about.operator), ""]
    lines += [f"{iso(about.at)}  ({say(tag, 'copy.version')}: {about.version})", about.contact, "", *about.notes, ""]
    lines += [told["how"], told["guard"], told["ids"], told["many"], ""]
    lines += [say(tag, "readme.file", file="data.csv", title=told["data"])]
    lines += [say(tag, "readme.file", file="uses.csv", title=told["uses"])]
    lines += [say(tag, "readme.file", file="apart.csv", title=say(tag, "copy.apart"))]
    for one in tables:
        columns = "; ".join(f"{column.id} = {column.label}" for column in one.columns)
        lines += [say(tag, "readme.file", file=f"{one.key}.csv", title=one.title), f"    {one.about}", f"    {columns}"]
    return "\r\n".join(lines) + "\r\n"
