"""What every answer carries and what no request gets past.

Pages load nothing from anywhere else and run no script, but for two that let our own in (``scripted``); nobody frames them;
nobody learns where a reader came from. No answer sets a cookie but that to a log-in (``members``): no other page needs one.
What is logged of a request is its method, the pattern of its address (never the address itself: an unsubscribe link or a
search for somebody stands in it) and the status.
"""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from litestar.types import Message, Scope

from troth.errors import Refused
from troth.web.arrival import ONLY_HEAD
from troth.web.pages import Asked

BODY_LIMIT = 64 * 1024
_log = logging.getLogger("troth.access")

# `data:` pictures are the ticks and arrows that Pico draws.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self' data:",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), browsing-topics=()",
}
_TWO_YEARS = "max-age=63072000; includeSubDomains"
_SENT = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]
_SECURED = [*_SENT, (b"strict-transport-security", _TWO_YEARS.encode())]


async def seal(message: Message, scope: Scope) -> None:
    """Litestar's ``before_send``: add the headers to every answer, errors included, and note it in the log."""
    if message["type"] != "http.response.start":
        return
    there = {name.lower() for name, _ in message["headers"]}
    wanted = _SECURED if scope.get("scheme") == "https" else _SENT
    message["headers"] = [*message["headers"], *(one for one in wanted if one[0] not in there)]
    fields: Any = scope
    method = "HEAD" if fields.get(ONLY_HEAD) else fields.get("method")
    _log.info("%s %s %s", method, fields.get("path_template", "-"), message["status"])


def refuse_foreign(request: Asked, message: str, hint: str) -> None:
    """Refuse a form that a browser says was sent from another site. Raises ``Refused``."""
    origin = request.headers.get("origin", "null")
    said = request.headers.get("sec-fetch-site")
    foreign = said not in ("same-origin", "none") if said else not _ours(origin, request.headers.get("host", ""))
    if foreign:
        raise Refused(message, hint)


def _ours(origin: str, host: str) -> bool:
    try:
        return origin == "null" or urlsplit(origin).netloc == host
    except ValueError:  # no address at all
        return False
