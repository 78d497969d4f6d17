"""How the keys of people and of days are wrapped: by the site key that is current, under RFC 3394, named beside each."""

from __future__ import annotations

import secrets

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap
from sqlalchemy import BindParameter, Connection, Insert, LargeBinary, Select, String, Table, bindparam, select

from troth.errors import Unverifiable
from troth.people.tables import site_key
from troth.store.secret import Ring


def new_key(ring: Ring) -> dict[str, object]:
    """A fresh key of 32 bytes, as the columns ``wrapped`` and ``site_key`` keep it."""
    return {"wrapped": aes_key_wrap(ring.keys[ring.current], secrets.token_bytes(32)), "site_key": ring.current}


def unwrapped(ring: Ring, site_key: str, wrapped: bytes) -> bytes:
    """The key itself. Raises ``Unverifiable`` when its row was altered."""
    try:
        return aes_key_unwrap(ring.keys[site_key], wrapped)
    except (InvalidUnwrap, ValueError):
        raise Unverifiable("A key does not open: its row was altered.", "Restore the key store.") from None


def in_use(conn: Connection, key: str) -> bool:
    """Lock the site key's row against retirement; False when it was retired, and the secret must be read again."""
    return conn.execute(_in_use().where(site_key.c.id == key)).first() is not None


def _in_use() -> Select[tuple[str]]:
    return select(site_key.c.id).where(site_key.c.retired_at.is_(None)).with_for_update(read=True)


def keeping(table: Table, of: str) -> Insert:
    """Keeps a wrapped key for what the column ``of`` names, if its site key is ``in_use``; otherwise keeps nothing."""
    given: list[BindParameter[object]] = [bindparam(of, type_=String()), bindparam("wrapped", type_=LargeBinary())]
    row = _in_use().where(site_key.c.id == bindparam("site_key")).with_only_columns(*given, site_key.c.id)
    return table.insert().from_select((of, "wrapped", "site_key"), row)
