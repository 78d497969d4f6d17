"""What every page of the desk needs: who asks, whether they may, and the frame around it.

What could go wrong: a page that forgets to ask who is there; a form that another site's page sends from a browser at the
desk; a cookie that another site on this host, or a member of this one, could use; a page of the desk that stays in a cache.
So a page begins with ``required`` or, when a form was sent, with ``posted``, and there is no other way to an ``Entered``; the
cookie is named after its site, belongs to the desk's addresses alone and is never sent from elsewhere (``SameSite=Strict``);
one token, bound to the session, is in every form; and ``pages.html`` lets nobody keep a copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response
from litestar.datastructures import Cookie
from litestar.response import Redirect

from troth.errors import Refused
from troth.logins.digests import Session
from troth.staff.entering import Entered, who
from troth.staff.rules import Act, may
from troth.store.site import Site
from troth.web.guard import refuse_foreign
from troth.web.moments import stamp
from troth.web.pages import Asked, language_of, languages, page, site_of, with_language
from troth.web.tokens import form_token, new_key, read_form_token
from troth.web.words import LANGUAGES, say, words

PAGE: Mapping[str, Any] = {"sync_to_thread": True}
NAVIGATION: tuple[tuple[str, str, Act], ...] = (
    ("start", "", "own"),
    ("letter", "/letter", "requests"),
    ("people", "/people", "people"),
    ("acts", "/acts", "people"),
    ("staff", "/staff", "staff"),
    ("log", "/log", "staff"),
    ("me", "/me", "own"),
)
"""key of the words, address below the desk, and what one must be allowed to see it"""


class NobodyEntered(Exception):
    """Somebody has to log in first; the application sends them there."""


def cookie_name(site: Site) -> str:
    """What the cookie of the desk is called: sites on one host must not meet."""
    return f"troth-desk-{site.name}"


def staff_of(request: Asked, site: Site) -> Entered | None:
    """Who is at the desk of ``site``; None for everybody else."""
    return who(site, request.cookies.get(cookie_name(site)), address_of(request))


def address_of(request: Asked) -> str:
    """The address a request came from, as far as it is known."""
    return request.client.host if request.client else ""


def required(request: Asked, site: Site, act: Act) -> Entered:
    """Who is at the desk and may do ``act``.

    Raises:
        NobodyEntered: when nobody is logged in.
        Refused: when their roles do not permit it.
    """
    entered = staff_of(request, site)
    if entered is None:
        raise NobodyEntered
    if not may(entered.roles, act):
        tag = language_of(request)
        raise Refused(say(tag, "desk.refused"), say(tag, "desk.refused_hint"))
    return entered


def posted(request: Asked, site: Site, act: Act, data: Mapping[str, str]) -> Entered:
    """As ``required``, for a form that was sent: it must come from a page of this session.

    Raises:
        NobodyEntered, Refused: as ``required``, and ``Refused`` when the form is not ours.
    """
    entered = required(request, site, act)
    refuse_forged(request, site, entered, data)
    return entered


def refuse_forged(request: Asked, site: Site, entered: Entered | None, data: Mapping[str, str]) -> None:
    """Refuse a form that no page of this session opened within the last hours. Raises ``Refused``."""
    tag = language_of(request)
    foreign, hint = say(tag, "desk.foreign"), say(tag, "desk.foreign_hint")
    refuse_foreign(request, foreign, hint)
    if read_form_token(site, _bound(entered), data.get("token", "")) is None:
        raise Refused(foreign, hint)


def _bound(entered: Entered | None) -> str:
    return f"desk:{entered.digest.hex() if entered else 'nobody'}"


def stay(site: Site, answer: Response[str], fresh: Session) -> None:
    """Set the cookie of a fresh session on an answer."""
    answer.set_cookie(_cookie(site, fresh.secret, round((fresh.ends_at - site.now()).total_seconds())))


def go(site: Site, answer: Response[str]) -> None:
    """Take the cookie away."""
    answer.set_cookie(_cookie(site, "", 0))


def _cookie(site: Site, value: str, life: int) -> Cookie:
    return Cookie(
        key=cookie_name(site),
        value=value,
        path=f"/{site.name}/desk",
        max_age=life,
        httponly=True,
        samesite="strict",
        secure=site.wiring.base_url.startswith("https://"),
    )


def desk_page(
    request: Asked,
    site: Site,
    entered: Entered | None,
    template: str,
    *,
    here: str = "",
    status: int = 200,
    **values: Any,
) -> Response[str]:
    """A page of the desk in either language, with the navigation that ``entered`` may see; ``here`` is a key of it.

    Templates extend ``desk_base.html`` and may use: ``entered``, ``token`` (for every form), ``desk`` (the address of the
    desk), ``lang`` (to be put behind addresses), ``moment(at)``, ``role(name)``, ``operator``, ``say``.
    """
    tag = language_of(request)
    operator = site.policy().policy.operator.name or site.wiring.title
    frame = {
        "site": site,
        "desk": f"/{site.name}/desk",
        "site_name": operator,
        "operator": operator,
        "entered": entered,
        "token": form_token(site, _bound(entered), new_key()),
        "lang": with_language(request, ""),
        "links": _navigation(request, site, entered, tag, here),
        "languages": languages(request, LANGUAGES, tag),
        "moment": stamp,
        "role": lambda name: role_word(tag, name),
    }
    return page(request, template, tag, status=status, **(frame | values))


def _navigation(
    request: Asked, site: Site, entered: Entered | None, tag: str, here: str
) -> list[tuple[str, str, bool]]:
    if entered is None:
        return []
    seen = [(key, path) for key, path, act in NAVIGATION if may(entered.roles, act)]
    return [(say(tag, f"desk.nav.{key}"), desk_address(request, site, path), key == here) for key, path in seen]


def desk_address(request: Asked, site: Site, path: str) -> str:
    """The address of ``path`` below the desk, in the language that this page was asked in."""
    return with_language(request, f"/{site.name}/desk{path}")


def elsewhere(request: Asked, site: Site, path: str) -> Response[str]:
    """Go on at ``path`` below the desk."""
    return Redirect(desk_address(request, site, path), status_code=303)


def to_login(request: Asked, _: Exception) -> Response[str]:
    """What ``NobodyEntered`` is answered with: the way to log in, and after a form that nothing of it was done."""
    site, tag = site_of(request), language_of(request)
    if request.method != "POST":
        return elsewhere(request, site, "/login")
    lapsed = (say(tag, "desk.lapsed"), say(tag, "desk.lapsed_hint"))
    return desk_page(request, site, None, "desk_login.html", status=403, wrong=lapsed)


def role_word(tag: str, role: str) -> str:
    """What a role is called: those of the desk in the reader's language, the policy's as they are."""
    return str(words(tag)["desk"]["roles"].get(role, role))
