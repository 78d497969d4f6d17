"""What every test may ask for: a fresh database on either store, and a browser."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import URL

from tests.databases import (
    Databases,
    Prepare,
    ServerUnavailableError,
    StoreKind,
    postgres_server,
    run_folder_held,
    unavailable,
)
from tests.doors import operator, shown, watched  # noqa: F401  (fixtures)
from tests.fixtures import clock, mailbox, site  # noqa: F401  (fixtures)
from tests.members import door  # noqa: F401  (a fixture)

if TYPE_CHECKING:
    from playwright.sync_api import Browser

WITHOUT_DOORS = frozenset(Path(__file__).with_name("without_doors.txt").read_text("utf-8").split())
"""tests that are marked with a clause and still ask a room instead of a door: none may be added"""
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        run = ExitStack()
        run.enter_context(run_folder_held())
        config.add_cleanup(run.close)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A test that proves a clause reaches the act through a door that a business or a person has."""
    if not any(item.iter_markers("clause")):
        return (yield)
    with watched() as gone_through:
        result = yield
    name = item.nodeid.partition("[")[0]
    if not gone_through and name not in WITHOUT_DOORS:
        pytest.fail("This test is marked with a clause and goes through no door; see tests/doors.py.", pytrace=False)
    return result


@pytest.fixture(scope="session")
def postgres() -> URL:
    """A PostgreSQL server's maintenance database."""
    try:
        return postgres_server()
    except ServerUnavailableError as error:
        unavailable(str(error))


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """For fixtures of any scope: `databases.fresh(kind)`; the server is only looked for when a test needs it."""
    made = Databases(lambda: request.getfixturevalue("postgres"), tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture
def fresh_database(databases: Databases) -> Iterator[Callable[..., str]]:
    """`fresh_database(kind, prepared_by=None)`: the URL of a database of this test's own, dropped after it."""
    urls: list[str] = []

    def make(kind: StoreKind, prepared_by: Prepare | None = None) -> str:
        urls.append(databases.fresh(kind, prepared_by))
        return urls[-1]

    yield make
    for url in urls:
        databases.drop(url)


@pytest.fixture(params=["sqlite", "postgresql"])
def store_kind(request: pytest.FixtureRequest) -> StoreKind:
    kind: StoreKind = request.param
    return kind


@pytest.fixture
def database_url(store_kind: StoreKind, fresh_database: Callable[..., str]) -> str:
    """An empty database; a test that asks for it runs once on each store."""
    return fresh_database(store_kind)


# Once a file, not once a run: while Playwright's synchronous driver is up, its event loop counts as running in this
# thread, and `asyncio.run` in any later test of the worker would be refused.
@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        unavailable("no chromium on the PATH; hint: apt install chromium")
    from playwright.sync_api import sync_playwright  # half a second that the other tests need not spend

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        yield started
        started.close()
