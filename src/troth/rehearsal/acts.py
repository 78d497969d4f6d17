"""Carries events out through the doors that people's own data takes: the same calls that a site's pages and programs make.

``Acts`` remembers nothing between two events: who a made-up person is in the store comes with each task, and everything else
follows from the seed and the event's number. So it may live in a process of its own that is killed at any moment: another one
goes on with the same task, ``again``, and what was done already is found by the instant at which it was done, or by its key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from random import Random
from typing import Any

from dateutil.relativedelta import relativedelta
from sqlalchemy import Connection, Table, and_, func, select

from troth.clock import DAY, MovedClock
from troth.collection.actions import collect
from troth.collection.rules import Submission, case_ref
from troth.consent import actions as consent
from troth.consent.rules import State
from troth.consent.tables import choice
from troth.errors import InvalidInput, PolicyError, Refused
from troth.messages.posting import note_in, on_pages
from troth.messages.publish import publish
from troth.people import dealings, vault
from troth.policy.compile import Compiled
from troth.policy.model import CollectionPoint
from troth.recipients import gate
from troth.recipients.switches import say_no
from troth.recipients.tables import disclosure
from troth.rehearsal.all_day import ALL_DAY
from troth.rehearsal.amend import amended
from troth.rehearsal.events import Event
from troth.rehearsal.made_up import answers, values
from troth.rehearsal.model import Wrong
from troth.rehearsal.result import Outcome
from troth.rehearsal.tasks import APART, Task, given_to, key_of, kinds_of, read_for, ref_of, ticked
from troth.rehearsal.terms import Terms
from troth.retention import ending, relationship
from troth.retention.tables import ending as ending_table
from troth.store import versions
from troth.store.site import Site
from troth.store.tables import policy_version
from troth.visits import actions as visits
from troth.visits.partitions import days_present, table_of
from troth.work import Turn, turn

__all__ = ["Acts", "Task"]

_CARD = "4111 1111 1111 1111"


class Acts:
    """Lives events on ``site``, whose ``clock`` it sets. Every instant of a site's life is used for one event only."""

    def __init__(self, site: Site, clock: MovedClock, seed: int) -> None:
        self.site, self.clock, self.seed = site, clock, seed
        self._acts: Mapping[str, Callable[[Task], Outcome]] = {
            "visits": self._visits,
            "submit": self._submit,
            "import": self._submit,
            "choose": self._choose,
            "order": self._order,
            "close": self._close,
            "notice": self._notice,
            "read": self._read,
            "disclose": self._disclose,
            "erase": self._erase,
            "amend": self._amend,
            "hostile": self._hostile,
            "jump": lambda task: Outcome("done"),
        }

    @cached_property
    def compiled(self) -> Compiled:
        """The version that was in force when this began; amendments change how long things are kept, and no form."""
        return self.site.policy()

    def live(self, task: Task) -> Outcome:
        """Carry ``task`` out; what Troth refuses is an outcome, too.

        Raises:
            TrothError: when a store is gone or locked.
        """
        self.clock.at = task.at
        try:
            return self._acts[task.event.act](task)
        except (Refused, InvalidInput) as error:
            return Outcome("refused", getattr(error, "because", ()))

    def turn(self, day: int, at: datetime) -> Turn:
        """The worker does all that is due at ``at``, the end of ``day``."""
        self.clock.at = at
        return turn(self.site, ALL_DAY)

    def clock_error(self, day: int) -> timedelta:
        """This clock is always right."""
        return timedelta(0)

    def noticed(self) -> Sequence[Wrong]:
        """These hands look at nothing but their work."""
        return ()

    # --- In ----------------------------------------------------------------------------------------------------------

    def _visits(self, task: Task) -> Outcome:
        policy, random = self.compiled.policy, Random(f"{self.seed}:visits:{task.event.number}")
        records = policy.visits.records if policy.visits else ()
        asked = {key: policy.data[key].category for key in records if key in policy.data}
        instants = [task.at - APART * n for n in range(task.event.count - 1, -1, -1)]
        if task.again and self._recorded(instants[-1]):
            return Outcome("done", count=len(instants))
        rows = [(at, values(asked, self.seed, 0, random)) for at in instants]
        with self.site.writing() as conn:
            return Outcome("done", count=visits.record_many(self.site, conn, rows))

    def _recorded(self, at: datetime) -> bool:
        day = at.date()
        with self.site.reading() as conn:
            return day in days_present(conn) and _there(conn, table_of(day), table_of(day).c.at == at)

    def _submit(self, task: Task) -> Outcome:
        receipt = collect(self.site, self._submission(task))
        return Outcome("done", person=receipt.person_id)

    def _submission(self, task: Task) -> Submission:
        event, point = task.event, self._point(task.event)
        random = Random(f"{self.seed}:submission:{event.number}")
        return Submission(
            event.what,
            answers(self.compiled, self.seed, point, event.who or 0, event.number),
            key=key_of(self.seed, event.number),
            choices=dict.fromkeys(ticked(self.seed, event.number, point), True),
            acknowledged=True,
            language=random.choice(self.compiled.policy.policy.languages),
            partner=event.details.get("partner"),
            member=task.people[0] if point.members_only and task.people else None,
        )

    def _point(self, event: Event) -> CollectionPoint:
        return self.compiled.policy.collection[event.what]

    def _hostile(self, task: Task) -> Outcome:
        event, point = task.event, self._point(task.event)
        good, how = self._submission(task), event.details["how"]
        if how == "twice":
            first, second = collect(self.site, good), collect(self.site, good)
            same = second.repeated and second.person_id == first.person_id and second.holdings == first.holdings
            return Outcome("done", count=1 if same else 2, person=first.person_id)
        receipt = collect(self.site, _broken(good, how, point, task.at, self.compiled))
        return Outcome("done", person=receipt.person_id)

    # --- Choices and dealings ----------------------------------------------------------------------------------------

    def _choose(self, task: Task) -> Outcome:
        state: State = task.event.details["state"]  # type: ignore[assignment]  # who writes a list by hand is told by `record`
        scope, (person_id,) = task.event.what, task.people
        with self.site.writing() as conn:
            mine = and_(choice.c.person_id == person_id, choice.c.scope == scope, choice.c.at == task.at)
            if task.again and _there(conn, choice, mine):
                return Outcome("done")
            compiled = self.site.policy(conn)
            language, words = compiled.policy.policy.languages[0], f"{scope}: {state}"
            door = say_no if state in {"withdrawn", "objected"} else consent.record
            door(self.site, conn, person_id, scope, state, words, language, "privacy_centre", compiled)
            relationship.refresh(self.site, conn, [person_id])
        return Outcome("done")

    def _order(self, task: Task) -> Outcome:
        event, (person_id,) = task.event, task.people
        days = event.details.get("warranty")
        warranty = task.at + timedelta(days=int(days)) if days else None
        with self.site.writing() as conn:
            for kind in kinds_of(event):
                dealings.open_dealing(self.site, conn, person_id, kind, ref_of(event), task.at, warranty)
            relationship.refresh(self.site, conn, [person_id])
        return Outcome("done")

    def _close(self, task: Task) -> Outcome:
        event, (person_id,) = task.event, task.people
        number = int(event.details["order"])
        ref = case_ref(event.what, key_of(self.seed, number)) if event.what else f"order-{number}"
        with self.site.writing() as conn:
            kinds = kinds_of(event)
            closed = [dealings.close_dealing(self.site, conn, person_id, kind, ref, task.at) for kind in kinds]
            relationship.refresh(self.site, conn, [person_id])
        return Outcome("done", count=len(kinds) if task.again else sum(closed))

    def _notice(self, task: Task) -> Outcome:
        (person_id,) = task.people
        with self.site.writing() as conn:
            dealings.open_dealing(
                self.site, conn, person_id, "notice", f"notice-{task.event.number}", task.at, warranty_ends_at=None
            )
            relationship.refresh(self.site, conn, [person_id])
        return Outcome("done")

    # --- Use and out -------------------------------------------------------------------------------------------------

    def _read(self, task: Task) -> Outcome:
        purpose, by = task.event.what, vault.By("staff", task.event.details.get("role", ""))
        fields = read_for(self.compiled, purpose)
        if task.event.who is None:
            opened = tuple(one for one, _ in vault.read_many(self.site, task.people, fields, purpose, by))
            return Outcome("done" if opened else "refused", count=len(opened), opened=opened)
        vault.read(self.site, task.people[0], fields, purpose, by)
        return Outcome("done", opened=task.people[:1])

    def _disclose(self, task: Task) -> Outcome:
        event, (person_id,) = task.event, task.people
        purpose = event.details["purpose"]
        if task.again:
            mine = and_(disclosure.c.recipient == event.what, disclosure.c.at == task.at)
            with self.site.reading() as conn:
                if _there(conn, disclosure, and_(disclosure.c.person_id == person_id, mine)):
                    return Outcome("done")
        gate.disclose(self.site, person_id, event.what, given_to(self.compiled, event), purpose)
        return Outcome("done")

    # --- Endings and changes -----------------------------------------------------------------------------------------

    def _erase(self, task: Task) -> Outcome:
        (person_id,) = task.people
        with self.site.writing() as conn:
            cause = f"request:{task.event.number}"
            if task.again and _there(conn, ending_table, ending_table.c.cause == cause):
                return Outcome("done")
            deadline = Terms(self.site.policy(conn).policy).erased_by(task.at)
            ending.begin_ending(self.site, conn, person_id, cause, deadline=deadline, scope="person")
        return Outcome("done")

    def _amend(self, task: Task) -> Outcome:
        """Publish the next version, and let a reader see it announced; one that does not hold together is not published."""
        archived = policy_version.c
        with self.site.reading() as conn:
            first = conn.scalar(select(func.min(archived.version))) or 1
            version = first + 1 + task.event.number
            query = select(archived.policy, archived.decisions).where(archived.version < version)
            texts = conn.execute(query.order_by(archived.version.desc()).limit(1)).one()
            before = versions.compiled(texts.policy, texts.decisions).policy
        told = task.at + DAY  # by when everybody has been told
        effective = (Terms(before).told_until(told) + DAY).date()
        policy, decisions = amended(texts.policy, texts.decisions, task.event.details, version, effective)
        (self.site.folder / "policy.yaml").write_text(policy, "utf-8")
        (self.site.folder / "decisions.yaml").write_text(decisions, "utf-8")
        try:
            done = publish(self.site)
        except PolicyError:
            return Outcome("refused")
        if on_pages(before):
            with self.site.writing() as conn:
                note_in(conn, done.version, task.at)
        return Outcome("done", effective=done.effective_at)


def _there(conn: Connection, table: Table, which: Any) -> bool:
    return conn.execute(select(1).select_from(table).where(which).limit(1)).first() is not None


def _broken(good: Submission, how: str, point: CollectionPoint, at: datetime, compiled: Compiled) -> Submission:
    """A submission like ``good`` that must be refused."""
    given = dict(good.values)
    first = next(iter(given), "anything")
    changed: Mapping[str, Mapping[str, str]] = {
        "undeclared": {**given, "passport": "X 123"},
        "card": {**given, first: f"{given.get(first, '')} {_CARD}"},
        "long": {**given, first: "x" * 10_001},
        "control": {**given, first: "a\x07b"},
        "missing": {key: value for key, value in given.items() if key != next(iter(point.required), "")},
        "young": {**given, **dict.fromkeys(_births(point, compiled), too_young(point, compiled, at))},
    }
    partner, member = good.partner, good.member
    if how in {"partner", "supplied"}:
        partner = "nobody"
    if how == "stranger":
        member = None
    key = "two words" if how == "key" else good.key
    return Submission(
        good.point,
        changed.get(how, given),
        key,
        choices=good.choices,
        acknowledged=True,
        language=good.language,
        partner=partner,
        member=member,
    )


def too_young(point: CollectionPoint, compiled: Compiled, at: datetime) -> str:
    """The birthday of somebody who is old enough tomorrow, where the operator is, and not today."""
    tomorrow = Terms(compiled.policy).today(at) + DAY
    born = tomorrow - relativedelta(years=compiled.policy.people[point.people].minimum_age or 0)
    return (born if born.day == tomorrow.day else born + DAY).isoformat()  # 29 February: a year later on 1 March


def _births(point: CollectionPoint, compiled: Compiled) -> list[str]:
    asked = (*point.required, *point.optional)
    return [key for key in asked if compiled.policy.data[key].category == "pd:BirthDate"]
