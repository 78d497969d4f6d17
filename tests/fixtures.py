"""A small shop with every kind of promise, opened on a fresh store under a clock that the test moves."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.databases import StoreKind
from tests.first_day import started, started_by_hand
from troth.clock import MovedClock, utc
from troth.messages.mailbox import Mailbox
from troth.store.site import Site

SHOP = Path(__file__).parent / "shop"
START = utc(2026, 1, 5, 9)


PUBLISHED, EFFECTIVE = utc(2023, 12), utc(2024)


def open_shop(folder: Path, clock: MovedClock, **urls: str) -> Site:
    """The shop in ``folder``, prepared, with version 1 of its policy in force."""
    return started_by_hand(folder, clock, PUBLISHED, EFFECTIVE, **urls)


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
    opened = started(folder, clock, fresh_database, store_kind, PUBLISHED, EFFECTIVE)
    yield opened
    opened.close()


def days(number: float) -> timedelta:
    return timedelta(days=number)
