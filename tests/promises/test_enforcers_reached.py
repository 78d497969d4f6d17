"""What a binding names as enforcing a promise runs when the promise is exercised, at the doors and by the worker."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copytree
from types import CodeType, FrameType
from typing import Any

import pytest

from tests.acting import CONSOLE, cases, done, ready
from tests.fixtures import SHOP, START, days, open_shop
from tests.mutation.targets import forget
from tests.operators import mailing, run_mail
from tests.staffed import somebody
from tests.versions import publish_next
from troth import work
from troth.bindings import Enforcer, named
from troth.clock import MovedClock
from troth.collection import collect
from troth.collection.rules import Submission
from troth.evidence import canary
from troth.evidence.catalogue import CATALOGUE
from troth.figures.actions import figures
from troth.messages.mailbox import Mailbox
from troth.people.facts import By
from troth.policy.kinds import KINDS
from troth.restoring.backup import backup
from troth.restoring.drill import drill
from troth.rights.intake import receive
from troth.rights.rules import Intake
from troth.store.site import Site
from troth.web.inside import Inside


@dataclass
class Life:
    """A shop that is exercised step by step, and which functions ran in each step."""

    folder: Path
    mailbox: Mailbox
    clock: MovedClock = field(default_factory=lambda: MovedClock(START))
    ran: dict[str, set[CodeType]] = field(default_factory=dict)
    site: Site = field(init=False)

    @contextmanager
    def noting(self, step: str) -> Iterator[None]:
        """Note every function that is called until the end of the block, in whatever thread."""
        codes = self.ran.setdefault(step, set())

        def called(frame: FrameType, event: str, _: Any) -> None:
            if event == "call":
                codes.add(frame.f_code)

        before = sys.getprofile()
        threading.setprofile(called)
        sys.setprofile(called)
        try:
            yield
        finally:
            sys.setprofile(before)
            threading.setprofile(None)  # type: ignore[arg-type]


def _opened(life: Life) -> None:
    life.site = mailing(open_shop(life.folder, life.clock), life.mailbox)


def _walked(life: Life) -> None:
    """Somebody made up hands in forms, agrees, asks for each right, logs in and is erased."""
    assert canary.fly(life.site, Inside).failed == {}


def _visited(life: Life) -> None:
    assert Inside(life.site).get("").status == 200


def _imported(life: Life) -> None:
    """A partner's list, and a letter that waits to be answered."""
    collect(life.site, Submission("fair_import", {"email": "fay@shop.example"}, "fair:1", partner="fair"))
    receive(life.site, Intake("access", "letter", "letter:1", by="staff", text="What have you got of me?"))
    run_mail(life.site)


def _looked(life: Life) -> None:
    """The worker looks at the stores, and does nothing else."""
    life.clock.move(days(2))
    assert work.turn(life.site, {"stores": work.TASKS["stores"]}).problems == {}


def _acted(life: Life) -> None:
    """Staff and programs do all that there is to do."""
    for name in ("disclose", "send-message", "report-event", "place-hold"):
        done(life.site, name, ready(life.site, cases(life.site)[name]), CONSOLE)


def _counted(life: Life) -> None:
    figures(life.site, "interests", "market_facts", By("system"))


def _worked(life: Life) -> None:
    """A worker, for long enough that visits, logs, endings and relationships are over."""
    for _ in range(4):
        life.clock.move(days(100))
        made = work.turn(life.site)
        assert made.problems == {}


def _entered(life: Life) -> None:
    somebody(life.site).session()


def _changed(life: Life) -> None:
    """A version is published; pages and mail tell of it, and remind."""
    publish_next(life.site)
    assert Inside(life.site).get("").status == 200
    for _ in range(10):
        run_mail(life.site)
        life.clock.move(days(1))
        work.turn(life.site)


def _backed_up(life: Life) -> None:
    backup(life.site, life.folder.parent / "backup")
    drill(life.site, life.folder.parent / "backup")


STEPS: Mapping[str, Callable[[Life], None]] = {
    one.__name__.strip("_"): one
    for one in (
        _opened,
        _entered,
        _visited,
        _walked,
        _imported,
        _acted,
        _counted,
        _looked,
        _changed,
        _backed_up,
        _worked,
    )
}
BY: Mapping[str, tuple[str, ...]] = {
    "policy.version": ("visited",),
    "operator.contact": ("visited",),
    "people.age": ("walked",),
    "data.sealed": ("walked",),
    "data.never_stored": ("walked",),
    "collection.form": ("walked",),
    "collection.import": ("imported", "changed"),
    "purpose.use": ("walked",),
    "purpose.closed": ("walked",),
    "decision.automated": ("walked",),
    "consent.choice": ("walked",),
    "consent.not_implied": ("walked",),
    "recipient.share": ("acted",),
    "recipient.closed": ("acted",),
    "absolute.never": ("opened", "acted"),
    "absolute.only": ("opened", "acted"),
    "cookie.declared": ("opened", "walked"),
    "visit.records": ("visited",),
    "visit.expiry": ("worked",),
    "relationship.end": ("worked",),
    "retention.clock": ("worked",),
    "event.noted": ("acted",),
    "erasure.path": ("walked",),
    "backup.purge": ("walked", "backed_up"),
    "right.offered": ("walked",),
    "request.log": ("worked",),
    "message.class": ("acted",),
    "statistic.aggregate": ("opened", "walked", "counted"),
    "transfer.country": ("acted",),
    "change.notice": ("changed",),
    "security.measure": ("walked", "entered", "looked"),
    "legal.ground": ("acted",),
}
"""the steps that exercise a promise of each kind"""


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    forget()  # what was worked out before would not be worked out again
    mailbox = Mailbox()
    mailbox.start()
    made = Life(Path(copytree(SHOP, tmp_path_factory.mktemp("reached") / "shop")), mailbox)
    try:
        for name, step in STEPS.items():
            with made.noting(name):
                step(made)
        yield made
    finally:
        made.site.close()
        mailbox.stop()


def codes(enforcer: Enforcer) -> set[CodeType]:
    """The code of a function; of a class that of its methods."""
    if isinstance(enforcer, type):
        return {one.__code__ for one in vars(enforcer).values() if hasattr(one, "__code__")}
    return {enforcer.__code__}


@pytest.mark.parametrize("kind", KINDS)
def test_what_enforces_a_promise_runs_when_it_is_exercised(life: Life, kind: str) -> None:
    ran = set().union(*(life.ran[step] for step in BY[kind]))
    assert [named(one) for one in CATALOGUE[kind].enforced_by if not codes(one) & ran] == []
