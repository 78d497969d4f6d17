"""A signed JSON post over HTTP: the plainest way to reach a system of the recipient's own.

Headers: ``Idempotency-Key`` (the same on every retry), ``Troth-Event`` and ``Troth-Signature``, the hexadecimal HMAC-SHA-256
of the raw body with the shared secret. An answer of 2xx means that the recipient has it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx

from troth.errors import StoreError, TrothError
from troth.settings import Delivery

TIMEOUT_SECONDS = 10.0


def post(wire: Delivery, event: str, key: str, body: Mapping[str, Any]) -> None:
    """Post ``body``; raises ``TrothError`` with the status, never with the body, when it is not taken."""
    raw = json.dumps(body, ensure_ascii=False, sort_keys=True).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": key, "Troth-Event": event}
    if wire.secret_env:
        headers["Troth-Signature"] = hmac.new(_secret(wire.secret_env).encode(), raw, hashlib.sha256).hexdigest()
    url = _url(wire)
    try:
        answer = _client(url.startswith("http://")).post(url, content=raw, headers=headers)
    except httpx.HTTPError as error:
        raise TrothError(
            f"The recipient does not answer ({type(error).__name__}).", "It will be tried again."
        ) from None
    if not answer.is_success:
        raise TrothError(f"The recipient answered {answer.status_code}.", "It will be tried again.")


@cache
def _client(is_plain: bool) -> httpx.Client:
    """One for all: making one reads every root certificate, which an address without TLS has no use for.

    It follows no redirect, which could lead anywhere.
    """
    return httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False, verify=not is_plain)


def _url(wire: Delivery) -> str:
    url = os.environ.get(wire.url_env, "") if wire.url_env else wire.url
    if not url:
        raise StoreError("The recipient's address is not set.", "site.yaml names the environment variable it is in.")
    return url


def _secret(name: str) -> str:
    secret = os.environ.get(name)
    if not secret:
        raise StoreError(f"The environment variable {name}, named in site.yaml, is not set.", "It signs deliveries.")
    return secret
