"""`troth serve` as a process: killed and started again, twice on one site, and behind another web server."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import httpx
import pytest
from sqlalchemy import func, select

from tests.terminal import TROTH, blank, published, run, shop  # noqa: F401  (fixtures)
from troth.ledger.tables import entry
from troth.people.tables import dealing, holding, person, person_key
from troth.store.site import open_site

Start = Callable[..., tuple["subprocess.Popen[str]", str]]
CONTACT = "/my-shop/api/collect/contact"


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts `troth serve` and answers with the process and its address, once it answers requests."""
    started: list[subprocess.Popen[str]] = []

    def starting(*words: object, port: int = 0) -> tuple[subprocess.Popen[str], str]:
        command = [str(TROTH), "serve", *(str(word) for word in words), "--port", str(port)]
        process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("http"):
                with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as client:
                    assert client.get(f"{line.strip()}health").status_code == 200
                return process, line.strip().rstrip("/")
        raise AssertionError("it did not start")

    yield starting
    for process in started:
        process.kill()
        process.communicate()


def sent(address: str, number: int) -> int:
    body = {"values": {"email": f"p{number}@example.org", "message": "Hello"}, "key": f"k{number}"}
    return httpx.post(address + CONTACT, json=body, timeout=60).status_code


def counted(folder: Path) -> dict[str, int]:
    site = open_site(folder)
    with site.reading() as conn, site.keys.connect() as keys:
        found = {table.name: conn.scalar(select(func.count()).select_from(table)) or 0 for table in (person, dealing)}
        found["holding"] = conn.scalar(select(func.count(func.distinct(holding.c.submission)))) or 0
        taken_in = select(func.count()).where(entry.c.event == "holding:collected")
        found["entry"] = conn.scalar(taken_in) or 0
        orphans = select(func.count()).select_from(person_key)
        found["keys"] = keys.scalar(orphans) or 0
    site.close()
    return found


def test_killed_among_requests_it_starts_again_with_nothing_half_stored(published: Path, start: Start) -> None:
    process, address = start(published)

    def send(numbers: range) -> None:
        for number in numbers:
            with suppress(httpx.HTTPError):
                if sent(address, number) == 201:
                    taken.append(number)
                if len(taken) == 8:
                    process.send_signal(signal.SIGKILL)

    taken: list[int] = []
    senders = [Thread(target=send, args=(range(first, first + 20),)) for first in (0, 100, 200)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert process.wait(20) == -signal.SIGKILL and 8 <= len(taken) < 60
    stored = counted(published)
    assert stored["person"] == stored["dealing"] == stored["holding"] == stored["entry"] >= len(taken)
    _, address = start(published)
    assert [sent(address, number) for number in taken] == [200] * len(taken)
    assert [sent(address, number) for number in range(60, 63)] == [201] * 3
    again = counted(published)
    assert again["person"] == again["holding"] == again["entry"] == stored["person"] + 3 <= again["keys"]


def test_two_on_one_site_store_each_submission_once(published: Path, start: Start) -> None:
    addresses = [start(published)[1] for _ in range(2)]
    answers: list[int] = []
    senders = [
        Thread(target=lambda address, n: answers.append(sent(address, n)), args=(address, number))
        for number in range(6)
        for address in addresses
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert sorted(answers) == [200] * 6 + [201] * 6
    stored = counted(published)
    assert stored["person"] == stored["holding"] == stored["entry"] == 6


def test_two_that_start_together_publish_once(shop: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        taken = str(probe.getsockname()[1])  # neither can listen, so that both end by themselves after getting ready
        words = [str(TROTH), "serve", str(shop), "--no-worker", "--port", taken]
        both = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(2)]
        said = [process.communicate(timeout=60)[1] for process in both]
    assert all("Choose another with --port" in words for words in said), said
    assert sum("version 1 is published" in words for words in said) >= 1
    assert run("check", shop).returncode == 0


@pytest.mark.parametrize("addresses", ["*", "0.0.0.0/0", "::/0", "proxy.example", "127.0.0.1,,x"])
def test_nobody_is_not_everybody(published: Path, addresses: str) -> None:
    refused = run("serve", published, "--behind-proxy", addresses, "--port", "0")
    assert refused.returncode == 2 and "your own web server" in refused.stderr


@pytest.mark.parametrize(("words", "believed"), [((), False), (("--behind-proxy", "127.0.0.1,10.0.0.0/8"), True)])
def test_only_a_named_web_server_is_believed(
    published: Path, start: Start, words: tuple[str, ...], believed: bool
) -> None:
    _, address = start(published, "--no-worker", *words)
    said = {"x-forwarded-for": "203.0.113.9", "x-forwarded-proto": "https"}
    headers = httpx.get(f"{address}/health", headers=said).headers
    assert ("strict-transport-security" in headers) == believed
