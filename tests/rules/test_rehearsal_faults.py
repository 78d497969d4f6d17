"""Which faults a rehearsal causes, and when: the same for the same seed, of every kind, everywhere."""

from collections import Counter
from datetime import timedelta

import pytest

from troth.rehearsal.faults import Mishap, Place, Plan

MET = {
    Place("data", "statement"): 12,
    Place("data", "commit"): 2,
    Place("keys", "statement"): 3,
    Place("keys", "commit"): 1,
}
TURN = {
    Place("data", "statement", "sweep"): 200,
    Place("data", "commit", "seal"): 1,
    Place("keys", "statement", "orphans"): 2,
    Place("recipient", "delivery", "recipient"): 4,
    Place("mail", "delivery", "mail"): 3,
}


def planned(seed: int, tasks: int = 3000) -> list[Mishap]:
    plan = Plan(seed)
    plan.learn("submit", MET)
    plan.learn("turn", TURN)
    events = (plan.mishap("event", "submit", number, 0) for number in range(tasks))
    turns = (plan.mishap("turn", "turn", day, 0) for day in range(tasks))
    return [one for one in (*events, *turns) if one is not None]


def test_the_same_seed_brings_the_same_faults_and_another_one_others() -> None:
    assert planned(7) == planned(7)
    assert planned(7) != planned(8)


def test_every_place_is_hit_at_every_one_of_its_times() -> None:
    hit = {(one.place, one.nth) for one in planned(7)}
    few = {place: times for place, times in (MET | TURN).items() if times < 20}
    assert {(place, nth) for place, times in few.items() for nth in range(1, times + 1)} <= hit
    assert all(1 <= nth <= (MET | TURN)[place] for place, nth in hit)


def test_a_short_task_of_the_worker_is_hit_like_a_long_one() -> None:
    parts = Counter(one.place.part for one in planned(7) if one.place in TURN)
    assert max(parts.values()) < 1.5 * min(parts.values())


def test_every_kind_of_fault_has_a_name_of_its_own_and_happens() -> None:
    names = {one.name for one in planned(7)}
    assert names >= {
        "killed before a statement of the data store",
        "killed after a commit of the key store",
        "the key store was done and its answer got lost",
        "the data store failed at a commit",
        "the data store was locked by somebody else",
        "the data store answered late",
        "killed before a recipient took it",
        "killed after the mail server took it",
        "a recipient was away",
        "the mail server answered that it cannot now",
    }


def test_nobody_is_hit_for_ever_nor_before_anything_is_known_of_the_task() -> None:
    plan = Plan(7)
    assert plan.mishap("turn", "turn", 0, 0) is None
    plan.learn("turn", TURN)
    assert not any(plan.mishap("turn", "turn", day, 2) for day in range(1000))
    assert any(plan.mishap("turn", "turn", day, 1) for day in range(1000))


@pytest.mark.parametrize("seed", range(20))
def test_the_clock_and_the_worker_err_within_bounds(seed: int) -> None:
    plan = Plan(seed)
    errors = [plan.wrong_clock(day) for day in range(400)]
    assert timedelta(hours=-6) < min(errors) < timedelta(0) < max(errors) < timedelta(days=2)
    assert 20 < sum(map(bool, errors)) < 120
    absences = plan.absences(400)
    assert {1, 2, 4} == set(absences.values())
    days = [day + n for day, missed in absences.items() for n in range(missed)]
    assert len(days) == len(set(days))
    assert 3 <= min(days) < max(days) < 398


def test_even_a_short_life_has_an_absence_too_long_for_anybody() -> None:
    assert all(4 in Plan(seed).absences(40).values() for seed in range(20))
