"""The JSON Schema of the copy for programs, made from what the copy is made from. Pure."""

from __future__ import annotations

from typing import Any

from troth.rights.copy.as_json import FORMAT
from troth.rights.copy.model import TABLES
from troth.rights.copy.words import words

_INSTANT = {"type": "string", "format": "date-time", "pattern": "Z$", "description": "in UTC, RFC 3339"}
_TEXT = {"type": "string"}
_NAMED = {"$ref": "#/$defs/named"}
_MANY = {"type": "array", "items": _NAMED}
_CELLS: dict[str, Any] = {
    **dict.fromkeys(("at", "began_at", "destroy_by", "ends_at", "made_at"), _INSTANT),
    **dict.fromkeys(
        ("scope", "choice", "ground", "through", "recipient", "state", "kind", "cause", "approver"), _NAMED
    ),
    **dict.fromkeys(("fields", "purposes", "use"), _MANY),
    **dict.fromkeys(("words", "reason", "sentence", "keep"), _TEXT),
    **{key: {"type": "integer", "minimum": 0} for key in ("version", "count", "sessions")},
    "counts": {"type": "boolean"},
}


def copy_schema() -> dict[str, Any]:
    """The schema, in JSON Schema 2020-12."""
    tables = {key: _table(key) for key in TABLES}
    head = {
        "format": {"const": FORMAT},
        "language": {"enum": ["en", "zh-Hant"], "description": "of every label and sentence"},
        "operator": _object({"name": _TEXT, "contact": _TEXT}, "who holds the data, and where to write"),
        "taken_at": _INSTANT,
        "policy_version": {"type": "integer", "description": "the version in force then"},
        "notes": {"type": "array", "items": _TEXT, "description": "what to know before reading"},
        "records": {"type": "array", "items": _record(), "description": "what is held, the oldest first"},
        "kinds": {"type": "array", "items": _kind(), "description": "what all records of a kind share"},
    }
    named = _object({"id": _TEXT, "label": _TEXT}, "something the policy names: its id there, and the words for it")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Everything that is held about a person",
        **_object({**head, **tables}),
        "$defs": {"named": named},
    }


def _object(properties: dict[str, Any], description: str = "", optional: tuple[str, ...] = ()) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    made["required"] = [key for key in properties if key not in optional]
    return {"description": description, **made} if description else made


def _or_nothing(schema: dict[str, Any]) -> dict[str, Any]:
    return {"oneOf": [schema, {"type": "null"}]}


def _record() -> dict[str, Any]:
    given = {"recipient": _NAMED, "country": _or_nothing(_TEXT), "fields": _MANY}
    given |= {"times": {"type": "integer", "minimum": 1}, "last_at": _INSTANT}
    goes = {"by": _or_nothing(_INSTANT), "how": {"enum": ["dated", "waits", "held", "never"]}, "because": _TEXT}
    values = {"type": "object", "additionalProperties": _TEXT, "description": "by the id of the field"}
    properties = {
        "kind": {"type": "integer", "description": "which of `kinds`"},
        "at": {**_INSTANT, "description": "when it came in"},
        "policy_version": {"type": "integer", "description": "the version then"},
        "values": values,
        "masked": {
            "type": "array",
            "items": _TEXT,
            "description": "fields in which something about others is left out",
        },
        "given_to": {
            "type": "array",
            "items": _object(given),
            "description": "who received any of it, since it came in",
        },
        "goes": _object(goes, "when it goes; `by` is null while that depends on something, which `because` says"),
    }
    return _object(properties, optional=("masked",))


def _kind() -> dict[str, Any]:
    uses = _object({"purpose": _NAMED, "basis": _TEXT, "state": _NAMED})
    properties = {
        "kind": {"type": "integer"},
        "through": {**_NAMED, "description": "where it came in"},
        "source": {**_NAMED, "description": "who gave it: `you`, or a partner"},
        "fields": _MANY,
        "uses": {"type": "array", "items": uses, "description": "what it is for, why, and whether it is used so now"},
        "apart": {"type": "array", "items": _TEXT, "description": "what stays longer, apart, and why"},
    }
    return _object(properties)


def _table(key: str) -> dict[str, Any]:
    told = words("en")["sections"][key]
    columns = {name: _column(key, name, label) for name, label in told["columns"].items()}
    return {"type": "array", "description": told["about"], "items": _object(columns)}


def _column(table: str, name: str, label: str) -> dict[str, Any]:
    blank = _NULLABLE.get((table, name))
    return {**(_or_nothing(blank) if blank else _CELLS[name]), "description": label}


_NULLABLE: dict[tuple[str, str], dict[str, Any]] = {
    ("disclosures", "country"): _TEXT,
    ("disclosures", "purpose"): _NAMED,
    ("disclosures", "ground"): _NAMED,
    ("disclosures", "delivered_at"): _INSTANT,
    ("dealings", "number"): _TEXT,
    ("dealings", "closed_at"): _INSTANT,
    ("dealings", "warranty_ends_at"): _INSTANT,
    ("messages", "sent_at"): _INSTANT,
    ("account", "confirmed_at"): _INSTANT,
    ("account", "closed_at"): _INSTANT,
    ("account", "because"): _TEXT,
}
