"""Which version of a policy binds: the one that was in force when data came in, and the one in force when it is used."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.doors import Opening, Operator
from tests.served import words_of
from troth.clock import utc
from troth.consent.actions import words_shown
from troth.people.tables import holding

POINTS = {"ledinside": "registration", "infortrend": "contact", "ledflex": "contact_form"}


@pytest.mark.clause("L1", "L25", "I1", "F3")
@pytest.mark.parametrize("name", POINTS)
def test_data_is_bound_to_the_version_it_was_shown_and_every_version_stays_readable(
    operator: Opening, name: str
) -> None:
    site = operator(name)
    assert told(site, email="ann@shop.example") == 1
    before = site.get("versions/1").text
    site.publish(days=40)
    assert "does not apply yet" in site.get("versions/2").text
    assert told(site, email="bob@shop.example") == 1
    site.later(days=41)
    assert told(site, email="cat@shop.example") == 2
    with site.site.reading() as conn:
        rows = conn.execute(select(holding.c.policy_version, holding.c.told).order_by(holding.c.at).distinct()).all()
        shown = {row.policy_version: (words_shown(conn, row.told) or ("", ""))[1] for row in rows}
    assert shown.keys() == {1, 2} and all(f"v{version}" in words for version, words in shown.items())
    assert "no longer applies" in site.get("versions/1").text
    assert promises(before) == promises(site.get("versions/1").text) and promises(before)


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        pytest.param("ledflex", "Other things to know", "All other things to know", marks=pytest.mark.clause("F2")),
        pytest.param(
            "ledflex",
            "governing law: {en: England and Wales",
            "governing law: {en: Northern Ireland",
            marks=pytest.mark.clause("F79"),
        ),
        pytest.param(
            "ledinside",
            "Companies that do not belong to LEDinside",
            "Companies that LEDinside does not own",
            marks=pytest.mark.clause("L2"),
        ),
        pytest.param(
            "made-in-china",
            "How can you ask us about this policy?",
            "Whom can you ask about this policy?",
            marks=pytest.mark.clause("M3"),
        ),
    ],
)
def test_the_notice_says_what_the_version_in_force_says_and_changes_on_its_day(
    operator: Opening, name: str, before: str, after: str
) -> None:
    site = operator(name)
    old, new = (one.rpartition("en: ")[2] for one in (before, after))
    site.publish(("policy.yaml", before, after), days=40)
    promised = site.get("?lang=en").text.count(old)
    assert promised and new not in site.notice()
    site.later(days=41)
    assert new in site.notice() and site.get("?lang=en").text.count(old) < promised
    assert old in words_of(site.get("versions/1?lang=en").text)


@pytest.mark.clause("F1")
def test_led_flexs_policy_applies_from_25_may_2018_until_another_version_does(operator: Opening) -> None:
    shop = operator("ledflex")
    shop.clock.at = utc(2018, 5, 25)
    assert "since 25 May 2018" in shop.notice() and told(shop, email="ann@shop.example") == 1
    shop.publish(days=40)
    shop.later(days=39)
    assert "since 25 May 2018" in shop.notice() and told(shop, email="bob@shop.example") == 1
    shop.later(days=1)
    assert "since 4 July 2018" in shop.notice() and told(shop, email="cat@shop.example") == 2
    assert "25 May 2018" in words_of(shop.get("versions/1?lang=en").text)


@pytest.mark.clause("I31")
def test_data_is_used_as_the_version_in_force_says_and_not_as_a_later_one_will(operator: Opening) -> None:
    office = operator("infortrend")
    sue = office.take("subscribe", email="sue@shop.example").person
    office.publish(("policy.yaml", "    needs: [open request, open order, open ticket]\n", ""), days=40)
    office.later(days=39)
    assert not office.reads(sue, "requested_transactions", "email"), "nothing of hers is open"
    office.later(days=2)
    assert office.reads(sue, "requested_transactions", "email")


def told(site: Operator, **values: str) -> int:
    """The version that somebody's submission was taken in under, as the answer says."""
    point = POINTS[site.name]
    answer = site.submit(point, site.answers(point, **values))
    assert answer.status_code == 201, answer.text
    version: int = answer.json()["policy_version"]
    return version


def promises(page: str) -> list[str]:
    return [line for line in page.splitlines() if 'id="promise-' in line]
