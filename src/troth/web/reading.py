"""The door for reading: the operator's programs ask for fields of a person, for a purpose; every answer is on the ledger.

What could go wrong: an e-mail address in a web server's log because it stood in the address; a program that learns from a
refusal that somebody is held; a body so large that it costs more than it asks for. So whoever is meant stands in the body;
nothing of a body is read before its sender is known; and a person who is unknown is refused with the same words, the same
status and the same entry as one whom the policy does not open.
"""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, post
from litestar.connection import ASGIConnection
from litestar.exceptions import ClientException
from litestar.handlers import BaseRouteHandler
from litestar.params import RawBody
from litestar.status_codes import HTTP_200_OK

from troth.errors import InvalidInput, Refused
from troth.ids import is_id
from troth.web.arrival import takes
from troth.web.pages import Asked, site_of
from troth.web.programs import Program
from troth.web.together import HINT, REFUSED, Wanted
from troth.web.visits import UNRECORDED

LONGEST = 1000
"""characters of a value or of a reference"""
_PROGRAM = "troth_program"


class Find(msgspec.Struct, forbid_unknown_fields=True):
    """Whoever has ``value`` in ``field``, in whatever spelling."""

    field: str
    value: str


class Reads(msgspec.Struct, forbid_unknown_fields=True):
    """What a program asks for: either ``person`` or ``find``."""

    purpose: str
    fields: list[str]
    person: str | None = None
    find: Find | None = None
    case: str | None = None


class Opened(msgspec.Struct):
    """What was opened: the youngest value of each field there is, and the lines of the policy that allow it."""

    person: str
    values: dict[str, str]
    because: list[str]


async def known_program(connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler) -> None:
    """A guard that lets in only the site's programs, before anything of the body is read."""
    door = connection.app.state.doors[site_of(connection).name]  # type: ignore[arg-type]  # it has what a request has
    connection.scope["state"][_PROGRAM] = door.admit(connection.headers.get("authorization", ""))


@post(
    "/api/read",
    status_code=HTTP_200_OK,
    summary="Read fields of a person for a purpose",
    operation_id="read",
    tags=["reading"],
    guards=[known_program, takes("application/json")],
    opt={UNRECORDED: True},
    security=[{"program": []}],
)
async def read_json(request: Asked, body: RawBody) -> Response[Opened]:
    """Open fields of one person: 200 with values, 403 when the policy does not allow it or there is nobody to be seen."""
    site = site_of(request)
    wanted = _wanted(request.scope["state"][_PROGRAM], body)
    found = await request.app.state.together[site.name].read(wanted)
    values = {field: value for field, value in found.reading.values.items() if field in wanted.fields}
    opened = Opened(found.person, values, list(found.reading.decision.because))
    return Response(opened, headers={"Cache-Control": "no-store"})


def _wanted(program: Program, body: bytes) -> Wanted:
    """``body`` as a read by ``program``.

    Raises:
        ClientException: when it is no JSON in UTF-8.
        InvalidInput: when it is of another shape; nothing of it is repeated.
        Refused: when the program does not read for that purpose.
    """
    try:
        read = msgspec.json.decode(body, type=Reads)
    except msgspec.ValidationError:
        raise InvalidInput("This is not what a read looks like.", _SHAPE) from None
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise ClientException from None
    if problems := _misfits(read):
        raise InvalidInput("This is not what a read looks like.", problems)
    if read.purpose not in program.purposes:
        raise Refused(REFUSED, HINT)
    find = read.find or Find("", "")
    return Wanted(
        program.by, read.purpose, frozenset(read.fields), read.person or "", find.field, find.value, read.case
    )


_SHAPE = {"(the whole)": "This must be an object with `purpose`, `fields` and either `person` or `find`."}


def _misfits(read: Reads) -> dict[str, str]:
    if (read.person is None) == (read.find is None):
        return _SHAPE
    if read.person is not None and not is_id(read.person):
        return {"person": "This is not the id of a person."}
    if not read.fields:
        return {"fields": "Name at least one."}
    if max(len(read.find.value) if read.find else 0, len(read.case or "")) > LONGEST:
        return {"find" if read.find else "case": f"This is too long; at most {LONGEST:,} characters."}
    return {}
