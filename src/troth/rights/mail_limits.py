"""How much mail requests may cause to an address, and which of them is written to next.

What could go wrong: somebody fills another's mailbox with requests in their name; or uses up what may be sent to them, so that
their own request is never confirmed. So unverified requests cause a few messages a day to an address, and the mail that asks to
confirm is never left out: where it cannot be sent it waits for the first free place, ahead of every other mail. Each right has
its turn, so that many requests of one kind do not keep one of another waiting.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from troth.clock import DAY
from troth.rights import papers
from troth.rights.cases import VERIFYING
from troth.rights.rules import MAILS_A_DAY
from troth.rights.tables import reply, request, request_paper


def enough(conn: Connection, asked: Row[Any], now: datetime) -> bool:
    """Whether no mail about ``asked`` may leave now: what may be sent to its address was, or is for requests that wait.

    Whoever has shown who they are gets every answer.
    """
    mark = None if asked.verified_at is not None else papers.mark_kept(conn, asked.id)
    if mark is None:
        return False
    line = _line(conn, mark)
    ahead = line.index(asked.id) if asked.id in line else len(line)
    return ahead + len(_caused(conn, mark, now)) >= MAILS_A_DAY


def free_at(conn: Connection, asked: Row[Any], now: datetime) -> datetime:
    """When the next mail to the address of ``asked`` may leave, where there was ``enough``."""
    caused = _caused(conn, papers.mark_kept(conn, asked.id) or b"", now)
    return min(caused, default=now) + DAY


def was_asked(conn: Connection, request_id: str) -> bool:
    """Whether a mail that asks to confirm this request was ever queued."""
    return conn.execute(select(reply.c.id).where(*_confirms(request_id)).limit(1)).first() is not None


def _confirms(request_id: Any) -> tuple[Any, ...]:
    return reply.c.request_id == request_id, reply.c.template == "confirm"


def _caused(conn: Connection, mark: bytes, now: datetime) -> list[datetime]:
    """When the mail of the last day left that requests from this address have caused which nobody has shown to be theirs."""
    theirs = (
        select(request.c.id).join(request_paper).where(request_paper.c.mark == mark, request.c.verified_at.is_(None))
    )
    ids = list(conn.scalars(theirs))
    return list(conn.scalars(select(reply.c.at).where(reply.c.request_id.in_(ids), reply.c.at > now - DAY)))


def _line(conn: Connection, mark: bytes) -> list[str]:
    """The requests from an address that wait to be asked for the first time, the next one ahead."""
    asked = select(reply.c.id).where(*_confirms(request.c.id)).exists()
    query = select(request.c.id, request.c.right, asked.label("asked")).join(request_paper)
    mine = request_paper.c.mark == mark, request.c.state == VERIFYING
    rows = conn.execute(query.where(*mine).order_by(request.c.id)).all()
    turns = Counter(row.right for row in rows if row.asked)
    line = []
    for row in rows:
        if not row.asked:
            line.append((turns[row.right], row.id))
            turns[row.right] += 1
    return [id_ for _, id_ in sorted(line)]
