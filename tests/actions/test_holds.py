"""Holds and archives: the only exceptions to deletion; scoped, reasoned, approved, ending, and readable for one thing."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.actions.lives import (
    CONTACT,
    NOT_RUN,
    ORDER,
    admit,
    customer,
    fields_held,
    leave,
    places_of,
    publish,
    rows,
    submit,
    work,
)
from tests.actions.test_sweep import NO_ARCHIVE
from tests.fixtures import START, days
from troth.clock import MovedClock, utc
from troth.errors import InvalidInput, Refused, TrothError
from troth.evidence.prove import prove
from troth.people.dealings import close_dealing
from troth.people.tables import quarantined
from troth.people.vault import By, find, read
from troth.proof import Proof
from troth.retention.alarms import alarms
from troth.retention.clocks import LONGEST_STAY
from troth.retention.ending import begin_ending, destroy_due, restore
from troth.retention.holds import holds_of, make_hold, release
from troth.retention.tables import departure, ending
from troth.retention.tables import hold as hold_table
from troth.store.site import Site

SYSTEM = By("system")
FINANCE = By("staff", "finance")
COURIER = By("staff", "warehouse")
BOOKS_END = utc(2032, 1, 6)
"""when 6 years from START are over: with the day that they end on"""


def hold(
    site: Site,
    person_id: str,
    fields: tuple[str, ...] = ("full_name", "delivery_address"),
    ground: str = "open orders",
    reason: str = "an order is on its way",
    purpose: str = "fulfil_order",
    approver: str = "privacy lead",
    ends_at: datetime | None = None,
    record: Mapping[str, str] = MappingProxyType({}),
) -> str:
    with site.writing() as conn:
        end = ends_at or site.now() + days(60)
        return make_hold(site, conn, person_id, fields, ground, reason, purpose, approver, end, record)


def erase(site: Site, person_id: str) -> str:
    with site.writing() as conn:
        return begin_ending(site, conn, person_id, "request:r1", site.now() + days(20))


def opens(site: Site, person_id: str, field: str, purpose: str, by: By) -> bool:
    try:
        return field in read(site, person_id, [field], purpose, by).values
    except TrothError:
        return False


@pytest.mark.parametrize(
    "missing",
    [{"reason": " "}, {"approver": ""}, {"approver": "Policy"}, {"ends_at": START}],
    ids=["no reason", "no approver", "an archive's own mark for approver", "no end ahead"],
)
def test_there_is_no_hold_without_reason_approver_and_end(site: Site, missing: dict[str, object]) -> None:
    one = customer(site)
    with pytest.raises(InvalidInput):
        hold(site, one, **missing)  # type: ignore[arg-type]
    assert rows(site, "hold") == 0


@pytest.mark.parametrize(
    "asked",
    [
        {"ground": "because we can"},
        {"ground": "court"},  # a ground for disclosing is none for keeping
        {"ground": "legal_duties", "fields": ("email",)},
        {"ground": "legal_duties", "fields": ()},
        {"purpose": "world domination"},
    ],
)
def test_there_is_no_hold_that_the_policy_has_no_ground_for(site: Site, asked: dict[str, object]) -> None:
    one = customer(site)
    with pytest.raises(Refused):
        hold(site, one, **asked)  # type: ignore[arg-type]
    assert rows(site, "hold") == 0


DUTY: Mapping[str, Any] = {"ground": "legal_duties", "fields": ("full_name",), "purpose": "accounts"}


def grounds(site: Site) -> Proof:
    return next(one.proof for one in prove(site).proven if one.promise.id == "legal.legal_duties")


@pytest.mark.parametrize("record", [{}, {"reference": " "}, {"evidence": "a letter"}])
def test_a_ground_that_needs_more_on_record_keeps_nothing_without_it(site: Site, record: dict[str, str]) -> None:
    one = customer(site)
    with pytest.raises(InvalidInput) as wrong:
        hold(site, one, **DUTY, record=record)
    assert wrong.value.problems == {"record": "lacks what the ground needs: reference"}
    assert "`needs`" in wrong.value.hint and rows(site, "hold") == 0
    assert grounds(site).verdict == "nothing to check yet"
    hold(site, one, **DUTY, record=record | {"reference": "T-1"})
    with site.reading() as conn:
        assert conn.scalar(select(hold_table.c.record)) == {"reference": "T-1"}, "what it needs, and nothing else"
    assert (grounds(site).verdict, grounds(site).unshown) == ("kept", ())


def test_a_hold_that_lost_what_its_ground_needs_breaks_the_promise_of_the_ground(site: Site) -> None:
    hold(site, customer(site), **DUTY, record={"reference": "T-1"})
    with site.writing() as conn:
        conn.execute(update(hold_table).values(record=None))
    found = grounds(site)
    assert (found.verdict, found.measured) == ("broken", "1 case without what the ground needs on record")


def path_of_erasure(site: Site) -> Proof:
    return next(one.proof for one in prove(site).proven if one.promise.id == "erasure")


def test_a_hold_is_judged_by_the_version_of_the_day_on_which_it_was_made(site: Site, clock: MovedClock) -> None:
    gone, later = customer(site, "ann@example.org"), customer(site, "bob@example.org")
    erase(site, gone)
    hold(site, later)
    assert path_of_erasure(site).verdict == "kept"
    clock.move(days(1))
    publish(site, "may keep: [open orders, legal duties]", "may keep: [legal duties]")
    assert path_of_erasure(site).verdict == "kept", "its ground was named when it was made"
    with site.writing() as conn:
        conn.execute(update(hold_table).values(made_at=site.now()))
    broken = path_of_erasure(site)
    assert (broken.verdict, broken.measured) == ("broken", "1 record kept on a ground that the policy does not name")


def test_a_ground_that_a_later_version_names_does_not_justify_an_earlier_hold(site: Site, clock: MovedClock) -> None:
    hold(site, customer(site))
    with site.writing() as conn:
        conn.execute(update(hold_table).values(ground="legal claims"))
    clock.move(days(1))
    publish(site, "may keep: [open orders, legal duties]", "may keep: [open orders, legal duties, legal claims]")
    assert path_of_erasure(site).verdict == "broken"


def test_an_open_order_keeps_the_address_until_it_is_delivered_and_nothing_else(site: Site, clock: MovedClock) -> None:
    publish(site, NO_ARCHIVE, "")
    one = customer(site)
    held = hold(site, one)
    erase(site, one)
    assert fields_held(site, one) == {"full_name", "delivery_address"}
    assert "email" in fields_held(site, one, quarantined)
    assert opens(site, one, "delivery_address", "fulfil_order", COURIER)
    assert not opens(site, one, "full_name", "marketing", SYSTEM)
    assert not opens(site, one, "full_name", "service", SYSTEM)
    clock.move(days(20))
    work(site)
    assert places_of(site, [one]) >= {"holding", "person", "person_key", "hold"}
    assert opens(site, one, "delivery_address", "fulfil_order", COURIER)
    with site.writing() as conn:
        close_dealing(site, conn, one, "order", f"o{one}", site.now())
        assert release(site, conn, held)
    work(site)
    assert places_of(site, [one]) <= {"ending"}


def test_a_hold_that_reaches_its_end_lets_go_by_itself(site: Site, clock: MovedClock) -> None:
    publish(site, NO_ARCHIVE, "")
    one = customer(site)
    hold(site, one, ends_at=START + days(60))
    erase(site, one)
    clock.at = START + days(60) - timedelta(seconds=1)
    work(site)
    assert fields_held(site, one) == {"full_name", "delivery_address"}
    clock.at = START + days(60)
    work(site)
    assert places_of(site, [one]) <= {"ending"}
    assert not [each for each in alarms(site) if each.subject not in NOT_RUN]


def test_a_hold_on_data_in_use_changes_nothing_until_it_ends(site: Site) -> None:
    one = customer(site)
    before = fields_held(site, one)
    hold(site, one)
    assert fields_held(site, one) == before
    assert opens(site, one, "email", "service", SYSTEM)
    with site.reading() as conn:
        told = holds_of(conn, one, site.now())
    assert [(each.fields, each.reason) for each in told] == [
        (("delivery_address", "full_name"), "an order is on its way")
    ]


def test_a_hold_made_late_brings_back_what_is_in_quarantine(site: Site, clock: MovedClock) -> None:
    publish(site, NO_ARCHIVE, "")
    one = customer(site)
    erase(site, one)
    clock.move(days(10))
    hold(site, one)
    assert fields_held(site, one) == {"full_name", "delivery_address"}
    assert opens(site, one, "delivery_address", "fulfil_order", COURIER)
    assert not opens(site, one, "full_name", "service", SYSTEM)
    clock.move(days(10))
    work(site)
    assert fields_held(site, one) == {"full_name", "delivery_address"}
    assert fields_held(site, one, quarantined) == set()


def test_two_holds_keep_what_either_names_each_for_its_own_purpose(site: Site, clock: MovedClock) -> None:
    publish(site, NO_ARCHIVE, "")
    one = customer(site)
    first = hold(site, one, ("delivery_address",))
    hold(site, one, ("order_total",), "legal_duties", "a tax inspection", "accounts", record={"reference": "T-1"})
    erase(site, one)
    assert fields_held(site, one) == {"delivery_address", "order_total"}
    assert opens(site, one, "order_total", "accounts", FINANCE)
    assert opens(site, one, "delivery_address", "fulfil_order", COURIER)
    assert not opens(site, one, "order_total", "fulfil_order", COURIER)
    with site.writing() as conn:
        release(site, conn, first)
    work(site)
    assert fields_held(site, one) == {"order_total"}
    assert opens(site, one, "order_total", "accounts", FINANCE)
    clock.move(days(60))
    work(site)
    assert places_of(site, [one]) <= {"ending"}


def test_the_books_are_kept_apart_read_by_finance_alone_and_go_in_the_end(site: Site, clock: MovedClock) -> None:
    one = customer(site)
    leave(site, one)
    clock.at = START + days(175)
    work(site)
    assert fields_held(site, one) == {"order_total"}
    with site.reading() as conn:
        told = holds_of(conn, one, site.now())
        assert find(site, conn, "email", "ann@example.org") is None
    assert [(each.ground, each.reason, each.purpose) for each in told] == [("books", "tax law", "accounts")]
    assert told[0].ends_at == BOOKS_END
    assert opens(site, one, "order_total", "accounts", FINANCE)
    assert not opens(site, one, "order_total", "accounts", SYSTEM)
    for purpose in ("fulfil_order", "marketing", "service", "market_facts"):
        assert not opens(site, one, "order_total", purpose, FINANCE)
    assert places_of(site, [one]) == {"person", "holding", "hold", "person_key"}
    clock.at = BOOKS_END - timedelta(microseconds=1)
    work(site)
    assert opens(site, one, "order_total", "accounts", FINANCE)
    clock.at = BOOKS_END
    work(site)
    assert places_of(site, [one]) <= {"ending"}


@pytest.mark.parametrize("margin", [days(2), days(20)])
def test_an_archive_of_six_years_is_whole_to_its_last_day_whatever_the_margin(
    site: Site, clock: MovedClock, margin: timedelta
) -> None:
    clock.at = utc(2026, 12, 1, 15)
    one = customer(site)
    erase(site, one)
    site = replace(site, wiring=site.wiring.model_copy(update={"quarantine_margin": margin}))
    for day in (utc(2032, 11, 27), utc(2032, 12, 1), utc(2032, 12, 1, 23, 59)):
        clock.at = day
        work(site)
        assert opens(site, one, "order_total", "accounts", FINANCE), day
    clock.at = utc(2032, 12, 2)
    work(site)
    assert places_of(site, [one]) <= {"ending"}


def test_a_hold_that_was_reckoned_with_365_days_a_year_goes_on_until_the_years_are_over(
    site: Site, clock: MovedClock
) -> None:
    one = customer(site)
    erase(site, one)
    work(site)
    with site.writing() as conn:
        conn.execute(update(hold_table).values(ends_at=START + days(6 * 365)))
    clock.at = START + days(6 * 365)
    assert clock.at < BOOKS_END
    work(site)
    assert opens(site, one, "order_total", "accounts", FINANCE)
    with site.reading() as conn:
        assert [each.ends_at for each in holds_of(conn, one, site.now())] == [BOOKS_END]
    clock.at = BOOKS_END
    work(site)
    assert places_of(site, [one]) <= {"ending"}


def test_an_archive_that_a_new_version_keeps_for_longer_is_not_lost_at_its_former_end(
    site: Site, clock: MovedClock
) -> None:
    one = customer(site)
    erase(site, one)
    work(site)
    publish(site, "order_total, keep: 6 years, after", "order_total, keep: 8 years, after")
    clock.at = BOOKS_END
    work(site)
    assert opens(site, one, "order_total", "accounts", FINANCE)
    clock.at = utc(2034, 1, 6)
    work(site)
    assert places_of(site, [one]) <= {"ending"}


def test_an_archive_outlasts_an_erasure_and_each_order_has_its_own_end(site: Site, clock: MovedClock) -> None:
    one = customer(site)
    clock.move(days(400))

    with site.writing() as conn:
        submit(site, conn, one, "order", ORDER)
    erase(site, one)
    clock.move(days(20))
    work(site)
    assert rows(site, "holding") == 2
    clock.at = BOOKS_END
    work(site)
    assert rows(site, "holding") == 1
    assert opens(site, one, "order_total", "accounts", FINANCE)
    clock.at = utc(2033, 2, 10)
    work(site)
    assert places_of(site, [one]) <= {"ending"}


def test_whoever_asked_for_erasure_is_gone_with_the_last_that_an_archive_kept_of_them(
    site: Site, clock: MovedClock
) -> None:
    one = admit(site, "customer", {"order_total": "99"}, "order")
    other = admit(site, "customer", ORDER, "order")
    clock.at = BOOKS_END - days(5)
    erase(site, one)
    erase(site, other)
    clock.at = BOOKS_END
    work(site)
    assert places_of(site, [one]) <= {"ending"}
    assert {"person", "person_key", "quarantined"} <= places_of(site, [other]), "may still be undone"
    clock.move(days(20))
    work(site)
    assert places_of(site, [other]) <= {"ending"}


def test_a_legal_hold_outlasts_the_end_of_an_archive(site: Site, clock: MovedClock) -> None:
    one = customer(site)
    erase(site, one)
    hold(
        site,
        one,
        ("order_total",),
        "legal_duties",
        "a court case",
        "",
        ends_at=START + days(7 * 365),
        record={"reference": "T-1"},
    )
    clock.at = BOOKS_END
    work(site)
    assert fields_held(site, one) == {"order_total"}
    assert not opens(site, one, "order_total", "accounts", FINANCE)
    clock.at = START + days(7 * 365)
    work(site)
    assert places_of(site, [one]) <= {"ending"}


def test_a_shorter_archive_in_a_new_policy_needs_no_row_to_change(site: Site, clock: MovedClock) -> None:
    one = customer(site)
    erase(site, one)
    clock.move(days(20))
    work(site)
    publish(site, "order_total, keep: 6 years, after", "order_total, keep: 1 year, after")
    clock.at = utc(2027, 1, 6)
    work(site)
    assert places_of(site, [one]) <= {"ending"}


def test_restoring_takes_back_the_archives_own_hold(site: Site) -> None:
    one = customer(site)
    before = fields_held(site, one)
    ending_id = erase(site, one)
    with site.writing() as conn:
        restore(site, conn, ending_id)
        assert holds_of(conn, one, site.now()) == []
    assert fields_held(site, one) == before
    assert opens(site, one, "email", "service", SYSTEM)


def test_a_hold_on_everything_of_nobody_is_refused(site: Site) -> None:
    with pytest.raises(InvalidInput):
        hold(site, "01" + "a" * 24)


def test_what_a_hold_keeps_survives_its_destruction_run(site: Site, clock: MovedClock) -> None:
    one = customer(site)
    hold(site, one, ("full_name",))
    erase(site, one)
    for _ in range(3):
        clock.move(days(10))
        destroy_due(site)
    assert fields_held(site, one) == {"full_name", "order_total"}


@pytest.mark.parametrize("keep, takes", [("400 days", LONGEST_STAY), ("60 days", days(6)), ("2 days", days(0.5))])
def test_the_ending_of_somebody_whom_a_hold_keeps_whole_takes_as_long_as_any_other(
    site: Site, clock: MovedClock, keep: str, takes: timedelta
) -> None:
    publish(site, "about a lead, keep: 60 days", f"about a lead, keep: {keep}")
    one = admit(site, "lead", CONTACT, "contact", "contact")
    hold(site, one, (), ends_at=START + days(1500))
    clock.at = START + days(900)
    work(site)
    with site.reading() as conn:
        mine = select(ending.c.began_at, ending.c.destroy_by).join(departure, departure.c.ending_id == ending.c.id)
        began_at, destroy_by = conn.execute(mine.where(departure.c.person_id == one)).one()
    assert destroy_by - began_at == takes
