"""Idempotency keys (draft-ietf-httpapi-idempotency-key-header-07): the same thing sent twice is done once.

What could go wrong: somebody guesses a key and gets somebody else's answer, or keeps somebody else's act from being done; an
act is done and its key is not kept, or the other way round; two copies of one request come at once. So a key belongs to one
caller and to one body, both kept as keyed hashes; another body under it is refused before anything else is looked at; and the
key is written in the transaction of its act, whose second copy waits for the first.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from troth.acts.tables import act_key
from troth.errors import InvalidInput
from troth.store.secret import derived_key
from troth.store.site import Site
from troth.store.turns import take_turns

KEPT_FOR = timedelta(days=7)
LONGEST = 255
"""characters of a key"""


class KeyUsed(InvalidInput):
    """A key came with another body than the first time."""


@dataclass(frozen=True, slots=True)
class Key:
    """A caller's key and what came with it, as keyed hashes."""

    caller: str
    key: bytes
    fingerprint: bytes


def key_of(site: Site, caller: str, key: str, method: str, path: str, body: Any) -> Key:
    """The key ``key`` of ``caller`` for this request; ``body`` is what JSON says, in whatever order and spacing.

    Raises:
        InvalidInput: when the key is too long or holds anything but visible ASCII characters.
    """
    if not 0 < len(key) <= LONGEST or not key.isascii() or not key.isprintable():
        raise InvalidInput("The Idempotency-Key must be up to 255 visible ASCII characters.", {"key": "does not fit"})
    canonical = json.dumps([method, path, body], sort_keys=True, separators=(",", ":"))
    return Key(caller, _hashed(site, key), _hashed(site, canonical))


def _hashed(site: Site, said: str) -> bytes:
    return hmac.new(derived_key(site, "idempotency key"), said.encode(errors="surrogatepass"), sha256).digest()


def first_answer(conn: Connection, key: Key) -> dict[str, Any] | None:
    """What the first request with this key was answered; None for a new key, which is this transaction's from now on.

    Raises:
        KeyUsed: when the key came with another body before.
    """
    take_turns(conn, f"act key:{key.caller}:{key.key.hex()}")
    mine = (act_key.c.caller == key.caller) & (act_key.c.key == key.key)
    row = conn.execute(select(act_key.c.fingerprint, act_key.c.answer).where(mine)).first()
    if row is None:
        return None
    if not hmac.compare_digest(row.fingerprint, key.fingerprint):
        raise KeyUsed("This Idempotency-Key came with another request before.", {"key": "was used for another body"},
                      "Take a new key for each act.")  # fmt: skip
    answer: dict[str, Any] = json.loads(row.answer)
    return answer


def kept_answer(site: Site, conn: Connection, caller: str, key: str) -> dict[str, Any] | None:
    """What ``caller`` was answered under ``key``; None when nothing was done under it, or that is forgotten."""
    mine = (act_key.c.caller == caller) & (act_key.c.key == _hashed(site, key))
    said = conn.scalar(select(act_key.c.answer).where(mine))
    return None if said is None else dict(json.loads(said))


def keep(conn: Connection, key: Key, answer: Mapping[str, Any], at: datetime) -> None:
    """Keep ``answer``, which holds no personal value, for whoever sends the same again."""
    row = {"caller": key.caller, "key": key.key, "fingerprint": key.fingerprint, "answer": json.dumps(answer), "at": at}
    conn.execute(insert(act_key).values(row))


def forget_the_past(site: Site) -> int:
    """Take keys away that are a week old; how many."""
    with site.writing() as conn:
        return conn.execute(delete(act_key).where(act_key.c.at <= site.now() - KEPT_FOR)).rowcount
