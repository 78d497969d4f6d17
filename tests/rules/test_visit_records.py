"""What a visit's record holds: pure."""

from pathlib import Path

import pytest

from troth.policy.check import check
from troth.policy.compile import Compiled, compile_policy
from troth.visits.rules import address, page, record_of, recorded

SITES = Path(__file__).parents[2] / "sites"
OFFERED = {
    "pd:IPAddress": "203.0.113.77",
    "pd:DeviceBased": "device-55",
    "pd:BrowserHistory": "https://shop.example/a/b?session=s3cret#c",
    "pd:EmailAddress": "ann@example.org",
    "member": "01ke6p4ym0b5dqjhr8tfzwtzsw",
    "Cookie": "session=s3cret",
}


def site(name: str) -> Compiled:
    checked = check(SITES / name)
    assert checked.policy is not None
    return compile_policy(checked.policy)


def made(name: str, key: bytes = b"k" * 32) -> dict[str, str]:
    compiled = site(name)
    return record_of(compiled, recorded(compiled) or frozenset(), OFFERED, key)


@pytest.mark.clause("L9")
def test_ledinside_records_address_cookie_and_page_and_no_secret_of_the_query() -> None:
    assert made("ledinside") == {"ip_address": "203.0.113.77", "cookie_id": "device-55", "page": "/a/b"}


@pytest.mark.clause("M13")
def test_made_in_china_keeps_no_full_address_and_no_code_that_lasts_longer_than_a_day() -> None:
    first, next_day = made("made-in-china"), made("made-in-china", b"l" * 32)
    assert first["ip_address"] == "203.0.113.0"
    assert first["computer_code"] != next_day["computer_code"]
    assert not set(first.values()) & set(OFFERED.values())
    assert first.keys() == {"ip_address", "computer_code", "page"}


@pytest.mark.clause("F17")
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
