"""What the notices of the five operators must show, read from the pages that they serve."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from tests.doors import Opening, Operator
from tests.policies import NAMES
from tests.served import words_of
from troth.evidence.prove import prove
from troth.policy.law import authorities

VOID = frozenset({"meta", "link", "br", "hr", "img", "input", "path", "rect"})


class Page(HTMLParser):
    """A page as a reader's browser has it: ``texts`` by the id of the element, ``links`` in their order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: dict[str, str] = {}
        self.links: list[dict[str, str]] = []
        self._open: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.links += [found] if tag == "a" else []
        if tag not in VOID:
            self._open.append(found.get("id", found.get("aria-labelledby", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for name in filter(None, self._open):
            self.texts[name] = self.texts.get(name, "") + data


def page(operator: Operator, tag: str = "en") -> Page:
    answer = operator.get(params={"lang": tag})
    assert answer.status_code == 200
    return Page(answer.text)


def sentences(found: Page) -> list[str]:
    """What each item of the notice says: promises and statements."""
    return [" ".join(text.split()) for name, text in found.texts.items() if name.startswith(("promise-", "statement-"))]


@pytest.mark.clause("I44", "F75")
@pytest.mark.parametrize(("name", "words"), [("infortrend", "sites that we link to"), ("ledflex", "that we link to")])
def test_other_sites_are_said_to_be_their_own_and_are_told_nothing(shown: Opening, name: str, words: str) -> None:
    found = page(shown(name))
    leaving = [link for link in found.links if link["href"].startswith("http")]
    assert leaving and any(words in one for one in sentences(found))
    for link in leaving:
        assert link["class"] == "outside"
        assert "noreferrer" in link["rel"].split() and link["referrerpolicy"] == "no-referrer"


@pytest.mark.clause("L23")
def test_ledinside_names_its_advertisers_with_a_link_to_their_own_policy(shown: Opening) -> None:
    operator = shown("ledinside")
    found, policy = page(operator), operator.site.policy().policy
    advertisers = {key: one for key, one in policy.recipients.items() if one.role == "advertiser"}
    linked = {link["href"] for link in found.links}
    assert advertisers
    for key, one in advertisers.items():
        assert one.name and one.name in found.texts[f"promise-recipients.{key}"] and one.policy_url in linked
    assert any("advertis" in one and "policy" in one for one in sentences(found))


@pytest.mark.clause("F2")
def test_led_flex_answers_its_six_topics_each_with_promises(shown: Opening) -> None:
    found = page(shown("ledflex"))
    asked = [link["href"][1:] for link in found.links if link["href"].startswith("#question-")]
    assert asked == [f"question-{number}" for number in range(1, 7)]
    assert all(len(found.texts[one].split()) > 20 for one in asked)


@pytest.mark.clause("O2")
@pytest.mark.parametrize(
    ("topic", "promise"),
    [
        ("why", "purposes.order"),
        ("what", "collection.register"),
        ("with-whom", "recipients.courier"),
        ("security", "data"),
        ("choices", "rights.erasure"),
    ],
)
def test_optokingdom_says_why_what_to_whom_how_safe_and_what_one_can_choose(
    shown: Opening, topic: str, promise: str
) -> None:
    operator = shown("optokingdom")
    found = page(operator)
    assert found.texts[f"promise-{promise}"].strip() and found.texts[f"promise-{promise}"] in found.texts[topic]


@pytest.mark.clause("M3")
@pytest.mark.parametrize("tag", ["en", "zh-Hant"])
def test_made_in_china_answers_eight_questions_with_anchors_and_ways_back(shown: Opening, tag: str) -> None:
    found = page(shown("made-in-china"), tag)
    targets = [link["href"][1:] for link in found.links if link["href"].startswith("#question-")]
    assert targets == [f"question-{number}" for number in range(1, 9)]
    assert all(found.texts[target].strip() for target in targets)
    assert sum(link["href"] == "#top" for link in found.links) >= len(targets)


@pytest.mark.clause("M28", "F47", "F78", "F79")
@pytest.mark.parametrize(
    ("name", "clause"), [("made-in-china", "M28"), ("ledflex", "F47"), ("ledflex", "F78"), ("ledflex", "F79")]
)
def test_what_no_system_can_keep_is_shown_as_a_statement_and_never_called_kept(
    shown: Opening, name: str, clause: str
) -> None:
    operator = shown(name)
    found, policy = page(operator), operator.site.policy().policy
    mine = [key for key, one in policy.statements.items() if clause in one.cites]
    assert mine and all(found.texts[f"statement-{key}"].strip() for key in mine)
    proven = {one.promise.id for one in prove(operator.site).proven}
    assert not proven & {f"statements.{key}" for key in mine}


@pytest.mark.clause("F79")
def test_led_flex_names_the_law_that_governs(shown: Opening) -> None:
    assert "England and Wales" in page(shown("ledflex")).texts["promise-policy"]


@pytest.mark.clause("F4", "F83")
def test_led_flex_is_named_with_its_addresses(shown: Opening) -> None:
    operator = shown("ledflex")
    contact = page(operator).texts["promise-operator"]
    assert "LED Flex Limited" in contact and "gdpr@ledflexgroup.com" in contact
    assert "Secure House, Moorside Road, Winchester SO23 7RX" in contact
    assert "LED Flex Limited" in words_of(operator.get("forms/contact_form").text), "also where data is asked for"


@pytest.mark.parametrize("tag", ["en", "zh-Hant"])
@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("infortrend", "Infortrend|privacy@infortrend.com", marks=pytest.mark.clause("I40")),
        pytest.param("made-in-china", "Made-in-China.com|privacy@made-in-china.com", marks=pytest.mark.clause("M33")),
    ],
)
def test_who_asks_about_the_policy_finds_on_its_page_whom_to_write_to(
    shown: Opening, name: str, said: str, tag: str
) -> None:
    contact = page(shown(name), tag).texts.get("promise-operator", "")
    assert [one for one in said.split("|") if one not in contact] == []


@pytest.mark.clause("F59")
def test_led_flex_names_the_authority_of_every_european_country(shown: Opening) -> None:
    found = page(shown("ledflex"))
    europe = [one for code, one in authorities().items() if code not in ("US", "TW", "CN")]
    assert len(europe) >= 31
    assert {one.url for one in europe} <= {link["href"] for link in found.links}
    assert "Information Commissioner" in " ".join(sentences(found))


@pytest.mark.clause("F70")
def test_led_flex_says_that_it_does_not_respond_to_do_not_track(shown: Opening) -> None:
    assert any("do not respond to the Do Not Track signal" in one for one in sentences(page(shown("ledflex"))))


@pytest.mark.parametrize("name", NAMES)
def test_each_page_shows_every_promise_and_every_statement(shown: Opening, name: str) -> None:
    operator = shown(name)
    found, compiled = page(operator), operator.site.policy()
    expected = {f"promise-{one.id}" for one in compiled.promises} | {
        f"statement-{key}" for key in compiled.policy.statements
    }
    assert expected <= set(found.texts)
