"""The notice of a site, with the evidence beside each promise, and the archive of all its versions."""

from __future__ import annotations

from dataclasses import dataclass

from litestar import Response, get

from troth.policy.notice import as_markdown
from troth.policy.notice.language import Speaker, language
from troth.store.site import Site
from troth.web.changes import changes
from troth.web.editions import Edition, before, editions, in_force, numbered
from troth.web.evidence import beside
from troth.web.notice_page import render_page
from troth.web.pages import Asked, address_in, html, language_of, links, site_of, site_page, text
from troth.web.words import say


@get("/", sync_to_thread=True, include_in_schema=False)
def notice_page(request: Asked) -> Response[str]:
    """The notice in force."""
    site = site_of(request)
    found = editions(site)
    return _read(request, site, found, in_force(found, site.now()), "notice")


@get("/versions/{version:int}", sync_to_thread=True, include_in_schema=False)
def version_page(request: Asked) -> Response[str]:
    """One version, whether it applies or not."""
    site = site_of(request)
    found = editions(site)
    return _read(request, site, found, numbered(found, request.path_params["version"]), "")


def _read(request: Asked, site: Site, found: list[Edition], edition: Edition, here: str) -> Response[str]:
    languages = edition.compiled.policy.policy.languages
    tag = language_of(request, languages)
    current = in_force(found, site.now()) == edition
    seen = request.app.state.watch.of(site) if current else {}
    content = render_page(
        edition.notice(tag, site.now()),
        beside(seen or {}, site.now(), tag),
        languages={other: address_in(request, other) for other in languages},
        links=links(request, site, edition.compiled, tag, here),
        remark=_remark(edition, site, tag) if not current else say(tag, "index.checking_note") if seen is None else "",
    )
    return html(content, tag)


def _remark(edition: Edition, site: Site, tag: str) -> str:
    return say(tag, "versions.coming_note" if edition.effective_at > site.now() else "versions.old_note")


@get("/notice.md", sync_to_thread=True, include_in_schema=False)
def notice_markdown(request: Asked) -> Response[str]:
    """The notice in force as Markdown."""
    site = site_of(request)
    edition = in_force(editions(site), site.now())
    tag = language_of(request, edition.compiled.policy.policy.languages)
    headers = {"Content-Language": tag, "Vary": "Accept-Language"}
    return text(as_markdown(edition.notice(tag, site.now())), "text/markdown", headers)


@dataclass(frozen=True)
class Line:
    """One version in the archive. ``changes`` is None for the first."""

    number: int
    title: str
    state: str
    days: tuple[str, ...]
    changes: object


@get("/versions", sync_to_thread=True, include_in_schema=False)
def versions_page(request: Asked) -> Response[str]:
    """All versions, newest first, each with what it changed."""
    site = site_of(request)
    found = editions(site)
    current = in_force(found, site.now())
    tag = language_of(request, current.compiled.policy.policy.languages)
    lines = [_line(site, found, edition, current, tag) for edition in found]
    return site_page(request, site, current.compiled, "versions.html", here="versions", lines=lines)


def _line(site: Site, found: list[Edition], edition: Edition, current: Edition, tag: str) -> Line:
    speaker = Speaker(edition.compiled.policy, language(tag))
    previous = before(found, edition)
    state = "current" if edition == current else "coming" if edition.effective_at > site.now() else "earlier"
    since = "versions.since" if state == "current" else "versions.from"
    effective, published = (speaker.date(day.date()) for day in (edition.effective_at, edition.published_at))
    days = (say(tag, since, date=effective), say(tag, "versions.published", date=published))
    told = changes(previous.notice(tag, site.now()), edition.notice(tag, site.now())) if previous else None
    title = say(tag, "versions.line", version=edition.version)
    return Line(edition.version, title, say(tag, f"versions.{state}"), days, told)
