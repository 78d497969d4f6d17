"""Addresses of people are known however a program or a person writes them."""

import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.clock import utc
from troth.people.blind import normalised
from troth.people.logs import mask
from troth.people.spellings import TOKEN, may_hold_e_mail, meant, plain, written
from troth.policy.check import check_texts
from troth.policy.compile import Compiled, compile_policy

SHOP = Path(__file__).parents[1] / "shop" / "policy.yaml"
ANN = "ann+news@shop.example"


def found(text: str) -> set[str]:
    """What the search takes for an e-mail address."""
    return {one for one in TOKEN.findall(text) + TOKEN.findall(plain(text)) if "@" in one}


@pytest.fixture(scope="module")
def shop() -> Compiled:
    checked = check_texts(SHOP.read_text("utf-8"), SHOP.with_name("decisions.yaml").read_text("utf-8"))
    assert checked.policy is not None
    return compile_policy(checked.policy)


@pytest.mark.parametrize(
    "spelled",
    [
        "ann%2Bnews%40shop.example",
        "ann%2bnews%40shop%2Eexample",
        "ann%252Bnews%2540shop.example",
        "ann+news&#64;shop.example",
        "ann&#x2B;news&#x40;shop.example",
        "ann&plus;news&commat;shop.example",
        "ann=2Bnews=40shop.example",
        r"ann\u002bnews\u0040shop.example",
        r"ann\x2bnews\x40shop\x2eexample",
        "ann%25252Bnews%252540shop.example",
        "ann+news&#064;shop.example",
        "ann+news&#x0040;shop&period;example",
        "ann+news&amp;#64;shop.example",
        "ann+news%26%2364%3Bshop.example",
        "ann+news&#37;40shop.example",
        "ann+news@shop%2Eexample",
    ],
)
def test_an_address_that_a_program_wrote_is_read_plainly_and_masked(spelled: str) -> None:
    text = f"GET /?to={spelled}&ok"
    assert plain(text) == f"GET /?to={ANN}&ok"
    assert may_hold_e_mail(text)
    assert not found(mask(text)) and "news" not in mask(text)


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


def read_as_phone(shop: Compiled, text: str) -> bool:
    """Whether a log masks a part of ``text`` as a telephone number, or the search asks every country for one."""
    every = (set(meant(shop, "phone", token)) for token in TOKEN.findall(text))
    return "[phone]" in mask(text) or any(len(spelled) > 2 for spelled in every)


def digits(number: int) -> str:
    return "".join(random.choice("0123456789") for _ in range(number))


def an_address() -> str:
    return ".".join(str(random.randrange(256)) for _ in range(4)) + random.choice(["", ":8080", "/24", " - 200 48"])


FORMS = ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%Y.%m.%d", "%d %m %Y", "%Y%m%d",
         "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H.%M", "%Y%m%d%H%M%S")  # fmt: skip


def a_day() -> str:
    return (utc(1990) + timedelta(minutes=random.randrange(20_000_000))).strftime(random.choice(FORMS))


def an_order() -> str:
    made = (f"ORD-{digits(8)}", f"2026-{digits(6)}", f"{digits(3)}-{digits(7)}-{digits(7)}", f"9{digits(9)}")
    return random.choice(made)


def an_account() -> str:
    number = random.choice(["DE", "GB", "FR"]) + digits(20)
    return random.choice([number, " ".join(number[at : at + 4] for at in range(0, 22, 4))])


def a_parcel() -> str:
    return random.choice([f"9{digits(13)}", digits(20), f"1Z{digits(16)}", f"RR{digits(9)}DE"])


def a_version() -> str:
    high = random.randrange(1000, 9999)
    return random.choice(
        [f"{high % 30}.{high % 7}.{high}", f"{high % 90 + 100}.0.{high}.{high % 200}", f"10.0.22631.{high}"]
    )


@pytest.mark.parametrize("kind", [an_address, a_day, an_order, an_account, a_parcel, a_version])
def test_what_numbers_something_else_is_no_telephone(shop: Compiled, kind: Callable[[], str]) -> None:
    random.seed(7)
    taken = [text for text in (f"from {kind()} on" for _ in range(350)) if read_as_phone(shop, text)]
    few = 0 if kind in (an_address, a_day) else 7
    assert len(taken) <= few, taken


@pytest.mark.parametrize(
    "region", ["GB", "DE", "FR", "US", "TW", "JP", "IT", "ES", "NL", "SE", "AU", "IN", "BR", "PL", "CH"]
)
def test_a_number_of_any_country_is_known_in_each_spelling(shop: Compiled, region: str) -> None:
    for kind in (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE):
        number = phonenumbers.example_number_for_type(region, kind)
        assert number is not None
        forms = phonenumbers.PhoneNumberFormat
        whole, home, abroad = (
            phonenumbers.format_number(number, form) for form in (forms.E164, forms.NATIONAL, forms.INTERNATIONAL)
        )
        dotted = home.replace(" ", ".").replace("-", ".")
        for spelled in (whole, abroad, home, home.replace(" ", "-"), dotted, f"00{abroad[1:]}"):
            text = f"call {spelled} now"
            assert whole in {one for token in TOKEN.findall(text) for one in meant(shop, "phone", token)}, spelled
            assert "[phone]" in mask(text), spelled


@pytest.mark.parametrize("number", ["+45 20.12.34.56", "0045 20.12.34.56", "(+45) 20.12.34.56", "+47 22 11 2005"])
def test_a_number_that_says_its_country_is_masked_even_if_the_rest_reads_like_something_else(number: str) -> None:
    assert not any(sign.isdecimal() for sign in mask(f"call {number} now"))


NAME = st.from_regex(r"[a-z]([a-z0-9._+-]{0,9}[a-z])?", fullmatch=True)
E_MAIL = st.builds(
    "{}@{}.{}".format, NAME, st.from_regex(r"[a-z][a-z0-9-]{0,9}[a-z0-9]", fullmatch=True), st.just("example")
)
WAYS: tuple[Callable[[str], str], ...] = (
    lambda sign: f"%{ord(sign):02X}",
    lambda sign: f"%{ord(sign):02x}",
    lambda sign: f"&#{ord(sign)};",
    lambda sign: f"&#0{ord(sign)};",
    lambda sign: f"&#x{ord(sign):04x};",
    lambda sign: f"={ord(sign):02X}" if sign in "@.+" else sign,
    lambda sign: f"\\u00{ord(sign):02x}" if sign in "@.+" else sign,
    lambda sign: f"\\x{ord(sign):02x}" if sign in "@.+" else sign,
)


@st.composite
def encoded(draw: st.DrawFn) -> str:
    """An e-mail address of which some signs, and then signs of those, are written otherwise."""
    text = draw(E_MAIL)
    for _ in range(draw(st.integers(0, 3))):
        way, which = draw(st.sampled_from(WAYS)), draw(st.sets(st.sampled_from("@.+%&#;=\\4a")))
        text = "".join(way(sign) if sign in which else sign for sign in text)
    return text


@given(encoded() | st.text("@%&#;x=\\u04026ampcot.b", max_size=40))
def test_whatever_is_read_as_an_address_has_a_trace_of_one(text: str) -> None:
    assert may_hold_e_mail(text) or not found(text)


@given(encoded())
def test_whatever_is_read_as_an_address_is_masked(text: str) -> None:
    assert not found(mask(f"GET /?to={text} 200"))


@given(E_MAIL)
def test_whatever_way_the_search_writes_an_address_is_masked_and_found(shop: Compiled, address: str) -> None:
    for spelled in written(address):
        text = f"GET /?to={spelled} 200"
        known = {one for token in found(text) for one in meant(shop, "email", token)}
        assert normalised(shop, "email", address) in known
        assert mask(text) == "GET /?to=[e-mail] 200"


@pytest.mark.parametrize("number", ["+442079460958", "+14155550132", "+390669812345", "+886223456789"])
def test_whatever_way_the_search_writes_a_number_is_masked_and_found(shop: Compiled, number: str) -> None:
    bare = number.removeprefix(f"+{phonenumbers.parse(number).country_code}")
    for spelled in set(written(number)) - {bare}:  # digits alone are any number
        text = f"call {spelled} today"
        tokens = TOKEN.findall(text) + TOKEN.findall(plain(text))
        assert number in {one for token in tokens for one in meant(shop, "phone", token)}
        assert mask(text) == "call [phone] today"


@pytest.mark.parametrize(
    "text", ["took=401.5 ms", "took=401.25ms", "size=4096.00", "100%40 of it", "a=b&c=40", "x&y.zz"]
)
def test_numbers_and_arguments_are_no_addresses_to_a_log(text: str) -> None:
    assert mask(text) == text
