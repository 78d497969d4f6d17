"""The doors of a site's own web application, used in process: what the made-up person of ``troth prove`` walks through.

No socket is opened. Every request goes the way of everybody's: routing, guards, tokens, forms, pages.
"""

from __future__ import annotations

import asyncio
import os
import weakref
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlencode

from troth.evidence.doors import Page
from troth.store.site import Site
from troth.web.app import make_app
from troth.web.evidence import no_look


def _headers(sent: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by their names in small letters; one that is there several times with its values in lines."""
    headers: dict[str, str] = {}
    for key, value in ((key.decode().lower(), value.decode()) for key, value in sent):
        headers[key] = f"{headers[key]}\n{value}" if key in headers else value
    return headers


class Inside:
    """A browser without a network, at one site. Raises ``PolicyError`` when the site's pages cannot be served."""

    def __init__(self, site: Site) -> None:
        self._app = make_app([site], look=no_look)
        self._base = f"/{site.name}"
        self._cookies: dict[str, str] = {}
        self._loop = asyncio.new_event_loop()
        weakref.finalize(self, self._loop.close)

    def get(self, path: str) -> Page:
        """The page at ``path`` below the site's own address."""
        return self._loop.run_until_complete(self._asked("GET", path, b""))

    def post(self, path: str, sent: Mapping[str, str]) -> Page:
        """What answers a form that is sent to ``path``."""
        return self._loop.run_until_complete(self._asked("POST", path, urlencode(sent).encode()))

    async def _asked(self, method: str, path: str, body: bytes) -> Page:
        answer: dict[str, Any] = {"status": 500, "body": b""}
        waiting, whole = [{"type": "http.request", "body": body, "more_body": False}], asyncio.Event()

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop()
            await whole.wait()  # nobody goes away before the answer is whole
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer["status"] = message["status"]
                answer["headers"] = _headers(message["headers"])
            elif message["type"] == "http.response.body":
                answer["body"] += message.get("body", b"")
                if not message.get("more_body"):
                    whole.set()

        app: Any = self._app
        await app(self._scope(method, path, len(body)), receive, send)
        return Page(answer["status"], answer["body"].decode("utf-8", "replace"), answer.get("headers", {}))

    def _scope(self, method: str, path: str, length: int) -> dict[str, Any]:
        whole = f"{self._base}{path}"
        headers = [(b"host", b"localhost"), (b"sec-fetch-site", b"same-origin")]
        if self._cookies:
            headers.append((b"cookie", "; ".join(f"{name}={value}" for name, value in self._cookies.items()).encode()))
        if method == "POST":
            headers += [
                (b"content-type", b"application/x-www-form-urlencoded"),
                (b"content-length", str(length).encode()),
            ]
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": whole,
            "raw_path": whole.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", os.getpid() % 65_536),
            "server": ("localhost", 443),
        }


class Browser(Inside):
    """As ``Inside``, and it keeps the cookies that pages set, until ``forget``: for somebody who logs in and goes on."""

    def get(self, path: str) -> Page:
        """The page at ``path``, as whoever is logged in sees it."""
        return self._kept(super().get(path))

    def post(self, path: str, sent: Mapping[str, str]) -> Page:
        """What answers a form that is sent to ``path`` by whoever is logged in."""
        return self._kept(super().post(path, sent))

    def forget(self) -> None:
        """Drop all cookies: somebody else sits down."""
        self._cookies.clear()

    def _kept(self, page: Page) -> Page:
        for line in filter(None, page.headers.get("set-cookie", "").splitlines()):
            name, _, value = line.partition(";")[0].partition("=")
            self._cookies[name] = value
            if not value.strip('"'):
                del self._cookies[name]
        return page
