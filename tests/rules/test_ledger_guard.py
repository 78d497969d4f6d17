"""A body that a person could be known by never reaches the ledger."""

import json
import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest
import rfc8785
from hypothesis import assume, given
from hypothesis import strategies as st

from troth.clock import from_micros, utc
from troth.decide import Ask, Decision
from troth.ids import new_id
from troth.ledger import NotForTheLedger, decision_body
from troth.ledger.actions import canonical
from troth.ledger.events import EVENTS
from troth.ledger.guard import plain

PERSON = "01kdvdna004rspe68v50qds5dm"  # as `new_id` makes them, but the same in every worker
ALLOWED: list[object] = [
    "visits.keep", "recipients.mailchimp.consent", "consent:@mailchimp", "before:2018-05-25", "role:hr", "", "*",
    "E-05", "E-05 visits.keep", "GB", "zh-Hant", "en-GB", "1.2", "2026-01-05", "2026-01-05T09:00:00.000000Z",
    PERSON, f"request:{PERSON}", f"{PERSON}:mailchimp", "123e4567-e89b-12d3-a456-426614174000", "a" * 64, "0123456789abcdef",
    0, -3, 2.5, True, None, 999_999_999, [], {}, ["email", "full_name"], {"by_point": {"open_account": 3}},
]  # fmt: skip
REFUSED: list[object] = [
    "Alice", "alice@example.com", "John Smith", "please call me", "+886 912 345 678", "0912345678", "0912-345-678",
    "tel:0912345678", "4111111111111111", "4111-1111-1111-1111", "10.0.0.1", "192.168.001.001", "2001:db8:0:0:0:0:0:1",
    "fe80::1", "fe80:1:2:3:4:5:6:7", "card4111111111111111", "日本", "Müller", "a\nb", "x" * 161, "1:2:3:4", "a:b:c:d:e",
    4111111111111111, 886912345678, -886912345678, float("nan"), float("inf"), b"bytes", ..., timedelta(days=1),
]  # fmt: skip

letters_and_signs = st.text(alphabet="abcdefghijklmnopqrstuvwxyz0123456789.-_", min_size=1, max_size=20)
emails = st.builds("{}@{}.example".format, letters_and_signs, letters_and_signs)
phones = st.builds(
    lambda plus, digits, gap: plus + gap.join(digits),
    st.sampled_from(["", "+", "00", "tel:", "phone."]),
    st.lists(st.sampled_from("0123456789"), min_size=9, max_size=13),
    st.sampled_from(["", " ", "-", ".", "/", ":"]),
)
names = st.builds("{} {}".format, st.text(min_size=1, max_size=12), st.text(min_size=1, max_size=12))
foreign = st.text(min_size=1).filter(lambda text: not text.isascii())


def cards() -> st.SearchStrategy[str]:
    return st.from_regex(r"[2-6][0-9]{14}", fullmatch=True).map(lambda start: start + check_digit(start))


def check_digit(start: str) -> str:
    doubled = [int(d) * (2 - place % 2) for place, d in enumerate(reversed(start))]
    return str(-sum(d - 9 if d > 9 else d for d in doubled) % 10)


def buried(value: Any) -> st.SearchStrategy[dict[str, Any]]:
    """``value`` somewhere within a body, also as a key."""
    whole = st.recursive(
        st.just(value),
        lambda inner: st.lists(inner, min_size=1, max_size=2) | st.fixed_dictionaries({"n": st.just(1), "x": inner}),
        max_leaves=3,
    ).map(lambda inner: {"body": inner})
    return whole | st.just({str(value): 1})


@pytest.mark.parametrize("value", ALLOWED, ids=repr)
def test_names_ids_numbers_and_dates_are_written(value: object) -> None:
    assert plain({"x": value}) == {"x": value}


@pytest.mark.parametrize("value", REFUSED, ids=repr)
def test_what_fits_no_shape_is_refused(value: object) -> None:
    with pytest.raises(NotForTheLedger):
        plain({"x": value})


@pytest.mark.parametrize(
    "kind", [emails, phones, names, foreign, cards()], ids=["email", "phone", "name", "foreign", "card"]
)
@given(st.data())
def test_personal_values_are_refused_wherever_they_stand(kind: st.SearchStrategy[str], data: st.DataObject) -> None:
    value = data.draw(kind)
    assume(not re.fullmatch(r"[A-Z]-[0-9]{2} [a-z]+", value))
    with pytest.raises(NotForTheLedger) as refused:
        plain(data.draw(buried(value)))
    if len(value) > 3:
        assert value not in str(refused.value)


@given(st.integers(min_value=10**9, max_value=10**17), st.sampled_from([1, -1]))
def test_numbers_as_long_as_a_telephone_number_are_refused(number: int, sign: int) -> None:
    for value in (number * sign, float(number * sign)):
        with pytest.raises(NotForTheLedger):
            plain({"x": value})


@given(st.integers(0, 7 * 10**15).map(from_micros))
def test_every_id_and_instant_that_the_program_makes_is_written(at: datetime) -> None:
    made = new_id(at)
    assert plain({"person": made, "cause": f"clock:{made}", "at": at}) == {
        "person": made,
        "cause": f"clock:{made}",
        "at": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }


def test_sets_and_dates_are_written_the_same_way_every_time() -> None:
    body = {"fields": frozenset({"phone", "email", "fax"}), "on": date(2026, 1, 5), "pair": ("a", "b")}
    assert plain(body) == {"fields": ["email", "fax", "phone"], "on": "2026-01-05", "pair": ["a", "b"]}


def test_a_body_too_deep_is_refused() -> None:
    deep: dict[str, object] = {}
    for _ in range(8):
        deep = {"x": deep}
    with pytest.raises(NotForTheLedger):
        plain(deep)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        plain({"at": utc(2026).replace(tzinfo=None)})


def test_a_decision_is_kept_whole_so_that_it_can_be_asked_again() -> None:
    ask = Ask(
        "read", "marketing", frozenset({"email", "phone"}), "customer", "mailchimp", frozenset({"consent:marketing"})
    )
    kept = plain(decision_body(ask, Decision(False, ("absolutes.no_sale",), "words for people"), 3))
    asked = kept.pop("ask")
    assert kept == {"allowed": False, "because": ["absolutes.no_sale"], "version": 3}
    assert isinstance(asked, dict)
    again = {**asked, "fields": frozenset(asked["fields"]), "facts": frozenset(asked["facts"])}  # type: ignore[arg-type]
    assert Ask(**again) == ask  # type: ignore[arg-type]


@given(
    st.dictionaries(
        st.sampled_from(["b", "a", "z_1", "c.d"]), st.integers(-999, 999) | st.floats(-1e8, 1e8) | st.booleans()
    )
)
def test_what_is_sealed_is_the_canonical_form_of_the_whole_entry(body: dict[str, Any]) -> None:
    made = canonical(utc(2026), "person:read", rfc8785.dumps(plain(body)).decode())
    assert made == rfc8785.dumps({"event": "person:read", "at": "2026-01-01T00:00:00.000000Z", "body": body})
    assert json.loads(made)["body"] == body


def test_every_event_is_named_and_explained() -> None:
    for name, sentence in EVENTS.items():
        assert re.fullmatch(r"[a-z]+:[a-z]+", name)
        assert sentence.endswith(".")
        assert len(name) <= 60
