"""What a draft would have changed is told from two lives of the same events, and in words that can be read aloud."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.notices import headed
from tests.rehearsed import DONE, NOBODY, REFUSED, START, day, report
from troth.clock import DAY
from troth.policy.compile import Compiled
from troth.rehearsal.compare import Comparison, Flip, comparable, compare, possible
from troth.rehearsal.events import Event
from troth.rehearsal.notes import Notes
from troth.rehearsal.result import Outcome, Rehearsal
from troth.rehearsal.sentences import Names, differences

POLICY = """
policy: {version: 1}
operator: {name: Lamp Shop}
people: {customer: {label: customers}}
data: {email: {category: pd:EmailAddress}, name: {category: pd:Name}, phone: {category: pd:TelephoneNumber}}
purposes: {offers: {label: send you offers, basis: consent, uses: [email]}}
collection:
  account: {label: Open an account, people: customer, required: [email], optional: [name, phone]}
  contact: {label: Ask us, people: customer, required: [email]}
recipients: {house: {name: Letter House, does: sends letters, receives: [email], for: [offers], consent: offers}}
"""
DRAFT = POLICY.replace("version: 1", "version: 2").replace(
    "  contact:", "  fair: {label: At the fair, people: customer}\n  enquiry:"
)
OLD, NEW = headed(POLICY), headed(DRAFT)


def life(ended: int = 100) -> Rehearsal:
    return Rehearsal("shop", "sqlite", 7, 10, START, START + ended * DAY, 9, {}, (), report("ledflex"), ())


def told(before: Notes, after: Notes, draft: Compiled = NEW, shifted: timedelta = timedelta(0)) -> Comparison:
    later = replace(life(), started=START + shifted, ended=START + 100 * DAY + shifted)
    return compare((OLD.policy, draft.policy), (life(), later), (before, after))


def lines(found: Comparison) -> dict[str, tuple[str, ...]]:
    return dict(differences(found, NEW, Names(OLD.policy, NEW.policy)).topics)


def gave(*gone: tuple[int, int | None], fields: tuple[str, ...] = ("email",), start: timedelta = timedelta(0)) -> Notes:
    """Each person gives something on the first day; theirs goes on the day that is said."""
    notes = Notes()
    for who, at in gone:
        notes.happened(Event(who, 0, 0.5, "submit", who, "account"), DONE)
        if at is not None:
            notes.went(who, "account", START + DAY / 2 + start, START + at * DAY + start, fields)
    return notes


def test_what_goes_earlier_is_told_with_its_data_its_form_its_days_and_how_many() -> None:
    found = told(gave((1, 60), (2, 70), (3, 80), (4, 90)), gave((1, 50), (2, 40), (3, 50), (4, 90)))
    [moved] = found.moved
    assert (moved.direction, moved.holdings, moved.of) == ("earlier", 3, 4)
    assert (moved.least, moved.middle, moved.most, moved.still) == (10, 30, 30, 0)
    assert lines(found)["What goes earlier"] == (
        "“Open an account”: e-mail address of 3 of 4 records, earlier by 30 days typically, from 10 to 30.",
    )


def test_what_is_still_there_at_the_end_stays_at_least_as_long() -> None:
    found = told(gave((1, 60)), gave((1, None)))
    assert lines(found)["What stays longer"] == (
        "“Open an account”: e-mail address of 1 of 1 record, later by 40 days."
        " For all of them the rehearsal ends before the later of the two days, so it is at least that.",
    )


def test_fields_of_one_record_that_end_apart_are_told_apart() -> None:
    before, after = gave((1, 60)), gave((1, 60))
    for notes, ended in ((before, 90), (after, 20)):
        notes.went(1, "account", START + DAY / 2, START + ended * DAY, ("name", "phone"))
    assert lines(told(before, after))["What goes earlier"] == (
        "“Open an account”: name and telephone number of 1 of 1 record, earlier by 70 days.",
    )


def test_a_life_that_begins_on_another_day_is_compared_from_its_own_beginning() -> None:
    shift = 30 * DAY
    assert not told(gave((1, 60)), gave((1, 60), start=shift), shifted=shift).moved


def test_who_was_taken_in_once_only_goes_neither_earlier_nor_later() -> None:
    refused = Notes()
    refused.happened(Event(1, 0, 0.5, "submit", 1, "account"), REFUSED)
    found = told(gave((1, 60)), refused)
    assert not found.moved
    assert [(flip.before, flip.after) for flip in found.flips] == [("done", "refused")]


def test_a_field_that_the_draft_does_not_ask_for_is_not_said_to_stay() -> None:
    draft = headed(DRAFT.replace("optional: [name, phone]", "optional: [name]"))
    assert not told(gave((1, 60), fields=("phone",)), gave((1, None)), draft).moved


def reads(outcomes: list[Outcome], act: str = "read", what: str = "offers") -> Notes:
    notes = Notes()
    for number, outcome in enumerate(outcomes):
        details = {"purpose": "offers"} if act == "disclose" else {}
        notes.happened(Event(number, 1, 0.5, act, number, what, details=details), outcome)  # type: ignore[arg-type]
    return notes


def test_a_decision_that_flips_is_told_with_the_line_that_decides() -> None:
    no = Outcome("refused", ("purposes.offers",))
    found = told(reads([DONE, DONE, no, DONE]), reads([no, no, no, DONE]))
    assert found.flips == (Flip(("read", "offers", ""), "done", "refused", ("purposes.offers",), 2, 4),)
    said = differences(found, NEW, Names(OLD.policy, NEW.policy))
    assert said.topics["Decisions that come out otherwise"] == (
        "Reading data for “send you offers” would be refused 2 of 4 times where it is allowed now,"
        " because of `purposes.offers`.",
    )
    assert said.because["purposes.offers"].startswith("policy.yaml:6:")
    assert (
        said.answer
        == "Under version 2 of the policy, in the same life, 2 acts would have been refused that were allowed."
    )


def test_a_flip_to_yes_cites_the_entry_that_allows_it_and_one_to_no_without_a_line_says_so() -> None:
    to_yes = told(reads([REFUSED], "disclose", "house"), reads([DONE], "disclose", "house"))
    assert lines(to_yes)["Decisions that come out otherwise"] == (
        "Handing data to Letter House for “send you offers” would be allowed 1 of 1 times where it is refused now,"
        " by `recipients.house`.",
    )
    to_no = told(reads([DONE]), reads([REFUSED]))
    assert "because no line of the draft allows it" in lines(to_no)["Decisions that come out otherwise"][0]


def test_what_only_follows_from_somebody_being_gone_is_one_sentence() -> None:
    found = told(reads([DONE, REFUSED, NOBODY]), reads([NOBODY, NOBODY, DONE]))
    assert lines(found)["Decisions that come out otherwise"] == (
        "2 other acts would find nobody any more, since the person is gone by then or never came.",
        "1 other act would still find somebody where nobody is there now.",
    )


def test_reads_of_many_that_are_told_in_parts_add_up() -> None:
    notes = Notes()
    event = Event(0, 1, 0.5, "read", None, "offers", count=5)
    for outcome in (Outcome("done", count=3), Outcome("refused", ("purposes.offers",), 2)):
        notes.happened(event, outcome)
    [(_, what, came)] = list(notes.came)
    assert what == ("read", "offers", "")
    assert came == (("done", (), 3), ("refused", ("purposes.offers",), 2))


def test_forms_that_are_new_or_gone_are_named() -> None:
    found = told(Notes(), Notes())
    assert (found.new_points, found.gone_points) == (("fair", "enquiry"), ("contact",))
    new, _, gone = lines(found)["Where data comes in"]
    assert new.startswith("“At the fair” is new")
    assert gone == "“Ask us” is gone; what was sent to it was refused."


def test_promises_that_are_proven_otherwise_are_told() -> None:
    broken = replace(life(), report=report("ledflex", "visits.keep"))
    found = compare((OLD.policy, OLD.policy), (life(), broken), (Notes(), Notes()))
    [verdict] = found.verdicts
    assert (verdict.promise, verdict.after) == ("visits.keep", "broken")
    assert not found.same


def test_visits_and_what_is_held_at_the_end_are_compared() -> None:
    before, after = Notes(), Notes()
    for notes, held, visits in ((before, 9, 300), (after, 4, 100)):
        notes.day(day(0, {"account": 1}, visits=visits))
        notes.day(day(1, {"account": held}, visits=20))
    assert lines(told(before, after))["What is held"] == (
        "At most 100 visits would be kept at one time; now it is 300.",
        "At the end 4 records would be held; now it is 9.",
    )


def test_a_draft_that_changes_nothing_says_so() -> None:
    found = compare((OLD.policy, OLD.policy), (life(), life()), (gave((1, 60)), gave((1, 60))))
    assert found.same
    assert differences(found, OLD, Names(OLD.policy)).answer == "The draft would have changed nothing in this life."


# --- the same events -----------------------------------------------------------------------------------------------------


def test_two_lives_are_compared_without_amendments_and_by_single_people() -> None:
    events = (
        Event(0, 0, 0.1, "read", None, "offers", 50),
        Event(1, 0, 0.2, "submit", 17, "account"),
        Event(2, 1, 0.1, "amend", details={"visits.keep": "3 days"}),
        Event(3, 1, 0.2, "read", None, "offers", 50),
        Event(4, 1, 0.3, "visits", count=9),
    )
    made = list(comparable(events))
    assert [(event.number, event.who, event.count) for event in made] == [(1, 17, 1), (3, 17, 1), (4, None, 9)]
    assert list(comparable(made)) == made


def test_what_the_draft_does_not_have_is_refused_or_does_not_follow() -> None:
    notes = Notes()
    events = (
        Event(0, 0, 0.1, "submit", 1, "contact"),
        Event(1, 0, 0.2, "submit", 1, "account"),
        Event(2, 0, 0.3, "choose", 1, "@nobody", details={"state": "given"}),
        Event(3, 0, 0.4, "close", 1, "contact", details={"kinds": "ticket", "order": "0"}),
        Event(4, 0, 0.5, "close", 1, details={"kinds": "order", "order": "9"}),
    )
    assert [event.number for event in possible(events, NEW.policy, notes)] == [1, 4]
    assert [came[0][0] for _, _, came in notes.came] == ["refused", "refused", "passed over"]


@pytest.mark.parametrize("people", [20_000])
def test_notes_of_many_events_take_little_memory(people: int) -> None:
    import tracemalloc

    tracemalloc.start()
    notes = Notes()
    for number in range(people):
        notes.happened(Event(number, number // 200, 0.5, "read", number % 2_000, "offers"), DONE)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
