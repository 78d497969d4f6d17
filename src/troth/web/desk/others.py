"""Who is on the staff, and what they did: for whoever answers for the desk."""

from __future__ import annotations

from collections.abc import Mapping

from litestar import Response, get, post
from litestar.exceptions import NotFoundException

from troth.errors import InvalidInput, Refused
from troth.policy.notice.language import Speaker, language
from troth.staff import actions, log
from troth.staff.actions import Member
from troth.staff.entering import Entered
from troth.staff.rules import log_kept, roles_of
from troth.store.site import Site
from troth.web.desk.frame import PAGE, desk_page, elsewhere, posted, required
from troth.web.pages import Asked, language_of, site_of
from troth.web.sent import FORM, Sent
from troth.web.words import say, words

ROLE = "role."


@get("/staff", **PAGE)
def staff_page(request: Asked) -> Response[str]:
    """Everybody on the staff, and a form to add somebody."""
    site = site_of(request)
    return _staff(request, site, required(request, site, "staff"))


def _staff(
    request: Asked,
    site: Site,
    entered: Entered,
    login: str = "",
    roles: tuple[str, ...] = (),
    wrong: Mapping[str, str] | None = None,
) -> Response[str]:
    """``wrong``: what is wrong with the ``login`` and the ``roles`` of somebody to add."""
    with site.reading() as conn:
        members = actions.everybody(conn)
    return desk_page(
        request, site, entered, "desk_staff.html", here="staff", status=422 if wrong else 200,
        members=members, known=roles_of(site.policy().policy), login=login, roles=roles,
        wrong={"login": "", "roles": ""} | dict(wrong or {}),
    )  # fmt: skip


@post("/staff/add", **FORM)
def add(request: Asked, data: Sent) -> Response[str]:
    """Add somebody, and show the link to give to them."""
    site = site_of(request)
    entered = posted(request, site, "staff", data)
    login, roles = data.get("login", "").strip(), _roles(data)
    try:
        link = actions.add(site, login, roles, entered)
    except (InvalidInput, Refused) as error:
        tag, unfit = language_of(request), error.problems if isinstance(error, InvalidInput) else {}
        wrong = {what: say(tag, f"desk.wrong.{what}") for what in unfit} or {"login": say(tag, "desk.wrong.taken")}
        return _staff(request, site, entered, login, roles, wrong)
    return _link(request, site, entered, login, link)


def _roles(data: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(key.removeprefix(ROLE) for key in data if key.startswith(ROLE))


def _link(request: Asked, site: Site, entered: Entered, login: str, link: str) -> Response[str]:
    address = f"{site.wiring.base_url.rstrip('/')}/desk/setup/{link}"
    path = f"/{site.name}/desk/setup/{link}"
    return desk_page(request, site, entered, "desk_link.html", here="staff", login=login, address=address, path=path)


@get("/staff/{staff_id:str}", **PAGE)
def member_page(request: Asked) -> Response[str]:
    """One member of staff, and what can be done about them."""
    site = site_of(request)
    entered = required(request, site, "staff")
    return _member(request, site, entered, _asked_for(request, site))


def _member(request: Asked, site: Site, entered: Entered, member: Member, wrong: str = "") -> Response[str]:
    return desk_page(
        request, site, entered, "desk_member.html", here="staff", status=422 if wrong else 200,
        member=member, known=roles_of(site.policy().policy), themselves=member.id == entered.staff_id, wrong=wrong,
    )  # fmt: skip


def _asked_for(request: Asked, site: Site) -> Member:
    with site.reading() as conn:
        member = actions.by_id(conn, request.path_params["staff_id"])
    if member is None:
        raise NotFoundException
    return member


@post("/staff/{staff_id:str}/roles", **FORM)
def change_roles(request: Asked, data: Sent) -> Response[str]:
    """Other roles, from the next request on."""
    site = site_of(request)
    entered = posted(request, site, "staff", data)
    member = _asked_for(request, site)
    try:
        actions.change_roles(site, member.login, _roles(data), entered)
    except InvalidInput:
        return _member(request, site, entered, member, say(language_of(request), "desk.wrong.roles"))
    return elsewhere(request, site, "/staff")


@post("/staff/{staff_id:str}/reset", **FORM)
def reset(request: Asked, data: Sent) -> Response[str]:
    """They lost their second factor or password: what they had ends, and there is a new link to give to them."""
    site = site_of(request)
    entered = posted(request, site, "staff", data)
    member = _asked_for(request, site)
    return _link(request, site, entered, member.login, actions.reset(site, member.login, entered))


@post("/staff/{staff_id:str}/remove", **FORM)
def remove(request: Asked, data: Sent) -> Response[str]:
    """They leave the staff, at once."""
    site = site_of(request)
    entered = posted(request, site, "staff", data)
    actions.remove(site, _asked_for(request, site).login, entered)
    return elsewhere(request, site, "/staff")


@get("/log", **PAGE)
def log_page(request: Asked) -> Response[str]:
    """Who logged in, tried to, left, and did what; newest first, and page by page to the oldest."""
    site = site_of(request)
    entered = required(request, site, "staff")
    tag = language_of(request)
    with site.reading() as conn:
        found = log.lines(site, conn, request.query_params.get("before", ""))
    said = [(line, _did(tag, line.act) if line.act else say(tag, f"desk.did.{line.what}")) for line in found.lines]
    kept = Speaker(site.policy().policy, language(tag)).duration(log_kept(site.policy().policy))
    return desk_page(request, site, entered, "desk_log.html", here="log", lines=said, kept=kept, older=found.older)


def _did(tag: str, act: str) -> str:
    """What a word of the log is called: an act of the table by its name there."""
    said = words(tag)["desk"]
    table = said["act"].get(act.removeprefix("act_").replace("_", "-"))
    if act.startswith("act_") and table:
        return say(tag, "desk.did_act", act=table)
    return str(said["acts"].get(act, act))


PAGES = (staff_page, add, member_page, change_roles, reset, remove, log_page)
