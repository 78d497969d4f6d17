"""What stands beside each promise: the last proofs of a site, with the time they were made.

Proofs look at live data and take a moment, so a page never makes them itself when it has some: it shows the last ones with
their age and has new ones made behind its back. Only the very first reader of a site waits.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from troth.proof import Proof
from troth.store.site import Site
from troth.web.notice_page import Evidence, Verdict
from troth.web.words import say

FRESH_FOR = timedelta(minutes=5)
_log = logging.getLogger("troth.web")


@dataclass(frozen=True, slots=True)
class Shown:
    """The proof of one promise, as a page shows it."""

    verdict: Verdict
    text: str
    checked_at: datetime


Look = Callable[[Site], Mapping[str, Shown]]
"""Proves every promise of a site now; by promise id."""


def no_look(site: Site) -> Mapping[str, Shown]:
    """For sites whose promises nobody proves: no evidence is shown."""
    return {}


def proofs(site: Site) -> Mapping[str, Shown]:
    """Every promise of ``site``, proven now, without the made-up person that ``troth prove`` sends round."""
    from troth.evidence.prove import prove

    report = prove(site, with_canary=False)
    return {one.promise.id: Shown(one.proof.verdict, _text(one.proof), one.checked_at) for one in report.proven}


def _text(proof: Proof) -> str:
    """What was measured and where; only the latter while there is nothing to measure."""
    parts = (proof.measured, proof.evidence) if proof.verdict in ("kept", "broken") else (proof.evidence,)
    return " · ".join(filter(None, parts))


@dataclass
class _Last:
    shown: Mapping[str, Shown] = field(default_factory=dict)
    at: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)


class Watch:
    """Keeps the last evidence of each site."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._last: dict[str, _Last] = {}
        self._lock = threading.Lock()

    def of(self, site: Site) -> Mapping[str, Shown]:
        """The last evidence of ``site``; when it is no longer fresh, newer is on its way."""
        with self._lock:
            last = self._last.setdefault(site.name, _Last())
        if last.at is None:
            self._renew(site, last)
        elif site.now() - last.at >= FRESH_FOR and not last.lock.locked():
            threading.Thread(target=self._renew, args=(site, last), daemon=True).start()
        return last.shown

    def _renew(self, site: Site, last: _Last) -> None:
        with last.lock:
            if last.at is not None and site.now() - last.at < FRESH_FOR:
                return
            try:
                last.shown = self._look(site)
            except Exception as error:  # a page without evidence is still a notice; the words may quote a value
                _log.error("%s: the promises could not be proven (%s)", site.name, type(error).__name__)
            last.at = site.now()


@dataclass(frozen=True, slots=True)
class Tally:
    """How many promises there are, and how many of each verdict."""

    total: int
    kept: int = 0
    broken: int = 0
    unproven: int = 0
    attested: int = 0
    checked_at: datetime | None = None


def tally(total: int, shown: Mapping[str, Shown]) -> Tally:
    """Count ``shown``; ``total`` is how many promises the policy makes."""
    counts = dict.fromkeys(("kept", "broken", "unproven", "attested"), 0)
    for one in shown.values():
        counts[one.verdict] += 1
    return Tally(total, **counts, checked_at=min((one.checked_at for one in shown.values()), default=None))


def beside(shown: Mapping[str, Shown], now: datetime, tag: str) -> dict[str, Evidence]:
    """``shown`` in the words of a notice page, each with the age of its check."""
    return {
        key: Evidence(one.verdict, one.text, say(tag, "index.checked", age=age(now - one.checked_at, tag)))
        for key, one in shown.items()
    }


def age(span: timedelta, tag: str) -> str:
    """``4 minutes ago``"""
    minutes = int(span.total_seconds() // 60)
    for unit, size in (("day", 1440), ("hour", 60), ("minute", 1)):
        if count := max(minutes, 0) // size:
            return say(tag, f"age.{unit}" if count == 1 else f"age.{unit}s", n=count)
    return say(tag, "age.now")
