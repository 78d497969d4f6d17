"""When business with a person ends: the examples of the policies, and the query equal to the rule on any dealings."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, insert, select

from tests.fixtures import days
from troth.clock import utc
from troth.consent.tables import choice
from troth.people.tables import dealing, person
from troth.policy.model import Relationship
from troth.policy.periods import Period
from troth.policy.vocabulary import End
from troth.retention.relationship import Dealing, ends_at, set_ends
from troth.store.schema import data_tables

SINCE = utc(2025, 1, 1)
WARRANTY = Relationship(begins=("order", "registration"), ends=("customer notice", "last warranty ends"))
SILENCE = Relationship(begins=("enquiry",), ends=("silence",), silence=Period(90, "day"))
EVERY_WAY = Relationship(begins=("order", "enquiry"), ends=get_args(End), silence=Period(13, "month"))
LEAVING = Relationship(begins=("registration",), ends=("account closed", "silence"), silence=Period(730, "day"))
UNSUBSCRIBING = Relationship(ends=("unsubscribed", "silence"), silence=Period(730, "day"))
ANSWERED = Relationship(begins=("enquiry",), ends=("enquiry answered",))


def order(at: datetime, warranty: datetime | None = None) -> Dealing:
    return Dealing("order", at, warranty_ends_at=warranty)


@pytest.mark.parametrize(
    ("dealings", "ends"),
    [
        ([order(utc(2025, 1, 5), utc(2026, 1, 5)), order(utc(2025, 6, 5), utc(2026, 6, 5))], utc(2026, 6, 5)),
        (
            [
                order(utc(2025, 1, 5), utc(2026, 1, 5)),
                order(utc(2025, 2, 5), utc(2026, 6, 5)),
                Dealing("notice", utc(2025, 3, 1)),
            ],
            utc(2025, 3, 1),
        ),
        ([order(utc(2025, 1, 5))], None),
        ([Dealing("registration", utc(2025, 1, 5))], None),
        ([order(utc(2025, 1, 5)), Dealing("notice", utc(2025, 1, 5))], utc(2025, 1, 5)),
        ([Dealing("notice", utc(2025, 3, 1)), Dealing("notice", utc(2025, 2, 1))], utc(2025, 2, 1)),
        ([], None),
    ],
    ids=["two products: the later warranty", "notice first", "no warranty known", "never bought", "same moment",
         "the first of two notices", "nothing happened"],
)  # fmt: skip
def test_business_ends_at_the_earlier_of_notice_and_last_warranty(
    dealings: list[Dealing], ends: datetime | None
) -> None:
    assert ends_at(WARRANTY, dealings, SINCE) == ends


def test_a_new_purchase_reopens_business_that_had_ended() -> None:
    ended = [order(utc(2025, 1, 5), utc(2026, 1, 5)), Dealing("notice", utc(2025, 3, 1))]
    assert ends_at(WARRANTY, ended, SINCE) == utc(2025, 3, 1)
    assert ends_at(WARRANTY, [*ended, order(utc(2025, 4, 1), utc(2027, 4, 1))], SINCE) == utc(2027, 4, 1)
    after_the_warranty = [order(utc(2025, 1, 5), utc(2026, 1, 5)), order(utc(2026, 2, 1))]
    assert ends_at(WARRANTY, after_the_warranty, SINCE) is None


def test_silence_counts_from_the_last_dealing() -> None:
    assert ends_at(SILENCE, [], SINCE) == SINCE + days(90)
    spoken = [Dealing("contact", utc(2025, 2, 1)), Dealing("ticket", utc(2025, 3, 1), closed_at=utc(2025, 4, 1))]
    assert ends_at(SILENCE, spoken, SINCE) == utc(2025, 4, 1) + days(90)


def test_closing_an_account_ends_business_and_never_puts_silence_off() -> None:
    registered = Dealing("registration", utc(2026, 1, 5))
    closed = Dealing("registration", utc(2026, 1, 5), closed_at=utc(2027, 1, 5))
    assert ends_at(LEAVING, [registered], SINCE) == utc(2026, 1, 5) + days(730)
    assert ends_at(LEAVING, [closed], SINCE) == utc(2027, 1, 5)
    silent = Relationship(ends=("silence",), silence=Period(730, "day"))
    assert ends_at(silent, [closed], SINCE) == utc(2026, 1, 5) + days(730)


def test_an_account_opened_again_or_an_order_after_closing_it_lets_business_go_on() -> None:
    closed = Dealing("registration", utc(2026, 1, 5), closed_at=utc(2027, 1, 5))
    again = Dealing("registration", utc(2027, 2, 5))
    assert ends_at(LEAVING, [closed, again], SINCE) == utc(2027, 2, 5) + days(730)
    assert ends_at(LEAVING, [closed, order(utc(2027, 3, 5))], SINCE) == utc(2027, 3, 5) + days(730)


def test_whoever_unsubscribes_has_ended_it_and_a_later_yes_takes_that_back() -> None:
    subscribed = [Dealing("contact", utc(2026, 1, 5))]
    assert ends_at(UNSUBSCRIBING, subscribed, SINCE) == utc(2026, 1, 5) + days(730)
    no = (utc(2026, 2, 1), "news", "withdrawn")
    assert ends_at(UNSUBSCRIBING, subscribed, SINCE, stopped([no])) == utc(2026, 2, 1)
    assert stopped([no, (utc(2026, 3, 1), "news", "given")]) is None
    assert stopped([(utc(2026, 2, 1), "news", "refused")]) is None


def test_an_enquiry_is_answered_when_nothing_that_was_asked_is_open() -> None:
    answered = Dealing("ticket", utc(2026, 1, 5), closed_at=utc(2026, 1, 9))
    assert ends_at(ANSWERED, [answered], SINCE) == utc(2026, 1, 9)
    assert ends_at(ANSWERED, [answered, Dealing("request", utc(2026, 1, 7))], SINCE) is None
    assert ends_at(ANSWERED, [Dealing("contact", utc(2026, 1, 5))], SINCE) is None


def test_a_log_in_that_was_noted_counts_and_a_notice_does_not() -> None:
    assert ends_at(SILENCE, [Dealing("log-in", utc(2025, 3, 1), utc(2025, 3, 1))], SINCE) == utc(2025, 3, 1) + days(90)
    assert ends_at(SILENCE, [Dealing("notice", utc(2025, 3, 1))], SINCE) == SINCE + days(90)


moments = st.integers(0, 800).map(lambda n: SINCE + timedelta(days=n))
kinds = st.sampled_from(["order", "paid order", "registration", "notice", "contact", "ticket", "request", "log-in"])
states = st.sampled_from(["given", "refused", "withdrawn", "objected", "lifted", "expired"])
said = st.lists(st.tuples(moments, st.sampled_from(["news", "offers", "service"]), states), max_size=4)
MAILING = frozenset({"news", "offers"})


def stopped(words: list[tuple[datetime, str, str]]) -> datetime | None:
    """When somebody had said no to all mail: their last word on each purpose, a no to one and a yes to none."""
    last = {scope: (at, state) for at, scope, state in sorted(words, key=lambda one: one[0]) if scope in MAILING}
    noes = [at for at, state in last.values() if state in {"withdrawn", "objected"}]
    return None if any(state == "given" for _, state in last.values()) else max(noes, default=None)


@st.composite
def some_dealings(draw: st.DrawFn) -> list[Dealing]:
    made = []
    for _ in range(draw(st.integers(0, 6))):
        at = draw(moments)
        closed = draw(st.none() | st.integers(0, 90).map(lambda n, at=at: at + timedelta(days=n)))
        made.append(Dealing(draw(kinds), at, closed, draw(st.none() | moments)))
    return made


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    path: Path = tmp_path_factory.mktemp("relationship") / "people.db"
    engine = create_engine(f"sqlite:///{path}")
    data_tables.create_all(engine, [person, dealing, choice])
    return engine


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.lists(st.tuples(some_dealings(), said), min_size=1, max_size=4),
    entry=st.sampled_from(
        [
            WARRANTY,
            SILENCE,
            EVERY_WAY,
            LEAVING,
            UNSUBSCRIBING,
            ANSWERED,
            Relationship(ends=()),
            *(Relationship(begins=("order",), ends=(word,), silence=Period(9, "month")) for word in get_args(End)),
        ]
    ),
    some=st.booleans(),
)
def test_the_query_answers_as_the_rule(
    database: Engine,
    people: list[tuple[list[Dealing], list[tuple[datetime, str, str]]]],
    entry: Relationship,
    some: bool,
) -> None:
    with database.connect() as conn, conn.begin() as undone:
        for number, (dealings, words) in enumerate(people):
            conn.execute(insert(person).values(id=f"p{number}", kind="customer", state="active", since=SINCE))
            for n, one in enumerate(dealings):
                row = {"kind": one.kind, "at": one.at, "closed_at": one.closed_at, "ref": f"{number}-{n}"}
                row |= {"id": f"{number}-{n}", "person_id": f"p{number}", "warranty_ends_at": one.warranty_ends_at}
                conn.execute(insert(dealing).values(**row))
            words.sort(key=lambda one: one[0])
            for n, (at, scope, state) in enumerate(words):
                row = {"id": f"{number}-{n}", "person_id": f"p{number}", "scope": scope, "state": state, "at": at}
                conn.execute(insert(choice).values(**row, shown="", channel="", policy_version=1))
        set_ends(conn, "customer", entry, ["p0"] if some else None, MAILING)
        found = dict(conn.execute(select(person.c.id, person.c.relationship_ends_at)).all())
        for number, (dealings, words) in enumerate(people if not some else people[:1]):
            assert found[f"p{number}"] == ends_at(entry, dealings, SINCE, stopped(words))
        undone.rollback()
