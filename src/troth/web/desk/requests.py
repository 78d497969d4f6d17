"""Requests at the desk: the queue with what is due, one request with its plan and history, letters in and letters out.

Every act is a step of the request with the number of whoever did it, and a line in the log of the staff. What somebody is shown
here they are shown to answer it: only what was written in the request. Of what is held no more is opened than what looks like
another person's, with a few words around it, when the answer waits for somebody to say whether it is.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Literal

from litestar import Response, get, post

from troth.errors import InvalidInput, Refused, StoreError, TrothError
from troth.policy.notice.language import LANGUAGES, Speaker, capital, language
from troth.rights import carrying, deciding_again, desk, erasing, papers, replies, reviewing, rules
from troth.rights.desk import Listed, Refusal, Shown
from troth.rights.intake import begun, receive_in
from troth.rights.rules import Intake
from troth.staff import actions, log
from troth.staff.entering import Entered
from troth.staff.rules import may
from troth.store.site import Site
from troth.web.desk.frame import PAGE, desk_page, elsewhere, posted, required
from troth.web.desk.paging import SIZE, Part, part_of
from troth.web.desk.questions import needed_to_keep
from troth.web.moments import day, past_day
from troth.web.pages import Asked, language_of, own_name, site_of
from troth.web.sent import FORM, Sent, without_cards
from troth.web.tokens import read_form_token
from troth.web.words import problem, say, told, words

_log = logging.getLogger("troth.web")


@get("/", **PAGE)
def start_page(request: Asked) -> Response[str]:
    """What waits at the desk: the request that is due first ahead."""
    site = site_of(request)
    entered = required(request, site, "own")
    tag = language_of(request)
    said = replies.words_in(tag)
    nothing: tuple[list[Listed], Part | None] = ([], None)
    waiting, ended = (_queue(request, site, ended=one) if _may(entered) else nothing for one in (False, True))
    return desk_page(
        request, site, entered, "desk.html", here="start",
        waiting=waiting[0], waiting_part=waiting[1], ended=ended[0], ended_part=ended[1],
        rights=_rights(tag), outcomes=said["outcomes"], now=site.now(),
        works=_may(entered),
    )  # fmt: skip


def _queue(request: Asked, site: Site, *, ended: bool) -> tuple[list[Listed], Part]:
    part = part_of(request, "ended" if ended else "open", desk.queued(site, ended=ended))
    return desk.queue(site, ended=ended, limit=SIZE, offset=part.skipped), part


def _may(entered: Entered) -> bool:
    return may(entered.roles, "requests")


@get("/requests/{request_id:str}", **PAGE)
def request_page(request: Asked) -> Response[str]:
    """One request, whole."""
    site = site_of(request)
    return _request(request, site, required(request, site, "requests"))


def _rights(tag: str) -> dict[str, str]:
    """What can be asked for, as it stands in a heading or a list."""
    return {right: capital(words) for right, words in replies.words_in(tag)["rights"].items()}


def _request(
    request: Asked,
    site: Site,
    entered: Entered,
    done: str = "",
    wrong: TrothError | None = None,
    typed: tuple[str, Mapping[str, str]] = ("", {}),
) -> Response[str]:
    """``typed``: the act that did not work and what was sent with it, to be shown again in its form."""
    tag = language_of(request)
    shown = desk.shown(site, request.path_params["request_id"])
    said = replies.words_in(tag)
    return desk_page(
        request, site, entered, "desk_request.html", here="start", status=422 if wrong else 200,
        shown=shown, sees_people=may(entered.roles, "people"),
        rights=_rights(tag), outcomes=said["outcomes"], sorts=list(rules.RIGHTS),
        plan=_plan(site, shown, tag), done=done, now=site.now(),
        wrong=told(tag, wrong) or ("", ""),
        found=_found(site, shown, tag),
        paper=_paper(site, shown, tag), fields=_fields(site, tag), grounds=_grounds(site, tag),
        records=_records(site, tag), scopes=_scopes(site, tag),
        about=_about(site, shown, tag), staff=_staff(site), tried=typed[0], typed=without_cards(typed[1]),
    )  # fmt: skip


def _found(site: Site, shown: Shown, tag: str) -> list[tuple[str, reviewing.Found]]:
    """What may be another person's, each with what its field is called, while the answer waits for that."""
    if not shown.reviews:
        return []
    called = dict(_fields(site, tag))
    return [(called.get(one.field, one.field), one) for one in reviewing.found(site, shown.listed.id)]


def _plan(site: Site, shown: Shown, tag: str) -> dict[str, Any] | None:
    """What an erasure would do, while it has not begun."""
    if shown.listed.right != "erasure" or not shown.known or shown.closed_at is not None:
        return None
    try:
        planned = desk.plan(site, shown.listed.id)
    except Refused:
        return None
    policy = site.policy().policy
    speaker = Speaker(policy, language(tag))
    return {
        "goes": speaker.every(speaker.label(one) for one in planned.goes if one in policy.data),
        "kept": erasing.kept_words(speaker, planned.kept),
        "told": speaker.every(speaker.recipient(one) for one in planned.told if one in policy.recipients),
    }


def _paper(site: Site, shown: Shown, tag: str) -> list[tuple[str, str]]:
    """What was written, each part with what it is called."""
    called = words(tag)["desk"]["paper"]
    fields = dict(_fields(site, tag))
    changes = papers.changes_in(shown.paper)
    written = [(called[key], value) for key, value in shown.paper.items() if key in called]
    return written + [(f"{say(tag, 'desk.becomes')} {fields.get(key, key)}", value) for key, value in changes.items()]


def _fields(site: Site, tag: str) -> list[tuple[str, str]]:
    policy = site.policy().policy
    speaker = Speaker(policy, language(tag))
    return [(key, speaker.label(key)) for key, one in policy.data.items() if one.protect != "never stored"]


def _grounds(site: Site, tag: str) -> list[tuple[str, str]]:
    policy = site.policy().policy
    speaker = Speaker(policy, language(tag))
    legal = [(key, speaker.text(one.label)) for key, one in policy.legal.items() if one.act == "keep"]
    return [
        *legal,
        *((one, speaker.phrase("may keep", one)) for one in (policy.erasure.may_keep if policy.erasure else ())),
    ]


def _records(site: Site, tag: str) -> list[tuple[str, str]]:
    """What the grounds need on record, beside the reason and the end, each with what it is called."""
    policy = site.policy().policy
    speaker = Speaker(policy, language(tag))
    return [(need, capital(speaker.phrase("records", need))) for need in needed_to_keep(policy)]


def _scopes(site: Site, tag: str) -> list[tuple[str, str]]:
    policy = site.policy().policy
    speaker = Speaker(policy, language(tag))
    purposes = [(key, speaker.text(one.label)) for key, one in policy.purposes.items()]
    recipients = [(f"@{key}", speaker.recipient(key)) for key in policy.recipients]
    return [*purposes, *recipients, *deciding_again.labels(policy, speaker).items()]


def _mask(site: Site, request_id: str, sent: dict[str, str], entered: Entered) -> None:
    masked = [key.removeprefix("mask.") for key in sent if key.startswith("mask.")]
    reviewing.decide(site, request_id, masked, entered.staff_id)


def _staff(site: Site) -> dict[str, str]:
    """The log-in names of the staff; whoever has left is a number."""
    with site.reading() as conn:
        return {one.id: one.login for one in actions.everybody(conn)}


def _about(site: Site, shown: Shown, tag: str) -> str:
    """What a request names, in words: purposes, recipients, decisions, or the fields that a correction is about."""
    called = dict(_fields(site, tag)) | dict(_scopes(site, tag))
    return Speaker(site.policy().policy, language(tag)).every(called.get(one, one) for one in shown.about)


Act = Callable[[Site, str, dict[str, str], Entered], TrothError | None]
"""raises when nothing was done; what it returns is said about what was done all the same"""


def _sort(site: Site, request_id: str, sent: dict[str, str], entered: Entered) -> None:
    field, value = sent.get("field", ""), sent.get("value", "")
    changes = {field: value} if sent.get("right") == "correction" and field else None
    about = [key.removeprefix("about.") for key in sent if key.startswith("about.")]
    desk.sort(site, request_id, sent.get("right", ""), entered.staff_id, changes, about)


def _identify(site: Site, request_id: str, sent: dict[str, str], entered: Entered) -> TrothError | None:
    if desk.identify(site, request_id, sent.get("field", ""), sent.get("value", ""), entered.staff_id):
        return None
    return Refused("Nobody is found by this.", "Try another field, or ask whoever wrote how we know them.")


def _accept(site: Site, request_id: str, sent: dict[str, str], entered: Entered) -> None:
    how: Literal["staff", "mandate"] = "mandate" if sent.get("mandate") == "yes" else "staff"
    desk.accept_evidence(site, request_id, sent.get("evidence", ""), entered.staff_id, how)


def _reject(site: Site, request_id: str, sent: dict[str, str], entered: Entered) -> None:
    desk.reject_evidence(site, request_id, sent.get("evidence", ""), entered.staff_id)


def _refuse(site: Site, request_id: str, sent: dict[str, str], entered: Entered) -> None:
    fields = tuple(key.removeprefix("part.") for key in sent if key.startswith("part."))
    until = day(sent.get("until", ""))
    record = {key.removeprefix("record."): said for key, said in sent.items() if key.startswith("record.")}
    refusal = Refusal(sent.get("reason", ""), sent.get("ground", ""), until, entered.login, fields, record)
    desk.refuse(site, request_id, refusal, entered.staff_id)


def _extend(site: Site, request_id: str, sent: dict[str, str], entered: Entered) -> None:
    desk.extend(site, request_id, sent.get("reason", ""), entered.staff_id)


def _answer(site: Site, request_id: str, sent: dict[str, str], entered: Entered) -> None:
    desk.answer(site, request_id, sent.get("words", ""), entered.staff_id)


def _decide(site: Site, request_id: str, sent: dict[str, str], entered: Entered) -> None:
    goes_on, reason = sent.get("goes_on") == "yes", sent.get("reason", "")
    desk.decide_objection(site, request_id, goes_on=goes_on, reason=reason, by=entered.staff_id)


def _review(site: Site, request_id: str, sent: dict[str, str], entered: Entered) -> None:
    changed, reason = sent.get("changed") == "yes", sent.get("reason", "")
    desk.decide_review(site, request_id, changed=changed, reason=reason, by=entered.staff_id)


def _cancel(site: Site, request_id: str, sent: dict[str, str], entered: Entered) -> None:
    if not carrying.cancel(site, request_id, entered.staff_id):
        raise Refused("This can no longer be taken back.", "It is over, or what was destroyed is gone.")


def _printed(site: Site, request_id: str, sent: dict[str, str], entered: Entered) -> None:
    if not replies.printed(site, request_id, sent.get("letter", "")):
        raise Refused("This letter does not wait to be printed.", "It was sent, or printed before.")


ACTS: dict[str, Act] = {
    "sort": _sort, "identify": _identify, "accept": _accept, "reject": _reject, "refuse": _refuse, "extend": _extend,
    "answer": _answer, "decide": _decide, "review": _review, "cancel": _cancel, "printed": _printed, "mask": _mask,
}  # fmt: skip
CARRIED = frozenset({"accept", "mask"})
"""acts after which the request is carried out"""


@post("/requests/{request_id:str}/{act:str}", **FORM)
def act(request: Asked, data: Sent) -> Response[str]:
    """Do something with a request, or say why it cannot be done."""
    site = site_of(request)
    entered = posted(request, site, "requests", data)
    request_id, name = request.path_params["request_id"], request.path_params["act"]
    if name not in ACTS:
        raise Refused(say(language_of(request), "desk.no_act"), "")
    desk.shown(site, request_id)  # so that nothing is noted of a request that is not there
    try:
        wrong = ACTS[name](site, request_id, dict(data), entered)
    except TrothError as error:
        return _request(request, site, entered, wrong=error, typed=(name, data))
    _noted(site, name, request_id, entered)
    waits = name in CARRIED and carrying.at_once(site, request_id) is None
    done = "" if wrong else say(language_of(request), "desk.waits_on" if waits else "desk.done")
    return _request(request, site, entered, done, wrong, (name, data) if wrong else ("", {}))


def _noted(site: Site, name: str, request_id: str, entered: Entered) -> None:
    """Note an act that was done, before anything comes of it; a store that fails now does not make it undone."""
    try:
        with site.writing() as conn:
            log.note(site, conn, "acted", entered.staff_id, entered.ip, act=f"request_{name}", ref=request_id)
    except StoreError as error:
        what = "%s: %s of request %s by staff %s is not in the log of the staff: %s"
        _log.error(what, site.name, name, request_id, entered.staff_id, error.message)


@get("/requests/{request_id:str}/letters/{letter:str}", **PAGE)
def letter_page(request: Asked) -> Response[str]:
    """An answer as a letter, to be printed."""
    site = site_of(request)
    entered = required(request, site, "requests")
    shown = desk.shown(site, request.path_params["request_id"])
    found = next((one for one in shown.letters if one.id == request.path_params["letter"]), None)
    if found is None:
        raise Refused(say(language_of(request), "desk.no_letter"), "")
    policy = site.policy().policy
    return desk_page(
        request, site, entered, "desk_letter.html", here="start", letter=found, shown=shown,
        address=policy.operator.address or "", email=policy.operator.email or "",
    )  # fmt: skip


@get("/letter", **PAGE)
def enter_page(request: Asked) -> Response[str]:
    """Enter a request that came by letter, by an agent, or by word of mouth."""
    site = site_of(request)
    return _enter(request, site, required(request, site, "requests"), {}, None)


def _enter(
    request: Asked, site: Site, entered: Entered, typed: dict[str, str], wrong: TrothError | None
) -> Response[str]:
    tag = language_of(request)
    blank = dict.fromkeys(("right", "channel", "name", "email", "text", "language", "received"), "")
    return desk_page(
        request, site, entered, "desk_enter.html", here="letter", status=422 if wrong else 200,
        typed=blank | without_cards(typed), rights=_rights(tag), spoken=[(one, own_name(one)) for one in LANGUAGES],
        wrong=(problem(tag, wrong.message), _why(wrong, tag)) if wrong else ("", ""),
    )  # fmt: skip


def _why(wrong: TrothError, tag: str) -> str:
    said = wrong.problems.values() if isinstance(wrong, InvalidInput) else (wrong.hint,)
    return " ".join(problem(tag, one) for one in said)


@post("/letter", **FORM)
def enter(request: Asked, data: Sent) -> Response[str]:
    """Take in what came on paper: the clock runs from now, or from the day it was received."""
    site = site_of(request)
    entered = posted(request, site, "requests", data)
    key = read_form_token(site, f"desk:{entered.digest.hex()}", data.get("token", "")) or ""
    channel = data.get("channel", "letter")
    wish = Intake(
        data.get("right", ""), "agent" if channel == "agent" else "letter", f"desk:{key}", data.get("email", "").strip(),
        data.get("name", ""), data.get("text", ""), language=data.get("language", "en"), by=entered.staff_id,
        at=past_day(data.get("received", ""), site.now()),
    )  # fmt: skip
    try:
        with site.writing() as conn:
            received = receive_in(site, conn, wish)
            log.note(site, conn, "acted", entered.staff_id, entered.ip, act="request_entered", ref=received.id)
    except TrothError as error:
        return _enter(request, site, entered, dict(data), error)
    begun(site, received)
    return elsewhere(request, site, f"/requests/{received.id}")


PAGES = (start_page, request_page, act, letter_page, enter_page, enter)
