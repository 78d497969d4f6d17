"""What went wrong, in plain words for people and as problem details (RFC 9457) for programs; never a trace, never a value.

What could go wrong is that an error shows what it stumbled over: a database's message quotes the row, a parser's the input. So
people see our own sentences, and the log gets the kind of error and the places in the program, with a number that ties the
two together.
"""

from __future__ import annotations

import logging
import secrets
import traceback
from typing import Any

from litestar import Response
from litestar.exceptions import HTTPException, ValidationException

from troth.errors import InvalidInput, PolicyError, Refused, StoreError, TrothError
from troth.rights.protocols import drp, opendsr
from troth.web.guard import BODY_LIMIT
from troth.web.pages import Asked, language_of, page
from troth.web.words import problem, say, words

PROBLEM = "application/problem+json"
_UNREAD = frozenset({401, 408, 413, 429})
"""answers given before the request was read to its end; what still comes of it is not waited for"""
_log = logging.getLogger("troth.web")
_STATUS: tuple[tuple[type[TrothError], int], ...] = (
    (InvalidInput, 422),
    (Refused, 403),
    (StoreError, 503),
    (PolicyError, 503),
)


def status_of(error: TrothError) -> int:
    """The HTTP status that says what kind of error it is; 500 for a mistake of ours."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def expected(request: Asked, error: Exception) -> Response[Any]:
    """An error that Troth raises itself: its own words and hint."""
    assert isinstance(error, TrothError)
    status = status_of(error)
    if status == 500:
        return unexpected(request, error)
    extra: dict[str, Any] = {}
    if isinstance(error, InvalidInput):
        extra = {"problems": error.problems}
    if isinstance(error, Refused):
        extra = {"because": list(error.because)}
    return answer(request, status, error.message, error.hint, extra)


def http(request: Asked, error: Exception) -> Response[Any]:
    """What the framework refuses: no such address, too long, not understood."""
    assert isinstance(error, HTTPException)
    status = 422 if isinstance(error, ValidationException) else error.status_code
    if status >= 500:
        return unexpected(request, error)
    points = getattr(error, "points", None)
    if points is not None and "/api/" in request.url.path:
        return _no_such_point(request, points)
    answered = answer(request, status if str(status) in words("en")["problem"] else 400)
    answered.headers.update(error.headers or {})
    if status in _UNREAD:
        answered.headers["Connection"] = "close"
    return answered


def _no_such_point(request: Asked, points: list[str]) -> Response[Any]:
    """For programs, with the names that there are: those of the public forms, which stand on the list of forms anyway."""
    tag = language_of(request)
    title, text = say(tag, "problem.no_point.title"), say(tag, "problem.no_point.text")
    hint = say(tag, "problem.no_point.hint", points=", ".join(points))
    return _details(request, 404, title, text, hint, {"points": points})


def unexpected(request: Asked, error: Exception) -> Response[Any]:
    """A mistake of ours: noted without its words, which may quote somebody's data."""
    number = secrets.token_hex(4)
    frames = traceback.extract_tb(error.__traceback__)
    places = " < ".join(f"{frame.filename.rpartition('troth/')[2]}:{frame.lineno}" for frame in reversed(frames[-8:]))
    _log.error("%s %s at %s", number, type(error).__name__, places)
    return answer(request, 500, number=number)


def answer(
    request: Asked, status: int, text: str = "", hint: str = "", extra: dict[str, Any] | None = None, number: str = ""
) -> Response[Any]:
    """The answer with ``status``: problem details on the programs' addresses, in its own way for a protocol, else a page."""
    tag = language_of(request)
    known = {"limit": BODY_LIMIT // 1024, "number": number}
    title = say(tag, f"problem.{status}.title", **known)
    text = problem(tag, text) if text else say(tag, f"problem.{status}.text", **known)
    hint = problem(tag, hint) if hint else say(tag, f"problem.{status}.hint", **known)
    spoken = request.url.path.split("/")[2:3]
    if spoken and spoken[0] in _PROTOCOLS:
        return _PROTOCOLS[spoken[0]](status, f"{title}. {text}".replace("..", "."), extra or {})
    if "/api/" in request.url.path:
        return _details(request, status, title, text, hint, extra or {})
    because = (extra or {}).get("because", [])
    return page(request, "problem.html", tag, status=status, title=title, text=text, hint=hint, because=because,
                site_name="Troth")  # fmt: skip


def _details(request: Asked, status: int, title: str, text: str, hint: str, extra: dict[str, Any]) -> Response[Any]:
    content = {"type": "about:blank", "title": title, "status": status, "detail": text, "hint": hint} | extra
    return Response(content, status_code=status, media_type=PROBLEM, headers={"Cache-Control": "no-store"})


def _opendsr(status: int, words: str, extra: dict[str, Any]) -> Response[Any]:
    code = 400 if status == 422 else status
    return _as_json(code, opendsr.error(code, words, extra.get("problems")))


def _drp(status: int, words: str, extra: dict[str, Any]) -> Response[Any]:
    return _as_json(status, drp.error(drp.Declined(status, words, fatal=False)))


def _as_json(status: int, body: dict[str, Any]) -> Response[Any]:
    return Response(body, status_code=status, headers={"Cache-Control": "no-store"})


_PROTOCOLS = {"opendsr": _opendsr, "drp": _drp}
"""protocols that shape their errors in their own way, by the part of the address after the site's name"""
