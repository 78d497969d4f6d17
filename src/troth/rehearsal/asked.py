"""What was asked of a rehearsal, and carrying it out: one life, or two of the same events, and the ways to what went wrong."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml  # type: ignore[import-untyped]
from sqlalchemy import inspect

from troth.clock import SystemClock
from troth.errors import NotAllowed, TrothError
from troth.policy.check import Checked, check_document
from troth.policy.compile import Compiled, compile_policy
from troth.policy.decisions import read_decisions
from troth.policy.document import parse_document, read_document
from troth.rehearsal.compare import comparable, possible
from troth.rehearsal.events import Event
from troth.rehearsal.generate import generate
from troth.rehearsal.notes import Notes
from troth.rehearsal.report import Lived
from troth.rehearsal.reproduce import Fault, Way, reproduce, worst, write_events
from troth.rehearsal.result import Rehearsal, Violation
from troth.rehearsal.run import rehearse
from troth.rehearsal.shrink import Events, Limits
from troth.rehearsal.trials import trials
from troth.store.engines import open_engine, reading
from troth.store.wiring import read_wiring

MOST_WAYS = 3
"""of so many different violations of one life the shortest way is looked for"""
LIMITS = Limits(runs=400, seconds=120)
"""for each of them"""

Step = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Asked:
    """What was asked for: ``events`` are lived instead of generated ones when they came from a ``file``.

    ``compared``: the life is one of two of the same events. ``policy`` is the draft that takes the published policy's place.
    """

    site: Path
    days: int
    people: int
    seed: int
    faults: bool = False
    policy: Path | None = None
    compared: bool = False
    events: Events = ()
    file: Path | None = None
    database: str | None = None
    keys: str | None = None

    @property
    def command(self) -> str:
        """What to type for this again. The stores are left out: an address may hold a password."""
        options = [f"--days={self.days}", f"--people={self.people}", f"--seed={self.seed}"]
        options += [f"--policy={self.policy}"] if self.policy else []
        options += [f"--events={self.file}"] if self.file else []
        return shlex.join(["troth", "rehearse", str(self.site), *options, *["--faults"] * self.faults])


def compiled_of(site: Path, draft: Path | None = None) -> Compiled:
    """The policy of the folder ``site``, or the ``draft`` in its place with the same decisions.

    Raises:
        NotAllowed: with every finding, when one is an error that nobody settled.
        PolicyError: when a file cannot be read.
    """
    file = draft or site / "policy.yaml"
    checked = check_document(read_document(file), read_decisions(site), SystemClock().now().date())
    if checked.unsettled or checked.policy is None:
        raise _unsettled(file, checked)
    return compile_policy(checked.policy, checked.document.places, checked.origins)


def _unsettled(file: Path, checked: Checked) -> NotAllowed:
    found = checked.unsettled or checked.findings
    lines = [replace(one, place=replace(one.place, file=str(file.parent / one.place.file))).line() for one in found]
    return NotAllowed(
        f"{file} is not rehearsed while it has errors that nobody settled ({len(found)}):\n  " + "\n  ".join(lines),
        "Mend the policy or settle them in decisions.yaml.",
    )


@contextmanager
def scratch(keep: Path | None) -> Iterator[Path]:
    """The empty folder ``keep``, or one that is gone afterwards.

    Raises:
        TrothError: when ``keep`` is there already with something in it.
    """
    if keep is None:
        with TemporaryDirectory(prefix="troth-rehearsal-") as folder:
            yield Path(folder)
        return
    if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
        raise TrothError(f"{keep} is not an empty folder.", "Name one that is empty or not there yet.")
    keep.mkdir(parents=True, exist_ok=True)
    yield keep.resolve()
    for site in keep.glob("*/site"):
        _point_to_its_stores(site)


def _point_to_its_stores(site: Path) -> None:
    """Let the ``site.yaml`` of a kept site name the files beside it, where its operator's names other stores."""
    wiring = parse_document((site / "site.yaml").read_text("utf-8"), "site.yaml").tree
    for section, store in (("store", "data"), ("keys", "keys")):
        wires = {key: value for key, value in wiring.get(section, {}).items() if key != "database env"}
        if (site / "var" / f"{store}.db").exists():
            wiring[section] = {**wires, "database": f"sqlite:///var/{store}.db"}
    (site / "site.yaml").write_text(yaml.safe_dump(wiring, sort_keys=False, allow_unicode=True), "utf-8")


def refuse_full(url: str) -> None:
    """A rehearsal needs empty databases. Raises ``TrothError`` for one with tables in it, or that cannot be reached."""
    engine = open_engine(url, Path())
    try:
        with reading(engine) as conn:
            tables = inspect(conn).get_table_names()
    finally:
        engine.dispose()
    if tables:
        shown = engine.url.render_as_string(hide_password=True)
        raise TrothError(f"{shown} is not empty.", "Make a new database for the rehearsal.")


def live(asked: Asked, folder: Path, step: Step | None = None) -> Lived:
    """The life that was asked for, under the published policy, in a copy of the site below ``folder``."""
    compiled, notes = compiled_of(asked.site), Notes()
    return Lived(_live(asked, _events(asked, compiled), notes, folder / "published", step), notes, compiled)


def live_draft(asked: Asked, folder: Path, step: Step | None = None) -> Lived:
    """The same life under the draft, in another copy."""
    published, draft, notes = compiled_of(asked.site), compiled_of(asked.site, asked.policy), Notes()
    events = tuple(possible(_events(asked, published), draft.policy, notes))
    return Lived(_live(asked, events, notes, folder / "draft", step), notes, draft)


def _events(asked: Asked, published: Compiled) -> Iterator[Event]:
    """The events that were given, or those of the published policy; with a draft, as both can live them."""
    partners = read_wiring(asked.site).partners
    made = generate(published, days=asked.days, people=asked.people, seed=asked.seed, partners=partners)
    events = iter(asked.events) if asked.file else made
    return comparable(events) if asked.compared else events


def _live(asked: Asked, events: Iterable[Event], notes: Notes, folder: Path, step: Step | None) -> Rehearsal:
    def told(day: int, days: int) -> None:
        if step:
            people = notes.days[-1].people if notes.days else 0
            step(day, days, f"{notes.events:,} events, {people:,} people held")

    return rehearse(
        asked.site,
        days=asked.days,
        people=asked.people,
        seed=asked.seed,
        policy=asked.policy,
        faults=asked.faults,
        database=asked.database,
        keys=asked.keys,
        folder=folder,
        events=events,
        watch=notes,
        progress=told,
    )


def with_ways(asked: Asked, lived: Lived, folder: Path, step: Step | None = None) -> Lived:
    """``lived`` with the shortest ways that were found to what went wrong in it, each written to a file in ``folder``.

    With faults, each list is first tried without any.
    """
    found: dict[Fault, Way] = {}
    for fault, violation in worst(lived.life.violations, MOST_WAYS).items():
        for one in (replace(asked, faults=False), asked) if asked.faults else (asked,):
            way = _way(one, lived, violation, step)
            if way is not None:
                name = f"rehearsal-{lived.life.site}-{'draft-' * bool(asked.policy)}{len(found) + 1}.jsonl"
                write_events(way.shrunk.events, folder / name)
                again = replace(one, days=way.days, people=_people(way.shrunk.events), file=folder / name)
                found[fault] = replace(way, replay=again.command)
                break
    return replace(lived, ways=found)


def _way(asked: Asked, lived: Lived, violation: Violation, step: Step | None) -> Way | None:
    def told(runs: int, left: int) -> None:
        if step:
            step(runs, LIMITS.runs, f"{left:,} events left")

    with trials(asked.site, asked.seed, violation.kind, policy=asked.policy, faults=asked.faults) as again:
        return reproduce(again, _events_of(asked, lived), violation, limits=LIMITS, progress=told)


def _events_of(asked: Asked, lived: Lived) -> Iterator[Event]:
    """What was lived in ``lived``."""
    if not asked.policy:
        return _events(asked, lived.compiled)
    return possible(_events(asked, compiled_of(asked.site)), lived.compiled.policy, Notes())


def _people(events: Events) -> int:
    return max(len({event.who for event in events if event.who is not None}), 1)
