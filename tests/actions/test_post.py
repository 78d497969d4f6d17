"""Mail handed to a server that answers what it likes: given up only for what it says of this message, and never sent twice."""

import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

import pytest

from troth.errors import TrothError
from troth.messages.post import Undelivered, hand_over
from troth.settings import MailWires

BYE = "221 Bye"


@dataclass
class Script:
    """A mail server that says what it is told to at each step, and else what is expected."""

    told: Mapping[str, str]
    port: int = 0
    taken: list[bytes] = field(default_factory=list)

    def answer(self, step: str) -> bytes:
        usual = {
            "CONNECT": "220 Hello",
            "EHLO": "250-here\n250-AUTH PLAIN\n250 SIZE",
            "AUTH": "235 In",
            "DATA": "354 Go on",
        }
        said = self.told.get(step, usual.get(step, BYE if step == "QUIT" else "250 Yes"))
        return said.replace("\n", "\r\n").encode() + b"\r\n"

    def speak(self, lines: Any, say: Callable[[bytes], object]) -> None:
        say(self.answer("CONNECT"))
        for line in lines:
            step = line.split()[0].decode().upper() if line.strip() else ""
            if self.told.get(step) == "hang up":
                return
            say(self.answer(step))
            if step == "DATA" and self.answer(step).startswith(b"354"):
                content = b"".join(iter(lines.readline, b".\r\n"))
                if self.answer("END").startswith(b"2"):
                    self.taken.append(content)
                say(self.answer("END"))
            if step == "QUIT":
                return


@contextmanager
def serving(**told: str) -> Iterator[Script]:
    script = Script(told)

    class Session(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            script.speak(self.rfile, self.wfile.write)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Session) as server:
        script.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield script
        server.shutdown()


def letter(to: str = "ann@lamp.example") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "privacy@shop.example", to, "Your data"
    message.set_content("Here it is.")
    return message


def wires(script: Script, **more: Any) -> MailWires:
    return MailWires.model_validate({"smtp": f"127.0.0.1:{script.port}", "sender": "privacy@shop.example", **more})


def undelivered(script: Script, message: EmailMessage | None = None, **more: Any) -> Undelivered:
    with pytest.raises(Undelivered) as error:
        hand_over(wires(script, **more), message or letter())
    assert "ann" not in f"{error.value}" and script.taken == []
    return error.value


LOGIN = {"user env": "SHOP_USER", "password env": "SHOP_PASSWORD"}


@pytest.mark.parametrize(
    ("step", "said"), [("RCPT", "550 nobody"), ("END", "554 no"), ("DATA", "554 no valid"), ("END", "552 big")]
)
def test_what_is_refused_of_this_message_is_refused_for_good(step: str, said: str) -> None:
    with serving(**{step: said}) as script:
        assert undelivered(script).for_good


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("CONNECT", "554 not you"),
        ("CONNECT", "421 busy"),
        ("MAIL", "550 not from you"),
        ("MAIL", "530 log in first"),
        ("AUTH", "535 wrong password"),
        ("AUTH", "530 encrypt first"),
        ("RCPT", "451 later"),
        ("END", "452 full"),
        ("END", "hang up"),
        ("DATA", "hang up"),
    ],
)
def test_what_is_wrong_with_us_or_the_server_is_tried_again(
    step: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_USER", "shop")
    monkeypatch.setenv("SHOP_PASSWORD", "wrong")
    with serving(**{step: said}) as script:
        error = undelivered(script, **(LOGIN if step == "AUTH" else {}))
        assert not error.for_good and "tried again" in error.hint


def test_a_server_that_knows_neither_greeting_is_tried_again() -> None:
    with serving(EHLO="502 what", HELO="550 no") as script:
        assert not undelivered(script).for_good


def test_what_a_server_does_not_offer_for_us_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_USER", "shop")
    monkeypatch.setenv("SHOP_PASSWORD", "right")
    with serving(EHLO="250 plain") as script:
        assert not undelivered(script, **LOGIN).for_good
        assert not undelivered(script, tls="starttls").for_good


def test_an_address_that_a_server_cannot_write_is_given_up() -> None:
    with serving() as script:
        assert undelivered(script, letter("änn@lamp.example")).for_good


@pytest.mark.parametrize("missing", LOGIN.values())
def test_nothing_is_sent_without_the_name_and_password_that_were_asked_for(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in LOGIN.values():
        monkeypatch.setenv(name, "x")
    monkeypatch.delenv(missing)
    with serving() as script, pytest.raises(TrothError, match=missing) as error:
        hand_over(wires(script, **LOGIN), letter())
    assert not getattr(error.value, "for_good", False) and script.taken == []


@pytest.mark.parametrize("goodbye", ["421 too slow", "500 what", "hang up"])
def test_a_message_that_was_taken_over_stays_so_however_the_server_says_goodbye(goodbye: str) -> None:
    with serving(QUIT=goodbye) as script:
        hand_over(wires(script), letter())
        assert len(script.taken) == 1


def test_a_refusal_is_heard_also_from_a_server_that_hangs_up_after_it() -> None:
    with serving(RCPT="550 nobody", RSET="hang up", QUIT="hang up") as script:
        assert undelivered(script).for_good
