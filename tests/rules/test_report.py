"""Findings as text, JSON and SARIF; and the documents that are made from the models stay current."""

import json
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from troth.policy.check import check_texts
from troth.policy.document import parse_document, read_document
from troth.policy.law import adequate, authorities, profile, walks
from troth.policy.lint import in_order
from troth.policy.report import as_json, as_sarif, count, text
from troth.policy.schema import decisions_schema, policy_schema

ROOT = Path(__file__).parents[2]
LAWS = ("eu-gdpr", "uk-gdpr", "us-ca", "tw-pdpa")
POLICY = "policy: {version: 1}\nvisits: {records: [], cites: [F18]}\n"
DECISIONS = (
    "decisions: [{settles: E-05 visits, because: enough, by: lead, on: 2026-11-20, set: {visits.keep: 1 day}}]\n"
)
CHECKED = check_texts(POLICY, DECISIONS)


def test_text_has_a_line_for_each_finding_and_counts_them() -> None:
    lines = text(CHECKED.findings).splitlines()
    assert len(lines) == len(CHECKED.findings) + 1
    assert (
        "policy.yaml:2:1: error: visits are recorded" in lines[[f.key for f in CHECKED.findings].index("E-05 visits")]
    )
    assert lines[-1] == count(CHECKED.findings)
    errors = sum(1 for f in CHECKED.findings if f.severity == "error" and not f.settled_by)
    assert lines[-1].startswith(f"{errors} errors, ")
    assert lines[-1].endswith("; 1 more is settled by decisions.")


def test_nothing_found_is_said_in_words() -> None:
    assert text([]) == "Nothing to settle.\n"


def test_json_has_everything_a_program_needs() -> None:
    (found,) = [item for item in json.loads(json.dumps(as_json(CHECKED.findings))) if item["key"] == "E-05 visits"]
    assert found["settled_by"] == "lead, 2026-11-20: enough"
    assert (found["file"], found["line"], found["column"]) == ("policy.yaml", 2, 1)
    assert (found["rule"], found["severity"], found["path"], found["cites"]) == ("E-05", "error", ["visits"], ["F18"])


_LEVEL = {"enum": ["none", "note", "warning", "error"]}
_MESSAGE = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string", "minLength": 1}}}
_REGION = {"type": "object", "properties": {k: {"type": "integer", "minimum": 1} for k in ("startLine", "startColumn")}}
_ARTIFACT = {"type": "object", "properties": {"uri": {"type": "string", "pattern": "^[^ /][^ ]*$"}}}
_PHYSICAL = {
    "type": "object",
    "required": ["artifactLocation"],
    "properties": {"artifactLocation": _ARTIFACT, "region": _REGION},
}
_SUPPRESSION = {
    "type": "object",
    "required": ["kind"],
    "properties": {
        "kind": {"enum": ["inSource", "external"]},
        "status": {"enum": ["accepted", "underReview", "rejected"]},
        "justification": {"type": "string"},
    },
    "additionalProperties": False,
}
_RESULT = {
    "type": "object",
    "required": ["message", "ruleId"],
    "additionalProperties": False,
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": _LEVEL,
        "message": _MESSAGE,
        "locations": {"type": "array", "items": {"type": "object", "properties": {"physicalLocation": _PHYSICAL}}},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "suppressions": {"type": "array", "items": _SUPPRESSION},
    },
}
_RULE = {
    "type": "object",
    "required": ["id"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string"},
        "shortDescription": _MESSAGE,
        "help": _MESSAGE,
        "defaultConfiguration": {"type": "object", "properties": {"level": _LEVEL}, "additionalProperties": False},
    },
}
_DRIVER = {
    "type": "object",
    "required": ["name"],
    "additionalProperties": False,
    "properties": {
        "name": {"type": "string"},
        "semanticVersion": {"type": "string"},
        "rules": {"type": "array", "items": _RULE, "uniqueItems": True},
    },
}
_RUN = {
    "type": "object",
    "required": ["tool"],
    "additionalProperties": False,
    "properties": {
        "tool": {"type": "object", "required": ["driver"], "properties": {"driver": _DRIVER}},
        "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
        "results": {"type": "array", "items": _RESULT},
    },
}
SARIF = {
    "type": "object",
    "required": ["version", "runs"],
    "additionalProperties": False,
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"const": "2.1.0"},
        "runs": {"type": "array", "items": _RUN},
    },
}
"""The parts of the OASIS schema that we use, closed, so that a name we invent would be refused."""


def test_sarif_has_the_structure_of_the_standard() -> None:
    log = json.loads(json.dumps(as_sarif(CHECKED.findings, "sites/example")))
    Draft202012Validator(SARIF).validate(log)
    (run,) = log["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len(run["results"]) == len(CHECKED.findings)
    for result, finding in zip(run["results"], CHECKED.findings, strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == finding.rule
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == f"sites/example/{finding.place.file}"
        assert place["region"] == {"startLine": finding.place.line, "startColumn": finding.place.column}
        assert ("suppressions" in result) == bool(finding.settled_by)


def test_sarif_knows_every_rule_that_can_be_reported() -> None:
    broken = check_texts("policy: {version: one}\n", "decisions: [{settles: E-99 x}]\n").findings
    Draft202012Validator(SARIF).validate(as_sarif(broken))
    ids = {rule["id"] for rule in as_sarif([])["runs"][0]["tool"]["driver"]["rules"]}
    assert {"P-01", "P-02", "P-03", "S-01", "S-02", "D-01", "D-02", "D-03", "D-04"} | {
        rule.id for rule in in_order()
    } == ids


def test_every_rule_is_in_the_documentation() -> None:
    written = (ROOT / "docs" / "lint-rules.md").read_text(encoding="utf-8")
    assert [rule.id for rule in in_order() if f"| {rule.id} | {rule.title} |" not in written] == []


@pytest.mark.parametrize("site", sorted((ROOT / "sites").glob("*/policy.yaml")), ids=lambda path: path.parent.name)
def test_the_five_policies_fit_the_published_schema(site: Path) -> None:
    validator = Draft202012Validator(policy_schema())
    assert [error.message for error in validator.iter_errors(read_document(site).tree)] == []
    decisions = Draft202012Validator(decisions_schema())
    assert [error.message for error in decisions.iter_errors(read_document(site.parent / "decisions.yaml").tree)] == []


def test_the_schema_refuses_what_the_model_refuses() -> None:
    validator = Draft202012Validator(policy_schema())
    for wrong in (
        "visits: {kep: 1 day}",
        "visits: {keep: soon}",
        "purposes: {a: {basis: konsent, label: a}}",
        "nothing: 1",
    ):
        tree = parse_document(f"policy: {{version: 1}}\n{wrong}\n", "policy.yaml").tree
        assert list(validator.iter_errors(tree)), wrong


@pytest.mark.parametrize("law", LAWS)
def test_every_law_is_dated_and_names_its_sources(law: str) -> None:
    described = profile(law)
    assert described.id == law
    assert described.as_of.year >= 2026
    assert described.sources
    assert all(item.source and item.rule in {rule.id for rule in in_order()} for item in described.notice)
    assert all(right.source for right in described.rights)


def test_both_sides_have_their_own_list_of_adequate_countries() -> None:
    european, british = adequate("eu-gdpr"), adequate("uk-gdpr")
    assert "GB" in european.countries
    assert "FR" in british.countries
    assert "US" not in european.countries + british.countries
    assert {"US"} <= set(european.partly) & set(british.partly)
    assert adequate("us-ca") is None


def test_people_in_every_european_country_have_an_authority() -> None:
    assert set(profile("eu-gdpr").home) | {"GB"} <= set(authorities())
    assert authorities()["FR"].name.endswith("(CNIL)")


def test_every_article_names_rules_or_says_why_a_policy_can_show_nothing() -> None:
    rules = {rule.id for rule in in_order()}
    for walk in walks():
        for article in walk.articles:
            assert bool(article.rules) != bool(article.nothing), (walk.law, article.article)
            assert set(article.rules) <= rules, (walk.law, article.article)


def test_every_rule_has_an_article_and_every_article_of_a_profile_is_walked() -> None:
    named = {walk.law: {rule for article in walk.articles for rule in article.rules} for walk in walks()}
    assert set().union(*named.values()) == {rule.id for rule in in_order() if rule.id.startswith("E-")}
    for law in ("eu-gdpr", "uk-gdpr", "us-ca", "tw-pdpa"):
        walked = {
            rule for walk in walks() if walk.profile == law for article in walk.articles for rule in article.rules
        }
        assert {item.rule for item in profile(law).notice} <= walked, law
