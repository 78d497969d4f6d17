"""A site whose store was put back says nothing until somebody has seen what would go."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.operators import mailing
from tests.stores import Copies
from tests.submissions import REGISTER, sent
from troth import ledger
from troth.agenda import waiting as waiting_jobs
from troth.collection import collect
from troth.errors import Refused
from troth.messages.actions import queue
from troth.messages.mailbox import Mailbox
from troth.restoring.by_hand import accept
from troth.restoring.release import release, waiting
from troth.store.site import Site
from troth.work import HANDLERS, STAYING, turn

OFFER = {"subject_line": "Lamps", "paragraphs": ["New lamps are here."]}
TEN = [f"ann{number}@shop.example" for number in range(10)]


@pytest.fixture
def said_once(site: Site, mailbox: Mailbox, tmp_path: Path) -> Iterator[Site]:
    """Ten messages waited when the copy was taken; they were sent since, and the copy is back."""
    shop, copies, name = mailing(site, mailbox), Copies(tmp_path), uuid.uuid4().hex[:12]
    for number, address in enumerate(TEN):
        person_id = collect(shop, sent(REGISTER, f"register-{number}", email=address)).person_id
        with shop.writing() as conn:
            assert queue(shop, conn, person_id, "offers", "letter", OFFER, f"spring-{number}")
    assert open_jobs(shop) >= len(TEN)
    ledger.seal(shop)
    copies.take(shop.engine, name)
    turn(shop)
    copies.put_back(shop.engine, name)
    yield shop
    copies.close()


def open_jobs(site: Site) -> int:
    with site.reading() as conn:
        found = waiting_jobs(conn, site.now())
    return found.due + found.later


def test_what_was_said_is_not_said_again(said_once: Site, mailbox: Mailbox) -> None:
    before = len(mailbox.messages())
    assert before >= len(TEN)
    turn(said_once)  # nobody has said why the store is an old one
    with pytest.raises(Refused, match="old copy"):
        release(said_once, "privacy_lead")
    accept(said_once, "copy of the night before", "privacy lead")
    for _ in range(3):
        turn(said_once)
    assert len(mailbox.messages()) == before
    held = waiting(said_once)
    assert sum(one.count for one in held) >= len(TEN)
    assert release(said_once, "privacy_lead", [one.kind for one in held]) >= len(TEN)
    turn(said_once)
    assert len(mailbox.messages()) == before
    with pytest.raises(Refused, match="Nothing is held back"):
        release(said_once, "privacy_lead")


def test_what_is_released_leaves(said_once: Site, mailbox: Mailbox) -> None:
    before = len(mailbox.messages())
    accept(said_once, "the mail server had lost them", "privacy lead")
    with pytest.raises(Refused, match="leaves a site"):
        release(said_once, "privacy_lead", ["mesage:deliver"])
    release(said_once, "privacy_lead")
    turn(said_once)
    assert len(mailbox.messages()) == 2 * before


def test_every_job_either_stays_or_waits() -> None:
    """A new kind of job waits unless somebody has decided that nothing leaves by it."""
    assert set(HANDLERS) > STAYING
    assert {"request:carry"} == STAYING
