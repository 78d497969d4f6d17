"""The notice as a web page: one document, readable without a script, printable, and whole in one file when asked.

What stands on the page comes from the policy and from the operator, so everything is escaped, except the pictures, which
are drawn and escaped in ``policy.notice.pictures``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from troth.errors import TrothError
from troth.policy.notice import Listed, Notice
from troth.policy.notice.language import language
from troth.verdicts import MARKS, Verdict
from troth.web.banner import Banner

_LINK = re.compile(r"(?P<url>https?://[^\s<>()，。；]+[^\s<>()，。；.,;:])|(?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What stands beside one sentence: whether it is kept, the measured fact, and when it was checked; in words."""

    verdict: Verdict
    text: str = ""
    checked: str = ""
    uncovered: str = ""
    """the parts of the sentence that are not proven"""


def render_page(
    notice: Notice,
    evidence: Mapping[str, Evidence] | None = None,
    base_path: str = "",
    languages: Mapping[str, str] | None = None,
    inline: bool = False,
    links: Sequence[tuple[str, str, bool]] = (),
    remark: str = "",
    announcement: Banner | None = None,
    tally: Sequence[str] = (),
    words_at: str = "",
) -> str:
    """The page of ``notice`` as HTML.

    ``evidence`` is by promise id. ``base_path`` stands before the addresses of style sheets. ``languages`` maps the other
    languages to the addresses of their pages. ``inline`` writes the style sheets into the page, so that it is one file.
    ``links`` are other pages of the site (words, address, whether it is this one), ``remark`` a line above the title,
    ``announcement`` that the policy changes, ``tally`` how many promises are kept and when that was looked at,
    ``words_at`` the address of the page that says what the words of the evidence mean.

    Raises:
        TrothError: for ``inline`` when the style sheets were not fetched yet.
    """
    return (
        _environment()
        .get_template("notice.html")
        .render(
            notice=notice,
            evidence=dict(evidence or {}),
            words=notice.words,
            language=notice.language,
            site_name=notice.operator,
            base_path=base_path.rstrip("/"),
            languages=list(_languages(notice, languages or {})),
            language_word=notice.words["language"],
            skip=notice.words["skip"],
            links=links,
            remark=remark,
            announcement=announcement,
            tally=tally,
            words_at=words_at,
            styles=[Markup(style_sheet(name)) for name in ("vendor/pico.min.css", "troth.css")] if inline else [],  # noqa: S704
        )
    )


def _languages(notice: Notice, addresses: Mapping[str, str]) -> Iterator[tuple[str, str, str, bool]]:
    for tag in notice.languages:
        if tag == notice.language or tag in addresses:
            yield tag, str(language(tag).tree["name"]), addresses.get(tag, ""), tag == notice.language


@cache
def _environment() -> Environment:
    environment = Environment(loader=PackageLoader("troth.web"), autoescape=True, undefined=StrictUndefined)
    environment.filters.update(linked=linked, outside=_outside)
    environment.globals["marks"] = MARKS
    return environment


def linked(text: str, words: Mapping[str, str]) -> Markup:
    """``text`` escaped, with web and e-mail addresses as links; those that leave the site are marked and tell it nothing."""
    parts, end = [], 0
    for match in _LINK.finditer(text):
        parts += [escape(text[end : match.start()]), _link(match, words)]
        end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


def _link(match: re.Match[str], words: Mapping[str, str]) -> Markup:
    if match["mail"]:
        return Markup('<a href="mailto:{0}">{0}</a>').format(match["mail"])
    return outside_link(match["url"], match["url"], words)


def outside_link(url: str, text: str, words: Mapping[str, str]) -> Markup:
    """A link that leaves the site: marked as such, without a referrer."""
    link = Markup(
        '<a class="outside" href="{}" rel="noopener noreferrer external" referrerpolicy="no-referrer">{}'
        '<span class="unseen"> ({})</span></a>'
    )
    return link.format(url, text, words["outside"])


def _outside(line: Listed, words: Mapping[str, str]) -> Markup:
    return outside_link(line.url, line.text, words) if line.url else escape(line.text)


@cache
def style_sheet(name: str) -> str:
    """One of our style sheets, to be written into a page. Raises ``TrothError`` when it was not fetched yet."""
    sheet = files("troth.web").joinpath("static", name)
    if not sheet.is_file():
        raise TrothError(f"the style sheet {name} is missing.", "`make setup` fetches it.")
    return sheet.read_text(encoding="utf-8").replace("</", "<\\/")
