"""Statements that are sent without waiting: what they say counts whole or not at all, and a failure is heard by the commit."""

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from tests.shoppers import ANN
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.errors import StoreError
from troth.people.tables import person
from troth.people.vault import _ADMITTING
from troth.store.engines import writing
from troth.store.pipelined import is_pipelined
from troth.store.prepared import Prepared
from troth.store.site import Site

COUNT = Prepared(select(func.count()).select_from(person))


@pytest.fixture
def store_kind() -> str:
    return "postgresql"


def somebody(site: Site, name: str) -> dict[str, object]:
    return {"id": name.ljust(26, "0"), "kind": "customer", "state": "active", "since": site.now()}


def there(site: Site) -> int:
    with site.reading() as conn:
        return int(COUNT.rows(conn)[0][0])


def test_what_was_sent_is_seen_by_what_comes_after_it_and_is_there_in_the_end(site: Site) -> None:
    with site.writing(in_pipeline=True) as conn:
        assert is_pipelined(conn)
        _ADMITTING.send(conn, somebody(site, "a"))
        _ADMITTING.send(conn, somebody(site, "b"), somebody(site, "c"))
        assert COUNT.rows(conn) == [(3,)]
        assert conn.execute(select(func.count()).select_from(person)).scalar_one() == 3
        conn.execute(insert(person).values(**somebody(site, "d")))
        assert conn.execute(update(person).values(state="active")).rowcount == 4
        assert _ADMITTING.many(conn, [somebody(site, "e")]) == 1
    with site.writing() as conn:
        assert not is_pipelined(conn)
    assert there(site) == 5


def test_a_failure_that_nobody_waited_for_undoes_the_whole_and_the_connection_goes_on(site: Site) -> None:
    with pytest.raises(IntegrityError) as failed, site.writing(in_pipeline=True) as conn:
        _ADMITTING.send(conn, somebody(site, "a"))
        _ADMITTING.send(conn, somebody(site, "a"))
    assert "a".ljust(26, "0") not in str(failed.value), "no value of a row is quoted"
    assert there(site) == 0
    with pytest.raises(IntegrityError), site.writing(in_pipeline=True) as conn:
        _ADMITTING.send(conn, somebody(site, "a"))
        _ADMITTING.send(conn, somebody(site, "a"))
        COUNT.rows(conn)
    assert there(site) == 0
    with site.writing(in_pipeline=True) as conn:
        _ADMITTING.send(conn, somebody(site, "a"))
        COUNT.rows(conn)
    assert there(site) == 1


def test_whoever_gives_up_in_between_leaves_nothing(site: Site) -> None:
    with pytest.raises(LookupError), site.writing(in_pipeline=True) as conn:
        _ADMITTING.send(conn, somebody(site, "a"))
        raise LookupError
    with pytest.raises(LookupError), site.writing(in_pipeline=True) as conn:
        _ADMITTING.send(conn, somebody(site, "a"))
        _ADMITTING.send(conn, somebody(site, "a"))
        raise LookupError
    assert there(site) == 0
    collect(site, Submission("register", ANN, "r1", choices={"marketing": True}))
    assert there(site) == 1


def test_a_server_that_goes_away_in_between_is_told_in_words(site: Site) -> None:
    with pytest.raises(StoreError), site.writing(in_pipeline=True) as conn:
        _ADMITTING.send(conn, somebody(site, "a"))
        [(mine,)] = Prepared(select(func.pg_backend_pid())).rows(conn)
        with site.engine.connect() as other:
            other.execute(text("SELECT pg_terminate_backend(:mine)"), {"mine": mine})
        _ADMITTING.send(conn, somebody(site, "b"))
    assert there(site) == 0


def trips(site: Site, act: Callable[[], object], written: Path) -> int:
    """How often the store of ``site`` was asked for an answer during ``act``, by what libpq sent."""
    with written.open("w") as trace:

        def heed(raw: psycopg.Connection, *_: object) -> None:
            raw.pgconn.trace(trace.fileno())

        event.listen(site.engine, "checkout", heed)
        act()
        event.remove(site.engine, "checkout", heed)
        with site.engine.connect() as conn:
            conn.connection.driver_connection.pgconn.untrace()
    asked = ("\tF\t", "Query"), ("\tF\t", "Sync"), ("\tF\t", "Flush")
    return sum(any(all(one in line for one in each) for each in asked) for line in written.read_text().splitlines())


def test_a_form_asks_its_store_for_an_answer_less_often(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def form(number: int) -> Callable[[], object]:
        return lambda: collect(site, Submission("register", ANN, f"r{number}", choices={"marketing": True}))

    for number in range(7):  # a statement is prepared on the server after the fifth time
        form(number)()
    with monkeypatch.context() as one_by_one:
        one_by_one.setattr(Site, "writing", lambda self, **_: writing(self.engine))
        alone = trips(site, form(8), tmp_path / "alone")
    assert alone == 19
    together = tmp_path / "together"
    assert trips(site, form(9), together) <= 14, "fewer where an answer came before it was asked for"
    [commit] = (line for line in together.read_text().splitlines() if '"COMMIT"' in line and "\tF\t" in line)
    assert "Query" in commit, (
        "sent by itself when all answers are in: a server that went away before has committed nothing"
    )
