"""``prove``: every promise of the policy in force, proven now on live data; what does not hold is said, with its sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from troth import ledger
from troth.clock import iso
from troth.errors import TrothError
from troth.evidence import canary
from troth.evidence.catalogue import CATALOGUE
from troth.evidence.replay import replay
from troth.ledger import events
from troth.ledger.walk import unmoving
from troth.policy.notice import notice
from troth.policy.promises import Promise
from troth.proof import Proof, Proving
from troth.store.site import Site


@dataclass(frozen=True, slots=True)
class Proven:
    """One promise with its sentence and its proof."""

    promise: Promise
    sentence: str
    proof: Proof
    checked_at: datetime


@dataclass(frozen=True)
class Report:
    """All proofs of one site at one instant."""

    site: str
    at: datetime
    version: int
    proven: tuple[Proven, ...]

    @property
    def summary(self) -> dict[str, int]:
        """How many promises are kept, broken, unproven and attested."""
        counts = Counter(one.proof.verdict for one in self.proven)
        return {verdict: counts[verdict] for verdict in ("kept", "broken", "unproven", "attested")}

    @property
    def broken(self) -> tuple[Proven, ...]:
        """The promises that do not hold."""
        return tuple(one for one in self.proven if one.proof.verdict == "broken")

    def as_json(self) -> dict[str, object]:
        """The report for programs: instants in RFC 3339, verdicts and measures as text."""
        return {
            "site": self.site,
            "at": iso(self.at),
            "policy_version": self.version,
            "promises": [_row(one) for one in self.proven],
            "summary": self.summary,
        }


def _row(one: Proven) -> dict[str, object]:
    promise, proof = one.promise, one.proof
    return {
        "id": promise.id,
        "kind": promise.kind,
        "cites": list(promise.cites),
        "sentence": one.sentence,
        "verdict": proof.verdict,
        "proof": proof.how,
        "limit": proof.limit,
        "measured": proof.measured,
        "evidence": proof.evidence,
        "checked_at": iso(one.checked_at),
    }


def prove(
    site: Site,
    *,
    language: str = "en",
    with_canary: bool = True,
    progress: Callable[[int, int, str], None] | None = None,
) -> Report:
    """Run every proof now.

    ``with_canary=False`` sends no made-up person but goes by the last one, for pages that are asked for often.
    ``progress`` is called with how many proofs are done, how many there are, and the promise's id.
    """
    flown = canary.fly(site) if with_canary else None
    with unmoving(site) as conn:
        compiled = site.policy(conn)
        proving = Proving(site, conn, compiled, site.now(), replay(conn), flown or canary.last(conn, site))
        words = {item.promise_id: item.sentence for item in notice(compiled, language).items}
        proven = []
        for done, promise in enumerate(compiled.promises, start=1):
            proven.append(Proven(promise, words.get(promise.id, promise.id), _proof(proving, promise), proving.now))
            if progress:
                progress(done, len(compiled.promises), promise.id)
    report = Report(site.name, proving.now, compiled.version, tuple(proven))
    with site.writing() as conn:
        ledger.append(conn, site.now(), events.PROOF_MADE, {**report.summary, "version": report.version})
    return report


def _proof(proving: Proving, promise: Promise) -> Proof:
    """One proof; one that cannot even be carried out is no proof that the promise is kept."""
    try:
        return CATALOGUE[promise.kind].prove(proving, promise)
    except TrothError as error:
        return Proof("broken", "query", "", "it could not be looked at", error.message)
