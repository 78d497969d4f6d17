"""Dealings on a real database: opened once, closed by their own person, seen in one query."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.operators import open_operator
from tests.promises.clause_sites import fill_in
from tests.shoppers import ANN, BOB, SYSTEM, Statements, registered
from tests.site_doors import in_hand
from troth.clock import MovedClock, utc
from troth.errors import Refused
from troth.ledger.tables import entry
from troth.people import vault
from troth.people.dealings import close_dealing, open_cases, open_dealing
from troth.people.tables import dealing, person
from troth.retention.relationship import refresh
from troth.store.site import Site

ENDS = select(person.c.relationship_ends_at)


def opened(site: Site, person_id: str, kind: str, ref: str) -> str:
    with site.writing() as conn:
        return open_dealing(site, conn, person_id, kind, ref, site.now())


def facts(site: Site, person_id: str, **more) -> frozenset[str]:
    with site.reading() as conn:
        return vault.facts(site, conn, [person_id], SYSTEM, site.now(), **more)[person_id]


def test_an_open_dealing_is_a_fact_until_it_is_closed(site: Site) -> None:
    ann = registered(site, ANN)
    opened(site, ann, "order", "A-1")
    opened(site, ann, "registration", "R-1")
    assert facts(site, ann) >= {"case:order", "registered"}
    with site.writing() as conn:
        assert close_dealing(site, conn, ann, "order", "A-1", site.now())
        assert not close_dealing(site, conn, ann, "order", "A-1", site.now())
    assert "case:order" not in facts(site, ann)
    assert "registered" in facts(site, ann)


def test_a_dealing_opened_twice_is_one(site: Site) -> None:
    ann = registered(site, ANN)
    assert opened(site, ann, "order", "A-1") == opened(site, ann, "order", "A-1")
    with site.reading() as conn:
        assert len(conn.execute(select(dealing)).all()) == 1
        assert len(conn.execute(select(entry).where(entry.c.event == "dealing:opened")).all()) == 1


def test_somebody_elses_dealing_is_neither_opened_nor_closed(site: Site) -> None:
    ann, bob = registered(site, ANN), registered(site, BOB)
    opened(site, ann, "order", "A-1")
    with pytest.raises(Refused):
        opened(site, bob, "order", "A-1")
    with site.writing() as conn:
        assert not close_dealing(site, conn, bob, "order", "A-1", site.now())
    assert "case:order" in facts(site, ann)


def test_a_case_that_is_named_must_be_the_persons_own(site: Site) -> None:
    ann = registered(site, ANN)
    opened(site, ann, "order", "A-1")
    opened(site, ann, "ticket", "T-1")
    assert {"case:order", "case:ticket"} & facts(site, ann, case="T-1") == {"case:ticket"}
    assert "barred" in facts(site, ann, case="B-1")
    assert "barred" not in facts(site, ann, case="A-1")


def test_a_kind_of_several_words_is_one_word_as_a_fact(site: Site) -> None:
    ann = registered(site, ANN)
    opened(site, ann, "paid order", "A-1")
    assert "case:paid_order" in facts(site, ann)


def test_the_open_cases_of_many_are_read_with_one_query(site: Site) -> None:
    people = [registered(site, {"email": f"p{n}@shop.example"}) for n in range(20)]
    for number, one in enumerate(people[:10]):
        opened(site, one, "order", f"A-{number}")
    heard = Statements(site.engine)
    with site.reading() as conn:
        found = open_cases(conn, people)
    assert len([text for text in heard.texts if "dealing" in text]) == 1
    assert found == {one: frozenset({("order", f"A-{number}")}) for number, one in enumerate(people[:10])}


def test_people_from_before_a_day_fall_under_its_regime(site: Site) -> None:
    policy = site.policy()
    service = policy.policy.purposes["service"].model_copy(update={"before": date(2018, 5, 25)})
    old = policy.policy.model_copy(update={"purposes": {**policy.policy.purposes, "service": service}})
    with site.writing() as conn:
        (before,) = vault.admit_many(site, conn, "customer", 1, since=utc(2018, 5, 24, 23, 59))
        (after,) = vault.admit_many(site, conn, "customer", 1, since=utc(2018, 5, 25))
    compiled = type(policy)(old, policy.promises, policy.rules, policy.clocks)
    assert "before:2018-05-25" in facts(site, before, policy=compiled)
    assert "before:2018-05-25" not in facts(site, after, policy=compiled)


@pytest.fixture
def in_hand_() -> Iterator[None]:
    with in_hand():
        yield


def test_the_end_of_one_kind_of_business_does_not_end_another(
    fresh_database: Callable[..., str], tmp_path: Path, clock: MovedClock, in_hand_: None
) -> None:
    """Whoever asks LED Flex for help and then orders becomes a customer; a customer who asks for help stays one."""
    site = open_operator("ledflex", tmp_path, clock, fresh_database)
    kim = fill_in(site, "assistance")
    with site.writing() as conn:
        conn.execute(update(person).values(relationship_ends_at=site.now()))
        assert refresh(site, conn) == 1, "the policy does not say how business with an enquirer ends"
    order = fill_in(site, "place_order")
    fill_in(site, "assistance", key="again")
    with site.writing() as conn:
        assert order.person_id == kim.person_id and order.case
        close_dealing(site, conn, kim.person_id, "order", order.case, site.now())
        refresh(site, conn)
        kind, ends = conn.execute(select(person.c.kind, person.c.relationship_ends_at)).one()
        assert kind == "customer" and ends is not None
        conn.execute(update(person).values(kind="enquirer"))
        conn.execute(
            update(person).values(relationship_ends_at=site.now())
        )  # as a policy left it that was amended since
        assert refresh(site, conn) == 1
        assert conn.scalar(ENDS) is None
