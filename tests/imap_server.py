"""A real IMAP server (pymap) in a process of its own, for as long as a test module runs; and TLS before it."""

import imaplib
import os
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from troth.messages.inbound.imap import quoted
from troth.messages.mailbox import free_port

USER, PASSWORD = "privacy@shop.example", 'pass "word"\\'
SECRETS = {"TROTH_TEST_IMAP_USER": USER, "TROTH_TEST_IMAP_PASSWORD": PASSWORD}
WIRES = {"user env": "TROTH_TEST_IMAP_USER", "password env": "TROTH_TEST_IMAP_PASSWORD"}

PROGRAM = """
from functools import partial
from pymap import config, main
config.BuiltinHash = partial(config.BuiltinHash, rounds=1)  # else each log-in takes half a second
main.main()
"""


@dataclass
class ImapServer:
    """Where it listens, and what a mail program would do there."""

    port: int

    def wires(self, folder: str, after: str = "seen", **more: str) -> dict[str, str]:
        return {"imap": f"127.0.0.1:{self.port}", "tls": "none", "folder": folder, "after": after, **WIRES, **more}

    @contextmanager
    def program(self, folder: str) -> Iterator[imaplib.IMAP4]:
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as server:
            server.login(USER, PASSWORD)
            server.create(quoted(folder))
            server.select(quoted(folder))
            yield server

    def put(self, folder: str, *messages: bytes, at: str | None = None) -> None:
        with self.program(folder) as server:
            for raw in messages:
                assert server.append(quoted(folder), "", at, raw)[0] == "OK"  # type: ignore[arg-type]

    def lying(self, folder: str) -> dict[str, str]:
        """The subject of each message in a folder, with its flags, as a person sees them."""
        with self.program(folder) as server:
            _, found = server.uid("FETCH", "1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
        seen = {}
        for part in found:
            if isinstance(part, tuple):
                flags = {flag.decode() for flag in imaplib.ParseFlags(part[0])} - {"\\Recent"}
                seen[part[1].decode().partition(":")[2].strip()] = " ".join(sorted(flags))
        return seen


@contextmanager
def imap_server(certificate: tuple[Path, Path] | None = None) -> Iterator[ImapServer]:
    port = free_port()
    tls = [f"--cert={certificate[0]}", f"--key={certificate[1]}"] if certificate else ["--no-tls"]
    program = [sys.executable, "-c", PROGRAM]
    services = ["--no-service=managesieve", "--no-service=admin", "--host=127.0.0.1", f"--port={port}", *tls]
    command = [*program, *services, "dict", f"--demo-user={USER}", f"--demo-password={PASSWORD}"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ)
    try:
        until = monotonic() + 20
        while monotonic() < until and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            threading.Event().wait(0.05)
        yield ImapServer(port)
    finally:
        process.kill()
        process.wait(10)


@contextmanager
def behind_tls(port: int, certificate: tuple[Path, Path]) -> Iterator[int]:
    """A port that speaks TLS from the first byte, before one that does not."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:

        def serve() -> None:
            while True:
                try:
                    outside, _ = listening.accept()
                    safe = context.wrap_socket(outside, server_side=True)
                except OSError:
                    if listening.fileno() < 0:
                        return
                    continue
                inside = socket.create_connection(("127.0.0.1", port))
                for one, other in ((safe, inside), (inside, safe)):
                    threading.Thread(target=pump, args=(one, other), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield int(listening.getsockname()[1])
        listening.shutdown(socket.SHUT_RDWR)


def pump(one: socket.socket, other: socket.socket) -> None:
    try:
        while data := one.recv(65_536):
            other.sendall(data)
    except OSError:
        pass
    for end in (one, other):
        with end:
            pass
