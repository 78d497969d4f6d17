"""A signed JSON post over HTTP: the plainest way to reach a system of the recipient's own.

Headers: ``Idempotency-Key`` (the same on every retry), ``Troth-Event`` and ``Troth-Signature``, the hexadecimal HMAC-SHA-256
of the raw body with the shared secret. An answer of 2xx means that the recipient has it. Nothing else of an answer is read,
however large it is, and nobody waits for its status longer than ``TIMEOUT_SECONDS``, however slowly it comes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from functools import cache
from ssl import SSLContext
from typing import Any

import httpx

from troth.errors import StoreError, TrothError
from troth.patience import answered_within
from troth.settings import ENCRYPTED_ONLY, Delivery, in_the_clear

TIMEOUT_SECONDS = 10.0
"""for a connection, and for the whole of a delivery"""


def post(wire: Delivery, event: str, key: str, body: Mapping[str, Any]) -> None:
    """Post ``body``; raises ``TrothError`` with the status, never with the body, when it is not taken."""
    raw = json.dumps(body, ensure_ascii=False, sort_keys=True).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": key, "Troth-Event": event}
    if wire.secret_env:
        headers["Troth-Signature"] = hmac.new(_secret(wire.secret_env).encode(), raw, hashlib.sha256).hexdigest()
    url = _url(wire)
    try:
        status = answered_within(TIMEOUT_SECONDS, lambda extensions: _status(url, raw, headers, extensions))
    except TimeoutError:
        raise TrothError(
            f"The recipient does not answer within {TIMEOUT_SECONDS:g} seconds.", "It will be tried again."
        ) from None
    except httpx.HTTPError as error:
        raise TrothError(
            f"The recipient does not answer ({type(error).__name__}).", "It will be tried again."
        ) from None
    if not 200 <= status < 300:
        raise TrothError(f"The recipient answered {status}.", "It will be tried again.")


def _status(url: str, raw: bytes, headers: Mapping[str, str], extensions: Mapping[str, Any]) -> int:
    """The status of the answer over a connection of its own; a redirect, which could lead anywhere, is followed by nobody."""
    verify = False if url.startswith("http://") else _trusted()
    with (
        httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False, verify=verify) as client,
        client.stream("POST", url, content=raw, headers=headers, extensions=dict(extensions)) as answer,
    ):
        return answer.status_code


@cache
def _trusted() -> SSLContext:
    """Once for all: it reads every root certificate."""
    return httpx.create_ssl_context()


def _url(wire: Delivery) -> str:
    url = os.environ.get(wire.url_env, "") if wire.url_env else wire.url
    if not url:
        raise StoreError("The recipient's address is not set.", "site.yaml names the environment variable it is in.")
    if in_the_clear(url):
        raise TrothError(f"Nothing leaves: {ENCRYPTED_ONLY}.", f"Set {wire.url_env or 'its url'} to an https address.")
    return url


def _secret(name: str) -> str:
    secret = os.environ.get(name)
    if not secret:
        raise StoreError(f"The environment variable {name}, named in site.yaml, is not set.", "It signs deliveries.")
    return secret
