"""The vault on a real database: what it opens, for whom, and what it leaves behind."""

import json
import logging
from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from tests.databases import StoreKind
from tests.first_day import data_tables_made
from tests.fixtures import days
from tests.plans import explained
from tests.shoppers import ANN, BOB, SYSTEM, Statements, copy_data, everything_stored, held, registered
from troth.clock import MovedClock
from troth.consent import actions as consent
from troth.consent.tables import choice
from troth.errors import InvalidInput, Refused, StoreError, Unverifiable
from troth.ledger.tables import entry
from troth.people import vault
from troth.people.dealings import close_dealing, open_dealing
from troth.people.keystore import destroy_keys
from troth.people.tables import dealing, holding, identifier, person, shape
from troth.people.vault import By
from troth.store.engines import open_engine
from troth.store.site import Site


def read(site: Site, person_id: str, purpose: str, *fields: str, by: By = SYSTEM, case: str | None = None):
    return vault.read(site, person_id, fields or ("email", "full_name"), purpose, by, case)


def refused(
    site: Site, person_id: str, purpose: str, *fields: str, by: By = SYSTEM, case: str | None = None
) -> Refused:
    with pytest.raises(Refused) as error:
        read(site, person_id, purpose, *fields, by=by, case=case)
    return error.value


def entries(site: Site, event: str) -> list[dict]:
    with site.reading() as conn:
        return [json.loads(body) for body in conn.scalars(select(entry.c.body).where(entry.c.event == event))]


def agree(site: Site, person_id: str, scope: str, state: str = "given") -> None:
    with site.writing() as conn:
        words = "Yes, send me offers"
        consent.record(site, conn, person_id, scope, state, words, "en", "letter", site.policy(conn))


# What is opened


def test_a_read_opens_the_fields_asked_for_and_no_other(site: Site) -> None:
    reading = read(site, registered(site, ANN), "service")
    assert reading.values == {"email": ANN["email"], "full_name": ANN["full_name"]}
    assert reading.decision.because == ("purposes.service",)
    assert len(reading.holdings) == 1


def test_the_youngest_value_of_each_field_wins(site: Site, clock: MovedClock) -> None:
    ann = registered(site, ANN)
    clock.move(days(1))
    with site.writing() as conn:
        held(site, conn, ann, {"email": "ann@new.example"}, submission="later")
    assert read(site, ann, "service").values == {"email": "ann@new.example", "full_name": ANN["full_name"]}


def test_fields_that_end_by_different_clocks_are_held_apart(site: Site) -> None:
    ann = registered(site, ANN)
    with site.reading() as conn:
        query = select(shape.c.fields).join(holding, holding.c.shape_id == shape.c.id).where(holding.c.person_id == ann)
        assert sorted(conn.scalars(query)) == ["email full_name phone", "interest"]


def test_people_see_all_of_their_own_with_its_origin(site: Site) -> None:
    ann = registered(site, ANN)
    seen = list(vault.everything(site, ann, By("person", ref=ann)))
    assert {field: value for one in seen for field, value in one.fields.items()} == ANN
    assert {(one.point, one.source, one.policy_version, one.at) for one in seen} == {
        ("register", "registration", 1, site.now())
    }


def test_more_than_a_page_of_holdings_is_seen_whole(site: Site) -> None:
    ann = registered(site, ANN)
    with site.writing() as conn:
        for number in range(vault.PAGE + 5):
            held(site, conn, ann, {"interest": f"lamp {number}"}, submission=f"more {number}")
    assert len(list(vault.everything(site, ann, By("person", ref=ann)))) == vault.PAGE + 7


def test_many_are_read_with_a_few_statements(site: Site) -> None:
    people = {registered(site, {"email": f"p{n}@shop.example", "full_name": f"P {n}"}): n for n in range(40)}
    heard = Statements(site.engine, site.keys)
    readings = dict(vault.read_many(site, list(people), ["email"], "service", SYSTEM))
    assert {one: reading.values["email"] for one, reading in readings.items()} == {
        one: f"p{n}@shop.example" for one, n in people.items()
    }
    assert len([text for text in heard.texts if text.startswith(("SELECT", "INSERT", "WITH"))]) <= 9
    assert len(entries(site, "person:read")) == 40


def test_of_many_only_those_are_read_whom_the_policy_opens(site: Site) -> None:
    ann, bob = registered(site, ANN), registered(site, BOB)
    agree(site, bob, "marketing")
    assert [one for one, _ in vault.read_many(site, [ann, bob, "0" * 26], ["email"], "marketing", SYSTEM)] == [bob]
    assert {body["person"] for body in entries(site, "read:refused")} == {ann, "0" * 26}


# Who may


@pytest.mark.parametrize("purpose", ["credit_scoring", "research", "", "legal:court", "market_facts"])
def test_a_purpose_off_the_list_is_refused_and_on_the_ledger(site: Site, purpose: str) -> None:
    ann = registered(site, ANN)
    refused(site, ann, purpose, "interest")
    (body,) = entries(site, "read:refused")
    assert (body["person"], body["allowed"], body["ask"]["purpose"]) == (ann, False, purpose)
    assert not entries(site, "person:read")


def test_a_field_that_the_purpose_does_not_use_refuses_the_whole(site: Site) -> None:
    refused(site, registered(site, ANN), "service", "email", "phone")


def test_a_case_must_be_open_and_the_persons_own(site: Site) -> None:
    ann, bob = registered(site, ANN), registered(site, BOB)
    with site.writing() as conn:
        open_dealing(site, conn, ann, "order", "A-1", site.now())
        open_dealing(site, conn, bob, "order", "B-1", site.now())
        open_dealing(site, conn, ann, "ticket", "T-1", site.now())
    assert read(site, ann, "fulfil_order", "full_name", case="A-1").values == {"full_name": ANN["full_name"]}
    assert read(site, ann, "fulfil_order", "full_name").values
    refused(site, ann, "fulfil_order", "full_name", case="B-1")
    refused(site, ann, "fulfil_order", "full_name", case="T-1")
    refused(site, ann, "service", case="B-1")
    with site.writing() as conn:
        assert close_dealing(site, conn, ann, "order", "A-1", site.now())
    refused(site, ann, "fulfil_order", "full_name", case="A-1")
    refused(site, ann, "fulfil_order", "full_name")


def test_without_an_open_case_nothing_is_read(site: Site) -> None:
    ann = registered(site, ANN)
    refused(site, ann, "fulfil_order", "full_name")
    refused(site, ann, "answer", "email")


def test_consent_opens_its_own_purpose_until_it_is_withdrawn(site: Site, clock: MovedClock) -> None:
    ann = registered(site, ANN)
    refused(site, ann, "preferences", "interest")
    agree(site, ann, "marketing")
    refused(site, ann, "preferences", "interest")
    agree(site, ann, "preferences")
    assert read(site, ann, "preferences", "interest").values == {"interest": ANN["interest"]}
    clock.move(days(1))
    agree(site, ann, "preferences", "withdrawn")
    refused(site, ann, "preferences", "interest")


def test_a_role_that_the_policy_names_is_needed_and_only_staff_have_one(site: Site) -> None:
    ann = registered(site, ANN)
    assert read(site, ann, "accounts", "full_name", by=By("staff", "finance")).values
    refused(site, ann, "accounts", "full_name", by=By("staff", "sales"))
    refused(site, ann, "accounts", "full_name", by=By("system", "finance"))
    refused(site, ann, "accounts", "full_name", by=By("person", "finance", ann))


def test_nobody_sees_another_persons_data_as_their_own(site: Site) -> None:
    ann, bob = registered(site, ANN), registered(site, BOB)
    for by in (By("person", ref=bob), By("person"), By("staff", "finance"), SYSTEM):
        with pytest.raises(Refused):
            vault.everything(site, ann, by)
        refused(site, ann, "own_access", "email", by=by)
    refused(site, ann, "service", by=By("person", ref=bob))


def test_who_is_unknown_is_refused_like_one_whose_data_is_shut(site: Site) -> None:
    ann = registered(site, ANN)
    shut, unknown = (refused(site, one, "marketing") for one in (ann, "0" * 26))
    assert (str(shut), shut.hint) == (str(unknown), unknown.hint)
    assert str(refused(site, "0" * 26, "service")) == str(shut).replace("marketing", "service")


@pytest.mark.parametrize(
    ("state", "only_for", "open_for"),
    [
        ("quarantined", None, set()),
        ("quarantined", "service", set()),
        ("held", None, {"own_access"}),
        ("held", "service", {"service", "own_access"}),
        ("active", "", {"own_access"}),
        ("active", "accounts service", {"service", "own_access"}),
        ("active", None, {"service", "improvement", "own_access"}),
    ],
)
def test_restricted_people_are_read_for_what_is_recorded_and_quarantined_ones_for_nothing(
    site: Site, state: str, only_for: str | None, open_for: set[str]
) -> None:
    ann = registered(site, ANN)
    with site.writing() as conn:
        conn.execute(update(person).values(state=state, only_for=only_for))
    for purpose, field in (("service", "email"), ("improvement", "interest"), ("own_access", "email")):
        by = By("person", ref=ann) if purpose == "own_access" else SYSTEM
        if purpose in open_for:
            assert read(site, ann, purpose, field, by=by).values == {field: ANN[field]}
        else:
            refused(site, ann, purpose, field, by=by)
    with site.reading() as conn:
        assert vault.find(site, conn, "email", ANN["email"]) == (ann if state == "active" else None)


def test_a_held_holding_is_read_for_its_hold_alone(site: Site) -> None:
    ann = registered(site, ANN)
    with site.writing() as conn:
        conn.execute(update(holding).values(only_for="accounts"))
    assert read(site, ann, "service").values == {}
    assert read(site, ann, "accounts", "full_name", by=By("staff", "finance")).values == {"full_name": ANN["full_name"]}


# What comes in


def test_a_submission_that_comes_twice_is_stored_once(site: Site) -> None:
    ann = registered(site, ANN, submission="click")
    with site.writing() as conn:
        again = held(site, conn, ann, ANN, submission="click")
        assert sorted(again) == sorted(conn.scalars(select(holding.c.id)))
    assert len(again) == 2


def test_somebody_elses_submission_key_is_refused(site: Site) -> None:
    registered(site, ANN, submission="click")
    bob = registered(site, BOB)
    with pytest.raises(Refused), site.writing() as conn:
        held(site, conn, bob, BOB, submission="click")


@pytest.mark.parametrize(
    "values",
    [
        {"email": "c@shop.example", "full_name": "4111 1111 1111 1111"},
        {"email": "c@shop.example", "interest": "please charge ４１１１-1111-1111-1111, exp 12/29"},
        {"email": "c@shop.example", "card": "something"},
    ],
)
def test_card_numbers_and_what_is_never_stored_are_refused_whole(site: Site, values: dict[str, str]) -> None:
    with pytest.raises(Refused) as error:
        registered(site, values)
    assert "1111" not in str(error.value)
    with site.reading() as conn:
        assert conn.execute(select(holding)).first() is None
        assert conn.execute(select(identifier)).first() is None


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"email": "a@b.example", "question": "why?"}, Refused),
        ({"email": "a@b.example", "shoe_size": "43"}, Refused),
        ({"full_name": "half a sign \ud800"}, InvalidInput),
        ({"full_name": "nothing \x00 here"}, InvalidInput),
    ],
)
def test_what_no_point_asks_for_or_no_store_can_hold_is_refused(
    site: Site, values: dict[str, str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        registered(site, values)


@pytest.mark.parametrize("state", ["held", "quarantined"])
def test_nothing_new_is_held_about_somebody_who_is_gone(site: Site, state: str) -> None:
    ann = registered(site, ANN)
    with pytest.raises(Refused), site.writing() as conn:
        conn.execute(update(person).values(state=state))
        held(site, conn, ann, ANN, submission="later")


def test_a_submission_whose_transaction_fails_leaves_nothing(site: Site) -> None:
    with pytest.raises(RuntimeError), site.writing() as conn:
        ann = vault.admit(site, conn, "customer")
        held(site, conn, ann, ANN)
        raise RuntimeError
    with site.reading() as conn:
        for table in (person, holding, identifier, shape, entry):
            assert conn.execute(select(table)).first() is None


# Finding


@pytest.mark.parametrize("email", ["Ann.Canary@SHOP.example", " Ann.Canary@shop.example "])
def test_a_person_is_found_by_an_address_in_any_spelling_of_the_domain(site: Site, email: str) -> None:
    ann = registered(site, ANN)
    registered(site, BOB)
    with site.reading() as conn:
        assert vault.find(site, conn, "email", email) == ann
        assert vault.find(site, conn, "full_name", ANN["full_name"]) is None
        assert vault.find(site, conn, "email", "ann@elsewhere.example") is None


def test_international_domains_have_one_spelling(site: Site) -> None:
    ann = registered(site, {"email": "ann@bücher.example", "full_name": "Ann"})
    with site.reading() as conn:
        assert vault.find(site, conn, "email", "ann@BÜCHER.example") == ann
        assert vault.find(site, conn, "email", "ann@xn--bcher-kva.example") == ann


def test_whoever_returns_takes_over_what_they_are_found_by(site: Site) -> None:
    ann = registered(site, ANN)
    with site.writing() as conn:
        conn.execute(update(person).where(person.c.id == ann).values(state="quarantined"))
    again = registered(site, ANN)
    with site.reading() as conn:
        assert vault.find(site, conn, "email", ANN["email"]) == again


# What stays behind


SEALED = frozenset({"holding.body", "quarantined.body"})


def test_no_table_log_or_error_shows_a_value(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ann = registered(site, ANN)
    agree(site, ann, "marketing")
    said = [str(refused(site, ann, "fulfil_order", "full_name")), str(refused(site, ann, "accounts", "full_name"))]
    read(site, ann, "marketing")
    said.append(repr(read(site, ann, "service")))
    said.append(repr(list(vault.everything(site, ann, By("person", ref=ann)))))
    with site.writing() as conn:
        vault.find(site, conn, "email", ANN["email"])
    kept = everything_stored(site.engine, SEALED) + everything_stored(site.engine, frozenset())
    for value in (*ANN.values(), "canary", "Canary", "7946"):
        assert value not in kept
        assert value not in "".join(said)
        assert value not in caplog.text


def test_a_failing_statement_does_not_show_its_values(site: Site) -> None:
    ann = registered(site, ANN)
    with pytest.raises(Exception) as error, site.writing() as conn:
        conn.execute(insert(identifier).values(person_id="x" * 26, field="canary", blind=None))
    assert ann not in str(error.value)
    assert "canary" not in str(error.value)


def test_a_destroyed_key_makes_every_copy_unreadable_for_ever(
    site: Site, store_kind: StoreKind, fresh_database: Callable[..., str]
) -> None:
    ann, bob = registered(site, ANN), registered(site, BOB)
    copy = open_engine(fresh_database(store_kind, prepared_by=data_tables_made), site.folder)
    copy_data(site.engine, copy)
    assert destroy_keys(site, [ann]) == 1
    restored = Site(site.folder, site.wiring, copy, site.keys, site.clock)
    with restored.reading() as conn:
        assert vault.find(restored, conn, "email", ANN["email"]) == ann
        assert conn.execute(select(holding).where(holding.c.person_id == ann)).first() is not None
    with pytest.raises(StoreError, match="erased"):
        read(restored, ann, "service")
    with pytest.raises(StoreError, match="erased"):
        list(vault.everything(restored, ann, By("person", ref=ann)))
    assert [one for one, _ in vault.read_many(restored, [ann, bob], ["email"], "service", SYSTEM)] == [bob]
    assert read(restored, bob, "service").values == BOB
    copy.dispose()


def test_a_body_moved_to_another_person_holding_or_shape_does_not_open(site: Site, clock: MovedClock) -> None:
    ann = registered(site, {"email": "ann@shop.example", "full_name": "Ann"})
    bob = registered(site, {"email": "bob@shop.example", "full_name": "Bob"})
    clock.move(days(1))
    with site.writing() as conn:
        (later,) = held(site, conn, ann, {"email": "ann2@shop.example", "full_name": "Ann"}, submission="later")
        mine = conn.execute(select(holding).where(holding.c.person_id == ann).order_by(holding.c.at)).first()
        other = conn.execute(select(shape.c.id).where(shape.c.fields == "email full_name")).scalar_one()
    with site.writing() as conn:
        conn.execute(update(holding).where(holding.c.person_id == bob).values(body=mine.body))
    with pytest.raises(Unverifiable):
        read(site, bob, "service")
    with site.writing() as conn:
        conn.execute(update(holding).where(holding.c.id == later).values(body=mine.body))
    with pytest.raises(Unverifiable):
        read(site, ann, "service")
    with site.writing() as conn:
        conn.execute(delete(holding).where(holding.c.id == later))
        conn.execute(update(shape).where(shape.c.id == other).values(fields="email phone"))
    with pytest.raises(Unverifiable):
        list(vault.everything(site, ann, By("person", ref=ann)))


def test_reading_and_finding_use_indexes(site: Site) -> None:
    ann = registered(site, ANN)
    with site.writing() as conn:
        _crowd(conn, site.now())
        if conn.dialect.name == "postgresql":
            conn.exec_driver_sql("ANALYZE")
    heard = Statements(site.engine)
    with site.reading() as conn:
        assert vault.find(site, conn, "email", ANN["email"]) == ann
    read(site, ann, "service")
    lookups = [statement for statement in heard.asked if statement[0].startswith(("SELECT", "WITH"))]
    with site.reading() as conn:
        said = "\n".join(explained(conn, *statement) for statement in lookups)
    said = said.replace("sqlite_autoindex_identifier_1", "uq_identifier_field_blind")
    for table in ("person", "identifier", "holding", "choice", "dealing"):
        assert f"SCAN {table}" not in said
        assert f"Seq Scan on {table}" not in said
    for index in ("uq_identifier_field_blind", "ix_holding_person_id", "ix_choice_person_id", "ix_dealing_person_id"):
        assert index in said


def _crowd(conn: Connection, at: datetime) -> None:
    """Enough other people that a database would rather look than leaf through."""
    many = [f"{number:026}" for number in range(3000)]
    people = {"kind": "customer", "state": "active", "since": at}
    holdings = {"at": at, "policy_version": 1, "told": "", "shape_id": 1, "body": b""}
    choices = {"scope": "marketing", "state": "given", "at": at, "shown": "", "channel": "letter", "policy_version": 1}
    conn.execute(insert(person), [{"id": one, **people} for one in many])
    conn.execute(insert(identifier), [{"person_id": one, "field": "email", "blind": one.encode()} for one in many])
    conn.execute(insert(holding), [{"id": one, "person_id": one, "submission": one, **holdings} for one in many])
    conn.execute(insert(choice), [{"id": one, "person_id": one, **choices} for one in many])
    conn.execute(
        insert(dealing), [{"id": one, "person_id": one, "kind": "order", "ref": one, "at": at} for one in many]
    )
