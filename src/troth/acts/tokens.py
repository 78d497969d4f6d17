"""Tokens for the operator's programs: made for some acts, shown once, hashed at rest, revoked at once, slowed when busy.

A token is ``troth_`` and 256 random bits, so that programs that look for leaked secrets know it. Of one name there may be two
at a time, so that a program can be moved from the old to the new without a pause.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import insert, select, update

from troth import ledger
from troth.acts.model import Caller
from troth.acts.table import scopes_problem
from troth.acts.tables import program_token
from troth.errors import InvalidInput, Refused
from troth.ids import new_id
from troth.ledger import events
from troth.logins.digests import digest_of, new_secret
from troth.store.site import Site

PREFIX = "troth_"
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
AT_MOST, WITHIN = 600, timedelta(minutes=1)
"""acts of one token within a minute"""


@dataclass(frozen=True, slots=True)
class Token:
    """A token as it is listed: never its secret."""

    id: str
    name: str
    may: tuple[str, ...]
    made_at: datetime
    ends_at: datetime | None


def add(site: Site, name: str, may: Sequence[str], ends_at: datetime | None = None) -> tuple[str, str]:
    """A new token for the program ``name``: its id and its secret, which is shown once.

    Raises:
        InvalidInput: when the name, an act or the end will not do.
    """
    problems = (
        {}
        if _NAME.fullmatch(name) and len(name) <= 40
        else {"name": "Small letters, digits and single - between them."}
    )
    if problem := scopes_problem(may):
        problems["may"] = problem
    if ends_at is not None and ends_at <= site.now():
        problems["until"] = "This lies behind us."
    if problems:
        raise InvalidInput(next(iter(problems.values())), problems)
    secret, now = f"{PREFIX}{new_secret()}", site.now()
    row = {"id": new_id(now), "name": name, "digest": digest_of(secret), "may": sorted(set(may)), "made_at": now}
    with site.writing() as conn:
        conn.execute(insert(program_token).values(**row, ends_at=ends_at))
        ledger.append(conn, now, events.TOKEN_MADE, {"token": row["id"], "name": name, "may": row["may"]})
    return str(row["id"]), secret


def revoke(site: Site, token: str) -> int:
    """Revoke the token with the id, or all of the name, ``token``; they open nothing from now on. Returns how many.

    Raises:
        Refused: when none is in force.
    """
    with site.writing() as conn:
        mine = ((program_token.c.id == token) | (program_token.c.name == token)) & program_token.c.revoked_at.is_(None)
        ids = list(conn.scalars(select(program_token.c.id).where(mine)))
        if not ids:
            raise Refused("There is no such token in force.", "`troth token list SITE` says which there are.")
        conn.execute(update(program_token).where(program_token.c.id.in_(ids)).values(revoked_at=site.now()))
        for one in ids:
            ledger.append(conn, site.now(), events.TOKEN_REVOKED, {"token": one})
    return len(ids)


def listed(site: Site) -> list[Token]:
    """The tokens in force, the youngest last."""
    query = select(program_token).where(program_token.c.revoked_at.is_(None)).order_by(program_token.c.made_at)
    with site.reading() as conn:
        rows = conn.execute(query).all()
    now = site.now()
    return [
        Token(row.id, row.name, tuple(row.may), row.made_at, row.ends_at)
        for row in rows
        if row.ends_at is None or row.ends_at > now
    ]


def caller_of(site: Site, secret: str) -> Caller | None:
    """The program whose token ``secret`` is; None when it is none of this site's, was revoked or has ended."""
    mine = (program_token.c.digest == digest_of(secret)) & program_token.c.revoked_at.is_(None)
    with site.alone() as conn:
        row = conn.execute(select(program_token).where(mine)).first()
    if row is None or (row.ends_at is not None and row.ends_at <= site.now()):
        return None
    return Caller("program", row.id, row.name, frozenset(row.may))


class Pace:
    """How often each token was used lately, in this process."""

    def __init__(self) -> None:
        self._used: dict[str, deque[datetime]] = {}
        self._lock = Lock()

    def too_often(self, token_id: str, now: datetime) -> bool:
        """Whether ``token_id`` has carried out as many acts as it may within a minute; else this one is counted."""
        with self._lock:
            used = self._used.setdefault(token_id, deque(maxlen=AT_MOST))
            often = len(used) == AT_MOST and now - used[0] < WITHIN
            if not often:
                used.append(now)
            return often
