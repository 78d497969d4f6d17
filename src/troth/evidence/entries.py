"""What one entry of the ledger says: the question that it holds, who asked it, and the promises that it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeGuard

from pydantic_core import from_json

from troth.decide import Ask
from troth.policy.acts import LEGAL, READ_VISITS

EVERYTHING = "*"
"""under which all decisions are counted"""


def who_asks(ask: Ask) -> str:
    """``staff``, ``person``, ``program``, ``system``, as the question says; blank when it says nothing."""
    return next((fact.removeprefix("by:") for fact in sorted(ask.facts) if fact.startswith("by:")), "")


def body_of(text: str) -> Mapping[str, Any]:
    """The body of an entry; what is no object was never written by Troth and says nothing."""
    try:
        body = from_json(text)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def ask_of(body: Any) -> Ask | None:
    """The question of a decision; None when the entry holds none that can be asked."""
    words, lists = ("act", "purpose", "people", "recipient"), ("fields", "facts")
    if not isinstance(body, dict) or not all(isinstance(body.get(word), str) for word in words):
        return None
    if not all(is_names(body.get(name)) for name in lists):
        return None
    sets = {name: frozenset(body[name]) for name in lists}
    return Ask(body["act"], body["purpose"], sets["fields"], body["people"], body["recipient"], sets["facts"])


def is_names(value: Any) -> TypeGuard[list[str]]:
    """Whether ``value`` is a list of words."""
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def spoken_of(ask: Ask | None, body: Mapping[str, Any], again: Iterable[str]) -> set[str]:
    """The promises a decision bears on: those it cites then or now, and its own purpose, recipient and act."""
    because = body["because"] if is_names(body.get("because")) else []
    about = {*because, *again, EVERYTHING}
    if ask is None:
        return about
    about.add(f"act:{ask.act}")
    if ask.act in _SECTIONS:
        about.add(f"{_SECTIONS[ask.act]}.{ask.purpose}")
    if ask.act in {"disclose", "send"}:
        about.add(f"{'recipients' if ask.act == 'disclose' else 'messages'}.{ask.recipient}")
    if ask.purpose.startswith((LEGAL, "statistics:")):
        about.add(ask.purpose.replace(":", ".", 1))
    return about


_SECTIONS = {
    **dict.fromkeys(("read", READ_VISITS, "count"), "purposes"),
    "collect": "collection",
    "cookie": "cookies",
}
"""the section of the policy in which an act's purpose is an entry"""
