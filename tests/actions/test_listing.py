"""What is held is listed and corrected without being opened, read many at once, and the ledger looked into by time."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.submissions import ORDER, REGISTER, entries, sent
from troth.clock import MovedClock
from troth.collection import collect
from troth.collection.actions import collect_in
from troth.consent.actions import record
from troth.consent.stops import actions as stops
from troth.errors import InvalidInput, Refused
from troth.ledger import events
from troth.ledger.guard import NotForTheLedger
from troth.ledger.look import between
from troth.people import vault
from troth.people.correcting import Correction, correct, correct_each
from troth.people.each import Want, ask_each, open_each, read_each
from troth.people.facts import By
from troth.people.listing import Listed, listed, of_people, of_point, of_submissions
from troth.policy.rules import OWN_ACCESS
from troth.store.site import Site

SERVICE = By("staff", role="service")
EMAIL = frozenset({"email"})


@pytest.fixture
def ann(site: Site) -> Iterator[str]:
    yield collect(site, replace(REGISTER, choices={"marketing": True})).person_id


def own(person_id: str) -> By:
    return By("person", ref=person_id)


def told(site: Site, person_id: str) -> list[Listed]:
    with site.writing() as conn:
        return listed(site, conn, [person_id], OWN_ACCESS, [own(person_id)]).get(person_id, [])


def test_each_holding_is_listed_with_its_uses_and_its_end_and_no_value(site: Site, ann: str) -> None:
    (interest,) = [one for one in told(site, ann) if one.place.fields == {"interest"}]
    (rest,) = [one for one in told(site, ann) if "email" in one.place.fields]
    assert interest.purposes == ("improvement", "preferences", "market_facts")
    assert interest.ends_at == interest.place.at + timedelta(days=100)
    assert rest.ends_at is None, "it ends with business"
    assert {"service", "marketing"} <= set(rest.purposes) and "newsletter_house" in rest.recipients
    assert (rest.place.point, rest.place.source, rest.place.submission) == ("register", "registration", "register-1")
    assert "ann@shop.example" not in repr(told(site, ann))


def test_what_was_objected_to_and_what_is_stopped_is_listed_apart(site: Site, ann: str) -> None:
    with site.writing() as conn:
        policy = site.policy(conn)
        record(site, conn, ann, "improvement", "objected", "words", "en", "letter", policy)
        stops.stop(site, conn, "preferences", by="lead", because="why", policy=policy)
        stops.stop(site, conn, "@newsletter_house", by="lead", because="why", policy=policy, origin="registration")
    (interest,) = [one for one in told(site, ann) if one.place.fields == {"interest"}]
    assert (interest.purposes, interest.objected, interest.stopped) == (
        ("market_facts",), ("improvement",), ("preferences",),
    )  # fmt: skip
    (rest,) = [one for one in told(site, ann) if "email" in one.place.fields]
    assert rest.stopped == ("@newsletter_house",) and "newsletter_house" not in rest.recipients


def test_whoever_may_not_ask_is_told_nothing_and_both_are_on_the_ledger(site: Site, ann: str) -> None:
    with site.writing() as conn:
        assert listed(site, conn, [ann], OWN_ACCESS, [By("person", ref="x" * 26)]) == {}
        assert listed(site, conn, [ann], "curiosity", [SERVICE]) == {}
        assert listed(site, conn, [ann], "service", [SERVICE])[ann]
    assert len(entries(site, events.READ_REFUSED)) == 2
    assert len(entries(site, events.PERSON_READ)) == 1


def test_a_submission_and_a_point_are_found_without_opening_anything(site: Site, ann: str, clock: MovedClock) -> None:
    clock.move(timedelta(hours=1))
    later = collect(site, sent(REGISTER, "register-2", email="bob@shop.example")).person_id
    with site.reading() as conn:
        assert {one.person_id for one in of_submissions(conn, ["register-2", "nosuch"])["register-2"]} == {later}
        assert "nosuch" not in of_submissions(conn, ["nosuch"])
        assert of_people(conn, [ann]).keys() == {ann}
        since = clock.now() - timedelta(minutes=1)
        assert {one.person_id for one in of_point(conn, "register", since, 10)} == {later}
        assert len(of_point(conn, "register", since - timedelta(days=1), 1)) == 1


def test_many_reads_share_a_commit_and_each_is_decided_by_itself(site: Site, ann: str) -> None:
    bob = collect(site, sent(REGISTER, "register-2", email="bob@shop.example", full_name="Bob")).person_id
    wants = [
        Want(ann, EMAIL, "marketing", SERVICE),
        Want(ann, None, OWN_ACCESS, own(ann)),
        Want(bob, EMAIL, "curiosity", SERVICE),
        Want(bob, frozenset({"full_name"}), "service", SERVICE),
        Want(bob, None, OWN_ACCESS, own(ann)),
        Want(ann, frozenset(), "service", SERVICE),
    ]
    readings = read_each(site, wants)
    values = [dict(one.values) if one else None for one in readings]
    assert values == [{"email": "ann@shop.example"}, REGISTER.values, None, {"full_name": "Bob"}, None, {}]
    assert len(entries(site, events.PERSON_READ)) == 4 and len(entries(site, events.READ_REFUSED)) == 2
    one_by_one = vault.read(site, ann, ["email"], "marketing", SERVICE)
    assert readings[0] is not None and readings[0].decision == one_by_one.decision


def test_one_holding_is_opened_by_its_id_and_no_other(site: Site, ann: str) -> None:
    assert collect(site, sent(ORDER, email="ann@shop.example", full_name="A. N. Other")).person_id == ann
    with site.reading() as conn:
        (first,) = [one for one in of_submissions(conn, ["register-1"])["register-1"] if "email" in one.fields]
    name = frozenset({"full_name"})
    (old, new) = read_each(
        site, [Want(ann, name, "service", SERVICE, held=first.id), Want(ann, name, "service", SERVICE)]
    )
    assert old is not None and new is not None
    assert (old.values["full_name"], new.values["full_name"]) == ("Ann Other", "A. N. Other")


def test_nothing_is_opened_before_the_decision_is_committed(site: Site, ann: str) -> None:
    with site.writing() as conn:
        asked = ask_each(site, conn, [Want(ann, EMAIL, "service", SERVICE)])
        with pytest.raises(ValueError, match="committed"):
            open_each(site, asked)
    assert open_each(site, asked)[0] is not None
    with pytest.raises(ValueError, match="themselves"):
        Want(ann, None, "service", SERVICE)


def correct_now(site: Site, person_id: str, key: str, values: dict[str, str], by: By) -> None:
    with site.writing() as conn:
        correct(site, conn, person_id, key, values, by)


def test_a_correction_takes_the_place_of_what_was_there_and_is_on_the_ledger(
    site: Site, ann: str, clock: MovedClock
) -> None:
    before = told(site, ann)
    clock.move(timedelta(days=1))
    correct_now(site, ann, "register-1", {"interest": "bulbs"}, own(ann))
    assert dict(vault.read(site, ann, ["interest"], OWN_ACCESS, own(ann)).values) == {"interest": "bulbs"}
    assert told(site, ann) == before, "when and where it was given stays, and so does its end"
    (entered,) = [json.loads(row["body"]) for row in entries(site, events.PERSON_CORRECTED)]
    assert entered["allowed"] is True and entered["person"] == ann
    assert "bulbs" not in repr(entries(site))


@pytest.mark.parametrize(
    "values",
    [
        {"full_name": "Ann"},  # held together with the address
        {"interest": "bulbs", "fax": "1"},
        {"interest": "a\x00b"},
        {field: REGISTER.values[field] for field in ("email", "full_name", "phone")},  # she is found by the address
    ],
)
def test_a_correction_that_does_not_fit_changes_nothing(site: Site, ann: str, values: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        correct_now(site, ann, "register-1", values, own(ann))
    assert dict(vault.read(site, ann, list(REGISTER.values), OWN_ACCESS, own(ann)).values) == dict(REGISTER.values)


def test_several_correct_at_once_or_none_of_them(site: Site, ann: str) -> None:
    bob = collect(site, sent(REGISTER, "register-2", email="bob@shop.example")).person_id
    both = [
        Correction(ann, "register-1", {"interest": "bulbs"}, own(ann)),
        Correction(bob, "register-2", {"interest": "shades"}, own(bob)),
    ]
    with site.writing() as conn:
        changed = correct_each(site, conn, both)
    assert [len(holdings) for holdings in changed] == [1, 1] and changed[0] != changed[1]
    assert "bulbs" not in repr(both)
    foreign = replace(both[1], submission="register-1")
    with pytest.raises(Refused), site.writing() as conn:
        correct_each(site, conn, [replace(both[0], values={"interest": "tubes"}), foreign])
    interests = [dict(vault.read(site, one, ["interest"], OWN_ACCESS, own(one)).values) for one in (ann, bob)]
    assert interests == [{"interest": "bulbs"}, {"interest": "shades"}]
    assert len(entries(site, events.PERSON_CORRECTED)) == 2


def test_nobody_corrects_what_is_not_theirs(site: Site, ann: str) -> None:
    bob = collect(site, sent(REGISTER, "register-2", email="bob@shop.example")).person_id
    for person_id, by in ((bob, own(bob)), (ann, own(bob)), (ann, SERVICE), ("x" * 26, own("x" * 26))):
        with pytest.raises(Refused):
            correct_now(site, person_id, "register-1", {"interest": "bulbs"}, by)
    assert dict(vault.read(site, ann, ["interest"], OWN_ACCESS, own(ann)).values) == {"interest": "lamps"}


def test_what_is_collected_within_a_larger_transaction_goes_with_it(site: Site) -> None:
    with site.writing() as conn:
        made = collect_in(site, conn, REGISTER)
        conn.rollback()
    with site.reading() as conn:
        assert of_people(conn, [made.person_id]) == {}
    with site.writing() as conn:
        collect_in(site, conn, REGISTER)
    with site.reading() as conn:
        assert "register-1" in of_submissions(conn, ["register-1"])


def test_the_ledger_is_looked_into_by_time_and_event(site: Site, ann: str, clock: MovedClock) -> None:
    start = clock.now()
    clock.move(timedelta(hours=1))
    collect(site, sent(REGISTER, "register-2", email="bob@shop.example"))
    with site.reading() as conn:
        collected = [events.HOLDING_COLLECTED]
        assert [one.at for one in between(conn, start, clock.now(), collected)] == [start]
        both = between(conn, start, clock.now() + timedelta(seconds=1), [*collected, events.PERSON_ADMITTED])
        assert [one.at for one in both] == [start, start, clock.now(), clock.now()]
        assert json.loads(both[0].body)["person"] == ann
        assert len(between(conn, start, clock.now(), collected, limit=0)) == 0
        with pytest.raises(NotForTheLedger):
            between(conn, start, start, ["no:such"])
