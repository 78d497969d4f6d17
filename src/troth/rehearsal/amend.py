"""A new version of a policy, made from the texts of the one before: counted up, dated, with some durations changed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import yaml  # type: ignore[import-untyped]

from troth.policy.document import parse_document


def amended(policy: str, decisions: str, changes: Mapping[str, str], version: int, effective: date) -> tuple[str, str]:
    """Both texts with ``changes``, which map dotted paths to values, and the new version's number and day.

    What a decision sets is changed in the decision, since it outweighs the policy.
    """
    tree, decided = parse_document(policy, "policy.yaml").tree, parse_document(decisions, "decisions.yaml").tree
    sets = [one["set"] for one in decided.get("decisions") or () if one.get("set")]
    for path, value in {**changes, "policy.version": version, "policy.effective": effective.isoformat()}.items():
        _put(tree, sets, path.split("."), value)
    return _text(tree), _text(decided) if decided else ""


def _put(tree: dict[str, Any], sets: list[dict[str, Any]], path: list[str], value: object) -> None:
    """Set ``path`` where it is set by a decision, whole or as part of what contains it; else in the policy itself."""
    for one in sets:
        for size in range(len(path), 0, -1):
            here = ".".join(path[:size])
            if here in one:
                return _enter(one, [here, *path[size:]], value)
    _enter(tree, path, value)


def _enter(tree: dict[str, Any], path: list[str], value: object) -> None:
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
    tree[path[-1]] = value


def _text(tree: dict[str, Any]) -> str:
    return str(yaml.safe_dump(tree, allow_unicode=True, sort_keys=False))
