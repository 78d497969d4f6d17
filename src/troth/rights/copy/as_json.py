"""The copy for programs: one JSON document, written as its records are read, in the format of ``docs/your-data.schema.json``.

A record is one line that names its kind; what all records of a kind share stands once, below them, since a kind is known when
its first record has come by. Whoever has ten thousand records gets them in a constant amount of memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any

from troth.clock import iso
from troth.rights.copy.model import About, Cell, Given, Item, Kind, Named, Section, Told

FORMAT = "troth/your-data/1"
BATCH = 200
"""records in one piece of the answer"""
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def as_json(told: Told) -> Iterator[bytes]:
    """The document in pieces of UTF-8.

    Raises, as it is gone through:
        StoreError: as ``vault.everything`` does.
    """
    yield f'{{"format":{_encode(FORMAT)},{_opened(_head(told.about))},"records":['.encode()
    kinds: dict[int, Kind] = {}
    lines: list[str] = []
    comma = ""
    for item in told.items:
        kinds.setdefault(item.kind.number, item.kind)
        lines.append(_record(item))
        if len(lines) >= BATCH:
            yield (comma + ",\n".join(lines)).encode()
            lines, comma = [], ",\n"
    if lines:
        yield (comma + ",\n".join(lines)).encode()
    tables = {one.key: [_row(one, row) for row in one.rows] for one in told.sections}
    yield f"],{_opened({'kinds': [_kind(one) for one in kinds.values()], **tables})}}}\n".encode()


def _opened(tree: dict[str, Any]) -> str:
    """The inside of an object."""
    return _encode(tree)[1:-1]


def _head(about: About) -> dict[str, Any]:
    return {
        "language": about.language,
        "operator": {"name": about.operator, "contact": about.contact},
        "taken_at": iso(about.at),
        "policy_version": about.version,
        "notes": list(about.notes),
    }


def _record(item: Item) -> str:
    by = item.goes.by
    masked = f',"masked":{_encode(sorted(item.masked))}' if item.masked else ""
    return (
        f'{{"kind":{item.kind.number},"at":"{_iso(item.at)}","policy_version":{item.version},'
        f'"values":{{{_values(item)}}}{masked},"given_to":{_given(item.given) if item.given else "[]"},'
        f'"goes":{{"by":{"null" if by is None else _quoted(by)}{_why(item.goes.because, item.goes.how)}}}}}'
    )


def _values(item: Item) -> str:
    """The inside of the object of a record's values: text by the name of its field."""
    values = item.values
    return ",".join([name + encode_basestring(values[field]) for field, name in _names(item.kind)])


@lru_cache(maxsize=1024)
def _names(kind: Kind) -> list[tuple[str, str]]:
    """The ids of its fields, and how each begins in JSON."""
    return [(one.id, f"{encode_basestring(one.id)}:") for one in kind.fields]


def _iso(at: datetime) -> str:
    """As ``clock.iso``, for instants that are in UTC already: there are two in every record, and this is the quickest way."""
    return "%04d-%02d-%02dT%02d:%02d:%02dZ" % (at.year, at.month, at.day, at.hour, at.minute, at.second)  # noqa: UP031


def _quoted(at: datetime) -> str:
    return f'"{_iso(at)}"'


@lru_cache(maxsize=1024)
def _why(because: str, how: str) -> str:
    return f',"how":{_encode(how)},"because":{_encode(because)}'


@lru_cache(maxsize=1024)
def _given(given: tuple[Given, ...]) -> str:
    return _encode(
        [
            {
                "recipient": _cell(one.recipient),
                "country": one.country or None,
                "fields": [_cell(each) for each in one.fields],
                "times": one.times,
                "last_at": iso(one.last),
            }
            for one in given
        ]
    )


def _kind(kind: Kind) -> dict[str, Any]:
    uses = [{"purpose": _cell(u.purpose), "basis": u.basis, "state": _cell(u.state)} for u in kind.uses]
    return {
        "kind": kind.number,
        "through": _cell(kind.through),
        "source": _cell(kind.source),
        "fields": [_cell(one) for one in kind.fields],
        "uses": uses,
        "apart": list(kind.apart),
    }


def _row(section: Section, row: tuple[Cell, ...]) -> dict[str, Any]:
    return {column.id: _cell(cell) for column, cell in zip(section.columns, row, strict=True)}


def _cell(cell: Cell) -> Any:
    match cell:
        case datetime():
            return iso(cell)
        case Named():
            return {"id": cell.id, "label": cell.label}
        case tuple():
            return [_cell(one) for one in cell]
        case _:
            return cell
