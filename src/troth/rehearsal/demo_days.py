"""The last days of a demo's life: named people use what the policy offers, the operator and its staff do their part, and a new
version of the policy is published.

The days before are a rehearsal's (``generate``): many people, at the doors of programs. These are few people at the pages that
everybody uses, so that nothing the policy speaks of is left without a case. Each day begins where the one before ended and ends
with a turn of the worker.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

from troth.clock import DAY
from troth.evidence.asker import fits, made_up_form
from troth.messages.mailbox import Mailbox
from troth.policy.compile import Compiled
from troth.rehearsal import demo_business as business
from troth.rehearsal import demo_members as members
from troth.rehearsal import demo_rights as rights
from troth.rehearsal import demo_staff as staff
from troth.rehearsal.acts import Acts
from troth.rehearsal.demo_people import PASSWORD, Browser, Errand, Somebody
from troth.rehearsal.events import Event
from troth.rehearsal.offers import offers
from troth.rehearsal.tasks import Task
from troth.staff.rules import DESK

_log = logging.getLogger(__name__)
BETWEEN = timedelta(minutes=7)
"""from one thing that is done to the next"""


@dataclass
class Days:
    """The last days of one site: who came to it so far. ``acts`` is what the days before were lived with."""

    browser: Browser
    errand: Errand
    acts: Acts
    asking: dict[str, Somebody] = field(default_factory=dict)
    """who asks for each right of the policy"""
    buying: list[Somebody] = field(default_factory=list)
    """who handed in each form that everybody may fill in, and a member"""
    member: int | None = None
    """the number of a member who stays; None where there are no accounts"""
    numbers: count[int] = field(default_factory=count)

    @property
    def compiled(self) -> Compiled:
        return self.errand.site.policy()

    def live(self) -> None:
        """Live each day to its end."""
        for number, day in enumerate(LAST):
            ends = self.acts.clock.at + DAY
            day(self)
            self.browser.forget()
            self.acts.turn(number, max(ends, self.acts.clock.at))

    def next_one(self, form: str = "") -> Somebody:
        """The next of the named people, alone at the browser, a little later."""
        self.passes()
        self.browser.forget()
        return Somebody(
            self.errand, self.compiled, form, token=PASSWORD, number=next(self.numbers), seed=self.acts.seed
        )

    def comes(self, form: str) -> Somebody | None:
        """The next of them, who has come in by ``form``; None where there is none, or it does not let them in."""
        somebody = self.next_one(form)
        return somebody if form and somebody.collect() else None

    def passes(self) -> None:
        """A little time passes."""
        self.acts.clock.move(BETWEEN)


def _people_come(days: Days) -> None:
    """One person at each form that is open to everybody, and one for each right, who agrees to whatever is offered."""
    compiled = days.compiled
    for form in filter(lambda key: fits(compiled, key, "form"), compiled.policy.collection):
        somebody = days.comes(form)
        days.buying += [somebody] if somebody else []
    for key, right in compiled.policy.rights.items():
        asking = days.comes(made_up_form(compiled, rights.offering(compiled.policy, right)) or "")
        if asking:
            days.asking[key] = asking


def _members_come(days: Days) -> None:
    """Somebody opens an account and uses it, with an order of theirs open meanwhile."""
    somebody = days.next_one()
    if members.joins(somebody):
        business.begins(somebody)
        members.looks_around(somebody)
        days.member = somebody.number
        days.buying.append(somebody)


def _business_goes_on(days: Days) -> None:
    """What was ordered or asked is worked on: read, and given to whom it must be; the law asks for something, too."""
    for somebody in days.buying:
        days.passes()
        business.begins(somebody)
        business.works_for(somebody)
    for somebody in days.buying[-1:]:
        business.answers_the_law(somebody)
    days.errand.work()
    for somebody in days.buying:
        business.hands_over(somebody)
    business.looks_at_visits(days.errand.site)


def _news_is_sent(days: Days) -> None:
    """Whoever may be written to is; the last of them has it stopped, by the link below the message."""
    for somebody in days.buying:
        business.writes(somebody)
    days.errand.work()
    links = (days.errand.link("unsubscribe", somebody.email) for somebody in reversed(days.buying))
    link = next(filter(None, links), "")
    if link:
        days.passes()
        days.browser.post(link, {"List-Unsubscribe": "One-Click"})


def _rights_are_used(days: Days) -> None:
    """Each right is asked for; somebody asks and never confirms it, and somebody writes a question."""
    policy = days.compiled.policy
    for key, somebody in days.asking.items():
        days.passes()
        days.browser.forget()
        rights.ask_for(somebody, policy.rights[key])
    forgetful = days.comes(made_up_form(days.compiled) or "")
    if forgetful:
        forgetful.ask("access")
    days.next_one().ask("question", text=rights.QUESTION)


def _staff_answer(days: Days) -> None:
    """Somebody new at the desk answers what waits there, and somebody in a role of the policy writes as it asks for."""
    staff.comes_to_the_desk(days.errand, days.acts.clock, staff.CLERK, DESK)
    staff.clears_the_desk(days.errand)
    role = staff.role_to_read_in(days.errand)
    if role:
        days.browser.forget()
        staff.comes_to_the_desk(days.errand, days.acts.clock, staff.READER, role)
        for somebody in days.buying:
            business.writes(somebody, staff.caller_of(days.errand, staff.READER))


def _some_leave(days: Days) -> None:
    """What was ordered is done, a member closes an account, and somebody complains, which waits for staff."""
    for somebody in days.buying:
        business.ends(somebody)
    for somebody in days.buying[:1]:
        if not somebody.ask("complaint", text=rights.COMPLAINT):  # where no right of the policy speaks of complaints
            somebody.ask("question", text=rights.COMPLAINT)
    somebody = days.next_one()
    if members.joins(somebody):
        days.passes()
        members.leaves(somebody)


def _the_policy_changes(days: Days) -> None:
    """Version 2 is published: something is kept for a third less, as soon as the policy lets a change take effect.

    Where nothing can be, the texts stay as they were, and the log says so.
    """
    site, at = days.errand.site, days.acts.clock.at + BETWEEN
    files = [file for file in (site.folder / "policy.yaml", site.folder / "decisions.yaml") if file.exists()]
    before = {file: file.read_text("utf-8") for file in files}
    for path, keep in reversed(offers(days.compiled, ()).durations):
        event = Event(0, 0, 0.0, "amend", details={path: f"{max(1, keep * 2 // 3 // DAY)} days"})
        if days.acts.live(Task(event, at)).effective:
            return
    for file, text in before.items():  # no shorter period holds together with the rest of the policy
        file.write_text(text, "utf-8")
    _log.warning("The demo of %s has no version 2: none of its periods can be a third shorter.", site.name)


LAST: tuple[Callable[[Days], None], ...] = (
    _people_come, _members_come, _business_goes_on, _news_is_sent, _rights_are_used, _staff_answer, _some_leave,
    _the_policy_changes,
)  # fmt: skip
"""what happens on each of the days"""


def live_on(browser: Browser, mailbox: Mailbox, acts: Acts) -> int | None:
    """Live the last days of the site of ``acts``, from where its clock stands; its mail arrives in ``mailbox``.

    Returns the number of a member who can log in with ``PASSWORD``; None where there is none.
    """
    days = Days(browser, Errand(acts.site, browser, mailbox), acts)
    days.live()
    return days.member
