"""The first page: the operators that are served, and how they keep what they promise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from litestar import Response, get

from troth.errors import TrothError
from troth.policy.compile import Compiled
from troth.policy.notice.language import Speaker, language
from troth.store.site import Site
from troth.web.evidence import Shown, Tally, tally
from troth.web.forms import public_points
from troth.web.pages import Asked, language_of, own_name, page, with_language
from troth.web.words import LANGUAGES, say


@dataclass(frozen=True)
class Card:
    """One operator on the index. ``tally`` is None when the site does not answer."""

    title: str
    base: str
    operator: str = ""
    covers: str = ""
    version: str = ""
    forms: int = 0
    tally: Tally | None = None
    checking: bool = False
    checked: str = ""


@get("/", sync_to_thread=True, opt={"unrecorded": True}, include_in_schema=False)
def index(request: Asked) -> Response[str]:
    """The operators, each with what it covers, its policy version, its promises and its forms."""
    tag = language_of(request)
    cards = [_card(request, site, tag) for site in request.app.state.sites.values()]
    title = say(tag, "index.title")
    languages = [(other, own_name(other), f"/?lang={other}", other == tag) for other in LANGUAGES]
    return page(request, "index.html", tag, cards=cards, title=title, site_name="Troth", languages=languages,
                suffix=with_language(request, ""))  # fmt: skip


def _card(request: Asked, site: Site, tag: str) -> Card:
    try:
        compiled = site.policy()
        shown = request.app.state.watch.of(site)
    except TrothError:
        return Card(site.wiring.title, f"/{site.name}/")
    return _answering(site, compiled, shown, tag, site.now())


def _answering(site: Site, compiled: Compiled, shown: Mapping[str, Shown] | None, tag: str, now: datetime) -> Card:
    counted = tally(len(compiled.promises), shown or {})
    speaker = Speaker(compiled.policy, language(tag))
    header = compiled.policy.policy
    day = {"date": speaker.date(header.effective)} if header.effective else {}
    return Card(
        title=site.wiring.title,
        base=f"/{site.name}/",
        operator=compiled.policy.operator.name or "",
        covers=speaker.every(speaker.texts(header.covers)),
        version=say(tag, "index.version" if day else "index.undated", version=compiled.version, **day),
        forms=len(public_points(compiled)),
        tally=counted,
        checking=shown is None,
        checked=counted.checked(now, speaker),
    )
