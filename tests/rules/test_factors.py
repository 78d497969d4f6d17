"""Where passkeys belong, how often codes may be tried, and what a policy lets members show. Pure."""

from datetime import timedelta

import pytest

from tests.policies import SitePolicy
from troth.accounts.factors.rules import IN_A_DAY, Place, may_try_codes, place
from troth.accounts.publicity.rules import NOTHING, Choice, Way, by_way, fresh, offered
from troth.clock import utc
from troth.logins.rules import TRIES

NOW = utc(2026, 5, 4, 12)


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        ("https://shop.example/lamps", Place("https://shop.example", "shop.example")),
        ("https://shop.example:443/", Place("https://shop.example", "shop.example")),
        ("https://Shop.Example:8443/lamps", Place("https://shop.example:8443", "shop.example")),
        ("http://localhost:8080/shop", Place("http://localhost:8080", "localhost")),
        ("http://shop.example/lamps", None),
        ("http://127.0.0.1:8080/shop", None),
        ("https://192.0.2.7/", None),
        ("https://[::1]/", None),
        ("ftp://shop.example/", None),
        ("", None),
    ],
)
def test_passkeys_belong_to_a_named_place_that_is_safe(base: str, expected: Place | None) -> None:
    assert place(base) == expected


def test_codes_are_tried_a_few_times_in_a_while_and_not_often_in_a_day() -> None:
    long_ago = [NOW - timedelta(hours=1 + n / 10) for n in range(IN_A_DAY)]
    assert may_try_codes([], NOW)
    assert may_try_codes([NOW] * (TRIES - 1), NOW)
    assert not may_try_codes([NOW] * TRIES, NOW)
    assert may_try_codes(long_ago[1:], NOW)
    assert not may_try_codes(long_ago, NOW)


@pytest.mark.parametrize(
    ("before", "after", "asked"),
    [
        (NOTHING, NOTHING, False),
        (NOTHING, Choice(frozenset({"a"})), True),
        (Choice(frozenset({"a", "b"})), Choice(frozenset({"a"})), False),
        (Choice(frozenset({"a"})), Choice(frozenset({"b"})), True),
        (Choice(frozenset({"a"})), Choice(frozenset({"a"}), searchable=True), True),
        (Choice(frozenset({"a"}), searchable=True), Choice(frozenset({"a"})), False),
        (NOTHING, Choice(searchable=True), False),
    ],
)
def test_whatever_becomes_public_anew_is_asked_about_and_nothing_else(
    before: Choice, after: Choice, asked: bool
) -> None:
    assert fresh(before, after) is asked


@pytest.mark.parametrize(
    ("site", "people", "shown"),
    [
        ("made-in-china", "member", {"trade_post": Way("everyone", "trade_board", asks=False)}),
        ("made-in-china", "visitor", {}),
        ("optokingdom", "customer", {}),
        ("ledinside", "member", {}),
        ("ledflex", "customer", {}),
        ("infortrend", "customer", {}),
    ],
)
def test_members_can_show_what_the_policy_names_for_the_public_and_nothing_where_it_names_none(
    site: str, people: str, shown: dict[str, Way]
) -> None:
    assert offered(SitePolicy(site).compiled, people) == shown


def test_a_field_the_policy_no_longer_offers_is_left_out() -> None:
    way = Way("everyone", "board", asks=False)
    assert by_way({"a", "b", "gone"}, {"a": way, "b": way}) == {way: frozenset({"a", "b"})}
