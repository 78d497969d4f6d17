"""What is held about a person, as a page, as part of a page, and as copies to take away.

What could go wrong: a copy that a browser or a proxy keeps; one that somebody else's page makes a browser fetch; a name of a
file or a header that a value found its way into. So copies come by POST with the token of a session, are never stored on the
way, and are named after the site alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from litestar import Response, get, post
from litestar.response import Redirect, Stream
from markupsafe import Markup

from troth.errors import InvalidInput
from troth.people.vault import By
from troth.rights.copy.as_csv import as_csv
from troth.rights.copy.as_json import as_json
from troth.rights.copy.as_pdf import as_pdf, printable_language
from troth.rights.copy.masks import NONE, Masks
from troth.rights.copy.model import Overview
from troth.rights.copy.overview import everything_told, overview
from troth.rights.copy.pictures import received, timeline
from troth.rights.copy.reading import page as reading
from troth.rights.copy.words import words
from troth.store.site import Site
from troth.web.members import account_point_of, member_of, member_token, refuse_forged
from troth.web.notice_page import style_sheet
from troth.web.pages import Asked, language_of, render, site_of, site_page, with_language
from troth.web.sent import FORM, Sent

Format = Literal["html", "pdf", "json", "csv"]
FORMATS: tuple[Format, ...] = get_args(Format)
_MEDIA: dict[Format, str] = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "json": "application/json",
    "csv": "application/zip",
}
MOST_SHOWN = 200
"""records on a page; the copies hold all"""
MOST_PRINTED = 1000
"""records in a PDF, which is set as a whole: more would keep a worker busy for minutes. It says how many there are"""


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy to hand out: the name of the file, its kind, and its content in pieces."""

    name: str
    media_type: str
    content: Iterator[bytes]


def shown(told: Overview) -> dict[str, Any]:
    """What the template ``held.html`` needs to show ``told``: ``everything(page, timeline, received, copies)``."""
    tag = told.about.language
    return {"page": reading(told), "timeline": timeline(told), "received": received(told), "copies": words(tag)}


def fragment(told: Overview, level: int = 2) -> Markup:
    """``told`` in a box of the class ``held``, on a page that links ``/static/held.css``; its headings begin at ``level``."""
    part = render("held_fragment.html", told.about.language, level=level, **shown(told))
    return Markup(part)  # noqa: S704  (escaped by the template)


def readable(told: Overview) -> str:
    """``told`` as one page with its styles inside. Raises ``TrothError`` when the style sheets were not fetched yet."""
    sheets = ("vendor/pico.min.css", "troth.css", "pages.css", "held.css")
    styles = [Markup(style_sheet(name)) for name in sheets]  # noqa: S704  (our own files)
    return render("copy.html", told.about.language, site_name=told.about.operator, styles=styles, **shown(told))


def copy_of(site: Site, person_id: str, by: By, tag: str, kind: str, masks: Masks = NONE) -> Copy:
    """A copy of everything that is held about a person. ``kind`` is one of ``FORMATS``; JSON and CSV are made as they are sent.

    Raises:
        InvalidInput: when there is no such format.
        Refused, StoreError: as ``everything_told`` does, before anything is sent.
    """
    if kind not in FORMATS:
        raise InvalidInput("There is no copy in this format.", {"format": "html, pdf, json or csv"})
    ending = "zip" if kind == "csv" else kind
    return Copy(f"{site.name}-my-data.{ending}", _MEDIA[kind], _content(site, person_id, by, tag, kind, masks))


def _content(site: Site, person_id: str, by: By, tag: str, kind: Format, masks: Masks) -> Iterator[bytes]:
    if kind == "json":
        return as_json(everything_told(site, person_id, by, tag, masks))
    if kind == "csv":
        return as_csv(everything_told(site, person_id, by, tag, masks))
    if kind == "pdf":
        told = overview(site, person_id, by, printable_language(tag), masks, most=MOST_PRINTED)
        return iter((as_pdf(told, asked=tag),))
    return iter((readable(overview(site, person_id, by, tag, masks, most=None)).encode(),))


def handed_out(copy: Copy) -> Stream:
    """``copy`` as an answer that browsers save and nobody keeps."""
    headers = {"Content-Disposition": f'attachment; filename="{copy.name}"', "Cache-Control": "no-store"}
    return Stream(copy.content, media_type=copy.media_type, headers=headers)


@get("/account/data", sync_to_thread=True, include_in_schema=False)
def data_page(request: Asked) -> Response[str]:
    """A member's page of all that is held about them."""
    site = site_of(request)
    compiled = site.policy()
    account_point_of(compiled)
    member = member_of(request, site)
    if member is None:
        return Redirect(with_language(request, f"/{site.name}/account/login"), status_code=303)
    tag = language_of(request, compiled.policy.policy.languages)
    told = overview(site, member.person_id, By("person", ref=member.person_id), tag, most=MOST_SHOWN)
    return site_page(
        request, site, compiled, "data.html", here="account",
        action=with_language(request, f"/{site.name}/account/data"),
        formats=FORMATS,
        token=member_token(site, member, "copy"),
        **shown(told),
    )  # fmt: skip


@post("/account/data", **FORM)
def take_copy(request: Asked, data: Sent) -> Response[Any]:
    """A member's copy, in the format that the form names."""
    site = site_of(request)
    compiled = site.policy()
    account_point_of(compiled)
    member = member_of(request, site)
    if member is None:
        return Redirect(with_language(request, f"/{site.name}/account/login"), status_code=303)
    tag = language_of(request, compiled.policy.policy.languages)
    refuse_forged(request, site, member, "copy", data.get("token", ""), tag)
    by = By("person", ref=member.person_id)
    return handed_out(copy_of(site, member.person_id, by, tag, data.get("format", "")))


PAGES = (data_page, take_copy)
"""Every page of this file."""
