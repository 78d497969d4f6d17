"""A server on loopback that never comes to the end of its answer, as one that is ill or means ill does."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

Manner = Literal["headers a byte at a time", "a body a byte at a time", "a body without end", "headers without end"]
MANNERS: tuple[Manner, ...] = (
    "headers a byte at a time",
    "a body a byte at a time",
    "a body without end",
    "headers without end",
)
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/timestamp-reply\r\nContent-Length: 100000000000\r\n\r\n"
_PAUSE = 0.05


@contextmanager
def dripping(manner: Manner) -> Iterator[str]:
    """The address of a server that answers every request in this ``manner`` for as long as the block runs."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_serve, args=(listening, manner, over), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/in"
        finally:
            over.set()
            with suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)


def _serve(listening: socket.socket, manner: Manner, over: threading.Event) -> None:
    with suppress(OSError):
        while not over.is_set():
            conn, _ = listening.accept()
            threading.Thread(target=_answer, args=(conn, manner, over), daemon=True).start()


def _answer(conn: socket.socket, manner: Manner, over: threading.Event) -> None:
    with conn, suppress(OSError):
        conn.recv(1 << 16)
        if manner.startswith("headers"):
            conn.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        else:
            conn.sendall(_HEAD)
        part = b"x" if manner.endswith("a byte at a time") else b"x" * (1 << 16)
        while not over.wait(_PAUSE if len(part) == 1 else 0):
            conn.sendall(part)
