"""Mail in over real SMTP and LMTP: taken when it is stored and only then, once, for the operator's address alone."""

import logging
import smtplib
import socket
import sqlite3
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Connection, text

from tests.certificates import certificate
from tests.crashing import KILLED, exit_of
from tests.databases import StoreKind, libpq
from tests.mail_in import TO, letter, note, noted, take_and_die, where, wired, with_desk
from tests.operators import open_operator
from troth.clock import MovedClock
from troth.errors import StoreError, TrothError
from troth.messages.inbound import Arrived, Unreadable, forget_the_past, listening, receive, take
from troth.messages.inbound.parse import MOST_BYTES
from troth.store.engines import open_engine
from troth.store.site import Site

ANYWHERE = {"listen": "127.0.0.1:0"}


@pytest.fixture
def desk(site: Site) -> Site:
    """The shop, with somebody who notes what comes in."""
    with_desk(site)
    return wired(site, receive=ANYWHERE)


only_sqlite = pytest.mark.parametrize("store_kind", ["sqlite"])


@contextmanager
def client(site: Site, hand_over: Any = note, kind: Any = smtplib.SMTP) -> Iterator[Any]:
    with listening([site], hand_over) as ports, kind("127.0.0.1", ports[site.name], timeout=10) as server:
        yield server


def send(server: smtplib.SMTP, raw: bytes, *to: str, sender: str = "ann@shop.example") -> int:
    """Send ``raw`` and return the code that it was answered with."""
    try:
        server.sendmail(sender, list(to or (TO,)), raw)
    except smtplib.SMTPRecipientsRefused as error:
        return next(iter(error.recipients.values()))[0]
    except smtplib.SMTPResponseException as error:
        return error.smtp_code
    return 250


@contextmanager
def conversation(port: int) -> Iterator[Callable[..., bytes]]:
    """A client that says exactly what it is told to and returns what is answered."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as place, place.makefile("rb") as answers:
        answers.readline()

        def say(words: bytes, lines: int = 1) -> bytes:
            place.sendall(words)
            return b"".join(answers.readline() for _ in range(lines))

        yield say


# --- Once, and stored --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", ["smtp", "lmtp"])
def test_a_letter_is_taken_once_however_often_it_is_sent(desk: Site, protocol: str) -> None:
    kind = smtplib.LMTP if protocol == "lmtp" else smtplib.SMTP
    with client(wired(desk, receive={**ANYWHERE, "protocol": protocol}), kind=kind) as server:
        assert [send(server, letter()) for _ in range(3)] == [250] * 3
        assert send(server, letter(number=2)) == 250
    assert noted(desk) == ["letter 1", "letter 2"]
    assert noted(desk, "body") == ["Please delete my data."] * 2


def test_many_who_bring_one_letter_at_the_same_time_bring_it_once(desk: Site) -> None:
    with ThreadPoolExecutor(8) as threads:
        came = list(threads.map(lambda _: take(desk, letter(), note), range(16)))
    assert sorted(came) == [False] * 15 + [True]
    assert noted(desk) == ["letter 1"]


@pytest.mark.parametrize("point", ["before the commit", "after the commit"])
def test_a_kill_while_taking_leaves_all_or_nothing_and_sending_again_takes_once(desk: Site, point: str) -> None:
    assert exit_of(take_and_die, *where(desk), desk.now(), point) == KILLED
    assert len(noted(desk)) == (point == "after the commit")
    with client(desk) as server:
        assert send(server, letter()) == 250
    assert noted(desk) == ["letter 1"]


@contextmanager
def locked(site: Site, kind: StoreKind) -> Iterator[None]:
    if kind == "sqlite":
        with closing(sqlite3.connect(str(site.engine.url.database), isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    with psycopg.connect(libpq(site.engine.url)) as other:
        other.execute("LOCK TABLE arrived IN ACCESS EXCLUSIVE MODE")
        yield


def test_while_the_store_is_locked_a_sender_is_asked_to_come_again(desk: Site, store_kind: StoreKind) -> None:
    hasty = open_engine(where(desk)[1], desk.folder, lock_wait_ms=50)
    with client(replace(desk, engine=hasty)) as server:
        with locked(desk, store_kind):
            assert send(server, letter()) == 451
        assert noted(desk) == []
        assert send(server, letter()) == 250
    hasty.dispose()
    assert noted(desk) == ["letter 1"]


def test_what_the_desk_could_not_do_is_not_taken_and_its_words_stay_out_of_the_log(
    desk: Site, caplog: pytest.LogCaptureFixture
) -> None:
    errors: list[Exception] = [StoreError("The disk is full."), KeyError("ann@shop.example")]

    def fails(site: Site, conn: Connection, message: Arrived) -> None:
        note(site, conn, message)
        if errors:
            raise errors.pop()

    with client(desk, fails) as server:
        assert [send(server, letter()) for _ in range(3)] == [451, 451, 250]
    assert noted(desk) == ["letter 1"]
    assert "KeyError" in caplog.text and "disk is full" in caplog.text and "ann" not in caplog.text


def test_that_a_message_came_is_forgotten_after_thirty_days(desk: Site, clock: MovedClock) -> None:
    assert take(desk, letter(), note)
    clock.move(timedelta(days=29))
    assert forget_the_past(desk) == 0 and not take(desk, letter(), note)
    clock.move(timedelta(days=1))
    assert forget_the_past(desk) == 1 and forget_the_past(desk) == 0
    with desk.reading() as conn:
        assert conn.execute(text("SELECT count(*) FROM arrived")).scalar_one() == 0


def test_what_is_remembered_of_a_message_tells_nothing_of_it(desk: Site) -> None:
    take(desk, letter(), note)
    with desk.reading() as conn:
        [(key, _)] = conn.execute(text("SELECT key, at FROM arrived"))
    from troth.messages.inbound import read

    assert len(bytes(key)) == 32 and bytes(key).hex() != read(letter(), desk.now()).key  # keyed


# --- For whom ----------------------------------------------------------------------------------------------------------


@only_sqlite
def test_mail_for_anybody_else_is_refused(desk: Site) -> None:
    with client(desk) as server:
        for other in (
            "ann@shop.example",
            "privacy@elsewhere.example",
            "privacy",
            '"privacy@shop.example"@evil.example',
        ):
            assert send(server, letter(), other) in {550, 553}
        assert send(server, letter(), "Privacy@SHOP.example") == 250
    assert noted(desk) == ["letter 1"]


@only_sqlite
def test_recipients_are_limited(desk: Site) -> None:
    with client(desk) as server:
        server.ehlo()
        server.mail("ann@shop.example")
        codes = [server.rcpt(TO)[0] for _ in range(receive.MOST_RECIPIENTS + 2)]
        assert codes == [250] * receive.MOST_RECIPIENTS + [452] * 2
        assert server.data(letter())[0] == 250
    assert noted(desk) == ["letter 1"]


@only_sqlite
def test_sites_that_share_a_port_each_get_their_own(
    desk: Site, tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str]
) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = probe.getsockname()[1]
    flex = open_operator("ledflex", tmp_path, clock, fresh_database)
    with_desk(flex)
    shared = {"listen": f"127.0.0.1:{free}", "protocol": "lmtp"}
    sites = [wired(desk, receive=shared), wired(flex, receive=shared)]
    down = False

    def mostly(site: Site, conn: Connection, message: Arrived) -> None:
        if down and site.name == "ledflex":
            raise StoreError("Down.")
        note(site, conn, message)

    with listening(sites, mostly) as ports:
        assert ports == {"shop": free, "ledflex": free}
        with smtplib.LMTP("127.0.0.1", free) as server:
            assert send(server, letter(), "gdpr@ledflexgroup.com") == 250
        down = True
        with conversation(free) as say:
            say(b"LHLO here\r\n", 5)
            say(b"MAIL FROM:<ann@shop.example>\r\n")
            for to in (TO.encode(), b"gdpr@ledflexgroup.com"):
                assert say(b"RCPT TO:<" + to + b">\r\n").startswith(b"250")
            say(b"DATA\r\n")
            told = say(letter(number=2) + b"\r\n.\r\n", 2).splitlines()
            assert [line[:3] for line in told] == [b"250", b"451"]  # one answer for each recipient
    assert (noted(desk), noted(flex)) == (["letter 2"], ["letter 1"])
    flex.close()


@only_sqlite
@pytest.mark.parametrize(
    ("receiving", "hint"),
    [
        ({"listen": "127.0.0.1:TAKEN"}, "listen"),
        ({"listen": "192.0.2.1:25"}, "listen"),
        ({**ANYWHERE, "certificate": "none.crt"}, "site.yaml"),
    ],
)
def test_what_cannot_be_listened_on_is_said(desk: Site, receiving: dict[str, str], hint: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        listen = receiving["listen"].replace("TAKEN", str(taken.getsockname()[1]))
        with (
            pytest.raises(TrothError) as error,
            listening([wired(desk, receive={**receiving, "listen": listen})], note),
        ):
            pass
        assert hint in error.value.hint


@only_sqlite
def test_a_site_that_does_not_say_where_is_not_listened_for(desk: Site) -> None:
    with listening([wired(desk), replace(desk, wiring=desk.wiring.model_copy(update={"mail": None}))], note) as ports:
        assert ports == {}


# --- From programs ---------------------------------------------------------------------------------------------------------


@only_sqlite
def test_what_has_no_way_back_or_comes_from_ourselves_is_not_to_be_answered(desk: Site) -> None:
    with client(desk) as server:
        assert send(server, letter(number=1)) == 250
        assert send(server, letter(number=2), sender="") == 250
        assert send(server, b"Return-Path: <ann@shop.example>\r\n" + letter(number=3), sender="") == 250
        assert send(server, letter(number=4, sender="Privacy@shop.example")) == 250
        assert send(server, b"Return-Path: <>\r\n" + letter(number=5)) == 250
    assert noted(desk, "subject || automatic") == [f"letter {n}" for n in ("10", "21", "31", "41", "50")]


# --- Hostile ------------------------------------------------------------------------------------------------------------


@only_sqlite
def test_a_message_that_is_too_long_is_refused_before_and_after_it_was_sent(desk: Site) -> None:
    long = letter() + b"x" * 70 * 10 + b"x" * MOST_BYTES
    with client(desk) as server:
        server.ehlo()
        assert server.esmtp_features["size"] == str(MOST_BYTES)
        assert server.mail("ann@shop.example", [f"size={len(long)}"])[0] == 552
        assert server.mail("ann@shop.example")[0] == 250
        assert server.rcpt(TO)[0] == 250
        assert server.data(long)[0] == 552
        assert send(server, letter("x" * 100_000 + "\n" + "\n" * 100_000)) == 250
    assert noted(desk) == ["letter 1"]


@only_sqlite
def test_millions_of_empty_lines_keep_nobody_waiting(desk: Site) -> None:
    with listening([desk], note) as ports, smtplib.SMTP("127.0.0.1", ports["shop"], timeout=60) as server:
        assert send(server, letter("Hello") + b"\r\n" * 2_000_000) == 250
        assert send(server, letter(number=2)) == 250
    assert noted(desk) == ["letter 1", "letter 2"]


@only_sqlite
@pytest.mark.parametrize(
    "end", [b"\n.\n", b"\r.\r", b"\n.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r\n\x00.\r\n", b"\r\n. \r\n"]
)
def test_no_message_hides_in_another(desk: Site, end: bytes) -> None:
    hidden = b"MAIL FROM:<eve@evil.example>\r\nRCPT TO:<privacy@shop.example>\r\nDATA\r\n" + letter(number=2)
    with listening([desk], note) as ports, conversation(ports["shop"]) as say:
        say(b"HELO here\r\n")
        say(b"MAIL FROM:<ann@shop.example>\r\n")
        say(b"RCPT TO:<privacy@shop.example>\r\n")
        say(b"DATA\r\n")
        assert say(letter() + end + hidden + b"\r\n.\r\n").startswith(b"250")
        assert say(b"NOOP\r\n") == b"250 OK\r\n"
    assert noted(desk) == ["letter 1"]


@only_sqlite
def test_dots_and_long_lines_arrive_as_they_were_sent(desk: Site) -> None:
    lines = [".", "..", ".x", "y" * 9_000, ".end"]
    # lines as long as, and around, what is read at once: a dot that then comes first begins no line
    edges = [b"z" * (65_536 + more) + b".\r\n" for more in range(-4, 4)]
    heard: list[str] = []
    with client(desk, lambda _site, _conn, message: heard.append(message.text)) as server:
        assert send(server, b"From: ann@shop.example\r\n\r\n" + "\r\n".join(lines).encode()) == 250
        for edge in edges:
            assert send(server, b"From: ann@shop.example\r\n\r\nHello\r\n" + edge + b".last\r\n") == 250
    assert heard[0] == "\n".join(lines)
    assert len(heard) == 1 + len(edges)


@only_sqlite
def test_odd_commands_get_an_answer_and_the_door_stays_open(desk: Site, caplog: pytest.LogCaptureFixture) -> None:
    odd = [b"MAIL FROM:<\xff\xfe@x>", b"MAIL FROM:<a@b> SIZE=x", b"RCPT TO:<" + b"a" * 600 + b"@b>", b"RCPT TO:<a@b", b"DATA",
           b"AUTH PLAIN AGEAYg==", b"STARTTLS", b"VRFY privacy@shop.example", b"EXPN all", b"BDAT 10", b"\x00", b"HELO",
           b"MAIL FROM:<a@b>\nRCPT TO:<privacy@shop.example>", b"RCPT TO:<privacy@shop.example\r>"]  # fmt: skip
    with listening([desk], note) as ports:
        with conversation(ports["shop"]) as say:
            for words in odd:
                assert say(words + b"\r\n")[:1] in {b"2", b"4", b"5"}, words
        with smtplib.SMTP("127.0.0.1", ports["shop"]) as server:
            assert "auth" not in (server.ehlo() and server.esmtp_features)
            assert send(server, letter()) == 250
    assert noted(desk) == ["letter 1"] and "Error" not in caplog.text


@only_sqlite
def test_whoever_names_no_sender_is_told_and_not_heard(desk: Site) -> None:
    with client(desk) as server:
        assert send(server, letter(sender="ann@shop.example, eve@shop.example")) == 550
    assert noted(desk) == []
    with pytest.raises(Unreadable):
        take(desk, b"", note)


@only_sqlite
def test_connections_are_limited_and_come_free_again(desk: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive, "MOST_CONNECTIONS", 3)
    with listening([desk], note) as ports:
        held = [socket.create_connection(("127.0.0.1", ports["shop"]), timeout=10) for _ in range(3)]
        assert all(one.recv(100).startswith(b"220") for one in held)
        with socket.create_connection(("127.0.0.1", ports["shop"]), timeout=10) as late:
            assert late.recv(100).startswith(b"421")
        for one in held:
            one.sendall(b"QUIT\r\n")
            while one.recv(100):
                pass
            one.close()
        with smtplib.SMTP("127.0.0.1", ports["shop"]) as server:
            assert send(server, letter()) == 250


@only_sqlite
def test_nobody_stays_for_ever(desk: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receive, "LONGEST_SESSION_S", 0.3)
    with listening([desk], note) as ports, conversation(ports["shop"]) as say:
        assert say(b"") == b""


@only_sqlite
def test_no_log_at_any_level_holds_an_address(desk: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with client(desk) as server:
        for raw in (letter(), letter(sender="a@shop.example, b@shop.example")):
            send(server, raw)
        send(server, letter(), "nobody@shop.example")
        server.verify("eve@shop.example")
    assert "shop.example" not in caplog.text


# --- Encrypted ----------------------------------------------------------------------------------------------------------


@only_sqlite
def test_mail_comes_in_encrypted_and_a_renewed_certificate_is_used_at_once(desk: Site, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    receiving = {**ANYWHERE, "certificate": str(chain), "key": str(key)}

    def sent(number: int, port: int) -> int:
        with smtplib.SMTP("127.0.0.1", port, timeout=10) as server:
            server.starttls(context=ssl.create_default_context(cafile=str(chain)))
            server.ehlo()
            assert "auth" not in server.esmtp_features and "starttls" not in server.esmtp_features
            return send(server, letter(number=number))

    with listening([wired(desk, receive=receiving)], note) as ports:
        assert sent(1, ports["shop"]) == 250
        certificate(tmp_path)
        assert sent(2, ports["shop"]) == 250
        chain.write_text("half of a")  # an old one that works is better than none
        with smtplib.SMTP("127.0.0.1", ports["shop"], timeout=10) as server:
            server.ehlo()
            assert "starttls" in server.esmtp_features
            assert send(server, letter(number=3)) == 250
    assert noted(desk) == ["letter 1", "letter 2", "letter 3"]


@only_sqlite
def test_what_was_said_before_encrypting_counts_for_nothing_after(desk: Site, tmp_path: Path) -> None:
    chain, key = certificate(tmp_path)
    site = wired(desk, receive={**ANYWHERE, "certificate": str(chain), "key": str(key)})
    with listening([site], note) as ports, socket.create_connection(("127.0.0.1", ports["shop"]), timeout=10) as place:
        place.recv(1000)
        place.sendall(b"EHLO here\r\n")
        told = b""
        while b"250 HELP\r\n" not in told:
            told += place.recv(1000)
        place.sendall(b"STARTTLS\r\nEHLO x\r\nMAIL FROM:<eve@evil.example>\r\n")
        assert place.recv(29) == b"220 Ready to start TLS\r\n"
        with ssl.create_default_context(cafile=str(chain)).wrap_socket(place, server_hostname="127.0.0.1") as safe:
            safe.sendall(b"RCPT TO:<privacy@shop.example>\r\n")
            assert safe.recv(100).startswith(b"503")
