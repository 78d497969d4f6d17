"""How often codes may be tried, how long a log-in may stay half done, and where passkeys can work. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from troth.clock import DAY
from troth.logins.rules import may_try

HALF_LASTS = timedelta(minutes=10)
IN_A_DAY = 20
"""wrong codes of one member; whoever tries that many knows the password, and the member should have heard of it by then"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where passkeys of a site belong: the origin that a browser names, and the domain they are made for."""

    origin: str
    domain: str


def may_try_codes(failures: Collection[datetime], now: datetime) -> bool:
    """Whether a member with these ``failures`` of codes may try another: fewer a while than passwords, and few in a day."""
    return may_try(failures, now) and sum(at > now - DAY for at in failures) < IN_A_DAY


def place(base_url: str) -> Place | None:
    """Where passkeys of a site at ``base_url`` belong; None where browsers know none: without HTTPS, or at a bare number.

    The port belongs to the origin and not to the domain; ``localhost`` counts as safe (W3C Secure Contexts, 3.1).
    """
    parts = urlsplit(base_url)
    host = (parts.hostname or "").rstrip(".")
    local = host == "localhost" or host.endswith(".localhost")
    if not host or _is_number(host) or not (parts.scheme == "https" or (parts.scheme == "http" and local)):
        return None
    usual = {"https": 443, "http": 80}[parts.scheme]
    port = f":{parts.port}" if parts.port not in (None, usual) else ""
    return Place(f"{parts.scheme}://{host}{port}", host)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
