"""Nothing leaves but what was promised, to whom and while it is allowed; and whoever has it is told to delete it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from tests.fixtures import days
from tests.receiver import SECRET, Receiver, receiving
from tests.submissions import ORDER, REGISTER, entries, rows, sent
from troth.agenda import run_due
from troth.agenda.tables import job
from troth.clock import MovedClock, utc
from troth.collection import collect
from troth.consent.actions import record
from troth.consent.rules import State
from troth.errors import Refused
from troth.ledger import events
from troth.people import dealings
from troth.people.tables import person
from troth.recipients import gate, instructions
from troth.recipients.gate import Case, disclose, hand_over
from troth.recipients.switches import say_no
from troth.recipients.tables import disclosure, instruction
from troth.retention.ending import begin_ending, destroy_due
from troth.retention.tables import ending
from troth.settings import Delivery
from troth.store import versions
from troth.store.site import Site

HANDLERS = {gate.DELIVER: gate.deliver, instructions.INSTRUCT: instructions.carry}
GIVEN = {"full_name": "Ann Other", "phone": "020 7946 0958", "delivery_address": "1 Main Street"}
PARCEL = ("courier", list(GIVEN), "fulfil_order")
LETTER = ("newsletter_house", ["email", "full_name"], "marketing")
ON_RECORD = {"reference": "HC-2026-1", "approver": "privacy lead"}
COURT = Case(ground="court", record=ON_RECORD)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


@pytest.fixture
def wired(site: Site, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The shop, with the courier and the newsletter house reached over HTTP."""
    monkeypatch.setenv("TROTH_TEST_SECRET", SECRET)
    wire = Delivery.model_validate({"url": receiver.url, "secret env": "TROTH_TEST_SECRET"})
    wires = {"courier": wire, "newsletter_house": wire}
    return replace(site, wiring=site.wiring.model_copy(update={"recipients": wires}))


@pytest.fixture
def ann(site: Site) -> str:
    """Somebody who registered, chose the newsletter house, and has an order open."""
    collect(site, replace(REGISTER, choices={"newsletter_house": True, "marketing": True}))
    return collect(site, sent(ORDER, phone="020 7946 0958")).person_id


def work(site: Site, clock: MovedClock | None = None) -> None:
    if clock is not None:
        clock.move(timedelta(hours=1))
    run_due(site, HANDLERS)


def states(site: Site) -> list[str]:
    return [row["state"] for row in rows(site, disclosure)]


def choose(site: Site, person_id: str, scope: str, state: State) -> None:
    with site.writing() as conn:
        record(site, conn, person_id, scope, state, "words", "en", "letter", site.policy(conn))


def heard(site: Site, event: str) -> list[dict[str, object]]:
    return [json.loads(row["body"]) for row in entries(site, event)]


def republished(site: Site, clock: MovedClock, *changes: tuple[str, str]) -> None:
    """A new version of the policy in force from now, with words replaced."""
    text = (site.folder / "policy.yaml").read_text().replace("version: 1,", "version: 2,")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    clock.move(timedelta(minutes=1))
    with site.writing() as conn:
        decisions = (site.folder / "decisions.yaml").read_text()
        versions.archive(conn, text, decisions, effective_at=clock.now(), at=clock.now())


def test_exactly_the_promised_fields_leave_signed_and_under_a_key_of_their_own(
    wired: Site, receiver: Receiver, ann: str, clock: MovedClock
) -> None:
    made = disclose(wired, ann, *PARCEL)
    assert receiver.arrived == []
    work(wired)
    assert receiver.arrived == [("disclosure", made, {"person": ann, "data": GIVEN})]
    assert receiver.forged == 0
    (row,) = rows(wired, disclosure)
    assert (row["state"], row["delivered_at"]) == ("delivered", clock.now())
    decided = heard(wired, events.DISCLOSURE_QUEUED) + heard(wired, events.DISCLOSURE_MADE)
    assert [(one["disclosure"], one["allowed"], one["because"]) for one in decided] == 2 * [
        (made, True, ["recipients.courier"])
    ]
    assert [one["disclosure"] for one in heard(wired, events.DISCLOSURE_DELIVERED)] == [made]


def test_fewer_fields_may_be_given_and_neither_record_nor_job_nor_ledger_holds_a_value(
    wired: Site, receiver: Receiver, ann: str
) -> None:
    disclose(wired, ann, "courier", ["full_name"], "fulfil_order")
    work(wired)
    assert receiver.bodies("disclosure") == [{"person": ann, "data": {"full_name": "Ann Other"}}]
    stored = repr(rows(wired, disclosure) + rows(wired, job) + entries(wired))
    assert not [value for value in GIVEN.values() if value in stored]


REFUSED = {
    "a recipient nobody named": ("acme", ["full_name"], "fulfil_order"),
    "a field too many": ("courier", [*GIVEN, "email"], "fulfil_order"),
    "a field that is private by promise": ("courier", ["interest"], "fulfil_order"),
    "another purpose": ("courier", ["full_name"], "service"),
    "a purpose nobody named": ("courier", ["full_name"], "curiosity"),
    "a recipient that may get nothing": ("fair", ["email"], "marketing"),
}


def test_what_was_not_promised_is_refused_on_the_ledger_and_not_sent(wired: Site, receiver: Receiver, ann: str) -> None:
    for number, (what, asked) in enumerate(REFUSED.items(), start=1):
        with pytest.raises(Refused):
            disclose(wired, ann, *asked)
        refusals = heard(wired, events.DISCLOSURE_REFUSED)
        assert len(refusals) == number, what
        assert refusals[-1]["allowed"] is False and refusals[-1]["person"] == ann
    work(wired)
    assert receiver.arrived == [] and states(wired) == []


def test_nobody_is_given_away_who_did_not_choose_it_themselves(wired: Site, receiver: Receiver) -> None:
    person_id = collect(wired, replace(REGISTER, choices={"marketing": True})).person_id
    with pytest.raises(Refused):
        disclose(wired, person_id, *LETTER)
    choose(wired, person_id, "@newsletter_house", "given")
    disclose(wired, person_id, *LETTER)
    choose(wired, person_id, "@newsletter_house", "withdrawn")
    with pytest.raises(Refused):
        disclose(wired, person_id, *LETTER)
    work(wired)
    assert receiver.arrived == []


def test_nobody_unknown_is_given_away(site: Site) -> None:
    for person_id in ("0" * 26, "nobody"):
        with pytest.raises(Refused):
            disclose(site, person_id, *PARCEL)
    assert states(site) == []


def _withdrawn(site: Site, ann: str, _clock: MovedClock) -> None:
    choose(site, ann, "@newsletter_house", "withdrawn")


def _switched_off(site: Site, ann: str, _clock: MovedClock) -> None:
    choose(site, ann, "@newsletter_house", "objected")


def _safeguard_expired(_site: Site, _ann: str, clock: MovedClock) -> None:
    clock.at = utc(2030, 1, 2)


def _no_longer_named(site: Site, _ann: str, clock: MovedClock) -> None:
    republished(site, clock, ("receives: [email, full_name], for: [marketing]", "receives: [email], for: [marketing]"))


def _quarantined(site: Site, ann: str, _clock: MovedClock) -> None:
    with site.writing() as conn:
        conn.execute(update(person).where(person.c.id == ann).values(state="quarantined"))


def _restricted(site: Site, ann: str, _clock: MovedClock) -> None:
    with site.writing() as conn:
        conn.execute(update(person).where(person.c.id == ann).values(only_for="accounts"))


@pytest.mark.parametrize(
    "meanwhile", [_withdrawn, _switched_off, _safeguard_expired, _no_longer_named, _quarantined, _restricted]
)
def test_what_is_no_longer_allowed_when_it_leaves_does_not_leave(
    wired: Site, receiver: Receiver, ann: str, clock: MovedClock, meanwhile
) -> None:  # type: ignore[no-untyped-def]
    made = disclose(wired, ann, *LETTER)
    meanwhile(wired, ann, clock)
    work(wired)
    assert receiver.arrived == []
    assert states(wired) == ["refused"]
    assert [one["disclosure"] for one in heard(wired, events.DISCLOSURE_REFUSED)] == [made]
    with pytest.raises(Refused):
        disclose(wired, ann, *LETTER)
    work(wired, clock)
    assert receiver.arrived == []


def test_other_recipients_go_on_when_one_is_switched_off(wired: Site, receiver: Receiver, ann: str) -> None:
    disclose(wired, ann, *LETTER)
    disclose(wired, ann, *PARCEL)
    _switched_off(wired, ann, MovedClock(wired.now()))
    work(wired)
    assert sorted(states(wired)) == ["delivered", "refused"]
    assert [body["data"] for body in receiver.bodies("disclosure")] == [GIVEN]


def test_a_recipient_that_pays_is_given_nothing(wired: Site, ann: str, clock: MovedClock) -> None:
    """Unless the person agreed to it; even where nothing in the policy says *never sold*, and somebody settled the finding."""
    promise = "  never_sold: {never: sell, what: everything, label: We never sell your data.}\n"
    agreed = "consent: itself, choice: true, ground: consent, consideration: none"
    paid = "role: partner, consent: marketing, choice: true, ground: consent, consideration: barter"
    settled = "  - {settles: E-31 recipients.newsletter_house.consideration, because: They print., by: tests, on: 2026-01-01}\n"
    with (wired.folder / "decisions.yaml").open("a") as decisions:
        decisions.write(settled)
    republished(wired, clock, (promise, ""), (agreed, paid))
    with pytest.raises(Refused):
        disclose(wired, ann, *LETTER)
    assert states(wired) == []


def test_a_recipient_that_pays_is_given_what_people_agreed_to_give_it(wired: Site, ann: str, clock: MovedClock) -> None:
    promise = "  never_sold: {never: sell, what: everything, label: We never sell your data.}\n"
    paid = ("ground: consent, consideration: none", "role: partner, ground: consent, consideration: barter")
    republished(wired, clock, (promise, ""), paid)
    disclose(wired, ann, *LETTER)
    choose(wired, ann, "@newsletter_house", "withdrawn")
    with pytest.raises(Refused):
        disclose(wired, ann, *LETTER)
    assert states(wired) == ["queued"]


def test_an_order_that_is_closed_or_anothers_lets_nothing_leave(wired: Site, receiver: Receiver, ann: str) -> None:
    bob = collect(wired, sent(ORDER, "order-2", email="bob@shop.example"))
    assert bob.case is not None
    with pytest.raises(Refused):
        disclose(wired, ann, *PARCEL, case=Case(bob.case))
    disclose(wired, ann, *PARCEL, case=Case("order:order-1"))
    with wired.writing() as conn:
        dealings.close_dealing(wired, conn, ann, "order", "order:order-1", wired.now())
    with pytest.raises(Refused):
        disclose(wired, ann, *PARCEL)
    work(wired)
    assert receiver.arrived == [] and states(wired) == ["refused"]


def test_a_legal_case_needs_its_ground_reference_and_approver(site: Site, ann: str) -> None:
    lacking = [replace(COURT, record={**ON_RECORD, need: " "}) for need in ON_RECORD]
    lacking += [replace(COURT, record={}), replace(COURT, ground="legal_duties")]
    for number, case in enumerate((gate.NO_CASE, *lacking, replace(COURT, ground="hunch")), start=1):
        with pytest.raises(Refused):
            disclose(site, ann, "court_of_justice", ["interest"], "legal:court", case=case)
        assert len(heard(site, events.DISCLOSURE_REFUSED)) == number
    assert states(site) == []


def test_an_approved_legal_case_is_still_one_when_it_leaves(wired: Site, ann: str) -> None:
    """What is never disclosed otherwise goes to a court, on the ground that was recorded, and by hand."""
    made = disclose(wired, ann, "court_of_justice", ["interest"], "legal:court", case=COURT)
    work(wired)
    assert states(wired) == ["by hand"]
    assert hand_over(wired, made) == {"interest": "lamps"}
    assert states(wired) == ["delivered"]
    (row,) = rows(wired, disclosure)
    assert (row["ground"], row["record"]) == ("court", ON_RECORD)
    assert "legal:court" in heard(wired, events.DISCLOSURE_MADE)[0]["ask"]["facts"]  # type: ignore[index]


def test_what_staff_hand_over_is_decided_again_and_given_once(site: Site, ann: str) -> None:
    made, gone = disclose(site, ann, *PARCEL), disclose(site, ann, *LETTER)
    work(site)
    assert states(site) == ["by hand", "by hand"]
    assert hand_over(site, made) == GIVEN
    for disclosure_id in (made, "unknown"):
        with pytest.raises(Refused):
            hand_over(site, disclosure_id)
    choose(site, ann, "@newsletter_house", "withdrawn")
    with pytest.raises(Refused):
        hand_over(site, gone)
    assert sorted(states(site)) == ["delivered", "refused"]
    assert len(heard(site, events.DISCLOSURE_REFUSED)) == 1


def test_a_lost_answer_is_tried_again_under_the_same_key(
    wired: Site, receiver: Receiver, ann: str, clock: MovedClock
) -> None:
    receiver.answers = [0, 500, 404, 302]
    made = disclose(wired, ann, *PARCEL)
    for _ in range(5):
        assert states(wired) != ["delivered"]
        work(wired, clock)
    assert states(wired) == ["delivered"]
    assert [key for _, key, _ in receiver.arrived] == [made] * 5
    assert receiver.kept == {made: ("disclosure", {"person": ann, "data": GIVEN})}
    assert len(heard(wired, events.DISCLOSURE_DELIVERED)) == 1


def test_a_recipient_that_is_down_holds_up_nobody_else(
    wired: Site, receiver: Receiver, ann: str, clock: MovedClock
) -> None:
    dead = Delivery.model_validate({"url": "http://127.0.0.1:9/in"})
    wires = {**wired.wiring.recipients, "newsletter_house": dead}
    half = replace(wired, wiring=wired.wiring.model_copy(update={"recipients": wires}))
    disclose(half, ann, *LETTER)
    disclose(half, ann, *PARCEL)
    work(half)
    assert states(half) == ["leaving", "delivered"]
    (failed,) = [row for row in rows(half, job) if row["kind"] == gate.DELIVER and row["done_at"] is None]
    assert "ann" not in failed["problem"] and "does not answer" in failed["problem"]


def test_a_missing_secret_lets_nothing_leave_unsigned(
    wired: Site, receiver: Receiver, ann: str, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    disclose(wired, ann, *PARCEL)
    monkeypatch.delenv("TROTH_TEST_SECRET")
    work(wired)
    assert receiver.arrived == [] and receiver.forged == 0
    monkeypatch.setenv("TROTH_TEST_SECRET", "another secret")
    work(wired, clock)
    assert receiver.arrived == [] and receiver.forged == 1
    monkeypatch.setenv("TROTH_TEST_SECRET", SECRET)
    work(wired, clock)
    assert states(wired) == ["delivered"]


def erase(site: Site, person_id: str, clock: MovedClock) -> None:
    with site.writing() as conn:
        begin_ending(site, conn, person_id, "request:test", clock.now() + days(20))
    clock.move(days(18))
    destroy_due(site)


def test_erasure_reaches_everyone_the_disclosures_name_and_waits_for_the_silent(
    wired: Site, receiver: Receiver, ann: str, clock: MovedClock
) -> None:
    for asked in (PARCEL, LETTER):
        disclose(wired, ann, *asked)
    work(wired)
    erase(wired, ann, clock)
    receiver.answers = [503]
    work(wired)
    destroy_due(wired)
    assert [row["state"] for row in rows(wired, ending)] == ["destroyed"]
    with wired.reading() as conn:
        assert list(instructions.waiting(conn).values()) == [1]
    work(wired, clock)
    destroy_due(wired)
    assert receiver.bodies("delete") == [{"people": [ann]}] * 2
    assert [row["state"] for row in rows(wired, ending)] == ["complete"]


def test_a_recipient_without_a_wire_keeps_the_ending_open_until_staff_have_its_word(
    site: Site, ann: str, clock: MovedClock
) -> None:
    hand = disclose(site, ann, *PARCEL)
    work(site)
    hand_over(site, hand)
    erase(site, ann, clock)
    work(site)
    destroy_due(site)
    (row,) = rows(site, ending)
    assert row["state"] == "destroyed"
    instructions.acknowledge(site, row["id"], "courier", [ann], by="privacy lead")
    destroy_due(site)
    assert [row["state"] for row in rows(site, ending)] == ["complete"]
    assert [row["acknowledged_by"] for row in rows(site, instruction)] == ["privacy lead"]


def test_what_may_have_arrived_is_told_to_be_deleted_and_what_waits_is_taken_back(
    wired: Site, receiver: Receiver, ann: str, clock: MovedClock
) -> None:
    receiver.answers = [0]
    disclose(wired, ann, *PARCEL)
    work(wired)
    assert states(wired) == ["leaving"]
    disclose(wired, ann, *LETTER)
    erase(wired, ann, clock)
    work(wired)
    destroy_due(wired)
    assert [row["recipient"] for row in rows(wired, instruction)] == ["courier"]
    assert receiver.bodies("delete") == [{"people": [ann]}]
    assert len(receiver.bodies("disclosure")) == 1
    assert [row["state"] for row in rows(wired, ending)] == ["complete"]


def test_whoever_never_got_anything_is_told_nothing(
    wired: Site, receiver: Receiver, ann: str, clock: MovedClock
) -> None:
    erase(wired, ann, clock)
    work(wired)
    assert receiver.arrived == [] and rows(wired, instruction) == []
    assert [row["state"] for row in rows(wired, ending)] == ["complete"]


def test_saying_no_to_one_recipient_tells_that_one_to_delete(
    wired: Site, receiver: Receiver, ann: str, clock: MovedClock
) -> None:
    for asked in (PARCEL, LETTER):
        disclose(wired, ann, *asked)
    work(wired)
    waits = disclose(wired, ann, *LETTER)
    with wired.writing() as conn:
        made = say_no(wired, conn, ann, "@newsletter_house", "objected", "words", "en", "letter", wired.policy(conn))
    work(wired)
    (told,) = rows(wired, instruction)
    assert (told["ending_id"], told["recipient"]) == (made, "newsletter_house")
    assert told["deadline"] - told["at"] == days(20) and told["acknowledged_at"] == clock.now()
    assert receiver.bodies("delete") == [{"people": [ann]}]
    assert next(row["state"] for row in rows(wired, disclosure) if row["id"] == waits) == "refused"
    disclose(wired, ann, *PARCEL)


def test_the_same_cause_tells_a_recipient_once(wired: Site, ann: str, clock: MovedClock) -> None:
    disclose(wired, ann, *PARCEL)
    work(wired)
    told = []
    for _ in range(2):
        with wired.writing() as conn:
            told.append(instructions.instruct(wired, conn, "0" * 26, [ann], clock.now() + days(20)))
    assert told == [1, 0]
    assert len(rows(wired, instruction)) == 1
