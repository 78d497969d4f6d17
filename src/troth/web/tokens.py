"""Form tokens: what makes a form ours, without a cookie.

What could go wrong: another site's page sends our form from somebody's browser; a script sends the same one a thousand times;
a double click stores it twice. There is nothing to steal here: a visitor has no session, so a form sent from elsewhere gains
nothing that its sender could not do alone, and a cookie would only be something more to declare. So the token holds no
person: it binds a form to its collection point and to the hour it was opened, carries the key under which a submission
is stored once, and is signed, so that keys are ours and cannot be chosen. Where a browser says which site a form was sent from
(Sec-Fetch-Site, or Origin), ``guard`` refuses any but our own; with ``Referrer-Policy: no-referrer`` browsers send the Origin
``null``, which then says nothing. API clients send no token and no browser can make them: they take JSON only.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from troth.clock import from_micros, to_micros
from troth.store.secret import derived_key
from troth.store.site import Site

OPEN_FOR = timedelta(hours=12)


def new_key() -> str:
    """A key for one submission: 96 random bits in hexadecimal."""
    return secrets.token_hex(12)


def key_from(token: str, said: str) -> str:
    """The key of what a form of ours said: its token, which is ours and used for one page, and what stood in it."""
    return sha256(f"{token}\x00{said}".encode()).hexdigest()[:24]


def public_key(site: Site, point: str, chosen: str, body: Mapping[str, Any]) -> str:
    """The submission key behind an idempotency key that a stranger chose: of a fixed shape, and apart for each body.

    Nobody says who they are at a public point, so a key that somebody else used before, such as ``order-1001``, must not keep a
    submission out nor tell anything of the first: the same key with another body is another submission. It is a keyed hash,
    since what people wrote could be guessed from a plain one.
    """
    said = json.dumps([point, chosen, body], sort_keys=True)
    return hmac.new(derived_key(site, "submission key"), said.encode(), sha256).hexdigest()[:24]


def form_token(site: Site, point: str, key: str) -> str:
    """The token of a form opened now. Raises ``StoreError`` when the site's secret is missing."""
    body = f"{to_micros(site.now()):x}.{key}"
    return f"{body}.{_signature(site, point, body)}"


def read_form_token(site: Site, point: str, token: str) -> str | None:
    """The submission key in ``token``; None when this site did not make it for ``point`` within the last 12 hours."""
    body, _, signature = token.rpartition(".")
    if not hmac.compare_digest(signature.encode(), _signature(site, point, body).encode()):
        return None
    opened, _, key = body.partition(".")
    return key if _open(from_micros(int(opened, 16)), site.now()) else None


def _open(opened: datetime, now: datetime) -> bool:
    return timedelta(0) <= now - opened <= OPEN_FOR


def _signature(site: Site, point: str, body: str) -> str:
    mac = hmac.new(derived_key(site, "form token"), f"{point}\x00{body}".encode(), sha256).digest()
    return base64.urlsafe_b64encode(mac[:18]).decode()
