"""The acts of the table at the desk: what there is to do, a form for each, and what came of it.

What could go wrong: an act that is sent twice by a double press; a value of somebody in an address, in the log or in the
browser's history; an act that a role may not do; choices that show what somebody has to one who did not say why they look. So
each form's token is the key of its act, and what came of it is a page of its own; addresses hold names of acts and ids alone;
who may do what is asked for by every page and by the act itself; and what one person has is offered only once they were
looked up with a reason. What is handed over is shown once, in the answer to its form, since it is kept nowhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from litestar import Response, get, post
from litestar.exceptions import NotFoundException

from troth.acts.keys import KeyUsed, kept_answer
from troth.acts.model import SCOPES, Act
from troth.acts.perform import Done, perform
from troth.acts.table import ACTS
from troth.errors import InvalidInput, Refused, StoreError, TrothError
from troth.policy.notice.language import capital
from troth.staff.entering import Entered
from troth.store.site import Site
from troth.web.desk.called import Called
from troth.web.desk.frame import PAGE, desk_page, elsewhere, posted, required
from troth.web.desk.paging import SIZE, Part, part_of
from troth.web.desk.people import FIND, caller_of, find_page, looked_up, needs_person, person_of, why_page
from troth.web.desk.questions import Asking, Question, given
from troth.web.desk.rows import Rows, filled_in, rows_of, rows_of_all, waiting_for
from troth.web.pages import Asked, language_of, site_of
from troth.web.problems import status_of
from troth.web.sent import FORM, Sent, to_mend, without_cards
from troth.web.tokens import read_form_token
from troth.web.words import problem, say, words


@get("/acts", **PAGE)
def acts_page(request: Asked) -> Response[str]:
    """Every act that the roles of whoever asks allow, in their groups."""
    site = site_of(request)
    entered, tag = required(request, site, "people"), language_of(request)
    may = caller_of(entered).may
    acts = [act for name, act in ACTS.items() if name in may]
    groups = [
        (capital(problem(tag, does)), [(one.name, problem(tag, one.does)) for one in acts if one.scope == scope])
        for scope, does in SCOPES.items()
    ]
    return desk_page(request, site, entered, "desk_acts.html", here="acts", groups=[one for one in groups if one[1]])


def _allowed(request: Asked, entered: Entered) -> Act:
    """The act that the address names. Raises ``NotFoundException``, or ``Refused`` when the roles do not allow it."""
    act = ACTS.get(request.path_params["name"])
    if act is None:
        raise NotFoundException
    if act.name not in caller_of(entered).may:
        tag = language_of(request)
        raise Refused(say(tag, "desk.refused"), say(tag, "desk.refused_hint"))
    return act


@get("/acts/{name:str}", **PAGE)
def act_page(request: Asked) -> Response[str]:
    """The form of one act; of one about somebody, first the form that finds them."""
    site = site_of(request)
    entered = required(request, site, "people")
    act = _allowed(request, entered)
    if act.name == FIND:
        return elsewhere(request, site, "/people")
    if needs_person(act):
        return find_page(request, site, entered, act.name)
    rows, part = _rows_of_all(request, site, act)
    return _form(request, site, entered, act, rows, {}, part=part)


def _rows_of_all(request: Asked, site: Site, act: Act) -> tuple[Rows, Part]:
    """What ``act`` may be about, of anybody: the part of it that the address asks for."""
    with site.reading() as conn:
        part = part_of(request, "page", waiting_for(site, conn, act))
        return rows_of_all(site, conn, SIZE, part.skipped), part


@get("/people/{person:str}/acts/{name:str}", **PAGE)
def person_act_page(request: Asked) -> Response[str]:
    """The form of one act about one person, who is filled in."""
    return _person_act(request)


@get("/people/{person:str}/acts/{name:str}/{of:str}", **PAGE)
def row_act_page(request: Asked) -> Response[str]:
    """As ``person_act_page``, with what of theirs the address names by its id filled in as well."""
    return _person_act(request, str(request.path_params["of"]))


def _person_act(request: Asked, of: str = "") -> Response[str]:
    site = site_of(request)
    entered = required(request, site, "people")
    act = _allowed(request, entered)
    with site.reading() as conn:
        person_id = person_of(request, conn)
        if not looked_up(site, conn, entered, person_id):
            return why_page(request, site, entered, person_id, act.name, of)
        rows = rows_of(site, conn, person_id)
    return _form(request, site, entered, act, rows, filled_in(act, rows, of))


def _form(
    request: Asked,
    site: Site,
    entered: Entered,
    act: Act,
    rows: Rows,
    typed: Mapping[str, str],
    wrong: TrothError | None = None,
    part: Part | None = None,
) -> Response[str]:
    """``typed``: what is filled in, or was sent with what is ``wrong``; ``part``: which of many rows are offered."""
    tag, asking = language_of(request), Asking(act, site.policy(), rows, language_of(request))
    problems = wrong.problems if isinstance(wrong, InvalidInput) and not isinstance(wrong, KeyUsed) else {}
    questions = asking.questions(without_cards(typed), problems)
    return desk_page(
        request, site, entered, "desk_act.html", here="acts", status=status_of(wrong) if wrong else 200,
        act=act, does=problem(tag, act.does), questions=questions, called=asking.called, person=typed.get("person", ""),
        nothing=words(tag)["desk"]["nothing"].get(act.name, "") if asking.nothing(questions) else "",
        mend=_to_mend(tag, questions, problems), wrong=_said(tag, wrong, problems), part=part,
    )  # fmt: skip


def _to_mend(tag: str, questions: list[Question], problems: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """What is wrong, each with the place and the name of its question; of none, when it is about the person."""
    said = {one.name: one.wrong for one in questions if one.wrong}
    places = {one.name: (f"a-{one.name}", one.label) for one in questions}
    astray = [problem(tag, why) for name, why in problems.items() if name not in places]
    return to_mend(places, {name: said.get(name) or why for name, why in problems.items()}, " ".join(astray))


def _said(tag: str, wrong: TrothError | None, problems: Mapping[str, str]) -> tuple[str, ...]:
    """What was wrong with the whole, what to do, and which lines of the policy say so; nothing where a question is wrong."""
    if wrong is None or problems:
        return ()
    if isinstance(wrong, KeyUsed):
        return (say(tag, "desk.act_changed"),)
    because = ", ".join(wrong.because) if isinstance(wrong, Refused) else ""
    line = say(tag, "desk.act_because", lines=because) if because else ""
    return tuple(one for one in (problem(tag, wrong.message), problem(tag, wrong.hint), line) if one)


@post("/acts/{name:str}", **FORM)
def act_sent(request: Asked, data: Sent) -> Response[str]:
    """Carry out one act, and go to what came of it; or to the form again, with what is wrong."""
    site = site_of(request)
    entered = posted(request, site, "people", data)
    act = _allowed(request, entered)
    if act.name == FIND:
        return elsewhere(request, site, "/people")
    key = read_form_token(site, f"desk:{entered.digest.hex()}", data.get("token", "")) or ""
    sent = {name: said for name, said in data.items() if name != "token"}
    try:
        done = perform(site, caller_of(entered), act.name, given(act, sent, site.now()), _key_of(act, key))
    except (InvalidInput, Refused, StoreError) as error:
        rows, part = _rows(request, site, entered, act, sent.get("person", ""))
        return _form(request, site, entered, act, rows, sent, error, part)
    if act.private:
        return _shown_once(request, site, entered, act, done)
    return elsewhere(request, site, f"/acts/{act.name}/done/{key}")


def _key_of(act: Act, token_key: str) -> str:
    """The key under which a form of ``act`` is carried out once."""
    return f"{act.name}.{token_key}"


def _rows(request: Asked, site: Site, entered: Entered, act: Act, person_id: str) -> tuple[Rows, Part | None]:
    with site.reading() as conn:
        if person_id and looked_up(site, conn, entered, person_id):
            return rows_of(site, conn, person_id), None
    return _rows_of_all(request, site, act)


def _shown_once(request: Asked, site: Site, entered: Entered, act: Act, done: Done) -> Response[str]:
    """What is kept nowhere, in the answer to its form; sent again, the form says that it was shown."""
    tag = language_of(request)
    speaker = Called(site.policy(), tag).speaker
    shown = {
        capital(speaker.label(field)): said for name in act.private for field, said in done.result.get(name, {}).items()
    }
    return desk_page(
        request, site, entered, "desk_act_done.html", here="acts", act=act, once=True, shown=shown, told=[], person=""
    )


@get("/acts/{name:str}/done/{key:str}", **PAGE)
def done_page(request: Asked) -> Response[str]:
    """What came of an act that whoever asks has carried out."""
    site = site_of(request)
    entered, tag = required(request, site, "people"), language_of(request)
    act = _allowed(request, entered)
    with site.reading() as conn:
        result = kept_answer(site, conn, entered.staff_id, _key_of(act, request.path_params["key"]))
    if result is None:
        raise NotFoundException
    called = words(tag)["desk"]["results"]
    told = [(called.get(name, name), _value(tag, said)) for name, said in result.items() if name != "person"]
    return desk_page(
        request, site, entered, "desk_act_done.html", here="acts", act=act, once=False, shown={}, told=told,
        person=result.get("person") or "",
    )  # fmt: skip


def _value(tag: str, said: Any) -> str:
    return say(tag, f"desk.{'yes' if said else 'no'}") if isinstance(said, bool) else str(said)


PAGES = (acts_page, act_page, person_act_page, row_act_page, act_sent, done_page)
