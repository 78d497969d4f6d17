"""Values for made-up people, by DPV category, in several scripts, and never anybody's own.

Pure: a value follows from the seed, the person's number and, where it is another one each time, the event's. So nobody needs to
remember what was given: whoever wants to compare makes it up again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from hashlib import blake2b
from random import Random

from troth.policy.compile import Compiled
from troth.policy.model import CollectionPoint

OPTIONAL = 0.6
"""how often somebody answers a question that need not be answered"""
_GIVEN = (*("Ada", "Björn", "Chloé", "Dmitri", "Efua", "Farid", "Grace", "Hana", "Iñigo", "Jun"),)
_GIVEN_TOO = ("怡君", "志明", "さくら", "נועה", "أمل", "Zoë", "Léa", "Nikos", "Oluwaseun", "淑芬")
_FAMILY = (
    "Almeida",
    "Berg",
    "Chen",
    "Dubois",
    "Eriksen",
    "Fischer",
    "García",
    "Haddad",
    "Ivanova",
    "Jones",
    "林",
    "王",
    "כהן",
)
_STREETS = ("Lamp Street", "Quay Road", "Mill Lane", "中山北路", "Rue des Lilas", "Hafenweg")
_TOWNS = ("Winchester", "Taipei", "Lyon", "Hamburg", "Porto", "Kaohsiung")
_TRADES = ("retail", "lighting", "architecture", "manufacturing", "education", "hospitality")
_WORDS = (
    *("could you tell me more", "about the panels", "when they arrive", "we liked the samples", "for our new shop"),
    *("thank you", "謝謝", "🙂", "in white", "before the fair"),
)


def chance(seed: int, number: int, key: str) -> float:
    """From 0 up to 1, for one ``key`` of the event ``number``: it stays when the other keys of a policy change."""
    drawn = blake2b(f"{seed}:{number}:{key}".encode(), digest_size=6)
    return int.from_bytes(drawn.digest()) / 2**48


def answers(compiled: Compiled, seed: int, point: CollectionPoint, who: int, number: int) -> dict[str, str]:
    """What the person ``who`` answers at ``point`` in the event ``number``: all that must be, and some of what may be."""
    random = Random(f"{seed}:answers:{number}")
    optional = [key for key in point.optional if chance(seed, number, key) < OPTIONAL]
    data = compiled.policy.data
    asked = {key: data[key].category for key in (*point.required, *optional) if data[key].protect != "never stored"}
    return values(asked, seed, who, random, compiled.identifying)


def values(
    fields: Mapping[str, str], seed: int, who: int, random: Random, identifying: Collection[str] = ()
) -> dict[str, str]:
    """A value for each of ``fields``, which maps a field to its DPV category; ``identifying`` ones are nobody else's."""
    return {key: _value(key, category, seed, who, random, key in identifying) for key, category in fields.items()}


def _value(field: str, category: str, seed: int, who: int, random: Random, identifies: bool) -> str:
    if category in _LASTING:
        return _LASTING[category](Random(f"{seed}:{who}:{field}"), who)
    if identifies:
        return f"{field.replace('_', ' ')} {seed}/{who}"
    make = _PASSING.get(category)
    return make(random) if make else f"{field.replace('_', ' ')} {random.randint(1, 9_999)}"


def _phone(area: str, who: int) -> str:
    return f"+44 {area}{who // 10_000 % 1_000:03d} {who % 10_000:04d}"


_LASTING: Mapping[str, Callable[[Random, int], str]] = {
    "pd:EmailAddress": lambda random, who: f"person{who:05d}.{random.randrange(16**6):06x}@mail.example",  # RFC 2606
    "pd:Name": lambda random, who: f"{random.choice((*_GIVEN, *_GIVEN_TOO))} {random.choice(_FAMILY)}",
    "pd:TelephoneNumber": lambda random, who: _phone("20 7", who),
    "pd:PhysicalAddress": lambda random, who: (
        f"{random.randint(1, 240)} {random.choice(_STREETS)}, {random.choice(_TOWNS)}"
    ),
    "pd:BirthDate": lambda random, who: (
        f"{random.randint(1950, 2004)}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"
    ),
    "pd:Gender": lambda random, who: random.choice(("female", "male", "other")),
    "pd:Job": lambda random, who: random.choice(("buyer", "engineer", "designer", "owner")),
}
"""What stays the same whenever somebody is asked for it."""

_PASSING: Mapping[str, Callable[[Random], str]] = {
    "pd:Interest": lambda random: random.choice(("panels", "street lights", "displays", "components")),
    "pd:Professional": lambda random: random.choice(_TRADES),
    "pd:Location": lambda random: random.choice(_TOWNS),
    "pd:Communication": lambda random: " ".join(random.choices(_WORDS, k=random.randint(6, 20))),
    "pd:Opinion": lambda random: " ".join(random.choices(_WORDS, k=random.randint(6, 14))),
    "pd:Purchase": lambda random: f"{random.randint(1, 20)} x panel {random.choice('ABCDE')}",
    "pd:IPAddress": lambda random: f"192.0.2.{random.randint(1, 254)}",
}
