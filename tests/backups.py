"""Backups for tests: taken of the shop, put back, and looked into."""

from pathlib import Path

from sqlalchemy import func, select, text

from troth.people.tables import person, person_key
from troth.store.engines import reading
from troth.store.site import Site


def people(site: Site) -> set[str]:
    """Everybody who is in the data and in use."""
    with site.reading() as conn:
        return set(conn.scalars(select(person.c.id).where(person.c.state == "active")))


def keys(site: Site) -> set[str]:
    with reading(site.keys) as conn:
        return set(conn.scalars(select(person_key.c.person_id)))


def rows(site: Site, table: object) -> int:
    with site.reading() as conn:
        return conn.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]


def lose(site: Site) -> None:
    """The data store is gone; the keys and what lies beside them are there."""
    site.engine.dispose()
    if site.engine.dialect.name == "sqlite":
        Path(str(site.engine.url.database)).write_bytes(b"no database" * 1000)
        return
    with site.engine.begin() as conn:
        conn.execute(text("DROP SCHEMA public CASCADE"))
        conn.execute(text("CREATE SCHEMA public"))
