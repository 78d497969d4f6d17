"""Periods that count from ends of years, from several events, from what the business reports, from ages and until something
happens: on live data, on both stores, with days that were looked up."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from tests.acting import done
from tests.actions.lives import REGISTER, admit, customer, fields_held, leave, places_of, publish, submit, work
from tests.fixtures import START, days
from troth.clock import MovedClock, utc
from troth.consent.actions import record
from troth.errors import InvalidInput, PolicyError, Refused
from troth.evidence.prove import prove
from troth.people import ages, happenings
from troth.people.dealings import close_dealing, open_dealing
from troth.people.tables import happening, quarantined
from troth.people.vault import By
from troth.proof import Proof
from troth.retention.due import happened
from troth.retention.overdue import overdue
from troth.retention.relationship import refresh
from troth.retention.tables import hold
from troth.rights.copy import overview
from troth.store.site import Site

BOOKS = (
    "  books: {what: order_total, keep: 6 years, after: collection, archive: true, because: tax law, for: [accounts]}\n"
)
TASTE = "  taste: {what: interest, keep: 100 days, after: collection}\n"


def with_clock(site: Site, clock: str, old: str = TASTE, also: tuple[str, str] = ("", "")) -> None:
    """The shop with another clock in the place of ``old``."""
    if also[0]:
        text = (site.folder / "policy.yaml").read_text()
        assert also[0] in text
        (site.folder / "policy.yaml").write_text(text.replace(*also))
    publish(site, old, clock)


def gone_at(site: Site, clock: MovedClock, person_id: str, field: str, at: datetime) -> bool:
    """Whether nothing of ``field`` is left at ``at``, and it was there two months before."""
    clock.at = at - days(62)
    work(site)
    assert field in fields_held(site, person_id), "it went too early"
    clock.at = at
    work(site)
    return field not in fields_held(site, person_id) | fields_held(site, person_id, quarantined)


def shown(site: Site, key: str) -> Proof:
    return next(one.proof for one in prove(site).proven if one.promise.id == f"retention.{key}")


def test_two_years_after_the_end_of_the_calendar_year(site: Site, clock: MovedClock) -> None:
    with_clock(site, "  taste: {what: interest, keep: 2 years, counted from: end of calendar year}\n")
    one = customer(site)
    assert gone_at(site, clock, one, "interest", utc(2028, 12, 31))
    assert shown(site, "taste").limit == "2 years after the end of that year"


def test_the_financial_year_is_the_operators(site: Site, clock: MovedClock) -> None:
    also = ("operator: {name", "operator: {financial year ends: 31 March, name")
    with_clock(site, "  taste: {what: interest, keep: 1 year, counted from: end of financial year}\n", also=also)
    first = customer(site)  # January 2026: the year that ends on 31 March 2026
    clock.at = utc(2026, 3, 31, 23, 30)  # half past midnight in London, on 1 April: the next one
    second = customer(site, "bob@example.org")
    assert gone_at(site, clock, first, "interest", utc(2027, 3, 30, 23))
    assert "interest" in fields_held(site, second)
    assert gone_at(site, clock, second, "interest", utc(2028, 3, 30, 23))


def test_an_archive_is_there_until_its_year_is_over(site: Site, clock: MovedClock) -> None:
    """Tax law: six years after the end of the financial year of the order, and not a day less."""
    also = ("operator: {name", "operator: {financial year ends: 31 March, name")
    with_clock(
        site,
        "  books: {what: order_total, keep: 6 years, after: order, counted from: end of financial year, archive: true, "
        "because: tax law, for: [accounts]}\n",
        BOOKS,
        also,
    )
    one = customer(site, warranty=START + days(20))
    clock.move(days(300))
    work(site)
    assert fields_held(site, one) == {"order_total"}
    with site.reading() as conn:
        assert conn.scalar(select(hold.c.ends_at).where(hold.c.person_id == one)) == utc(2032, 3, 31, 23)
    clock.at = utc(2032, 3, 31, 22, 59)
    work(site)
    assert fields_held(site, one) == {"order_total"}
    clock.at = utc(2032, 4, 1)
    work(site)
    assert fields_held(site, one) == set()


BOTH = "  taste: {{what: interest, keep: 10 days, after: [claim_settled, relationship ends], whichever: {}}}\n"


def report(site: Site, person_id: str, number: str = "C-1", at: datetime | None = None) -> None:
    with site.writing() as conn:
        happenings.report(site, conn, person_id, "claim_settled", number, at or site.now())


def test_of_several_events_the_later_one_counts_and_nothing_ends_before_all_have_come(
    site: Site, clock: MovedClock
) -> None:
    with_clock(site, BOTH.format("later"))
    one = customer(site, warranty=START + days(3))
    clock.move(days(100))
    work(site)
    assert "interest" in fields_held(site, one), "business has ended, and the claim is open"
    report(site, one)
    clock.move(days(10))
    work(site)
    assert "interest" not in fields_held(site, one)
    assert shown(site, "taste").verdict == "kept"


def test_of_several_events_the_earlier_one_counts(site: Site, clock: MovedClock) -> None:
    with_clock(site, BOTH.format("earlier"))
    one, other = customer(site, warranty=START + days(900)), customer(site, "bob@example.org", START + days(900))
    report(site, one)
    clock.move(days(10))
    work(site)
    assert "interest" not in fields_held(site, one)
    assert "interest" in fields_held(site, other)


def test_a_report_that_comes_again_mends_the_day_and_one_can_be_taken_back(site: Site, clock: MovedClock) -> None:
    with_clock(site, "  taste: {what: interest, keep: 10 days, after: claim_settled}\n")
    one, other = customer(site), customer(site, "bob@example.org")
    report(site, one)
    report(site, one, at=site.now() - days(3))
    report(site, other, "C-2")
    with pytest.raises(Refused, match="somebody else's"):
        report(site, other, "C-1")
    with site.writing() as conn:
        assert happenings.retract(site, conn, other, "claim_settled", "C-2")
        assert not happenings.retract(site, conn, one, "claim_settled", "C-9")
    clock.move(days(8))
    work(site)
    assert ("interest" in fields_held(site, one), "interest" in fields_held(site, other)) == (False, True)


def test_the_act_reports_what_happened_and_never_what_lies_ahead(site: Site) -> None:
    one = customer(site)
    given = {"person": one, "event": "claim_settled", "number": "C-1"}
    assert done(site, "report-event", given | {"at": (START - days(2)).isoformat()}).result["person"] == one
    with site.reading() as conn:
        assert happened(conn, site.policy(conn), one)["claim_settled"] == START - days(2)
    with pytest.raises(InvalidInput):
        done(site, "report-event", given | {"at": (START + days(2)).isoformat()})
    with pytest.raises(InvalidInput):
        done(site, "report-event", given | {"event": "moon_landing"})


# --- until something happens ----------------------------------------------------------------------------------------------


def test_data_is_kept_while_the_account_exists(site: Site, clock: MovedClock) -> None:
    with_clock(site, "  taste: {what: interest, until: account closed}\n")
    one = admit(site, "customer", REGISTER, "register")
    with site.writing() as conn:
        open_dealing(site, conn, one, "registration", "account-1", site.now())
        refresh(site, conn, [one])
    clock.move(days(500))
    work(site)
    assert "interest" in fields_held(site, one)
    with site.writing() as conn:
        close_dealing(site, conn, one, "registration", "account-1", site.now())
        refresh(site, conn, [one])
    work(site)
    assert "interest" not in fields_held(site, one), "out of use at once"
    assert "interest" in fields_held(site, one, quarantined), "a mistake can be undone for a while"
    clock.move(days(20))
    work(site)
    assert "interest" not in fields_held(site, one, quarantined)
    assert shown(site, "taste").verdict == "kept"


def choose(site: Site, person_id: str, state: str) -> None:
    with site.writing() as conn:
        record(site, conn, person_id, "marketing", state, "Offers by e-mail", "en", "letter", site.policy(conn))  # type: ignore[arg-type]


def test_data_is_kept_until_consent_is_withdrawn(site: Site, clock: MovedClock) -> None:
    with_clock(site, "  taste: {what: interest, until: withdrawal of marketing}\n")
    one, other, third = (customer(site, f"{name}@example.org") for name in ("ann", "bob", "eve"))
    for somebody in (one, other):
        choose(site, somebody, "given")
    clock.move(days(3))
    for somebody in (one, other):
        choose(site, somebody, "withdrawn")
    clock.move(timedelta(minutes=1))
    choose(site, other, "given")  # they changed their mind before the sweep
    work(site)
    held = ["interest" in fields_held(site, somebody) for somebody in (one, other, third)]
    assert held == [False, True, True]


def test_data_that_is_in_use_after_its_event_is_an_alarm_and_breaks_the_promise(site: Site, clock: MovedClock) -> None:
    """The lie: the worker stands still after somebody withdrew."""
    with_clock(site, "  taste: {what: interest, until: withdrawal of marketing}\n")
    one = customer(site)
    choose(site, one, "given")
    choose(site, one, "withdrawn")
    clock.move(days(1))
    with site.reading() as conn:
        assert [one.clock for one in overdue(conn, site.policy(conn), site.now())] == ["taste"]
    assert shown(site, "taste").verdict == "broken"
    work(site)
    assert shown(site, "taste").verdict != "broken"


# --- ages -----------------------------------------------------------------------------------------------------------------

CHILD = "  taste: {what: [interest, birth_date], people: customer, until: 18 years old}\n"


@pytest.mark.parametrize(
    ("born", "birthday"),
    [
        ("2010-06-15", utc(2028, 6, 14, 23)),  # midnight in London, in summer time
        ("2010-12-01", utc(2028, 12, 1)),
        ("2012-02-29", utc(2030, 2, 28)),  # no such day that year: a ceiling takes the last one before
    ],
)
def test_data_is_kept_until_the_person_is_18(site: Site, clock: MovedClock, born: str, birthday: datetime) -> None:
    with_clock(site, CHILD)
    one = admit(site, "customer", {**REGISTER, "birth_date": born}, "register")
    clock.at = birthday - timedelta(seconds=1)
    work(site)
    assert {"interest", "birth_date"} <= fields_held(site, one)
    clock.at = birthday
    work(site)
    assert not {"interest", "birth_date"} & fields_held(site, one)


def test_a_date_of_birth_that_is_given_anew_moves_the_birthday(site: Site) -> None:
    with_clock(site, CHILD)
    one = admit(site, "customer", {**REGISTER, "birth_date": "2010-06-15"}, "register")
    with site.writing() as conn:
        submit(site, conn, one, "register", {**REGISTER, "birth_date": "2011-06-15"})
    with site.reading() as conn:
        assert conn.scalars(select(happening.c.at).where(happening.c.person_id == one)).all() == [utc(2029, 6, 14, 23)]


OTHER = CHILD.replace("18", "21")


def test_an_age_counts_for_those_who_were_there_before_a_version_asked_for_it(
    site: Site, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ages, "BATCH", 2)
    days_of_birth = ["2010-06-15", "2010-12-01", "2011-01-01"]
    people = [
        admit(site, "customer", {**REGISTER, "email": f"p{n}@example.org", "birth_date": day}, "register")
        for n, day in enumerate(days_of_birth)
    ]
    unsaid = admit(site, "customer", {**REGISTER, "email": "q@example.org"}, "register")
    with site.writing() as conn:
        submit(site, conn, people[2], "register", {**REGISTER, "email": "p2@example.org", "birth_date": "2010-11-30"})
    work(site)
    with_clock(site, CHILD)
    assert shown(site, "taste").verdict == "not proven"
    for again in range(2):
        work(site)
        assert _ages(site) == {("18 years old", one) for one in people}, again
    clock.at = utc(2028, 12, 1)
    work(site)
    assert ["interest" in fields_held(site, one) for one in (*people, unsaid)] == [False, False, False, True]


def test_a_version_that_asks_for_another_age_has_it_and_forgets_the_old_one(site: Site) -> None:
    with_clock(site, CHILD)
    one = admit(site, "customer", {**REGISTER, "birth_date": "2010-06-15"}, "register")
    work(site)
    publish(site, CHILD, OTHER, version=3)
    work(site)
    assert _ages(site) == {("21 years old", one)}
    publish(site, OTHER, TASTE, version=4)
    work(site)
    assert _ages(site) == set()


def _ages(site: Site) -> set[tuple[str, str]]:
    with site.reading() as conn:
        return {(row.event, row.person_id) for row in conn.execute(select(happening))}


def test_nothing_of_an_age_is_kept_that_no_clock_asks_for(site: Site) -> None:
    admit(site, "customer", {**REGISTER, "birth_date": "2010-06-15"}, "register")
    with site.reading() as conn:
        assert conn.execute(select(happening)).all() == []


def test_what_was_reported_and_a_birthday_go_with_their_person(site: Site, clock: MovedClock) -> None:
    with_clock(site, CHILD)
    one = admit(site, "customer", {**REGISTER, "birth_date": "2010-06-15"}, "register")
    report(site, one)
    with site.reading() as conn:
        assert len(conn.execute(select(happening)).all()) == 2
    leave(site, one)
    clock.move(days(176))
    work(site)
    assert not {"happening", "person", "person_key"} & places_of(site, [one])


def test_what_is_told_of_the_end_is_what_the_sweep_does(site: Site, clock: MovedClock) -> None:
    """The day in somebody's own copy, for a clock of several events and the end of a year."""
    with_clock(
        site,
        "  taste: {what: interest, keep: 1 year, after: [claim_settled, collection], whichever: later, "
        "counted from: end of calendar year}\n",
    )
    one = customer(site)
    report(site, one, at=START - days(400))
    told = overview.overview(site, one, By("person", ref=one), "en")
    assert ("Your claim is settled", "C-1", START - days(400)) in [
        (row[0].label, row[1], row[2]) for section in told.sections if section.key == "dealings" for row in section.rows
    ]
    ends = [
        item.goes.by for group in told.groups for item in group.items if "interest" in {f.id for f in item.kind.fields}
    ]
    assert ends == [utc(2027, 12, 31)]
    assert gone_at(site, clock, one, "interest", utc(2027, 12, 31))


@pytest.mark.parametrize(
    "words",
    [
        "{what: interest, keep: 2 years, until: account closed}",
        "{what: interest, until: account closed, archive: true, because: law}",
        "{what: interest, until: account closed, counted from: end of calendar year}",
        "{what: interest, until: collection}",
        "{what: interest, keep: 2 years, after: withdrawl of marketing}",
        "{what: interest, keep: 2 years, after: claim_setled}",
        "{what: interest, until: 12 years old}",
    ],
)
def test_what_cannot_be_is_no_policy(site: Site, words: str) -> None:
    with pytest.raises(PolicyError):
        publish(site, TASTE, f"  taste: {words}\n")
