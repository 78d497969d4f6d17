"""Addresses of people are known however a program or a person writes them."""

from pathlib import Path

import pytest

from troth.people.blind import normalised
from troth.policy.check import check_texts
from troth.policy.compile import Compiled, compile_policy
from troth.reconcile.spelled import meant, plain

SHOP = Path(__file__).parents[1] / "shop" / "policy.yaml"
ANN = "ann+news@shop.example"


@pytest.fixture(scope="module")
def shop() -> Compiled:
    checked = check_texts(SHOP.read_text("utf-8"), SHOP.with_name("decisions.yaml").read_text("utf-8"))
    assert checked.policy is not None
    return compile_policy(checked.policy)


@pytest.mark.parametrize(
    "written",
    [
        "ann%2Bnews%40shop.example",
        "ann%2bnews%40shop%2Eexample",
        "ann%252Bnews%2540shop.example",
        "ann+news&#64;shop.example",
        "ann&#x2B;news&#x40;shop.example",
        "ann&plus;news&commat;shop.example",
        "ann=2Bnews=40shop.example",
        r"ann\u002bnews\u0040shop.example",
    ],
)
def test_an_address_that_a_program_wrote_is_read_plainly(written: str) -> None:
    assert plain(f"GET /?to={written}&ok") == f"GET /?to={ANN}&ok"


def test_what_is_written_plainly_stays_as_it_is() -> None:
    for text in ("", ANN, "100 % of = and \\ and & and %zz", "x" * 1_000_000):
        assert plain(text) == text


@pytest.mark.parametrize(
    ("number", "written"),
    [
        ("+44 20 7946 0958", "020 7946 0958"),
        ("+44 20 7946 0958", "(020) 7946-0958"),
        ("+44 20 7946 0958", "0044 20 7946 0958"),
        ("+44 20 7946 0958", "442079460958"),
        ("+44 20 7946 0958", "2079460958"),
        ("+49 30 901820", "030 901820"),
        ("+1 415 555 0132", "(415) 555-0132"),
        ("+1 415 555 0132", "415-555-0132"),
        ("+39 06 698 12345", "06 698 12345"),
        ("+886 2 2345 6789", "02-2345-6789"),
    ],
)
def test_a_number_is_known_without_its_country(shop: Compiled, number: str, written: str) -> None:
    assert normalised(shop, "phone", number) in set(meant(shop, "phone", written))


def test_a_day_or_a_plain_number_is_not_asked_of_every_country(shop: Compiled) -> None:
    for token in ("2026-11-30 19", "30.11.2026 19", "1764531960", "3.1415926"):
        assert len(set(meant(shop, "phone", token))) <= 2
    assert set(meant(shop, "email", ANN)) == {normalised(shop, "email", ANN)}
