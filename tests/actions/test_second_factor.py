"""Second factors on both stores: codes from an app and on paper, sessions one by one; and whoever should not get in."""

import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.fixtures import days
from tests.members import A_STEP, ANN, PASSWORD, Door
from tests.operators import erased
from tests.submissions import count
from troth.accounts import actions, sessions
from troth.accounts.factors import settings
from troth.accounts.factors.halves import Half
from troth.accounts.factors.rules import HALF_LASTS, IN_A_DAY
from troth.accounts.factors.tables import half_log_in, recovery_code, second_factor
from troth.accounts.sessions import log_in, second_step, who
from troth.clock import MovedClock
from troth.errors import Refused, TrothError
from troth.logins.digests import Session
from troth.logins.rules import TRIES, WITHIN
from troth.people.keystore import destroy_keys
from troth.retention.ending import destroy_due
from troth.store.site import Site
from troth.work import turn


@pytest.fixture
def coded(door: Door, clock: MovedClock) -> Door:
    """A member who has turned codes on; the app shows the next one already."""
    door.with_codes(door.member())
    clock.move(timedelta(seconds=A_STEP))
    return door


def refusal(door: Door, code: str, half: str | None = None) -> str:
    half = log_in(door.site, ANN["email"], PASSWORD).secret if half is None else half
    with pytest.raises(Refused) as wrong:
        second_step(door.site, half, code)
    return f"{wrong.value.message} {wrong.value.hint}"


def test_a_password_alone_opens_nothing_once_codes_are_on(coded: Door) -> None:
    half = log_in(coded.site, ANN["email"], PASSWORD)
    assert isinstance(half, Half)
    assert who(coded.site, half.secret) is None
    assert who(coded.site, second_step(coded.site, half.secret, coded.code()).secret) is not None


def test_codes_count_only_after_the_first_one_was_typed_back(door: Door, clock: MovedClock) -> None:
    member = door.member()
    secret = settings.begin_codes(door.site, member, PASSWORD)
    with pytest.raises(Refused):
        settings.turn_codes_on(door.site, member, "000000")
    assert isinstance(log_in(door.site, ANN["email"], PASSWORD), Session)
    door.secret = settings.begin_codes(door.site, member, PASSWORD)
    assert door.secret != secret, "what was shown once and not taken is shown to nobody again"
    assert len(settings.turn_codes_on(door.site, member, door.code())) == 10


def test_a_code_is_good_once_and_so_is_one_before_it(coded: Door, clock: MovedClock) -> None:
    earlier = coded.code()
    clock.move(timedelta(seconds=A_STEP))
    later = coded.code()
    assert coded.second(later)
    said = {refusal(coded, later), refusal(coded, earlier), refusal(coded, "000000"), refusal(coded, "x" * 5000)}
    assert len(said) == 1


def test_the_code_that_turned_codes_on_logs_nobody_in(door: Door) -> None:
    door.with_codes(door.member())
    refusal(door, door.code())


def test_of_two_who_type_the_same_code_at_once_one_gets_in(coded: Door) -> None:
    halves = [log_in(coded.site, ANN["email"], PASSWORD).secret for _ in range(4)]
    for code in (coded.code(), coded.paper[0]):
        won: list[Session] = []
        trying = [threading.Thread(target=_try, args=(coded.site, half, code, won)) for half in halves]
        for one in trying:
            one.start()
        for one in trying:
            one.join()
        assert len(won) == 1


def _try(site: Site, half: str, code: str, won: list[Session]) -> None:
    with suppress(TrothError):
        won.append(second_step(site, half, code))


def test_a_recovery_code_is_good_once_however_it_is_typed(coded: Door) -> None:
    first, second = coded.paper[:2]
    assert coded.second(first)
    refusal(coded, first)
    assert coded.second(f" {second.upper().replace('-', ' ')} ")
    assert count(coded.site, recovery_code) == 8


def test_new_recovery_codes_take_the_place_of_the_old(coded: Door) -> None:
    member = who(coded.site, coded.second(coded.paper[0]).secret)
    assert member is not None
    fresh = settings.renew_recovery(coded.site, member, PASSWORD, coded.paper[1])
    refusal(coded, coded.paper[2])
    assert coded.second(fresh[0])


def test_guessing_codes_ends_soon_and_the_right_one_looks_like_a_wrong_one_then(coded: Door, clock: MovedClock) -> None:
    said = {refusal(coded, f"{n:06}") for n in range(TRIES)}
    assert {refusal(coded, coded.code())} == said
    clock.move(WITHIN)
    assert coded.second(coded.code())


def test_knowing_the_password_brings_no_more_tries_at_codes(coded: Door, clock: MovedClock) -> None:
    """Every log-in begins anew and counts towards the same member; over a day the door closes for longer."""
    for _ in range(IN_A_DAY // TRIES):
        for n in range(TRIES):
            refusal(coded, f"{n:06}")
        clock.move(WITHIN)
    refusal(coded, coded.code())
    clock.move(days(1))
    turn(coded.site)
    assert coded.second(coded.code())


def test_a_half_log_in_ends_with_its_time_its_use_and_a_new_password(coded: Door, clock: MovedClock) -> None:
    used, late, reset = (log_in(coded.site, ANN["email"], PASSWORD).secret for _ in range(3))
    second_step(coded.site, used, coded.code())
    clock.move(timedelta(seconds=A_STEP))
    said = {
        refusal(coded, coded.code(), used),
        refusal(coded, coded.code(), "guessed"),
        refusal(coded, coded.code(), ""),
    }
    actions.forgot(coded.site, ANN["email"])
    actions.choose_password(coded.site, coded.token(), PASSWORD)
    said.add(refusal(coded, coded.code(), reset))
    late = log_in(coded.site, ANN["email"], PASSWORD).secret
    clock.move(HALF_LASTS)
    said.add(refusal(coded, coded.code(), late))
    assert len(said) == 1
    turn(coded.site)
    assert count(coded.site, half_log_in) == 0


def test_a_new_password_does_not_turn_codes_off(coded: Door) -> None:
    actions.forgot(coded.site, ANN["email"])
    actions.choose_password(coded.site, coded.token(), "eight louder lamps")
    assert isinstance(log_in(coded.site, ANN["email"], "eight louder lamps"), Half)


def test_a_stolen_session_changes_nothing_about_logging_in(coded: Door) -> None:
    member = who(coded.site, coded.second(coded.code()).secret)
    assert member is not None
    for password, code in (("not it", coded.paper[0]), (PASSWORD, "000000"), (PASSWORD, "")):
        with pytest.raises(Refused):
            settings.turn_codes_off(coded.site, member, password, code)
        with pytest.raises(Refused):
            settings.renew_recovery(coded.site, member, password, code)
    with pytest.raises(Refused):
        settings.begin_codes(coded.site, member, PASSWORD)  # they are on: nobody sets up another app beside it
    assert count(coded.site, second_factor) == 1


def test_codes_are_turned_off_with_both(coded: Door) -> None:
    member = who(coded.site, coded.second(coded.code()).secret)
    assert member is not None
    settings.turn_codes_off(coded.site, member, PASSWORD, coded.paper[0])
    assert isinstance(log_in(coded.site, ANN["email"], PASSWORD), Session)
    assert count(coded.site, second_factor) == count(coded.site, recovery_code) == 0


def test_turning_codes_on_ends_every_other_session(door: Door) -> None:
    other = log_in(door.site, ANN["email"], PASSWORD) if door.member() else None
    member = door.logged_in()
    assert other is not None and who(door.site, other.secret) is not None
    door.with_codes(member)
    assert who(door.site, other.secret) is None
    assert [one.here for one in sessions.open_sessions(door.site, member)] == [True]


def test_a_suspended_member_is_told_why_after_the_second_step_alone(coded: Door) -> None:
    with coded.site.reading() as conn:
        person_id = conn.scalar(select(second_factor.c.person_id))
    assert person_id is not None
    actions.suspend(coded.site, person_id, "Orders were paid with stolen cards.")
    half = log_in(coded.site, ANN["email"], PASSWORD)
    assert "stolen cards" not in refusal(coded, "000000", half.secret)
    assert "stolen cards" in refusal(coded, coded.code(), half.secret)


def test_a_leaked_database_holds_no_code_and_no_secret(coded: Door) -> None:
    half = log_in(coded.site, ANN["email"], PASSWORD)
    with coded.site.reading() as conn:
        kept = [
            str(row) for table in (second_factor, recovery_code, half_log_in) for row in conn.execute(select(table))
        ]
    for secret in (coded.secret, half.secret, *coded.paper):
        assert not [row for row in kept if secret in row]


def test_the_secret_goes_with_its_persons_key_and_all_goes_with_the_account(coded: Door, clock: MovedClock) -> None:
    member = who(coded.site, coded.second(coded.code()).secret)
    assert member is not None
    log_in(coded.site, ANN["email"], PASSWORD)
    until = erased(coded.site, member.person_id)
    clock.at = until
    destroy_due(coded.site)
    assert [count(coded.site, table) for table in (second_factor, recovery_code, half_log_in)] == [0, 0, 0]


def test_without_its_persons_key_the_secret_opens_for_nobody(coded: Door) -> None:
    half = log_in(coded.site, ANN["email"], PASSWORD)
    with coded.site.reading() as conn:
        person_id = conn.scalar(select(second_factor.c.person_id))
    destroy_keys(coded.site, [str(person_id)])
    with pytest.raises(TrothError):
        second_step(coded.site, half.secret, coded.code())


def test_a_closed_account_keeps_no_factor(coded: Door) -> None:
    member = who(coded.site, coded.second(coded.code()).secret)
    assert member is not None
    actions.cancel(coded.site, member.person_id)
    assert count(coded.site, second_factor) == count(coded.site, recovery_code) == 0


def test_sessions_are_listed_and_ended_one_by_one(door: Door, clock: MovedClock) -> None:
    member = door.member()
    clock.move(timedelta(hours=1))
    other = log_in(door.site, ANN["email"], PASSWORD)
    assert isinstance(other, Session)
    here, there = sessions.open_sessions(door.site, member)
    assert (here.here, there.here) == (True, False)
    assert there.since - here.since == timedelta(hours=1) and there.until == other.ends_at
    assert sessions.end_one(door.site, member, there.name)
    assert who(door.site, other.secret) is None
    assert not sessions.end_one(door.site, member, there.name)
    assert len(sessions.open_sessions(door.site, member)) == 1


def test_nobody_ends_the_session_of_another(door: Door) -> None:
    ann, bob = door.member(), door.member("reg-2", email="bob@shop.example", phone="+44 20 7946 0124")
    (hers,) = sessions.open_sessions(door.site, ann)
    assert not sessions.end_one(door.site, bob, hers.name)
    assert len(sessions.open_sessions(door.site, ann)) == 1
