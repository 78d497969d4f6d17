"""Where an operator's days begin: the time zone it names, else the one of its country. Pure; zones come from IANA's data."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

from troth.policy.model import Policy
from troth.policy.periods import Calendar

_MAIN = {
    "CL": "America/Santiago", "CN": "Asia/Shanghai", "CY": "Asia/Nicosia", "DE": "Europe/Berlin", "ES": "Europe/Madrid",
    "MY": "Asia/Kuala_Lumpur", "NZ": "Pacific/Auckland", "PT": "Europe/Lisbon", "UA": "Europe/Kyiv",
}  # fmt: skip
"""Countries with several zones of which one is the one that business goes by (CLDR's primary zones)."""


def calendar_of(policy: Policy) -> Calendar:
    """The calendar that the periods of ``policy`` go by; UTC where the operator names no zone and its country has several."""
    return _calendar(policy.operator.time_zone or zone_of_country(policy.operator.country or ""))


def zone_of_country(country: str) -> str:
    """The name of the one zone of ``country``, or of its main one; blank when it has several and none is the main one."""
    return _MAIN.get(country) or _only_zones().get(country, "")


@lru_cache(maxsize=64)
def _calendar(zone: str) -> Calendar:
    return Calendar(ZoneInfo(zone)) if zone else Calendar()


@lru_cache(maxsize=1)
def _only_zones() -> dict[str, str]:
    """The zone of every country that has one alone, from ``zone.tab``: a country, a place and a zone in each line."""
    found: dict[str, list[str]] = {}
    for line in files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            found.setdefault(country, []).append(zone)
    return {country: zones[0] for country, zones in found.items() if len(zones) == 1}
