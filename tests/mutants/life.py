"""Lives the mutants' site in a process of its own and says what was found: ``python -m tests.mutants.life SITE [faults]``.

The life is written down, so that it is short and everything is in it that a mutant could do wrong: two weeks of a few people.
With ``faults`` it is another one, of many disclosures, whose actor is killed now and then. Prints JSON: how many events were
lived, and the first violation of each kind.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from troth.rehearsal.events import Event
from troth.rehearsal.run import rehearse

DAYS = 14


def quiet() -> Iterator[tuple[str, int | None, str, int, dict[str, str]]]:
    """What happens on the first day, in order: act, who, what, how often and details."""
    yield "submit", 0, "register", 1, {}
    yield "submit", 1, "register", 1, {}
    yield "submit", 2, "contact", 1, {}
    yield "import", 3, "fair", 1, {"partner": "fair_company"}
    yield "submit", 0, "order", 1, {}  # the fifth: closed below
    yield "submit", 4, "register", 1, {}
    yield "submit", 4, "order", 1, {}
    yield "visits", None, "", 5, {}
    yield "read", 0, "fulfil_order", 1, {}
    yield "disclose", 0, "courier", 1, {"purpose": "fulfil_order"}
    yield "close", 0, "order", 1, {"order": "4", "kinds": "order"}
    yield "read", 0, "fulfil_order", 1, {}
    yield "disclose", 0, "courier", 1, {"purpose": "fulfil_order"}
    for scope in ("marketing", "@letters"):
        yield "choose", 0, scope, 1, {"state": "given"}
    yield "read", 0, "marketing", 1, {}
    yield "disclose", 0, "letters", 1, {"purpose": "marketing"}
    for scope in ("marketing", "@letters"):
        yield "choose", 0, scope, 1, {"state": "withdrawn"}
    yield "read", 0, "marketing", 1, {}
    yield "disclose", 0, "letters", 1, {"purpose": "marketing"}
    yield "choose", 2, "@letters", 1, {"state": "withdrawn"}
    yield "disclose", 2, "letters", 1, {"purpose": "marketing"}
    yield "choose", 1, "improvement", 1, {"state": "objected"}
    yield "read", 1, "improvement", 1, {}
    yield "read", None, "service", 4, {}
    yield "read", 0, "curiosity", 1, {}
    yield "hostile", 2, "contact", 1, {"how": "undeclared"}
    yield "hostile", 2, "contact", 1, {"how": "card"}
    yield "hostile", 2, "contact", 1, {"how": "twice"}
    yield "erase", 1, "", 1, {}
    yield "erase", 4, "", 1, {}


def busy() -> Iterator[tuple[str, int | None, str, int, dict[str, str]]]:
    """A day of deliveries."""
    yield "submit", 0, "register", 1, {}
    yield "submit", 0, "order", 1, {}
    for _ in range(60):
        yield "disclose", 0, "courier", 1, {"purpose": "fulfil_order"}


def life(faults: bool) -> Iterator[Event]:
    """The events, and some visits on each of the first days."""
    numbers, acts = count(), list(busy() if faults else quiet())
    for place, (act, who, what, number, details) in enumerate(acts):
        yield Event(next(numbers), 0, (place + 1) / (len(acts) + 2), act, who, what, number, details)  # type: ignore[arg-type]
    for day in range(1, 6):
        yield Event(next(numbers), day, 0.5, "visits", count=4)


def main(site: str, faults: str = "") -> int:
    """1 when something was found, as ``troth rehearse`` ends."""
    days = 2 if faults else DAYS
    lived = rehearse(Path(site), days=days, people=5, seed=7, faults=bool(faults), events=life(bool(faults)))
    first = {one.kind: f"{one.about}: {one.says}" for one in reversed(lived.violations)}
    print(json.dumps({"events": lived.events, "found": first, "faults": lived.faults, "happened": lived.happened}))
    return 1 if lived.violations else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
