"""A Maildir on this machine. Python's ``mailbox`` reads whole messages; these are read to a bound, and moved by renaming."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from troth.messages.inbound.parse import MOST_BYTES
from troth.messages.inbound.source import Lying, Unreachable

_DONE = {"seen": "S", "move": "", "delete": "F"}
"""the flag that keeps a message in ``cur`` from being taken again"""


class Maildir:
    """The folders ``new`` and ``cur``; messages are named by their paths below the Maildir."""

    def __init__(self, path: Path, after: str) -> None:
        self._path = path
        self._after, _, self._target = after.partition(":")

    def waiting(self) -> Sequence[str]:
        """What was not taken yet, oldest first: names begin with the second of delivery."""
        with _present():
            names = [(name, place) for place in ("new", "cur") for name in os.listdir(self._path / place)]  # noqa: PTH208
        done = _DONE[self._after]
        return [
            f"{place}/{name}"
            for name, place in sorted(names)
            if not name.startswith(".") and not (place == "cur" and done and done in _flags(name))
        ]

    def fetch(self, name: str) -> Lying | None:
        """A message, or its beginning where it is longer than is looked at; None when it is gone, or is no file."""
        path = self._path / name
        with suppress(FileNotFoundError), _present():
            if not stat.S_ISREG(path.lstat().st_mode):
                return None
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
                received = datetime.fromtimestamp(os.fstat(file.fileno()).st_mtime, UTC)
                return Lying(file.read(MOST_BYTES), received)
        return None

    def done(self, name: str) -> None:
        """Mark, move or delete what was taken; another worker may have done it."""
        with suppress(FileNotFoundError), _present():
            if self._after == "delete":
                (self._path / name).unlink()
            elif self._after == "move":
                self._rename(name, self._folder(), "S")
            else:
                self._rename(name, self._path, "S")

    def set_aside(self, name: str) -> None:
        """Leave what nobody can take where a person finds it, flagged."""
        with suppress(FileNotFoundError), _present():
            target = self._folder() if self._after == "move" else self._path
            self._rename(name, target, "FS" if self._after == "seen" else "F")

    def _rename(self, name: str, target: Path, flags: str) -> None:
        base = name.partition("/")[2].partition(":")[0]
        told = "".join(sorted({*_flags(name), *flags}))
        (self._path / name).rename(target / "cur" / f"{base}:2,{told}")

    def _folder(self) -> Path:
        folder = self._path / f".{self._target.replace('/', '.').strip('.')}"
        for place in ("tmp", "new", "cur"):
            (folder / place).mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "maildirfolder").touch()
        return folder


def _flags(name: str) -> str:
    return name.partition(":2,")[2]


@contextmanager
def _present() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        if Path(str(error.filename)).name in {"new", "cur"}:
            raise Unreachable("The Maildir is not there.", "Check `mail.mailbox.maildir` in site.yaml.") from None
        raise
    except OSError as error:
        raise Unreachable(f"The Maildir cannot be used ({type(error).__name__}).", "It is tried again.") from None
