"""Posts a callback to an address that somebody outside gave; ``places`` says which may be called, and what could go wrong.

Of a reply nothing is read but its status, however large it is; a redirect is an answer like any other that is not 2xx.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import cache

import httpx

from troth.errors import Refused, TrothError
from troth.rights.protocols.places import look_up, place_problem, read_place

TIMEOUT_SECONDS = 10.0


def post(address: str, raw: bytes, headers: Mapping[str, str], allowed: Collection[str], private: bool) -> None:
    """Post ``raw`` as JSON to ``address``.

    Raises:
        Refused: when ``address`` may not be called, by its spelling or by where it leads now.
        TrothError: when it is not taken; the words hold neither the address nor the body.
    """
    place = read_place(address)
    if place is None or place_problem(address, allowed, private):
        raise Refused("A callback may not go where it was asked to.", "See `callbacks` in site.yaml.")
    at = look_up(place, private)
    literal = f"[{at}]" if ":" in at else at
    url = f"{place.scheme}://{literal}:{place.port}{place.rest}"
    sent = {"Content-Type": "application/json", "Host": place.named, **headers}
    there = {"sni_hostname": place.host}  # the certificate must be that of the name, whatever address it has
    try:
        with _client(place.scheme).stream("POST", url, content=raw, headers=sent, extensions=there) as answer:
            status = answer.status_code
    except httpx.HTTPError as error:
        raise TrothError(f"A callback is not answered ({type(error).__name__}).", "It will be tried again.") from None
    if not 200 <= status < 300:
        raise TrothError(f"A callback was answered {status}.", "It will be tried again.")


@cache
def _client(scheme: str) -> httpx.Client:
    """One for each scheme: it follows no redirect, asks no proxy and keeps no connection, whose address was of another time."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(
        timeout=TIMEOUT_SECONDS, follow_redirects=False, trust_env=False, limits=limits, verify=scheme == "https"
    )


def written(body: Mapping[str, object]) -> bytes:
    """A body as the bytes that are signed and sent."""
    return json.dumps(body, ensure_ascii=True, separators=(",", ":")).encode()
