"""JSON Schema of ``policy.yaml`` and ``decisions.yaml``, so that editors complete and check them while they are written.

``python -m troth.policy.schema`` prints the schema of the policy, with ``decisions`` that of the decisions.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic import BaseModel

from troth.policy.closed import ALSO, LISTED, REFERS_TO
from troth.policy.decisions import Decisions
from troth.policy.model import Policy
from troth.policy.references import names_in
from troth.policy.words import PLACEHOLDER

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def policy_schema(policy: Policy | None = None) -> dict[str, Any]:
    """The schema of ``policy.yaml``, with keys as they are written: with spaces; references name the entries of ``policy``."""
    return schema_of(Policy, "policy.yaml of Troth", policy)


def decisions_schema() -> dict[str, Any]:
    """The schema of ``decisions.yaml``."""
    return schema_of(Decisions, "decisions.yaml of Troth")


def as_text(schema: dict[str, Any]) -> str:
    """The schema as it is kept in ``docs``."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def schema_of(model: type[BaseModel], title: str, policy: Policy | None = None) -> dict[str, Any]:
    """The schema of a file that ``model`` reads; references name the entries of ``policy``, when there is one."""
    written = model.model_json_schema(by_alias=True, mode="validation")
    if "Text" in written.get("$defs", {}):
        written["$defs"]["Text"] = _also(written["$defs"]["Text"], {"type": "string"})
    lists: dict[str, Any] = {}
    shaped = _as_written(written, policy, lists)
    defs = {**shaped.pop("$defs", {}), **lists}
    return {"$schema": _DIALECT, **shaped, "title": title, "$defs": dict(sorted(defs.items()))}


def _as_written(part: Any, policy: Policy | None, lists: dict[str, Any]) -> Any:
    """As people write it: one word may stand for a list, a blank or a placeholder for nothing, one text for all languages.

    Long lists of words are put into ``lists`` and referred to.
    """
    if isinstance(part, list):
        return [_as_written(item, policy, lists) for item in part]
    if isinstance(part, str):
        return part.replace("``", "`")
    if not isinstance(part, dict):
        return part
    return _naming(part, policy) if REFERS_TO in part else _mapping(part, policy, lists)


def _mapping(part: dict[str, Any], policy: Policy | None, lists: dict[str, Any]) -> dict[str, Any]:
    if LISTED in part:
        lists[part[LISTED]] = {"type": "string", "enum": part["enum"]}
        return {"$ref": f"#/$defs/{part[LISTED]}", **_described(part)}
    kept = {key: value for key, value in part.items() if key not in ("title", "default")}
    part = {key: _as_written(value, policy, lists) for key, value in kept.items()}
    if part.get("type") == "array" and part.get("items", {}).get("type", "string") == "string":
        return _also(part, part["items"], {"type": "null"}, {"type": "string", "pattern": PLACEHOLDER.pattern})
    return part


def _naming(part: dict[str, Any], policy: Policy | None) -> dict[str, Any]:
    """A reference: one of the entries of ``policy``, or any word as long as nobody says which policy it is."""
    word = {key: value for key, value in part.items() if key in ("type", "description", "pattern")}
    if policy is None:
        return {**word, REFERS_TO: part[REFERS_TO]}
    named = sorted({name for section in part[REFERS_TO] for name in names_in(policy, section)})
    return {**word, "anyOf": [{"enum": named}, *part[ALSO]]}


def _also(part: dict[str, Any], *others: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{key: value for key, value in part.items() if key != "description"}, *others], **_described(part)}


def _described(part: dict[str, Any]) -> dict[str, Any]:
    return {"description": part["description"].replace("``", "`")} if "description" in part else {}


def main() -> None:
    """Print one of the schemas."""
    schema = decisions_schema() if sys.argv[1:] == ["decisions"] else policy_schema()
    sys.stdout.write(as_text(schema))


if __name__ == "__main__":
    main()
