"""The worker: one turn does all that is due now. Nothing is lost when it stops anywhere; the next turn goes on.

Each task is a transaction or a series of them, each whole. A task that fails is reported and the others still run; that a task
has not run for too long is an alarm of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event

from troth.accounts import actions as accounts
from troth.accounts import address, seen
from troth.acts import correct, keys, write
from troth.agenda import run_due
from troth.agenda.run import Handler
from troth.collection.actions import SECOND_HAND
from troth.errors import StoreError, TrothError
from troth.ledger import heads
from troth.ledger.restored import silenced, unfinished
from troth.ledger.seal import seal
from troth.messages import actions as messages
from troth.messages import changing, posting
from troth.messages.confirmations import queue_confirmations
from troth.messages.inbound.poll import poll
from troth.messages.inbound.take import forget_the_past
from troth.people.keystore import sweep_orphans
from troth.recipients import gate, instructions
from troth.reconcile import watch
from troth.retention import alarms, ending, sweep
from troth.retention.alarms import Alarm
from troth.retention.heartbeat import beat, beat_all, lately
from troth.rights import by_mail, carrying, correcting, following, intake, replies
from troth.rights.protocols import calling, telling
from troth.staff import actions as staff
from troth.store.site import Site
from troth.visits import sweep as visits
from troth.witnessing import ask_due
from troth.witnessing.actions import silent as silent_witnesses

log = logging.getLogger(__name__)
HEARTBEAT = "heartbeat"
"""what a problem with noting that the tasks were done is called"""

HANDLERS: Mapping[str, Handler] = {
    gate.DELIVER: gate.deliver,
    instructions.INSTRUCT: instructions.carry,
    SECOND_HAND: messages.tell_second_hand,
    messages.DELIVER: messages.deliver,
    changing.CHANGED: changing.tell,
    address.TELL: address.tell_recipients,
    intake.CARRY: carrying.handle,
    replies.REPLY: replies.deliver,
    correcting.TELL: correcting.tell_recipients,
    following.REMIND: following.remind,
    telling.CALL: calling.call,
    correct.TELL: correct.tell_recipients,
    write.SEND: write.send_on,
}
STAYING = frozenset({intake.CARRY})
"""the jobs by which nothing leaves the site: all others wait while a store that was put back is not released"""

Task = Callable[[Site], int]


@dataclass(frozen=True)
class Turn:
    """What one turn did: a count for each task, and what went wrong in words without personal values."""

    done: dict[str, int] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)


def turn(site: Site, tasks: Mapping[str, Task] | None = None) -> Turn:
    """Do everything that is due at the site's present, once; ``tasks`` take the place of ``TASKS``."""
    made = Turn({}, {})
    wanted = tasks or TASKS
    for stage in range(len(AFTER) + 1):
        _carry_out(site, {name: task for name, task in wanted.items() if _STAGES.get(name, 0) == stage}, made)
    return made


def _carry_out(site: Site, tasks: Mapping[str, Task], made: Turn) -> None:
    """Do ``tasks``, add what came of them to ``made``, and note which came to their end."""
    done: dict[str, int] = {}
    for name, task in tasks.items():
        try:
            done[name] = task(site)
        except TrothError as error:
            made.problems[name] = str(error)
            log.error("%s: %s: %s", site.name, name, error)
        except Exception as error:  # a mistake in one task must not end the others, and its words may quote a value
            made.problems[name] = type(error).__name__
            log.error("%s: %s: a mistake in Troth (%s)", site.name, name, type(error).__name__)
    made.done.update(done)
    try:
        with site.writing() as conn:
            beat_all(conn, done, site.now())
    except StoreError as error:  # the tasks are done; that they were is noted at the next turn
        made.problems[HEARTBEAT] = str(error)
        log.error("%s: %s: %s", site.name, HEARTBEAT, error)


def work(site: Site, stop: Event, every_seconds: float = 60.0) -> None:
    """Take turns until ``stop`` is set."""
    while not stop.is_set():
        turn(site)
        stop.wait(every_seconds)


def _orphans(site: Site) -> int:
    """Once an hour, since it looks at every key there is, and no key without a person is younger than a day."""
    now = site.now()
    with site.reading() as conn:
        if lately(conn, ORPHANS, now):
            return 0
    if heads.look(site) is not None:
        return 0  # in an old copy of the data, keys of people who came since look like nobody's
    swept = sweep_orphans(site)
    with site.writing() as conn:
        beat(conn, ORPHANS, now)
    return swept


ORPHANS = "keys of nobody"
"""under which the hour is counted, since the heartbeat of the task is noted at every turn"""


def standing(site: Site) -> list[Alarm]:
    """Every alarm that stands now, of all rooms; what is new goes on the ledger, and what is over, too."""
    stores = [*_stores(site), *watch.standing(site), *silent_witnesses(site)]
    return alarms.alarms(site, [*visits.overdue(site), *following.alarms(site), *stores])


def _stores(site: Site) -> list[Alarm]:
    """Stores that are not what was sealed, and a restoration that was interrupted."""
    problem = heads.look(site)
    found = [] if problem is None else [Alarm("ledger broken", problem.kind, problem.since, problem.words)]
    with site.reading() as conn:
        begun = unfinished(conn)
    if begun is not None:
        words = (
            "A store was put back, and what was done in between is not all done again: `troth ledger restored` goes on."
        )
        found.append(Alarm("restore unfinished", begun.restoration, begun.at, words))
    return found


def silent(site: Site) -> bool:
    """Whether nothing may leave: a store was put back, and nobody has released what waits or even said why."""
    with site.reading() as conn:
        waits = silenced(conn)
    return waits or heads.look(site) is not None


def _agenda(site: Site) -> int:
    """Run the jobs that are due; where the site is silent, those alone by which nothing leaves."""
    handlers = {kind: HANDLERS[kind] for kind in STAYING} if silent(site) else HANDLERS
    return run_due(site, handlers).done


AFTER = (frozenset({"stores", "seal", "witness"}), frozenset({"alarms"}))
"""Tasks that look at what the others did, in their order. What came to its end before them is noted then, else a worker that
comes once a day would be silent. What alarms enter is sealed with the next turn."""
_STAGES = {name: stage for stage, names in enumerate(AFTER, start=1) for name in names}

TASKS: Mapping[str, Task] = {
    "visits": visits.sweep_quietly,
    "log-ins": seen.count_log_ins,
    "sweep": lambda site: sweep.sweep_quietly(site).moved,
    "destroy": ending.destroy_quietly,
    "mail in": lambda site: poll(site, by_mail.take_in),
    "mail that came": forget_the_past,
    "requests": following.follow,
    "protocols": lambda site: telling.tell_changes(site) + telling.forget(site),
    "confirmations": queue_confirmations,
    "announcements": posting.note_late,
    "reminders": changing.remind,
    "accounts": accounts.forget_the_past,
    "staff": staff.forget_the_past,
    "act keys": keys.forget_the_past,
    "agenda": _agenda,
    "orphans": _orphans,
    "stores": watch.look_again,
    "alarms": lambda site: len(standing(site)),
    "seal": lambda site: seal(site).entries,
    "witness": ask_due,
}
