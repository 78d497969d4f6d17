"""A sealed body opens in its own place and nowhere else."""

import json

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from troth.errors import Unverifiable
from troth.people.sealing import LEAST, seal, unseal

KEY = bytes(range(32))
text = st.text(st.characters(exclude_categories=["Cs"]))
fields = st.dictionaries(st.from_regex(r"[a-z][a-z_]{0,10}", fullmatch=True), text, min_size=1, max_size=5)


@given(fields, text, text)
def test_what_was_sealed_is_opened(values: dict[str, str], person: str, holding: str) -> None:
    assert unseal(KEY, person, holding, values.keys(), seal(KEY, person, holding, values)) == values


@given(fields)
def test_what_was_sealed_with_its_names_still_opens_and_only_where_it_was(values: dict[str, str]) -> None:
    plain = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    place = json.dumps(["01", "p", "h", sorted(values)], separators=(",", ":")).encode()
    body = b"\x01" + bytes(12) + AESGCM(KEY).encrypt(bytes(12), plain, place)
    assert unseal(KEY, "p", "h", values.keys(), body) == values
    with pytest.raises(Unverifiable):
        unseal(KEY, "p", "h", values.keys(), b"\x02" + body[1:])


@given(fields)
def test_a_body_that_was_sealed_as_a_list_still_opens_and_as_nothing_else(values: dict[str, str]) -> None:
    plain = json.dumps([values[name] for name in sorted(values)], separators=(",", ":"), ensure_ascii=False).encode()
    place = json.dumps(["02", "p", "h", sorted(values)], separators=(",", ":")).encode()
    body = b"\x02" + bytes(12) + AESGCM(KEY).encrypt(bytes(12), plain, place)
    assert unseal(KEY, "p", "h", values.keys(), body) == values
    with pytest.raises(Unverifiable):
        unseal(KEY, "p", "h", values.keys(), b"\x03" + body[1:])


@pytest.mark.parametrize("values", [{}, {"a": ""}, {"a": "", "b": ""}, {"a": "\x00"}, {"a": "x\x00", "b": "y"}])
def test_values_of_nothing_and_of_what_stands_between_them_come_back(values: dict[str, str]) -> None:
    body = seal(KEY, "p", "h", values)
    assert unseal(KEY, "p", "h", values.keys(), body) == values
    assert len(body) >= LEAST


@given(fields)
def test_a_body_shows_nothing_of_its_values(values: dict[str, str]) -> None:
    body = seal(KEY, "p", "h", {**values, "name": "Ann Canary"})
    assert b"Canary" not in body
    assert body != seal(KEY, "p", "h", {**values, "name": "Ann Canary"})


@pytest.mark.parametrize(
    ("key", "person", "holding", "names"),
    [
        (KEY, "another", "holding", ["email", "name"]),
        (KEY, "person", "another", ["email", "name"]),
        (KEY, "person", "holding", ["email", "phone"]),
        (KEY, "person", "holding", ["email"]),
        (KEY, "personh", "olding", ["email", "name"]),
        (KEY[::-1], "person", "holding", ["email", "name"]),
    ],
)
def test_a_body_that_was_moved_does_not_open(key: bytes, person: str, holding: str, names: list[str]) -> None:
    body = seal(KEY, "person", "holding", {"email": "a@b.example", "name": "Ann"})
    with pytest.raises(Unverifiable):
        unseal(key, person, holding, names, body)


@given(st.data())
def test_a_body_with_any_byte_changed_does_not_open(data: st.DataObject) -> None:
    body = bytearray(seal(KEY, "p", "h", {"name": "Ann"}))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(Unverifiable):
        unseal(KEY, "p", "h", ["name"], bytes(body))


@given(st.binary(max_size=60))
def test_noise_does_not_open(noise: bytes) -> None:
    with pytest.raises(Unverifiable):
        unseal(KEY, "p", "h", ["name"], noise)
