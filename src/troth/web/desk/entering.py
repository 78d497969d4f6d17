"""Where staff log in and out, and where a set-up link leads."""

from __future__ import annotations

from litestar import Response, get, post

from troth.errors import InvalidInput, Refused
from troth.logins import totp
from troth.staff import own
from troth.staff.entering import log_in, log_out
from troth.store.site import Site
from troth.web.desk.frame import (
    PAGE,
    address_of,
    desk_page,
    elsewhere,
    go,
    refuse_forged,
    staff_of,
    stay,
)
from troth.web.pages import Asked, language_of, site_of
from troth.web.sent import FORM, Sent
from troth.web.words import problem, say, told


@get("/login", **PAGE)
def login_page(request: Asked) -> Response[str]:
    """Ask for name, password and code."""
    return _login(request, site_of(request))


def _login(request: Asked, site: Site, wrong: Refused | None = None) -> Response[str]:
    tag = language_of(request)
    return desk_page(request, site, None, "desk_login.html", status=403 if wrong else 200, wrong=told(tag, wrong))


@post("/login", **FORM)
def login(request: Asked, data: Sent) -> Response[str]:
    """Log in, or say in one way that it did not work."""
    site = site_of(request)
    refuse_forged(request, site, None, data)
    given = (data.get("login", ""), data.get("password", ""), data.get("code", ""))
    try:
        fresh = log_in(site, *given, address_of(request))
    except Refused as error:
        return _login(request, site, error)
    answer = elsewhere(request, site, "")
    stay(site, answer, fresh)
    return answer


@post("/logout", **FORM)
def logout(request: Asked, data: Sent) -> Response[str]:
    """End this session."""
    site = site_of(request)
    entered = staff_of(request, site)
    if entered is not None:
        refuse_forged(request, site, entered, data)
        log_out(site, entered)
    answer = elsewhere(request, site, "/login")
    go(site, answer)
    return answer


@get("/setup/{link:str}", **PAGE)
def setup_page(request: Asked) -> Response[str]:
    """Where a set-up link leads: choose a password, let an app read the picture. Looking uses nothing up."""
    return _setup(request, site_of(request), {})


def _setup(request: Asked, site: Site, problems: dict[str, str]) -> Response[str]:
    tag = language_of(request)
    mine = own.setting_up(site, request.path_params["link"])
    if mine is None:
        return desk_page(request, site, None, "desk_spent.html", status=404)
    address = totp.totp_address(mine.secret, f"{site.wiring.title} ({site.name})", mine.login)
    return desk_page(
        request, site, None, "desk_setup.html", status=422 if problems else 200,
        login=mine.login,
        address=address,
        picture=totp.picture(address, say(tag, "desk.picture")),
        secret=" ".join(mine.secret[place : place + 4] for place in range(0, len(mine.secret), 4)),
        problems={key: problem(tag, words) for key, words in problems.items()},
    )  # fmt: skip


@post("/setup/{link:str}", **FORM)
def set_up(request: Asked, data: Sent) -> Response[str]:
    """Use a set-up link up: whoever has it is whom the privacy lead gave it to, so it alone is the right to do this."""
    site = site_of(request)
    try:
        done = own.set_up(
            site, request.path_params["link"], data.get("password", ""), data.get("code", ""), address_of(request)
        )
    except InvalidInput as error:
        return _setup(request, site, error.problems or {"link": error.message})
    answer = desk_page(request, site, None, "desk_codes.html", codes=done.codes)
    stay(site, answer, done.session)
    return answer


PAGES = (login_page, login, logout, setup_page, set_up)
