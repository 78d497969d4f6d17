"""A member of staff's own page: the password, the recovery codes, and where they are logged in."""

from __future__ import annotations

from litestar import Response, get, post

from troth.errors import InvalidInput, Refused
from troth.staff import own
from troth.staff.entering import Entered
from troth.store.site import Site
from troth.web.desk.frame import PAGE, desk_page, elsewhere, posted, required
from troth.web.pages import Asked, language_of, site_of
from troth.web.sent import FORM, Sent
from troth.web.words import problem


@get("/me", **PAGE)
def me_page(request: Asked) -> Response[str]:
    """What belongs to the log-in of whoever asks."""
    site = site_of(request)
    return _me(request, site, required(request, site, "own"))


def _me(
    request: Asked, site: Site, entered: Entered, wrong: tuple[str, str] = ("", ""), done: str = ""
) -> Response[str]:
    """``wrong``: the field (``password``, ``fresh`` or ``codes``) and what is wrong with it; ``done``: what was just done."""
    with site.reading() as conn:
        sessions, left = own.sessions(site, conn, entered), own.codes_left(conn, entered)
    return desk_page(
        request, site, entered, "desk_me.html", here="me", status=422 if wrong[0] else 200,
        sessions=sessions, left=left, wrong=wrong, done=done,
    )  # fmt: skip


@post("/me/password", **FORM)
def change_password(request: Asked, data: Sent) -> Response[str]:
    """Choose another password; other sessions end."""
    site = site_of(request)
    entered = posted(request, site, "own", data)
    try:
        own.change_password(site, entered, data.get("password", ""), data.get("fresh", ""))
    except (InvalidInput, Refused) as error:
        field = "fresh" if isinstance(error, InvalidInput) else "password"
        return _me(request, site, entered, (field, problem(language_of(request), error.message)))
    return _me(request, site, entered, done="password")


@post("/me/codes", **FORM)
def renew_codes(request: Asked, data: Sent) -> Response[str]:
    """Ten new recovery codes, shown this once."""
    site = site_of(request)
    entered = posted(request, site, "own", data)
    try:
        codes = own.renew_codes(site, entered, data.get("password", ""))
    except Refused as error:
        return _me(request, site, entered, ("codes", problem(language_of(request), error.message)))
    return desk_page(request, site, entered, "desk_codes.html", here="me", codes=codes)


@post("/me/session", **FORM)
def end_session(request: Asked, data: Sent) -> Response[str]:
    """End one of one's own sessions."""
    site = site_of(request)
    entered = posted(request, site, "own", data)
    own.end_session(site, entered, data.get("session", ""))
    return elsewhere(request, site, "/me")


PAGES = (me_page, change_password, renew_codes, end_session)
