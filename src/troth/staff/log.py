"""The log of the staff: who entered, failed, left or did what, when and from which address.

What could go wrong: somebody who did wrong takes their row out or changes it; a log that tells addresses to whoever has the
database; a log that is never emptied. So each row is vouched for by an entry of the ledger, written in the same transaction,
that holds a keyed hash of all of the row: a changed row no longer fits it, and an entry whose row is gone before its time
shows that there was one. Addresses are sealed under a key of the site, bound to their row. The sweep destroys rows after
the time the policy names (``rules.log_kept``).
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from sqlalchemy import Connection, Row, delete, insert, select

from troth import ledger
from troth.clock import to_micros
from troth.ids import is_id, new_id
from troth.ledger import events
from troth.ledger.restored import lost
from troth.ledger.tables import entry
from troth.staff.tables import staff, staff_log
from troth.store.secret import derived_key
from troth.store.site import Site

What = Literal["entered", "failed", "left", "acted"]
_EVENTS: Mapping[What, str] = {
    "entered": events.STAFF_ENTERED,
    "failed": events.LOGIN_FAILED,
    "left": events.LOGIN_ENDED,
    "acted": events.STAFF_ACTED,
}
_LONGEST_ADDRESS = 45
"""characters of an IPv6 address"""


def note(site: Site, conn: Connection, what: What, staff_id: str | None, ip: str, act: str = "", ref: str = "") -> None:
    """Write one row and the ledger's entry for it, in the caller's transaction.

    Raises:
        NotForTheLedger: when ``act`` is no word of the program, or ``ref`` no opaque id.
    """
    row: dict[str, Any] = {"id": new_id(site.now()), "staff_id": staff_id, "what": what, "act": act, "ref": ref}
    row |= {"at": site.now(), "ip": _sealing(site).encrypt(ip[:_LONGEST_ADDRESS].encode(), [row["id"].encode()])}
    body = {"staff": staff_id, "act": act, "ref": ref, "log": row["id"], "row": _digest(_vouching(site), row)}
    ledger.append(conn, site.now(), _EVENTS[what], body)
    conn.execute(insert(staff_log).values(row))


@dataclass(frozen=True, slots=True)
class Line:
    """A row to be read: ``login`` is blank where nobody has that name, ``ip`` where it does not open any more.

    ``about`` is the name of the member of staff that ``ref`` stands for, if it stands for another.
    """

    what: str
    act: str
    ref: str
    about: str
    login: str
    at: datetime
    ip: str


MOST = 200
"""on one page of the log"""


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of the log, newest first; ``older`` asks ``lines`` for those before them, and is blank at the end."""

    lines: list[Line]
    older: str


def lines(site: Site, conn: Connection, before: str = "", most: int = MOST) -> Page:
    """The newest rows of the log, or the newest of those that are older than the row with the id ``before``."""
    other = staff.alias()
    query = (
        select(staff_log, staff.c.login, other.c.login.label("about"))
        .outerjoin(staff, staff.c.id == staff_log.c.staff_id)
        .outerjoin(other, (other.c.id == staff_log.c.ref) & (other.c.id != staff_log.c.staff_id))
    )
    if is_id(before):  # what stands in an address may hold anything
        query = query.where(staff_log.c.id < before)
    rows = conn.execute(query.order_by(staff_log.c.id.desc()).limit(most + 1)).all()
    sealing = _sealing(site)
    told = [
        Line(row.what, row.act, row.ref, row.about or "", row.login or "", row.at, _address(sealing, row))
        for row in rows[:most]
    ]
    return Page(told, rows[most - 1].id if len(rows) > most else "")


def _address(sealing: AESSIV, row: Row[Any]) -> str:
    try:
        return sealing.decrypt(row.ip, [row.id.encode()]).decode()
    except InvalidTag:
        return ""


SEEN = "person:"
"""before the reason for which somebody was looked up, as the act of such a look is called"""


def looked_up(conn: Connection, staff_id: str, ref: str, since: datetime) -> bool:
    """Whether a member of staff has looked up whoever has the id ``ref``, with a reason, since an instant."""
    mine = (staff_log.c.staff_id == staff_id) & (staff_log.c.ref == ref) & (staff_log.c.at > since)
    looks = staff_log.c.what == "acted", staff_log.c.act.startswith(SEEN, autoescape=True)
    return conn.execute(select(staff_log.c.id).where(mine, *looks).limit(1)).first() is not None


def altered(site: Site, conn: Connection, since: datetime) -> list[str]:
    """The ids of rows that are not as they were written, or are of the time since an instant and were taken out.

    What a restoration on record lost was not taken out.
    """
    key, rows = _vouching(site), {row.id: row._asdict() for row in conn.execute(select(staff_log))}
    told, is_lost = list(_vouched(conn, since)), lost(conn)
    vouched = {one: said for _, one, said in told}
    changed = [one for one, row in rows.items() if one in vouched and vouched[one] != _digest(key, row)]
    added = [one for one, row in rows.items() if one not in vouched and row["at"] > since]
    return sorted({*changed, *added, *({one for at, one, _ in told if not is_lost(at)} - rows.keys())})


def _vouched(conn: Connection, since: datetime) -> Iterator[tuple[datetime, str, str]]:
    query = select(entry.c.at, entry.c.body).where(entry.c.event.in_(_EVENTS.values()), entry.c.at > since)
    for at, text in conn.execute(query):
        body = json.loads(text)
        if "log" in body:
            yield at, body["log"], body["row"]


def _digest(key: bytes, row: Mapping[str, Any]) -> str:
    told = [row["id"], row["staff_id"], row["what"], row["act"], row["ref"], to_micros(row["at"]), row["ip"].hex()]
    return hmac.new(key, json.dumps(told).encode(), sha256).hexdigest()


def _vouching(site: Site) -> bytes:
    return derived_key(site, "staff log row")


def _sealing(site: Site) -> AESSIV:
    return AESSIV(derived_key(site, "staff log", 64))


def sweep(conn: Connection, until: datetime) -> int:
    """Destroy the rows up to ``until``, and whoever left the staff and is spoken of no more; how many rows."""
    gone = conn.execute(delete(staff_log).where(staff_log.c.at <= until)).rowcount
    spoken_of = select(staff_log.c.staff_id).where(staff_log.c.staff_id == staff.c.id).exists()
    conn.execute(delete(staff).where(staff.c.state == "removed", staff.c.removed_at <= until, ~spoken_of))
    return gone
