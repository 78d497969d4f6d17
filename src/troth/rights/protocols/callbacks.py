"""Posts a callback to an address that somebody outside gave; ``places`` says which may be called, and what could go wrong.

Of a reply nothing is read but its status, however large it is, and nobody waits long for that; a redirect is an answer like any
other that is not 2xx.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from functools import cache, partial
from typing import Any

import httpx

from troth.errors import Refused, TrothError
from troth.patience import answered_within
from troth.rights.protocols.places import Place, look_up, place_problem, read_place

TIMEOUT_SECONDS = 10.0
"""for a connection, and for the whole of a callback to one address"""


def post(address: str, raw: bytes, headers: Mapping[str, str], allowed: Collection[str], private: bool) -> None:
    """Post ``raw`` as JSON to ``address``.

    Raises:
        Refused: when ``address`` may not be called, by its spelling or by where it leads now.
        TrothError: when it is not taken; the words hold neither the address nor the body.
    """
    place = read_place(address)
    if place is None or place_problem(address, allowed, private):
        raise Refused("A callback may not go where it was asked to.", "See `callbacks` in site.yaml.")
    problem = "not answered"
    for at in look_up(place, private):
        try:
            status = answered_within(TIMEOUT_SECONDS, partial(_posted, place, at, raw, headers))
        except TimeoutError:
            problem = f"not answered within {TIMEOUT_SECONDS:g} seconds"
            break
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            problem = f"not answered ({type(error).__name__})"
            continue
        except httpx.HTTPError as error:
            problem = f"not answered ({type(error).__name__})"
            break
        if 200 <= status < 300:
            return
        problem = f"answered {status}"
        break
    raise TrothError(f"A callback is {problem}.", "It will be tried again.")


def _posted(place: Place, at: str, raw: bytes, headers: Mapping[str, str], more: Mapping[str, Any]) -> int:
    """The status of the answer from the address ``at``, which is that of ``place``."""
    literal = f"[{at}]" if ":" in at else at
    url = f"{place.scheme}://{literal}:{place.port}{place.rest}"
    sent = {"Content-Type": "application/json", "Host": place.named, **headers}
    there = {**more, "sni_hostname": place.host}  # the certificate must be that of the name, whatever address it has
    with _client(place.scheme).stream("POST", url, content=raw, headers=sent, extensions=there) as answer:
        return answer.status_code


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
