"""How requests come in, before any page sees them.

What could go wrong: a program asks with HEAD whether a page is there and is told that it is not; somebody announces a body and
never sends it, or a byte a minute, and so holds what others need; a browser is talked into sending, as plain text, what only
programs may send. So HEAD is answered like GET without a body and counts as no visit, a body has half a minute, and each
address takes only what it says it takes.
"""

from __future__ import annotations

from typing import Any

import anyio
from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.exceptions import ClientException, HTTPException, NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard, Message, Receive, Send

BODY_SECONDS = 30.0
_LONGEST_NAME = 255
"""bytes, on every file system that Python runs on"""
ONLY_HEAD = "troth_only_head"


class App(Litestar):
    """The application behind a door that keeps time."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Called by the server for every request."""
        if scope["type"] == "http":
            receive = _in_time(receive)
            if scope["method"] == "HEAD":
                scope, send = {**scope, "method": "GET", ONLY_HEAD: True}, _without_body(send)
        await super().__call__(scope, receive, send)


def _in_time(receive: Receive) -> Receive:
    """``receive``, with ``BODY_SECONDS`` from the first call until the body is there.

    Raises, when it is called:
        HTTPException: 408 when time is up, 400 when the sender hung up before the end.
    """
    until: float | None = None
    more = True

    async def timed() -> Any:
        nonlocal until, more
        if not more:
            return await receive()
        until = until or anyio.current_time() + BODY_SECONDS
        with anyio.move_on_after(until - anyio.current_time()) as waited:
            message = await receive()
        if waited.cancelled_caught:
            raise HTTPException(status_code=408)
        if message["type"] == "http.disconnect":
            raise ClientException
        more = bool(message.get("more_body", False))
        return message

    return timed


def _without_body(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.body":
            message["body"] = b""
        await send(message)

    return sent


def nameable(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """A guard of files: what no file can be called is not there, before the file system is asked and stumbles over it."""
    path = str(connection.path_params.get("file_path", ""))
    if "\0" in path or any(len(part.encode()) > _LONGEST_NAME for part in path.split("/")):
        raise NotFoundException


def takes(media_type: str) -> Guard:
    """A guard that refuses with 415 whatever says it is not ``media_type``, or does not say what it is."""

    # Asynchronous, since the framework carries out any other guard in a thread of its own.
    async def guard(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
        said = connection.headers.get("content-type", "").partition(";")[0].strip().lower()
        if said != media_type:
            raise HTTPException(status_code=415)

    return guard
