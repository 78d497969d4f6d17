"""What a file says, a piece at a time: plain or in UTF-16, and what lies in it packed.

What could go wrong: an export of customers lies in the site's folder as a spreadsheet, packed, or as another program of Windows
writes text, and a search for bytes finds nothing in it; a small archive unpacks to more than there is disk. So what is packed
is unpacked in memory, piece by piece and no further than the bounds below; and what cannot be looked into is said.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import IO, cast

LARGEST = 64 << 20
"""bytes of a file that is searched, and of all that is unpacked from one"""
MEMBERS = 2_000
"""files in an archive"""
DEEPEST = 3
"""archives in archives"""
_CHUNK, _OVERLAP = 1 << 20, 200
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ZIP, _GZIP, _BZIP, _XZ = b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00"
_CLOSED = (b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07", b"\x28\xb5\x2f\xfd", b"%PDF-")
"""how files begin that hold text in a form that is not read here: 7z, RAR, Zstandard, PDF"""
_HEAD = 8


class UnsearchableError(OSError):
    """A file, or something packed in it, that cannot be looked into: too large, locked, broken or of an unknown form."""


class _Left:
    """How many bytes and files may still be unpacked of one file."""

    def __init__(self) -> None:
        self.bytes, self.members = LARGEST, MEMBERS

    def take(self, number: int) -> None:
        self.bytes -= number
        if self.bytes < 0:
            raise UnsearchableError


def texts_of(path: Path) -> Iterator[str]:
    """The text of a file, a piece at a time, each with the end of the one before.

    Raises:
        UnsearchableError: when it, or something in it, cannot be looked into; ``OSError`` when it cannot be read.
    """
    with path.open("rb") as file:
        yield from _texts(file, _Left(), 0)


def _texts(file: IO[bytes], left: _Left, depth: int) -> Iterator[str]:
    head = file.read(_HEAD)
    if head.startswith(_CLOSED):
        raise UnsearchableError
    if head.startswith((_ZIP, _GZIP, _BZIP, _XZ)):
        if depth >= DEEPEST:
            raise UnsearchableError
        try:
            yield from _unpacked(head, file, left, depth)
        except (
            zipfile.BadZipFile,
            zlib.error,
            EOFError,
            lzma.LZMAError,
            NotImplementedError,
            RuntimeError,
            ValueError,
        ):
            raise UnsearchableError from None
        return
    yield from _decoded(head, file, left)


def _unpacked(head: bytes, file: IO[bytes], left: _Left, depth: int) -> Iterator[str]:
    whole = BytesIO(head + file.read(LARGEST + 1))
    if head.startswith(_ZIP):
        with zipfile.ZipFile(whole) as archive:
            for member in archive.infolist():
                left.members -= 1
                if left.members < 0:
                    raise UnsearchableError
                yield f"{member.filename} {Path(member.filename).stem}"
                if not member.is_dir():
                    with archive.open(member) as packed:
                        yield from _texts(packed, left, depth + 1)
        return
    opened = gzip.open if head.startswith(_GZIP) else bz2.open if head.startswith(_BZIP) else lzma.open
    with opened(whole) as packed:
        yield from _texts(cast(BufferedReader, packed), left, depth + 1)


def _decoded(head: bytes, file: IO[bytes], left: _Left) -> Iterator[str]:
    mark, encoding = next(((mark, name) for mark, name in _MARKS if head.startswith(mark)), (b"", "utf-8"))
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    before, chunk = "", head[len(mark) :]
    while chunk:
        left.take(len(chunk))
        said = decoder.decode(chunk)
        yield before + said
        before, chunk = said[-_OVERLAP:], file.read(_CHUNK)
    if rest := decoder.decode(b"", final=True):
        yield before + rest
