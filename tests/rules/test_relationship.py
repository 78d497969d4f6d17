"""When business with a person ends: the examples of the policies, and the query equal to the rule on any dealings."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, insert, select

from tests.fixtures import days
from troth.clock import utc
from troth.people.tables import dealing, person
from troth.policy.model import Relationship
from troth.retention.relationship import Dealing, ends_at, set_ends
from troth.store.schema import data_tables

SINCE = utc(2025, 1, 1)
WARRANTY = Relationship(begins=("order", "registration"), ends=("customer notice", "last warranty ends"))
SILENCE = Relationship(begins=("enquiry",), ends=("silence",), silence=timedelta(days=90))
EVERY_WAY = Relationship(
    begins=("order",), ends=("customer notice", "last warranty ends", "silence"), silence=timedelta(days=400)
)


def order(at: datetime, warranty: datetime | None = None) -> Dealing:
    return Dealing("order", at, warranty_ends_at=warranty)


@pytest.mark.clause("F50")
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


@pytest.mark.clause("F50")
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


moments = st.integers(0, 800).map(lambda n: SINCE + timedelta(days=n))
kinds = st.sampled_from(["order", "paid order", "registration", "notice", "contact", "ticket", "request"])


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
    data_tables.create_all(engine, [person, dealing])
    return engine


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=st.lists(some_dealings(), min_size=1, max_size=4),
    entry=st.sampled_from([WARRANTY, SILENCE, EVERY_WAY, Relationship(ends=())]),
    some=st.booleans(),
)
def test_the_query_answers_as_the_rule(
    database: Engine, people: list[list[Dealing]], entry: Relationship, some: bool
) -> None:
    with database.connect() as conn, conn.begin() as undone:
        for number, dealings in enumerate(people):
            conn.execute(insert(person).values(id=f"p{number}", kind="customer", state="active", since=SINCE))
            for n, one in enumerate(dealings):
                row = {"kind": one.kind, "at": one.at, "closed_at": one.closed_at, "ref": f"{number}-{n}"}
                row |= {"id": f"{number}-{n}", "person_id": f"p{number}", "warranty_ends_at": one.warranty_ends_at}
                conn.execute(insert(dealing).values(**row))
        set_ends(conn, "customer", entry, ["p0"] if some else None)
        found = dict(conn.execute(select(person.c.id, person.c.relationship_ends_at)).all())
        for number, dealings in enumerate(people if not some else people[:1]):
            assert found[f"p{number}"] == ends_at(entry, dealings, SINCE)
        undone.rollback()
