"""The desk with somebody at it who carries out acts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.served import Client, client
from tests.staffed import at_desk, somebody
from troth.store.site import Site

HOME = "/shop/desk"
ON_ONE_STORE = pytest.mark.parametrize("store_kind", ["sqlite"], indirect=True)
"""for what the pages do before anything reaches a store"""


@pytest.fixture
def web(site: Site) -> Iterator[Client]:
    """The desk, with a privacy lead at it."""
    with client(site) as made:
        at_desk(made, somebody(site))
        yield made
