"""Which version of a policy binds: the one that was in force when data came in, and the one in force when it is used."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.doors import Opening, Operator
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


def told(site: Operator, **values: str) -> int:
    """The version that somebody's submission was taken in under, as the answer says."""
    point = POINTS[site.name]
    answer = site.submit(point, site.answers(point, **values))
    assert answer.status_code == 201, answer.text
    version: int = answer.json()["policy_version"]
    return version


def promises(page: str) -> list[str]:
    return [line for line in page.splitlines() if 'id="promise-' in line]
