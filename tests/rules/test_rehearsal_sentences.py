"""Whatever a rehearsal finds has a sentence, and what it sends to be refused is what must be refused."""

from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest

from tests.rehearsed import violation
from troth.collection.rules import Submission, age, check
from troth.policy.check import check_texts
from troth.policy.compile import Compiled, compile_policy
from troth.rehearsal.acts import too_young
from troth.rehearsal.result import Kind
from troth.rehearsal.sentences import WRONG, violation_line

POLICY = """
policy: {version: 1, effective: 2026-01-01, languages: [en], law: []}
operator: {name: A Playground, country: COUNTRY, email: privacy@play.example, address: "1 Slide Street"}
people: {child: {label: children, minimum age: 4}}
data:
  email: {category: pd:EmailAddress, label: e-mail address, identifies: true}
  born: {category: pd:BirthDate, label: birthday}
purposes: {play: {label: let you play, basis: contract, uses: [email, born]}}
collection: {register: {label: Register, kind: account, people: child, required: [email, born], for: [play]}}
relationship: {child: {begins: [registration], ends: [account closed, silence], silence: 2 years}}
retention: {all: {what: everything about a child, keep: 30 days, after: relationship ends}}
transfers: {stored in: [COUNTRY]}
"""


def playground(country: str) -> Compiled:
    policy = check_texts(POLICY.replace("COUNTRY", country), "").policy
    assert policy is not None
    return compile_policy(policy)


def test_every_kind_of_violation_has_a_sentence() -> None:
    assert set(get_args(Kind)) == WRONG.keys()
    for kind in get_args(Kind):
        assert WRONG[kind] in violation_line(violation(kind, "collection.register"))


@pytest.mark.parametrize("country", ["GB", "TW"])
@pytest.mark.parametrize("at", ["2026-03-01T10:00", "2028-02-28T10:00", "2028-02-28T17:00", "2028-02-29T10:00"])
def test_whoever_is_a_day_too_young_is_turned_away_on_the_day_it_is_there(country: str, at: str) -> None:
    policy, now = playground(country), datetime.fromisoformat(at).replace(tzinfo=UTC)
    born = too_young(policy.policy.collection["register"], policy, now)
    values = {"email": "kim@play.example", "born": born}
    today = policy.calendar.day(now)
    assert age(born, today) == 3
    assert "under_age" in check(policy, Submission("register", values, "one"), now).facts
    tomorrow = now + timedelta(days=1 if born[5:] != "03-01" or today.month == 3 else 2)
    assert age(born, policy.calendar.day(tomorrow)) == 4
    assert "under_age" not in check(policy, Submission("register", values, "one"), tomorrow).facts


def test_a_birthday_in_taipei_begins_with_the_day_there() -> None:
    values = {"email": "kim@play.example", "born": date(2022, 3, 2).isoformat()}
    there = datetime(2026, 3, 1, 17, tzinfo=UTC)  # 2 March, 01:00 in Taipei
    assert "under_age" not in check(playground("TW"), Submission("register", values, "one"), there).facts
    assert "under_age" in check(playground("GB"), Submission("register", values, "one"), there).facts
