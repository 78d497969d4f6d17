"""The tokens that agents show: 256 random bits, one for an agent, kept as a hash, given once for one signed message.

What could go wrong: a leaked database that opens anything; a message that asks for a token, caught and sent again by somebody
else, who then holds one; two tokens of one agent, of which one is forgotten. So the store knows a token's SHA-256; a message
yields a token once, however often it comes; and a new token ends those before it. A token is looked up by its hash, so there
is no comparison whose time could tell how much of a guess was right.
"""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import delete, select, update

from troth.clock import DAY
from troth.rights.protocols.tables import agent_token
from troth.store.insert import insert_into
from troth.store.site import Site

LASTS = 90 * DAY
REMEMBERED = 2 * DAY
"""after its end; longer than a message may be valid, so that none is good twice"""


def issue(site: Site, agent: str, message: bytes) -> str | None:
    """A new token for ``agent``, which ends its earlier ones; None when ``message``, as bytes, yielded one before."""
    made, now = secrets.token_urlsafe(32), site.now()
    mine = _digest(made)
    row = {"digest": mine, "agent": agent, "message": hashlib.sha256(message).digest()}
    with site.writing() as conn:
        fresh = insert_into(conn, agent_token).values(**row, made_at=now, ends_at=now + LASTS).on_conflict_do_nothing()
        if conn.execute(fresh.returning(agent_token.c.agent)).scalar_one_or_none() is None:
            return None
        before = update(agent_token).where(agent_token.c.agent == agent, agent_token.c.digest != mine)
        conn.execute(before.where(agent_token.c.ends_at > now).values(ends_at=now))
    return made


def agent_of(site: Site, authorization: str) -> str | None:
    """The agent whose token stands in the header ``authorization``; None when it is nobody's, or has ended."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() != "bearer" or not token:
        return None
    query = select(agent_token.c.agent).where(agent_token.c.digest == _digest(token.strip()))
    with site.reading() as conn:
        found: str | None = conn.execute(query.where(agent_token.c.ends_at > site.now())).scalar_one_or_none()
    wired = site.wiring.drp
    return found if wired is not None and found in wired.agents else None


def forget(site: Site) -> int:
    """Delete tokens that ended long ago; returns how many."""
    over = agent_token.c.ends_at < site.now() - REMEMBERED
    with site.reading() as conn:
        if conn.execute(select(agent_token.c.agent).where(over).limit(1)).first() is None:
            return 0
    with site.writing() as conn:
        return conn.execute(delete(agent_token).where(over)).rowcount


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode(errors="replace")).digest()
