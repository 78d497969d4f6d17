"""Looks at the stores once a day and after a restore, and lets alarms stand while they are not as Troth wrote them.

What could go wrong: nobody runs ``prove`` for a month. So the worker looks; a second look in one process costs a fraction of
the first. An alarm stands for each table until a look finds nothing there any more, or somebody has recorded what was found
and answers for it: that ends the alarm for what was recorded, and nothing else; ``prove`` goes on to say what it finds. A row
that is changed once more after that holds something else than was recorded, and is an alarm again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from troth.errors import Refused
from troth.ids import new_id
from troth.ledger import append, events
from troth.ledger.guard import fits
from troth.ledger.restored import ACCEPTED, note, role_and_reason
from troth.ledger.sums import sums_found
from troth.ledger.tables import entry, restoration
from troth.ledger.walk import unmoving
from troth.reconcile.findings import OF_FILES, Finding
from troth.reconcile.reconcile import Before, reconcile
from troth.retention import alarms
from troth.retention.alarms import Alarm
from troth.retention.heartbeat import beat, last
from troth.store.site import Site

KIND = "stores changed"
LOOKED = "stores looked at"
"""under which it is noted when the stores were last looked at"""
EVERY, WHILE_CHANGED = timedelta(days=1), timedelta(hours=1)
_BEFORE = "stores as they were looked at"


def look_again(site: Site) -> int:
    """Look at both stores if it is time for it; how many alarms stand for them then."""
    with site.reading() as conn:
        standing = alarms.raised(conn, KIND)
        if not _due(conn, site.now(), bool(standing)):
            return len(standing)
    before: Before = site.shared.setdefault(_BEFORE, Before())
    with unmoving(site) as conn:
        found = reconcile(site, conn, before)
    return noted(site, found)


def noted(site: Site, found: Sequence[Finding]) -> int:
    """Let alarms stand for what was ``found`` now and nobody answers for, and for nothing else; how many."""
    with site.writing() as conn:
        known = _recorded(conn)
        subjects = {_subject(one) for one in found if _digest(one) not in known}
        alarms.stand(site, conn, KIND, subjects)
        beat(conn, LOOKED, site.now())
    return len(subjects)


def standing(site: Site) -> list[Alarm]:
    """What the last look found."""
    with site.reading() as conn:
        rows = alarms.raised(conn, KIND)
    return [Alarm(KIND, subject, since, _WORDS.format(subject=subject)) for subject, since in rows]


_WORDS = "Troth did not leave `{subject}` as it is: `troth prove` says what differs."


def record(site: Site, because: str, by: str) -> tuple[Finding, ...]:
    """Answer for all that the stores hold otherwise than Troth wrote it, with a reason that stays on record; what it was.

    Raises:
        Refused: when they are as Troth wrote them.
        InvalidInput: without a role or a reason.
    """
    role, reason = role_and_reason(because, by)
    found = differing(site)
    if not found:
        raise Refused("Nothing is to be recorded: the stores are as Troth wrote them.")
    with site.writing() as conn:
        now = site.now()
        made = new_id(now)
        note(conn, made, now, ACCEPTED, reason, role)
        body = {"restoration": made, "by": role, "because": hashlib.sha256(reason.encode()).hexdigest()}
        if any(one.what == "older" or one.table == "store_sealed" for one in found):
            body["sums"] = sums_found(conn)
        append(conn, now, events.STORE_ACCEPTED, {**body, "found": sorted({_digest(one) for one in found})})
    noted(site, found)
    return found


def differing(site: Site) -> tuple[Finding, ...]:
    """All that the stores hold otherwise than Troth wrote it."""
    with unmoving(site) as conn:
        return reconcile(site, conn, Before())


def _due(conn: Connection, now: datetime, changed: bool) -> bool:
    looked = last(conn).get(LOOKED)
    if looked is None or not looked <= now < looked + (WHILE_CHANGED if changed else EVERY):
        return True
    put_back: datetime | None = conn.scalar(select(func.max(restoration.c.at)).where(restoration.c.kind != ACCEPTED))
    return put_back is not None and put_back >= looked


def _recorded(conn: Connection) -> set[str]:
    bodies = conn.scalars(select(entry.c.body).where(entry.c.event == events.STORE_ACCEPTED))
    return {one for body in bodies for one in json.loads(body)["found"]}


def _digest(finding: Finding) -> str:
    """Of what was found and of what is there now, so that who answered for one lie did not answer for the next."""
    told = f"{finding.line()}\n{finding.holds}" if finding.holds else finding.line()
    return hashlib.sha256(told.encode()).hexdigest()


def _subject(finding: Finding) -> str:
    """The table, or what kind of thing was found, where its name may be anything."""
    plain = finding.what not in OF_FILES | {"undeclared"} and fits(finding.table) and len(finding.table) <= 80
    kind = "file" if finding.what == "unsearched" else finding.what
    return finding.table if plain else kind
