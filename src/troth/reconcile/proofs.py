"""What is shown beside a promise whose rows are not as Troth wrote them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from troth.proof import Proof, Proving, Some
from troth.reconcile.findings import Finding

NAMED = 5
"""findings that the evidence of one promise names"""


def turned(proving: Proving, proof: Proof, findings: Sequence[Finding]) -> Proof:
    """The proof, unless what it rests on is not as Troth wrote it, or nobody could look at it."""
    if not findings:
        return proof
    lines, more = "; ".join(finding.line() for finding in findings[:NAMED]), sum(one.cases for one in findings[NAMED:])
    said = proving.say("{what}", what=lines)
    if more:
        said = proving.say(
            "{what}; and {more}, all of which `troth ledger differences` names",
            what=lines,
            more=Some(more, "further difference"),
        )
    if all(finding.what == "unsearched" for finding in findings):
        unseen = proving.say("{some} not searched", some=Some(len(findings), "file"))
        return proof if proof.verdict == "broken" else Proof("not proven", "reconciliation", proof.limit, unseen, said)
    measured = proving.say(
        "{found} in what this rests on", found=Some(sum(one.cases for one in findings), "difference")
    )
    if proof.verdict == "broken":  # it says by itself what is wrong as well
        return replace(
            proof,
            measured=proving.say("{one}; {two}", one=proof.measured, two=measured),
            evidence=proving.say("{one}; {two}", one=proof.evidence, two=said),
        )
    return Proof("broken", "reconciliation", proof.limit, measured, said)
