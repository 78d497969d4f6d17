"""A folder of an IMAP mailbox (RFC 3501, with MOVE and UIDPLUS where the server has them).

Nothing leaves by it but a user's name, a password and marks: messages are only fetched.
"""

from __future__ import annotations

import base64
import imaplib
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from troth.messages.inbound.parse import MOST_BYTES
from troth.messages.inbound.source import Lying, Unreachable
from troth.messages.servers import secret, trusted
from troth.settings import MailboxWires

PATIENCE_S = 20.0
_WAITING = {
    "seen": ("UNSEEN", "UNDELETED"),
    "move": ("UNDELETED",),
    "delete": ("UNDELETED", "UNFLAGGED"),  # what cannot be read was flagged and is not deleted
}


class Folder:
    """An open folder; its messages are named by their UIDs."""

    def __init__(self, server: imaplib.IMAP4, after: str) -> None:
        self._server = server
        self._after, _, self._target = after.partition(":")
        self._can = str(server.capability()[1][-1]).upper()

    def waiting(self) -> Sequence[str]:
        """What was not taken yet, oldest first."""
        with _answering():
            found = self._asked("SEARCH", *_WAITING[self._after])
        return [uid.decode() for line in found if line for uid in line.split()]

    def fetch(self, uid: str) -> Lying | None:
        """A message, or its beginning where it is longer than is looked at; None when it is gone."""
        with _answering():
            parts = self._asked("FETCH", uid, f"(INTERNALDATE BODY.PEEK[]<0.{MOST_BYTES}>)")
        told = b" ".join(part if isinstance(part, bytes) else part[0] for part in parts if part)
        raw = next((part[1] for part in parts if isinstance(part, tuple) and b"BODY[]" in part[0].upper()), None)
        return None if raw is None else Lying(raw, _received(told))

    def done(self, uid: str) -> None:
        """Mark, move or delete what was taken."""
        with _answering():
            if self._after == "seen":
                self._asked("STORE", uid, "+FLAGS.SILENT", r"(\Seen)")
            elif self._after == "move":
                self._move(uid)
            else:
                self._delete(uid)

    def set_aside(self, uid: str) -> None:
        """Leave what nobody can take where a person finds it: flagged, and out of the way of the next turn."""
        with _answering():
            self._asked("STORE", uid, "+FLAGS.SILENT", r"(\Flagged \Seen)" if self._after == "seen" else r"(\Flagged)")
            if self._after == "move":
                self._move(uid)

    def _move(self, uid: str) -> None:
        verb = "MOVE" if "MOVE" in self._can else "COPY"
        target = quoted(self._target)
        if self._server.uid(verb, uid, target)[0] != "OK":
            self._server.create(target)
            self._asked(verb, uid, target)
        if verb == "COPY":
            self._delete(uid)

    def _delete(self, uid: str) -> None:
        self._asked("STORE", uid, "+FLAGS.SILENT", r"(\Deleted)")
        if "UIDPLUS" in self._can:
            self._asked("EXPUNGE", uid)
        else:
            self._server.expunge()

    def _asked(self, verb: str, *words: str) -> list[Any]:
        status, data = self._server.uid(verb, *words)
        if status != "OK":
            raise Unreachable(f"The mailbox refuses {verb}.", "Check `mail.mailbox` in site.yaml.")
        return data


@contextmanager
def opened(wires: MailboxWires) -> Iterator[Folder]:
    """The folder that ``wires`` name. Raises ``Unreachable`` when the server does not answer or let us in."""
    with _answering():
        server = _connected(wires)
    try:
        with _answering("does not let us in"):
            server.login(secret(wires.user_env), secret(wires.password_env))
            status, _ = server.select(quoted(wires.folder))
            if status != "OK":
                raise Unreachable("The mailbox has no such folder.", "Check `mail.mailbox.folder` in site.yaml.")
            folder = Folder(server, wires.after)
        yield folder
        with suppress(OSError, imaplib.IMAP4.error):  # all is done that was to be done
            server.logout()
    finally:
        with suppress(OSError):  # it is closed already, where all went well
            server.shutdown()


def _connected(wires: MailboxWires) -> imaplib.IMAP4:
    host, _, port = str(wires.imap).rpartition(":")
    if wires.tls == "tls":
        return imaplib.IMAP4_SSL(host.strip("[]"), int(port), ssl_context=trusted(), timeout=PATIENCE_S)
    server = imaplib.IMAP4(host.strip("[]"), int(port), timeout=PATIENCE_S)
    try:
        if wires.tls == "starttls":
            server.starttls(trusted())
    except BaseException:
        server.shutdown()
        raise
    return server


@contextmanager
def _answering(what: str = "does not answer") -> Iterator[None]:
    """What goes wrong with a server, in words: its own may name somebody."""
    try:
        yield
    except (OSError, imaplib.IMAP4.error, ValueError) as error:
        raise Unreachable(f"The mailbox {what} ({type(error).__name__}).", "It is tried again.") from None


_INTERNALDATE = re.compile(rb'INTERNALDATE "([^"]{10,40})"', re.IGNORECASE)


def _received(told: bytes) -> datetime | None:
    found = _INTERNALDATE.search(told)
    try:
        return parsedate_to_datetime(found[1].decode().strip().replace("-", " ", 2)).astimezone(UTC) if found else None
    except (ValueError, TypeError, OverflowError):
        return None


def quoted(folder: str) -> str:
    """The name of a folder as the protocol wants it: in modified UTF-7 (RFC 3501 5.1.3), quoted."""
    coded = re.sub(r"[^\x20-\x7e]+", lambda run: _base64(run[0]), folder.replace("&", "&-"))
    escaped = coded.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _base64(run: str) -> str:
    coded = base64.b64encode(run.encode("utf-16-be")).decode().rstrip("=").replace("/", ",")
    return f"&{coded}-"
