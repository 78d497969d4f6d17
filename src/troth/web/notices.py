"""The notice of a site, with the evidence beside each promise, and the archive of all its versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from litestar import Response, get

from troth.policy.news import Said
from troth.policy.notice import as_markdown
from troth.policy.notice.language import Speaker, language
from troth.store.site import Site
from troth.verdicts import MARKS, VERDICTS
from troth.web.announcements import whats_new
from troth.web.banner import Banner, banner
from troth.web.editions import Edition, before, editions, in_force, numbered
from troth.web.evidence import Shown, beside, differences, tally
from troth.web.notice_page import render_page
from troth.web.pages import Asked, address_in, html, language_of, links, site_of, site_page, text, with_language
from troth.web.words import say, words


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
    counted, speaker = (
        tally(len(edition.compiled.promises), seen or {}),
        Speaker(edition.compiled.policy, language(tag)),
    )
    content = render_page(
        edition.notice(tag, site.now()),
        beside(seen or {}, site.now(), tag),
        languages={other: address_in(request, other) for other in languages},
        links=links(request, site, edition.compiled, tag, here),
        announcement=_announcement(request, site, found, tag),
        words_at=with_language(request, f"/{site.name}/words"),
        tally=(counted.words(tag), counted.checked(site.now(), speaker)) if counted.checked_at else (),
        remark=_remark(edition, site, tag) if not current else _of_evidence(seen, tag),
    )
    return html(content, tag)


def _of_evidence(seen: Mapping[str, Shown] | None, tag: str) -> str:
    return say(tag, "index.checking_note") if seen is None else differences(seen, tag)


def _announcement(request: Asked, site: Site, found: list[Edition], tag: str) -> Banner | None:
    """What is said of a change; nothing before the first version applies, nor while there is no other."""
    if len(found) == 1 or in_force(found, site.now()).effective_at > site.now():
        return None
    return banner(site, site.policy(), tag, with_language(request, ""), on_the_notice=True)


def _remark(edition: Edition, site: Site, tag: str) -> str:
    if edition.taken_back:
        return say(tag, "versions.back_note")
    return say(tag, "versions.coming_note" if edition.effective_at > site.now() else "versions.old_note")


@get("/words", sync_to_thread=True, include_in_schema=False)
def words_page(request: Asked) -> Response[str]:
    """What the words beside the sentences, and in the evidence, mean."""
    site = site_of(request)
    compiled = site.policy()
    tag = language_of(request, compiled.policy.policy.languages)
    said, named = words(tag)["glossary"], language(tag).tree["page"]
    return site_page(
        request, site, compiled, "words.html", here="notice",
        verdicts=[(named[one], MARKS[one], said["of_verdicts"][one]) for one in VERDICTS],
        meanings=[(word, "", meaning) for word, meaning in said["of_words"]],
    )  # fmt: skip


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
    """One version in the archive. ``changes`` is None for the first, and for one that was taken back."""

    number: int
    title: str
    state: str
    days: tuple[str, ...]
    changes: tuple[Said, ...] | None
    first: bool = False


@get("/versions", sync_to_thread=True, include_in_schema=False)
def versions_page(request: Asked) -> Response[str]:
    """All versions, newest first, each with what it changed."""
    site = site_of(request)
    found = editions(site)
    current = in_force(found, site.now())
    tag = language_of(request, current.compiled.policy.policy.languages)
    lines = [_line(site, found, edition, current, tag) for edition in found]
    told = _announcement(request, site, found, tag)
    duration = Speaker(current.compiled.policy, language(tag)).duration
    return site_page(
        request, site, current.compiled, "versions.html", here="versions",
        lines=lines, announcement=told, duration=duration,
    )  # fmt: skip


def _line(site: Site, found: list[Edition], edition: Edition, current: Edition, tag: str) -> Line:
    speaker = Speaker(edition.compiled.policy, language(tag))
    previous = None if edition.taken_back else before(found, edition)
    state = _state(edition, current, site)
    since = "versions.since" if state == "current" else "versions.from"
    effective, published = (speaker.date(day.date()) for day in (edition.effective_at, edition.published_at))
    said = ((since, effective), ("versions.published", published))[edition.taken_back :]
    days = tuple(say(tag, key, date=day) for key, day in said)
    told = whats_new(previous, edition, tag, site) if previous else None
    title = say(tag, "versions.line", version=edition.version)
    return Line(edition.version, title, say(tag, f"versions.{state}"), days, told, edition is found[-1])


def _state(edition: Edition, current: Edition, site: Site) -> str:
    if edition.taken_back:
        return "back"
    return "current" if edition == current else "coming" if edition.effective_at > site.now() else "earlier"
