"""Who is logged in, as a request shows it: one cookie, declared in the policy, that only this host and no script can read.

What could go wrong: a cookie the policy does not declare; one that another site's page makes a browser send; one that a script
reads; one that is set before anybody asked to log in. So it is set by a log-in alone, lives as long as the policy says, belongs
to this host and this site's pages (no ``Domain``, a ``Path``), and is ``HttpOnly`` and ``SameSite=Lax``; every form of a member
carries a token that is bound to the session; and where the site is served over HTTPS the cookie is ``Secure``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from litestar import Response
from litestar.datastructures import Cookie
from litestar.exceptions import NotFoundException
from litestar.response import Redirect

from troth.accounts.profile import account_point
from troth.accounts.sessions import Member, who
from troth.errors import Refused
from troth.logins.digests import Session
from troth.policy.compile import Compiled
from troth.store.site import Site
from troth.web.guard import refuse_foreign
from troth.web.pages import Asked, language_of, site_of, site_page, with_language
from troth.web.tokens import form_token, new_key, read_form_token
from troth.web.words import say


@dataclass(frozen=True, slots=True)
class Acting:
    """A member at one of their forms: the site, its policy, the language of the answer, and who it is."""

    site: Site
    compiled: Compiled
    tag: str
    member: Member


def here(request: Asked) -> tuple[Site, Compiled, str]:
    """The site, its policy and the language of the answer. Raises ``NotFoundException`` where nobody can have an account."""
    site = site_of(request)
    compiled = site.policy()
    account_point_of(compiled)
    return site, compiled, language_of(request, compiled.policy.policy.languages)


def present(request: Asked) -> Acting | None:
    """The member who looks at a page of theirs; None for everybody else, who are shown where to log in."""
    site, compiled, tag = here(request)
    member = member_of(request, site)
    return Acting(site, compiled, tag, member) if member else None


def acting(request: Asked, data: dict[str, str], form: str) -> Acting:
    """The member who has sent their ``form``. Raises ``Refused`` when nobody is logged in, or the form is another session's."""
    found = present(request)
    if found is None:
        tag = here(request)[2]
        raise Refused(say(tag, "account.nobody"), say(tag, "account.nobody_hint"))
    refuse_forged(request, found.site, found.member, form, data.get("token", ""), found.tag)
    return found


def account_view(
    request: Asked, site: Site, compiled: Compiled, template: str, status: int = 200, **values: Any
) -> Response[str]:
    """A page about accounts."""
    lang = with_language(request, "")
    return site_page(request, site, compiled, template, here="account", status=status, lang=lang, **values)


def elsewhere(request: Asked, site: Site, page: str) -> Response[str]:
    """The way to another page about accounts, and to nowhere else."""
    return Redirect(with_language(request, f"/{site.name}/account{page}"), status_code=303)


def to_log_in(request: Asked) -> Response[str]:
    """Where somebody who is not logged in finds the way."""
    return elsewhere(request, site_of(request), "/login")


def cookie_name(site: Site) -> str:
    """What the cookie is called: sites on one host must not meet."""
    return f"troth-{site.name}"


def member_of(request: Asked, site: Site) -> Member | None:
    """Who is logged in at ``site``; None for everybody else."""
    return who(site, request.cookies.get(cookie_name(site)))


def keep_logged_in(site: Site, answer: Response[str], fresh: Session) -> None:
    """Set the cookie of a fresh session on an answer."""
    life = round((fresh.ends_at - site.now()).total_seconds())
    answer.set_cookie(_cookie(site, fresh.secret, life))


def let_go(site: Site, answer: Response[str]) -> None:
    """Take the cookie away."""
    answer.set_cookie(_cookie(site, "", 0))


def _cookie(site: Site, value: str, life: int) -> Cookie:
    return Cookie(
        key=cookie_name(site),
        value=value,
        path=f"/{site.name}",
        max_age=life,
        httponly=True,
        samesite="lax",
        secure=site.wiring.base_url.startswith("https://"),
    )


def account_point_of(compiled: Compiled) -> str:
    """The point where accounts are opened. Raises ``NotFoundException`` when there is none: then there is no such page."""
    point = account_point(compiled)
    if point is None:
        raise NotFoundException
    return point


def member_token(site: Site, member: Member | None, form: str) -> str:
    """The token of a form of a member, or of somebody who is about to become one."""
    return form_token(site, _bound(member, form), new_key())


def refuse_forged(request: Asked, site: Site, member: Member | None, form: str, token: str, tag: str) -> None:
    """Refuse a form that this session did not open within the last hours. Raises ``Refused``."""
    refuse_foreign(request, say(tag, "form.foreign"), say(tag, "form.foreign_hint"))
    if read_form_token(site, _bound(member, form), token) is None:
        raise Refused(say(tag, "form.foreign"), say(tag, "form.foreign_hint"))


def _bound(member: Member | None, form: str) -> str:
    return f"{form}:{member.digest.hex() if member else 'nobody'}"
