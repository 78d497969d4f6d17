"""What is shown beside a promise whose rows are not as Troth wrote them.

A report says each difference once, under a number; a promise that it turns points there, so that what its own proof measured
stays in sight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from troth.proof import Proof, Proving, Some, Words
from troth.reconcile.findings import Borne
from troth.verdicts import Verdict

NAMED = 5
"""differences that the evidence of one promise points to by their numbers"""


def turned(proving: Proving, proof: Proof, borne: Sequence[Borne]) -> Proof:
    """The proof, unless what it rests on is not as Troth wrote it, or nobody could look at it.

    A difference that speaks of the promise breaks it, any other leaves it not proven. A promise that its own proof found broken
    says so first.
    """
    if not borne:
        return proof
    why, where = _why(proving, borne), _where(proving, borne)
    if proof.verdict == "broken":
        also = proving.say("{one}: {two}", one=why, two=where)
        return replace(proof, evidence=proving.say("{one}; {two}", one=proof.evidence, two=also))
    verdict: Verdict = "broken" if any(one.breaks for one in borne) else "not proven"
    return Proof(verdict, "reconciliation", proof.limit, why, where)


def _why(proving: Proving, borne: Sequence[Borne]) -> Words:
    if all(one.finding.what == "unsearched" for one in borne):
        return proving.say("{some} not searched", some=Some(len(borne), "file"))
    if any(one.breaks for one in borne):
        return proving.say("a record that speaks of this was changed")
    return proving.say("rests on a record that was changed")


def _where(proving: Proving, borne: Sequence[Borne]) -> Words:
    numbers = ", ".join(str(one.number) for one in borne[:NAMED])
    if len(borne) == 1:
        return proving.say("see difference {number}", number=numbers)
    if len(borne) <= NAMED:
        return proving.say("see differences {numbers}", numbers=numbers)
    more = Some(sum(one.finding.cases for one in borne[NAMED:]), "further difference")
    return proving.say("see differences {numbers} and {more}", numbers=numbers, more=more)
