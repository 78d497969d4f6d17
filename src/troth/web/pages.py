"""What every page needs: its site, its language, its frame, and how it is sent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from litestar import Request, Response
from litestar.exceptions import NotFoundException

from troth.accounts.profile import account_point
from troth.policy.compile import Compiled
from troth.store.site import Site
from troth.verdicts import MARKS
from troth.web.banner import banner
from troth.web.words import LANGUAGES, chosen, say, words

Asked = Request[Any, Any, Any]
HTML = "text/html"


def site_of(request: Asked) -> Site:
    """The site that the address names. Raises ``NotFoundException``."""
    site: Site | None = request.app.state.sites.get(request.path_params.get("site_name"))
    if site is None:
        raise NotFoundException
    return site


def language_of(request: Asked, offered: Sequence[str] = LANGUAGES) -> str:
    """The language of the answer: ``?lang=``, else what the browser prefers, else the first that is offered."""
    asked = request.query_params.get("lang")
    return chosen(asked if isinstance(asked, str) else None, request.headers.get("accept-language"), offered)


def render(template: str, tag: str, **values: Any) -> str:
    """The page ``template`` in the language ``tag``. ``say(key, **terms)`` gives templates their words."""

    def spoken(key: str, **terms: object) -> str:
        return say(tag, key, **terms)

    frame = {"language": tag, "say": spoken, "w": words(tag), "skip": say(tag, "page.skip"), "styles": []}
    frame |= {
        "language_word": say(tag, "page.language"),
        "base_path": "",
        "languages": [],
        "links": [],
        "announcement": None,
    }
    return _environment().get_template(template).render(frame | values)


def page(request: Asked, template: str, tag: str, *, status: int = 200, **values: Any) -> Response[str]:
    """A page as a response in the language ``tag``. It may hold what somebody typed, so nobody keeps a copy."""
    return html(render(template, tag, **values), tag, status)


def html(content: str, tag: str, status: int = 200) -> Response[str]:
    """``content`` as a response that says its language."""
    headers = {"Content-Language": tag, "Vary": "Accept-Language", "Cache-Control": "no-store"}
    return Response(content, status_code=status, media_type=HTML, headers=headers)


def site_page(
    request: Asked, site: Site, compiled: Compiled, template: str, *, here: str = "", status: int = 200, **values: Any
) -> Response[str]:
    """A page of one site: with its name, its own languages and the way to its other pages."""
    tag = language_of(request, compiled.policy.policy.languages)
    frame = {
        "site": site,
        "base": f"/{site.name}",
        "site_name": compiled.policy.operator.name or site.wiring.title,
        "operator": compiled.policy.operator.name or site.wiring.title,
        "links": links(request, site, compiled, tag, here),
        "languages": languages(request, compiled.policy.policy.languages, tag),
        "announcement": banner(site, compiled, tag, with_language(request, "")),
    }
    return page(request, template, tag, status=status, **(frame | values))


def links(request: Asked, site: Site, compiled: Compiled, tag: str, here: str = "") -> list[tuple[str, str, bool]]:
    """The pages of a site as words, address and whether the reader is there; with the language, if one was asked for."""
    shown = ["notice", "forms", *(["account"] if account_point(compiled) else []), "privacy", "versions"]
    shown += ["mailbox"] if request.app.state.mailbox is not None else []
    found = [("home", "/")] + [(key, f"/{site.name}/" + ("" if key == "notice" else key)) for key in shown]
    return [(say(tag, f"page.{key}"), with_language(request, address), key == here) for key, address in found]


def with_language(request: Asked, address: str) -> str:
    """``address`` in the language that this page was asked in, if it was asked in one."""
    tag = request.query_params.get("lang")
    return f"{address}?{urlencode({'lang': tag})}" if tag in LANGUAGES else address


def languages(request: Asked, offered: Sequence[str], tag: str) -> list[tuple[str, str, str, bool]]:
    """The languages of this page: tag, own name, address, whether it is this one.

    None on the answer to a form: its address may take no visitor, and going there would lose what was typed, what is shown
    once, or the visit.
    """
    if request.method == "POST":
        return []
    return [(one, own_name(one), address_in(request, one), one == tag) for one in offered]


def address_in(request: Asked, tag: str) -> str:
    """The address of this page in the language ``tag``."""
    return f"{request.url.path}?{urlencode({'lang': tag})}"


@cache
def own_name(tag: str) -> str:
    """What speakers of the language ``tag`` call it."""
    from troth.policy.notice.language import language

    return str(language(tag).tree["name"])


@cache
def _environment() -> Environment:
    environment = Environment(loader=PackageLoader("troth.web"), autoescape=True, undefined=StrictUndefined)
    environment.globals["marks"] = MARKS
    return environment


def text(content: str, media_type: str = "text/plain", headers: Mapping[str, str] | None = None) -> Response[str]:
    """``content`` as it is."""
    return Response(content, media_type=media_type, headers=dict(headers or {}))
