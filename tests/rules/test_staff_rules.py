"""What roles may do at the desk, and how long things of the staff last: pure."""

from __future__ import annotations

from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policies import SITES
from troth.clock import utc
from troth.ledger.events import STAFF_READY
from troth.logins.rules import TRIES
from troth.policy.check import check, check_texts
from troth.policy.model import Policy
from troth.policy.periods import Period
from troth.staff.rules import (
    DESK,
    IDLE,
    LONGEST,
    PRIVACY_LEAD,
    SHOWN,
    UNCOUNTED,
    USUAL_LOG,
    Act,
    is_open,
    let_in_wrongly,
    log_kept,
    login_problem,
    may,
    roles_of,
    roles_problem,
    unlogged,
)

NOW = utc(2026, 3, 1, 12)
ACTS: tuple[Act, ...] = get_args(Act)


def policy(site: str) -> Policy:
    found = check(SITES / site).policy
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("roles", "acts"),
    [
        ((), {"own"}),
        ((DESK,), {"own", "requests", "people"}),
        ((PRIVACY_LEAD,), {"own", "requests", "people", "staff"}),
        (("finance",), {"own"}),
        (("finance", DESK), {"own", "requests", "people"}),
        (("Privacy Lead",), {"own"}),
    ],
)
def test_a_role_may_do_what_is_permitted_and_nothing_else(roles: tuple[str, ...], acts: set[str]) -> None:
    assert {act for act in ACTS if may(roles, act)} == acts


@given(st.text(), st.text())
def test_what_nobody_spoke_of_is_denied(role: str, act: str) -> None:
    if role not in (PRIVACY_LEAD, DESK):
        assert not may([role], "requests")
    if act not in ACTS:
        assert not may([PRIVACY_LEAD, DESK], act)  # type: ignore[arg-type]


@given(st.lists(st.sampled_from([PRIVACY_LEAD, DESK, "finance"])), st.sampled_from([PRIVACY_LEAD, DESK, "finance"]))
def test_another_role_never_takes_anything_away_and_order_never_matters(roles: list[str], more: str) -> None:
    for act in ACTS:
        assert may([*roles, more], act) >= may(roles, act)
        assert may(roles, act) == may(roles[::-1], act)


def test_roles_are_those_of_the_desk_and_of_the_policys_purposes() -> None:
    assert roles_of(policy("infortrend")) == (PRIVACY_LEAD, DESK, "human resources", "security")
    assert roles_of(policy("ledflex")) == (PRIVACY_LEAD, DESK)
    assert roles_problem(policy("infortrend"), ["security", DESK]) == ""
    for wrong in ([], ["janitor"], [DESK, "janitor"], ["human resources "]):
        assert roles_problem(policy("infortrend"), wrong)


@pytest.mark.parametrize(
    ("login", "fine"),
    [
        ("ann", True),
        ("ann.lee-2_x", True),
        ("Ann", False),
        ("2ann", False),
        ("ann@example.com", False),
        ("ann..lee", False),
        ("ann lee", False),
        ("ann\n", False),
        ("", False),
        ("a" * 40, True),
        ("a" * 41, False),
    ],
)
def test_a_login_name_is_a_plain_word(login: str, fine: bool) -> None:
    assert (login_problem(login) == "") == fine


@pytest.mark.parametrize(
    ("idle", "since", "expected"),
    [
        (timedelta(0), timedelta(0), True),
        (IDLE - timedelta(seconds=1), timedelta(hours=1), True),
        (IDLE, timedelta(hours=1), False),
        (timedelta(0), LONGEST, False),
        (timedelta(0), LONGEST - timedelta(seconds=1), True),
    ],
)
def test_a_session_is_over_when_idle_or_after_half_a_day(idle: timedelta, since: timedelta, expected: bool) -> None:
    assert is_open(NOW - idle, NOW - since + LONGEST, NOW) == expected


def test_the_log_is_kept_as_long_as_the_policy_says_or_for_the_usual_time() -> None:
    assert log_kept(policy("ledflex")) == Period(90, "day")
    assert log_kept(policy("infortrend")) == Period(180, "day")
    assert log_kept(policy("optokingdom")) == USUAL_LOG == Period(175, "day")
    two = "retention: {a: {what: staff log, keep: 9 days}, b: {what: [staff log], keep: 5 days}}"
    shortest = check_texts(f"policy: {{version: 1}}\n{two}").policy
    assert shortest is not None
    assert log_kept(shortest) == Period(5, "day")


@pytest.mark.parametrize(
    ("failures", "how", "wrong"),
    [
        ([1] * (TRIES - 1), "", 0),
        ([1] * TRIES, "", 1),
        ([14] * TRIES, "", 0),
        ([13] * TRIES, "", 1),
        ([1] * TRIES, STAFF_READY, 0),
    ],
)
def test_a_log_in_after_too_many_failures_is_counted(failures: list[int], how: str, wrong: int) -> None:
    rows = [("ann", "failed", "", NOW - timedelta(minutes=ago)) for ago in failures]
    assert let_in_wrongly([*rows, ("ann", "entered", how, NOW)]) == wrong
    assert let_in_wrongly([*rows, (None, "failed", "", NOW), ("ben", "entered", "", NOW)]) == 0
    assert let_in_wrongly([*rows, ("ann", "entered", STAFF_READY, NOW), ("ann", "entered", "", NOW)]) == 0
    for act in SHOWN:
        assert let_in_wrongly([*rows, ("ann", "acted", act, NOW), ("ann", "entered", "", NOW)]) == 0
    assert let_in_wrongly([*rows, ("ann", "acted", "staff:added", NOW), ("ann", "entered", how, NOW)]) == wrong
    late = [("ann", "failed", UNCOUNTED, NOW)] * TRIES
    assert let_in_wrongly([*rows, *late, ("ann", "entered", how, NOW)]) == wrong


def test_each_log_in_needs_a_row_of_its_own() -> None:
    """Who came in is told at once or not at all; what somebody else's row tells, or a later one, is of another log-in."""
    second, hour = timedelta(seconds=1), timedelta(hours=1)
    ann, ben = ("ann", "entered", "", NOW + second), ("ben", "entered", "", NOW)
    assert unlogged([("ann", NOW)], [ann]) == unlogged([], [ann]) == 0
    assert unlogged([("ann", NOW), ("ann", NOW + second)], [ann]) == 1
    assert unlogged([("ann", NOW), ("ann", NOW + hour)], [ann, ("ann", "entered", "", NOW + hour)]) == 0
    assert unlogged([("ann", NOW)], [ben]) == unlogged([("ann", NOW)], [("ann", "left", "", NOW)]) == 1
    assert unlogged([("ann", NOW)], [("ann", "entered", "", NOW + hour)]) == 1
