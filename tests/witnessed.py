"""A site that is wired to witnesses: a file, a mailbox, an authority for time stamps."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.peers import rewired
from tests.stamping import Authority, stamping
from troth import ledger
from troth.clock import MovedClock
from troth.ledger import events
from troth.settings import LedgerWires
from troth.store.site import Site


@pytest.fixture
def authority(clock: MovedClock) -> Iterator[Authority]:
    with stamping(Authority(now=clock.now)) as made:
        yield made


def wired(site: Site, **witnesses: dict[str, Any]) -> Site:
    return rewired(site, ledger=LedgerWires.model_validate({"witness": witnesses}))


def of_stamps(site: Site, authority: Authority) -> Site:
    certificate = authority.certificates(site.folder)
    return wired(site, clockmaker={"time stamp": authority.url, "certificate": certificate.name})


def sealed(site: Site, count: int) -> None:
    with site.writing() as conn:
        ledger.append_many(conn, site.now(), events.PERSON_READ, [{"n": n} for n in range(count)])
    ledger.seal(site)
