"""Looks for addresses of people who are known where none should be: in columns of words, in columns and tables that nobody
declared, and in files of the site's folder.

Nothing is opened for this. What reads like an e-mail address or a telephone number is marked as the blind index marks it, and
looked for among the marks of identifiers. What is found is named by its place alone.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from sqlalchemy import JSON, Connection, LargeBinary, Text, select

from troth.people.blind import blind
from troth.people.logs import mask
from troth.people.spellings import TOKEN, TRACES, meant, plain
from troth.people.tables import identifier
from troth.policy.compile import Compiled
from troth.reconcile.findings import Finding
from troth.reconcile.naming import METADATA, named, names_of
from troth.reconcile.texts import LARGEST, UnsearchableError, texts_of
from troth.reconcile.undeclared import place

SAID = {"policy_version": ("policy", "decisions"), "shown": ("words",)}
"""texts that are shown to everybody and may name the operator"""
_AT_ONCE = 500


@dataclass
class Wanted:
    """Tells whether a text holds an address of somebody who is known."""

    conn: Connection
    compiled: Compiled
    index: bytes = field(repr=False)

    def within(self, texts: Iterable[str]) -> bool:
        """Whether one of ``texts`` holds such an address."""
        found: set[bytes] = set()
        self.look(texts, found)
        return bool(found)

    def look(self, texts: Iterable[str], found: set[bytes]) -> None:
        """Add to ``found`` the marks of all such addresses that ``texts`` hold, which come a piece at a time."""
        looked: set[str] = set()
        for text in texts:
            fresh = {*TOKEN.findall(text), *TOKEN.findall(plain(text))} - looked
            looked |= fresh
            marks = self._marks(fresh)
            while some := list(islice(marks, _AT_ONCE)):
                found |= self._known(some)

    def _marks(self, read: Iterable[str]) -> Iterator[bytes]:
        """The marks that people have in the index whom one of ``read`` may mean."""
        for token in read:
            for one in self.compiled.identifying:
                for spelled in dict.fromkeys(meant(self.compiled, one, token)):
                    yield blind(self.index, one, spelled)

    def digest(self, texts: Sequence[str]) -> str:
        """A digest of ``texts`` under the site's key, so that nobody guesses from it what they say."""
        return hashlib.blake2b(json.dumps(texts).encode(), key=self.index[:64], person=b"troth seen").hexdigest()

    def _known(self, marks: Sequence[bytes]) -> set[bytes]:
        known = identifier.c.field.in_(sorted(self.compiled.identifying)), identifier.c.blind.in_(marks)
        return set(self.conn.scalars(select(identifier.c.blind).where(*known)))


def in_rows(wanted: Wanted, conn: Connection, store: str, table: str, parts: Sequence[str]) -> Iterator[Finding]:
    """Rows of ``table``, of those that meet one of ``parts``, that hold an address of somebody who is known."""
    there = _columns(conn, table) if parts else {}
    columns = _searched(there, store, table)
    if not columns:
        return
    names = names_of(store, table, list(there))
    likely = " OR ".join(may_hold_address(conn.dialect.name, column, free=free) for column, free in columns.items())
    told = ", ".join(f'"{column}"' for column in columns)
    shown = ", ".join(f'"{name}"' for name in names)
    for part in parts:
        query = f'SELECT {told}, {shown} FROM "{table}" WHERE ({likely}) AND {part}'
        for row in conn.exec_driver_sql(query.replace("%", "%%") if _doubled(conn) else query):
            texts = [_text(value) for value in row[: len(columns)]]
            if wanted.within(texts):
                yield Finding(mask(table), "value", named(row[len(columns) :]), holds=wanted.digest(texts))


def _text(value: object) -> str:
    return bytes(value).decode("utf-8", "replace") if isinstance(value, (bytes, memoryview)) else str(value)


def _doubled(conn: Connection) -> bool:
    """Whether the driver takes a percent sign for a parameter."""
    return conn.dialect.name == "postgresql"


def may_hold_address(dialect: str, column: str, *, free: bool) -> str:
    """The SQL for whether a column's value may hold an address; only a free text is searched for telephone numbers."""
    text = f'CAST("{column}" AS TEXT)'
    find = "instr" if dialect == "sqlite" else "strpos"
    e_mail = " OR ".join(f"{find}({text}, '{trace}') > 0" for trace in TRACES)
    phone = f"{text} GLOB '*[0-9][0-9]*[0-9][0-9]*'" if dialect == "sqlite" else f"{text} ~ '[0-9][0-9].*[0-9][0-9]'"
    return f"{e_mail} OR {phone}" if free else e_mail


def _columns(conn: Connection, table: str) -> Mapping[str, str]:
    """The columns of a table and their types, in lower case."""
    query = "SELECT name, lower(type) FROM pragma_table_info(?) ORDER BY cid"
    if conn.dialect.name == "postgresql":
        query = """SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = to_regclass(%s)
            AND attnum > 0 AND NOT attisdropped ORDER BY attnum"""
        table = f'"{table}"'
    return dict(tuple(row) for row in conn.exec_driver_sql(query, (table,)))


def _searched(there: Mapping[str, str], store: str, table: str) -> dict[str, bool]:
    """The columns that are searched, and whether each is a free text: no numbers, nothing sealed, nothing declared personal."""
    declared = METADATA[store].tables.get("visit" if DAY.fullmatch(table) else table)
    found = {}
    for column, kind in there.items():
        known = declared.c.get(column) if declared is not None else None
        if known is not None and ("personal" in known.info or column in SAID.get(table, ())):
            continue
        if kind.startswith(_NUMBERS) or (known is not None and isinstance(known.type, LargeBinary)):
            continue
        found[column] = known is None or isinstance(known.type, (Text, JSON))
    return found


DAY = re.compile(r"visit_[0-9]{8}")
_NUMBERS = ("bigint", "integer", "int", "boolean", "smallint")


Seen = dict[str, tuple[int, int]]
"""files that were searched and held nothing, with the instant of their last change and their size"""


def in_files(wanted: Wanted, paths: Iterable[Path], seen: Seen, folder: Path) -> Iterator[Finding]:
    """Files that hold an address of somebody who is known; one that is as it was when it held none is not read again.

    One that is too large to be searched, or cannot be read, is a finding too. Each is named as it lies in ``folder``. What one
    ``holds`` are the addresses in it, so that who answered for some did not answer for one more.
    """
    for path in paths:
        name, holds = mask(place(path, folder)), wanted.digest([place(path, folder)])
        marks: set[bytes] = set()
        try:
            stat = path.stat()
            told = stat.st_mtime_ns, stat.st_size
            if seen.get(str(path)) == told:
                continue
            if stat.st_size > LARGEST:
                raise UnsearchableError
            wanted.look(texts_of(path), marks)
            if not marks:
                seen[str(path)] = told
        except FileNotFoundError:
            continue  # it has gone since it was listed
        except OSError:
            yield Finding(name, "unsearched", holds=holds)
        if marks:
            told_of = [place(path, folder), *sorted(mark.hex() for mark in marks)]
            yield Finding(name, "file", holds=wanted.digest(told_of))
