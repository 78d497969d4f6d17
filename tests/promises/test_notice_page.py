"""The notice as a page: sound HTML, links that lead somewhere, and what the five policies promise to show."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from tests.notices import SITES, SITES_IN_LANGUAGES, checked, compiled, items, notice_of, small
from troth.policy.law import authorities
from troth.policy.notice import notice
from troth.verdicts import VERDICTS
from troth.web.notice_page import Evidence, render_page

VOID = {"meta", "link", "br", "hr", "img", "input", "path", "rect"}


@dataclass
class Page(HTMLParser):
    """A parsed page: what the tests ask about it."""

    ids: list[str] = field(default_factory=list)
    links: list[dict[str, str]] = field(default_factory=list)
    headings: list[tuple[int, str]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    crossed: list[str] = field(default_factory=list)
    open: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        name = found.get("id", "")
        self.ids += [name] if name else []
        if tag == "a":
            self.links.append(found)
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append((int(tag[1]), name))
        if tag not in VOID:
            self.open.append((tag, name or found.get("aria-labelledby", "")))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        opened = self.open.pop()[0]
        self.crossed += [f"{opened} closed by {tag}"] if opened != tag else []

    def handle_data(self, data: str) -> None:
        for name in {name for _, name in self.open if name}:
            self.texts[name] = self.texts.get(name, "") + data


@cache
def html(site: str, tag: str = "en") -> str:
    return render_page(notice_of(site, tag), languages={"en": "en.html", "zh-Hant": "zh.html"})


@cache
def page(site: str, tag: str = "en") -> Page:
    made = Page()
    made.feed(html(site, tag))
    return made


@pytest.mark.parametrize(("site", "tag"), SITES_IN_LANGUAGES)
def test_the_page_is_sound_html(site: str, tag: str) -> None:
    found = page(site, tag)
    assert found.crossed == [] and found.open == []
    assert len(found.ids) == len(set(found.ids))
    assert [level for level, _ in found.headings].count(1) == 1
    levels = [level for level, _ in found.headings]
    assert all(below - above <= 1 for above, below in pairwise(levels))


@pytest.mark.parametrize(("site", "tag"), SITES_IN_LANGUAGES)
def test_every_link_within_the_page_leads_to_text(site: str, tag: str) -> None:
    found = page(site, tag)
    targets = {link["href"][1:] for link in found.links if link["href"].startswith("#")}
    assert len(targets) > 20
    assert all(found.texts.get(target, "").strip() for target in targets)


@pytest.mark.parametrize(("site", "tag"), SITES_IN_LANGUAGES)
def test_the_page_says_its_language_and_leads_to_the_other(site: str, tag: str) -> None:
    assert f'<html lang="{tag}">' in html(site, tag)
    other = {"en": "zh-Hant", "zh-Hant": "en"}[tag]
    assert [link["hreflang"] for link in page(site, tag).links if "hreflang" in link] == [other]


def test_every_link_that_leaves_the_site_is_marked_and_tells_it_nothing() -> None:
    leaving = [link for site in SITES for link in page(site).links if link["href"].startswith("http")]
    assert leaving
    for link in leaving:
        assert link["class"] == "outside"
        assert "noreferrer" in link["rel"].split() and link["referrerpolicy"] == "no-referrer"
    for site, key, words in (("infortrend", "I44", "sites that we link to"), ("ledflex", "F75", "that we link to")):
        assert any(key in item.cites and words in item.sentence for item in notice_of(site).items)


def test_advertisers_are_named_with_a_link_to_their_own_policy() -> None:
    advertisers = [r for r in compiled("ledinside").policy.recipients.values() if r.role == "advertiser"]
    linked = {link["href"] for link in page("ledinside").links}
    assert advertisers
    assert all(entry.name and entry.name in html("ledinside") and entry.policy_url in linked for entry in advertisers)
    assert any("L23" in item.cites and item.kind == "statement" for item in notice_of("ledinside").items)


def test_led_flex_answers_its_six_topics_each_with_promises() -> None:
    asked = [section for section in notice_of("ledflex").sections if section.id.startswith("question-")]
    assert len(asked) == 6
    assert all(any(item.kind == "promise" for item in section.items) for section in asked)


@pytest.mark.parametrize("topic", ["why", "what", "with-whom", "security", "choices"])
def test_optokingdom_says_why_what_to_whom_how_safe_and_what_one_can_choose(topic: str) -> None:
    section = next(section for section in notice_of("optokingdom").sections if section.id == topic)
    assert any(item.kind == "promise" for item in section.items)
    assert page("optokingdom").texts[topic].strip()


@pytest.mark.parametrize("tag", ["en", "zh-Hant"])
def test_made_in_china_answers_eight_questions_with_anchors_and_ways_back(tag: str) -> None:
    found = page("made-in-china", tag)
    targets = [link["href"][1:] for link in found.links if link["href"].startswith("#question-")]
    assert targets == [f"question-{number}" for number in range(1, 9)]
    answers = {section.id: section for section in notice_of("made-in-china", tag).sections}
    assert all(answers[target].items and found.texts[target].strip() for target in targets)
    assert sum(link["href"] == "#top" for link in found.links) == len(answers)


@pytest.mark.parametrize(
    ("site", "clause"), [("made-in-china", "M28"), ("ledflex", "F47"), ("ledflex", "F78"), ("ledflex", "F79")]
)
def test_what_no_system_can_keep_is_shown_as_a_statement_even_when_evidence_is_offered(site: str, clause: str) -> None:
    made = notice_of(site)
    shown = [item for item in made.items if clause in item.cites and item.kind == "statement"]
    assert shown and all(item.promise_id is None for item in shown)
    offered = {item.id: Evidence("kept", "FORGED") for item in shown}
    assert "FORGED" not in render_page(made, offered)
    assert all(item.sentence in page(site).texts[item.id] for item in shown)


def test_the_governing_law_is_shown_and_brings_its_profile() -> None:
    assert "England and Wales" in page("ledflex").texts["promise-policy"]
    assert [law.id for law in checked("ledflex").profiles] == ["uk-gdpr"]


def test_led_flex_is_named_with_its_addresses() -> None:
    contact = page("ledflex").texts["promise-operator"]
    assert "LED Flex Limited" in contact and "gdpr@ledflexgroup.com" in contact
    assert "Secure House, Moorside Road, Winchester SO23 7RX" in contact
    assert "“We” is LED Flex Limited" in html("ledflex")


def test_the_authority_of_every_european_country_is_on_the_page() -> None:
    complaint = next(item for item in notice_of("ledflex").items if "F59" in item.cites and item.listing)
    shown = {line.text for line in complaint.listing}
    europe = [found for code, found in authorities().items() if code not in ("US", "TW")]
    assert len(europe) >= 31
    assert all(found.name in shown for found in europe)
    assert {found.url for found in europe} <= {link["href"] for link in page("ledflex").links}
    assert "Information Commissioner" in complaint.listing[0].text


@pytest.mark.parametrize("verdict", VERDICTS)
def test_evidence_stands_beside_its_sentence_in_words_and_not_by_colour(verdict: str) -> None:
    made = notice_of("ledflex")
    shown = Page()
    shown.feed(render_page(made, {"visits.keep": Evidence(verdict, "oldest 29 days")}))  # type: ignore[arg-type]
    beside = shown.texts["promise-visits.keep"]
    assert made.words[verdict] in beside and "oldest 29 days" in beside
    assert "oldest 29 days" not in shown.texts["promise-visits.records"]


def test_one_file_holds_the_whole_page() -> None:
    made = render_page(notice_of("ledinside"), inline=True)
    assert "<link" not in made and "src=" not in made and "<script" not in made
    assert "--troth-accent" in made and "--pico-font-family" in made


def test_addresses_stand_below_the_base_path() -> None:
    assert 'href="/shop/static/troth.css"' in render_page(notice_of("ledinside"), base_path="/shop/")


def test_nothing_of_a_policy_becomes_markup() -> None:
    text = """
people: {p: {label: people}}
data: {d: {category: pd:Name, label: <b>name</b>}}
purposes: {u: {label: <script>alert(1)</script>, uses: [d]}}
recipients: {r: {name: <i>R</i>, does: <i>x</i>, receives: [d], for: [u], consideration: none}}
retention: {c: {what: everything about a p, keep: 3 days}}
statements: {s: {text: '<a href="javascript:x">y</a>', about: who}}
"""
    made = render_page(notice(small(text), "en"))
    assert not any(tag in made for tag in ("<script", "<i>", "<b>name", 'href="javascript'))


@pytest.mark.parametrize("site", SITES)
def test_pictures_have_a_name_a_description_and_a_table_that_says_the_same(site: str) -> None:
    made = notice_of(site)
    drawn = [picture for pictures in made.pictures.values() for picture in pictures]
    assert {picture.id for picture in drawn} >= {"timeline"}
    for picture in drawn:
        for svg in (picture.wide, picture.narrow):
            assert 'role="img"' in svg and "<title" in svg and "<desc" in svg
        assert picture.rows and all(len(row) == len(picture.columns) for row in picture.rows)


def test_the_picture_of_recipients_has_a_row_for_each_with_what_it_gets() -> None:
    flow = next(p for pictures in notice_of("ledflex").pictures.values() for p in pictures if p.id == "flow")
    assert len(flow.rows) == len(compiled("ledflex").policy.recipients)
    assert ("Mail Chimp", "First name and e-mail address", "Only if you say yes") in flow.rows


def test_the_timeline_has_a_bar_for_every_period() -> None:
    policy = compiled("ledflex").policy
    timeline = next(p for pictures in notice_of("ledflex").pictures.values() for p in pictures if p.id == "timeline")
    clocks = [clock for clock in policy.retention.values() if clock.keep is not None]
    assert len(timeline.rows) == len(clocks) + 3
    assert timeline.wide.count("<rect") == len(timeline.rows)
    assert ("Record of a visit", "30 days", "From the visit") in timeline.rows


def test_led_flex_says_that_it_does_not_respond_to_do_not_track() -> None:
    shown = [item for item in items(notice_of("ledflex")).values() if "F70" in item.cites]
    assert any("do not respond to the Do Not Track signal" in item.sentence for item in shown)
