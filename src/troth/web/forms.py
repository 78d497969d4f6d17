"""Hosted forms, made from the collection points: what is asked, what is required, what it is for, and what came of it.

Nothing typed is lost when something does not fit, except what looks like a payment card number: that goes nowhere, not even
back into the page. A form that arrives twice, by a double click or a second tab, is stored once. A yes counts only under the
words that were read: the token says which version of the policy the form was made from, and where another applies by now, or
where that cannot be known, the form is shown anew with its boxes empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from litestar import Response, get, post
from litestar.exceptions import NotFoundException

from troth.accounts.sessions import Member
from troth.collection.forms import Form, form
from troth.collection.rules import Submission
from troth.errors import InvalidInput
from troth.policy.compile import Compiled
from troth.store.site import Site
from troth.web.guard import refuse_foreign
from troth.web.members import member_of
from troth.web.pages import Asked, language_of, site_of, site_page, with_language
from troth.web.receipts import confirmed, kept, take_in
from troth.web.sent import FORM, Loose, texts, to_mend, without_cards
from troth.web.tokens import form_token, new_key, read_form_token
from troth.web.words import problem, say

FIELD, CHOICE, ACKNOWLEDGED, TOKEN = "field.", "choice.", "acknowledged", "token"
PUBLIC = ("form", "account")


@dataclass(frozen=True)
class Draft:
    """A form on its way: what was typed, what is wrong with it, and the version of the policy that it was made from."""

    key: str
    values: Mapping[str, str] = field(default_factory=dict, repr=False)
    choices: frozenset[str] = frozenset()
    acknowledged: bool = False
    problems: Mapping[str, str] = field(default_factory=dict)
    remark: str = ""
    version: int | None = None


def public_points(compiled: Compiled) -> list[str]:
    """The collection points that have a form on the web, those that only members see included."""
    return [key for key, point in compiled.policy.collection.items() if point.kind in PUBLIC]


class NoSuchPoint(NotFoundException):
    """Nothing is collected under this name on the web; ``points`` are the names under which something is."""

    def __init__(self, points: list[str]) -> None:
        super().__init__()
        self.points = points


def public_point(compiled: Compiled, point: str) -> str:
    """``point``, when it has a form on the web. Raises ``NoSuchPoint``."""
    points = public_points(compiled)
    if point not in points:
        raise NoSuchPoint(points)
    return point


@get("/forms", sync_to_thread=True, include_in_schema=False)
def forms_page(request: Asked) -> Response[str]:
    """All forms of a site."""
    site = site_of(request)
    compiled = site.policy()
    tag = language_of(request, compiled.policy.policy.languages)
    listed = [(form(compiled, key, tag), compiled.policy.collection[key]) for key in public_points(compiled)]
    return site_page(request, site, compiled, "forms.html", here="forms", listed=listed)


@get("/forms/{point:str}", sync_to_thread=True, include_in_schema=False)
def form_page(request: Asked) -> Response[str]:
    """One form, empty."""
    site = site_of(request)
    compiled = site.policy()
    public_point(compiled, request.path_params["point"])
    return _form_page(request, site, compiled, Draft(new_key()))


def _form_page(request: Asked, site: Site, compiled: Compiled, draft: Draft, status: int = 200) -> Response[str]:
    point = request.path_params["point"]
    tag = language_of(request, compiled.policy.policy.languages)
    shown = form(compiled, point, tag)
    member = member_of(request, site) if compiled.policy.collection[point].members_only else None
    return site_page(
        request, site, compiled, "form.html", status=status, here="forms",
        form=shown,
        draft=draft,
        token=form_token(site, _bound(point, member), f"{draft.key}.{compiled.version}"),
        lang=with_language(request, ""),
        summary=_summary(shown, draft, tag),
        closed=compiled.policy.collection[point].members_only and member is None,
        accounts=[form(compiled, key, tag) for key in _accounts(compiled)],
    )  # fmt: skip


def _bound(point: str, member: Member | None) -> str:
    """What a form's token is bound to: its point, and the session of the member whom it was shown to."""
    return f"{point}:{member.digest.hex()}" if member else point


def _drawn(said: str | None) -> tuple[str, int | None]:
    """The key of a form and the version that it was made from, as its token says; a blank and None where it is not ours."""
    key, _, version = (said or "").partition(".")
    return key, int(version) if version.isdecimal() else None


def _accounts(compiled: Compiled) -> list[str]:
    return [key for key in public_points(compiled) if compiled.policy.collection[key].kind == "account"]


def _summary(shown: Form, draft: Draft, tag: str) -> list[tuple[str, str, str]]:
    places = {one.id: (f"f-{one.id}", one.label) for one in shown.fields}
    places[ACKNOWLEDGED] = (f"f-{ACKNOWLEDGED}", shown.acknowledge)
    return to_mend(places, draft.problems, say(tag, "form.unknown"))


@post("/forms/{point:str}", **FORM)
def submit(request: Asked, data: Loose) -> Response[str]:
    """Take in a form: a receipt, or the form again with what needs attention."""
    site = site_of(request)
    compiled = site.policy()
    point = public_point(compiled, request.path_params["point"])
    tag = language_of(request, compiled.policy.policy.languages)
    refuse_foreign(request, say(tag, "form.foreign"), say(tag, "form.foreign_hint"))
    sent = texts(data)
    member = member_of(request, site) if compiled.policy.collection[point].members_only else None
    key, version = _drawn(read_form_token(site, _bound(point, member), sent.pop(TOKEN, "")))
    draft = replace(_draft(sent, key or new_key()), version=version)
    if version is None:
        return _form_page(request, site, compiled, _anew(draft, tag, "form.stale"), status=422)
    return _taken_in(request, site, compiled, draft, tag, member)


def _draft(sent: Mapping[str, str], key: str) -> Draft:
    """What came with the form. A name that is none of ours counts as a field, so that it is refused and not dropped."""
    choices = frozenset(name.removeprefix(CHOICE) for name in sent if name.startswith(CHOICE))
    values = {
        name.removeprefix(FIELD): value
        for name, value in sent.items()
        if name != ACKNOWLEDGED and not name.startswith(CHOICE)
    }
    return Draft(key, values, choices, sent.get(ACKNOWLEDGED) == "yes")


def _taken_in(
    request: Asked, site: Site, compiled: Compiled, draft: Draft, tag: str, member: Member | None
) -> Response[str]:
    point = request.path_params["point"]
    submission = Submission(
        point=point,
        values=draft.values,
        key=draft.key,
        choices=dict.fromkeys(draft.choices, True),
        acknowledged=draft.acknowledged,
        language=tag,
        member=member.person_id if member else None,
        version=draft.version,
    )
    try:
        repeated = take_in(site, compiled, submission)
    except InvalidInput as error:
        applies = site.policy()
        if draft.version != applies.version:
            return _form_page(request, site, applies, _anew(draft, tag, "form.changed"), status=422)
        return _form_page(request, site, compiled, _again(draft, error.problems, tag), status=422)
    confirmed(site, point, draft.key)
    told = kept(compiled, submission, repeated, tag)
    return site_page(request, site, compiled, "stored.html", here="forms", told=told)


def _again(draft: Draft, problems: Mapping[str, str], tag: str, remark: str = "") -> Draft:
    told = {key: problem(tag, words) for key, words in problems.items()}
    return replace(draft, values=without_cards(draft.values), problems=told, remark=remark)


def _anew(draft: Draft, tag: str, why: str) -> Draft:
    """``draft`` with what was typed and no box ticked, since other words may stand beside them now; ``why`` is a word's id."""
    unticked = draft.acknowledged or bool(draft.choices)
    remark = say(tag, why) + (f" {say(tag, 'form.unticked')}" if unticked else "")
    return replace(_again(draft, {}, tag, remark), choices=frozenset(), acknowledged=False)
