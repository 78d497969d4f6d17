"""Long lists at the desk, page by page: how many there are, which of them are here, and where the others are.

What could go wrong: a list that stops after its first hundred and does not say so, so that what waits longest is never seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from troth.web.pages import Asked

SIZE = 100


@dataclass(frozen=True, slots=True)
class Part:
    """Which rows of a list a page has: the numbers of the first and the last, of how many, and the addresses beside it."""

    first: int
    last: int
    total: int
    before: str = ""
    after: str = ""

    @property
    def skipped(self) -> int:
        """How many rows come before these."""
        return self.first - 1


def part_of(request: Asked, name: str, total: int) -> Part:
    """The part of ``total`` rows that the address asks for under ``name``; the last one there is where it asks for more."""
    number = min(_asked(request, name), max(1, -(-total // SIZE)))
    first, last = (number - 1) * SIZE + 1, min(number * SIZE, total)
    before = _address(request, name, number - 1) if number > 1 else ""
    return Part(first, last, total, before, _address(request, name, number + 1) if last < total else "")


def _asked(request: Asked, name: str) -> int:
    said = request.query_params.get(name, "")
    return max(1, int(said)) if said.isascii() and said.isdigit() and len(said) < 7 else 1


def _address(request: Asked, name: str, number: int) -> str:
    kept = {key: said for key, said in request.query_params.items() if key != name}
    return f"?{urlencode({**kept, name: number})}"
