"""The doors of the protocols as OpenAPI, for the description of a site that has them.

The published specifications say what these messages mean; here stands what this site takes and answers. A signed message of the
Data Rights Protocol is text to HTTP: its JSON is described in ``docs/protocols.md``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from troth.rights.protocols import opendsr
from troth.settings import DataRightsProtocol, OpenDsr
from troth.store.site import Site

Schema = dict[str, Any]
_TEXT: Schema = {"type": "string"}
_TIME: Schema = {"type": "string", "format": "date-time"}
_UUID: Schema = {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"}
_UNREAD = (403, 404, 405, 408, 413, 415, 503)


def of_protocols(site: Site) -> Schema:
    """The paths of the protocols that ``site`` takes part in."""
    base, wiring = f"/{site.name}", site.wiring
    paths: Schema = {}
    if wiring.opendsr is not None:
        paths |= _opendsr(f"{base}/opendsr/v1", wiring.opendsr)
    if wiring.drp is not None:
        paths |= _drp(f"{base}/drp/v1", wiring.drp)
    return paths


def closed(properties: Mapping[str, Schema], required: Iterable[str]) -> Schema:
    """An object with these properties and no others."""
    return {"type": "object", "properties": dict(properties), "required": list(required), "additionalProperties": False}


def _operation(id_: str, tag: str, summary: str, answers: Schema, **more: Any) -> Schema:
    return {"operationId": id_, "tags": [tag], "summary": summary, "responses": answers, **more}


def _json(schema: Schema, says: str) -> Schema:
    return {"description": says, "content": {"application/json": {"schema": schema}}}


def _header(name: str, schema: Schema, says: str) -> Schema:
    return {"name": name, "in": "header", "required": True, "schema": schema, "description": says}


def _in_path(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": schema}


# --- OpenDSR -------------------------------------------------------------------------------------------------------------


def _opendsr(base: str, wires: OpenDsr) -> Schema:
    signed = [
        _header("X-OpenDSR-Processor-Domain", {"enum": list(wires.controllers) or [""]}, "who signs this"),
        _header("X-OpenDSR-Signature", _TEXT, "in base64, over the raw body, or `METHOD /path` where there is none"),
    ]
    receipt = {"controller_id": _TEXT, "subject_request_id": _UUID, "received_time": _TIME}
    taken = closed(receipt | {"expected_completion_time": _TIME, "encoded_request": _TEXT},
                   [*receipt, "expected_completion_time", "encoded_request"])  # fmt: skip
    gone = closed(receipt | {"api_version": _TEXT}, [*receipt, "api_version"])
    body = {"required": True, "content": {"application/json": {"schema": _wanted()}}}
    found = closed(
        {
            "api_version": _TEXT,
            "supported_identities": {"type": "array", "items": {"type": "object"}},
            "supported_subject_request_types": {"type": "array", "items": _TEXT},
            "processor_certificate": {"type": "string", "format": "uri"},
        },
        ["api_version", "supported_identities", "supported_subject_request_types", "processor_certificate"],
    )

    def of(id_: str, summary: str, code: int, schema: Schema, **more: Any) -> Schema:
        answers = {str(code): _json(schema, "done")} | {
            str(one): _json(_DSR_ERROR, "an error") for one in (400, *_UNREAD)
        }
        return _operation(f"opendsr_{id_}", "opendsr", summary, answers, **more)

    return {
        f"{base}/discovery": {"get": of("discovery", "What is supported", 200, found)},
        f"{base}/requests": {
            "post": of("request", "Ask for somebody", 201, taken, parameters=signed, requestBody=body)
        },
        f"{base}/requests/{{number}}": {
            "parameters": [_in_path("number", _UUID), *signed],
            "get": of("status", "How a request stands", 200, _STANDING),
            "delete": of("cancel", "Cancel while it is pending", 202, gone),
        },
    }


def _wanted() -> Schema:
    one = closed(
        {
            "identity_type": {"enum": sorted(opendsr.TYPES)},
            "identity_format": {"enum": sorted(opendsr.FORMATS)},
            "identity_value": {"type": "string", "minLength": 1, "maxLength": opendsr.LONGEST},
        },
        ["identity_type", "identity_format", "identity_value"],
    )
    callbacks = {"type": "array", "items": {"type": "string", "format": "uri"}, "maxItems": opendsr.MOST}
    properties = {
        "regulation": {"enum": list(opendsr.REGULATIONS)},
        "subject_request_id": _UUID,
        "subject_request_type": {"enum": list(opendsr.RIGHTS)},
        "submitted_time": _TIME,
        "subject_identities": {"type": "array", "items": one, "minItems": 1, "maxItems": opendsr.MOST},
        "status_callback_urls": callbacks,
        "api_version": {"enum": [opendsr.VERSION]},
        "extensions": {"type": "object"},
    }
    needed = ("regulation", "subject_request_id", "subject_request_type", "submitted_time", "subject_identities")
    return {"type": "object", "properties": properties, "required": list(needed)}


_STANDING = closed(
    {
        "controller_id": _TEXT,
        "subject_request_id": _UUID,
        "request_status": {"enum": ["pending", "in_progress", "completed", "cancelled"]},
        "expected_completion_time": _TIME,
        "api_version": _TEXT,
        "results_url": {"type": "string", "format": "uri"},
        "extensions": {"type": "object"},
    },
    ["controller_id", "subject_request_id", "request_status", "expected_completion_time"],
)
_DSR_ERROR = closed(
    {
        "error": closed(
            {
                "code": {"type": "integer"},
                "message": _TEXT,
                "errors": {
                    "type": "array",
                    "items": closed(dict.fromkeys(("domain", "reason", "message"), _TEXT), ["message"]),
                },
            },
            ["code", "message", "errors"],
        )
    },
    ["error"],
)


# --- the Data Rights Protocol --------------------------------------------------------------------------------------------


def _drp(base: str, wires: DataRightsProtocol) -> Schema:
    message = {
        "required": True,
        "description": "base64 of an Ed25519 signature, 64 bytes, and the JSON that it signs",
        "content": {"text/plain": {"schema": _TEXT}},
    }
    bearer = [_header("Authorization", _TEXT, "`Bearer` and the token of the agent")]
    agent = _in_path("agent", {"enum": list(wires.agents) or [""]})
    token = closed({"agent-id": _TEXT, "token": _TEXT}, ["agent-id", "token"])

    def of(id_: str, summary: str, schema: Schema, **more: Any) -> Schema:
        errors = {str(one): _json(_DRP_ERROR, "an error") for one in (400, 409, *_UNREAD)}
        return _operation(f"drp_{id_}", "drp", summary, {"200": _json(schema, "done")} | errors, **more)

    set_up = of("agent", "A token for a signed message", token, requestBody=message)
    set_up["responses"]["403"] = {"description": "the message is not accepted; there is no body"}
    return {
        f"{base}/agent/{{agent}}": {
            "parameters": [agent],
            "post": set_up,
            "get": of("information", "Whether a token is good", closed({}, []), parameters=bearer),
        },
        f"{base}/data-rights-request": {
            "post": of("exercise", "Exercise a right for somebody", _EXERCISED, requestBody=message, parameters=bearer)
        },
        f"{base}/data-rights-request/{{number}}": {
            "parameters": [_in_path("number", _UUID), *bearer],
            "get": of("status", "How a request stands", _EXERCISED),
            "delete": of("revoke", "Take a request back", _EXERCISED, requestBody=message),
        },
    }


_REASONS = ("need_user_verification", "insuf_verification", "no_match", "other")
_EXERCISED = closed(
    {
        "request_id": _UUID,
        "received_at": _TIME,
        "expected_by": _TIME,
        "status": {"enum": ["in_progress", "fulfilled", "revoked", "denied"]},
        "reason": {"enum": list(_REASONS)},
        "processing_details": _TEXT,
        "agent_request_id": _TEXT,
        "user_verification_url": {"type": "string", "format": "uri"},
        "results_url": {"type": "string", "format": "uri"},
    },
    ["request_id", "received_at", "expected_by", "status"],
)
_DRP_ERROR = closed({"code": _TEXT, "message": _TEXT, "fatal": {"type": "boolean"}}, ["code", "message"])
