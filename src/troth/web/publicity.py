"""The pages on which a member decides what everybody may see, and the page that everybody sees.

What could go wrong: something becomes public by a slip, or by a form that another page sent; a page in a search engine that
its member wanted for friends; a copy in a cache after it was taken back; an address that says whose account it is. So what
becomes public anew is shown once more, with what that means, and the button there is bound to exactly these fields; taking
back needs no second page; the public page is kept by nobody (``no-store``), tells search engines to stay away unless its
member wants them, and is counted as a visit without the end of its address.
"""

from __future__ import annotations

from collections.abc import Mapping

from litestar import Response, get, post
from litestar.exceptions import NotFoundException

from troth.accounts.publicity import actions as publicity
from troth.accounts.publicity.rules import NOTHING, Choice, Way, fresh
from troth.policy.notice.language import Speaker, capital, language
from troth.web.members import Acting, account_view, acting, elsewhere, member_token, present, to_log_in
from troth.web.pages import Asked, language_of, site_of, site_page
from troth.web.sent import FORM, Sent
from troth.web.visits import SECRET_PATH
from troth.web.words import say

SHOW = "show."


@get("/account/public", sync_to_thread=True, include_in_schema=False)
def choose_page(request: Asked) -> Response[str]:
    """What this member shows, field by field."""
    at = present(request)
    if at is None:
        return to_log_in(request)
    ways = _ways(at)
    chosen, name = publicity.chosen(at.site, at.member)
    return account_view(
        request, at.site, at.compiled, "public_choose.html",
        rows=_rows(at, ways, ways), chosen=chosen, page=_address(at, name) if name else "",
        token=member_token(at.site, at.member, "public"),
    )  # fmt: skip


def _ways(at: Acting) -> Mapping[str, Way]:
    """What can be shown. Raises ``NotFoundException`` where the policy names no public: then there is no such page."""
    found = publicity.ways(at.site, at.compiled, at.member)
    if not found:
        raise NotFoundException
    return found


def _address(at: Acting, name: str) -> str:
    return f"/{at.site.name}/profiles/{name}"


def _rows(at: Acting, ways: Mapping[str, Way], fields: Mapping[str, Way]) -> list[tuple[str, str, str]]:
    """Field, what it is called, and what it says now."""
    values, speaker = publicity.values(at.site, at.member, ways), Speaker(at.compiled.policy, language(at.tag))
    return [(field, capital(speaker.label(field)), values.get(field, "")) for field in fields]


def _chosen(data: Mapping[str, str]) -> Choice:
    fields = frozenset(key.removeprefix(SHOW) for key, value in data.items() if key.startswith(SHOW) and value == "yes")
    return Choice(fields, data.get("searchable") == "yes")


@post("/account/public", **FORM)
def choose(request: Asked, data: Sent) -> Response[str]:
    """Take back at once what was unticked; show once more, before it is saved, what would become public."""
    at = acting(request, data, "public")
    ways, wanted = _ways(at), _chosen(data)
    before, _ = publicity.chosen(at.site, at.member)
    if not fresh(before, wanted) or wanted.fields - ways.keys():
        return _save(request, at, wanted)
    shown = {field: way for field, way in ways.items() if field in wanted.fields}
    return account_view(
        request, at.site, at.compiled, "public_before.html",
        rows=_rows(at, ways, shown), wanted=wanted, token=member_token(at.site, at.member, _bound(wanted)),
    )  # fmt: skip


def _bound(wanted: Choice) -> str:
    """What the second button is bound to: these fields and no others."""
    return f"public {' '.join(sorted(wanted.fields))} {wanted.searchable}"


@post("/account/public/save", **FORM)
def save(request: Asked, data: Sent) -> Response[str]:
    """Make public what the page before has shown."""
    wanted = _chosen(data)
    return _save(request, acting(request, data, _bound(wanted)), wanted)


@post("/account/public/stop", **FORM)
def stop(request: Asked, data: Sent) -> Response[str]:
    """Take everything back at once."""
    return _save(request, acting(request, data, "public"), NOTHING)


def _save(request: Asked, at: Acting, wanted: Choice) -> Response[str]:
    words = " ".join(say(at.tag, f"public.{key}") for key in ("before_all", "before_back", "before_gone"))
    publicity.choose(at.site, at.member, wanted, words, at.tag)
    return elsewhere(request, at.site, "/public")


@get("/profiles/{name:str}", sync_to_thread=True, opt={SECRET_PATH: True}, include_in_schema=False)
def profile_page(request: Asked) -> Response[str]:
    """What a member shows to everybody, and nothing else of them."""
    site = site_of(request)
    compiled = site.policy()
    found = publicity.page(site, request.path_params["name"])
    if found is None:
        raise NotFoundException
    speaker = Speaker(compiled.policy, language(language_of(request, compiled.policy.policy.languages)))
    rows = [(capital(speaker.label(field)), value) for field, value in found.values.items()]
    answer = site_page(request, site, compiled, "public.html", rows=rows, searchable=found.searchable)
    if not found.searchable:
        answer.headers["X-Robots-Tag"] = "noindex, noarchive"
    return answer


PAGES = (choose_page, choose, save, stop, profile_page)
"""Every page of this file."""
