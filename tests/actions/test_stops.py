"""What the operator stops is not done for anybody from the next decision on, by one row, until another row lifts it."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.receiver import SECRET, Receiver, receiving
from tests.submissions import CONTACT, FAIR, ORDER, REGISTER, counts, entries, rows, sent
from troth import ledger
from troth.agenda import run_due
from troth.clock import MovedClock
from troth.collection import collect
from troth.consent.stops import actions as stops
from troth.consent.stops.tables import stop as stop_table
from troth.decide import Ask
from troth.errors import InvalidInput, Refused
from troth.evidence.entries import EVERYTHING
from troth.evidence.prove import prove
from troth.evidence.replay import Replay
from troth.ledger import events
from troth.messages import actions as messages
from troth.messages.tables import message
from troth.people import vault
from troth.people.vault import By
from troth.recipients import connectors, gate, instructions
from troth.recipients.gate import disclose, hand_over
from troth.recipients.switches import say_no, stop_and_recall
from troth.recipients.tables import disclosure, instruction
from troth.settings import Delivery
from troth.store.site import Site
from troth.visits.actions import read as read_visits

HANDLERS = {gate.DELIVER: gate.deliver, instructions.INSTRUCT: instructions.carry, **messages.HANDLERS}
SERVICE = By("staff", role="service")
LETTER = ("newsletter_house", ["email", "full_name"], "marketing")
PARCEL = ("courier", ["full_name"], "fulfil_order")
WHY = {"by": "privacy lead", "because": "complaint 4 is looked into"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as started:
        yield started


@pytest.fixture
def wired(site: Site, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Site:
    """The shop, with the newsletter house reached over HTTP."""
    monkeypatch.setenv("TROTH_TEST_SECRET", SECRET)
    wire = Delivery.model_validate({"url": receiver.url, "secret env": "TROTH_TEST_SECRET"})
    return replace(site, wiring=site.wiring.model_copy(update={"recipients": {"newsletter_house": wire}}))


@pytest.fixture
def ann(site: Site) -> str:
    """Somebody who registered, chose offers and the newsletter house, and has an order open."""
    collect(site, replace(REGISTER, choices={"newsletter_house": True, "marketing": True}))
    return collect(site, ORDER).person_id


def stop(site: Site, scope: str, origin: str = "") -> str:
    with site.writing() as conn:
        return stops.stop(site, conn, scope, policy=site.policy(conn), origin=origin, **WHY)


def lift(site: Site, scope: str, origin: str = "") -> str:
    with site.writing() as conn:
        return stops.lift(site, conn, scope, policy=site.policy(conn), origin=origin, **WHY)


def offers(site: Site, ann: str) -> dict[str, str]:
    return dict(vault.read(site, ann, ["email"], "marketing", SERVICE).values)


def wrong(site: Site) -> int:
    """How many decisions on the ledger a replay does not bear out."""
    with site.reading() as conn:
        found = Replay().heard(conn).replayed[EVERYTHING]
    assert found.decisions
    return found.wrong


def states(site: Site) -> list[str]:
    return [row["state"] for row in rows(site, disclosure)]


def test_a_stop_is_one_row_however_many_people_there_are_and_lifting_is_another(site: Site, ann: str) -> None:
    for number in range(5):
        collect(site, sent(REGISTER, f"more-{number}", email=f"p{number}@shop.example"))
    before = counts(site)
    made = stop(site, "marketing")
    lifted = lift(site, "marketing")
    after = counts(site)
    sums = {"store_sum", "store_change"}  # of the marks of rows: as many as tables that changed, whatever the change
    changed = {name: after[name] - before[name] for name in after.keys() - sums if after[name] != before[name]}
    assert changed == {"stop": 2, "ledger_entry": 2}
    first, second = rows(site, stop_table)
    assert (first["id"], first["state"], first["made_by"], first["because"]) == (
        made, "stopped", "privacy_lead", WHY["because"],
    )  # fmt: skip
    assert (second["id"], second["state"]) == (lifted, "lifted") and second["at"] > first["at"]


def test_a_stopped_purpose_is_refused_to_everybody_citing_the_stop_although_they_agreed(site: Site, ann: str) -> None:
    assert offers(site, ann) == {"email": "ann@shop.example"}
    stop(site, "marketing")
    with pytest.raises(Refused) as refused:
        offers(site, ann)
    assert refused.value.because == ("stops.purposes.marketing",)
    assert dict(vault.read_many(site, [ann], ["email"], "marketing", SERVICE)) == {}
    assert vault.read(site, ann, ["email"], "service", SERVICE).values, "other purposes go on"
    assert [one.fields for one in vault.everything(site, ann, By("person", ref=ann))], "people still see their own"
    lift(site, "marketing")
    assert offers(site, ann) == {"email": "ann@shop.example"}
    assert wrong(site) == 0


def test_a_stopped_purpose_reaches_disclosures_messages_and_visits(site: Site, ann: str) -> None:
    stop(site, "marketing")
    stop(site, "improvement")
    with pytest.raises(Refused) as refused:
        disclose(site, ann, *LETTER)
    assert refused.value.because == ("stops.purposes.marketing",)
    with site.writing() as conn:
        assert not messages.queue(site, conn, ann, "offers", "confirmation", {}, "offer-1")
    with pytest.raises(Refused) as visits:
        read_visits(site, "improvement", SERVICE)
    assert visits.value.because == ("stops.purposes.improvement",)
    assert wrong(site) == 0


def test_a_stopped_recipient_is_given_nothing_more_and_others_are(site: Site, ann: str) -> None:
    stop(site, "@newsletter_house")
    with pytest.raises(Refused) as refused:
        disclose(site, ann, *LETTER)
    assert refused.value.because == ("stops.recipients.newsletter_house",)
    assert disclose(site, ann, *PARCEL)
    assert offers(site, ann), "the purpose itself goes on"
    assert wrong(site) == 0


def test_a_delivery_that_waits_when_the_stop_comes_is_not_made(wired: Site, receiver: Receiver, ann: str) -> None:
    disclose(wired, ann, *LETTER)
    stop(wired, "@newsletter_house")
    run_due(wired, HANDLERS)
    assert receiver.arrived == []
    assert states(wired) == ["refused"]
    lift(wired, "@newsletter_house")
    run_due(wired, HANDLERS)
    assert states(wired) == ["refused"], "what was refused is not taken up again"
    assert wrong(wired) == 0


def test_what_waits_for_staff_is_not_handed_over_once_it_is_stopped(site: Site, ann: str) -> None:
    made = disclose(site, ann, *PARCEL)
    run_due(site, HANDLERS)
    stop(site, "fulfil_order")
    with pytest.raises(Refused):
        hand_over(site, made)
    assert states(site) == ["refused"]


def test_a_message_that_waits_when_the_stop_comes_is_not_sent(site: Site, ann: str) -> None:
    with site.writing() as conn:
        assert messages.queue(site, conn, ann, "offers", "confirmation", {}, "offer-1")
    stop(site, "marketing")
    run_due(site, HANDLERS)
    assert [row["state"] for row in rows(site, message) if row["class"] == "offers"] == ["refused"]


def test_a_stop_that_comes_while_a_delivery_is_leaving_stops_every_further_try(
    wired: Site, receiver: Receiver, ann: str, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recipient may have it; whoever retries decides again, and says that it is unsure."""
    disclose(wired, ann, *LETTER)

    def fails(*_: object) -> None:
        stop(wired, "marketing")
        raise ConnectionError

    with monkeypatch.context() as patched:
        patched.setattr(connectors, "send", fails)
        run_due(wired, HANDLERS)
    assert states(wired) == ["leaving"]
    clock.move(timedelta(hours=1))
    run_due(wired, HANDLERS)
    assert receiver.arrived == [] and states(wired) == ["unsure"]


def test_recalling_tells_whoever_was_given_data_under_it_to_delete_and_takes_back_what_waits(
    wired: Site, receiver: Receiver, ann: str
) -> None:
    disclose(wired, ann, *LETTER)
    run_due(wired, HANDLERS)
    disclose(wired, ann, *LETTER)
    disclose(wired, ann, *PARCEL)
    with wired.writing() as conn:
        made = stop_and_recall(wired, conn, "marketing", policy=wired.policy(conn), **WHY)
    assert sorted(states(wired)) == ["delivered", "queued", "refused"]
    (told,) = rows(wired, instruction)
    assert (told["ending_id"], told["person_id"], told["recipient"]) == (made, ann, "newsletter_house")
    run_due(wired, HANDLERS)
    assert receiver.bodies("delete") == [{"people": [ann]}]


@pytest.mark.parametrize("how", ["no", "stop"])
def test_whoever_does_not_answer_to_a_no_or_a_stop_breaks_what_is_promised_of_them_and_no_erasure(
    wired: Site, receiver: Receiver, ann: str, clock: MovedClock, how: str
) -> None:
    disclose(wired, ann, *LETTER)
    run_due(wired, HANDLERS)
    with wired.writing() as conn:
        policy = wired.policy(conn)
        if how == "no":
            words = "No offers, please.", "en", "privacy_centre"
            say_no(wired, conn, ann, "@newsletter_house", "withdrawn", *words, policy)
        else:
            stop_and_recall(wired, conn, "@newsletter_house", policy=policy, **WHY)
    clock.move(timedelta(days=90))
    found = {one.promise.id: one.proof for one in prove(wired).proven}
    house = found["recipients.newsletter_house"]
    assert (house.verdict, house.measured) == ("broken", "no answer from Letter House to a deletion")
    assert "no answer" not in found["erasure"].measured


def test_a_stop_for_one_partner_leaves_out_its_data_and_nothing_else(site: Site) -> None:
    """Leo gave his address himself and the fair has another one of his; Fay is known from the fair alone."""
    agreed = {"newsletter_house": True, "marketing": True}
    leo = collect(site, replace(REGISTER, choices=agreed)).person_id
    own = {"email": "ann@shop.example", "full_name": "A. Other of the fair"}
    assert collect(site, replace(sent(FAIR, "fair-2"), values=own)).person_id == leo
    assert dict(vault.read(site, leo, ["full_name"], "marketing", SERVICE).values) == {"full_name": own["full_name"]}
    stop(site, "marketing", "@fair")
    assert dict(vault.read(site, leo, ["full_name"], "marketing", SERVICE).values) == {"full_name": "Ann Other"}
    many = dict(vault.read_many(site, [leo], ["full_name"], "marketing", SERVICE))
    assert dict(many[leo].values) == {"full_name": "Ann Other"}
    assert dict(vault.read(site, leo, ["full_name"], "service", SERVICE).values) == {"full_name": own["full_name"]}
    lift(site, "marketing", "@fair")
    assert dict(vault.read(site, leo, ["full_name"], "marketing", SERVICE).values) == {"full_name": own["full_name"]}
    assert wrong(site) == 0


def test_a_delivery_for_which_a_stopped_source_leaves_nothing_is_not_made(
    wired: Site, receiver: Receiver, ann: str
) -> None:
    disclose(wired, ann, *LETTER)
    stop(wired, "@newsletter_house", "registration")
    stop(wired, "@newsletter_house", "order")
    run_due(wired, HANDLERS)
    assert receiver.arrived == [] and states(wired) == ["refused"]
    assert wrong(wired) == 0


def test_stopping_twice_is_once_and_nothing_is_lifted_that_is_not_stopped(site: Site) -> None:
    assert stop(site, "marketing") == stop(site, "marketing")
    assert len(rows(site, stop_table)) == 1
    lift(site, "marketing")
    for scope, origin in (("marketing", ""), ("service", ""), ("marketing", "@fair")):
        with pytest.raises(Refused):
            lift(site, scope, origin)
    assert len(rows(site, stop_table)) == 2


@pytest.mark.parametrize(
    ("scope", "origin"), [("nosuch", ""), ("@nosuch", ""), ("courier", ""), ("marketing", "nowhere")]
)
def test_only_what_the_policy_knows_can_be_stopped(site: Site, scope: str, origin: str) -> None:
    with pytest.raises(Refused):
        stop(site, scope, origin)
    assert rows(site, stop_table) == []


@pytest.mark.parametrize("lacking", [{"by": " "}, {"because": ""}, {"because": "x" * 501}])
def test_a_stop_needs_a_role_that_answers_for_it_and_a_reason(site: Site, lacking: dict[str, str]) -> None:
    with pytest.raises(InvalidInput), site.writing() as conn:
        stops.stop(site, conn, "marketing", policy=site.policy(conn), **WHY | lacking)
    assert rows(site, stop_table) == []


def test_the_ledger_tells_of_each_stop_without_the_words_of_its_reason(site: Site) -> None:
    made = stop(site, "marketing", "@fair")
    (told,) = [json.loads(row["body"]) for row in entries(site, events.STOP_MADE)]
    assert (told["stop"], told["scope"], told["origin"], told["by"]) == (made, "marketing", "@fair", "privacy_lead")
    assert WHY["because"] not in repr(entries(site))


def test_a_lifting_outweighs_its_stop_although_the_clock_was_set_back(site: Site, ann: str, clock: MovedClock) -> None:
    stop(site, "service")
    clock.move(-timedelta(hours=2))
    with pytest.raises(Refused):
        vault.read(site, ann, ["email"], "service", SERVICE)
    lift(site, "service")
    assert vault.read(site, ann, ["email"], "service", SERVICE).values
    with site.reading() as conn:
        assert stops.in_force(conn) == []
        assert [one.state for one in stops.history(conn, "service")] == ["stopped", "lifted"]


def test_stops_and_liftings_at_once_leave_one_history_that_alternates(site: Site) -> None:
    stop(site, "marketing")

    def toggle(number: int) -> None:
        try:
            (stop if number % 2 else lift)(site, "marketing")
        except Refused:
            return

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(toggle, range(18)))
    with site.reading() as conn:
        made = [one.state for one in stops.history(conn, "marketing")]
        holds = [one.scope for one in stops.in_force(conn)]
    assert made == [("stopped", "lifted")[number % 2] for number in range(len(made))]
    assert holds == (["marketing"] if len(made) % 2 else [])


def test_replay_finds_a_read_that_ignored_a_stop(site: Site, ann: str) -> None:
    stop(site, "marketing")
    assert wrong(site) == 0
    with site.writing() as conn:
        ask, decision = _told_without_its_stop(site, ann)
        body = ledger.decision_body(ask, decision, 1) | {"person": ann, "by": "staff"}
        ledger.append(conn, site.now() + timedelta(minutes=1), events.PERSON_READ, body)
    assert wrong(site) == 1


def test_replay_finds_a_use_after_a_stop_whose_row_was_taken_out(site: Site, ann: str, clock: MovedClock) -> None:
    """Without the row every decision lacks its fact, and a stop on the ledger that no table has is not believed either way."""
    stop(site, "marketing")
    clock.move(timedelta(minutes=1))
    with pytest.raises(Refused):
        offers(site, ann)
    with site.writing() as conn:
        body = {"stop": "0" * 26, "scope": "marketing", "origin": "", "by": "nobody", "version": 1, "because": "a" * 64}
        ledger.append(conn, site.now(), events.STOP_LIFTED, body)
        ask, decision = _told_without_its_stop(site, ann)
        told = ledger.decision_body(ask, decision, 1) | {"person": ann, "by": "staff"}
        ledger.append(conn, site.now() + timedelta(minutes=1), events.PERSON_READ, told)
    assert wrong(site) == 1, "a lifting that nobody made lifts nothing"


def _told_without_its_stop(site: Site, ann: str) -> tuple[Ask, object]:
    with site.reading() as conn:
        told = vault.facts(site, conn, [ann], SERVICE, site.now(), purpose="marketing", scopes=())[ann]
    ask = Ask("read", "marketing", frozenset({"email"}), "customer", facts=told)
    decision = site.policy().decide(ask)
    assert decision.allowed
    return ask, decision


def test_collecting_goes_on_under_a_stop(site: Site) -> None:
    """A point serves several purposes, and the person may want their answer: what is stopped is the use."""
    stop(site, "answer")
    leo = collect(site, CONTACT).person_id
    with pytest.raises(Refused):
        vault.read(site, leo, ["question"], "answer", SERVICE)
