"""Bodies as canonical text, guarded: what ``guard`` and RFC 8785 give, for a fraction of the time.

What could go wrong: a short cut that lets through what the guard refuses, or that spells a body otherwise, so that nobody else
can hash it again. So a short cut is taken for plain dictionaries of plain values alone, every string passes the guard's own
test, and whatever is not recognised at a glance takes the long way; ``tests/rules/test_ledger_bodies.py`` holds the two against
each other. Three things are remembered, all of them after the guard has passed them: the order of a body's keys, a question to
the policy (``Asked``, which cannot be changed any more), and within one call the text of a part that several bodies share.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NoReturn

import rfc8785

from troth.decide import Ask
from troth.ids import is_id
from troth.ledger.guard import LARGEST, NotForTheLedger, Plain, fits, plain

_FRACTION = re.compile(r"[:,\[]-?[0-9]+[.eE]")
_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


class Asked(dict[str, Plain]):
    """A question to the policy as the ledger keeps it, with its canonical text; never changed, since many share it."""

    __slots__ = ("text",)
    text: str

    def _refuse(self, *_args: object, **_named: object) -> NoReturn:
        raise TypeError("a question that was asked is not changed any more")

    __setitem__ = __delitem__ = update = pop = popitem = clear = setdefault = __ior__ = _refuse


def asked(ask: Ask) -> dict[str, Any]:
    """What is kept of a question; remembered when it passes the guard, which is what questions do."""
    try:
        return _guarded(ask)
    except NotForTheLedger:
        return _tree(ask)  # to be refused when somebody writes it


@lru_cache(maxsize=1024)
def _guarded(ask: Ask) -> Asked:
    made = Asked(plain(_tree(ask)))
    made.text = canonical_body(made)
    return made


def _tree(ask: Ask) -> dict[str, Any]:
    said = {"act": ask.act, "purpose": ask.purpose, "fields": sorted(ask.fields), "people": ask.people}
    return said | {"recipient": ask.recipient, "facts": sorted(ask.facts)}


def canonical_body(body: Mapping[str, Plain]) -> str:
    """RFC 8785 JSON of a body that has passed the guard.

    What passes is ASCII without quotes or control characters, so that the standard library writes the same, many times
    faster; only numbers with a fraction are spelt differently.
    """
    text = _JSON(body)
    return rfc8785.dumps(dict(body)).decode() if _FRACTION.search(text) else text


def texts(bodies: Sequence[Mapping[str, object]]) -> list[str]:
    """Each of ``bodies`` as canonical text.

    Raises:
        NotForTheLedger: when one holds what the guard refuses.
    """
    shared: dict[int, str] = {}  # by identity, which stays with a part as long as its body is in the caller's hands
    return [_text(body, shared) for body in bodies]


def _text(body: Mapping[str, object], shared: dict[int, str]) -> str:
    if type(body) is not dict:
        return canonical_body(plain(body))
    try:
        parts = [_part(lead, body[key], shared) for key, lead in _leads(tuple(body))]
    except (_NotAtAGlanceError, NotForTheLedger):  # the long way also says where in the body something stands
        return canonical_body(plain(body))
    return "{" + ",".join(parts) + "}"


class _NotAtAGlanceError(Exception):
    """The long way must be taken."""


@lru_cache(maxsize=512)
def _leads(keys: tuple[object, ...]) -> tuple[tuple[Any, str], ...]:
    """Each key, in the order of the canonical form, and how it is written."""
    if not all(type(key) is str and fits(key) for key in keys):
        raise _NotAtAGlanceError
    return tuple((key, f'"{key}":') for key in sorted(map(str, keys)))


_SINGLE: Mapping[object, str] = {None: "null", True: "true", False: "false"}


def _part(lead: str, value: Any, shared: dict[int, str]) -> str:
    kind = type(value)
    if kind is str:
        if is_id(value) or fits(value):
            return f'{lead}"{value}"'
    elif kind is Asked:
        return lead + str(value.text)
    elif kind is bool or value is None:
        return lead + _SINGLE[value]
    elif kind is int:
        if -LARGEST < value < LARGEST:
            return f"{lead}{value}"
    elif kind is list or kind is tuple or kind is dict:
        return lead + (shared.get(id(value)) or _shared(value, shared))
    raise _NotAtAGlanceError


def _shared(value: Any, shared: dict[int, str]) -> str:
    text = canonical_body(plain({"": value}))[4:-1] if type(value) is dict or not value else _list(value)
    shared[id(value)] = text
    return text


def _list(values: Sequence[Any]) -> str:
    """Of words and ids alone."""
    if all(type(value) is str and (is_id(value) or fits(value)) for value in values):
        return '["' + '","'.join(values) + '"]'
    raise _NotAtAGlanceError
