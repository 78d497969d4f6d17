"""What a policy lets members show to everybody, and what a change of that makes public anew. Pure.

A policy that names no recipient of the role ``public`` lets nobody show anything.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import product

from troth.decide import Ask
from troth.policy.compile import Compiled


@dataclass(frozen=True, slots=True)
class Way:
    """By which line of the policy a field can become public: recipient, purpose, and whether it takes a yes of its own."""

    recipient: str
    purpose: str
    asks: bool


@dataclass(frozen=True, slots=True)
class Choice:
    """What a member shows: names of fields, and whether search engines may list it."""

    fields: frozenset[str] = frozenset()
    searchable: bool = False


NOTHING = Choice()
_NAME = re.compile(r"[\w-]{22}", re.ASCII)


def new_name() -> str:
    """The end of a public page's address: 128 random bits that belong to nothing."""
    return secrets.token_urlsafe(16)


def could_be_name(text: str) -> bool:
    """Whether ``text`` has the shape of one; anything else is no page, and is not looked for."""
    return _NAME.fullmatch(text) is not None


def offered(compiled: Compiled, people: str) -> Mapping[str, Way]:
    """The fields that ``people`` of the policy can show, each with the first line that allows it, in the policy's order."""
    found: dict[str, Way] = {}
    for field, way in _ways(compiled, people):
        found.setdefault(field, way)
    return found


def _ways(compiled: Compiled, people: str) -> Iterator[tuple[str, Way]]:
    policy = compiled.policy
    points = [one for one in policy.collection.values() if one.people == people]
    asked = {field for one in points for field in (*one.required, *one.optional)} - compiled.never_stored
    for key, recipient in policy.recipients.items():
        if recipient.role != "public" or recipient.consent not in ("", "itself"):
            continue
        asks = recipient.consent == "itself" or recipient.ground == "consent"
        for field, purpose in product(recipient.receives, recipient.for_):
            if field in asked and _could(compiled, people, key, field, purpose):
                yield field, Way(key, purpose, asks)


def _could(compiled: Compiled, people: str, recipient: str, field: str, purpose: str) -> bool:
    """Whether the policy would let ``field`` become public if its person says yes: no promise of it says never."""
    yes = frozenset({f"consent:@{recipient}", "consent", f"safeguard:{recipient}"})
    if compiled.policy.recipients[recipient].consideration != "none":
        return False
    return compiled.decide(Ask("disclose", purpose, frozenset({field}), people, recipient, yes)).allowed


def fresh(before: Choice, after: Choice) -> bool:
    """Whether ``after`` makes anything public that is not: then it is asked about once more before it is saved."""
    return bool(after.fields - before.fields) or (after.searchable and not before.searchable and bool(after.fields))


def by_way(fields: Collection[str], ways: Mapping[str, Way]) -> Mapping[Way, frozenset[str]]:
    """Those of ``fields`` that the policy still offers, by the line that allows them."""
    found: dict[Way, set[str]] = {}
    for field in sorted(fields):
        if field in ways:
            found.setdefault(ways[field], set()).add(field)
    return {way: frozenset(mine) for way, mine in found.items()}
