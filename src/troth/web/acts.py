"""The door for acts: the operator's programs say what happened in the business, each with a token of its own.

What could go wrong: a token that is guessed; a program that does more than it was given; the same order closed twice because an
answer was lost; a key that somebody else used before; a value of somebody in an address. So nothing of a body is read before
the token is known; wrong tokens are slowed, and so is a token that is used too often; every argument stands in the body; and a
key (``Idempotency-Key``) belongs to one token and one body.
"""

from __future__ import annotations

from typing import Any

import anyio.to_thread
import msgspec
from litestar import Response, get, post
from litestar.connection import ASGIConnection
from litestar.exceptions import ClientException, TooManyRequestsException
from litestar.handlers import BaseRouteHandler
from litestar.params import RawBody
from litestar.status_codes import HTTP_200_OK

from troth.acts import tokens
from troth.acts.arguments import Argument
from troth.acts.model import Act, Caller
from troth.acts.perform import PATH, perform
from troth.acts.table import ACTS, may
from troth.errors import InvalidInput
from troth.ids import SHAPE
from troth.policy.compile import Compiled
from troth.web.arrival import takes
from troth.web.described import closed
from troth.web.pages import Asked, site_of
from troth.web.visits import UNRECORDED

_CALLER = "troth_caller"
_PRIVATE = {"Cache-Control": "no-store"}


class Carried(msgspec.Struct):
    """What came of an act: ids and counts, and for ``hand-over`` the data, this once."""

    act: str
    result: dict[str, Any]


async def known_caller(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """A guard that lets in only programs with a token for acts, before anything of the body is read.

    Raises:
        NotAuthorizedException: when the token is none of this site's, was revoked or has ended.
        TooManyRequestsException: when wrong tokens came too often lately, or this one did.
    """
    site = site_of(connection)  # type: ignore[arg-type]  # it has what a request has
    authorization = connection.headers.get("authorization", "")
    scheme, _, secret = authorization.partition(" ")
    caller = None
    if scheme.lower() == "bearer" and secret.strip().startswith(tokens.PREFIX):
        caller = await anyio.to_thread.run_sync(tokens.caller_of, site, secret.strip())
    if caller is None:
        connection.app.state.doors[site.name].refuse()
        return
    if connection.app.state.paces[site.name].too_often(caller.id, site.now()):
        raise TooManyRequestsException(headers={"Retry-After": str(round(tokens.WITHIN.total_seconds()))})
    connection.scope["state"][_CALLER] = caller


_DOOR: dict[str, Any] = {
    "sync_to_thread": True,
    "opt": {UNRECORDED: True},
    "tags": ["acts"],
    "security": [{"program": []}],
}


@post(
    f"{PATH}/{{name:str}}",
    status_code=HTTP_200_OK,
    summary="Carry out an act",
    operation_id="act",
    guards=[known_caller, takes("application/json")],
    **_DOOR,
)
def act_json(request: Asked, body: RawBody) -> Response[Carried]:
    """Carry out one act: 200 when done (or done before under the same key), 403 when refused, 422 when something is wrong."""
    site, caller = site_of(request), request.scope["state"][_CALLER]
    key = request.headers.get("idempotency-key", "").strip()
    done = perform(site, caller, request.path_params["name"], _given(body), key)
    headers = _PRIVATE | ({"Idempotency-Replayed": "true"} if done.repeated else {})
    return Response(Carried(done.act, done.result), headers=headers)


@get(PATH, summary="The acts that this token may carry out", operation_id="acts", guards=[known_caller], **_DOOR)
def acts_json(request: Asked) -> Response[dict[str, str]]:
    """The acts that this program may carry out, with what each does."""
    caller: Caller = request.scope["state"][_CALLER]
    return Response({name: act.does for name, act in ACTS.items() if may(caller, act)}, headers=_PRIVATE)


def _given(body: bytes) -> dict[str, Any]:
    """The arguments. Raises ``ClientException`` when it is no JSON in UTF-8, ``InvalidInput`` when it is no object."""
    try:
        given = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise ClientException from None
    if not isinstance(given, dict):
        raise InvalidInput("The arguments of an act are one JSON object.", {"(the whole)": "This must be an object."})
    return given


def described(name: str, compiled: Compiled) -> dict[str, Any]:
    """The arguments of an act as JSON Schema, with the words of the policy in force."""
    act: Act = ACTS[name]
    properties = {one.name: _schema(one, compiled) for one in act.arguments}
    return closed(properties, [one.name for one in act.arguments if one.required])


def _schema(argument: Argument, compiled: Compiled) -> dict[str, Any]:
    said: dict[str, Any] = {"description": argument.help}
    allowed = [*argument.allowed(compiled)]
    if argument.type == "word":
        return said | {"type": "string"} | ({"enum": allowed} if allowed else {})
    if argument.type == "words":
        return said | {"type": "array", "items": {"enum": allowed} if allowed else {"type": "string"}}
    if argument.type == "record":
        return said | {"type": "object", "additionalProperties": {"type": "string"}}
    if argument.type in ("person", "id"):
        return said | {"type": "string", "pattern": f"^{SHAPE}$"}
    return said | {"type": "string", "maxLength": 10_000}


HANDLERS = (act_json, acts_json)
