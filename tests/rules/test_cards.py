"""Card numbers are found in any dress, ordinary numbers mostly are not, and logs show neither."""

import io
import logging
import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.errors import Refused
from troth.people.cards import find_cards, luhn, mask_cards, refuse_cards
from troth.people.logs import guard_logs, mask

# Issuer and length, from the networks' own published test ranges
ISSUED = (("4", 16), ("4", 13), ("4", 19), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15))
ISSUED += (("36", 14), ("305", 14), ("6011", 16), ("65", 16), ("3528", 16), ("62", 17), ("6304", 18), ("6759", 19))
TEST_CARDS = ("4111111111111111", "5555555555554444", "378282246310005", "30569309025904", "6011111111111117")
SCRIPTS = ("0", "０", "٠", "۰", "०")  # where their digits begin
SEPARATORS = ("", " ", "-", ".", "  ", " - ", "\u00a0", "\u2011", "–", "\u200b", "/", "_", "．", "+", "%20")


@st.composite
def cards(draw: st.DrawFn) -> str:
    start, length = draw(st.sampled_from(ISSUED))
    digits = start + draw(st.text("0123456789", min_size=length - 1 - len(start), max_size=length - 1 - len(start)))
    return next(digits + check for check in "0123456789" if luhn(digits + check))


@st.composite
def dressed(draw: st.DrawFn) -> tuple[str, str]:
    """A card number, and how somebody might write it."""
    card = draw(cards())
    zero = ord(draw(st.sampled_from(SCRIPTS)))
    separator = draw(st.sampled_from(SEPARATORS))
    cuts = draw(st.lists(st.sampled_from((1, 3, 4, 5, 6)), min_size=1, max_size=4))
    groups, place, turn = [], 0, 0
    while place < len(card):
        groups.append(card[place : place + cuts[turn % len(cuts)]])
        place, turn = place + cuts[turn % len(cuts)], turn + 1
    return card, separator.join("".join(chr(zero + int(digit)) for digit in group) for group in groups)


around = st.sampled_from(("", "my card: ", "note, ", "(", "Zahl bitte mit ", "卡號", "x"))


@given(dressed(), around, around)
def test_a_card_number_is_found_however_it_is_written(card: tuple[str, str], before: str, after: str) -> None:
    number, written = card
    assert number in find_cards(f"{before}{written}{after}")
    assert not find_cards(mask_cards(f"{before}{written}{after}"))


@pytest.mark.parametrize("card", TEST_CARDS)
@pytest.mark.parametrize(
    "text",
    ["{}", "order 12345 {} thanks", "2 pieces {}, exp 12/29, 123", "q={}&page=2", "a\n{}\nb", "{} {}", "0{}x"[1:]],
)
def test_a_card_number_is_found_inside_longer_text(card: str, text: str) -> None:
    said = text.replace("{}", card)
    assert set(find_cards(said)) == {card}
    assert card not in mask_cards(said)


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",  # a wrong check digit
        "0000000000000000",
        "1234567890123456",
        "+44 20 7946 0958",
        "020 7946 0958 / 020 7946 0959",
        "2026-01-05 09:00 to 2026-01-06 10:00",
        "GB29 NWBK 6016 1331 9268 19",
        "DE89 3704 0044 0532 0130 00",
        "9780306406157",  # a book
        "4111 1111, 1111 1111",
        "4006381333931",  # an article number with a Visa-like beginning
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert find_cards(text) == []
    assert mask_cards(text) == text


def test_few_ordinary_numbers_are_taken_for_cards() -> None:
    chance = random.Random(7)
    numbers = [str(chance.randrange(10 ** (length - 1), 10**length)) for length in range(8, 20) for _ in range(400)]
    assert sum(bool(find_cards(number)) for number in numbers) / len(numbers) < 0.03


@given(dressed(), st.sampled_from(("question", "full_name", "reference")))
def test_a_card_number_is_refused_and_the_refusal_does_not_repeat_it(card: tuple[str, str], field: str) -> None:
    with pytest.raises(Refused) as refused:
        refuse_cards({"email": "ann@shop.example", field: f"please charge {card[1]}"})
    assert field in refused.value.message
    assert not find_cards(str(refused.value))


# Logs


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What reaches a handler that knows nothing of masking."""
    before = logging.getLogRecordFactory()
    guard_logs()
    guard_logs()
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s"))
    logger = logging.getLogger("somewhere.else")
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)
    logging.setLogRecordFactory(before)


SECRETS = ("ann@shop.example", "4111 1111 1111 1111", "+44 20 7946 0958", "020 7946 0958", "(020) 79460958")


@pytest.mark.parametrize("secret", SECRETS)
def test_a_log_record_shows_no_personal_value(written: io.StringIO, secret: str) -> None:
    logger = logging.getLogger("somewhere.else")
    logger.warning("it was %s", secret)
    logger.warning(f"it was {secret}")
    logger.warning("it was %(it)s", {"it": secret})
    logger.warning("it was %r", ValueError(secret))
    logger.warning("does not fit %s %s", secret)  # noqa: PLE1206
    try:
        raise ValueError(f"bad value {secret}")
    except ValueError:
        logger.exception("failed")
        logger.warning("failed", exc_info=True, stack_info=True)
    said = written.getvalue()
    assert secret not in said
    assert said.count("it was [") + said.count("it was ValueError('[") == 4
    assert said.count("ValueError: bad value [") == 2


def test_other_records_stay_as_they_are(written: io.StringIO) -> None:
    logging.getLogger("somewhere.else").warning("%s took %d ms at %s", "sweep", 12345678, "2026-11-22 03:11:19")
    assert written.getvalue() == "somewhere.else sweep took 12345678 ms at 2026-11-22 03:11:19\n"


def test_the_web_servers_record_keeps_its_parts(written: io.StringIO) -> None:
    record = logging.getLogger("somewhere.else").makeRecord(
        "uvicorn.access", logging.INFO, "x", 1, '%s - "%s %s"', ("127.0.0.1:1", "GET", "/find?q=ann@shop.example"), None
    )
    assert record.args == ("127.0.0.1:1", "GET", "/find?q=[e-mail]")


@given(st.text() | dressed().map(lambda card: f"a {card[1]} b"))
def test_masking_twice_changes_nothing_more(text: str) -> None:
    assert mask(mask(text)) == mask(text)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("GET /?to=ann%40shop.example&x=1", "GET /?to=[e-mail]&x=1"),
        ("GET /?to=ann%2540shop.example", "GET /?to=[e-mail]"),
        ("<a>ann&#64;shop.example</a>", "<a>[e-mail]</a>"),
        ("tel=%2B442079460958 called", "tel=[phone] called"),
        ("100%40 of it", "100%40 of it"),
    ],
)
def test_a_log_shows_no_address_that_is_written_as_pages_write_it(said: str, shown: str) -> None:
    assert mask(said) == shown
