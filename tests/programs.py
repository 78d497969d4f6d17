"""A program of the small shop, with its token."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.acting import Program, program
from tests.served import Client, client
from troth.store.site import Site


@pytest.fixture
def web(site: Site) -> Iterator[Client]:
    with client(site) as found:
        yield found


@pytest.fixture
def shop(site: Site, web: Client) -> Program:
    return program(web, site)


ORDERED = {"full_name": "Ann Canary", "delivery_address": "1 Lamp Street", "order_total": "99 GBP"}
