"""An audited, purpose-bound read over HTTP beside a FastAPI hello-world on the same server.

Each side is uvicorn in a process of its own; a third process, this one, keeps a number of connections busy with raw requests
made beforehand, the next as soon as an answer is there. Troth's side is ``POST /SITE/api/read`` of a person's eight fields:
token, JSON, decision, a committed entry on the ledger for each read, key, opening, JSON. The other side answers a constant
and touches no disk.
"""

from __future__ import annotations

import json
import os
import secrets
import selectors
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path

from benchmarks.measure import Figure, Goal, figure, seconds
from benchmarks.people import FIELDS, registered
from benchmarks.registry import Bench, benchmark
from benchmarks.stores import Kind, shop
from troth.store.site import Site

PEOPLE, REQUESTS, CONNECTIONS = 200, 2000, 32
TOKEN = "TROTH_BENCH_TOKEN"  # noqa: S105  (the name of a variable)
ROOT = Path(__file__).parent.parent
HELLO = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


@benchmark("http")
def http(bench: Bench) -> Iterator[Figure]:
    """Reads over HTTP on each store, with many connections and with one."""
    for kind in bench.stores.kinds:
        with shop(bench.stores, kind) as site:
            yield from _on(bench, site, kind)


def _on(bench: Bench, site: Site, kind: Kind) -> Iterator[Figure]:
    people, token = registered(site, bench.size(PEOPLE)), secrets.token_hex(32)
    places = [str(site.folder), *(engine.url.render_as_string(False) for engine in (site.engine, site.keys))]
    with serving("hello") as hello, serving("shop", *places, environment={TOKEN: token}) as reads:
        asked = [request(site.name, token, person) for person in people]
        for connections, requests, what in (
            (CONNECTIONS, bench.size(REQUESTS), "read over HTTP"),
            (1, bench.size(REQUESTS // 4), "... one connection"),
        ):
            pairs = bench.in_turn(
                partial(seconds, partial(keep_busy, reads, asked, requests, connections), requests),
                partial(seconds, partial(keep_busy, hello, [HELLO], requests, connections), requests),
            )
            yield figure(
                what,
                pairs,
                Goal("speed", 0.9) if connections > 1 else None,
                ours="POST /api/read of 8 fields, each on the ledger",
                theirs="FastAPI's hello-world",
                store=kind,
                size=f"{requests:,} requests a run, {connections} connections",
            )


def request(name: str, token: str, person: str) -> bytes:
    """The bytes of one read."""
    body = json.dumps({"purpose": "service", "fields": FIELDS, "person": person}).encode()
    head = f"POST /{name}/api/read HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
    return f"{head}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def serving(*words: str, environment: dict[str, str] | None = None) -> Iterator[int]:
    """One of the servers of ``benchmarks.serving``; yields its port."""
    command = [sys.executable, "-m", "benchmarks.serving", *words]
    process = subprocess.Popen(  # noqa: S603
        command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline())
    finally:
        process.kill()
        process.wait()


def keep_busy(port: int, requests: Sequence[bytes], number: int, connections: int) -> None:
    """Send ``number`` of ``requests``, over and over, on so many connections, and see that each is answered with 200."""
    coming = cycle(requests)
    lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    left, answered, waiting = number - len(lines), 0, selectors.DefaultSelector()
    for line in lines:
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting.register(line, selectors.EVENT_READ, bytearray())
        line.sendall(next(coming))
    while answered < number:
        for key, _ in waiting.select():
            line = _socket(key.fileobj)
            key.data.extend(line.recv(65536))
            if not _whole(key.data):
                continue
            answered += 1
            key.data.clear()
            if left > 0:
                left -= 1
                line.sendall(next(coming))
    for line in lines:
        line.close()


def _socket(file: object) -> socket.socket:
    assert isinstance(file, socket.socket)
    return file


def _whole(answer: bytearray) -> bool:
    """Whether an answer has come to its end. Raises ``AssertionError`` for any but a 200."""
    head, blank, body = bytes(answer).partition(b"\r\n\r\n")
    if not blank:
        return False
    if not head.startswith(b"HTTP/1.1 200 "):
        raise AssertionError(f"the server answered {head[:40]!r}")
    [length] = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return len(body) >= int(length.partition(b":")[2])
