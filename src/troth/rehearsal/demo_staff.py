"""The staff of a demo beside its own account: who works on requests, and who has a role that the policy names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy import select

from troth.acts.model import Caller
from troth.acts.table import of_staff
from troth.clock import MovedClock
from troth.errors import TrothError
from troth.logins import totp
from troth.policy.references import roles
from troth.policy.vocabulary import DESK_ROLES
from troth.rehearsal.demo_people import Errand
from troth.rights.cases import OPEN
from troth.rights.rules import QUESTION
from troth.rights.tables import request
from troth.staff import actions, own

HERE = "127.0.0.1"
CLERK, READER = "nina", "omar"
PASSWORD = "the lamp above the till"  # noqa: S105  (of people who do not exist, on one machine)
ANSWER = "Our notice names everybody who gets it, and what for. On our privacy page you can say no to what you can do without."


def comes_to_the_desk(errand: Errand, clock: MovedClock, login: str, role: str) -> None:
    """Add somebody to the staff; they set themselves up and log in, at the pages of the desk.

    Raises:
        TrothError: when a page of the desk does not take what they send.
    """
    link = actions.add(errand.site, login, [role])
    mine = own.setting_up(errand.site, link)
    assert mine is not None  # the link was made just now
    code = totp.code_at(mine.secret, clock.now())
    _sends(errand, f"/desk/setup/{link}", {"password": PASSWORD, "code": code}, "set-up")
    clock.move(timedelta(seconds=2 * totp.STEP))  # each code works once
    token = errand.token(errand.door.get("/desk/login"))
    given = {"login": login, "password": PASSWORD, "code": totp.code_at(mine.secret, clock.now()), "token": token}
    _sends(errand, "/desk/login", given, "log-in")


def _sends(errand: Errand, path: str, sent: Mapping[str, str], what: str) -> None:
    """Send a form of the desk, which must take it; ``what`` is the form's name in the error, since a path may hold a key."""
    answer = errand.door.post(path, sent)
    if answer.status >= 400:
        raise TrothError(f"The desk of `{errand.site.name}` did not take a form of its staff: {what}, {answer.status}.")


def role_to_read_in(errand: Errand) -> str | None:
    """A role that the policy names for those who read; None where it names none."""
    return next((one for one in roles(errand.site.policy().policy) if one not in DESK_ROLES), None)


def caller_of(errand: Errand, login: str) -> Caller:
    """Somebody on the staff as whoever carries an act out."""
    with errand.site.reading() as conn:
        [member] = [one for one in actions.everybody(conn) if one.login == login]
    return Caller("staff", member.id, member.roles[0], of_staff(lead=False), HERE, member.roles)


def clears_the_desk(errand: Errand) -> None:
    """Answer the questions that wait, and let the objections count that had to be weighed; complaints wait for the lead."""
    for one in _waiting(errand, QUESTION):
        _does(errand, one, "answer", {"words": ANSWER})
    for one in _waiting(errand, "objection"):
        _does(errand, one, "decide", {"goes_on": "no"})


def _waiting(errand: Errand, right: str) -> Sequence[str]:
    open_ = (request.c.state == OPEN) & (request.c.right == right)
    with errand.site.reading() as conn:
        return conn.scalars(select(request.c.id).where(open_).order_by(request.c.at)).all()


def _does(errand: Errand, request_id: str, act: str, sent: dict[str, str]) -> None:
    page = f"/desk/requests/{request_id}"
    token = errand.token(errand.door.get(page))
    _sends(errand, f"{page}/{act}", {"token": token, **sent}, act)
