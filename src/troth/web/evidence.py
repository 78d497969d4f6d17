"""What stands beside each promise: the last proofs of a site, with the time they were made.

Proofs look at live data and take a moment, so a page never makes them itself: it shows the last ones with their age and has
new ones made behind its back. Before the first it says that they are being made. All pages show one and the same look, with its
time. ``troth prove`` sends somebody made up through the doors, which proves more; a look from before that is not fresh, and who
opens a page after it waits some seconds for the next.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from troth.errors import TrothError
from troth.evidence.canary import flights
from troth.evidence.words import in_language, part
from troth.policy.model import Policy
from troth.policy.notice.language import Speaker
from troth.policy.notice.tally import tally_words
from troth.proof import Proof
from troth.store.site import Site
from troth.verdicts import VERDICTS, Verdict
from troth.web.moments import moment
from troth.web.notice_page import Evidence
from troth.web.words import say

if TYPE_CHECKING:
    from troth.evidence.prove import Proven, Prover, Report

FRESH_FOR = timedelta(minutes=5)
ASKED_EVERY = timedelta(seconds=1)
"""how often pages ask their store whether somebody made up went round since the last look"""
PATIENCE = timedelta(seconds=5)
"""how long a page waits for the look after that; then it shows the one before, with its time"""
_log = logging.getLogger("troth.web")


@dataclass(frozen=True, slots=True)
class Shown:
    """The proof of one promise, as a page shows it."""

    verdict: Verdict
    text: Mapping[str, str]
    """by language"""
    checked_at: datetime
    uncovered: Mapping[str, str] = field(default_factory=dict)
    """by language, the parts of the sentence that nothing measures; blank when there are none"""
    differences: tuple[int, ...] = ()
    """the numbers of what was changed in the stores and the promise rests on"""


Look = Callable[[Site], Mapping[str, Shown]]
"""Proves every promise of a site now; by promise id."""


def no_look(site: Site) -> Mapping[str, Shown]:
    """For sites whose promises nobody proves: no evidence is shown."""
    return {}


def proofs(site: Site) -> Mapping[str, Shown]:
    """Every promise of ``site``, proven now, without the made-up person that ``troth prove`` sends round."""
    from troth.evidence.prove import prove

    return _shown(prove(site), site)


class Proofs:
    """As ``proofs``, again and again, each time at the cost of what is new; one site at a time."""

    def __init__(self) -> None:
        self._provers: dict[str, Prover] = {}

    def __call__(self, site: Site) -> Mapping[str, Shown]:
        from troth.evidence.prove import Prover

        prover = self._provers.setdefault(site.name, Prover(site))
        return _shown(prover.prove(), site)


def _shown(report: Report, site: Site) -> Mapping[str, Shown]:
    policy = site.policy().policy
    return {
        one.promise.id: Shown(
            one.proof.verdict,
            {tag: _text(one.proof, policy, tag) for tag in policy.policy.languages},
            one.checked_at,
            {tag: _uncovered(one, tag) for tag in policy.policy.languages},
            tuple(each.number for each in one.differences if each.finding.what != "unsearched"),
        )
        for one in report.proven
    }


def _uncovered(one: Proven, tag: str) -> str:
    """The parts of a sentence that are not proven, named; blank where the whole verdict says so already."""
    if not one.uncovered or one.proof.verdict == "not proven":
        return ""
    return say(tag, "index.parts", parts=", ".join(part(key, tag) for key in one.uncovered))


def _text(proof: Proof, policy: Policy, tag: str) -> str:
    """What was measured and over what, in the language ``tag``; only the latter while there is nothing to measure.

    Left out is what says nothing to a reader of a notice: which test shows how the program is built, which file names nobody.
    """
    if proof.how == "construction" or (proof.how, proof.verdict) == ("attestation", "not proven"):
        return in_language(proof.measured, policy, tag)
    parts = (proof.evidence,) if proof.verdict == "nothing to check yet" else (proof.measured, proof.evidence)
    return " · ".join(in_language(part, policy, tag) for part in parts if part)


@dataclass
class _Last:
    shown: Mapping[str, Shown] = field(default_factory=dict)
    at: datetime | None = None
    under_way: bool = False
    flights: int = 0
    """as ``canary.flights`` was when the look began"""
    found: int = 0
    asked_at: datetime | None = None
    """``canary.flights`` as it was found last, and when"""


class Watch:
    """Keeps the last evidence of each site. One site is looked at at a time, so that pages keep their share of the machine."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._last: dict[str, _Last] = {}
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def of(self, site: Site) -> Mapping[str, Shown] | None:
        """The last evidence of ``site``, or None before the first; when it is not fresh, newer is on its way.

        Waited for is only what ``troth prove`` made out of date, since who ran it opens the page to see what it found.
        """
        flights, last = self._flights(site), self._last[site.name]
        overtaken = last.at is not None and not last.under_way and last.flights != flights
        looking = self.renew([site])
        if overtaken and looking is not None:
            looking.join(PATIENCE.total_seconds())
        return None if last.at is None else last.shown

    def renew(self, sites: Iterable[Site]) -> threading.Thread | None:
        """Have ``sites`` looked at in turn, those that need it, and do not wait; None when none does."""
        flown = [(site, self._flights(site)) for site in sites]
        with self._lock:
            stale = [site for site, flights in flown if self._begun(site, flights)]
        if not stale:
            return None
        thread = threading.Thread(target=self._look_at, args=(stale,), name="evidence", daemon=True)
        thread.start()
        return thread

    def _flights(self, site: Site) -> int:
        """``canary.flights`` of ``site``, asked for every some seconds; 0 while its store does not answer, as the page says."""
        last, now = self._last.setdefault(site.name, _Last()), site.now()
        if last.asked_at is None or abs(now - last.asked_at) >= ASKED_EVERY:
            last.asked_at = now
            with contextlib.suppress(TrothError), site.reading() as conn:
                last.found = flights(conn)
        return last.found

    def _begun(self, site: Site, flights: int) -> bool:
        """Whether a look at ``site`` is to begin, which is then under way."""
        last = self._last[site.name]
        fresh = last.at is not None and abs(site.now() - last.at) < FRESH_FOR and last.flights == flights
        if last.under_way or fresh:
            return False
        last.under_way, last.flights = True, flights
        return True

    def _look_at(self, sites: Sequence[Site]) -> None:
        for site in sites:
            last = self._last[site.name]
            with self._turn:
                try:
                    last.shown = self._look(site)
                except Exception as error:  # a page without evidence is still a notice; the words may quote a value
                    why = error if isinstance(error, TrothError) else type(error).__name__
                    _log.error("%s: the promises could not be proven (%s)", site.name, why)
                    last.shown = {}  # what an earlier look found says nothing of now
            with self._lock:
                last.at, last.under_way = site.now(), False


@dataclass(frozen=True, slots=True)
class Tally:
    """How many promises there are, and how many of each verdict; ``checked_at`` is when, None before the first look."""

    total: int
    of: Mapping[str, int] = field(default_factory=dict)
    checked_at: datetime | None = None

    def words(self, tag: str) -> str:
        """All five counts, in the language ``tag``."""
        return say(tag, "index.tally", total=self.total, counts=tally_words(self.of, tag))

    def checked(self, now: datetime, speaker: Speaker) -> str:
        """When, and how long ago: ``checked 4 minutes ago (30 November 2026 15:42 UTC)``; blank before the first look."""
        if self.checked_at is None:
            return ""
        tag = speaker.words.tag
        return say(tag, "index.checked_at", age=age(now - self.checked_at, tag), at=moment(speaker, self.checked_at))


def tally(total: int, shown: Mapping[str, Shown]) -> Tally:
    """Count ``shown``; ``total`` is how many promises the policy makes. ``checked_at`` is None when nothing was checked."""
    counts = Counter(one.verdict for one in shown.values())
    checked_at = min((one.checked_at for one in shown.values()), default=None)
    return Tally(total, {verdict: counts[verdict] for verdict in VERDICTS}, checked_at)


def differences(shown: Mapping[str, Shown], tag: str) -> str:
    """What was changed in the stores, once for the whole page; blank when nothing was."""
    number = max((number for one in shown.values() for number in one.differences), default=0)
    return say(tag, "index.difference" if number == 1 else "index.differences", n=number) if number else ""


def beside(shown: Mapping[str, Shown], now: datetime, tag: str) -> dict[str, Evidence]:
    """``shown`` in the words of a notice page, each with the age of its check."""
    return {
        key: Evidence(
            one.verdict,
            one.text.get(tag, ""),
            say(tag, "index.checked", age=age(now - one.checked_at, tag)),
            one.uncovered.get(tag, ""),
        )
        for key, one in shown.items()
    }


def age(span: timedelta, tag: str) -> str:
    """``4 minutes ago``"""
    minutes = int(span.total_seconds() // 60)
    for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)):
        if count := max(minutes, 0) // size:
            return say(tag, f"age.{unit}" if count == 1 else f"age.{unit}s", n=count)
    return say(tag, "age.now")
