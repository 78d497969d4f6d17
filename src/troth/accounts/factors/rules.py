"""What a second factor must be: the shape of recovery codes, where passkeys can work, when a counter tells of a copy. Pure."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from troth.accounts.rules import may_try
from troth.clock import DAY

RECOVERY_CODES = 10
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
"""without 0, 1, i, l, o, which look like others on paper"""
_LENGTH, _GROUP = 12, 4
"""31 ** 12 is 59 bits: with tries counted nobody guesses one, and the keyed hash that is kept lets nobody try elsewhere"""
HALF_LASTS = timedelta(minutes=10)
IN_A_DAY = 20
"""wrong codes of one member; whoever tries that many knows the password, and the member should have heard of it by then"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where passkeys of a site belong: the origin that a browser names, and the domain they are made for."""

    origin: str
    domain: str


def recovery_codes() -> list[str]:
    """Fresh codes, as they are written down: three groups of four."""
    return [_written("".join(secrets.choice(_LETTERS) for _ in range(_LENGTH))) for _ in range(RECOVERY_CODES)]


def _written(code: str) -> str:
    return "-".join(code[at : at + _GROUP] for at in range(0, _LENGTH, _GROUP))


def read_recovery_code(typed: str) -> str | None:
    """A recovery code as it is kept, from however somebody types it; None when it can be none."""
    plain = "".join(char for char in typed.casefold() if char.isalnum())
    return plain if len(plain) == _LENGTH and set(plain) <= set(_LETTERS) else None


def read_app_code(typed: str) -> str | None:
    """The six digits of an app's code, from however somebody types them; None when it can be none."""
    plain = "".join(typed.split())
    return plain if len(plain) == 6 and plain.isascii() and plain.isdigit() else None


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

