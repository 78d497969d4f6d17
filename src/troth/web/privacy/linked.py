"""Where links in messages about requests lead. Opening one uses nothing up: a mail scanner may; the button does it, once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from litestar import Response, get, post

from troth.errors import InvalidInput, Refused
from troth.policy.compile import Compiled
from troth.policy.notice.language import Speaker, language
from troth.rights import carrying, links, removal
from troth.rights.cases import seen
from troth.rights.replies import words_in
from troth.rights.rules import destroyed_by
from troth.web.guard import refuse_foreign
from troth.web.pages import Asked, language_of, site_of, site_page, with_language
from troth.web.privacy.centre import visited
from troth.web.sent import FORM, Loose
from troth.web.visits import SECRET_PATH, UNRECORDED
from troth.web.words import problem, say

REMOVE = "remove"
"""what the words of the page behind a removal link begin with"""
LINK: dict[str, Any] = {
    "sync_to_thread": True,
    "opt": {SECRET_PATH: True, UNRECORDED: True},
    "include_in_schema": False,
}
WAITS = "waits"
"""of a request that was taken in, and could not be carried out at once"""


def _day(compiled: Compiled, tag: str, at: datetime) -> str:
    """A day in the language of the page, where the operator is."""
    return Speaker(compiled.policy, language(tag)).date(compiled.calendar.day(at))


def _asked(request: Asked, opens: str, **values: Any) -> Response[str]:
    """The page with the button, or that the link is no longer good."""
    site = site_of(request)
    compiled = site.policy()
    tag = language_of(request, compiled.policy.policy.languages)
    found = links.look(site, request.path_params["token"], opens)
    shown: dict[str, Any] = {"right": "", "until": ""}
    if found is not None:
        with site.reading() as conn:
            case = seen(site, conn, found.request_id)
            shown = {
                "right": words_in(tag)["rights"][case.row.right],
                "until": _day(case.compiled, tag, case.row.due_at),
            }
            shown["kind"] = case.row.right
    status = 200 if found else 404
    frame: dict[str, Any] = {"kind": "", "wrong": "", "done": "", "opens": opens, "good": found is not None}
    frame["used"] = used = found is None and links.was_used(site, request.path_params["token"], opens)
    frame["pressed"] = request.method == "POST" and not used
    frame["lang"] = with_language(request, "")
    return site_page(
        request,
        site,
        compiled,
        "request_link.html",
        status=status,
        here="privacy",
        **(frame | shown | values),
    )


def _done(request: Asked, compiled: Compiled, opens: str, done: str, **values: Any) -> Response[str]:
    site = site_of(request)
    frame: dict[str, Any] = dict.fromkeys(("kind", "right", "until", "wrong"), "")
    frame |= {"good": True, "used": False, "pressed": False, "opens": opens, "lang": with_language(request, "")}
    return site_page(
        request,
        site,
        compiled,
        "request_link.html",
        here="privacy",
        **(frame | {"done": done} | values),
    )


def _refuse_foreign(request: Asked) -> None:
    tag = language_of(request)
    refuse_foreign(request, say(tag, "form.foreign"), say(tag, "form.foreign_hint"))


@get("/privacy/confirm/{token:str}", **LINK)
def confirm_page(request: Asked) -> Response[str]:
    """Ask whether somebody made this request."""
    return _asked(request, links.CONFIRM)


@post("/privacy/confirm/{token:str}", **{**FORM, **LINK})
def confirm(request: Asked, data: Loose) -> Response[str]:
    """Confirm a request: whoever has the link reads the mail at the address on file."""
    _refuse_foreign(request)
    site = site_of(request)
    compiled = site.policy()
    tag = language_of(request, compiled.policy.policy.languages)
    try:
        came = carrying.confirm(site, request.path_params["token"])
    except InvalidInput:
        return _asked(request, links.CONFIRM)
    until = _day(compiled, tag, came.due_at)
    right, done = words_in(tag)["rights"][came.right], WAITS if came.waits else came.state
    return _done(request, compiled, links.CONFIRM, done, kind=came.right, right=right, until=until)


@get("/privacy/data/{token:str}", **LINK)
def data_page(request: Asked) -> Response[str]:
    """Ask whether to open one's data."""
    return _asked(request, links.DATA)


@post("/privacy/data/{token:str}", **{**FORM, **LINK})
def open_data(request: Asked, data: Loose) -> Response[str]:
    """Open the privacy centre for whoever has the link: once."""
    _refuse_foreign(request)
    try:
        visit = carrying.open_data(site_of(request), request.path_params["token"])
    except InvalidInput:
        return _asked(request, links.DATA)
    return visited(request, visit)


@get("/privacy/undo/{token:str}", **LINK)
def undo_page(request: Asked) -> Response[str]:
    """Ask whether to bring everything back."""
    return _asked(request, links.UNDO)


@post("/privacy/undo/{token:str}", **{**FORM, **LINK})
def undo(request: Asked, data: Loose) -> Response[str]:
    """Bring everything back that is not destroyed."""
    _refuse_foreign(request)
    site = site_of(request)
    compiled = site.policy()
    tag = language_of(request, compiled.policy.policy.languages)
    try:
        carrying.undo(site, request.path_params["token"])
    except InvalidInput:
        return _asked(request, links.UNDO)
    except Refused as error:
        return _asked(request, links.UNDO, wrong=problem(tag, error.message))
    return _done(request, compiled, links.UNDO, "restored")


@get("/privacy/remove/{token:str}", **LINK)
def remove_page(request: Asked) -> Response[str]:
    """Ask whether somebody who disagrees with a changed policy wants their data removed."""
    return _remove(request)


@post("/privacy/remove/{token:str}", **{**FORM, **LINK})
def remove(request: Asked, data: Loose) -> Response[str]:
    """Ask for the removal of one's data: whoever has the link reads the mail at the address on file."""
    _refuse_foreign(request)
    site = site_of(request)
    compiled = site.policy()
    tag = language_of(request, compiled.policy.policy.languages)
    client: Any = request.scope.get("client")
    try:
        received = removal.ask(site, request.path_params["token"], tag, client[0] if client else "")
    except InvalidInput:
        return _remove(request)
    until = _day(compiled, tag, received.due_at)
    right, done = words_in(tag)["rights"]["erasure"], WAITS if received.waits else received.state
    return _done(request, compiled, REMOVE, done, kind="erasure", right=right, until=until)


def _remove(request: Asked) -> Response[str]:
    site = site_of(request)
    compiled = site.policy()
    tag = language_of(request, compiled.policy.policy.languages)
    good = removal.is_good(site, request.path_params["token"])
    used = not good and removal.was_used(site, request.path_params["token"])
    until = _day(compiled, tag, destroyed_by(compiled, site.now()))
    return site_page(
        request, site, compiled, "request_link.html", here="privacy", lang=with_language(request, ""), status=200 if good else
        404, good=good, opens=REMOVE, kind="erasure", right=words_in(tag)["rights"]["erasure"], until=until, wrong="", done="",
        used=used, pressed=request.method == "POST" and not used,
        )  # fmt: skip


PAGES = (confirm_page, confirm, data_page, open_data, undo_page, undo, remove_page, remove)
