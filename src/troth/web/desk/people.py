"""People at the desk: find somebody, see what is open and what waits about them, and carry out the acts of the table.

What could go wrong: a value of somebody in an address, in the log or in the browser's history; an act that is sent twice by a
double press; a page that shows what nobody may read for no purpose. So whoever is looked for stands in the body of a form, and
addresses hold ids alone; each form's token is the key of its act; and these pages show numbers, states and days, never a value.
What was given to a recipient by hand is shown once, when it is handed over, because that is what it is for.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.exceptions import NotFoundException

from troth.acts.arguments import Argument
from troth.acts.model import Act, Caller
from troth.acts.perform import Done, perform
from troth.acts.table import ACTS, of_staff
from troth.consent.actions import choices
from troth.consent.stops.actions import in_force
from troth.errors import InvalidInput, Refused, TrothError
from troth.people import dealings
from troth.people.facts import known
from troth.policy.compile import Compiled
from troth.recipients import gate, instructions
from troth.recipients.tables import BY_HAND
from troth.retention.holds import holds_of
from troth.rights import restricting
from troth.staff.entering import Entered
from troth.staff.rules import PRIVACY_LEAD
from troth.store.site import Site
from troth.web.desk.frame import PAGE, desk_page, elsewhere, posted, required
from troth.web.pages import Asked, language_of, site_of
from troth.web.sent import FORM, Sent, without_cards
from troth.web.tokens import read_form_token
from troth.web.words import problem, say

_ID = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")
_RECORD = "record."
"""before the name of what a legal ground needs on record, in a form"""


def caller_of(entered: Entered) -> Caller:
    """A member of staff as whoever carries an act out."""
    lead = PRIVACY_LEAD in entered.roles
    role = PRIVACY_LEAD if lead else entered.roles[0]
    return Caller("staff", entered.staff_id, role, of_staff(lead), entered.ip, entered.roles)


@get("/people", **PAGE)
def people_page(request: Asked) -> Response[str]:
    """Look for somebody; below, what waits for staff about anybody."""
    site = site_of(request)
    return _people(request, site, required(request, site, "people"))


def _people(request: Asked, site: Site, entered: Entered, wrong: str = "", field: str = "") -> Response[str]:
    compiled = site.policy()
    with site.reading() as conn:
        waiting, unanswered = gate.disclosures(conn, state=BY_HAND), instructions.unanswered(conn)
        suspended = in_force(conn)
    return desk_page(
        request, site, entered, "desk_people.html", here="people", status=422 if wrong else 200,
        fields=_labels(request, compiled), field=field, wrong=wrong, waiting=waiting, unanswered=unanswered,
        suspended=suspended, may=caller_of(entered).may,
    )  # fmt: skip


def _labels(request: Asked, compiled: Compiled) -> dict[str, str]:
    from troth.policy.notice.language import Speaker, capital, language

    speaker = Speaker(compiled.policy, language(language_of(request)))
    return {key: capital(speaker.label(key)) for key, one in compiled.policy.data.items() if one.identifies}


@post("/people/find", **FORM)
def find(request: Asked, data: Sent) -> Response[str]:
    """Go to whoever has the value that was typed, or say that nobody has."""
    site, tag = site_of(request), language_of(request)
    entered = posted(request, site, "people", data)
    field, value = data.get("field", ""), data.get("value", "")
    try:
        found = perform(site, caller_of(entered), "find-person", {"field": field, "value": value}).result["person"]
    except InvalidInput as error:
        return _people(request, site, entered, " ".join(error.problems.values()), field)
    if found is None:
        return _people(request, site, entered, say(tag, "desk.people.nobody"), field)
    return elsewhere(request, site, f"/people/{found}")


@get("/people/{person:str}", **PAGE)
def person_page(request: Asked) -> Response[str]:
    """What is open and what waits about one person, with a button for each thing that can be done."""
    site = site_of(request)
    return _person(request, site, required(request, site, "people"), request.path_params["person"])


def _person(request: Asked, site: Site, entered: Entered, person_id: str, done: str = "") -> Response[str]:
    if not _ID.fullmatch(person_id):
        raise NotFoundException
    with site.reading() as conn:
        there = known(conn, [person_id]).get(person_id)
        unanswered = instructions.unanswered(conn, person_id)
        if there is None and not unanswered:
            raise NotFoundException
        shown = {
            "dealings": dealings.dealings_of(conn, person_id),
            "chosen": choices(conn, [person_id]).get(person_id, []),
            "given": gate.disclosures(conn, person_id),
            "holds": holds_of(conn, person_id, site.now()),
            "restricted": restricting.is_restricted(conn, person_id),
        }
    caller = caller_of(entered)
    names = [name for name, act in ACTS.items() if act.argument("person") and name in caller.may]
    return desk_page(
        request, site, entered, "desk_person.html", here="people", person=person_id, there=there, done=done,
        unanswered=unanswered, by_hand=BY_HAND, may=caller.may, acts=names, **shown,
    )  # fmt: skip


@get("/acts", **PAGE)
def acts_page(request: Asked) -> Response[str]:
    """Every act that whoever asks may carry out."""
    site = site_of(request)
    entered = required(request, site, "people")
    may = caller_of(entered).may
    acts = [act for name, act in ACTS.items() if name in may]
    return desk_page(request, site, entered, "desk_acts.html", here="acts", acts=acts)


@dataclass(frozen=True, slots=True)
class Question:
    """One argument as a form asks for it; ``allowed`` are the words of the policy, if it is one of those."""

    argument: Argument
    allowed: tuple[str, ...]
    value: str
    wrong: str


@get("/acts/{name:str}", **PAGE)
def act_page(request: Asked) -> Response[str]:
    """The form of one act; what stands in the address, ids and words alone, is filled in."""
    site = site_of(request)
    entered, act = _asked(request, site, required(request, site, "people"))
    given = {one.name: request.query_params.get(one.name, "") for one in act.arguments if not one.private}
    return _act(request, site, entered, act, given)


def _asked(request: Asked, site: Site, entered: Entered) -> tuple[Entered, Act]:
    act = ACTS.get(request.path_params["name"])
    if act is None:
        raise NotFoundException
    if act.name not in caller_of(entered).may:
        tag = language_of(request)
        raise Refused(say(tag, "desk.refused"), say(tag, "desk.refused_hint"))
    return entered, act


def _act(
    request: Asked, site: Site, entered: Entered, act: Act, given: Mapping[str, str], wrong: TrothError | None = None
) -> Response[str]:
    tag, compiled = language_of(request), site.policy()
    problems = wrong.problems if isinstance(wrong, InvalidInput) else {}
    typed = without_cards(given)
    questions = [
        Question(one, one.allowed(compiled), typed.get(one.name, ""), problem(tag, problems.get(one.name, "")))
        for one in act.arguments
    ]
    needs = {need for ground in compiled.policy.legal.values() for need in ground.needs} - {gate.FIELDS}
    said = (problem(tag, wrong.message), problem(tag, wrong.hint)) if wrong else ("", "")
    status = 422 if problems else 403 if isinstance(wrong, Refused) else 200
    return desk_page(
        request, site, entered, "desk_act.html", here="acts", status=status, act=act, questions=questions, wrong=said,
        person=typed.get("person", ""), records=sorted(needs), typed=typed,
    )  # fmt: skip


@post("/acts/{name:str}", **FORM)
def act_sent(request: Asked, data: Sent) -> Response[str]:
    """Carry out one act: then back to its person, or to the form with what is wrong; data that is handed over is shown once."""
    site = site_of(request)
    entered, act = _asked(request, site, posted(request, site, "people", data))
    key = read_form_token(site, f"desk:{entered.digest.hex()}", data.get("token", "")) or ""
    sent = {name: said for name, said in data.items() if name != "token"}
    try:
        done = perform(site, caller_of(entered), act.name, _given(act, sent), key)
    except (InvalidInput, Refused) as error:
        return _act(request, site, entered, act, sent, error)
    return _after(request, site, entered, act, done)


def _given(act: Act, sent: Mapping[str, str]) -> dict[str, Any]:
    record = {name.removeprefix(_RECORD): said for name, said in sent.items() if name.startswith(_RECORD) and said}
    given: dict[str, Any] = {name: said for name, said in sent.items() if not name.startswith(_RECORD)}
    return given | ({"record": record} if record else {})


def _after(request: Asked, site: Site, entered: Entered, act: Act, done: Done) -> Response[str]:
    """Where an act leads: after it has changed something, a page that can be loaded again without doing it again."""
    if act.private:
        values = {name: done.result.get(name, {}) for name in sorted(act.private)}
        return desk_page(
            request, site, entered, "desk_act_done.html", here="acts", act=act, values=values, repeated=done.repeated
        )
    person = str(done.result.get("person") or "")
    return elsewhere(request, site, f"/people/{person}" if person else "/people")


PAGES = (people_page, find, person_page, acts_page, act_page, act_sent)
