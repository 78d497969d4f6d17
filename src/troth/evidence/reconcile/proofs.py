"""What is shown beside a promise whose rows are not as Troth wrote them."""

from __future__ import annotations

from collections.abc import Sequence

from troth.evidence.reconcile.findings import Finding
from troth.proof import Proof, Proving, Some

NAMED = 5
"""findings that the evidence of one promise names"""


def turned(proving: Proving, proof: Proof, findings: Sequence[Finding]) -> Proof:
    """The proof, unless what it rests on is not as Troth wrote it."""
    if not findings:
        return proof
    measured = proving.say("{found} in what this rests on", found=Some(len(findings), "difference"))
    lines = "; ".join(finding.line() for finding in findings[:NAMED])
    return Proof("broken", "reconciliation", proof.limit, measured, proving.say("{what}", what=lines))
