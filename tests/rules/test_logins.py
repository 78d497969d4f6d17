"""What every log-in stands on: codes by RFC 6238 that are good once, recovery codes, passwords and how often one may try."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.clock import utc
from troth.errors import Unverifiable
from troth.logins import totp
from troth.logins.digests import digest_of, new_secret
from troth.logins.passwords import hashed, matches
from troth.logins.recovery import CODES, digest_of_code, new_codes
from troth.logins.rules import LONGEST, SHORTEST, TRIES, WITHIN, may_try, password_problem

RFC_SECRET = base64.b32encode(b"12345678901234567890").decode()
"""of RFC 6238, appendix B; six digits are the last six of its eight"""
NOW = utc(2026, 3, 1, 12)
STEP = timedelta(seconds=totp.STEP)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)
    assert totp.code_at(RFC_SECRET, at) == code
    assert totp.step_of(RFC_SECRET, code, at, None) == seconds // 30


def test_a_code_is_good_one_step_to_either_side_and_no_further() -> None:
    secret = totp.new_totp()
    code = totp.code_at(secret, NOW)
    near = [totp.step_of(secret, code, NOW + steps * STEP, None) is not None for steps in (-1, 0, 1)]
    far = [totp.step_of(secret, code, NOW + steps * STEP, None) for steps in (-2, 2, 2880)]
    assert all(near)
    assert far == [None, None, None]


def test_a_code_is_good_once_and_none_before_it_is_good_after_it() -> None:
    secret = totp.new_totp()
    step = totp.step_of(secret, totp.code_at(secret, NOW), NOW, None)
    assert step is not None
    assert totp.step_of(secret, totp.code_at(secret, NOW), NOW, step) is None
    assert totp.step_of(secret, totp.code_at(secret, NOW - STEP), NOW, step) is None
    assert totp.step_of(secret, totp.code_at(secret, NOW + STEP), NOW, step) == step + 1


@given(st.text(max_size=12))
def test_what_is_no_code_is_refused_whatever_it_is(typed: str) -> None:
    secret = RFC_SECRET
    right = {totp.code_at(secret, NOW + steps * STEP) for steps in (-1, 0, 1)}
    assert (totp.step_of(secret, typed, NOW, None) is not None) == ("".join(typed.split()) in right)


def test_a_code_may_be_typed_with_a_space() -> None:
    secret = totp.new_totp()
    code = totp.code_at(secret, NOW)
    assert totp.step_of(secret, f" {code[:3]} {code[3:]} ", NOW, None) is not None


def test_the_address_for_an_app_names_issuer_and_login() -> None:
    secret = totp.new_totp()
    address = urlsplit(totp.totp_address(secret, "LED Flex & Co", "ann"))
    assert (address.scheme, address.netloc, unquote(address.path)) == ("otpauth", "totp", "/LED Flex & Co:ann")
    assert parse_qs(address.query) == {"secret": [secret], "issuer": ["LED Flex & Co"]}
    assert len(base64.b32decode(secret)) == 20


def test_the_picture_is_one_that_a_page_without_styles_or_scripts_may_show() -> None:
    drawn = totp.picture("otpauth://totp/x?secret=ABC", 'A "picture" <of> it')
    root = ElementTree.fromstring(drawn)
    assert root.attrib["role"] == "img"
    assert next(iter(root)).text == 'A "picture" <of> it'
    assert "style=" not in drawn
    assert "<script" not in drawn


def test_a_sealed_second_factor_opens_for_its_own_row_and_key_only() -> None:
    key, other = bytes(range(64)), bytes(64)
    kept = totp.sealed(key, RFC_SECRET, "ann")
    assert RFC_SECRET.encode() not in kept
    assert totp.opened(key, kept, "ann") == RFC_SECRET
    for wrong_key, row, whose in ((other, kept, "ann"), (key, kept, "bob"), (key, kept[:-1] + b"\0", "ann")):
        with pytest.raises(Unverifiable):
            totp.opened(wrong_key, row, whose)


def test_recovery_codes_are_ten_and_known_again_however_they_are_typed() -> None:
    codes = new_codes()
    assert len(set(codes)) == CODES
    for code in codes:
        assert digest_of_code(code) == digest_of_code(f"  {code.upper().replace('-', ' ')} ")
    assert len({digest_of_code(code) for code in codes}) == CODES


def test_a_secret_is_256_bits_and_its_digest_says_nothing_of_it() -> None:
    secret = new_secret()
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    assert len(digest_of(secret)) == 32
    assert new_secret() != secret


def test_a_password_matches_its_own_hash_only() -> None:
    kept = hashed("four words and more")
    assert kept.startswith("$argon2id$")
    assert matches("four words and more", kept)
    assert not matches("four words and less", kept)
    assert not matches("four words and more", None)


LONG = ("the lighthouse keeper bought nine violet umbrellas and a horse " * 4)[:LONGEST]


@pytest.mark.parametrize(
    ("password", "fine"),
    [
        ("a" * (SHORTEST - 1), False),
        ("aaaaaaaaaaaaa", False),
        ("abcdefghij", False),
        (LONG, True),
        (f"{LONG}e", False),
        ("password1234", False),
        ("qwertyuiop", False),
        ("seven quiet lamps", True),
        ("Ann@Example.com", False),
    ],
)
def test_a_password_is_long_enough_and_not_the_name_it_belongs_to(password: str, fine: bool) -> None:
    assert (password_problem(password, ["ann@example.com"]) == "") == fine


@given(st.lists(st.integers(-60, 60), max_size=12))
def test_whoever_failed_too_often_lately_has_to_wait(minutes: list[int]) -> None:
    failures = [NOW - timedelta(minutes=ago) for ago in minutes]
    lately = [at for at in failures if at > NOW - WITHIN]
    assert may_try(failures, NOW) == (len(lately) < TRIES)
