"""Rows that are inserted together: in their order, with their values, with marks, and added to the sums once a statement."""

import pytest
from sqlalchemy import text

from troth.ledger import events
from troth.ledger.actions import append_many
from troth.people.vault import _ADMITTING
from troth.store.marks.protected import COLUMN
from troth.store.prepared import SMALL
from troth.store.site import Site


@pytest.fixture
def store_kind() -> str:
    return "postgresql"


def people(site: Site, count: int) -> list[dict[str, object]]:
    return [{"id": f"p{n:025d}", "kind": "customer", "state": "active", "since": site.now()} for n in range(count)]


@pytest.mark.parametrize(("count", "statements"), [(1, 1), (2, 1), (SMALL - 1, 1), (SMALL + 3, 2), (2 * 128 + 20, 4)])
def test_every_row_is_there_and_the_sums_are_added_to_once_a_statement(site: Site, count: int, statements: int) -> None:
    changes = text("SELECT count(*), sum(rows) FROM store_change WHERE name = 'person'")
    with site.writing() as conn:
        before = conn.execute(changes).one()
        assert _ADMITTING.many(conn, people(site, count)) == count
        after = conn.execute(changes).one()
        there = conn.scalars(text("SELECT id FROM person ORDER BY id")).all()
        marked = conn.scalar(text(f"SELECT count(DISTINCT {COLUMN}) FROM person"))
    assert list(there) == [row["id"] for row in people(site, count)]
    assert (after[0] - before[0], after[1] - (before[1] or 0)) == (statements, count)
    assert marked == count


def test_entries_keep_their_order(site: Site) -> None:
    with site.writing() as conn:
        append_many(conn, site.now(), events.PERSON_READ, [{"n": n} for n in range(300)])
    with site.reading() as conn:
        bodies = conn.scalars(text("SELECT body FROM ledger_entry WHERE event = 'person:read' ORDER BY id")).all()
    assert list(bodies) == [f'{{"n":{n}}}' for n in range(300)]


def test_a_submission_that_comes_twice_is_not_stored_twice(site: Site) -> None:
    """What is left out when it is there already is left out of rows that go in together, too."""
    from troth.people.storing import _HOLDING_ONCE

    with site.writing() as conn:
        _ADMITTING.many(conn, people(site, 1))
        conn.execute(text("INSERT INTO shape (point, source, fields) VALUES ('register', 'person', '[]')"))
        [shape] = conn.scalars(text("SELECT id FROM shape")).all()
        held = {"person_id": people(site, 1)[0]["id"], "shape_id": shape, "at": site.now(), "policy_version": 1}
        held |= {"told": "", "partner": "", "body": b"sealed"}
        rows = [{"id": f"h{n:025d}", "submission": f"s{n}", **held} for n in range(3)]
        assert _HOLDING_ONCE.many(conn, rows[:2]) == 2
        assert _HOLDING_ONCE.many(conn, rows) == 1
