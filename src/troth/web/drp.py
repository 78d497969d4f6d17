"""The doors of the Data Rights Protocol 1.0: authorised agents exercise rights for people, and are told how it stands.

What could go wrong: a forged agent, a message that was meant for another business, an old one sent again, one agent that
reads another's requests. So an agent shows the token it was given for a signed message, signs every message that changes
anything, and the checks run in the order of the specification (``rights.protocols.drp``); what is not this agent's own is not
told apart from what does not exist.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response, Router, delete, get, post
from litestar.exceptions import NotFoundException
from litestar.params import RawBody

from troth.errors import InvalidInput, Refused
from troth.rights.protocols import drp, tokens
from troth.rights.protocols.arrivals import from_agent
from troth.rights.protocols.calling import agents_status
from troth.rights.protocols.drp import Declined
from troth.rights.protocols.known import DRP, NOT_ENDED, Known, known, take_back
from troth.rights.protocols.places import place_problem
from troth.settings import Agent, DataRightsProtocol
from troth.store.site import Site
from troth.web.arrival import takes
from troth.web.pages import Asked, site_of
from troth.web.visits import UNRECORDED

_TEXT = [takes("text/plain")]
_NOBODY = Declined(403, "The token is not that of an agent of this business.", fatal=False)
_NOT_YOURS = Declined(403, "There is no such request of this agent.")


@post("/agent/{agent:str}", sync_to_thread=True, status_code=200, guards=_TEXT)
def set_up(request: Asked, body: RawBody) -> Response[Any]:
    """Give an agent its token, for a message that it signed; 403 without a body for everybody else."""
    site = site_of(request)
    wires, name = _wires(site), request.path_params["agent"]
    wired = wires.agents.get(name)
    try:
        if wired is None:
            raise _NOBODY
        said = drp.opened(bytes(body), drp.verify_key(wired.verify_key))
        drp.check_claims(said, name, wires.business_id, site.now())
    except Declined:
        return _empty()
    token = tokens.issue(site, name, drp.decoded(bytes(body)))
    return _answer(200, {"agent-id": name, "token": token}) if token else _empty()


@get("/agent/{agent:str}", sync_to_thread=True)
def information(request: Asked) -> Response[Any]:
    """Whether the token of an agent is good: an empty object, or 403."""
    site = site_of(request)
    _wires(site)
    if tokens.agent_of(site, request.headers.get("authorization", "")) != request.path_params["agent"]:
        return _declined(_NOBODY)
    return _answer(200, {})


@post("/data-rights-request", sync_to_thread=True, status_code=200, guards=_TEXT)
def exercise(request: Asked, body: RawBody) -> Response[Any]:
    """Take in a request of an agent; the same message sent again answers with how the first stands."""
    site = site_of(request)
    try:
        agent, wired = _agent(request, site)
        said = drp.opened(bytes(body), drp.verify_key(wired.verify_key))
        drp.check_claims(said, agent, _wires(site).business_id, site.now())
        asked = drp.read_exercise(said)
        _check_callback(_wires(site), wired, asked.callback)
        one = _taken_in(site, agent, wired, asked, drp.decoded(bytes(body)))
        return _answer(200, agents_status(site, one))
    except Declined as declined:
        return _declined(declined)


@get("/data-rights-request/{number:str}", sync_to_thread=True)
def status(request: Asked) -> Response[Any]:
    """How a request stands, for the agent that made it."""
    site = site_of(request)
    try:
        agent, _ = _agent(request, site)
        return _answer(200, agents_status(site, _own(request, site, agent)))
    except Declined as declined:
        return _declined(declined)


@delete(
    "/data-rights-request/{number:str}",
    sync_to_thread=True,
    status_code=200,
    guards=_TEXT,
)
def revoke(request: Asked, body: RawBody) -> Response[Any]:
    """Take a request back while that can be; the reason in the signed message is read by nobody.

    The specification (2.04) puts nothing else into this message, neither names nor times: the token says who sends it.
    """
    site = site_of(request)
    try:
        agent, wired = _agent(request, site)
        drp.opened(bytes(body), drp.verify_key(wired.verify_key))
        one = _own(request, site, agent)
        if not take_back(site, one, NOT_ENDED):
            raise Declined(409, "The request has ended, or what it asked for is done and cannot be taken back.")
        return _answer(200, agents_status(site, _own(request, site, agent)))
    except Declined as declined:
        return _declined(declined)


def _taken_in(site: Site, agent: str, wired: Agent, asked: drp.Exercise, message: bytes) -> Known:
    try:
        return from_agent(site, agent, wired, asked, message)
    except Refused as error:
        raise Declined(409, error.message) from None
    except InvalidInput as error:
        raise Declined(400, error.message) from None


def _wires(site: Site) -> DataRightsProtocol:
    if site.wiring.drp is None:
        raise NotFoundException
    return site.wiring.drp


def _agent(request: Asked, site: Site) -> tuple[str, Agent]:
    wires = _wires(site)
    agent = tokens.agent_of(site, request.headers.get("authorization", ""))
    if agent is None:
        raise _NOBODY
    return agent, wires.agents[agent]


def _own(request: Asked, site: Site, agent: str) -> Known:
    one = known(site, DRP, agent, request.path_params["number"])
    if one is None:
        raise _NOT_YOURS
    return one


def _check_callback(wires: DataRightsProtocol, wired: Agent, address: str) -> None:
    problem = place_problem(address, wired.callbacks, wires.private_callbacks) if address else ""
    if problem:
        raise Declined(400, f"status_callback: {problem}")


def _answer(code: int, body: Mapping[str, Any]) -> Response[Any]:
    return Response(dict(body), status_code=code, headers={"Cache-Control": "no-store"})


def _declined(declined: Declined) -> Response[Any]:
    return _answer(declined.code, drp.error(declined))


def _empty() -> Response[Any]:
    return Response(b"", status_code=403, media_type="application/json", headers={"Cache-Control": "no-store"})


DOORS = Router(
    path="/drp/v1",
    route_handlers=[set_up, information, exercise, status, revoke],
    include_in_schema=False,  # `described` says what they take and answer, for the sites that have them
    opt={UNRECORDED: True},
)
