"""What the five operators say about changes of their policies: by page, by mail, in time, and with the old text still there."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.doors import Opening, Operator
from tests.fixtures import days
from tests.served import words_of
from tests.versions import publish_next
from troth.errors import PolicyError
from troth.evidence.prove import prove
from troth.messages.publish import Published
from troth.policy.diff import lead_of

EMAIL = "ann@shop.example"
BANNER = re.compile(r'<aside class="announcement".*?</aside>', re.S)


def announced(at: Operator) -> Published:
    """A next version that says one thing more, published to take effect as early as was promised."""
    more = "statements:\n  archaeology: {text: {en: We dig in the past., zh-Hant: 我們考古。}, about: what}"
    return publish_next(at.site, lambda text: re.sub(r"(?m)^statements:", more, text, count=1))


def come_in(at: Operator, email: str = EMAIL) -> None:
    """Somebody gives their address at the form that asks for least."""
    collection = at.site.policy().policy.collection
    open_ = [key for key, one in collection.items() if one.kind == "form" and not one.members_only]
    point = min(
        (key for key in open_ if "email" in collection[key].required), key=lambda key: len(collection[key].required)
    )
    answer = at.submit(point, answers(at, point, email), acknowledged=True)
    assert answer.status_code == 201, answer.text


def register(at: Operator, email: str = EMAIL) -> None:
    """Somebody opens an account."""
    point = next(key for key, one in at.site.policy().policy.collection.items() if one.kind == "account")
    at.join(point, answers(at, point, email), acknowledged="yes")


def answers(at: Operator, point: str, email: str = EMAIL) -> dict[str, str]:
    """What is required at a form."""
    policy = at.site.policy().policy
    values = {"pd:EmailAddress": email, "pd:BirthDate": "1980-05-31", "pd:TelephoneNumber": "+44 20 7946 0123"}
    return {name: values.get(policy.data[name].category, "made up") for name in policy.collection[point].required}


def about_changes(at: Operator, to: str = EMAIL) -> list[str]:
    return [one for one in at.letters(to) if "changes/2" in one]


@pytest.mark.clause("L26", "I37", "F81")
@pytest.mark.parametrize("name", ["ledinside", "infortrend", "ledflex"])
def test_a_change_stands_on_every_page_from_publishing_on_and_leads_to_what_changes(
    operator: Opening, name: str
) -> None:
    at = operator(name)
    pages = ("", "forms", "privacy", "versions")
    assert not any(BANNER.search(at.get(page).text) for page in pages)
    done = announced(at)
    lead = at.site.policy().policy.changes
    assert lead and lead.lead_time and done.effective_at - at.site.now() >= lead.lead_time.length
    for page in pages:
        (said,) = BANNER.findall(at.get(page).text)
        assert "This policy changes on" in said and f"/{name}/changes/2" in said and f"/{name}/versions/2" in said
    assert "dig in the past" in words_of(at.get("changes/2?lang=en").text).lower()
    assert "考古" in at.get("changes/2?lang=zh-Hant").text
    assert "本政策將於" in at.get("?lang=zh-Hant").text
    at.clock.move(done.effective_at - at.site.now())
    assert at.site.policy().version == 2 and "This policy changed on" in words_of(at.get("forms").text)
    (found,) = [one.proof for one in prove(at.site).proven if one.promise.id == "changes"]
    assert "no page" not in found.measured


@pytest.mark.clause("I37", "F81")
@pytest.mark.parametrize("name", ["infortrend", "ledflex"])
def test_everybody_who_is_there_is_written_to_of_a_change(operator: Opening, name: str) -> None:
    at, there = operator(name), ("ann@shop.example", "bob@shop.example", "cat@shop.example")
    come_in(at, there[0])
    register(at, there[1])
    come_in(at, there[2])
    assert not any(about_changes(at, one) for one in there)
    announced(at)
    at.turn()
    for one in there:
        (letter,) = about_changes(at, one)
        assert f"/{name}/changes/2" in letter
    at.later(days=10)
    assert [len(about_changes(at, one)) for one in there] == [1, 1, 1], "once"


@pytest.mark.clause("O31")
@pytest.mark.parametrize("name", ["optokingdom", "made-in-china"])
def test_people_are_reminded_of_a_change_every_two_weeks_until_it_takes_effect(operator: Opening, name: str) -> None:
    at, members = operator(name), ("ann@shop.example", "bob@shop.example", "cat@shop.example")
    for one in members:
        register(at, one)
    done = announced(at)
    at.turn()
    assert [len(about_changes(at, one)) for one in members] == [1, 1, 1]
    for so_far, day in ((1, 13), (2, 15), (2, 27), (3, 29), (3, 50)):
        at.clock.move(done.effective_at - timedelta(days=31) + days(day) - at.site.now())
        at.turn(6)
        assert [len(about_changes(at, one)) for one in members] == [so_far] * 3, day
    assert at.site.policy().version == 2


ENQUIRY = "{label: Ask us, source: enquiry, people: customer, required: [email], for: [policy_notices]}"


@pytest.mark.clause("O31")
def test_those_who_have_registered_are_reminded_and_whoever_only_asked_something_is_not(operator: Opening) -> None:
    at = operator("optokingdom", ("policy.yaml", "\ncollection:\n", f"\ncollection:\n  enquiry: {ENQUIRY}\n"))
    register(at)
    at.take("enquiry", email="bob@shop.example")
    done = announced(at)
    at.turn(6)
    at.clock.move(done.effective_at - timedelta(days=15) - at.site.now())
    at.turn(6)
    assert [len(about_changes(at, one)) for one in (EMAIL, "bob@shop.example")] == [2, 0]


@pytest.mark.clause("M2")
def test_who_looks_again_at_made_in_china_sees_since_when_it_applies_and_what_changed(operator: Opening) -> None:
    at = operator("made-in-china")
    done = announced(at)
    at.clock.move(done.effective_at - at.site.now())
    notice, versions = at.notice(), words_of(at.get("versions?lang=en").text)
    day = f"{done.effective_at.day} {done.effective_at:%B %Y}"
    assert f"since {day}" in versions and day in notice and "dig in the past" in versions.lower()
    assert (
        "dig in the past" in notice.lower()
        and "dig in the past" not in words_of(at.get("versions/1?lang=en").text).lower()
    )


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("ledinside", marks=pytest.mark.clause("L25")),
        pytest.param("made-in-china", marks=pytest.mark.clause("M2")),
    ],
)
def test_an_amendment_has_a_day_and_is_on_every_page_and_in_the_archive_before_it(operator: Opening, name: str) -> None:
    at = operator(name)
    with pytest.raises(PolicyError, match="before people had time"):
        publish_next(at.site, effective=(at.site.now() + days(2)).date())
    assert at.get("versions/2").status_code == 404 and not BANNER.search(at.get("").text)
    done = announced(at)
    day = f"{done.effective_at.day} {done.effective_at:%B %Y}"
    for page in ("", "forms", "versions"):
        (said,) = BANNER.findall(at.get(f"{page}?lang=en").text)
        assert f"This policy changes on {day}" in words_of(said) and f"/{name}/changes/2" in said
    assert day in words_of(at.get("versions?lang=en").text)
    assert "dig in the past" in words_of(at.get("versions/2?lang=en").text).lower()
    assert "dig in the past" not in at.notice().lower(), "until that day the version before applies"
    at.clock.move(done.effective_at - at.site.now())
    assert "dig in the past" in at.notice().lower()


@pytest.mark.clause("I38")
def test_no_version_of_infortrend_takes_effect_sooner_than_people_were_promised(operator: Opening) -> None:
    at = operator("infortrend")
    lead = lead_of(at.site.policy().policy)
    assert lead and lead.length == days(30)
    with pytest.raises(PolicyError, match="before people had time"):
        publish_next(at.site, effective=(at.site.now() + days(29)).date())
    assert not BANNER.search(at.get("").text)
