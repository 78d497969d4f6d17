"""Submissions to the little shop, and what its stores hold, for tests of whatever comes in or goes out."""

from dataclasses import replace
from typing import Any

from sqlalchemy import RowMapping, func, select

from troth.collection import Submission
from troth.ledger.tables import entry
from troth.people.tables import person_key
from troth.store.schema import data_tables
from troth.store.site import Site

REGISTER = Submission(
    point="register",
    values={"email": "ann@shop.example", "full_name": "Ann Other", "phone": "020 7946 0958", "interest": "lamps"},
    key="register-1",
    choices={"marketing": True},
)
ORDER = Submission(
    point="order",
    values={
        "email": "ann@shop.example",
        "full_name": "Ann Other",
        "delivery_address": "1 Main Street",
        "order_total": "99 GBP",
    },
    key="order-1",
)
CONTACT = Submission(point="contact", values={"email": "leo@shop.example", "question": "Which bulb?"}, key="contact-1")
FAIR = Submission(point="fair_import", values={"email": "fay@shop.example"}, key="fair-1", partner="fair")


def sent(submission: Submission, key: str = "", **values: str) -> Submission:
    """``submission`` with other answers, and a key of its own when one is given."""
    return replace(submission, key=key or submission.key, values={**submission.values, **values})


def counts(site: Site) -> dict[str, int]:
    """How many rows every table of the data has."""
    with site.reading() as conn:
        parted = [table for table in data_tables.sorted_tables if table.name != "visit"]
        return {table.name: conn.scalar(select(func.count()).select_from(table)) or 0 for table in parted}


def keys_made(site: Site) -> int:
    with site.keys.connect() as conn:
        return conn.scalar(select(func.count()).select_from(person_key)) or 0


def entries(site: Site, event: str = "") -> list[RowMapping]:
    """The ledger's entries, oldest first."""
    query = select(entry).order_by(entry.c.id)
    with site.reading() as conn:
        return list(conn.execute(query.where(entry.c.event == event) if event else query).mappings())


def count(site: Site, table: Any) -> int:
    with site.reading() as conn:
        return conn.scalar(select(func.count()).select_from(table)) or 0


def rows(site: Site, table: Any) -> list[RowMapping]:
    with site.reading() as conn:
        return list(conn.execute(select(table)).mappings())
