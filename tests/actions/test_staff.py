"""The staff on both stores: set up by a link, closed to guessing, every try on record, out at once when removed."""

import threading
from contextlib import suppress

import pytest
from sqlalchemy import event, select

from tests.fixtures import days
from tests.staffed import HERE, PASSWORD, Somebody, clerk, somebody
from tests.submissions import count
from troth.clock import MovedClock
from troth.errors import InvalidInput, Refused, TrothError
from troth.logins import totp
from troth.logins.rules import TRIES, WITHIN
from troth.staff import actions, log, own
from troth.staff.entering import WRONG, log_in, log_out, who
from troth.staff.rules import DESK, IDLE, LINK_LASTS, LONGEST, PRIVACY_LEAD
from troth.staff.tables import staff, staff_attempt, staff_log, staff_recovery, staff_session
from troth.store.site import Site
from troth.work import turn


def rows(site: Site) -> list[tuple[str, str, str]]:
    """What the log says, oldest first: what, who, from where."""
    with site.reading() as conn:
        return [(line.what, line.login, line.ip) for line in reversed(log.lines(site, conn).lines)]


def wrong(ann: Somebody, password: str = PASSWORD, code: str | None = None) -> TrothError:
    with pytest.raises(Refused) as refused:
        log_in(ann.site, ann.login, password, ann.code() if code is None else code, HERE)
    return refused.value


def test_a_member_of_staff_sets_up_logs_in_and_out(site: Site) -> None:
    ann = somebody(site)
    entered = ann.entered()
    assert (entered.login, entered.roles) == ("ann", (PRIVACY_LEAD,))
    log_out(site, entered)
    assert rows(site) == [("entered", "ann", HERE), ("entered", "ann", HERE), ("left", "ann", HERE)]


def test_a_set_up_link_is_good_once_for_a_day_and_only_with_a_right_code(site: Site, clock: MovedClock) -> None:
    ann = Somebody(site, "ann", actions.add(site, "ann", [PRIVACY_LEAD]))
    mine = own.setting_up(site, ann.link)
    assert mine is not None
    assert own.setting_up(site, ann.link) == mine, "looking uses nothing up"
    code = totp.code_at(mine.secret, clock.at)
    for password, typed in (("short", code), (PASSWORD, "000000" if code != "000000" else "111111"), ("ann", code)):
        with pytest.raises(InvalidInput):
            own.set_up(site, ann.link, password, typed, HERE)
    ann.set_up()
    assert own.setting_up(site, ann.link) is None
    with pytest.raises(InvalidInput, match="no longer good"):
        own.set_up(site, ann.link, PASSWORD, ann.code(), HERE)
    late = actions.add(site, "late", [DESK])
    clock.move(LINK_LASTS)
    assert own.setting_up(site, late) is None


def test_two_who_set_up_with_one_link_at_once_have_one_winner(site: Site, clock: MovedClock) -> None:
    link = actions.add(site, "ann", [DESK])
    mine = own.setting_up(site, link)
    assert mine is not None
    code, won = totp.code_at(mine.secret, clock.at), []

    def press() -> None:
        with suppress(InvalidInput):
            won.append(own.set_up(site, link, PASSWORD, code, HERE))

    at_once(press, 4)
    assert len(won) == 1
    assert count(site, staff_session) == 1


def at_once(act: object, times: int) -> None:
    threads = [threading.Thread(target=act) for _ in range(times)]  # type: ignore[arg-type]
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def test_a_code_is_good_once_even_for_two_at_once(site: Site) -> None:
    ann = somebody(site)
    code, won = ann.code(), []

    def press() -> None:
        with suppress(Refused):
            won.append(log_in(site, "ann", PASSWORD, code, HERE))

    at_once(press, 4)
    assert len(won) == 1
    assert str(wrong(ann, code=code)).startswith(WRONG)


def test_a_recovery_code_is_good_once_and_for_its_owner_only(site: Site) -> None:
    ann, ben = somebody(site), clerk(site)
    assert str(wrong(ben, code=ann.codes[0])).startswith(WRONG)
    assert log_in(site, " Ann ", PASSWORD, ann.codes[0].upper(), HERE)
    wrong(ann, code=ann.codes[0])
    assert count(site, staff_recovery) == 19
    entered = ann.entered()
    fresh = own.renew_codes(site, entered, PASSWORD)
    wrong(ann, code=ann.codes[1])
    assert log_in(site, "ann", PASSWORD, fresh[1], HERE)


def test_whoever_guesses_is_told_one_thing_and_waits(site: Site, clock: MovedClock) -> None:
    ann = somebody(site)
    said = {str(wrong(ann, code="123")), str(wrong(ann, "not the password"))}
    nobody = Somebody(site, "nobody", "", ann.secret)
    said.add(str(wrong(nobody)))
    for _ in range(TRIES - 2):
        said.add(str(wrong(ann, "not the password")))
    said.add(str(wrong(ann)))
    assert len(said) == 1
    clock.move(WITHIN)
    assert ann.session()


def test_tries_at_once_are_counted_one_by_one(site: Site) -> None:
    ann = somebody(site)
    code = ann.code()

    def guess() -> None:
        with pytest.raises(Refused):
            log_in(site, "ann", "not the password", code, HERE)

    at_once(guess, TRIES + 2)
    assert count(site, staff_attempt) == TRIES
    wrong(ann)


@pytest.mark.parametrize("what", ["removed", "reset", "another role"])
def test_an_open_session_is_asked_anew_at_each_request(site: Site, what: str) -> None:
    ann, ben = somebody(site), clerk(site)
    lead, secret = ann.entered(), ben.session()
    if what == "removed":
        actions.remove(site, "ben", lead)
    elif what == "reset":
        actions.reset(site, "ben", lead)
    else:
        actions.change_roles(site, "ben", [PRIVACY_LEAD], lead)
    found = who(site, secret, HERE)
    assert (found.roles if found else None) == ((PRIVACY_LEAD,) if what == "another role" else None)
    assert rows(site)[-1] == ("acted", "ann", HERE)


def test_a_session_ends_when_idle_when_old_and_when_its_owner_says_so(site: Site, clock: MovedClock) -> None:
    ann = somebody(site)
    idle, busy = ann.session(), ann.session()
    began = clock.at
    while clock.at + IDLE / 2 < began + LONGEST:
        clock.move(IDLE / 2)
        assert who(site, busy, HERE)
    assert who(site, idle, HERE) is None
    clock.at = began + LONGEST
    assert who(site, busy, HERE) is None
    turn(site)
    assert count(site, staff_session) == 0
    here, there = ann.entered(), ann.entered()
    with site.reading() as conn:
        found = own.sessions(site, conn, here)
    assert [one.here for one in found] == [False, True]
    own.end_session(site, here, found[0].ref)
    assert count(site, staff_session) == 1
    ben = clerk(site).entered()
    own.end_session(site, ben, found[1].ref)
    with site.reading() as conn:
        assert [one.here for one in own.sessions(site, conn, here)] == [True]
    assert there.digest != here.digest


def test_a_changed_password_ends_all_other_sessions_and_takes_the_old_one(site: Site) -> None:
    ann = somebody(site)
    other, here = ann.session(), ann.entered()
    for password, fresh, error in ((PASSWORD, "short", InvalidInput), ("wrong", "eight louder lamps", Refused)):
        with pytest.raises(error):
            own.change_password(site, here, password, fresh)
    own.change_password(site, here, PASSWORD, "eight louder lamps")
    assert who(site, other, HERE) is None
    wrong(ann)
    ann.password = "eight louder lamps"
    assert ann.session()


def test_at_an_open_session_nobody_can_guess_the_password_either(site: Site) -> None:
    ann = somebody(site)
    here = ann.entered()
    for _ in range(TRIES):
        with pytest.raises(Refused):
            own.renew_codes(site, here, "a guess")
    with pytest.raises(Refused):
        own.renew_codes(site, here, PASSWORD)


def test_nobody_changes_resets_or_removes_themselves_at_the_desk(site: Site) -> None:
    ann = somebody(site).entered()
    for act in (
        lambda: actions.remove(site, "ann", ann),
        lambda: actions.reset(site, "ann", ann),
        lambda: actions.change_roles(site, "ann", [DESK], ann),
        lambda: actions.remove(site, "nobody", ann),
    ):
        with pytest.raises(Refused):
            act()
    actions.change_roles(site, "ann", [DESK])
    with site.reading() as conn:
        assert [one.roles for one in actions.everybody(conn)] == [(DESK,)]


def test_two_who_remove_each_other_at_once_leave_one(site: Site) -> None:
    ann, ben = somebody(site).entered(), somebody(site, "ben").entered()
    acts = [lambda: actions.remove(site, "ben", ann), lambda: actions.remove(site, "ann", ben)]

    def press() -> None:
        with suppress(Refused):
            acts.pop()()

    at_once(press, 2)
    with site.reading() as conn:
        assert len(actions.everybody(conn)) == 1


def test_a_name_and_roles_must_do_and_nobody_is_there_twice(site: Site) -> None:
    for login, roles, what in (("Ann", [DESK], "login"), ("ann", [], "roles"), ("ann", ["janitor"], "roles")):
        with pytest.raises(InvalidInput) as refused:
            actions.add(site, login, roles)
        assert set(refused.value.problems) == {what}
    actions.add(site, "ann", [DESK, DESK, "finance"])
    with pytest.raises(Refused):
        actions.add(site, "ann", [DESK])
    with site.reading() as conn:
        assert [one.roles for one in actions.everybody(conn)] == [(DESK, "finance")]


def test_of_two_who_add_one_name_at_once_one_is_told_that_it_is_there(site: Site) -> None:
    said: list[str] = []
    other = threading.Thread(target=lambda: said.append(_added(site)))

    def meanwhile(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT staff.id, staff.state") and not other.ident:
            other.start()
            other.join(0.5)

    event.listen(site.engine, "after_cursor_execute", meanwhile)
    said.append(_added(site))
    other.join()
    event.remove(site.engine, "after_cursor_execute", meanwhile)
    assert sorted(said)[0] == "" and "There is somebody of this name" in sorted(said)[1]


def _added(site: Site) -> str:
    try:
        actions.add(site, "ann", [DESK])
    except Exception as error:
        return str(error)
    return ""


def test_somebody_who_comes_back_is_the_same_and_begins_anew(site: Site) -> None:
    ann = somebody(site)
    with site.reading() as conn:
        [before] = actions.everybody(conn)
    actions.remove(site, "ann")
    wrong(ann)
    ann.link = actions.add(site, "ann", [DESK])
    wrong(ann)
    ann.set_up()
    assert ann.entered().staff_id == before.id


def test_the_sweep_takes_what_is_over_and_leaves_what_is_not(site: Site, clock: MovedClock) -> None:
    ann = somebody(site)
    wrong(ann, "wrong")
    waiting = actions.add(site, "ben", [DESK])
    assert actions.forget_the_past(site) == 0
    clock.move(days(1))
    assert actions.forget_the_past(site) == 2, "a session and a try"
    assert own.setting_up(site, waiting) is None
    assert count(site, staff_attempt) == count(site, staff_session) == 0
    again = Somebody(site, "ben", actions.reset(site, "ben"))
    assert again.set_up().session()


def test_a_leaked_database_opens_nothing(site: Site) -> None:
    ann = somebody(site)
    secret, link = ann.session(), actions.add(site, "ben", [DESK])
    kept = []
    with site.reading() as conn:
        for table in (staff, staff_session, staff_recovery, staff_log, staff_attempt):
            kept += [repr(tuple(row)) for row in conn.execute(select(table))]
    everything = "\n".join(kept)
    for held in (ann.secret, ann.password, secret, link, HERE, *ann.codes):
        assert held not in everything
        assert held.replace("-", "") not in everything
