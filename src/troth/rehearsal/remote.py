"""The other side in a rehearsal with faults: recipients and a mail server that are late, away, or take what they never confirm.

They live in the parent, so that what they took is known whatever became of the process that sent it; and they can kill that
process at the very moment in which it waits for their answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from threading import Event as Waiting
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select

from troth.messages.mailbox import Mailbox
from troth.messages.tables import message
from troth.recipients.tables import DELIVERED, QUEUED, disclosure
from troth.rehearsal.faults import DELIVERY, Kind, Mishap, Place, Where
from troth.rehearsal.stand_in import NO_ANSWER, StandIns
from troth.store.site import Site

LATE_S = 0.02
_MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^@>]+)@", re.MULTILINE | re.IGNORECASE)


class Desk:
    """Where deliveries of one sort arrive, one after the other: counts them and lets the armed mishap happen."""

    def __init__(self, where: Where) -> None:
        self.place = Place(where, DELIVERY, where)
        self.met = 0
        self.sprung = False
        self.kill: Callable[[], None] = lambda: None
        self._mishap: Mishap | None = None

    def arm(self, mishap: Mishap | None) -> None:
        """Begin to count anew, and let ``mishap`` happen if it is one of this desk."""
        self.met, self.sprung = 0, False
        self._mishap = mishap if mishap is not None and mishap.place == self.place else None

    def comes(self) -> Kind | None:
        """One more delivery comes: what goes wrong with it, if anything."""
        self.met += 1
        mishap = self._mishap
        if mishap is None or self.met < mishap.nth or (self.met > mishap.nth and mishap.kind != "away"):
            return None
        self.sprung = True
        if mishap.kind == "late":
            Waiting().wait(LATE_S)
        if mishap.kind == "killed before":
            self.kill()
        return mishap.kind

    def went(self, wrong: Kind | None) -> bool:
        """The delivery was taken: whether it can still be answered."""
        if wrong == "killed after":
            self.kill()
        return wrong not in {"killed after", "answer lost"}


class FaultyStandIns(StandIns):
    """Recipients that sometimes answer 503, or not at all."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk("recipient")

    def take(self, path: str, headers: Any, raw: bytes) -> int:
        wrong = self.desk.comes()
        if wrong in {"failed", "away"}:
            return 503
        if wrong == "killed before":
            return NO_ANSWER
        status = super().take(path, headers, raw)
        return status if self.desk.went(wrong) else NO_ANSWER


class FaultyMailbox(Mailbox):
    """A mail server that sometimes says 451, or nothing at all. ``arrived`` counts messages by the id in their Message-ID."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk("mail")
        self.arrived: Counter[str] = Counter()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        wrong = self.desk.comes()
        if wrong in {"failed", "away"}:
            return "451 Not now"
        if wrong == "killed before":
            return self._silent(server)
        said = await super().handle_DATA(server, session, envelope)
        found = _MESSAGE_ID.search(self.messages()[0].raw)
        self.arrived[found[1].decode() if found else ""] += 1
        return said if self.desk.went(wrong) else self._silent(server)

    def _silent(self, server: SMTP) -> str:
        """Hang up; what is returned goes nowhere."""
        if server.transport is not None:
            server.transport.close()
        return "421 Good bye"


def disagreements(site: Site, stand_ins: FaultyStandIns, mailbox: FaultyMailbox) -> Iterator[str]:
    """Where the other side has something else than the site's records say: lost on the way, or left without a trace.

    Whatever is erased meanwhile is not looked at: no record says any more who was given it.
    """
    wired = disclosure.c.recipient.in_(sorted(site.wiring.recipients))
    with site.reading() as conn:
        given = conn.execute(select(disclosure.c.id, disclosure.c.state).where(wired)).all()
        sent = conn.scalars(select(message.c.id).where(message.c.state == "sent")).all()
    for row in given:
        if row.state == DELIVERED and row.id not in stand_ins.seen:
            yield "A disclosure is recorded as delivered, and its recipient has nothing."
        if row.state == QUEUED and row.id in stand_ins.seen:
            yield "A recipient has a disclosure that is recorded as not having left."
    if any(one not in mailbox.arrived for one in sent):
        yield "A message is recorded as sent, and the mail server has nothing."
