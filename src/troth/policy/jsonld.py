"""Nodes of a JSON-LD graph in the terms of the Data Privacy Vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from troth.policy.periods import Period

Node = dict[str, Any]


def bare(**parts: Any) -> dict[str, Any]:
    """What is said, without what is not."""
    return {name: part for name, part in parts.items() if part not in (None, "", [], ())}


def node(kind: str | list[str], key: str = "", **parts: Any) -> Node:
    """A node of the graph; ``parts`` are DPV properties by their bare name."""
    named = {f"dpv:{name}": part for name, part in bare(**parts).items()}
    return {**({"@id": key} if key else {}), "@type": kind, **named}


def ref(*keys: str) -> list[Node]:
    """References to nodes; blank keys are left out."""
    return [{"@id": key} for key in keys if key]


def texts(words: Mapping[str, str]) -> list[Node]:
    """A text in its languages."""
    return [{"@value": text, **({} if tag == "*" else {"@language": tag})} for tag, text in words.items()]


def duration(period: Period) -> Node:
    """A period as XML Schema writes it."""
    return {"@value": period.iso, "@type": "xsd:duration"}
