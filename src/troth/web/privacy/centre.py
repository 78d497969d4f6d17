"""The privacy centre: what is held about whoever is there, what they may choose, and doing it.

What could go wrong: another person's data; a form that another site's page sends; a secret left in an address, a history or a
log; a choice that costs an order without a word before it. So whoever is there came by their account's cookie or by a link,
whose visit is handed on from form to form and never in an address; every form carries a token that is bound to that session or
visit; nothing in a form names a person; and what cannot be undone, or may hold up an order, is said on a page of its own
first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.response import Redirect

from troth.accounts.profile import account_point
from troth.accounts.sessions import Member
from troth.clock import DAY
from troth.errors import InvalidInput, Refused, TrothError
from troth.logins.digests import digest_of
from troth.policy.compile import Compiled
from troth.policy.law import complaint_to
from troth.policy.notice.language import Speaker, language
from troth.rights import carrying, erasing, rules
from troth.rights import centre as rights
from troth.rights.centre import Visitor
from troth.rights.deciding_again import labels
from troth.rights.intake import Received
from troth.rights.replies import words_in
from troth.rights.rules import destroys_within
from troth.store.site import Site
from troth.web import held
from troth.web.guard import refuse_foreign
from troth.web.members import member_of
from troth.web.pages import Asked, language_of, site_of, site_page, with_language
from troth.web.sent import FORM, Loose, texts, ticked, without_cards
from troth.web.tokens import form_token, key_from, new_key, read_form_token
from troth.web.visits import UNRECORDED
from troth.web.words import problem, say

FIELD, SWITCH, OBJECT = "field.", "on.", "no."
_NOTHING_WRONG: Mapping[str, Any] = {"wrong": "", "hint": "", "typed": {}}
_POST: dict[str, Any] = {**FORM, "opt": {UNRECORDED: True}}


@dataclass(frozen=True)
class Here:
    """Whoever is in the privacy centre, in one request."""

    request: Asked
    site: Site
    compiled: Compiled
    tag: str
    visitor: Visitor
    visit: str
    """the secret of a visit by a link; blank for a member"""
    bound: str

    @property
    def speaker(self) -> Speaker:
        return Speaker(self.compiled.policy, language(self.tag))

    @property
    def ip(self) -> str:
        client: Any = self.request.scope.get("client")
        return client[0] if client else ""

    def token(self) -> str:
        """A fresh token for the forms of one page, which says which version of the policy the page was made from."""
        return form_token(self.site, self.bound, f"{new_key()}.{self.compiled.version}")

    def is_outdated(self, sent: Mapping[str, str]) -> bool:
        """Whether another version of the policy applies than when the page of this form was made."""
        said = read_form_token(self.site, self.bound, sent.get("token", "")) or ""
        return said.partition(".")[2] != str(self.compiled.version)

    def key(self, act: str, sent: dict[str, str]) -> str:
        """The key of what a form does. Raises ``Refused`` when this session or visit did not open it.

        The forms of a page share its token, and the page stays open while a copy is downloaded; so the act and all that was
        sent are in the key: a double click is done once, and whatever else comes from the same page is a wish of its own.
        """
        key = read_form_token(self.site, self.bound, sent.get("token", ""))
        if key is None:
            raise Refused(say(self.tag, "form.foreign"), say(self.tag, "form.foreign_hint"))
        return f"centre:{act}:{key_from(key, repr(sorted(sent.items())))}"

    def page(self, template: str, status: int = 200, **values: Any) -> Response[str]:
        """A page of the privacy centre."""
        lang = with_language(self.request, "")
        frame = {"visit": self.visit, "token": self.token(), "lang": lang, "member": not self.visit}
        return site_page(
            self.request, self.site, self.compiled, template, here="privacy", status=status, **(frame | values)
        )


def _here(request: Asked, data: dict[str, str] | None = None) -> Here | None:
    site = site_of(request)
    compiled = site.policy()
    tag = language_of(request, compiled.policy.policy.languages)
    secret = (data or {}).get("visit", "")
    if secret:
        return _visiting(request, site, compiled, tag, secret)
    member: Member | None = member_of(request, site) if account_point(compiled) else None
    if member is None:
        return None
    return Here(request, site, compiled, tag, Visitor(member.person_id, "account"), "", f"centre:{member.digest.hex()}")


def _visiting(request: Asked, site: Site, compiled: Compiled, tag: str, secret: str) -> Here | None:
    found = carrying.visitor(site, secret)
    if found is None:
        return None
    bound = f"centre:{digest_of(secret).hex()}"
    return Here(request, site, compiled, tag, Visitor(found[1], "link", found[2]), secret, bound)


def _sent(request: Asked, data: dict[str, Any], act: str) -> tuple[Here, dict[str, str], str]:
    """Whoever sent the form of ``act``, what they sent, and its key. Raises ``Refused`` for everybody else."""
    tag = language_of(request)
    refuse_foreign(request, say(tag, "form.foreign"), say(tag, "form.foreign_hint"))
    sent = texts(data)
    here = _here(request, sent)
    if here is None:
        raise Refused(say(tag, "privacy.over"), say(tag, "privacy.over_hint"))
    return here, sent, here.key(act, sent)


@get("/privacy/centre", sync_to_thread=True, opt={UNRECORDED: True}, include_in_schema=False)
def centre_page(request: Asked) -> Response[str]:
    """The privacy centre of a member; everybody else is shown how to get in."""
    here = _here(request)
    if here is None:
        return Redirect(with_language(request, f"/{site_of(request).name}/privacy"), status_code=303)
    return _centre(here)


@post("/privacy/centre", **_POST)
def centre_again(request: Asked, data: Loose) -> Response[str]:
    """The privacy centre again, for whoever goes on from another of its pages."""
    here, _, _ = _sent(request, data, "centre")
    return _centre(here)


def visited(request: Asked, secret: str) -> Response[str]:
    """The privacy centre for a visit that has just begun."""
    here = _here(request, {"visit": secret})
    assert here is not None
    return _centre(here)


def _how_far(here: Here, asked: rights.AskedFor) -> str:
    """How far a request is that did not end; where it waits for orders, which."""
    if not asked.orders:
        return say(here.tag, "privacy.open")
    orders = here.speaker.every(
        say(here.tag, "privacy.order", number=one.ref, since=here.speaker.date(one.at.date())) for one in asked.orders
    )
    return say(here.tag, "privacy.waits_for_orders", orders=orders)


def _centre(here: Here, done: str = "", status: int = 200, **again: Any) -> Response[str]:
    shown = rights.centre(here.site, here.visitor, here.tag, held.MOST_SHOWN)
    words = words_in(here.tag)
    asked = [
        (here.speaker.finish(words["rights"][one.right]), words["outcomes"].get(one.outcome) or _how_far(here, one))
        for one in shown.requests
    ]
    period = here.speaker.duration(destroys_within(here.compiled))
    authority = rules.authority(here.compiled.policy)
    return here.page(
        "centre.html", status,
        centre=shown, asked=asked, period=period, done=done, **{**_NOTHING_WRONG, **again},
        held=held.fragment(shown.told, level=3),
        authority=(authority.name, authority.url) if authority else ("", ""),
        authorities=[(one.name, one.url, here.speaker.territory(one.country)) for one in complaint_to(here.compiled.policy)[1]],
        formats=held.FORMATS,
        offers={one.right for one in here.compiled.policy.rights.values()},
        decided=[(key, here.speaker.finish(label)) for key, label in labels(here.compiled.policy, here.speaker).items()],
    )  # fmt: skip


def _wrong(here: Here, sent: Mapping[str, str], wrong: str, hint: str = "") -> Response[str]:
    """The privacy centre with what did not work, and what was sent still in its form."""
    return _centre(here, status=422, wrong=wrong, hint=hint, typed=without_cards(sent))


@post("/privacy/choices", **_POST)
def choices(request: Asked, data: Loose) -> Response[str]:
    """Save the check boxes; where a no may hold up an open order, that is said first.

    A new yes counts only under the words that were read: the page is shown anew where another version of the policy applies.
    """
    here, sent, key = _sent(request, data, "choices")
    on = ticked(sent, SWITCH)
    wanted = rights.change(here.site, here.visitor, on)
    if wanted.yes and here.is_outdated(sent):
        return _wrong(here, sent, say(here.tag, "form.changed"), say(here.tag, "privacy.unsaved"))
    if wanted.orders and sent.get("sure") != "yes":
        names = [_label(here, scope) for scope in wanted.no]
        return here.page("centre_sure.html", on=sorted(on), names=names, orders=len(wanted.orders))
    received = rights.switch(here.site, here.visitor, wanted, key, here.tag, here.ip)
    return _done(here, received, "withdrawal", "privacy.saved")


def _done(here: Here, received: Received | None, right: str, said: str) -> Response[str]:
    """The privacy centre with what was done; what waits is under way, which is said on a page that reads no store."""
    if received is None or not received.waits:
        return _centre(here, done=say(here.tag, said))
    until = here.speaker.date(here.compiled.calendar.day(received.due_at))
    return here.page("centre_heard.html", right=words_in(here.tag)["rights"][right], until=until)


def _label(here: Here, scope: str) -> str:
    policy = here.compiled.policy
    if scope.startswith("@"):
        return here.speaker.recipient(scope[1:])
    return here.speaker.text(policy.purposes[scope].label)


@post("/privacy/correct", **_POST)
def correct(request: Asked, data: Loose) -> Response[str]:
    """Change what is held, at once and everywhere it is in use."""
    here, sent, key = _sent(request, data, "correct")
    values = {name.removeprefix(FIELD): value for name, value in sent.items() if name.startswith(FIELD)}
    try:
        received = rights.correct(here.site, here.visitor, values, key, here.tag, here.ip)
    except TrothError as error:
        return _wrong(here, sent, problem(here.tag, error.message), problem(here.tag, error.hint))
    said = "privacy.unchanged" if received is None else "privacy.corrected"
    if received is not None and received.state != "closed":
        said = "privacy.looked_at"
    return _done(here, received, "correction", said)


@post("/privacy/object", **_POST)
def object_(request: Asked, data: Loose) -> Response[str]:
    """Object to what was ticked: it stops at once."""
    here, sent, key = _sent(request, data, "object")
    about = sorted(ticked(sent, OBJECT))
    if not about:
        return _wrong(here, sent, say(here.tag, "privacy.tick_one"))
    text = sent.get("why", "")
    try:
        received = rights.ask(here.site, here.visitor, "objection", key, here.tag, about=about, text=text, ip=here.ip)
    except InvalidInput as error:
        return _wrong(here, sent, _why(here, error))
    return _done(here, received, "objection", "privacy.objected")


def _why(here: Here, error: InvalidInput) -> str:
    return " ".join(problem(here.tag, words) for words in (error.message, *error.problems.values()))


@post("/privacy/restrict", **_POST)
def restrict(request: Asked, data: Loose) -> Response[str]:
    """Let the data rest, or be used again."""
    here, sent, key = _sent(request, data, "restrict")
    if sent.get("again") == "yes":
        rights.use_again(here.site, here.visitor)
        return _centre(here, done=say(here.tag, "privacy.used_again"))
    received = rights.ask(here.site, here.visitor, "restriction", key, here.tag, ip=here.ip)
    return _done(here, received, "restriction", "privacy.rests")


@post("/privacy/complain", **_POST)
def complain(request: Asked, data: Loose) -> Response[str]:
    """Complain to the operator."""
    here, sent, key = _sent(request, data, "complain")
    if not sent.get("text", "").strip():
        return _wrong(here, sent, say(here.tag, "privacy.say_what"))
    try:
        rights.ask(here.site, here.visitor, "complaint", key, here.tag, text=sent["text"], ip=here.ip)
    except InvalidInput as error:
        return _wrong(here, sent, _why(here, error))
    return _centre(here, done=say(here.tag, "privacy.complained"))


@post("/privacy/review", **_POST)
def review(request: Asked, data: Loose) -> Response[str]:
    """Have a person decide again what a machine decided."""
    here, sent, key = _sent(request, data, "review")
    about = [one.removeprefix("about.") for one in sent if one.startswith("about.")]
    try:
        rights.ask(here.site, here.visitor, "review", key, here.tag, about=about, text=sent.get("view", ""), ip=here.ip)
    except InvalidInput as error:
        return _wrong(here, sent, _why(here, error))
    return _centre(here, done=say(here.tag, "privacy.reviewing"))


@post("/privacy/delete", **_POST)
def delete(request: Asked, data: Loose) -> Response[str]:
    """Show what deleting would do; with ``sure``, do it."""
    here, sent, key = _sent(request, data, "delete")
    if sent.get("sure") != "yes":
        return _plan(here)
    try:
        received = rights.ask(here.site, here.visitor, "erasure", key, here.tag, ip=here.ip)
    except InvalidInput as error:
        return _wrong(here, {}, problem(here.tag, error.message))
    if received.waits:
        return _done(here, received, "erasure", "")
    until = rules.destroyed_by(here.compiled, here.site.now())
    return here.page(
        "centre_deleted.html", until=here.speaker.date(here.compiled.calendar.day(until)), number=received.id
    )


def _plan(here: Here) -> Response[str]:
    planned = erasing.plan(here.site, here.visitor.person_id)
    kept = erasing.kept_words(here.speaker, planned.kept)
    return here.page(
        "centre_delete.html",
        goes=[here.speaker.finish(here.speaker.label(field)) for field in planned.goes if _known(here, field)],
        kept=kept,
        told=[here.speaker.recipient(one) for one in planned.told if one in here.compiled.policy.recipients],
        until=here.speaker.date(here.compiled.calendar.day(planned.until)),
        back=here.speaker.date(here.compiled.calendar.day(planned.back_until)),
        days=max(1, round((planned.until - here.site.now()) / DAY)),
    )  # fmt: skip


def _known(here: Here, field: str) -> bool:
    return field in here.compiled.policy.data


@post("/privacy/copy", **_POST)
def copy(request: Asked, data: Loose) -> Response[Any]:
    """A copy to take away, in the format that the form names; that it was asked for is logged as any request is."""
    here, sent, key = _sent(request, data, "copy")
    who = here.visitor
    made = held.copy_of(here.site, who.person_id, who.by, here.tag, sent.get("format", ""), who.masks)
    if here.visitor.came_by == "account":
        rights.ask(here.site, here.visitor, "copy", key, here.tag, ip=here.ip)
    return held.handed_out(made)


PAGES = (centre_page, centre_again, copy, choices, correct, object_, restrict, review, complain, delete)
