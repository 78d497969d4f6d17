"""Asking for something without an account: which rights there are, a form, and one answer whatever becomes of it.

What could go wrong: the page tells whether somebody is known here, by its words or by how long it takes. So it says the same
to everybody, and everything else is said in a message to the address that was given.
"""

from __future__ import annotations

from typing import Any

from litestar import Response, get, post

from troth.errors import InvalidInput
from troth.policy.compile import Compiled
from troth.policy.notice.language import Speaker, language
from troth.rights.intake import receive
from troth.rights.replies import words_in
from troth.rights.rules import Intake, terms
from troth.web.members import member_of, member_token, refuse_forged
from troth.web.pages import Asked, language_of, site_of, site_page, with_language
from troth.web.sent import FORM, Loose, texts, to_mend, without_cards
from troth.web.tokens import key_from
from troth.web.words import problem, say

OFFERED = (
    *("access", "copy", "portability", "correction", "erasure", "restriction", "objection", "withdrawal"),
    *("stop marketing", "review", "complaint"),
)
"""in this order on the page, as far as the policy or a law offers them; a question can always be asked"""
ASK = "privacy request"
ASKED = ("right", "email", "name", "text")


def rights_on_web(compiled: Compiled, tag: str) -> list[tuple[str, str, str]]:
    """What can be asked for: the right, its words, and by when it is answered."""
    speaker = Speaker(compiled.policy, language(tag))
    offered = [(one, terms(compiled, one)) for one in OFFERED]
    words = words_in(tag)["rights"]
    found = [(one, speaker.finish(words[one]), speaker.duration(said.within)) for one, said in offered if said.offered]
    return [
        *found,
        ("question", speaker.finish(words["question"]), speaker.duration(terms(compiled, "question").within)),
    ]


@get("/privacy", sync_to_thread=True, include_in_schema=False)
def privacy_page(request: Asked) -> Response[str]:
    """What people can do about their data here, and the form to ask with."""
    return _page(request, {}, {})


def _page(
    request: Asked, typed: dict[str, str], problems: dict[str, str], status: int = 200, sent: bool = False
) -> Response[str]:
    site = site_of(request)
    compiled = site.policy()
    tag = language_of(request, compiled.policy.policy.languages)
    said = {key: problem(tag, words) for key, words in problems.items()}
    places = {"right": ("r-1", say(tag, "privacy.what"))} | {
        key: (key, say(tag, f"privacy.{key}")) for key in ASKED[1:]
    }
    return site_page(
        request, site, compiled, "privacy.html", here="privacy", status=status,
        rights=rights_on_web(compiled, tag),
        typed=dict.fromkeys(ASKED, "") | without_cards(typed),
        problems=dict.fromkeys(ASKED, "") | said,
        summary=to_mend(places, said, say(tag, "form.unknown")),
        sent=sent,
        lang=with_language(request, ""),
        token=member_token(site, None, ASK),
        member=member_of(request, site) is not None,
        email=compiled.policy.operator.email or "",
        address=compiled.policy.operator.address or "",
    )  # fmt: skip


@post("/privacy/request", **FORM)
def ask(request: Asked, data: Loose) -> Response[str]:
    """Take in a request: the page says the same whoever asks, and for whatever."""
    site = site_of(request)
    compiled = site.policy()
    tag = language_of(request, compiled.policy.policy.languages)
    sent = texts(data)
    refuse_forged(request, site, None, ASK, sent.get("token", ""), tag)
    typed = {key: sent.get(key, "").strip() for key in ASKED}
    problems = _problems(compiled, typed, tag)
    if problems:
        return _page(request, typed, problems, 422)
    # A page that is gone back to is sent anew: the same once, and anything else in it is another request.
    key = key_from(ASK, repr([sent.get("token", ""), *typed.values()]))
    client: Any = request.scope.get("client")
    wish = Intake(
        typed["right"], "web", f"web:{key}", typed["email"], typed["name"], typed["text"],
        ip=client[0] if client else "", language=tag,
    )  # fmt: skip
    try:
        receive(site, wish)
    except InvalidInput as error:
        return _page(request, typed, error.problems, 422)
    return _page(request, {}, {}, sent=True)


def _problems(compiled: Compiled, typed: dict[str, str], tag: str) -> dict[str, str]:
    from email_validator import EmailNotValidError, validate_email

    problems = {}
    if typed["right"] not in {one for one, _, _ in rights_on_web(compiled, tag)}:
        problems["right"] = say(tag, "privacy.choose_one")
    try:
        validate_email(typed["email"], check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        problems["email"] = "This is not a complete e-mail address, such as name@example.com."
    return problems


PAGES = (privacy_page, ask)
