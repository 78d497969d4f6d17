"""Corrections: the new value wherever the old one is in use, and to every recipient who was given the old one."""

from __future__ import annotations

from sqlalchemy import Connection, select

from troth import agenda
from troth.agenda import Job
from troth.clock import DAY
from troth.errors import InvalidInput, Refused
from troth.people.correcting import correct_everywhere
from troth.people.tables import holding, shape
from troth.people.vault import By
from troth.recipients.renewing import renew
from troth.rights import papers, replies
from troth.rights.cases import OPEN, STAFF, SYSTEM, Case
from troth.rights.tables import request
from troth.store.site import Site

TELL = "request:tell"
"""the job that gives recipients the new values"""
WITHIN = 3 * DAY
"""to give them"""


def carry_out(case: Case) -> Case:
    """Apply what the request asks to change, in the case's transaction; what cannot be applied as it stands waits for staff."""
    changes = papers.changes_in(case.paper)
    if not changes:
        return case.waits(OPEN, STAFF, case.row.due_at)
    by = By("person", ref=case.person_id)
    try:
        for point, some in _by_point(case.conn, case.person_id, changes).items():
            correct_everywhere(case.site, case.conn, case.person_id, point, some, by)
    except (Refused, InvalidInput):
        case.note("cannot apply", SYSTEM)
        return case.waits(OPEN, STAFF, case.row.due_at)
    now = case.site.now()
    agenda.put(case.conn, TELL, f"{TELL}:{case.id}", case.id, due_at=now, at=now, deadline=now + WITHIN)
    case.note("corrected", SYSTEM)
    replies.queue(case.site, case.conn, case.id, "corrected", "corrected")
    return case.close("done")


def _by_point(conn: Connection, person_id: str, changes: dict[str, str]) -> dict[str, dict[str, str | None]]:
    """The changes by a collection point that asks for the field and of which something is held; blank takes a field away."""
    points = points_of(conn, person_id)
    missing = changes.keys() - points.keys()
    if missing:
        raise Refused("There is nothing to correct.", "What is not held here cannot be corrected.")
    parted: dict[str, dict[str, str | None]] = {}
    for field, value in changes.items():
        parted.setdefault(points[field], {})[field] = value or None
    return parted


def points_of(conn: Connection, person_id: str) -> dict[str, str]:
    """By each field that is held of a person, a collection point that asked for it."""
    of = shape.c.id == holding.c.shape_id
    rows = conn.execute(select(shape.c.point, shape.c.fields).join(holding, of).where(holding.c.person_id == person_id))
    points: dict[str, str] = {}
    for point, fields in rows:
        points |= dict.fromkeys(fields.split(), point)
    return points


def tell_recipients(site: Site, job: Job) -> None:
    """Give every recipient who was given a corrected field its new value."""
    with site.reading() as conn:
        row = conn.execute(select(request).where(request.c.id == job.ref)).one()
    if row.person_id:
        renew(site, row.person_id, row.about, row.closed_at)
