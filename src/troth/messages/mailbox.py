"""A mail server for development: it takes every message, delivers none and shows the last ones on the mailbox page."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from itertools import count

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

KEPT = 200


@dataclass(frozen=True)
class Received:
    """One message as it arrived; ``number`` counts up from 1."""

    number: int
    sender: str
    recipients: tuple[str, ...]
    raw: bytes = field(repr=False)

    @property
    def message(self) -> EmailMessage:
        """The message, taken apart."""
        return message_from_bytes(self.raw, _class=EmailMessage, policy=default)

    @property
    def subject(self) -> str:
        return str(self.message["Subject"] or "")

    @property
    def date(self) -> str:
        return str(self.message["Date"] or "")

    def body(self, kind: str) -> str:
        """The part of ``kind`` (``plain`` or ``html``); blank when there is none or nobody can read its characters."""
        part = self.message.get_body((kind,))
        try:
            return str(part.get_content()) if part is not None else ""
        except LookupError:
            return ""


class Mailbox:
    """The last messages, kept in memory; nothing of them outlives the process."""

    def __init__(self, kept: int = KEPT) -> None:
        self._messages: deque[Received] = deque(maxlen=kept)
        self._numbers = count(1)
        self._lock = threading.Lock()
        self._controller: Controller | None = None

    @property
    def address(self) -> str:
        """``host:port`` as in ``site.yaml``; blank until started."""
        return f"{self._controller.hostname}:{self._controller.port}" if self._controller else ""

    def start(self, host: str = "127.0.0.1", port: int | None = None) -> str:
        """Listen on ``port``, or on a free one, and return the address. Raises ``OSError`` when the port is taken."""
        self._controller = Controller(self, hostname=host, port=port or free_port(host))
        self._controller.start()
        return self.address

    def stop(self) -> None:
        """Listen no longer; what arrived stays readable."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def messages(self, sender: str | None = None) -> Sequence[Received]:
        """What arrived, newest first; with ``sender``, what was sent from there."""
        with self._lock:
            there = list(self._messages)
        return [one for one in reversed(there) if sender is None or one.sender == sender]

    def message(self, number: int) -> Received | None:
        """The message with this number; None when it is gone."""
        return next((one for one in self.messages() if one.number == number), None)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Called by the mail server for every message."""
        content = envelope.content or b""
        raw = content.encode() if isinstance(content, str) else bytes(content)
        with self._lock:
            arrived = Received(next(self._numbers), envelope.mail_from or "", tuple(envelope.rcpt_tos), raw)
            self._messages.append(arrived)
        return "250 OK"


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on; the mail server cannot be asked to choose one itself."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
