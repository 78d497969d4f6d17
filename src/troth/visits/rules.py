"""What of a visit may be recorded, and in what form. Pure: the policy and what the request offers in, the record out."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlsplit

from troth.decide import Ask
from troth.people.cards import find_cards
from troth.policy.compile import Compiled
from troth.policy.periods import Period

TIME = "time"
ADDRESS = "pd:IPAddress"
DEVICE = "pd:DeviceBased"
PAGES = frozenset({"pd:BrowserHistory"})
LONGEST = 500  # characters of one value; what is longer is cut, since it is no page of ours
_NETWORK = {4: 24, 6: 48}
_CODE = re.compile(r"[0-9a-f]{16}")


def recorded(compiled: Compiled) -> frozenset[str] | None:
    """The fields besides the time that a visit's record may hold; None when no visit may be recorded at all."""
    visits = compiled.policy.visits
    if visits is None or not _may(compiled, TIME):
        return None
    return frozenset(field for field in visits.records if field != TIME and _may(compiled, field))


def nameless(compiled: Compiled) -> Period | None:
    """For how long visits are kept of which nobody can tell whose they are; None where none are recorded."""
    visits = compiled.policy.visits
    return visits.keep if visits is not None and recorded(compiled) is not None else None


def of_members(compiled: Compiled) -> str | None:
    """The collection point at which visits of whoever is logged in are recorded with their account; None without one."""
    points = compiled.policy.collection.items()
    return next((key for key, point in points if point.kind == "visit" and point.members_only), None)


def of_member(compiled: Compiled, offered: Mapping[str, str]) -> dict[str, str]:
    """What of a member's visit is recorded with their account: the point's own fields, shaped as any visit's are."""
    point = compiled.policy.collection[of_members(compiled) or ""]
    no_day = b""  # whoever is logged in is known again the next day in any case
    return record_of(compiled, frozenset({*point.required, *point.optional}), offered, no_day)


def _may(compiled: Compiled, field: str) -> bool:
    return compiled.decide(Ask("record", "visits", frozenset({field}))).allowed


def record_of(compiled: Compiled, fields: frozenset[str], offered: Mapping[str, str], key: bytes) -> dict[str, str]:
    """The record of one visit: exactly ``fields``, each from what is ``offered`` under its name or its category.

    ``key`` (the day's) turns codes that single out a device into others when the policy keeps addresses short, so that
    nobody is followed from one day to the next.
    """
    found = {field: offered.get(field, offered.get(_category(compiled, field), "")) for field in fields}
    shaped = {field: _shaped(compiled, field, value, key) for field, value in found.items()}
    return {field: value for field, value in shaped.items() if value and not find_cards(value)}


def fits(compiled: Compiled, field: str, value: str) -> bool:
    """Whether ``value``, found in a record, has the form in which the policy lets ``field`` be kept.

    A short address, a page without its query. A code that the day's key made looks like one; from what, nobody can tell.
    """
    if _is_turned(compiled, field):
        return _CODE.fullmatch(value) is not None
    return value == _shaped(compiled, field, value, b"") and not find_cards(value)


def _category(compiled: Compiled, field: str) -> str:
    data = compiled.policy.data.get(field)
    return data.category if data else ""


def _shaped(compiled: Compiled, field: str, value: str, key: bytes) -> str:
    category = _category(compiled, field)
    if category == ADDRESS:
        return address(value, _short(compiled))
    if category in PAGES:
        return page(value)
    if _is_turned(compiled, field) and value:
        return hmac.new(key, f"{field}\x00{value}".encode(), hashlib.sha256).hexdigest()[:16]
    return value[:LONGEST]


def _short(compiled: Compiled) -> bool:
    """Whether the policy keeps no more of an address than its network."""
    return bool(compiled.policy.visits and compiled.policy.visits.truncate_ip)


def _is_turned(compiled: Compiled, field: str) -> bool:
    """Whether ``field`` holds codes of devices, and each is turned into another by the day's key."""
    return _short(compiled) and _category(compiled, field) == DEVICE


def address(value: str, short: bool) -> str:
    """An IP address in its usual spelling, only its network (/24, /48) when ``short``; blank for anything else."""
    try:
        ip = ipaddress.ip_address(value.strip())
    except ValueError:
        return ""
    mapped = getattr(ip, "ipv4_mapped", None)
    ip = mapped or ip
    if not short:
        return str(ip)
    return str(ipaddress.ip_network(f"{ip}/{_NETWORK[ip.version]}", strict=False).network_address)


def page(value: str) -> str:
    """The path of a page: no host, no query and no fragment, where secrets travel."""
    return " ".join(filter(None, (_path(part) for part in value.split())))[:LONGEST].rstrip()


def _path(value: str) -> str:
    """With exactly one slash ahead, so that the path of a path is itself."""
    try:
        return f"/{urlsplit(value).path.lstrip('/')}"
    except ValueError:
        return ""


def due_at(compiled: Compiled, at: datetime) -> datetime:
    """When a visit at ``at`` expires; at once when the policy lets none be kept."""
    visits = compiled.policy.visits
    return compiled.calendar.end(at, visits.keep) if visits is not None and visits.keep is not None else at


def cutoff(compiled: Compiled, now: datetime) -> datetime:
    """Visits at or before this instant have expired; ``now`` itself when the policy lets none be kept."""
    visits = compiled.policy.visits
    return compiled.calendar.cutoff(now, visits.keep) if visits is not None and visits.keep is not None else now
