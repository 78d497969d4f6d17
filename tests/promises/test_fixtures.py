"""The fixtures that other tests stand on do what they say."""

import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest
from playwright.sync_api import Browser
from sqlalchemy import URL, create_engine, inspect, make_url, text

from tests.databases import LEFT, StoreKind, libpq


def run_sql(url: str, *statements: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def tables(url: str) -> list[str]:
    engine = create_engine(url)
    try:
        return inspect(engine).get_table_names()
    finally:
        engine.dispose()


def with_one_table(url: str) -> None:
    run_sql(url, "CREATE TABLE pledges (id INTEGER PRIMARY KEY)", "INSERT INTO pledges VALUES (7)")


def test_fresh_databases_are_empty_and_apart(store_kind: StoreKind, fresh_database: Callable[..., str]) -> None:
    first, second = fresh_database(store_kind), fresh_database(store_kind)
    with_one_table(first)
    assert tables(first) == ["pledges"]
    assert tables(second) == []


def test_prepared_databases_are_copies_that_do_not_share(
    store_kind: StoreKind, fresh_database: Callable[..., str]
) -> None:
    first, second = (fresh_database(store_kind, with_one_table) for _ in range(2))
    run_sql(first, "DELETE FROM pledges")
    engine = create_engine(second)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM pledges")) == 1
    engine.dispose()


def test_dropped_database_is_gone_after_some_more_even_while_somebody_is_connected(postgres: URL, databases) -> None:
    url = databases.fresh("postgresql")
    left_open = psycopg.connect(libpq(make_url(url)))
    databases.drop(url)
    for _ in range(LEFT):
        databases.drop(databases.fresh("postgresql"))
    with psycopg.connect(libpq(postgres)) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [make_url(url).database]).fetchone()
    left_open.close()
    assert found is None


KILLED_RUN = """
import os, pathlib, psycopg
from tests.databases import RUN_FOLDER, embedded_server, libpq, run_folder_held
with run_folder_held():
    server = embedded_server(pathlib.Path(os.environ[RUN_FOLDER]))
    with psycopg.connect(libpq(server)) as connection:
        print(pathlib.Path(connection.execute("SHOW data_directory").fetchone()[0], "postmaster.pid").read_text())
        print(server.query["host"], flush=True)
    os.kill(os.getpid(), 9)
"""


def test_own_server_goes_even_when_its_run_is_killed() -> None:
    root = Path(__file__).parents[2]
    killed = subprocess.run([sys.executable, "-c", KILLED_RUN], capture_output=True, text=True, check=False, cwd=root)
    assert killed.returncode == -9, killed.stderr
    lines = killed.stdout.split()
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(int(lines[0])).wait(timeout=30)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(f"postgresql://postgres@/postgres?host={lines[-1]}")


def test_browser_shows_a_page(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content("<title>Troth</title><h1>Kept</h1>")
    assert (page.title(), page.inner_text("h1")) == ("Troth", "Kept")
    page.close()
