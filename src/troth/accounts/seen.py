"""Log-ins from before a version of the policy counted them: those of which a session is left count from then on."""

from __future__ import annotations

from sqlalchemy import select

from troth.accounts.tables import session
from troth.people.dealings import note_log_in
from troth.people.tables import person
from troth.retention import relationship
from troth.retention.heartbeat import beat, last
from troth.store.site import Site


def count_log_ins(site: Site) -> int:
    """Where log-ins keep business going, note the last one of each session there is; once for each version in force.

    Else somebody who is logged in would count as silent since before the version. Returns how many were noted.
    """
    with site.reading() as conn:
        compiled = site.policy(conn)
        kinds = [kind for kind in compiled.policy.relationship if relationship.counts_log_ins(compiled, kind)]
        task = f"log-ins, version {compiled.version}"
        if not kinds or task in last(conn):
            return 0
    query = select(session.c.person_id, session.c.made_at).join(person, person.c.id == session.c.person_id)
    with site.writing() as conn:
        rows = conn.execute(query.where(person.c.kind.in_(kinds), person.c.state == "active")).all()
        noted = [row.person_id for row in rows if note_log_in(site, conn, row.person_id, row.made_at)]
        relationship.refresh(site, conn, noted, compiled)
        beat(conn, task, site.now())
    return len(noted)
