"""What every test may ask for: a fresh database on either store, and a browser."""

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

import pytest
from sqlalchemy import URL

from tests.databases import (
    Databases,
    Prepare,
    ServerUnavailableError,
    StoreKind,
    newest_dump,
    postgres_server,
    run_folder_held,
    unavailable,
)
from tests.doors import operator, shown  # noqa: F401  (fixtures)
from tests.first_day import data_tables_made
from tests.fixtures import clock, mailbox, site  # noqa: F401  (fixtures)
from tests.members import door  # noqa: F401  (a fixture)
from tests.postgres_keeper import MEMORY, roomy
from tests.promises.living import Living
from tests.quick import hash_passwords_cheaply, share_compiled_statements
from tests.sets import one_by_one
from tests.watching import watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

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


LONGEST = (
    "test_rehearsal_on",
    "test_rehearsal_faults_on",
    "test_rehearsal_again",
    "test_generated",
    "test_canary",
    "test_change_crashes",
    "test_request_crashes",
    "test_desk_acts",
    "test_mutants",
    "test_acts",
)
"""the beginnings of the names of the files that take longest: begun first, they leave no core idle at the end of a run"""


OF_STORES = (
    *(
        "test_change_crashes",
        "test_engines",
        "test_keystore",
        "test_ledger",
        "test_lies_put_back",
        "test_many",
        "test_marks",
    ),
    *("test_migrations", "test_query_plans", "test_reading_together", "test_request_crashes", "test_restore.py"),
    *("test_restore_crashes", "test_restore_exports"),
    *("test_stores", "test_together", "test_vault"),
)
"""the beginnings of the names of files about the stores themselves: all their tests run on both in every run"""
ONE_IN = 6
"""of so many of the other tests on PostgreSQL one is in every run, the same each time; all are in `make test-all`"""
OF_A_KIND = {
    "test_broken_on_purpose": 3,
    "test_canary": 2,
    "test_changes_browser": 2,
    "test_enforcers_reached": 2,
    "test_keys": 2,
    "test_lies": 3,
    "test_lies_columns": 2,
    "test_lies_put_back": 2,
    "test_mutants": 5,
    "test_notice_page": 2,
    "test_privacy_browser": 3,
    "test_rehearsal_faults_stores": 2,
    "test_request_crashes": 3,
    "test_trades": 2,
    "test_web_browser": 2,
}
"""long files whose tests differ in one thing each: of so many of them one is in every run, and all in `make test-all`"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--sampled", action="store_true", help="of tests that differ in one thing each, run some; `make test` does"
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two more than there are cores: many tests wait for a server, a browser, or a process that was killed."""
    return (os.cpu_count() or 1) + 2


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest files come first; the order of all others, and within a file, stays."""
    items.sort(key=lambda item: not item.path.name.startswith(LONGEST))
    for item in items if config.getoption("--sampled") else ():
        told = f"{item.path.name}::{item.name}"
        one_in = OF_A_KIND.get(item.path.stem, 1)
        if "postgresql" in item.name and not told.startswith(OF_STORES):
            one_in = ONE_IN
        if crc32(told.encode()) % one_in:
            item.add_marker("long")


def pytest_collection_finish() -> None:
    """What was imported and collected stays to the end: it is looked through for garbage less often."""
    gc.set_threshold(50_000, 50, 100)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """First of all, since what pytest itself configures is where files go: into memory, unless `--basetemp` says otherwise."""
    share_compiled_statements()
    hash_passwords_cheaply()
    if not hasattr(config, "workerinput"):
        run = ExitStack()
        run.enter_context(run_folder_held())
        config.add_cleanup(run.close)
        if config.option.basetemp is None and roomy(MEMORY):
            # No finalizer: a process that a test forks would run it, too.
            folder = Path(tempfile.mkdtemp(prefix="troth-tests-", dir=MEMORY))
            run.callback(shutil.rmtree, folder, ignore_errors=True)
            config.option.basetemp = folder / "files"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """A test that proves a clause reaches the act through a door that a business or a person has; sets are of one in it."""
    if not any(item.iter_markers("clause")):
        return (yield)
    with watched() as gone_through, pytest.MonkeyPatch.context() as patch:
        one_by_one(patch)
        result = yield
    if not gone_through:
        pytest.fail("This test is marked with a clause and goes through no door; see tests/watching.py.", pytrace=False)
    return result


@pytest.fixture(scope="session")
def postgres() -> URL:
    """A PostgreSQL server's maintenance database; backups of it are made by a client that is new enough for it."""
    try:
        server = postgres_server()
    except ServerUnavailableError as error:
        unavailable(str(error))
    if program := newest_dump():
        os.environ.setdefault("TROTH_PG_DUMP", program)
    return server


@pytest.fixture(scope="session")
def databases(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    """For fixtures of any scope: `databases.fresh(kind)`; the server is only looked for when a test needs it."""
    made = Databases(lambda: request.getfixturevalue("postgres"), tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def living(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Living:
    """Copies of a shop that lived a while; a test takes its copy before it changes anything of the program."""
    return Living(databases, tmp_path_factory.mktemp("living"))


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


@pytest.fixture
def tables_url(store_kind: StoreKind, fresh_database: Callable[..., str]) -> str:
    """A database with the tables of a site and nothing in them; a test that asks for it runs once on each store."""
    return fresh_database(store_kind, prepared_by=data_tables_made)


# Once a file, not once a run: while Playwright's synchronous driver is up, its event loop counts as running in this
# thread, and `asyncio.run` in any later test of the worker would be refused.
@pytest.fixture(scope="module")
def browser() -> "Iterator[Browser]":
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if program is None:
        unavailable("no chromium on the PATH; hint: apt install chromium")
    from playwright.sync_api import expect, sync_playwright  # half a second that the other tests need not spend

    expect.set_options(timeout=30_000)  # a page that comes late, where many tests run at once, is no failure
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        yield started
        started.close()
