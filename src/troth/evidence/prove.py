"""``prove``: every promise of the policy in force, proven now on live data; what does not hold is said, with its sentence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from time import perf_counter
from typing import Any

from troth import ledger
from troth.clock import iso
from troth.errors import TrothError
from troth.evidence import canary
from troth.evidence.bearing import borne
from troth.evidence.catalogue import CATALOGUE
from troth.evidence.coverage import uncovered
from troth.evidence.doors import MakeDoor
from troth.evidence.proofs import shown
from troth.evidence.replay import Replay
from troth.evidence.security.proofs import verified
from troth.evidence.words import part
from troth.ledger import events, heads
from troth.ledger.heads import Problem
from troth.ledger.restored import Restoration, history
from troth.ledger.walk import unmoving
from troth.policy.notice.tally import tally_words
from troth.policy.promises import Promise
from troth.proof import Proof, Proving
from troth.reconcile import Finding, reconcile, watch
from troth.reconcile.findings import Borne
from troth.reconcile.proofs import turned
from troth.reconcile.reconcile import Before
from troth.retention.heartbeat import silent
from troth.store.site import Site
from troth.verdicts import VERDICTS
from troth.witnessing import learn

TO_DO = (
    "put it right from a backup with `troth restore`, or answer for it with `troth ledger differences SITE --because WORDS "
    "--by ROLE`"
)
"""what ends a difference, or the alarm that stands for it"""
WHOLE_AGAIN = timedelta(days=1).total_seconds()
"""Seconds after which a prover reads the ledger from its beginning again."""


@dataclass(frozen=True, slots=True)
class Proven:
    """One promise with its sentence and its proof."""

    promise: Promise
    sentence: str
    proof: Proof
    checked_at: datetime
    uncovered: tuple[str, ...] = ()
    """keys of its entry that nothing measures, which are not proven"""
    differences: tuple[Borne, ...] = ()
    """what in the stores it rests on, and is not as Troth wrote it"""


@dataclass(frozen=True)
class Report:
    """All proofs of one site at one instant."""

    site: str
    at: datetime
    version: int
    proven: tuple[Proven, ...]
    stores: Problem | None = None
    """why the stores are not what was sealed, which then proves nothing of anything"""
    restored: tuple[Restoration, ...] = ()
    found: tuple[Finding, ...] = ()
    """all that the stores hold otherwise than Troth wrote it, whether or not a promise rests on it"""
    stopped: Mapping[str, datetime] = field(default_factory=dict)
    """tasks of the worker that do not run, and since when: what is due is not done, whatever was found"""
    hindered: str = ""
    """why nobody made up could go through the doors just now, and what to do about it"""

    @property
    def holds(self) -> bool:
        """Whether no promise is broken and the stores are what was sealed and written."""
        return not self.broken and self.stores is None and not self.found

    @property
    def summary(self) -> dict[str, int]:
        """How many promises have each verdict."""
        counts = Counter(one.proof.verdict for one in self.proven)
        return {verdict: counts[verdict] for verdict in VERDICTS}

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
            "ledger": self._ledger(),
            "promises": [_row(one) for one in self.proven],
            "differences": [self._difference(number, one) for number, one in enumerate(self.found, start=1)],
            "stopped": {task: iso(since) for task, since in self.stopped.items()},
            "summary": self.summary,
            "tally": tally_words(self.summary),
            "not_walked": self.hindered,
        }

    def touched(self, number: int) -> list[str]:
        """The ids of the promises that the difference of this number turns."""
        return [one.promise.id for one in self.proven if any(each.number == number for each in one.differences)]

    def _difference(self, number: int, found: Finding) -> dict[str, object]:
        return {"number": number, "found": found.line(), "do": TO_DO, "touches": self.touched(number)}

    def _ledger(self) -> dict[str, object]:
        told = [{"at": iso(one.at), "by": one.made_by, "because": one.because} for one in self.restored]
        return {
            "verdict": "broken" if self.stores else "kept",
            "evidence": self.stores.words if self.stores else "",
            "restored": told,
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
        "differences": [each.number for each in one.differences],
        "uncovered": [part(key, "en") for key in one.uncovered],
        "checked_at": iso(one.checked_at),
    }


def prove(
    site: Site,
    *,
    language: str = "en",
    door: MakeDoor | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Report:
    """Run every proof now, once, over everything; see ``Prover.prove``."""
    return Prover(site).prove(language=language, door=door, progress=progress)


class Prover:
    """Proves one site again and again, at the cost of what is new.

    What was read of the ledger is not read again for a day, since its rows cannot change; a change made round its triggers is
    found then, by the next process, and by ``troth ledger verify``. Everything else is looked at each time. To be used from
    one thread at a time.
    """

    def __init__(self, site: Site, seconds: Callable[[], float] = perf_counter) -> None:
        self._site = site
        self._seconds = seconds
        self._begin()

    def _begin(self) -> None:
        self._began = self._seconds()
        self.replay = Replay(self._seconds)
        self._before: dict[Any, Any] = {}
        self._reconciled = Before()

    def prove(
        self,
        *,
        language: str = "en",
        door: MakeDoor | None = None,
        progress: Callable[[int, int, str], None] | None = None,
    ) -> Report:
        """Run every proof now.

        ``door`` opens the site's web application, through which somebody made up is sent first; without it the last one who was
        sent counts, for pages that are asked for often.
        ``progress`` is called with how many proofs are done, how many there are, and the promise's id.
        """
        if self._seconds() - self._began > WHOLE_AGAIN:
            self._begin()
        try:
            return self._proven(language, door, progress)
        except BaseException:  # cut short: what was heard and what was only read cannot be told apart any more
            self._begin()
            raise

    def _proven(self, language: str, door: MakeDoor | None, progress: Callable[[int, int, str], None] | None) -> Report:
        site = self._site
        learn(site)
        problem = heads.look(site)
        flown = canary.fly(site, door) if door else None
        with unmoving(site) as conn:
            compiled, now = site.policy(conn), site.now()
            told = flown or canary.last(conn, site)
            proving = Proving(site, conn, compiled, now, self.replay.heard(conn), told, self._before)
            found = reconcile(site, conn, self._reconciled)
            if self._reconciled.ledger is not None:
                proving.looked[verified] = self._reconciled.ledger
            proven = tuple(_all(proving, borne(compiled, found), language, progress))
            if problem is not None:
                proven = tuple(_of_unknown_stores(proving, one) for one in proven)
            stopped = silent(conn, now)
            report = Report(
                site.name, now, compiled.version, proven, problem, tuple(history(conn)), found, stopped,
                told.hindered,
            )  # fmt: skip
        watch.noted(site, found)
        with site.writing() as conn:
            counts = {verdict.replace(" ", "_"): number for verdict, number in report.summary.items()}
            ledger.append(conn, site.now(), events.PROOF_MADE, {**counts, "version": report.version})
        return report


def _all(
    proving: Proving,
    borne: Mapping[str, Sequence[Borne]],
    language: str,
    progress: Callable[[int, int, str], None] | None,
) -> Iterator[Proven]:
    promises, words = proving.compiled.promises, shown(proving, language)
    for done, promise in enumerate(promises, start=1):
        differences = tuple(borne.get(promise.id, ()))
        proof = turned(proving, _proof(proving, promise), differences)
        parts = (*uncovered(proving.compiled, promise), *proof.unshown)
        yield Proven(promise, words.get(promise.id, promise.id), proof, proving.now, parts, differences)
        if progress:
            progress(done, len(promises), promise.id)


def _of_unknown_stores(proving: Proving, one: Proven) -> Proven:
    """What was found in stores that are not what was sealed shows that a promise is broken and never that it is kept."""
    if one.proof.verdict != "kept":
        return one
    said = proving.say("the data stores are not what was recorded")
    return replace(one, proof=replace(one.proof, verdict="not proven", evidence=said))


def _proof(proving: Proving, promise: Promise) -> Proof:
    """One proof; one that cannot even be carried out is no proof that the promise is kept.

    A store that somebody wrote into may hold what no code of ours expects: then the kind of error is all that is said.
    """
    try:
        return CATALOGUE[promise.kind].prove(proving, promise)
    except Exception as error:
        why = error.message if isinstance(error, TrothError) else type(error).__name__
        return Proof("broken", "query", "", "it could not be looked at", why)
