"""Special categories of data: refused without a condition for the purpose, and with express consent only when it was given."""

import pytest
import yaml

from troth.decide import Ask, RuleSet
from troth.policy.model import Policy
from troth.policy.rules import rules
from troth.policy.special import is_special

POLICY = """
policy: {version: 1}
people: {patient: {label: patients}}
data:
  email: {category: "pd:EmailAddress"}
  blood: {category: "pd:BloodType"}
  diet: {category: "pd:Preference", special: true}
  record: {category: "pd:CriminalConviction"}
purposes:
  treatment: {label: t, basis: contract, uses: [email, blood, diet, record], special: %s}
recipients:
  laboratory: {does: tests, receives: [email, blood, diet], for: [treatment], consideration: none}
messages:
  result: {label: results, kind: service, for: treatment, uses: [email, blood]}
"""
SPECIAL = ("blood", "diet", "record")


def _allowed(condition: str, act: str, field: str, *facts: str) -> bool:
    policy = Policy.model_validate(yaml.safe_load(POLICY % (condition or "''")))
    to = {"disclose": "laboratory", "send": "result"}.get(act, "")
    ask = Ask(act, "treatment", frozenset({field}), "patient", to, frozenset({"safeguard:laboratory", *facts}))
    return RuleSet(rules(policy)).decide(ask).allowed


@pytest.mark.parametrize("field", SPECIAL)
def test_nothing_special_is_read_without_a_condition(field: str) -> None:
    assert not _allowed("", "read", field)
    assert not _allowed("", "count", field)
    assert _allowed("health care", "read", field)


@pytest.mark.parametrize("field", ["blood", "diet"])
def test_nothing_special_leaves_without_a_condition(field: str) -> None:
    assert not _allowed("", "disclose", field)
    assert _allowed("health care", "disclose", field)


def test_nothing_special_is_sent_without_a_condition() -> None:
    assert not _allowed("", "send", "blood")
    assert _allowed("health care", "send", "blood")


def test_what_is_not_special_needs_no_condition() -> None:
    assert all(_allowed("", act, "email") for act in ("read", "count", "disclose", "send"))


@pytest.mark.parametrize("act", ["read", "count", "disclose", "send"])
def test_express_consent_counts_when_it_was_given_and_to_nothing_else(act: str) -> None:
    assert not _allowed("explicit consent", act, "blood")
    assert not _allowed("explicit consent", act, "blood", "consent:marketing", "consent:@laboratory")
    assert _allowed("explicit consent", act, "blood", "consent:treatment")


def test_a_field_is_special_by_the_policys_word_or_by_the_terms_above_its_own() -> None:
    data = Policy.model_validate(yaml.safe_load(POLICY % "health care")).data
    assert [key for key, one in data.items() if is_special(one)] == list(SPECIAL)
