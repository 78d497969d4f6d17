"""Recipients that exist only on this machine: each takes signed deliveries over HTTP on loopback and answers like a real one.

For the demo and for rehearsals, where no real business may be written to. It speaks what ``recipients.connectors.webhook``
documents: it checks the signature over the raw body, knows a repeated idempotency key again, and keeps counts, never values.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import threading
from collections import Counter
from collections.abc import Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from troth.store.site import Site

LARGEST = 1_000_000
NO_ANSWER = 0
"""instead of a status: the connection is closed without a word"""


class StandIns:
    """All recipients that the wiring of some sites names, played by one server on a free loopback port."""

    def __init__(self) -> None:
        self.taken: Counter[tuple[str, str]] = Counter()
        """deliveries by recipient's address and event"""
        self.seen: set[str] = set()
        """the idempotency keys of all that was taken"""
        self._secret = secrets.token_hex(16)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    def start(self, sites: Iterable[Site]) -> None:
        """Listen, and set the environment variables that the sites' wiring names to addresses of this server."""
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        for site in sites:
            for recipient, wire in site.wiring.recipients.items():
                if wire.url_env:
                    os.environ[wire.url_env] = f"http://127.0.0.1:{self._server.server_port}/{site.name}/{recipient}"
                if wire.secret_env:
                    os.environ[wire.secret_env] = self._secret

    def stop(self) -> None:
        """Listen no longer."""
        self._server.shutdown()
        self._server.server_close()

    def take(self, path: str, headers: Any, raw: bytes) -> int:
        """The status that a delivery is answered with: 401 for a wrong signature, 200 for one that is known already."""
        signature = headers.get("Troth-Signature")
        right = hmac.new(self._secret.encode(), raw, hashlib.sha256).hexdigest()
        if signature is not None and not hmac.compare_digest(signature, right):
            return 401
        key = headers.get("Idempotency-Key", "")
        if not key:
            return 400
        if key in self.seen:
            return 200
        self.seen.add(key)
        self.taken[path, headers.get("Troth-Event", "")] += 1
        return 202

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_ins = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                status = 413 if length > LARGEST else stand_ins.take(self.path, self.headers, self.rfile.read(length))
                if status == NO_ANSWER:
                    return
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: Any) -> None:
                """Say nothing: the terminal belongs to the demo."""

        return Handler
