"""The doors of OpenDSR 2.0: controllers ask for access, portability or erasure for somebody, and are told how it stands.

What could go wrong: anybody asks for anybody's data. So nothing is read of a request but its raw body before three things hold:
the domain it names is a controller of ``site.yaml``, that controller's certificate is in its time, and the signature is right.
Whichever of these does not hold, the answer is the same. A controller sees its own requests only; another's is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from litestar import Response, Router, delete, get, post
from litestar.exceptions import NotFoundException
from litestar.params import RawBody

from troth.errors import InvalidInput, Refused
from troth.rights.protocols import opendsr, signatures
from troth.rights.protocols.arrivals import from_controller
from troth.rights.protocols.callbacks import written
from troth.rights.protocols.calling import controllers_status
from troth.rights.protocols.known import OPENDSR, PENDING, known, take_back
from troth.rights.protocols.places import place_problem
from troth.rights.protocols.processor import Processor, processor
from troth.store.site import Site
from troth.web.arrival import takes
from troth.web.pages import Asked, site_of
from troth.web.visits import UNRECORDED

JSON = "application/json"
_UNKNOWN = "The request is not signed by a controller of this site."


@get("/discovery", sync_to_thread=True)
def discovery(request: Asked) -> Response[bytes]:
    """What this site supports: versions, identities, kinds of request, and where its certificate is."""
    site = site_of(request)
    return _answer(_processor(site), 200, opendsr.discovery(_base(site)))


@get("/certificate", sync_to_thread=True)
def certificate(request: Asked) -> Response[str]:
    """The certificate that answers and callbacks are signed with, as PEM."""
    return Response(_processor(site_of(request)).pem, media_type="application/x-pem-file")


@post("/requests", sync_to_thread=True, guards=[takes(JSON)])
def ask(request: Asked, body: RawBody) -> Response[bytes]:
    """Take in a request: 201 with its receipt, the first receipt when it is sent again, 400 with every problem."""
    site = site_of(request)
    ours = _processor(site)
    peer = _controller(request, site, ours, bytes(body))
    if peer is None:
        return _refused(ours)
    try:
        asked = opendsr.read_request(opendsr.parse(bytes(body)), site.now())
        _check_callbacks(ours, peer, asked)
        one = from_controller(site, peer, ours.wires.controllers[peer], asked)
    except InvalidInput as error:
        return _answer(ours, 400, opendsr.error(400, error.message, error.problems))
    except Refused as error:
        return _answer(ours, 400, opendsr.error(400, error.message))
    receipt = opendsr.received(peer, asked.id, bytes(body), one.received_at, one.due_at)
    return _answer(ours, 201, receipt)


@get("/requests/{number:str}", sync_to_thread=True)
def status(request: Asked) -> Response[bytes]:
    """How a request stands, for the controller that made it."""
    site = site_of(request)
    ours = _processor(site)
    peer = _controller(request, site, ours, b"")
    if peer is None:
        return _refused(ours)
    one = known(site, OPENDSR, peer, request.path_params["number"])
    if one is None:
        return _absent(ours)
    return _answer(ours, 200, controllers_status(site, ours, one))


@delete("/requests/{number:str}", sync_to_thread=True, status_code=202)
def cancel(request: Asked) -> Response[bytes]:
    """Cancel a request while it is pending: 202, and 400 when it is too late."""
    site = site_of(request)
    ours = _processor(site)
    peer = _controller(request, site, ours, b"")
    if peer is None:
        return _refused(ours)
    one = known(site, OPENDSR, peer, request.path_params["number"])
    if one is None:
        return _absent(ours)
    if not take_back(site, one, PENDING):
        return _answer(ours, 400, opendsr.error(400, "The request is not pending any more and cannot be cancelled."))
    return _answer(ours, 202, opendsr.cancelled(peer, one.number, site.now()))


def _processor(site: Site) -> Processor:
    found = processor(site)
    if found is None:
        raise NotFoundException
    return found


def _controller(request: Asked, site: Site, ours: Processor, body: bytes) -> str | None:
    """The controller that signed this request; None when none did."""
    domain = request.headers.get("x-opendsr-processor-domain", "").lower()
    pinned = ours.certificates.get(domain)
    if pinned is None or not signatures.in_time(pinned, site.now()):
        return None
    words = opendsr.signed_words(request.method, _public_path(site, request), body)
    return domain if signatures.signed_by(pinned, request.headers.get("x-opendsr-signature", ""), words) else None


def _check_callbacks(ours: Processor, peer: str, asked: opendsr.Request) -> None:
    allowed = ours.callback_hosts(peer)
    problems = [place_problem(one, allowed, ours.wires.private_callbacks) for one in asked.callbacks]
    if any(problems):
        raise InvalidInput("The request cannot be taken as it is.", {"status_callback_urls": max(problems)})


def _answer(ours: Processor, code: int, body: Mapping[str, Any]) -> Response[bytes]:
    raw = written(body)
    headers = {"Cache-Control": "no-store", **ours.sign(raw)}
    return Response(raw, status_code=code, media_type=JSON, headers=headers)


def _refused(ours: Processor) -> Response[bytes]:
    return _answer(ours, 403, opendsr.error(403, _UNKNOWN))


def _absent(ours: Processor) -> Response[bytes]:
    return _answer(ours, 404, opendsr.error(404, "There is no such request of this controller."))


def _base(site: Site) -> str:
    return f"{site.wiring.base_url.rstrip('/')}/opendsr/v1"


def _public_path(site: Site, request: Asked) -> str:
    """The path as whoever asked wrote it, whatever a web server before us made of it."""
    home = urlsplit(site.wiring.base_url).path.rstrip("/")
    return home + request.url.path.removeprefix(f"/{site.name}")


DOORS = Router(
    path="/opendsr/v1",
    route_handlers=[discovery, certificate, ask, status, cancel],
    include_in_schema=False,  # `described` says what they take and answer, for the sites that have them
    opt={UNRECORDED: True},
)
