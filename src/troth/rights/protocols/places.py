"""Where a callback may go: what somebody outside asks us to call is the classic way into an inner network. Pure but for names.

What could go wrong: a controller, or whoever took its key, names the cloud's metadata address, the database next door or our
own console; a name that pointed outside when it was checked points inside when it is called; a redirect leads there; a parser
reads another host than we did; a line break in the address becomes a header. So an address is matched whole against a narrow
pattern, and read by that pattern and nothing else; its host must stand in ``site.yaml``; it is called over TLS; the name is
looked up once, every address it has must be a public one, and that very address is connected to; and no redirect is followed
(``callbacks``). Loopback and private addresses are for those who say in ``site.yaml`` that they want them.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Collection
from dataclasses import dataclass

from troth.errors import Refused

LONGEST = 2000
MOST = 4
"""addresses of one name that are tried"""
_PLACE = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?)(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<rest>(?:/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*)?)"
)
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""addresses that stand for any IPv4 address, inner ones too"""
_LOOPBACK = frozenset({"localhost", "127.0.0.1"})


@dataclass(frozen=True, slots=True)
class Place:
    """An address that a callback goes to, in its parts."""

    scheme: str
    host: str
    port: int
    rest: str

    @property
    def named(self) -> str:
        """The host as the header ``Host`` and ``site.yaml`` write it: with its port unless that is the scheme's own."""
        usual = self.port == {"https": 443, "http": 80}[self.scheme]
        return self.host if usual else f"{self.host}:{self.port}"


def read_place(address: str) -> Place | None:
    """``address`` in its parts; None when it is not plainly an HTTP address."""
    found = _PLACE.fullmatch(address) if len(address) <= LONGEST else None
    if found is None:
        return None
    port = int(found["port"] or {"https": 443, "http": 80}[found["scheme"]])
    return Place(found["scheme"], found["host"], port, found["rest"] or "/") if port < 65536 else None


def place_problem(address: str, allowed: Collection[str], private: bool) -> str:
    """Why ``address`` may not be called, in words without it; blank when it may, as far as its spelling tells."""
    place = read_place(address)
    if place is None:
        return "This is not a plain https address."
    if place.scheme != "https" and not (private and place.host in _LOOPBACK):
        return "This must be https."
    return "" if place.named in allowed else "This host is not one that may be called back."


def look_up(place: Place, private: bool) -> list[str]:
    """The addresses to connect to, the one to try first ahead.

    Raises:
        Refused: when the name has no address, or any of them is not public and ``private`` does not allow that.
    """
    try:
        found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    except OSError:
        raise Refused("The host of a callback has no address.", "It will be looked up again.") from None
    addresses = [str(one[4][0]) for one in found]
    if not private and not all(map(_public, addresses)):
        raise Refused("The host of a callback has an address that is not public.", "See `private callbacks`.")
    return list(dict.fromkeys(addresses))[:MOST]


def _public(address: str) -> bool:
    at = ipaddress.ip_address(address.partition("%")[0])
    inner = getattr(at, "ipv4_mapped", None) or getattr(at, "sixtofour", None) or at
    translated = at.version == 6 and at in _NAT64
    return at.is_global and inner.is_global and not (at.is_multicast or at.is_reserved or translated)
