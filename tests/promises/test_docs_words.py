"""The page of words explains those that pages and documents use, and the page beside a shop names addresses that are there."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from tests.databases import StoreKind
from tests.served import client
from troth.store.site import Site
from troth.verdicts import VERDICTS
from troth.web.app import make_app
from troth.web.evidence import no_look, proofs
from troth.web.words import LANGUAGES, words

DOCS = Path(__file__).parents[2] / "docs"
WORDS = (DOCS / "words.md").read_text()
BESIDE = (DOCS / "beside-your-shop.md").read_text()
ASKED_FOR = (
    *("gate", "dealing", "door", "hold", "finding", "decision", "canary", "attested", "act", "stop", "place", "seal"),
    *("witness", "ledger", "vault", "clock", "quarantine", "holding", "purpose", "promise", "statement", "proof"),
    *("ending", "archive", "instruction", "late"),
)


@pytest.fixture
def store_kind() -> StoreKind:
    """What is said here does not depend on the store."""
    return "sqlite"


def explained() -> dict[str, str]:
    """Each word with what it means."""
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", WORDS, re.MULTILINE)
    return {word: meaning for words, meaning in rows for word in words.split(", ") if set(words) != {"-"}}


@pytest.mark.parametrize("word", [*ASKED_FOR, *VERDICTS])
def test_a_word_is_explained_in_a_line_or_two_and_not_by_itself(word: str) -> None:
    meaning = explained()[word]
    assert 15 < len(meaning) < 180
    assert not re.match(rf"(A|An|The) {word}\b", meaning)


def test_readers_of_a_notice_are_told_the_same_in_every_language() -> None:
    told = {tag: words(tag)["glossary"] for tag in LANGUAGES}
    english = told["en"]["of_verdicts"] | dict(told["en"]["of_words"])
    assert {word: explained()[word] for word in english} == english
    for one in told.values():
        assert list(one["of_verdicts"]) == list(VERDICTS)
        assert len(one["of_words"]) == len(told["en"]["of_words"]) == len({word for word, _ in one["of_words"]})


def test_the_notice_leads_to_the_page_of_words(site: Site) -> None:
    with client(site, look=proofs) as web:
        [address] = re.findall(r'<a href="([^"]+)">What all these words mean</a>', web.get("/shop").text)
        page = html.unescape(web.get(address).text)
    assert all(meaning in page for meaning in words("en")["glossary"]["of_verdicts"].values())
    assert all(f"</span>{verdict.capitalize()}</dt>" in page for verdict in VERDICTS)


def test_no_word_is_explained_twice() -> None:
    rows = re.findall(r"^\| ([^|]+) \|", WORDS, re.MULTILINE)
    named = [word for row in rows for word in row.split(", ") if word not in ("word", "---") and "---" not in word]
    assert sorted(named) == sorted(set(named))


def test_every_address_that_is_named_beside_a_shop_is_there() -> None:
    there = {re.sub(r"\{\w+:\w+\}", "*", route.path) for route in make_app([], look=no_look).routes}
    named = set(re.findall(r"`(?:GET |POST )?(/SITE[\w/.-]*)`", BESIDE))
    assert len(named) >= 7
    for address in named:
        spelt = re.sub(r"(SITE|POINT|NAME)", "*", address).rstrip("/")
        assert spelt in there, address


def test_the_picture_beside_a_shop_draws_the_doors_of_the_table() -> None:
    [picture] = re.findall(r"```mermaid\n(.*?)```", BESIDE, re.DOTALL)
    for door in ("api/collect", "api/acts", "api/read", "api/changes"):
        assert door in picture and f"/SITE/{door}" in BESIDE
    drawn = set(re.findall(r"^\s+(\w+)(?:\[|\(|\{)", picture, re.MULTILINE))
    arrows = [line.split() for line in picture.splitlines() if "-->" in line]
    assert {one for line in arrows for one in (line[0], line[-1])} <= drawn
