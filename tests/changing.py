"""A shop that publishes a wider version of its policy, and the worker that tells people."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.operators import mailing
from tests.served import Client, client
from tests.submissions import CONTACT, REGISTER
from tests.versions import publish_next
from troth import work
from troth.collection import collect
from troth.evidence.prove import prove
from troth.messages.mailbox import Mailbox
from troth.messages.publish import Published
from troth.proof import Proof
from troth.store.site import Site
from troth.web.inside import Inside

WIDER = ("marketing: {", "resale: {label: pass your data on, basis: contract, uses: [email]}\n  marketing: {")


@pytest.fixture
def shop(site: Site, mailbox: Mailbox) -> Site:
    """The shop with mail, and two people."""
    made = mailing(site, mailbox)
    collect(made, REGISTER)
    collect(made, CONTACT)
    return made


@pytest.fixture
def web(shop: Site) -> Iterator[Client]:
    with client(shop) as opened:
        yield opened


def turns(site: Site, times: int = 3) -> None:
    for _ in range(times):
        work.turn(site)


def wider(site: Site) -> Published:
    """Version 2, which gives a new purpose: in effect on 20 January."""
    return publish_next(site, lambda text: text.replace(*WIDER, 1))


def proof(site: Site, door: bool = False, promise: str = "changes") -> Proof:
    return next(one.proof for one in prove(site, door=Inside if door else None).proven if one.promise.id == promise)


def told(box: Mailbox) -> list[tuple[str, str]]:
    """Whom which notices went to."""
    return sorted((one.recipients[0], one.subject) for one in box.messages() if "policy" in one.subject)
