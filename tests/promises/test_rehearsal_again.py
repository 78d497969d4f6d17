"""A rehearsal is the same every time, and it finds what a clock that is set back could do."""

from pathlib import Path

from tests.fixtures import SHOP
from tests.operators import SITES
from troth.rehearsal.events import Event
from troth.rehearsal.result import DayCount, Outcome
from troth.rehearsal.run import rehearse


class Seen:
    """Notes all that a watch is told, but for the ids that a store gives."""

    def __init__(self) -> None:
        self.notes: list[object] = []

    def happened(self, event: Event, outcome: Outcome) -> None:
        self.notes.append((event, outcome.result, outcome.because, outcome.count, len(outcome.opened)))

    def went(self, *what: object) -> None:
        self.notes.append(what)

    def day(self, count: DayCount) -> None:
        self.notes.append(count)


def test_the_same_seed_brings_the_same_outcomes_and_days() -> None:
    first, second = Seen(), Seen()
    lives = [rehearse(SHOP, days=31, people=15, seed=3, watch=seen) for seen in (first, second)]
    assert first.notes == second.notes
    assert lives[0].days == lives[1].days
    assert lives[0].happened == lives[1].happened
    assert lives[0].violations == lives[1].violations == ()


def test_a_withdrawal_counts_though_the_clock_was_set_back_before_it() -> None:
    events = [
        Event(0, 0, 0.1, "submit", 0, "open_account"),
        Event(1, 1, 0.5, "choose", 0, "marketing", details={"state": "given"}),
        Event(2, 1, 0.6, "read", 0, "marketing"),
        Event(3, 1, 0.61, "jump", details={"hours": "-4"}),
        Event(4, 1, 0.62, "choose", 0, "marketing", details={"state": "withdrawn"}),
        Event(5, 1, 0.63, "read", 0, "marketing"),
        Event(6, 2, 0.5, "read", 0, "marketing"),
        Event(7, 2, 0.6, "disclose", 0, "mailchimp", details={"purpose": "marketing"}),
    ]
    life = rehearse(SITES / "ledflex", days=3, people=1, events=events)
    assert life.violations == ()
    assert (life.happened["read: done"], life.happened["read: refused"]) == (1, 2)
    assert life.happened["disclose: refused"] == 1


def test_a_list_that_lost_events_is_still_a_life(tmp_path: Path) -> None:
    events = [
        Event(4, 0, 0.5, "close", 3, "contact", details={"order": "2", "kinds": "ticket"}),
        Event(5, 0, 0.6, "erase", 3),
        Event(6, 1, 0.2, "submit", 8, "contact"),
        Event(7, 1, 0.9, "read", None, "answer", 50),
    ]
    life = rehearse(SHOP, days=2, people=1, events=events, folder=tmp_path)
    assert life.violations == ()
    assert life.happened["close: passed over"] == life.happened["erase: passed over"] == 1
    assert life.happened["submit: done"] == life.happened["read: done"] == 1
