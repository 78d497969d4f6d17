"""Takes a message in once: what is done with it and the mark that it came are one transaction.

What could go wrong: a mail server, a poller or a crash brings the same message again, or two workers fetch it at the same
moment; the mark is there and what it stands for is not, and a person's letter is lost. So the mark is inserted first, which
makes whoever comes second wait and then find it, and it is committed together with all that ``Take`` did, or not at all. Nobody
says to a mail server or a mailbox that a message was taken before that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, literal, select

from troth.messages.inbound.parse import Arrived, read
from troth.messages.inbound.tables import arrived
from troth.people.blind import blind, normal_email
from troth.store.insert import insert_into
from troth.store.secret import read_ring
from troth.store.site import Site

REMEMBERED = timedelta(days=30)
"""how long it is known that a message came; mail servers give up within days"""

Take = Callable[[Site, Connection, Arrived], None]
"""what is done with a message, in the transaction it is given; it may be called again only when that was rolled back"""


def take(site: Site, raw: bytes, hand_over: Take, received: datetime | None = None) -> bool:
    """Read ``raw`` and give it to ``hand_over``, once; false when it was taken before. Committed when this returns.

    Args:
        received: when the mailbox got it, where that is known and past; else it is now.

    Raises:
        Unreadable: as ``parse.read`` does.
        StoreError: when a store is locked, full or gone; nothing was taken.
    """
    now = site.now()
    message = read(raw, min(received or now, now))
    with site.writing() as conn:
        mark = {"key": blind(read_ring(site).index, "arrived", message.key), "at": now}
        marked = insert_into(conn, arrived).values(mark).on_conflict_do_nothing().returning(arrived.c.at)
        if conn.execute(marked).first() is None:
            return False
        if normal_email(message.sender_address).lower() in _own(site, conn):
            message = replace(message, automatic=True, by_program=True)
        hand_over(site, conn, message)
    return True


def addresses(site: Site, conn: Connection | None = None) -> frozenset[str]:
    """Where people write to, in small letters: the operator's address of the policy in force."""
    told = site.policy(conn).policy.operator.email
    return frozenset({normal_email(told).lower()} if told else ())


def _own(site: Site, conn: Connection) -> frozenset[str]:
    """The addresses of the site itself: a message that seems to come from one must not be answered to it."""
    sender = site.wiring.mail.sender if site.wiring.mail else ""
    return addresses(site, conn) | {normal_email(sender).lower()}


def forget_the_past(site: Site) -> int:
    """Forget which messages came more than ``REMEMBERED`` ago; how many that were."""
    past = arrived.c.at <= site.now() - REMEMBERED
    with site.reading() as conn:
        if not conn.execute(select(literal(1)).select_from(arrived).where(past).limit(1)).first():
            return 0
    with site.writing() as conn:
        return int(conn.execute(delete(arrived).where(past)).rowcount)
