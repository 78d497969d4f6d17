"""The JSON door: the same collection points for programs. Same rules, same refusals, nothing that a form could not do.

A submission is sent once for its ``key`` (or the header ``Idempotency-Key``); the same sent again changes nothing, and another
body under a key that somebody used before is another submission. The answer names what was stored and repeats no value; it
never tells whether the person was known before. A partner's data does not come in
here: who supplies it would be anybody's claim. It comes through the importer, which knows the partner.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, get, post
from litestar.params import RawBody
from litestar.status_codes import HTTP_200_OK, HTTP_201_CREATED

from troth.acts.perform import PATH
from troth.acts.table import ACTS
from troth.collection.actions import stored_of
from troth.collection.forms import form
from troth.collection.rules import Submission, case_ref
from troth.policy.compile import Compiled
from troth.store.site import Site
from troth.web.acts import described
from troth.web.arrival import takes
from troth.web.described import closed, of_protocols
from troth.web.forms import public_point, public_points
from troth.web.pages import Asked, site_of
from troth.web.posted import Posted, read_posted
from troth.web.receipts import confirmed, kept, take_in
from troth.web.tokens import new_key, public_key


class Stored(msgspec.Struct):
    """What came of it: ``case`` is the reference of the order, request or ticket that it opened, if any, for later acts.

    ``repeated`` tells that the same had been stored before, under the same key.
    """

    receipt: str
    case: str | None
    stored: list[str]
    purposes: list[str]
    until: list[str]
    consents: list[str]
    policy_version: int
    repeated: bool


@post(
    "/api/collect/{point:str}",
    sync_to_thread=True,
    status_code=HTTP_201_CREATED,
    summary="Submit to a collection point",
    operation_id="collect",
    tags=["collection"],
    guards=[takes("application/json")],
)
def collect_json(request: Asked, body: RawBody) -> Response[Stored]:
    """Take in one submission: 201 when stored, 200 when it had been, 422 with a problem for each field, 403 when refused."""
    site = site_of(request)
    compiled = site.policy()
    submission = _submission(request, site, compiled, read_posted(body))
    repeated = take_in(site, compiled, submission)
    confirmed(site, submission.point, submission.key)
    status = HTTP_200_OK if repeated else HTTP_201_CREATED
    stored = _stored(site, compiled, submission, repeated)
    return Response(stored, status_code=status, headers={"Cache-Control": "no-store"})


def _submission(request: Asked, site: Site, compiled: Compiled, data: Posted) -> Submission:
    point = public_point(compiled, request.path_params["point"])
    chosen = data.key or request.headers.get("idempotency-key")
    languages = compiled.policy.policy.languages
    return Submission(
        point=point,
        values=data.values,
        key=public_key(site, point, chosen, _said(data)) if chosen else new_key(),
        choices=data.choices,
        acknowledged=data.acknowledged,
        language=data.language if data.language in languages else languages[0],
    )


def _said(data: Posted) -> dict[str, Any]:
    """What makes a submission another one: all of the body but the key itself."""
    return {
        "values": data.values,
        "choices": data.choices,
        "acknowledged": data.acknowledged,
        "language": data.language,
    }


def _stored(site: Site, compiled: Compiled, submission: Submission, repeated: bool) -> Stored:
    """What is told of a submission; of one that came before, what the store says of it."""
    told = kept(compiled, submission, repeated, submission.language)
    declared = compiled.policy.collection[submission.point]
    given = {key for key, value in submission.values.items() if value.strip()}
    chosen = [scope for scope, said in submission.choices.items() if said]
    if repeated:
        with site.reading() as conn:
            given, scopes = stored_of(conn, submission)
        chosen = [scope for scope in chosen if scope in scopes]
    return Stored(
        receipt=submission.key,
        case=case_ref(submission.point, submission.key) if declared.opens != "none" else None,
        stored=[key for key in (*declared.required, *declared.optional) if key in given],
        purposes=list(declared.for_),
        until=list(told.until),
        consents=chosen,
        policy_version=compiled.version,
        repeated=repeated,
    )


@get("/api/openapi", sync_to_thread=True, include_in_schema=False)
def openapi(request: Asked) -> Response[dict[str, Any]]:
    """The interface of this site as OpenAPI: the program's own, with the site's collection points and their fields."""
    site = site_of(request)
    return Response(_of_site(request.app.openapi_schema.to_schema(), site, site.policy()))


def _of_site(schema: dict[str, Any], site: Site, compiled: Compiled) -> dict[str, Any]:
    general = next(path for path in schema["paths"] if path.endswith("/api/collect/{point}"))
    paths = {
        f"/{site.name}/api/collect/{point}": {"post": _of_point(schema["paths"][general]["post"], compiled, point)}
        for point in public_points(compiled)
    }
    if site.wiring.programs:
        reading = next(path for path in schema["paths"] if path.endswith("/api/read"))
        paths[f"/{site.name}/api/read"] = {"post": _of_reading(schema["paths"][reading]["post"], site, compiled)}
    act = next(path for path in schema["paths"] if path.endswith("/api/acts/{name}"))
    paths |= {
        f"/{site.name}{PATH}/{name}": {"post": _of_act(schema["paths"][act]["post"], compiled, name)} for name in ACTS
    }
    paths |= of_protocols(site)
    title = compiled.policy.operator.name or site.wiring.title
    return schema | {"paths": paths, "info": {"title": title, "version": str(compiled.version)}}


def _of_point(general: dict[str, Any], compiled: Compiled, point: str) -> dict[str, Any]:
    shown = form(compiled, point, "en")
    fields = {one.id: {"type": "string", "title": one.label, "maxLength": 10_000} for one in shown.fields}
    values = {"type": "object", "properties": fields, "additionalProperties": False}
    values["required"] = [one.id for one in shown.fields if one.required]
    choices = {one.scope: {"type": "boolean", "title": one.label, "default": False} for one in shown.choices}
    properties: dict[str, Any] = {
        "values": values,
        "choices": {"type": "object", "properties": choices, "additionalProperties": False},
        "acknowledged": {"type": "boolean", "description": shown.warning or "no warning to acknowledge"},
        "language": {"enum": list(compiled.policy.policy.languages)},
        "key": {"type": "string", "description": "the same for the same submission, so that it is stored once"},
    }
    body = closed(properties, ["values", "acknowledged"] if shown.warning else ["values"])
    own = {"operationId": f"collect_{point}", "summary": shown.title, "description": "\n".join(shown.told)}
    return _own_post(general, body) | own


def _of_reading(general: dict[str, Any], site: Site, compiled: Compiled) -> dict[str, Any]:
    """The door for programs, with the fields there are and the purposes that any of the site's programs reads for."""
    data = compiled.policy.data
    purposes = sorted({purpose for program in site.wiring.programs.values() for purpose in program.purposes})
    identifying = {"enum": [field for field, entry in data.items() if entry.identifies]}
    find = closed({"field": identifying, "value": {"type": "string", "maxLength": 1000}}, ["field", "value"])
    properties: dict[str, Any] = {
        "purpose": {"enum": purposes},
        "fields": {"type": "array", "items": {"enum": list(data)}, "minItems": 1},
        "person": {"type": "string", "description": "the id of a person; either this or `find`"},
        "find": find,
        "case": {"type": "string", "description": "the reference of an order, a request or a ticket of theirs"},
    }
    return _own_post(general, closed(properties, ["purpose", "fields"]))


def _of_act(general: dict[str, Any], compiled: Compiled, name: str) -> dict[str, Any]:
    """The door of one act, with its arguments."""
    act = ACTS[name]
    made = _own_post(general, described(name, compiled))
    made["parameters"] = [_KEY]
    said = "\n".join((act.does, *act.errors))
    return made | {"operationId": f"act_{name.replace('-', '_')}", "summary": act.does, "description": said}


_KEY: dict[str, Any] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "description": "the same for the same act, so that it is done once; another body under it is refused",
}


def _own_post(general: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """The general description of a post, about one site: its address has no parameters, and its body has a shape."""
    parameters = [one for one in general.get("parameters", []) if one["in"] != "path"]
    content = {"required": True, "content": {"application/json": {"schema": body}}}
    well = {code: said for code, said in general["responses"].items() if code.startswith("2")}
    problems = {str(code): _PROBLEM for code in (400, 401, 403, 404, 405, 408, 413, 415, 422, 429, 503)}
    return {**general, "parameters": parameters, "requestBody": content, "responses": well | problems}


_PROBLEM: dict[str, Any] = {
    "description": "problem details (RFC 9457)",
    "content": {
        "application/problem+json": {
            "schema": {
                "type": "object",
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "hint": {"type": "string"},
                    "problems": {"type": "object", "additionalProperties": {"type": "string"}},
                    "because": {"type": "array", "items": {"type": "string"}},
                },
                "required": ["type", "title", "status", "detail"],
            }
        }
    },
}
