"""After a restore staff learn of the messages that were lost, and of no message that left."""

from pathlib import Path

from tests.fixtures import days
from tests.operators import mailing
from tests.submissions import REGISTER, sent
from troth.clock import MovedClock
from troth.collection import collect
from troth.messages.actions import queue
from troth.messages.mailbox import Mailbox
from troth.restoring.backup import backup
from troth.restoring.restore import restore
from troth.store.site import Site
from troth.work import turn

OFFER = {"subject_line": "Lamps", "paragraphs": ["New lamps are here."]}


def write_to(shop: Site, person_id: str, key: str) -> None:
    with shop.writing() as conn:
        assert queue(shop, conn, person_id, "offers", "letter", OFFER, key)


def test_only_messages_that_never_left_are_counted_as_lost(
    site: Site, tmp_path: Path, mailbox: Mailbox, clock: MovedClock
) -> None:
    shop = mailing(site, mailbox)
    ann = collect(shop, sent(REGISTER, "register-ann", email="ann@shop.example")).person_id
    write_to(shop, ann, "before")
    backup(shop, tmp_path / "monday")
    clock.move(days(0.1))
    for key in ("since-1", "since-2"):
        write_to(shop, ann, key)
    turn(shop)
    before = len(mailbox.messages())
    assert before >= 3
    write_to(shop, ann, "never-left")
    replayed = restore(shop, tmp_path / "monday", because="the disk failed", by="engineer").replayed
    assert replayed.lost["message:queued"] == 1
