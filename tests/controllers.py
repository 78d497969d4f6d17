"""A controller of OpenDSR and the shop that answers it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from tests.peers import ControllerAtHome, with_controllers
from tests.served import Client, client
from troth.rights.tables import request
from troth.store.site import Site


@pytest.fixture
def shop(site: Site) -> Site:
    """The shop with a controller that vouches for people."""
    return with_controllers(site, vouches=True)


@pytest.fixture
def web(shop: Site) -> Iterator[Client]:
    with client(shop) as made:
        yield made


@pytest.fixture
def controller(web: Client) -> ControllerAtHome:
    return ControllerAtHome(web)


def requests(site: Site) -> int:
    with site.reading() as conn:
        return conn.execute(select(func.count()).select_from(request)).scalar_one()
