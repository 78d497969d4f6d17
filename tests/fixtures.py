"""A small shop with every kind of promise, opened on a fresh store under a clock that the test moves."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.databases import StoreKind
from troth.clock import MovedClock, utc
from troth.messages.mailbox import Mailbox
from troth.people.keyring import make_site_key
from troth.store import versions
from troth.store.engines import open_engine
from troth.store.prepare import prepare, upgrade
from troth.store.site import Site, open_site

SHOP = Path(__file__).parent / "shop"
START = utc(2026, 1, 5, 9)


def open_shop(folder: Path, clock: MovedClock, **urls: str) -> Site:
    """The shop in ``folder``, prepared, with version 1 of its policy in force."""
    site = open_site(folder, clock, **urls)
    prepare(site)
    make_site_key(site)
    policy, decisions = ((folder / name).read_text() for name in ("policy.yaml", "decisions.yaml"))
    with site.writing() as conn:
        versions.archive(conn, policy, decisions, effective_at=utc(2024), at=utc(2023, 12))
    return site


def data_tables_made(url: str) -> None:
    """Bring the database at ``url`` to the present schema of a site; done once a worker, then copied."""
    _tables_made(url, "data")


def key_tables_made(url: str) -> None:
    """As ``data_tables_made``, for the keys."""
    _tables_made(url, "keys")


def _tables_made(url: str, store: str) -> None:
    engine = open_engine(url, Path("/"))
    upgrade(engine, store)
    engine.dispose()


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock(START)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """A mail server of this test's own; ``tests.operators.mailing`` points a site at it."""
    box = Mailbox()
    box.start()
    yield box
    box.stop()


@pytest.fixture
def site(
    store_kind: StoreKind, fresh_database: Callable[..., str], tmp_path: Path, clock: MovedClock
) -> Iterator[Site]:
    """The shop, once on SQLite and once on PostgreSQL; its key store is always another database."""
    folder = Path(shutil.copytree(SHOP, tmp_path / "shop"))
    urls = {
        "database": fresh_database(store_kind, prepared_by=data_tables_made),
        "keys": fresh_database(store_kind, prepared_by=key_tables_made),
    }
    opened = open_shop(folder, clock, **urls)
    yield opened
    opened.close()


def days(number: float) -> timedelta:
    return timedelta(days=number)
