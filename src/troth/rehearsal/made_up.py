"""Values for made-up people, by DPV category: the same for the same seed, in several scripts, and never anybody's own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

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


class MadeUp:
    """A source of made-up values; one for each rehearsal."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._count = 0

    def values(self, fields: Mapping[str, str]) -> dict[str, str]:
        """A value for each of ``fields``, which maps a field to its DPV category."""
        self._count += 1
        return {field: self._value(field, category) for field, category in fields.items()}

    def _value(self, field: str, category: str) -> str:
        make = _MAKERS.get(category)
        return make(self, self._random) if make else f"{field.replace('_', ' ')} {self._random.randint(1, 9_999)}"

    def name(self, random: Random) -> str:
        """A full name in one of several scripts."""
        return f"{random.choice((*_GIVEN, *_GIVEN_TOO))} {random.choice(_FAMILY)}"

    def email(self, random: Random) -> str:
        """An address of a domain that cannot exist (RFC 2606)."""
        return f"person{self._count:05d}.{random.randrange(16**6):06x}@mail.example"


_MAKERS: Mapping[str, Callable[[MadeUp, Random], str]] = {
    "pd:EmailAddress": MadeUp.email,
    "pd:Name": MadeUp.name,
    "pd:FirstName": lambda made, random: random.choice(_GIVEN),
    "pd:TelephoneNumber": lambda made, random: f"+44 20 7946 {random.randrange(10_000):04d}",
    "pd:FaxNumber": lambda made, random: f"+44 20 7947 {random.randrange(10_000):04d}",
    "pd:PhysicalAddress": lambda made, random: (
        f"{random.randint(1, 240)} {random.choice(_STREETS)}, {random.choice(_TOWNS)}"
    ),
    "pd:BirthDate": lambda made, random: (
        f"{random.randint(1950, 2004)}-{random.randint(1, 12):02d}-{random.randint(1, 28):02d}"
    ),
    "pd:Gender": lambda made, random: random.choice(("female", "male", "other")),
    "pd:Interest": lambda made, random: random.choice(("panels", "street lights", "displays", "components")),
    "pd:Job": lambda made, random: random.choice(("buyer", "engineer", "designer", "owner")),
    "pd:Professional": lambda made, random: random.choice(_TRADES),
    "pd:Location": lambda made, random: random.choice(_TOWNS),
    "pd:Communication": lambda made, random: " ".join(random.choices(_WORDS, k=random.randint(6, 20))),
    "pd:Opinion": lambda made, random: " ".join(random.choices(_WORDS, k=random.randint(6, 14))),
    "pd:Purchase": lambda made, random: f"{random.randint(1, 20)} x panel {random.choice('ABCDE')}",
    "pd:Website": lambda made, random: f"https://company{random.randrange(900)}.example/",
    "pd:IPAddress": lambda made, random: f"192.0.2.{random.randint(1, 254)}",
}
