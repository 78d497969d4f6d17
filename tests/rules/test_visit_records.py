"""What a visit's record holds: pure."""

from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.policy.check import check
from troth.policy.compile import Compiled, compile_policy
from troth.visits.rules import address, fits, page, record_of, recorded

SITES = Path(__file__).parents[2] / "sites"
OFFERED = {
    "pd:IPAddress": "203.0.113.77",
    "pd:DeviceBased": "device-55",
    "pd:BrowserHistory": "https://shop.example/a/b?session=s3cret#c",
    "pd:EmailAddress": "ann@example.org",
    "member": "01ke6p4ym0b5dqjhr8tfzwtzsw",
    "Cookie": "session=s3cret",
}


@cache
def site(name: str) -> Compiled:
    checked = check(SITES / name)
    assert checked.policy is not None
    return compile_policy(checked.policy)


def made(name: str, key: bytes = b"k" * 32) -> dict[str, str]:
    compiled = site(name)
    return record_of(compiled, recorded(compiled) or frozenset(), OFFERED, key)


def test_ledinside_records_address_cookie_and_page_and_no_secret_of_the_query() -> None:
    assert made("ledinside") == {"ip_address": "203.0.113.77", "cookie_id": "device-55", "page": "/a/b"}


def test_made_in_china_keeps_no_full_address_and_no_code_that_lasts_longer_than_a_day() -> None:
    first, next_day = made("made-in-china"), made("made-in-china", b"l" * 32)
    assert first["ip_address"] == "203.0.113.0"
    assert first["computer_code"] != next_day["computer_code"]
    assert not set(first.values()) & set(OFFERED.values())
    assert first.keys() == {"ip_address", "computer_code", "page"}


def test_led_flex_records_time_and_address_alone() -> None:
    assert made("ledflex") == {"ip_address": "203.0.113.77"}


def test_infortrend_records_no_visit_at_all() -> None:
    assert recorded(site("infortrend")) is None


@pytest.mark.parametrize("text", ["", "localhost", "203.0.113.7, 10.0.0.1", "1" * 5000])
def test_what_is_no_address_is_not_kept_as_one(text: str) -> None:
    assert address(text, short=False) == ""


def test_a_mapped_address_is_cut_like_the_one_it_stands_for() -> None:
    assert address("::ffff:203.0.113.77", short=True) == "203.0.113.0"


def test_a_page_is_its_path() -> None:
    assert page("https://ann:pw@shop.example/a?b#c") == "/a"
    assert page("/lamps /bulbs?x=1") == "/lamps /bulbs"
    assert len(page("/" + "a" * 10_000)) == 500


PATHS = st.one_of(
    st.text(max_size=40),
    st.lists(st.sampled_from(["/", "//", "a", ":", "?q=1", "#c", " ", "http://h", "["]), max_size=12).map("".join),
    st.text("/a ", min_size=490, max_size=520),
)


@given(PATHS, st.sampled_from(["ledinside", "made-in-china"]))
def test_what_was_recorded_has_the_form_that_is_promised(text: str, name: str) -> None:
    compiled = site(name)
    offered = OFFERED | {"pd:BrowserHistory": text, "pd:DeviceBased": text}
    found = record_of(compiled, recorded(compiled) or frozenset(), offered, b"k" * 32)
    assert [field for field, value in found.items() if not fits(compiled, field, value)] == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("ip_address", "203.0.113.77"),
        ("ip_address", "2001:db8:1:2::4"),
        ("ip_address", "ann"),
        ("computer_code", "device-55"),
        ("page", "/a?session=s3cret"),
        ("page", "https://shop.example/a"),
        ("page", "/4111111111111111"),
    ],
)
def test_what_says_more_than_is_promised_does_not_have_its_form(field: str, value: str) -> None:
    assert not fits(site("made-in-china"), field, value)
