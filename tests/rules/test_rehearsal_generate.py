"""The events of a rehearsal follow from the policy, the seed and nothing else."""

from collections import Counter
from datetime import date
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.notices import SITES, compiled, small
from troth.policy.compile import Compiled
from troth.rehearsal.amend import amended
from troth.rehearsal.events import Event, read_line
from troth.rehearsal.generate import generate
from troth.rehearsal.offers import offers

PARTNERS = ("business_partners",)
LAMPS = """
people: {customer: {label: customers}}
data: {email: {category: pd:EmailAddress, identifies: true}, full_name: {category: pd:Name}}
purposes: {service: {label: serve you, basis: contract, uses: [email]}}
collection: {ask: {label: ask us, source: ask, people: customer, required: [email], optional: [full_name], for: [service]}}
"""


def made(policy: Compiled, days: int = 60, people: int = 200, seed: int = 7) -> list[Event]:
    return list(generate(policy, days=days, people=people, seed=seed, partners=PARTNERS))


@pytest.mark.parametrize("site", SITES)
def test_the_same_seed_makes_the_same_life_and_another_seed_another(site: str) -> None:
    assert made(compiled(site)) == made(compiled(site))
    assert made(compiled(site)) != made(compiled(site), seed=8)


@pytest.mark.parametrize("site", SITES)
def test_everything_that_a_policy_lets_happen_happens(site: str) -> None:
    policy = compiled(site).policy
    events = made(compiled(site), days=200, people=1_000)
    entered = {event.what for event in events if event.act in {"submit", "import"}}
    assert entered == {key for key, point in policy.collection.items() if point.kind != "visit" or point.members_only}
    assert {event.what for event in events if event.act == "disclose"} >= {
        key for key, one in policy.recipients.items() if one.receives
    }
    assert {event.what for event in events if event.act == "read"} >= {
        key for key, one in policy.purposes.items() if one.uses
    }
    chosen = {event.what for event in events if event.act == "choose"}
    assert chosen >= {key for key, one in policy.purposes.items() if one.basis == "consent" or one.opt_out}
    assert {"hostile", "erase", "amend", "jump"} <= {event.act for event in events}


@pytest.mark.parametrize("site", SITES)
def test_events_come_in_order_with_numbers_of_their_own_and_survive_a_file(site: str) -> None:
    events = made(compiled(site))
    assert [event.number for event in events] == list(range(len(events)))
    assert [event.after for event in events] == sorted(event.after for event in events)
    assert [read_line(event.line()) for event in events] == events


@pytest.mark.parametrize("site", SITES)
def test_nobody_does_anything_before_they_came_and_everybody_comes(site: str) -> None:
    came: dict[int, int] = {}
    for event in made(compiled(site)):
        if event.act in {"submit", "import"} and event.who not in came and event.who is not None:
            came[event.who] = event.day
        elif event.who is not None:
            assert came[event.who] <= event.day
    assert sorted(came) == list(range(200))


@pytest.mark.parametrize("site", ["ledflex", "infortrend"])
def test_a_person_has_about_a_hundred_events(site: str) -> None:
    happened = Counter[str]()
    for event in generate(compiled(site), days=400, people=2_000, seed=7, partners=PARTNERS):
        happened[event.act] += event.count
    assert 180_000 < happened.total() < 220_000
    assert happened["visits"] + happened["read"] > 0.8 * happened.total()


@pytest.mark.parametrize("site", SITES)
def test_what_is_closed_was_opened_before_by_the_same_person(site: str) -> None:
    events = {event.number: event for event in made(compiled(site), days=120, people=400)}
    closing = [event for event in events.values() if event.act == "close"]
    assert closing
    for event in closing:
        opened = events[int(event.details["order"])]
        assert (opened.who, opened.act in {"order", "submit", "import"}) == (event.who, True)
        assert opened.day < event.day


def test_a_section_that_the_policy_does_not_have_does_not_happen() -> None:
    assert {event.act for event in made(small(LAMPS))} <= {"submit", "read", "hostile", "erase", "jump"}


def test_a_section_that_is_new_happens_without_new_code() -> None:
    more = (
        "visits: {records: [time], keep: 30 days}\nrelationship: {customer: {begins: [order], ends: [customer notice]}}"
    )
    acts = {event.act for event in made(small(LAMPS + more))}
    assert {"visits", "order", "notice", "amend"} <= acts


@given(days=st.integers(1, 90), people=st.integers(0, 40), seed=st.integers())
@settings(max_examples=40, deadline=None)
def test_as_many_people_come_as_were_asked_for_whatever_the_days(days: int, people: int, seed: int) -> None:
    events = made(small(LAMPS), days, people, seed)
    assert len({event.who for event in events if event.act == "submit"}) == people
    assert all(0 <= event.day < days and 0 <= event.part < 1 for event in events)


def test_a_long_life_is_made_while_it_is_lived() -> None:
    endless = generate(compiled("ledflex"), days=10**7, people=10**9, seed=7, partners=())
    assert len(list(islice(endless, 100))) == 100


def test_an_amendment_changes_what_it_says_where_it_stands_and_nothing_else() -> None:
    policy = "policy: {version: 1, effective: 2020-01-01}\nvisits: {records: [time]}\nretention: {a: {what: x, keep: 9 days}}\n"
    decisions = (
        "decisions:\n- settles: E-05 visits\n  because: b\n  by: me\n  on: 2026-01-01\n  set: {visits.keep: 30 days}\n"
    )
    changes = {"visits.keep": "5 days", "retention.a.keep": "3 days"}
    texts = amended(policy, decisions, changes, 7, date(2026, 2, 1))
    assert texts[0] == (
        "policy:\n  version: 7\n  effective: '2026-02-01'\nvisits:\n  records:\n  - time\n"
        "retention:\n  a:\n    what: x\n    keep: 3 days\n"
    )
    assert "visits.keep: 5 days" in texts[1]
    assert "settles: E-05 visits" in texts[1]


def test_offers_name_the_longest_time_first() -> None:
    durations = offers(compiled("ledflex"), ()).durations
    assert [keep for _, keep in durations] == sorted((keep for _, keep in durations), reverse=True)
    assert dict(durations).keys() >= {"retention.customers.keep", "visits.keep"}
