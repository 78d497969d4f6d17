"""Findings for people and for programs: text, JSON and SARIF 2.1.0. Pure: findings in, words or plain data out.

SARIF is what code hosts and editors show beside the lines of a file: https://docs.oasis-open.org/sarif/sarif/v2.1.0/
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from troth import __version__
from troth.policy.findings import Finding, Place
from troth.policy.lint import in_order

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
READING = {
    "P-01": "A file does not fit the language",
    "P-02": "A key stands twice",
    "P-03": "A name that nothing defines",
    "S-01": "A store stands where the policy says that nothing is kept",
    "S-02": "A secret stands in a file",
    "D-01": "A decision settles a finding that is not there",
    "D-02": "A decision sets what cannot be set",
    "D-03": "Two decisions set one value",
    "D-04": "A decision gives a reason where only a value settles anything",
}
"""What the rules find that no decision settles."""


def text(findings: Iterable[Finding]) -> str:
    """One line for each finding, and a last line that counts them."""
    found = list(findings)
    return "".join(f"{line}\n" for line in [*(finding.line() for finding in found), count(found)])


def count(findings: Iterable[Finding]) -> str:
    """``2 errors, 1 warning; 3 more are settled by decisions.``"""
    found = list(findings)
    open_ones = Counter(finding.severity for finding in found if not finding.settled_by)
    settled = sum(1 for finding in found if finding.settled_by)
    named = [(open_ones["error"], "error"), (open_ones["warning"], "warning"), (open_ones["info"], "remark")]
    shown = ", ".join(f"{number} {word}{'' if number == 1 else 's'}" for number, word in named if number)
    rest = f"; {settled} more {'is' if settled == 1 else 'are'} settled by decisions" if settled else ""
    return f"{shown or 'Nothing to settle'}{rest}."


def as_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """A list of plain objects, one for each finding, in the same order."""
    return [
        {
            "rule": finding.rule,
            "key": finding.key,
            "severity": finding.severity,
            "path": list(finding.path),
            **_where(finding.place),
            "message": finding.message,
            "hint": finding.hint,
            "cites": list(finding.cites),
            "settled_by": finding.settled_by,
        }
        for finding in findings
    ]


def _where(place: Place) -> dict[str, Any]:
    return {"file": place.file, "line": place.line, "column": place.column}


def as_sarif(findings: Iterable[Finding], folder: str = "") -> dict[str, Any]:
    """A SARIF log with one run; ``folder`` is put before file names, relative to the root of the repository."""
    found = list(findings)
    driver = {"name": "troth", "semanticVersion": __version__, "rules": _rules()}
    order = {rule["id"]: number for number, rule in enumerate(driver["rules"])}
    results = [_result(finding, order[finding.rule], folder) for finding in found]
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _rules() -> list[Any]:
    linted = [
        {
            "id": rule.id,
            "shortDescription": {"text": rule.title},
            "help": {"text": f"Without a decision: {rule.resolution}"},
            "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        }
        for rule in in_order()
    ]
    return linted + [{"id": key, "shortDescription": {"text": title}} for key, title in READING.items()]


def _result(finding: Finding, number: int, folder: str) -> dict[str, Any]:
    place = finding.place
    uri = f"{folder.rstrip('/')}/{place.file}" if folder else place.file
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": number,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.message} {finding.hint}".strip()},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri},
                    "region": {"startLine": place.line, "startColumn": place.column},
                },
                "logicalLocations": [{"fullyQualifiedName": ".".join(finding.path)}],
            }
        ],
        "partialFingerprints": {"findingKey/v1": finding.key},
    }
    if finding.settled_by:
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": finding.settled_by}]
    return result
