"""Recipients and mail servers of a rehearsal go wrong as they are told to, and remember what they took."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage

import pytest

from troth.rehearsal.faults import Kind, Mishap
from troth.rehearsal.remote import FaultyMailbox, FaultyStandIns
from troth.rehearsal.stand_in import NO_ANSWER

SILENT: tuple[Kind, ...] = ("killed before", "killed after", "answer lost")


@pytest.fixture
def stand_ins() -> Iterator[FaultyStandIns]:
    started = FaultyStandIns()
    started.start([])
    yield started
    started.stop()


@pytest.fixture
def mailbox() -> Iterator[FaultyMailbox]:
    started = FaultyMailbox()
    started.start()
    yield started
    started.stop()


def taken(stand_ins: FaultyStandIns, key: str) -> int:
    return stand_ins.take("/shop/courier", {"Idempotency-Key": key}, b"{}")


@pytest.mark.parametrize(
    ("kind", "status", "has_it", "kills"),
    [
        ("killed before", NO_ANSWER, False, 1),
        ("killed after", NO_ANSWER, True, 1),
        ("answer lost", NO_ANSWER, True, 0),
        ("failed", 503, False, 0),
        ("late", 202, True, 0),
    ],
)
def test_one_delivery_goes_wrong_and_the_others_arrive(
    stand_ins: FaultyStandIns, kind: Kind, status: int, has_it: bool, kills: int
) -> None:
    killed: list[str] = []
    stand_ins.desk.kill = lambda: killed.append("killed")
    stand_ins.desk.arm(Mishap(kind, stand_ins.desk.place, nth=2))
    assert [taken(stand_ins, key) for key in "abc"] == [202, status, 202]
    assert stand_ins.seen == {"a", "c"} | ({"b"} if has_it else set())
    assert (len(killed), stand_ins.desk.met, stand_ins.desk.sprung) == (kills, 3, True)


def test_a_recipient_that_is_away_stays_away_for_the_turn(stand_ins: FaultyStandIns) -> None:
    stand_ins.desk.arm(Mishap("away", stand_ins.desk.place, nth=2))
    assert [taken(stand_ins, key) for key in "abc"] == [202, 503, 503]
    stand_ins.desk.arm(None)
    assert [taken(stand_ins, key) for key in "abc"] == [200, 202, 202]


@pytest.mark.parametrize("kind", ["killed before", "killed after", "answer lost", "failed", "late"])
def test_one_message_goes_wrong_and_is_taken_or_not(mailbox: FaultyMailbox, kind: Kind) -> None:
    mailbox.desk.arm(Mishap(kind, mailbox.desk.place, nth=2))
    told = [_sent(mailbox, name) for name in ("first", "second", "third")]
    assert (told[0], told[2]) == ("taken", "taken")
    assert told[1] == ("taken" if kind == "late" else "no answer" if kind in SILENT else "451")
    has_it = kind in {"killed after", "answer lost", "late"}
    assert mailbox.arrived == {"first": 1, "third": 1} | ({"second": 1} if has_it else {})


def _sent(mailbox: FaultyMailbox, name: str) -> str:
    message = EmailMessage()
    message["From"], message["To"], message["Message-ID"] = "a@shop.example", "b@mail.example", f"<{name}@shop.example>"
    host, _, port = mailbox.address.rpartition(":")
    with smtplib.SMTP(host, int(port)) as server:
        try:
            server.send_message(message)
        except smtplib.SMTPServerDisconnected:
            return "no answer"
        except smtplib.SMTPResponseException as error:
            return str(error.smtp_code)
    return "taken"
