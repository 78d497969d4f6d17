"""People of the shop for the tests of retention, taken in through the vault; and every place where they could be found."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import Connection, Table, func, insert, or_, select, text

from troth.ids import new_id
from troth.people import vault
from troth.people.dealings import close_dealing, open_dealing
from troth.people.tables import holding, person_key, shape
from troth.recipients.tables import disclosure
from troth.retention.ending import destroy_due
from troth.retention.relationship import refresh
from troth.retention.sweep import sweep
from troth.store import versions
from troth.store.schema import data_tables
from troth.store.site import Site

NOT_RUN = frozenset({"visits", "stores", "seal"})
"""tasks that only a worker runs, and these tests have none"""
ORDER = {"email": "ann@example.org", "full_name": "Ann Other", "delivery_address": "1 Main Street", "order_total": "99"}
REGISTER = {"email": "ann@example.org", "full_name": "Ann Other", "interest": "lamps"}
CONTACT = {"email": "leo@example.org", "question": "Do you sell bulbs?"}


def admit(site: Site, kind: str, values: Mapping[str, str], point: str, deal: str = "") -> str:
    """A new person with one submission, and a dealing when there is one."""
    with site.writing() as conn:
        one = vault.admit(site, conn, kind)
        submit(site, conn, one, point, values)
        if deal:
            open_dealing(site, conn, one, deal, new_id(site.now()), site.now())
        refresh(site, conn, [one])
    return one


def submit(site: Site, conn: Connection, person_id: str, point: str, values: Mapping[str, str]) -> list[str]:
    policy = site.policy(conn)
    source = policy.policy.collection[point].source
    return vault.hold(
        site,
        conn,
        person_id=person_id,
        point=point,
        source=source,
        values=values,
        told="0" * 64,
        submission=new_id(site.now()),
        policy=policy,
    )


def customer(site: Site, email: str = "ann@example.org", warranty: datetime | None = None) -> str:
    """Somebody who registered and ordered, with a warranty when one is given."""
    one = admit(site, "customer", {**REGISTER, "email": email}, "register", "registration")
    with site.writing() as conn:
        submit(site, conn, one, "order", {**ORDER, "email": email})
        open_dealing(site, conn, one, "order", f"o{one}", site.now(), warranty)
        refresh(site, conn, [one])
    return one


def leave(site: Site, person_id: str) -> None:
    """The customer says that business is over; their order was delivered."""
    with site.writing() as conn:
        close_dealing(site, conn, person_id, "order", f"o{person_id}", site.now())
        open_dealing(site, conn, person_id, "notice", new_id(site.now()), site.now())
        refresh(site, conn, [person_id])


def give(site: Site, person_id: str, recipient: str) -> None:
    """A delivered disclosure, as the gate leaves it."""
    row = {"id": new_id(site.now()), "person_id": person_id, "recipient": recipient, "purpose": "marketing"}
    row |= {"fields": "email", "at": site.now(), "state": "delivered"}
    row |= {column.name: "" for column in disclosure.columns if not column.nullable and column.name not in row}
    with site.writing() as conn:
        conn.execute(insert(disclosure).values(**row))


def fields_held(site: Site, person_id: str, table: Table = holding) -> set[str]:
    """The names of all fields held about a person, or quarantined."""
    query = select(shape.c.fields).join(table, table.c.shape_id == shape.c.id).where(table.c.person_id == person_id)
    with site.reading() as conn:
        return {field for fields in conn.scalars(query) for field in fields.split()}


def rows(site: Site, name: str, where: str = "1 = 1") -> int:
    with site.reading() as conn:
        return int(conn.execute(text(f"SELECT count(*) FROM {name} WHERE {where}")).scalar_one())


def places_of(site: Site, people: Collection[str]) -> set[str]:
    """Every table, of both stores, in which one of these people still appears."""
    found = set()
    with site.reading() as conn:
        for table in data_tables.sorted_tables:
            columns = [c for c in table.columns if c.name == "person_id" or (table.name == "person" and c.name == "id")]
            if not columns:
                continue
            mine = or_(*(column.in_(list(people)) for column in columns))
            if conn.scalar(select(func.count()).select_from(table).where(mine)):
                found.add(table.name)
    with site.keys.connect() as conn:
        if conn.scalar(select(func.count()).select_from(person_key).where(person_key.c.person_id.in_(list(people)))):
            found.add("person_key")
    return found


def work(site: Site) -> None:
    """What the worker does at every turn, as far as it ends data."""
    sweep(site)
    destroy_due(site)


def publish(site: Site, old: str, new: str, version: int = 2) -> None:
    """A later version of the shop's policy, in force at once, with ``old`` replaced by ``new``."""
    policy = (site.folder / "policy.yaml").read_text()
    assert old in policy
    changed = policy.replace("{version: 1,", f"{{version: {version},", 1).replace(old, new)
    (site.folder / "policy.yaml").write_text(changed.replace(f"{{version: {version},", "{version: 1,", 1))
    decisions = (site.folder / "decisions.yaml").read_text()
    with site.writing() as conn:
        versions.archive(conn, changed, decisions, effective_at=site.now(), at=site.now())
