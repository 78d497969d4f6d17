"""The report of a rehearsal as one page: no script, nothing fetched, light and dark, and whole on paper.

What stands on it comes from the document that programs get, so that page and JSON cannot differ. Everything is escaped, except
the picture, which is drawn and escaped in ``rehearsal.picture``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from troth.policy.notice.language import capital
from troth.policy.notice.tally import tally_words
from troth.rehearsal.document import Document
from troth.rehearsal.picture import Drawn, style
from troth.rehearsal.sentences import WRONG, day_words, happened_words, plural, seconds_words
from troth.verdicts import MARKS, Verdict
from troth.web.notice_page import style_sheet

MEANS: Mapping[Verdict, str] = {
    "broken": "What was measured is not what was promised",
    "not proven": "Nothing can show it at present",
    "nothing to check yet": "There was no case so far",
    "attested": "No program can check it; somebody on the staff answers for it",
    "kept": "What was measured is what was promised",
}


def render_rehearsal(document: Document, picture: Drawn | None, under_the_draft: Drawn | None = None) -> str:
    """The page as HTML, with the picture of the year and, where there was a draft, that of the year under it.

    Raises:
        TrothError: when the style sheets were not fetched yet.
    """
    sheets = [style_sheet(name) for name in ("vendor/pico.min.css", "troth.css", "rehearsal.css")]
    return (
        _environment()
        .get_template("rehearsal.html")
        .render(
            language="en",
            site_name=document.title,
            base_path="",
            links=[],
            announcement=None,
            languages=[],
            styles=[Markup(sheet) for sheet in (*sheets, style())],  # noqa: S704  (our own files)
            document=document,
            promises={word: rows for word in MEANS if (rows := [p for p in document.promises if p.verdict == word])},
            tally=tally_words(document.summary),
            picture=picture,
            under_the_draft=under_the_draft,
            marks=MARKS,
            means=MEANS,
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(loader=PackageLoader("troth.web"), autoescape=True, undefined=StrictUndefined)
    environment.filters.update(
        number="{:,}".format,
        counted=plural,
        seconds=seconds_words,
        day=day_words,
        happened=happened_words,
        wrong=lambda kind: capital(WRONG[kind]),
    )
    return environment
