"""What forms send: how handlers take it, and what of it may go back into a page.

What could go wrong: a card number that somebody typed goes back into the page, into the browser's history and onto paper. So
whatever was typed passes ``without_cards`` on its way back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from litestar.enums import RequestEncodingType
from litestar.params import Body

from troth.people.cards import find_cards
from troth.web.arrival import takes

Sent = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
"""one text for each name; two with one name are refused with 422"""
Loose = Annotated[dict[str, Any], Body(media_type=RequestEncodingType.URL_ENCODED)]
"""whatever was sent, to be read with ``texts``"""
FORM: Mapping[str, Any] = {
    "sync_to_thread": True,
    "status_code": 200,
    "guards": [takes("application/x-www-form-urlencoded")],
    "include_in_schema": False,
}
"""what every handler of a form has in common"""


def texts(data: Mapping[str, Any]) -> dict[str, str]:
    """What was sent, with one text for each name: a blank where several came with one name."""
    return {name: value if isinstance(value, str) else "" for name, value in data.items()}


def ticked(data: Mapping[str, Any], prefix: str) -> frozenset[str]:
    """The boxes that were ticked, by what stands after ``prefix`` in their names."""
    return frozenset(name.removeprefix(prefix) for name in data if name.startswith(prefix))


def to_mend(
    places: Mapping[str, tuple[str, str]], problems: Mapping[str, str], astray: str
) -> list[tuple[str, str, str]]:
    """What is wrong, in the order of the page: where, what it is called, and the words.

    ``places`` are the id and the label of each question of the page; ``astray`` is said once, of nowhere, when something is
    wrong with what is no question of it.
    """
    there = [(*place, problems[key]) for key, place in places.items() if key in problems]
    return there + ([("", "", astray)] if problems.keys() - places.keys() else [])


def without_cards(typed: Mapping[str, str]) -> dict[str, str]:
    """``typed`` as it may go back into a page: blank where it holds what looks like the number of a payment card."""
    return {name: "" if find_cards(value) else value for name, value in typed.items()}
