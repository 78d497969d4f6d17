"""Many people with something held about each, made by the databases themselves, for what depends on how many there are.

Bodies are noise as long as real ones and there are no keys: whoever is read is somebody else, who came in through the door.
The holdings are of the survey, spread evenly over the last 111 days, so that an eighth is due under its clock of 100 days, of
which the margin takes two.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import func, insert, select

from benchmarks.stores import START
from troth.clock import to_micros
from troth.people.tables import holding, shape
from troth.store.site import Site

SPAN = timedelta(days=111)
KEEP = timedelta(days=98)
_PEOPLE = {
    "sqlite": """INSERT INTO person (id, kind, state, since) WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n
        WHERE i < {rows} - 1) SELECT printf('%026d', i), 'customer', 'active', {start} FROM n""",
    "postgresql": """INSERT INTO person (id, kind, state, since)
        SELECT lpad(i::text, 26, '0'), 'customer', 'active', {start} FROM generate_series(0, {rows} - 1) AS i""",
}
_HOLDINGS = {
    "sqlite": """INSERT INTO holding (id, person_id, shape_id, at, policy_version, told, submission, body)
        WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {rows} - 1)
        SELECT printf('%013d', i) || lower(substr(hex(randomblob(7)), 1, 13)), printf('%026d', i), {shape},
        {start} + i * {step}, 1, '{told}', lower(hex(randomblob(12))), randomblob(150) FROM n""",
    "postgresql": """INSERT INTO holding (id, person_id, shape_id, at, policy_version, told, submission, body)
        SELECT lpad(i::text, 13, '0') || substr(md5(random()::text), 1, 13), lpad(i::text, 26, '0'), {shape},
        {start} + i::bigint * {step}, 1, '{told}', substr(md5(random()::text), 1, 24),
        decode(repeat(md5(random()::text), 10), 'hex') FROM generate_series(0, {rows} - 1) AS i""",
}


def crowd(site: Site, rows: int) -> None:
    """Put ``rows`` people with a holding each into a store."""
    with site.writing() as conn:
        known = conn.execute(select(shape.c.id).where(shape.c.fields == "interest")).scalar_one_or_none()
        if known is None:
            made = insert(shape).values(point="survey", source="survey", fields="interest").returning(shape.c.id)
            known = conn.execute(made).scalar_one()
        step = int(SPAN.total_seconds() * 1e6) // rows
        values = {"rows": rows, "start": to_micros(START - SPAN), "step": step, "shape": known, "told": "0" * 64}
        for statement in (_PEOPLE, _HOLDINGS):
            conn.exec_driver_sql(statement[conn.dialect.name].format(**values))
    with site.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as conn:
        conn.exec_driver_sql("ANALYZE")


def due(site: Site) -> int:
    """How many holdings of the crowd a sweep finds due now."""
    until = site.now() - KEEP
    with site.reading() as conn:
        query = select(func.count()).select_from(holding).join(shape, shape.c.id == holding.c.shape_id)
        return conn.scalar(query.where(holding.c.at <= until, shape.c.fields == "interest")) or 0
