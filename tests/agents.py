"""An agent of the Data Rights Protocol and the shop that trusts it."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from tests.peers import AgentAtHome, with_agents
from tests.served import Client, client
from troth.rights.tables import request
from troth.store.site import Site


@pytest.fixture
def shop(site: Site) -> Site:
    """The shop with an agent that vouches for people, and one that does not."""
    return with_agents(site, vouches=True)


@pytest.fixture
def web(shop: Site) -> Iterator[Client]:
    with client(shop) as made:
        yield made


@pytest.fixture
def agent(web: Client, shop: Site) -> AgentAtHome:
    made = AgentAtHome(web, shop)
    assert made.set_up().status_code == 200
    return made


def requests(site: Site) -> int:
    with site.reading() as conn:
        return conn.execute(select(func.count()).select_from(request)).scalar_one()
