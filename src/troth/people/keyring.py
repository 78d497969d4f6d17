"""How a site key comes to be: made once, entered in the key store, and joined by another when it is rotated."""

from __future__ import annotations

import secrets
from dataclasses import replace

from sqlalchemy import select

from troth.errors import StoreError
from troth.people.tables import person_key, site_key
from troth.store.engines import writing
from troth.store.insert import insert_into
from troth.store.marks.arming import arm_now
from troth.store.secret import HINT, Ring, key_id, new_ring, read_ring, secret_path, write_secret
from troth.store.site import Site


def with_new_key(ring: Ring) -> Ring:
    """``ring`` with one more key, which wraps from now on."""
    key = secrets.token_bytes(32)
    return replace(ring, current=key_id(key), keys={**ring.keys, key_id(key): key})


def make_site_key(site: Site) -> None:
    """Make the site's secret, once, and enter it in the key store.

    Raises:
        StoreError: when there is one already, or when the key store holds keys that another secret wraps.
    """
    wires = site.wiring.keys
    made = not wires.secret_env and not secret_path(site).exists()
    ring = new_ring() if made else read_ring(site)
    with writing(site.keys) as conn:
        if conn.execute(select(site_key.c.id).where(site_key.c.id == ring.current)).first():
            raise StoreError("This site has its site key already.", "To change it, rotate it.")
        if conn.execute(select(person_key.c.person_id).limit(1)).first():
            raise StoreError("The key store holds keys that another site key wraps.", HINT)
        if made:
            write_secret(secret_path(site), ring)
        arm_now(conn)
        conn.execute(insert_into(conn, site_key).values(id=ring.current, made_at=site.now()))
