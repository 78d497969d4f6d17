"""A seeded stretch of a site's life, day by day, through the doors that people's own data takes.

Which forms, choices, recipients and clocks there are is read from the policy alone: a policy that nobody has written yet
lives as well. Refusals are part of it: hostile input and disclosures without permission are tried, and counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from troth.clock import DAY, MovedClock
from troth.collection import rules as collection
from troth.collection.actions import collect
from troth.collection.forms import form
from troth.consent import actions as consent
from troth.consent.rules import State
from troth.errors import InvalidInput, Refused
from troth.people import dealings, vault
from troth.policy.compile import Compiled
from troth.policy.model import CollectionPoint
from troth.recipients import gate
from troth.rehearsal.made_up import MadeUp
from troth.retention import ending, relationship
from troth.store.site import Site
from troth.visits import actions as visits
from troth.work import turn

ORDER_CLOSES_AFTER = 6 * DAY
WARRANTY = timedelta(days=365)


@dataclass
class Somebody:
    """A made-up person as the rehearsal remembers them: their id, kind and the values they give."""

    id: str
    kind: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class Order:
    """A dealing that is open, and when it will be closed."""

    person_id: str
    kind: str
    ref: str
    closes_at: datetime


@dataclass
class Life:
    """One site's life under a clock that only this moves. ``happened`` counts what was done and what was refused."""

    site: Site
    clock: MovedClock
    random: Random
    happened: Counter[str] = field(default_factory=Counter)
    people: list[Somebody] = field(default_factory=list)
    open_orders: list[Order] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.made_up = MadeUp(self.random)

    def live(self, days: int, a_day: float, progress: Callable[[int, int], None] | None = None) -> Counter[str]:
        """Live ``days`` days with about ``a_day`` new submissions each; a worker's turn ends every day."""
        for day in range(days):
            self.day(a_day)
            if progress:
                progress(day + 1, days)
        return self.happened

    def day(self, a_day: float) -> None:
        """One day: visits, forms, choices, dealings, disclosures, hostile input; then the worker."""
        compiled = self.site.policy()
        start = self.clock.now()
        self._visits(compiled, round(a_day * 6))
        for _ in range(self._about(a_day)):
            self.clock.move(DAY / (a_day * 2 + 4))
            self._submission(compiled)
        for act in (self._change_of_mind, self._order, self._use, self._disclosure, self._hostile, self._farewell):
            act(compiled)
        self._close_orders()
        self.clock.at = start + DAY
        done = turn(self.site)
        self.happened.update({f"worker: {task}": count for task, count in done.done.items() if count})
        self.happened.update({f"worker failed: {task}": 1 for task in done.problems})

    def _about(self, number: float) -> int:
        return max(0, round(self.random.gauss(number, number / 3)))

    def _visits(self, compiled: Compiled, number: int) -> None:
        if compiled.policy.visits is None:
            return
        asked = {key: compiled.policy.data[key].category for key in compiled.policy.visits.records if key != "time"}
        start = self.clock.now()
        rows = [(start + DAY * self.random.random() * 0.5, self.made_up.values(asked)) for _ in range(number)]
        rows = [(min(at, self.clock.now()), values) for at, values in rows]
        with self.site.writing() as conn:
            self.happened["visits"] += visits.record_many(self.site, conn, sorted(rows, key=lambda row: row[0]))

    def _submission(self, compiled: Compiled) -> None:
        points = [key for key, point in compiled.policy.collection.items() if point.kind != "visit"]
        if points:
            self.submit(compiled, self.random.choice(points))

    def submit(self, compiled: Compiled, key: str) -> None:
        """Fill in one collection point, as somebody new or as somebody who was here before."""
        point = compiled.policy.collection[key]
        returns = point.members_only or self.random.random() < 0.3
        somebody = self._anybody({point.people}) if returns else None
        values = self._answers(compiled, point, somebody)
        choices = {scope: True for scope in point.offers if self.random.random() < 0.5}
        partners = [partner for partner in point.partners if partner in self.site.wiring.partners]
        sent = collection.Submission(
            key,
            values,
            key=f"life-{self.random.randrange(16**16):016x}",
            choices=choices,
            acknowledged=True,
            language=self.random.choice(compiled.policy.policy.languages),
            partner=self.random.choice(partners) if partners and point.kind == "import" else None,
            member=somebody.id if somebody and point.members_only else None,
        )
        self._sent(point, sent, values, known=somebody is not None)

    def _answers(self, compiled: Compiled, point: CollectionPoint, somebody: Somebody | None) -> dict[str, str]:
        optional = [key for key in point.optional if self.random.random() < 0.6]
        data = compiled.policy.data
        asked = {key: data[key].category for key in (*point.required, *optional) if data[key].protect != "never stored"}
        known = somebody.values if somebody else {}
        return {**self.made_up.values(asked), **{key: value for key, value in known.items() if key in asked}}

    def _sent(
        self, point: CollectionPoint, sent: collection.Submission, values: dict[str, str], *, known: bool
    ) -> None:
        try:
            receipt = collect(self.site, sent)
        except (Refused, InvalidInput):
            self.happened["submissions refused"] += 1
            return
        self.happened["submissions"] += 1
        self.happened["choices"] += len(sent.choices)
        if not known:
            self.people.append(Somebody(receipt.person_id, point.people, values))

    def _anybody(self, kinds: Collection[str] | None = None) -> Somebody | None:
        """Somebody of one of ``kinds`` who is still known here; whom a clock has ended meanwhile is forgotten."""
        while there := [one for one in self.people if kinds is None or one.kind in kinds]:
            somebody = self.random.choice(there)
            with self.site.reading() as conn:
                if vault.kind_of(conn, somebody.id) is not None:
                    return somebody
            self.people.remove(somebody)
            self.happened["people whose time was over"] += 1
        return None

    def _change_of_mind(self, compiled: Compiled) -> None:
        """Somebody takes a consent back, or objects to something they may object to."""
        somebody = self._anybody() if self.random.random() < 0.4 else None
        purposes = compiled.policy.purposes.items()
        withdrawn: list[tuple[str, State]] = [(key, "withdrawn") for key, one in purposes if one.basis == "consent"]
        objected: list[tuple[str, State]] = [(key, "objected") for key, one in purposes if one.opt_out]
        if somebody is None or not withdrawn + objected:
            return
        scope, state = self.random.choice(withdrawn + objected)
        words = form(compiled, next(iter(compiled.policy.collection)), "en").told_words
        with self.site.writing() as conn:
            consent.record(self.site, conn, somebody.id, scope, state, words, "en", channel="letter", policy=compiled)
        self.happened["changes of mind"] += 1

    def _order(self, compiled: Compiled) -> None:
        kinds = {need.removeprefix("open ") for one in compiled.policy.purposes.values() for need in one.needs}
        kinds |= {need.removeprefix("open ") for one in compiled.policy.recipients.values() for need in one.needs}
        wanted = sorted(kinds & {"order", "paid order"})
        buyer = self._anybody(compiled.policy.relationship) if wanted else None
        if buyer is None:
            return
        ref, now = f"{self.random.randrange(16**12):012x}", self.clock.now()
        with self.site.writing() as conn:
            for kind in wanted:
                dealings.open_dealing(self.site, conn, buyer.id, kind, ref, now, warranty_ends_at=now + WARRANTY)
                self.open_orders.append(Order(buyer.id, kind, ref, now + ORDER_CLOSES_AFTER))
            relationship.refresh(self.site, conn, [buyer.id])
        self.happened["orders"] += 1

    def _close_orders(self) -> None:
        now = self.clock.now()
        due = [order for order in self.open_orders if order.closes_at <= now]
        self.open_orders = [order for order in self.open_orders if order.closes_at > now]
        with self.site.writing() as conn:
            for order in due:
                dealings.close_dealing(self.site, conn, order.person_id, order.kind, order.ref, now)

    def _use(self, compiled: Compiled) -> None:
        """Staff look at somebody's data for one of the purposes; the vault opens what the policy opens."""
        purposes = [
            key for key, purpose in compiled.policy.purposes.items() if purpose.uses and not purpose.aggregate_only
        ]
        for key in self.random.sample(purposes, k=min(4, len(purposes))):
            purpose = compiled.policy.purposes[key]
            somebody = self._anybody(purpose.people or None)
            if somebody is None:
                continue
            role = self.random.choice(purpose.roles) if purpose.roles else ""
            try:
                vault.read(self.site, somebody.id, purpose.uses, key, vault.By("staff", role))
                self.happened["reads"] += 1
            except Refused:
                self.happened["reads refused"] += 1

    def _disclosure(self, compiled: Compiled) -> None:
        """Every recipient is offered somebody's data; the gate lets through what the policy allows."""
        for key, recipient in compiled.policy.recipients.items():
            somebody = self._anybody() if recipient.receives else None
            if somebody is None:
                continue
            purpose = self.random.choice(recipient.for_) if recipient.for_ else "nothing"
            try:
                gate.disclose(self.site, somebody.id, key, recipient.receives, purpose)
                self.happened["disclosures"] += 1
            except Refused:
                self.happened["disclosures refused"] += 1

    def _hostile(self, compiled: Compiled) -> None:
        """A field nobody asked for, a card number where none belongs: refused, or the rehearsal itself fails."""
        points = [key for key, point in compiled.policy.collection.items() if point.kind in {"form", "account"}]
        if not points:
            return
        key = self.random.choice(points)
        values = {**self._answers(compiled, compiled.policy.collection[key], None), "passport": "4111 1111 1111 1111"}
        with suppress(InvalidInput, Refused):
            collect(self.site, collection.Submission(key, values, key=f"hostile-{self.random.randrange(16**12):012x}"))
            raise AssertionError("hostile input was taken in")
        self.happened["hostile input refused"] += 1

    def _farewell(self, compiled: Compiled) -> None:
        """Now and then somebody asks to be forgotten."""
        erasure = compiled.policy.erasure
        within = erasure.destroy_within if erasure and erasure.destroy_within else 20 * DAY
        somebody = self._anybody() if len(self.people) > 4 and self.random.random() < 0.15 else None
        if somebody is None:
            return
        self.people.remove(somebody)
        now = self.clock.now()
        with self.site.writing() as conn:
            ending.begin_ending(self.site, conn, somebody.id, "request:life", deadline=now + within, scope="person")
        self.happened["erasures asked for"] += 1
