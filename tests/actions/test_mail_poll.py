"""Mail fetched from a real IMAP server and from a Maildir: taken before it is marked, once, and never lost."""

import os
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from pydantic import ValidationError
from sqlalchemy import Connection

from tests.certificates import certificate
from tests.crashing import KILLED, exit_of
from tests.imap_server import SECRETS, WIRES, ImapServer, behind_tls, imap_server
from tests.mail_in import letter, note, noted, poll_and_die, where, wired, with_desk
from troth.clock import MovedClock
from troth.errors import StoreError, TrothError
from troth.messages.inbound import Arrived, imap, poll
from troth.messages.inbound.parse import MOST_BYTES
from troth.messages.inbound.source import Unreachable
from troth.settings import MailboxWires
from troth.store.site import Site

only_sqlite = pytest.mark.parametrize("store_kind", ["sqlite"])


class Box:
    """An IMAP folder of this test's own; what a Maildir is told, too."""

    def __init__(self, server: ImapServer, after: str) -> None:
        self.server, self.after = server, after
        self.folder = f"test/{uuid4().hex[:12]}"

    def wires(self) -> dict[str, str]:
        return self.server.wires(self.folder, self.after.replace("TAKEN", f"{self.folder}-taken"))

    def put(self, *messages: bytes) -> None:
        self.server.put(self.folder, *messages)

    def lying(self) -> dict[str, str]:
        """Subjects and flags; those in the folder for what was taken begin with `taken`."""
        moved = self.server.lying(f"{self.folder}-taken") if "move" in self.after else {}
        return self.server.lying(self.folder) | {f"taken {subject}": flags for subject, flags in moved.items()}


class MaildirBox:
    """A Maildir on disk."""

    def __init__(self, path: Path, after: str) -> None:
        self.path, self.after = path, after
        for place in ("tmp", "new", "cur"):
            (path / place).mkdir(parents=True)

    def wires(self) -> dict[str, str]:
        return {"maildir": str(self.path), "after": self.after}

    def put(self, *messages: bytes) -> None:
        for number, raw in enumerate(messages):
            (self.path / "new" / f"1767600000.M{number}P{uuid4().hex[:6]}.host").write_bytes(
                raw.replace(b"\r\n", b"\n")
            )

    def lying(self) -> dict[str, str]:
        words = {"S": "\\Seen", "F": "\\Flagged"}
        found = {}
        for folder, taken in ((self.path, ""), (self.path / ".TAKEN", "taken ")):
            for file in [*folder.glob("new/*"), *folder.glob("cur/*")]:
                subject = next(line for line in file.read_text().splitlines() if line.startswith("Subject: "))
                flags = sorted(words[flag] for flag in file.name.partition(":2,")[2])
                found[taken + subject.removeprefix("Subject: ")] = " ".join(flags)
        return found


@pytest.fixture(scope="module")
def server() -> Iterator[ImapServer]:
    with imap_server() as made:
        yield made


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(params=["imap", "maildir"])
def kind(request: pytest.FixtureRequest) -> str:
    made: str = request.param
    return made


@pytest.fixture
def desk(site: Site) -> Site:
    with_desk(site)
    return site


def box_of(kind: str, after: str, server: ImapServer, path: Path) -> Box | MaildirBox:
    return Box(server, after) if kind == "imap" else MaildirBox(path / "maildir", after)


AFTER = {
    "seen": {"letter 1": "\\Seen", "letter 2": "\\Seen"},
    "move:TAKEN": {"taken letter 1": "", "taken letter 2": ""},
    "delete": {},
}


@only_sqlite
@pytest.mark.parametrize("after", AFTER)
def test_what_lies_in_a_mailbox_is_taken_once_and_then_marked(
    desk: Site, kind: str, after: str, server: ImapServer, tmp_path: Path
) -> None:
    box = box_of(kind, after, server, tmp_path)
    box.put(letter(number=1), letter(number=2))
    site = wired(desk, mailbox=box.wires())
    assert [poll(site, note) for _ in range(2)] == [2, 0]
    lies = {name: "" if "taken" in name else flags for name, flags in box.lying().items()}
    assert lies == AFTER[after]
    box.put(letter(number=2), letter(number=3))
    assert poll(site, note) == 1
    assert noted(desk) == ["letter 1", "letter 2", "letter 3"]
    assert noted(desk, "body") == ["Please delete my data."] * 3


@pytest.mark.parametrize("point", ["before the commit", "after the commit"])
@pytest.mark.parametrize("after", ["seen", "delete"])
def test_a_kill_between_taking_and_marking_neither_loses_nor_doubles(
    desk: Site, kind: str, after: str, point: str, server: ImapServer, tmp_path: Path
) -> None:
    box = box_of(kind, after, server, tmp_path)
    box.put(letter(number=1), letter(number=2))
    assert exit_of(poll_and_die, *where(desk), desk.now(), box.wires(), SECRETS, point) == KILLED
    taken = ["letter 1"] if point == "after the commit" else []
    assert noted(desk) == taken
    assert box.lying() == {"letter 1": "", "letter 2": ""}
    site = wired(desk, mailbox=box.wires())
    assert poll(site, note) == 2 - len(taken)
    assert noted(desk) == ["letter 1", "letter 2"] and box.lying() == AFTER[after]


@only_sqlite
@pytest.mark.parametrize("after", AFTER)
def test_what_names_no_sender_stays_for_a_person_to_look_at(
    desk: Site, kind: str, after: str, server: ImapServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    box = box_of(kind, after, server, tmp_path)
    box.put(letter(number=1, sender="ann@shop.example, eve@shop.example"), letter(number=2))
    site = wired(desk, mailbox=box.wires())
    assert [poll(site, note) for _ in range(2)] == [1, 0]
    [flags] = [flags for name, flags in box.lying().items() if "letter 1" in name]
    assert "\\Flagged" in flags and noted(desk) == ["letter 2"]
    assert "sender" in caplog.text and "example" not in caplog.text


@only_sqlite
def test_what_cannot_be_taken_keeps_nobody_waiting_and_is_tried_again(
    desk: Site, kind: str, server: ImapServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(__import__("troth.messages.inbound.poll", fromlist=["_"]), "MOST_A_TURN", 2)
    failing = {"letter 1", "letter 2"}

    def mostly(site: Site, conn: Connection, message: Arrived) -> None:
        note(site, conn, message)
        if message.subject in failing:
            raise KeyError(message.sender_address)

    box = box_of(kind, "seen", server, tmp_path)
    box.put(*(letter(number=number) for number in (1, 2, 3, 4)))
    site = wired(desk, mailbox=box.wires())
    with pytest.raises(TrothError, match=r"2 messages .* \(KeyError\)") as error:
        poll(site, mostly)
    assert "example" not in str(error.value) and noted(desk) == []
    assert poll(site, mostly) == 2
    failing.clear()
    assert poll(site, mostly) == 2
    assert noted(desk) == [f"letter {number}" for number in (1, 2, 3, 4)]


@only_sqlite
def test_while_the_store_fails_nothing_is_marked(desk: Site, kind: str, server: ImapServer, tmp_path: Path) -> None:
    def fails(*_: Any) -> None:
        raise StoreError("The disk is full.")

    box = box_of(kind, "delete", server, tmp_path)
    box.put(letter())
    site = wired(desk, mailbox=box.wires())
    with pytest.raises(StoreError):
        poll(site, fails)
    assert box.lying() == {"letter 1": ""} and poll(site, note) == 1


@only_sqlite
def test_the_time_to_answer_begins_when_the_mailbox_received_it(
    desk: Site, clock: MovedClock, server: ImapServer, tmp_path: Path
) -> None:
    imap_box, maildir = Box(server, "seen"), MaildirBox(tmp_path / "maildir", "seen")
    server.put(imap_box.folder, letter(number=1), at='"02-Jan-2026 10:00:00 +0100"')
    server.put(imap_box.folder, letter(number=2))  # received after the site's present: its clock stands still
    maildir.put(letter(number=3))
    [file] = (maildir.path / "new").iterdir()
    third = int((clock.now() - timedelta(days=2)).timestamp())
    os.utime(file, (third, third))
    for box in (imap_box, maildir):
        poll(wired(desk, mailbox=box.wires()), note)
    first = int((clock.now() - timedelta(days=3)).timestamp())  # 09:00 UTC
    assert noted(desk, "at") == [first, third, int(clock.now().timestamp())]


@only_sqlite
def test_a_letter_with_a_huge_attachment_is_read_as_far_as_is_looked_at(
    desk: Site, kind: str, server: ImapServer, tmp_path: Path
) -> None:
    huge = b"From: ann@shop.example\r\nSubject: huge\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    huge += b"--b\r\n\r\nDelete it.\r\n"
    huge += b"--b\r\nContent-Type: image/png\r\n\r\n" + b"x" * MOST_BYTES + b"\r\n--b--\r\n"
    box = box_of(kind, "seen", server, tmp_path)
    box.put(huge)
    assert poll(wired(desk, mailbox=box.wires()), note) == 1
    assert noted(desk, "body") == ["Delete it."]


# --- Servers ----------------------------------------------------------------------------------------------------------------


@only_sqlite
@pytest.mark.parametrize("missing", ["MOVE", "MOVE UIDPLUS"])
@pytest.mark.parametrize("after", ["move:TAKEN", "delete"])
def test_an_older_server_is_asked_in_older_words(
    desk: Site, after: str, missing: str, server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = imap.Folder.__init__

    def older(self: imap.Folder, *given: Any) -> None:
        made(self, *given)
        self._can = " ".join(word for word in self._can.split() if word.strip("B'[]") not in missing.split())

    monkeypatch.setattr(imap.Folder, "__init__", older)
    box = Box(server, after)
    box.put(letter(number=1), letter(number=2))
    assert poll(wired(desk, mailbox=box.wires()), note) == 2
    assert dict.fromkeys(box.lying(), "") == AFTER[after]


@only_sqlite
@pytest.mark.parametrize("how", ["starttls", "tls"])
def test_a_password_travels_encrypted_to_a_server_whose_certificate_is_trusted(
    desk: Site, how: str, tmp_path: Path, server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = certificate(tmp_path)
    box = Box(server, "seen")

    def fetched(port: int, trusted: bool) -> int:
        monkeypatch.setattr(
            imap, "trusted", lambda: ssl.create_default_context(cafile=str(files[0]) if trusted else None)
        )
        return poll(wired(desk, mailbox={**box.wires(), "imap": f"127.0.0.1:{port}", "tls": how}), note)

    if how == "tls":
        box.put(letter())
        with behind_tls(server.port, files) as port:
            with pytest.raises(Unreachable):
                fetched(port, trusted=False)
            assert fetched(port, trusted=True) == 1
        return
    with imap_server(files) as protected:
        box.server = protected
        box.folder = "INBOX"
        with pytest.raises(Unreachable):
            fetched(protected.port, trusted=False)
        assert fetched(protected.port, trusted=True) == 0


@only_sqlite
def test_a_mailbox_that_cannot_be_used_is_an_error_in_words(
    desk: Site, server: ImapServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Box(server, "seen")
    for wires, words in (
        ({**box.wires(), "imap": "127.0.0.1:1"}, "does not answer"),
        (box.wires(), "no such folder"),
        ({"maildir": str(tmp_path / "none")}, "not there"),
    ):
        with pytest.raises(Unreachable, match=words) as error:
            poll(wired(desk, mailbox=wires), note)
        assert error.value.hint and "example" not in str(error.value)
    monkeypatch.setenv("TROTH_TEST_IMAP_PASSWORD", "wrong")
    with pytest.raises(Unreachable, match="let us in") as error:
        poll(wired(desk, mailbox=box.wires()), note)
    assert "wrong" not in str(error.value) and "example" not in str(error.value)
    monkeypatch.delenv("TROTH_TEST_IMAP_PASSWORD")
    with pytest.raises(TrothError, match="TROTH_TEST_IMAP_PASSWORD"):
        poll(wired(desk, mailbox=box.wires()), note)


@only_sqlite
def test_a_site_without_a_mailbox_has_nothing_to_fetch(desk: Site) -> None:
    assert poll(wired(desk), note) == 0


@only_sqlite
def test_what_is_no_message_file_is_passed_over_in_a_maildir(desk: Site, tmp_path: Path) -> None:
    box = MaildirBox(tmp_path / "maildir", "move:a/../../b")
    box.put(letter())
    secret = tmp_path / "secret"
    secret.write_bytes(letter(number=2))
    (box.path / "new" / "link").symlink_to(secret)
    (box.path / "new" / "folder").mkdir()
    os.mkfifo(box.path / "new" / "pipe")
    (box.path / "new" / ".hidden").write_bytes(letter(number=3))
    site = wired(desk, mailbox=box.wires())
    assert poll(site, note) == 1 and noted(desk) == ["letter 1"]
    assert secret.exists() and not (tmp_path / "b").exists()


# --- site.yaml --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wires",
    [
        {},
        {"imap": "mail.example:993", "maildir": "mail", **WIRES},
        {"imap": "mail.example:993"},
        {"imap": "mail.example:143", "tls": "none", **WIRES},
        {"imap": "mail.example", **WIRES},
        {"maildir": "mail", "after": "burn"},
        {"maildir": "mail", "after": "move:"},
        {"maildir": "mail", "after": "move:a\r\nLOGOUT"},
        {"imap": "mail.example:993", "folder": "a\r\nb", **WIRES},
    ],
)
def test_wiring_that_cannot_be_meant_is_refused(wires: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        MailboxWires.model_validate(wires)


def test_names_of_folders_are_written_as_the_protocol_wants_them() -> None:
    assert imap.quoted("INBOX") == '"INBOX"'
    assert imap.quoted("已處理 & done") == '"&XfKGVXQG- &- done"'
    assert imap.quoted('a"b\\c') == '"a\\"b\\\\c"'
