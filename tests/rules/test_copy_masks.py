"""What is left out of a copy, and what is only suggested to be."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.people.vault import Held
from troth.policy.check import check_texts
from troth.policy.model import Policy
from troth.rights.copy.masks import NONE, Masks, Span, suggest

POLICY = """
policy: {version: 1}
data:
  email: {category: pd:EmailAddress, identifies: true}
  phone: {category: pd:TelephoneNumber}
  question: {category: pd:Communication}
"""
WORDS = "[somebody]"


def policy() -> Policy:
    found = check_texts(POLICY).policy
    assert found is not None
    return found


def held(id_: str = "h1", **fields: str) -> Held:
    return Held(id_, "contact", "contact", datetime(2026, 1, 5, tzinfo=UTC), 1, "", None, fields)


def suggested(*records: Held) -> list[tuple[str, str]]:
    texts = {(one.id, field): value for one in records for field, value in one.fields.items()}
    return [
        (one.looks_like, texts[one.span.holding, one.span.field][one.span.start : one.span.end])
        for one in suggest(policy(), records)
    ]


OWN = held("h0", email="Ann@shop.example", phone="+44 20 7946 0958")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("write to bob@shop.example.", [("email", "bob@shop.example")]),
        ("I am ann@SHOP.example", []),
        ("call my sister on 020 7946 0123", [("telephone", "020 7946 0123")]),
        ("call me on 020 7946 0958", []),
        ("I was born on 1990-05-31, order 12345, 12.05.2026", []),
        ("bob@x.example, eve@y.example", [("email", "bob@x.example"), ("email", "eve@y.example")]),
        ("no address here @ all", []),
    ],
)
def test_other_peoples_addresses_and_numbers_are_suggested_and_the_persons_own_are_not(
    text: str, found: list[tuple[str, str]]
) -> None:
    assert suggested(OWN, held(question=text)) == found


def test_only_what_is_written_freely_is_looked_at() -> None:
    assert suggested(held(email="bob@shop.example"), held("h2", phone="020 7946 0123")) == []


def test_a_field_or_a_stretch_is_replaced_and_everything_else_is_as_it_was() -> None:
    one = held(question="Ask Bob Sparrow about it", phone="1")
    spans = frozenset({Span("h1", "question", 4, 15), Span("h2", "question", 0, 3)})
    values, masked = Masks(spans=spans).of(one, WORDS)
    assert values == {"question": "Ask [somebody] about it", "phone": "1"} and masked == {"question"}
    values, masked = Masks(frozenset({("h1", "phone"), ("h1", "gone")})).of(one, WORDS)
    assert values["phone"] == WORDS and masked == {"phone"}
    assert NONE.of(one, WORDS) == (one.fields, frozenset())


def test_where_the_text_was_changed_since_all_of_it_is_left_out() -> None:
    (one,) = suggest(policy(), [held("h1", question="Call 020 7946 0123.")])
    masks = Masks(spans=frozenset({one.span}))
    assert masks.of(held("h1", question="Call 020 7946 0123."), "-") == ({"question": "Call -."}, {"question"})
    assert masks.of(held("h1", question="Please call 020 7946 0123."), "-") == ({"question": "-"}, {"question"})
    assert masks.of(held("h1", email="x"), "-") == ({"email": "x"}, frozenset())


@settings(deadline=None)
@given(st.text(max_size=40), st.lists(st.tuples(st.integers(-3, 45), st.integers(-3, 45)), max_size=6))
def test_nothing_that_is_masked_is_left_and_nothing_else_is_lost(text: str, ends: list[tuple[int, int]]) -> None:
    spans = frozenset(Span("h1", "question", min(pair), max(pair)) for pair in ends)
    values, _ = Masks(spans=spans).of(held(question=text), "\ue000")
    gone = {at for start, end in ends for at in range(max(min(start, end), 0), max(start, end))}
    assert values["question"].replace("\ue000", "") == "".join(
        sign for at, sign in enumerate(text) if at not in gone
    ).replace("\ue000", "")
