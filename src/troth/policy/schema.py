"""JSON Schema of ``policy.yaml`` and ``decisions.yaml``, so that editors complete and check them while they are written.

``python -m troth.policy.schema`` prints the schema of the policy, with ``decisions`` that of the decisions.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from pydantic import BaseModel

from troth.policy.decisions import Decisions
from troth.policy.model import Policy

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def policy_schema() -> dict[str, Any]:
    """The schema of ``policy.yaml``, with keys as they are written: with spaces."""
    return _schema(Policy, "policy.yaml of Troth")


def decisions_schema() -> dict[str, Any]:
    """The schema of ``decisions.yaml``."""
    return _schema(Decisions, "decisions.yaml of Troth")


def as_text(schema: dict[str, Any]) -> str:
    """The schema as it is kept in ``docs``."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _schema(model: type[BaseModel], title: str) -> dict[str, Any]:
    written = model.model_json_schema(by_alias=True, mode="validation")
    if "Text" in written.get("$defs", {}):
        written["$defs"]["Text"] = _also(written["$defs"]["Text"], {"type": "string"})
    return {"$schema": _DIALECT, **_as_written(written), "title": title}


def _as_written(part: Any) -> Any:
    """As people write it: one word may stand for a list, a blank or a placeholder for nothing, one text for all languages."""
    if isinstance(part, list):
        return [_as_written(item) for item in part]
    if isinstance(part, str):
        return part.replace("``", "`")
    if not isinstance(part, dict):
        return part
    part = {key: _as_written(value) for key, value in part.items() if key not in ("title", "default")}
    if part.get("type") == "array" and part.get("items") == {"type": "string"}:
        return _also(part, {"type": "string"}, {"type": "null"})
    return part


def _also(part: dict[str, Any], *others: dict[str, Any]) -> dict[str, Any]:
    described = {"description": part.pop("description")} if "description" in part else {}
    return {"anyOf": [part, *others], **described}


def main() -> None:
    """Print one of the schemas."""
    schema = decisions_schema() if sys.argv[1:] == ["decisions"] else policy_schema()
    sys.stdout.write(as_text(schema))


if __name__ == "__main__":
    main()
