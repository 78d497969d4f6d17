"""The quick way to a canonical body lets through what the guard lets through, spelt the same, and nothing else."""

from datetime import date
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.rules.test_ledger_guard import ALLOWED, PERSON, REFUSED
from troth.clock import utc
from troth.decide import Ask, Decision
from troth.ledger import NotForTheLedger, decision_body
from troth.ledger.bodies import Asked, canonical_body, texts
from troth.ledger.guard import plain


class Word(StrEnum):
    """A string that is not quite one."""

    SHOP = "shop"


single = st.sampled_from([*ALLOWED, *REFUSED, Word.SHOP, utc(2026), date(2026, 1, 2), -0.0, 1e20, PERSON[:-1] + "\n"])
keys: st.SearchStrategy[Any] = st.sampled_from(
    ["act", "by", "version", Word.SHOP, "Alice", "a\n", 1, True, None, PERSON]
)
values = st.recursive(
    single | st.text(max_size=8) | st.integers() | st.sets(st.sampled_from(["b", "a"])),
    lambda inner: st.lists(inner, max_size=3) | st.tuples(inner) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


def slowly(body: Any) -> str | None:
    try:
        return canonical_body(plain(body))
    except NotForTheLedger:
        return None


def quickly(*bodies: Any) -> list[str] | None:
    try:
        return texts(bodies)
    except NotForTheLedger:
        return None


@given(st.dictionaries(keys, values, max_size=4), st.dictionaries(keys, values, max_size=3))
def test_the_quick_way_writes_what_the_guard_would_and_refuses_what_it_would(one: dict, other: dict) -> None:
    shared = {**one, "shared": other}
    each = [slowly(body) for body in (one, shared, {**shared, "n": 1})]
    for _ in range(2):  # what was remembered changes nothing
        assert [quickly(one), quickly(shared), quickly({**shared, "n": 1})] == [s if s is None else [s] for s in each]
    assert quickly(one, shared, shared) == (None if None in each else [each[0], each[1], each[1]])


def test_a_part_that_was_changed_between_two_entries_is_written_as_it_is_now() -> None:
    part = {"fields": ["email"]}
    before = texts([{"ask": part}])
    part["fields"].append("alice@example.com")
    with pytest.raises(NotForTheLedger):
        texts([{"ask": part}])
    part["fields"][1] = "phone"
    assert (before, texts([{"ask": part}])) == (
        ['{"ask":{"fields":["email"]}}'],
        ['{"ask":{"fields":["email","phone"]}}'],
    )


def test_a_question_that_many_entries_share_cannot_be_changed() -> None:
    ask = Ask("read", "service", frozenset({"email", "phone"}), "customer", facts=frozenset({"by:staff"}))
    body = decision_body(ask, Decision(True, ("purposes.service",), ""), 1)
    assert texts([body]) == [canonical_body(plain(dict(body)))]
    with pytest.raises(TypeError, match="not changed"):
        body["ask"]["purpose"] = "marketing"  # type: ignore[index]
    assert isinstance(body["ask"], Asked)


def test_a_question_with_something_personal_is_refused_each_time_and_remembered_nowhere() -> None:
    ask = Ask("read", "alice@example.com", frozenset({"email"}))
    for _ in range(2):
        body = decision_body(ask, Decision(False, (), ""), 1)
        assert not isinstance(body["ask"], Asked)
        with pytest.raises(NotForTheLedger):
            texts([body])
