"""What holds for each of the five sites alike: clauses, published defects, decisions, languages.

``tests/golden/SITE.defects.txt`` lists, by their keys, the defects that the policy shows as it was published.
"""

from __future__ import annotations

import pytest

from tests.policies import NAMES, SitePolicy, keys
from tests.promises.test_notice_golden import GOLDEN
from troth.decide import Ask
from troth.policy.acts import READ_VISITS
from troth.policy.undeclared import in_favour


@pytest.fixture(params=NAMES, scope="module")
def site(request: pytest.FixtureRequest) -> SitePolicy:
    return SitePolicy(request.param)


def test_every_clause_is_cited_by_an_entry_and_no_other_is(site: SitePolicy) -> None:
    assert all(clause.site == site.name and clause.asks for clause in site.clauses)
    assert site.cited() == {clause.id for clause in site.clauses}


def test_the_published_policy_shows_its_defects_and_is_not_served(site: SitePolicy) -> None:
    defects = (GOLDEN / f"{site.name}.defects.txt").read_text(encoding="utf-8").split("\n")
    assert set(filter(None, defects)) - keys(site.published) == set()
    assert site.published.unsettled


def test_each_decision_settles_a_finding_and_none_is_left(site: SitePolicy) -> None:
    assert [finding.line() for finding in site.effective.findings if not finding.settled_by] == []


def test_nothing_said_to_people_lacks_a_language(site: SitePolicy) -> None:
    assert site.lacks("zh-Hant") == []


def test_single_visits_are_read_for_no_purpose_that_only_counts(site: SitePolicy) -> None:
    compiled = site.compiled
    counting = [key for key, one in compiled.policy.purposes.items() if one.aggregate_only]
    facts = in_favour(compiled)
    asks = [Ask(READ_VISITS, key, frozenset({"time"}), facts=facts) for key in counting]
    assert [ask.purpose for ask in asks if compiled.decide(ask).allowed] == []
