"""An answer that drips, or has no end, is given up in seconds, and nothing goes on waiting for it."""

import os
import socket
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from urllib.parse import urlsplit

import pytest

from tests.actions.test_witnesses import forgotten, of_file, sealed
from tests.dripping import MANNERS, Manner, dripping
from tests.receiver import receiving
from troth.clock import MovedClock
from troth.errors import TrothError
from troth.ledger.notes import notes_in
from troth.patience import at_place
from troth.recipients.connectors import webhook
from troth.rights.protocols import callbacks
from troth.settings import Delivery
from troth.store.site import Site
from troth.witnessing import actions, ask_all, learn, stamp

LIMIT, SOON = 0.4, 2.0


@pytest.fixture(params=["ends what is read", "lets what arrives be read"])
def kernel(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a shutdown does to a socket that is being read: kernels differ."""
    if request.param == "lets what arrives be read":
        monkeypatch.setattr(socket.socket, "shutdown", lambda sock, how: None)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(stamp, "SECONDS", LIMIT)
    monkeypatch.setattr(webhook, "TIMEOUT_SECONDS", LIMIT)
    monkeypatch.setattr(callbacks, "TIMEOUT_SECONDS", LIMIT)
    callbacks._client.cache_clear()
    yield
    callbacks._client.cache_clear()


def nobody_waits() -> bool:
    """Whether every thread that asked has ended, or does so soon."""
    for one in threading.enumerate():
        if one.name == "patience":
            one.join(SOON)
    return not [one for one in threading.enumerate() if one.name == "patience"]


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("manner", MANNERS)
def test_an_authority_that_never_comes_to_an_end_is_given_up(manner: Manner) -> None:
    begun = perf_counter()
    with dripping(manner) as url, pytest.raises(TrothError, match=r"The witness (does not answer|answers too much)"):
        try:
            stamp._posted(url, b"question")
        finally:
            assert perf_counter() - begun < LIMIT + SOON
            assert nobody_waits(), "while the server still answers"


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("manner", MANNERS)
def test_a_recipient_that_never_comes_to_an_end_is_given_up_unless_it_said_that_it_has_it(manner: Manner) -> None:
    begun = perf_counter()
    with dripping(manner) as url:
        if manner.startswith("headers"):
            with pytest.raises(TrothError, match="does not answer"):
                webhook.post(Delivery(url=url), "disclosure", "key", {})
        else:
            webhook.post(Delivery(url=url), "disclosure", "key", {})
        assert perf_counter() - begun < LIMIT + SOON
        assert nobody_waits(), "while the server still answers"


@pytest.mark.usefixtures("kernel")
@pytest.mark.parametrize("manner", ["headers a byte at a time", "headers without end"])
def test_a_callback_that_never_comes_to_an_end_is_given_up(manner: Manner) -> None:
    begun = perf_counter()
    with dripping(manner) as url:
        with pytest.raises(TrothError, match="not answered"):
            callbacks.post(url, b"{}", {}, {urlsplit(url).netloc}, True)
        assert perf_counter() - begun < LIMIT + SOON
        assert nobody_waits(), "while the server still answers"


def test_one_recipient_that_hangs_does_not_take_the_answer_of_another_away() -> None:
    with dripping("headers a byte at a time") as slow, receiving() as quick:
        with pytest.raises(TrothError, match=r"within 0\.4 seconds"):
            webhook.post(Delivery(url=slow), "disclosure", "key", {})
        quick.answers.append(204)
        with pytest.raises(TrothError, match="answered 401"):
            webhook.post(Delivery(url=quick.url), "disclosure", "key", {})
    assert quick.forged == 1


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_of_a_file_that_has_grown_without_bounds_the_end_is_read(site: Site, tmp_path: Path) -> None:
    outside = tmp_path / "outside.notes"
    site = of_file(site, outside)
    sealed(site, 5)
    ask_all(site)
    told = outside.read_bytes()
    assert len(notes_in(told)) == 1
    with outside.open("wb") as file:
        os.truncate(outside, 10 << 30)
        file.seek(10 << 30)
        file.write(b"\n" + told)
    forgotten(site)
    begun = perf_counter()
    assert learn(site) == 1
    assert perf_counter() - begun < actions.SECONDS


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_file_without_end_stops_nobody(site: Site) -> None:
    assert learn(of_file(site, Path("/dev/zero"))) == 0


@pytest.mark.parametrize("store_kind", ["sqlite"])
def test_a_place_that_hangs_has_one_thread_that_waits_for_it_and_says_since_when(
    site: Site, tmp_path: Path, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, other = tmp_path / "gone.notes", tmp_path / "other.notes"
    monkeypatch.setattr(actions, "SECONDS", 0.1)
    os.mkfifo(gone)  # opening it waits for somebody at its other end, as a file on a machine that is gone
    site = of_file(site, gone)
    sealed(site, 5)
    since, sleeping = site.now(), threading.Event()
    assert not ask_all(site)[0].size
    for _ in range(3):
        clock.move(timedelta(hours=1))
        [asked] = ask_all(site)
        assert asked.problem == f"Its file does not answer: still waiting since {since:%Y-%m-%d %H:%M:%S} UTC."
        assert [one.name for one in threading.enumerate()].count("patience") == 1
    with pytest.raises(TimeoutError):  # another place is asked all the same
        at_place(str(other), site.now(), 0.01, lambda: sleeping.wait(SOON))
    sleeping.set()
    os.close(os.open(gone, os.O_RDWR | os.O_NONBLOCK))
    assert nobody_waits()
    gone.unlink()
    assert ask_all(site)[0].size
