"""People at the desk: somebody is looked up by what identifies them and for a reason, and seen with what is open about them.

What could go wrong: a value of somebody in an address, in the log or in the browser's history; somebody of the staff who looks
through people out of curiosity. So whoever is looked for stands in the body of a form, and nobody is listed; each look is in
the log with its reason, and without one of the last hour (``LOOKS_FOR``) a page of somebody asks for it first; and what is
seen is numbers, states and days, never a value.
"""

from __future__ import annotations

from collections.abc import Mapping

from litestar import Response, get, post
from litestar.exceptions import NotFoundException
from sqlalchemy import Connection

from troth.acts.model import Act, Caller
from troth.acts.perform import perform
from troth.acts.table import ACTS, of_staff
from troth.errors import InvalidInput
from troth.ids import is_id
from troth.people.facts import known
from troth.policy.notice.language import Speaker, capital, language
from troth.recipients import instructions
from troth.staff import log
from troth.staff.entering import Entered
from troth.staff.rules import LOOKS_FOR, PRIVACY_LEAD, REASONS
from troth.store.site import Site
from troth.web.desk.called import Called
from troth.web.desk.frame import PAGE, desk_page, elsewhere, posted, required
from troth.web.desk.paging import part_of
from troth.web.desk.rows import about_person, offered, rows_of
from troth.web.pages import Asked, language_of, site_of
from troth.web.sent import FORM, Sent, without_cards
from troth.web.words import problem, say

FIND = "find-person"
"""the act behind the page that finds somebody"""


def caller_of(entered: Entered) -> Caller:
    """A member of staff as whoever carries an act out."""
    lead = PRIVACY_LEAD in entered.roles
    role = PRIVACY_LEAD if lead else entered.roles[0]
    return Caller("staff", entered.staff_id, role, of_staff(lead), entered.ip, entered.roles)


@get("/people", **PAGE)
def people_page(request: Asked) -> Response[str]:
    """Look for somebody."""
    site = site_of(request)
    return find_page(request, site, required(request, site, "people"))


def find_page(
    request: Asked,
    site: Site,
    entered: Entered,
    act: str = "",
    typed: Mapping[str, str] | None = None,
    wrong: Mapping[str, str] | None = None,
) -> Response[str]:
    """Ask who is looked for and why; ``act`` is what is to be done about them, ``wrong`` what is wrong with ``typed``."""
    tag, policy = language_of(request), site.policy().policy
    speaker = Speaker(policy, language(tag))
    fields = {key: capital(speaker.label(key)) for key, one in policy.data.items() if one.identifies}
    blank = {"field": "", "value": "", "why": ""}
    return desk_page(
        request, site, entered, "desk_find.html", here="acts" if act else "people", status=422 if wrong else 200,
        act=act, does=problem(tag, ACTS[act].does) if act else "", fields=fields, reasons=REASONS,
        typed=blank | without_cards(typed or {}), wrong=dict.fromkeys(blank, "") | dict(wrong or {}),
    )  # fmt: skip


@post("/people", **FORM)
def find(request: Asked, data: Sent) -> Response[str]:
    """Go to whoever has the value that was typed, or say that nobody has."""
    site, tag = site_of(request), language_of(request)
    entered = posted(request, site, "people", data)
    then = data["then"] if data.get("then") in ACTS else ""
    sought = {name: data.get(name, "") for name in ("field", "value")}
    wrong = {} if data.get("why") in REASONS else {"why": say(tag, "desk.person.why_wrong")}
    found = None
    if not wrong:
        try:
            found = perform(site, caller_of(entered), FIND, sought).result["person"]
        except InvalidInput as error:
            wrong = {name: problem(tag, said) for name, said in error.problems.items()}
        else:
            wrong = {} if found else {"value": say(tag, "desk.person.nobody")}
    if found is None:
        return find_page(request, site, entered, then, data, wrong)
    _look(site, entered, found, data["why"])
    return elsewhere(request, site, _address(found, then))


def _look(site: Site, entered: Entered, person_id: str, why: str) -> None:
    """Put a look at somebody on the log, with its reason."""
    with site.writing() as conn:
        log.note(site, conn, "acted", entered.staff_id, entered.ip, act=f"{log.SEEN}{why}", ref=person_id)


def _address(person_id: str, then: str, of: str = "") -> str:
    """Where a look leads: the form of the act ``then``, or all that there is about them."""
    form = f"/acts/{then}" if then else ""
    return f"/people/{person_id}{form}{f'/{of}' if form and is_id(of) else ''}"


def looked_up(site: Site, conn: Connection, entered: Entered, person_id: str) -> bool:
    """Whether somebody was looked up with a reason lately, by whoever asks."""
    return log.looked_up(conn, entered.staff_id, person_id, site.now() - LOOKS_FOR)


def person_of(request: Asked, conn: Connection) -> str:
    """The person that an address names. Raises ``NotFoundException`` unless there is something of them to be seen."""
    person_id = str(request.path_params["person"])
    if not is_id(person_id) or not (known(conn, [person_id]) or instructions.unanswered(conn, person_id, limit=1)):
        raise NotFoundException
    return person_id


@get("/people/{person:str}", **PAGE)
def person_page(request: Asked) -> Response[str]:
    """What is open about one person, with what can be done about each; before that, why they are looked at."""
    site = site_of(request)
    entered, tag = required(request, site, "people"), language_of(request)
    with site.reading() as conn:
        person_id = person_of(request, conn)
        if not looked_up(site, conn, entered, person_id):
            return why_page(request, site, entered, person_id)
        rows = rows_of(site, conn, person_id)
    may = caller_of(entered).may
    acts = [act.name for act in about_person(rows) if act.name in may]
    beside = {id_: [name for name in names if name in may] for id_, names in offered(rows).items()}
    return desk_page(
        request, site, entered, "desk_person.html", here="people", rows=rows, acts=acts, beside=beside,
        called=Called(site.policy(), tag),
        given=part_of(request, "given", len(rows.given)), owed=part_of(request, "owed", len(rows.unanswered)),
    )  # fmt: skip


def why_page(
    request: Asked, site: Site, entered: Entered, person_id: str, then: str = "", of: str = "", wrong: str = ""
) -> Response[str]:
    """Ask why somebody is looked at."""
    return desk_page(
        request, site, entered, "desk_why.html", here="people", status=422 if wrong else 200,
        person=person_id, then=then, of=of, wrong=wrong, reasons=REASONS,
    )  # fmt: skip


@post("/people/{person:str}", **FORM)
def why(request: Asked, data: Sent) -> Response[str]:
    """Note why somebody is looked at, and go on to where that was asked."""
    site, tag = site_of(request), language_of(request)
    entered = posted(request, site, "people", data)
    then, of = data["then"] if data.get("then") in ACTS else "", data.get("of", "")
    with site.reading() as conn:
        person_id = person_of(request, conn)
    if data.get("why") not in REASONS:
        return why_page(request, site, entered, person_id, then, of, say(tag, "desk.person.why_wrong"))
    _look(site, entered, person_id, data["why"])
    return elsewhere(request, site, _address(person_id, then, of))


def needs_person(act: Act) -> bool:
    """Whether an act cannot be carried out before somebody was found."""
    person = act.argument("person")
    return person is not None and person.required


PAGES = (people_page, find, person_page, why)
