"""Time limits for what has none of its own: a file on another machine, and an answer that comes a byte at a time.

What could go wrong: a file may neither open nor fail for hours; a client of HTTP counts its seconds anew for each part that
arrives, so that a server which sends one byte of its headers every few seconds is waited for without end. So both are asked in
a thread of their own, and nobody waits for it longer than was said. What a request has connected is shut then, which ends the
thread as well. A file that hangs cannot be given up like that: its thread waits on, so a place has one such thread at most, and
who asks for the same place again is told since when somebody waits.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from threading import Lock, Thread
from typing import Any, TypeVar

T = TypeVar("T")
Ask = Callable[[Mapping[str, Any]], T]
"""makes a request with the extensions that it is given, in the sense of httpx"""
_CONNECTED = ("connection.connect_tcp.complete", "connection.start_tls.complete")


class StillWaitingError(TimeoutError):
    """Somebody gave up on this place before, and it has neither answered nor failed since."""

    def __init__(self, since: datetime) -> None:
        super().__init__(f"still waiting since {since:%Y-%m-%d %H:%M:%S} UTC")
        self.since = since


_given_up: dict[str, tuple[Thread, datetime]] = {}
"""the thread that waits for a place, and since when"""
_one_at_a_time = Lock()


def at_place(place: str, now: datetime, seconds: float, act: Callable[[], T]) -> T:
    """As ``within``, for an act that nothing ends, such as opening a file on a machine that is gone.

    Raises:
        StillWaitingError: at once, while an earlier act at ``place`` that took too long has come to no end.
    """
    with _one_at_a_time:
        waiting = _given_up.get(place)
        if waiting is not None and waiting[0].is_alive():
            raise StillWaitingError(waiting[1])
        _given_up.pop(place, None)

    def given_up(thread: Thread) -> None:
        with _one_at_a_time:
            _given_up.setdefault(place, (thread, now))

    return within(seconds, act, given_up)


def within(seconds: float, act: Callable[[], T], given_up: Callable[[Thread], None] = lambda _thread: None) -> T:
    """What ``act`` returns or raises; ``TimeoutError`` when it takes longer, and then nobody waits for it.

    ``given_up`` gets the thread that waits on.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(act())
        except BaseException as error:
            failed.append(error)

    thread = Thread(target=run, name="patience", daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        given_up(thread)
        raise TimeoutError
    return done[0]


def answered_within(seconds: float, ask: Ask[T]) -> T:
    """What ``ask`` returns or raises; ``TimeoutError`` when it takes longer, and then what it connected is shut.

    ``ask`` makes its own connection: one that was made for an earlier request would not be known here.
    """
    streams: list[Any] = []
    late: list[bool] = []

    def trace(event: str, told: Mapping[str, Any]) -> None:
        if event in _CONNECTED:
            streams.append(told["return_value"])
        if late:
            raise TimeoutError

    try:
        return within(seconds, lambda: ask({"trace": trace}))
    except TimeoutError:
        late.append(True)
        for stream in streams:
            connected = stream.get_extra_info("socket")
            with suppress(OSError):  # it has ended by itself, or goes on as the connection with TLS
                connected.shutdown(socket.SHUT_RDWR)  # ends a read that waits
            connected.close()  # some kernels go on handing out what arrives after a shutdown; a closed socket reads nothing
        raise
