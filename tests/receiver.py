"""A recipient's own system, as far as a delivery sees it: HTTP on loopback that checks the signature and answers as told."""

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "between the two of us"


@dataclass
class Receiver:
    """What arrived, in order; ``answers`` are the next statuses, 0 for hanging up without one, and then 200."""

    url: str = ""
    arrived: list[tuple[str, str, Any]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    forged: int = 0

    @property
    def kept(self) -> dict[str, tuple[str, Any]]:
        """What a recipient keeps: one event and body for a key, however often it came."""
        return {key: (event, body) for event, key, body in reversed(self.arrived)}

    def bodies(self, event: str) -> list[Any]:
        return [body for one, body in self.kept.values() if one == event]

    def take(self, headers: Any, raw: bytes) -> int:
        expected = hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(headers.get("Troth-Signature", ""), expected):
            self.forged += 1
            return 401
        self.arrived.append((headers["Troth-Event"], headers["Idempotency-Key"], json.loads(raw)))
        return self.answers.pop(0) if self.answers else 200


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on a free port for as long as the block runs."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status = receiver.take(self.headers, self.rfile.read(int(self.headers["Content-Length"])))
            if status:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
            else:
                self.close_connection = True

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/in"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
