"""What was corrected goes to everybody who was given the old value: through the gate, which decides again about each."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, select

from troth.errors import Refused
from troth.recipients import gate
from troth.recipients.tables import IN_A_CASE, MAY_HAVE_ARRIVED, disclosure
from troth.store.site import Site


def renew(site: Site, person_id: str, fields: Collection[str], since: datetime) -> None:
    """Give every recipient who may have one of ``fields``, corrected at the instant ``since``, what it has anew.

    What the policy or the person no longer allows is not given. Safe to repeat: one that was told since is not told again.
    """
    with site.reading() as conn:
        given = _given(conn, person_id, set(fields))
        told = _told(conn, person_id, since) if given else set()
    for recipient, purpose, names, case_ref in given:
        if (recipient, purpose, names) not in told:
            try:
                gate.disclose(site, person_id, recipient, names.split(), purpose, case=gate.Case(case_ref))
            except Refused:
                continue  # it is on the ledger


def _given(conn: Connection, person_id: str, changed: set[str]) -> list[tuple[str, str, str, str]]:
    """What recipients may have of the changed fields: recipient, purpose, fields and case of each sort of disclosure."""
    mine = (disclosure.c.person_id == person_id) & disclosure.c.state.in_(MAY_HAVE_ARRIVED) & ~IN_A_CASE
    columns = (disclosure.c.recipient, disclosure.c.purpose, disclosure.c.fields, disclosure.c.case_ref)
    rows = conn.execute(select(*columns).where(mine).distinct()).all()
    return [tuple(row) for row in rows if changed & set(row.fields.split())]


def _told(conn: Connection, person_id: str, since: datetime) -> set[tuple[str, str, str]]:
    mine = (disclosure.c.person_id == person_id) & (disclosure.c.at >= since)
    columns = (disclosure.c.recipient, disclosure.c.purpose, disclosure.c.fields)
    return {tuple(row) for row in conn.execute(select(*columns).where(mine))}
