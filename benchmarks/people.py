"""Made-up people for the benchmarks: eight answers each, as long as real ones."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from itertools import count

from troth.collection.actions import Receipt, collect
from troth.collection.rules import Submission
from troth.store.site import Site

FIELDS = ("email", "full_name", "phone", "fax", "address", "birth_date", "website", "question")
_numbers = count(1)


def answers(number: int) -> dict[str, str]:
    """What person ``number`` writes into the eight fields, some 200 bytes."""
    return {
        "email": f"person{number}@mail{number % 50}.example",
        "full_name": f"Alexandra Number{number} Montgomery",
        "phone": f"+44 20 7{number % 1_000_000:06d}",
        "fax": f"+44 20 8{number % 1_000_000:06d}",
        "address": f"{number} Long Lamp Street, Flat {number % 90}, London",
        "birth_date": f"19{50 + number % 50}-0{1 + number % 9}-1{number % 10}",
        "website": f"https://www.number{number}.example/",
        "question": "Do you deliver three of the dimmable ones before the end of the month?",
    }


def fresh() -> tuple[int, dict[str, str]]:
    """Somebody who was never seen before."""
    number = next(_numbers)
    return number, answers(number)


def registration(values: dict[str, str]) -> Submission:
    """The form filled in, both boxes ticked."""
    ticked = {"marketing": True, "newsletter_house": True}
    return Submission("register", values, secrets.token_hex(12), ticked)


def registered(site: Site, number: int) -> list[str]:
    """Collect ``number`` people and return their ids."""
    return [receipt.person_id for receipt in _receipts(site, number)]


def _receipts(site: Site, number: int) -> Iterator[Receipt]:
    for _ in range(number):
        yield collect(site, registration(fresh()[1]))
