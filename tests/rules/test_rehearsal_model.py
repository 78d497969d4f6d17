"""The model of a rehearsal: what must be held, what must be gone, and what may never be let out. Worked out by hand here."""

from datetime import datetime, timedelta
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.notices import small
from troth.clock import DAY, utc
from troth.consent.rules import Choice, facts_of
from troth.policy.compile import Compiled
from troth.policy.model import Relationship
from troth.policy.periods import Period
from troth.policy.vocabulary import End
from troth.rehearsal.events import Act, Event
from troth.rehearsal.expects import Chosen
from troth.rehearsal.model import Model
from troth.rehearsal.result import Outcome
from troth.rehearsal.terms import Dealt, Terms, business_ends
from troth.retention import relationship

START = utc(2026, 1, 5)
LAMPS = """
operator: {name: Lamp Shop, roles: {finance: finance}}
people: {customer: {label: customers}, lead: {label: leads}}
data:
  email: {category: pd:EmailAddress, identifies: true}
  full_name: {category: pd:Name}
  order_total: {category: pd:Purchase}
purposes:
  service: {label: serve you, basis: contract, uses: [email]}
  offers: {label: send offers, basis: consent, uses: [email], marketing: true, opt out: true}
  deliver: {label: deliver, basis: contract, uses: [full_name], people: customer, needs: [open order]}
  books: {label: keep books, basis: legal obligation, uses: [order_total], roles: [finance]}
collection:
  register: {label: register, source: register, kind: account, people: customer, required: [email, full_name], for: [service]}
  buy: {label: buy, source: buy, people: customer, opens: order, required: [email, order_total], for: [deliver]}
  ask: {label: ask us, source: ask, people: lead, required: [email], for: [service]}
recipients:
  courier: {name: C, does: ships, country: GB, receives: [full_name], for: [deliver], needs: [open order], consideration: none}
  letters: {name: L, does: writes, country: GB, receives: [email], for: [offers], consent: itself, consideration: none}
visits: {records: [time], keep: 30 days}
relationship: {customer: {begins: [order], ends: [customer notice, last warranty ends]}}
retention:
  customers: {what: everything about a customer, keep: 100 days, after: relationship ends}
  leads: {what: everything about a lead, keep: 50 days, after: last contact}
  tax: {what: order_total, keep: 400 days, after: collection, archive: true, because: tax, for: [books]}
erasure: {destroy within: 20 days}
transfers: {stored in: [GB]}
"""


class Town:
    """A model that is told of events as if they had happened, with people called by their number."""

    def __init__(self, policy: str = LAMPS) -> None:
        self.compiled: Compiled = small(policy)
        self.model = Model(self.compiled, 7, (), START)
        self.number = 0
        self.wrong: list[tuple[str, str]] = []

    def lives(
        self, day: float, act: Act, who: int | None = 0, what: str = "", result: str = "done", **details: str
    ) -> Outcome:
        """One event on ``day``, which the site says was done or refused."""
        self.number += 1
        event = Event(self.number, int(day), day % 1, act, who, what, details=details)
        task = self.model.task(event, START + event.after)
        if task is None:
            return Outcome("passed over")
        opened = task.people if act == "read" and result == "done" else ()
        person = f"person-{who}" if act == "submit" and result == "done" else ""
        outcome = Outcome(result, person=person, opened=opened)  # type: ignore[arg-type]
        self.wrong += [(one.kind, one.about) for one in self.model.happened(task, outcome)]
        return outcome

    def turns(self, day: float) -> None:
        """The worker does all that is due."""
        self.model.turn(START + day * DAY)

    def held(self, point: str) -> dict[str, int]:
        """How often each field of ``point`` must be held."""
        return {name: number for (at, name), number in self.model.must.items() if at == point and number}

    def gone(self, day: float) -> list[tuple[str, tuple[str, ...]]]:
        """Points and fields whose time is over."""
        return [(one.part.point, one.part.fields) for one in self.model.gone_by(START + day * DAY)]


def test_what_was_given_is_held_until_its_clock_has_nearly_run_out_and_gone_when_it_has() -> None:
    town = Town()
    town.lives(0, "submit", what="ask")
    for day, held in ((1, 1), (44.9, 1), (45, 0)):
        town.turns(day)
        assert town.held("ask") == ({"email": 1} if held else {}), day
    assert town.gone(49.9) == []
    assert town.gone(50) == [("ask", ("email",))]
    assert town.wrong == []


def test_another_contact_starts_the_clock_anew() -> None:
    town = Town()
    town.lives(0, "submit", what="ask")
    town.lives(40, "submit", what="ask")
    town.turns(84)
    assert town.held("ask") == {"email": 2}
    town.turns(85)
    assert town.held("ask") == {}


def test_business_that_never_ended_keeps_what_was_given_and_a_notice_ends_it() -> None:
    town = Town()
    town.lives(0, "submit", what="register")
    town.turns(1_000)
    assert town.held("register") == {"email": 1, "full_name": 1}
    town.lives(1_000, "notice")
    town.turns(1_090)
    assert town.held("register") == {}
    assert town.gone(1_100) == [("register", ("email", "full_name"))]


def test_an_archive_keeps_its_fields_when_the_rest_goes() -> None:
    town = Town()
    town.lives(0, "submit", what="buy")
    town.lives(1, "notice")
    town.turns(95)
    assert town.held("buy") == {"order_total": 1}
    assert town.gone(120) == [("buy", ("email",))]
    town.turns(399.9)
    assert town.held("buy") == {"order_total": 1}
    town.turns(400)
    assert town.held("buy") == {}
    assert town.gone(400) == [("buy", ("order_total",))]


def test_an_erasure_ends_everything_in_its_own_time_and_whoever_asked_is_forgotten() -> None:
    town = Town()
    town.lives(0, "submit", what="ask")
    town.lives(1, "erase")
    assert town.held("ask") == {}
    over = town.model.gone_by(START + 21 * DAY)
    assert [one.id for one in town.model.forget(over, START + 21 * DAY)] == ["person-0"]
    assert town.model.people == {}


def test_a_new_version_shortens_the_time_of_what_is_there_already() -> None:
    town = Town()
    town.lives(0, "submit", what="ask")
    town.model.amended(START + 10 * DAY, small(LAMPS.replace("keep: 50 days", "keep: 10 days")))
    town.turns(9)
    assert town.held("ask") == {"email": 1}
    town.turns(10)
    assert town.gone(10) == [("ask", ("email",))]


@pytest.mark.parametrize(
    ("chosen", "may"),
    [
        ([], False),
        (["given"], True),
        (["given", "withdrawn"], False),
        (["withdrawn", "given"], True),
        (["given", "objected"], False),
        (["given", "objected", "lifted"], True),
        (["objected", "given"], True),
    ],
)
def test_a_read_and_a_disclosure_need_the_consent_that_is_in_force(chosen: list[str], may: bool) -> None:
    town = Town()
    town.lives(0, "submit", what="ask")
    for number, state in enumerate(chosen):
        town.lives(1 + number / 10, "choose", what="offers", state=state)
        town.lives(1.05 + number / 10, "choose", what="@letters", state=state)
    for result in ("done", "refused"):
        town.lives(2, "read", what="offers", result=result)
        town.lives(2, "disclose", what="letters", result=result, purpose="offers")
    expected = "refused" if may else "let out"
    assert town.wrong == [(expected, "offers"), (expected, "letters")]


def test_an_order_opens_a_use_and_closing_it_ends_the_use() -> None:
    town = Town()
    town.lives(0, "submit", what="buy")
    town.lives(0.1, "read", what="deliver")
    town.lives(0.2, "disclose", what="courier", purpose="deliver")
    town.lives(0.3, "close", what="buy", order="1", kinds="order")
    assert town.wrong == []
    town.lives(0.4, "read", what="deliver")
    town.lives(0.5, "disclose", what="courier", purpose="deliver")
    assert town.wrong == [("let out", "deliver"), ("let out", "courier")]


@pytest.mark.parametrize(
    ("act", "what", "details"),
    [
        ("read", "curiosity", {}),
        ("read", "books", {"role": "sales"}),
        ("disclose", "nobody", {"purpose": "offers"}),
        ("disclose", "courier", {"purpose": "service"}),
        ("disclose", "courier", {"purpose": "deliver", "more": "yes"}),
        ("hostile", "ask", {"how": "card"}),
    ],
)
def test_what_nothing_permits_may_never_be_done(act: Act, what: str, details: dict[str, str]) -> None:
    town = Town()
    town.lives(0, "submit", what="buy")
    town.lives(1, act, what=what, **details)
    assert [kind for kind, _ in town.wrong] == ["taken in" if act == "hostile" else "let out"]


def test_nothing_of_somebody_who_is_gone_may_be_seen() -> None:
    town = Town()
    town.lives(0, "submit", what="ask")
    town.lives(1, "erase")
    town.lives(2, "read", what="service")
    assert town.wrong == [("let out", "service")]


def test_what_is_turned_away_without_a_reason_is_wrong_too() -> None:
    town = Town()
    town.lives(0, "submit", what="ask", result="refused")
    assert town.wrong == [("refused", "ask")]


def test_visits_are_there_to_the_second_and_no_longer() -> None:
    town = Town()
    event = Event(1, 0, 0.5, "visits", count=60)
    task = town.model.task(event, START + DAY / 2)
    assert task is not None
    assert town.model.happened(task, Outcome("done", count=60)) == []
    ends = START + DAY / 2 + 30 * DAY
    for seconds, there in ((-61, 60), (-60, 60), (-59, 59), (-1, 1), (0, 0), (5, 0)):
        assert town.model.visits_at(ends + timedelta(seconds=seconds)) == there, seconds


# --- Two readings of one sentence: the model's and Troth's own --------------------------------------------------------

INSTANTS = st.integers(0, 400).map(lambda day: START + day * DAY)
KINDS = st.sampled_from(["order", "registration", "contact", "notice", "ticket", "request", "enquiry"])


@st.composite
def dealings(draw: st.DrawFn) -> list[Dealt]:
    made = []
    for number in range(draw(st.integers(0, 6))):
        at = draw(INSTANTS)
        closed = draw(st.none() | st.integers(0, 50).map(lambda days: days * DAY))
        warranty = draw(st.none() | INSTANTS)
        made.append(Dealt(draw(KINDS), number, at, at + closed if closed is not None else None, warranty))
    return made


@given(dealings(), INSTANTS, st.sets(st.sampled_from(get_args(End))), st.none() | INSTANTS)
@settings(max_examples=300, deadline=None)
def test_both_readings_of_when_business_ends_agree(
    made: list[Dealt], since: datetime, ends: set[str], stopped: datetime | None
) -> None:
    entry = Relationship(begins=("order", "enquiry"), ends=tuple(sorted(ends)), silence=Period(3, "month"))
    theirs = [relationship.Dealing(one.kind, one.at, one.closed_at, one.warranty) for one in made]
    assert business_ends(entry, made, since, stopped) == relationship.ends_at(entry, theirs, since, stopped)


@given(st.lists(st.sampled_from(["given", "refused", "withdrawn", "objected", "lifted"]), max_size=8))
@settings(max_examples=150, deadline=None)
def test_both_readings_of_what_was_chosen_agree(states: list[str]) -> None:
    chosen = Chosen()
    rows = []
    for number, state in enumerate(states):
        chosen.say(state)
        rows.append(Choice(f"{number:03}", "ann", "offers", state, START + number * DAY, "", "letter", 1))  # type: ignore[arg-type]
    facts = facts_of(rows)
    assert (chosen.agreed, chosen.objected) == ("consent:offers" in facts, "objection:offers" in facts)


def test_an_erasure_takes_as_long_as_the_policy_says() -> None:
    assert Terms(small(LAMPS).policy).erased_by(START) == START + 20 * DAY
