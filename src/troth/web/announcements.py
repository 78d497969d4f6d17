"""What the policy changes, and when: a short page for people, the most material first, and the same for programs.

From the moment a version is published until some days after it took effect. The pages of the operator's own site get it from
``/api/changes``, which any page may read: it holds nothing but what is public.
"""

from __future__ import annotations

from typing import Any

from litestar import Response, get
from litestar.exceptions import NotFoundException

from troth.clock import iso
from troth.messages.posting import announced
from troth.policy.announced import Announced
from troth.policy.compile import Compiled
from troth.policy.news import Said, news
from troth.policy.notice.language import Speaker, language
from troth.store import versions
from troth.store.site import Site
from troth.web.banner import line
from troth.web.editions import Edition, editions, in_force, numbered
from troth.web.pages import Asked, language_of, site_of, site_page


def whats_new(old: Edition, new: Edition, tag: str, site: Site) -> tuple[Said, ...]:
    """How ``new`` differs from ``old`` in the language ``tag``, the most material first."""
    now = site.now()
    return news(old.compiled, new.compiled, old.notice(tag, now), new.notice(tag, now))


@get("/changes", sync_to_thread=True, include_in_schema=False)
def changes_page(request: Asked) -> Response[str]:
    """What changes next, or what changed last."""
    site = site_of(request)
    told = site.policy()
    change = told.coming or told.follows
    return _page(request, site, change) if change else _nothing(request, site)


def _nothing(request: Asked, site: Site) -> Response[str]:
    """There is one version, and none comes: says so, and since when it has been there."""
    compiled, edition = site.policy(), in_force(editions(site), site.now())
    speaker = Speaker(compiled.policy, language(language_of(request, compiled.policy.policy.languages)))
    return site_page(
        request, site, compiled, "changes_none.html", here="versions",
        version=edition.version,
        day=speaker.date(edition.effective_at.date()),
        published=speaker.date(edition.published_at.date()),
    )  # fmt: skip


@get("/changes/{version:int}", sync_to_thread=True, include_in_schema=False)
def change_page(request: Asked) -> Response[str]:
    """What one version changes, or changed."""
    site = site_of(request)
    return _page(request, site, _announced(site, request.path_params["version"]))


def _announced(site: Site, version: int) -> Announced:
    with site.reading() as conn:
        found = {one.version: one for one in versions.announced(conn)}
    if version not in found:
        raise NotFoundException
    return found[version]


def _page(request: Asked, site: Site, change: Announced) -> Response[str]:
    compiled, found = site.policy(), editions(site)
    old, new = numbered(found, change.before), numbered(found, change.version)
    tag = language_of(request, compiled.policy.policy.languages)
    said = whats_new(old, new, tag, site)
    speaker = Speaker(old.compiled.policy, language(tag))
    promised = old.compiled.policy.changes
    return site_page(
        request, site, compiled, "changes.html", here="versions",
        change=change,
        duration=speaker.duration,
        coming=change.coming(site.now()),
        day=speaker.date(change.effective_at.date()),
        published=speaker.date(change.published_at.date()),
        material=[one for one in said if one.significance == "significant"],
        other=[one for one in said if one.significance != "significant"],
        disagree=speaker.text(promised.disagree) if promised and promised.disagree else "",
    )  # fmt: skip


@get("/api/changes", sync_to_thread=True, include_in_schema=False)
def changes_json(request: Asked) -> Response[dict[str, Any]]:
    """What the pages say of changes, for the operator's own: nothing when nothing changes; ``further`` when several come."""
    site = site_of(request)
    compiled = site.policy()
    tag = language_of(request, compiled.policy.policy.languages)
    changes = announced(site, compiled)
    told = [_told(site, compiled, change, tag) for change in changes]
    content = {"announcement": told[0] if told else None, "further": told[1:]}
    headers = {"Cache-Control": "no-store", "Content-Language": tag, "Vary": "Accept-Language"}
    headers |= {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(content, headers=headers)


def _told(site: Site, compiled: Compiled, change: Announced, tag: str) -> dict[str, Any]:
    found, base = editions(site), site.wiring.base_url.rstrip("/")
    said = whats_new(numbered(found, change.before), numbered(found, change.version), tag, site)
    coming = change.coming(site.now())
    return {
        "version": change.version,
        "state": "coming" if coming else "in force",
        "text": line(compiled, change, tag, coming=coming),
        "published_at": iso(change.published_at),
        "effective_at": iso(change.effective_at),
        "what_changes": f"{base}/changes/{change.version}",
        "new_version": f"{base}/versions/{change.version}",
        "old_version": f"{base}/versions/{change.before}",
        "all_versions": f"{base}/versions",
        "changes": [
            {"kind": one.kind, "before": one.before, "after": one.after, "significance": one.significance}
            for one in said
        ],
    }
