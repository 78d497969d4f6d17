"""Data comes in whole or not at all, once, with its origin; and nothing but a ticked box is consent."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import event, update

from tests.submissions import CONTACT, FAIR, ORDER, REGISTER, counts, entries, keys_made, rows, sent
from troth.agenda.tables import job
from troth.clock import MovedClock
from troth.collection import collect, form
from troth.collection.actions import SECOND_HAND
from troth.consent.actions import choices, words_shown
from troth.errors import InvalidInput, Refused
from troth.ledger import events
from troth.people import vault
from troth.people.dealings import open_cases
from troth.people.tables import dealing, holding, person, shape
from troth.people.vault import By
from troth.store import versions
from troth.store.site import Site


def _choices(site: Site, person_id: str) -> set[tuple[str, str]]:
    with site.reading() as conn:
        return {(one.scope, one.state) for one in choices(conn, [person_id], site.now()).get(person_id, [])}


def _own(site: Site, person_id: str) -> list[vault.Held]:
    return list(vault.everything(site, person_id, By("person", ref=person_id)))


def test_a_submission_is_stored_whole(site: Site) -> None:
    receipt = collect(site, REGISTER)
    assert [row["event"] for row in entries(site)] == [
        events.PERSON_ADMITTED,
        events.CONSENT_GIVEN,
        events.DEALING_OPENED,
        events.HOLDING_COLLECTED,
    ]
    held = {key: value for one in _own(site, receipt.person_id) for key, value in one.fields.items()}
    assert held == REGISTER.values
    assert _choices(site, receipt.person_id) == {("marketing", "given")}
    with site.reading() as conn:
        assert open_cases(conn, [receipt.person_id])[receipt.person_id] == {("registration", "register:register-1")}


def test_whatever_fails_on_the_way_nothing_is_stored(site: Site) -> None:
    before, failing = counts(site), [""]

    @event.listens_for(site.engine, "before_cursor_execute")
    def _fail(_c: object, _k: object, statement: str, *_more: object) -> None:
        if failing[0] and f"INTO {failing[0]} " in statement:
            raise InterruptedError

    for table in ("person", "identifier", "shown", "holding", "choice", "dealing", "ledger_entry"):
        failing[0] = table
        with pytest.raises(InterruptedError):
            collect(site, REGISTER)
        failing[0] = ""
        assert counts(site) == before, table
    assert not collect(site, REGISTER).repeated


UNFIT = {
    "undeclared field": sent(REGISTER, passport="X1234567"),
    "missing required": replace(REGISTER, values={"email": "ann@shop.example"}),
    "blank required": sent(REGISTER, full_name=" \u200b "),
    "never stored": sent(REGISTER, card="4111 1111 1111 1111"),
    "card number in a note": sent(CONTACT, question="my card is 4111-1111-1111-1111"),
    "a megabyte": sent(CONTACT, question="x" * 1_000_000),
    "a megabyte of marks": sent(CONTACT, question="e" + "\u0301\u0323" * 500_000),
    "NUL": sent(CONTACT, question="a\x00b"),
    "half a character": sent(CONTACT, question="a\ud83db"),
    "no address": sent(CONTACT, email="leo@"),
    "no date": sent(REGISTER, birth_date="yesterday"),
    "born tomorrow": sent(REGISTER, birth_date="2026-01-06"),
    "no telephone number": sent(REGISTER, phone="ask my wife"),
    "a choice not offered": replace(REGISTER, choices={"preferences": True}),
    "no such point": replace(REGISTER, point="survey"),
    "no such language": replace(REGISTER, language="fr"),
    "no key": replace(REGISTER, key=""),
    "a key too long": replace(REGISTER, key="k" * 65),
    "another version was shown": replace(REGISTER, version=2),
    "nothing at all": replace(CONTACT, values={}),
}


def test_what_does_not_fit_is_refused_and_nothing_stored_anywhere(site: Site) -> None:
    nothing = counts(site), keys_made(site)
    for what, submission in UNFIT.items():
        with pytest.raises(InvalidInput) as refused:
            collect(site, submission)
        assert (counts(site), keys_made(site)) == nothing, what
        told = f"{refused.value} {refused.value.problems}"
        assert not [value for value in submission.values.values() if len(value) > 4 and value in told], what


NOT_ALLOWED = {
    "unlisted source": replace(REGISTER, source="a bought list"),
    "another point's source": replace(REGISTER, source="order"),
    "no source": replace(REGISTER, source=""),
    "unregistered partner": replace(FAIR, partner="a_stranger"),
    "an import without a partner": replace(FAIR, partner=None),
    "a partner at a form": replace(REGISTER, partner="fair"),
    "a recipient that supplies nothing": replace(FAIR, partner="courier"),
    "under age": sent(REGISTER, birth_date="2010-01-06"),
}


def test_what_the_policy_does_not_allow_is_refused_and_only_the_ledger_knows(site: Site) -> None:
    nothing = counts(site), keys_made(site)
    for number, (what, submission) in enumerate(NOT_ALLOWED.items(), start=1):
        with pytest.raises(Refused):
            collect(site, submission)
        assert (counts(site) | {"ledger_entry": 0}, keys_made(site)) == nothing, what
        assert len(entries(site)) == number, what
        refusal = entries(site, events.COLLECTION_REFUSED)[-1]["body"]
        assert json.loads(refusal)["allowed"] is False
        assert json.loads(refusal)["ask"]["fields"] == sorted(submission.values)
        assert not [value for value in submission.values.values() if value in refusal], what


def test_a_partner_must_be_registered_in_the_wiring_too(site: Site) -> None:
    unregistered = replace(site, wiring=site.wiring.model_copy(update={"partners": ()}))
    with pytest.raises(Refused):
        collect(unregistered, FAIR)
    assert counts(site)["holding"] == 0
    collect(site, FAIR)


def test_sixteen_is_old_enough_on_the_birthday_itself(site: Site) -> None:
    with pytest.raises(Refused) as refused:
        collect(site, sent(REGISTER, birth_date="2010-01-06"))
    assert "under_age" in json.loads(entries(site)[0]["body"])["ask"]["facts"]
    assert refused.value.because == ()
    assert collect(site, sent(REGISTER, birth_date="2010-01-05")).holdings


def test_second_hand_data_carries_its_partner_and_tells_its_person(site: Site) -> None:
    receipt = collect(site, FAIR)
    (held,) = rows(site, holding)
    assert held["submission"] == FAIR.key and held["partner"] == "fair"
    assert [one.partner for one in _own(site, receipt.person_id)] == ["fair"]
    (notice,) = rows(site, job)
    assert (notice["kind"], notice["ref"], notice["done_at"]) == (SECOND_HAND, FAIR.key, None)
    collect(site, REGISTER)
    assert len(rows(site, job)) == 1


def test_each_holding_knows_its_source_time_version_and_what_was_told(site: Site, clock: MovedClock) -> None:
    receipt = collect(site, REGISTER)
    shapes = {row["id"]: row for row in rows(site, shape)}
    assert {held["id"] for held in rows(site, holding)} == set(receipt.holdings)
    for held in rows(site, holding):
        assert held["at"] == clock.now() and held["policy_version"] == 1
        assert shapes[held["shape_id"]]["source"] == "registration" and shapes[held["shape_id"]]["point"] == "register"
        with site.reading() as conn:
            told = words_shown(conn, held["told"])
        assert told == ("en", form(site.policy(), "register", "en").told_words)


def test_the_same_submission_twice_is_stored_once(site: Site) -> None:
    first = collect(site, ORDER)
    before = counts(site)
    again = collect(site, ORDER)
    assert again == replace(first, repeated=True)
    assert counts(site) == before


def test_the_same_submission_many_times_at_once_is_stored_once(site: Site) -> None:
    with ThreadPoolExecutor(8) as threads:
        receipts = list(threads.map(lambda _: collect(site, REGISTER), range(8)))
    assert len({receipt.person_id for receipt in receipts}) == 1
    assert Counter(receipt.repeated for receipt in receipts) == {True: 7, False: 1}
    after = counts(site)
    assert (after["person"], after["choice"], after["dealing"]) == (1, 1, 1)
    assert len(entries(site, events.HOLDING_COLLECTED)) == 1


def test_two_forms_of_one_new_person_at_once_make_one_person(site: Site) -> None:
    forms = [sent(ORDER, f"order-{number}") for number in range(6)]
    with ThreadPoolExecutor(6) as threads:
        receipts = list(threads.map(lambda one: collect(site, one), forms))
    assert len({receipt.person_id for receipt in receipts}) == 1
    assert counts(site)["dealing"] == 6


def test_a_key_belongs_to_one_point(site: Site) -> None:
    collect(site, CONTACT)
    before = counts(site)
    with pytest.raises(InvalidInput, match="another submission"):
        collect(site, replace(REGISTER, key=CONTACT.key))
    assert counts(site) == before


def test_a_returning_person_is_found_by_their_address_in_any_spelling_of_its_domain(site: Site) -> None:
    first = collect(site, REGISTER)
    for number, spelling in enumerate(("ann@SHOP.example", " ann@shop.EXAMPLE ", "ann@shop.example")):
        assert collect(site, sent(ORDER, f"order-{number}", email=spelling)).person_id == first.person_id
    assert counts(site)["person"] == 1


def test_somebody_else_is_somebody_else(site: Site) -> None:
    assert collect(site, REGISTER).person_id != collect(site, sent(ORDER, email="bob@shop.example")).person_id


def test_an_order_opens_an_order_that_its_purposes_need(site: Site) -> None:
    receipt = collect(site, ORDER)
    assert receipt.opened == "order" and receipt.case is not None
    reading = vault.read(site, receipt.person_id, ["delivery_address"], "fulfil_order", By("system"), case=receipt.case)
    assert reading.values == {"delivery_address": "1 Main Street"}
    with pytest.raises(Refused):
        vault.read(site, receipt.person_id, ["delivery_address"], "fulfil_order", By("system"), case="order:another")


def test_each_point_opens_what_its_purposes_need_and_no_more(site: Site) -> None:
    opened = {one.point: collect(site, one).opened for one in (REGISTER, ORDER, CONTACT, FAIR)}
    assert opened == {"register": None, "order": "order", "contact": "ticket", "fair_import": None}
    assert {row["kind"] for row in rows(site, dealing)} == {"registration", "order", "ticket", "contact"}


def test_whoever_asked_first_and_orders_later_is_a_customer(site: Site) -> None:
    asked = collect(site, sent(CONTACT, email="ann@shop.example"))
    ordered = collect(site, ORDER)
    assert ordered.person_id == asked.person_id
    assert [row["kind"] for row in rows(site, person)] == ["customer"]
    collect(site, sent(CONTACT, "contact-2", email="ann@shop.example"))
    assert [row["kind"] for row in rows(site, person)] == ["customer"]


def test_sending_a_form_is_consent_to_nothing(site: Site) -> None:
    for submission in (replace(REGISTER, choices={}), ORDER, CONTACT, FAIR):
        person_id = collect(site, submission).person_id
        assert _choices(site, person_id) == set()
        with pytest.raises(Refused):
            vault.read(site, person_id, ["email"], "marketing", By("system"))
    assert not entries(site, events.CONSENT_GIVEN)


def test_a_box_left_alone_is_no_choice_and_a_ticked_one_is_consent_to_that_alone(site: Site) -> None:
    boxes = {"marketing": False, "newsletter_house": True}
    person_id = collect(site, replace(REGISTER, choices=boxes)).person_id
    assert _choices(site, person_id) == {("@newsletter_house", "given")}
    with pytest.raises(Refused):
        vault.read(site, person_id, ["email"], "marketing", By("system"))


def _members_point(site: Site, folder: Path) -> None:
    """Publish a version in which asking is for registered people only, and the address is kept when it differs."""
    text = (folder / "shop" / "policy.yaml").read_text()
    text = text.replace("version: 1,", "version: 2,")
    text = text.replace("contact: {label: ask us,", "contact: {label: ask us, members only: true,")
    text = text.replace(
        "optional: [phone], for: [fulfil_order",
        "optional: [phone], keeps when different: {delivery_address: full_name}, for: [fulfil_order",
    )
    with site.writing() as conn:
        decisions = (folder / "shop" / "decisions.yaml").read_text()
        versions.archive(conn, text, decisions, effective_at=site.now(), at=site.now())


def test_a_point_for_members_takes_only_members(site: Site, tmp_path: Path) -> None:
    member = collect(site, REGISTER).person_id
    stranger = collect(site, CONTACT).person_id
    _members_point(site, tmp_path)
    before = counts(site)
    for somebody in (None, stranger, "0" * 26):
        with pytest.raises(Refused):
            collect(site, replace(CONTACT, key="contact-2", member=somebody))
    assert counts(site) == before | {"ledger_entry": before["ledger_entry"] + 3}
    assert collect(site, replace(CONTACT, key="contact-2", member=member)).person_id == member


@pytest.mark.parametrize("state", ["quarantined", "held"])
def test_somebody_who_is_leaving_stores_nothing_more_as_a_member(site: Site, state: str) -> None:
    member = collect(site, REGISTER).person_id
    with site.writing() as conn:
        conn.execute(update(person).values(state=state))
    before = counts(site)["holding"]
    with pytest.raises(Refused):
        collect(site, replace(ORDER, member=member))
    assert counts(site)["holding"] == before


def test_what_is_kept_only_when_different_is_kept_only_then(site: Site, tmp_path: Path) -> None:
    _members_point(site, tmp_path)
    same = collect(site, sent(ORDER, full_name="1 Main Street"))
    other = collect(site, sent(ORDER, "order-2", email="bob@shop.example"))
    assert "delivery_address" not in {key for one in _own(site, same.person_id) for key in one.fields}
    assert "delivery_address" in {key for one in _own(site, other.person_id) for key in one.fields}


def test_a_form_shown_under_an_older_version_is_shown_again(site: Site, tmp_path: Path) -> None:
    old = replace(ORDER, version=1)
    collect(site, old)
    _members_point(site, tmp_path)
    with pytest.raises(InvalidInput) as refused:
        collect(site, replace(old, key="order-2"))
    assert "version" in refused.value.problems
    collect(site, replace(old, key="order-2", version=2))
    assert sorted(row["policy_version"] for row in rows(site, holding)) == [1, 1, 2, 2]


def test_names_in_any_script_come_back_as_they_were_typed(site: Site) -> None:
    for number, name in enumerate(("נועה כהן", "أمل حداد", "林怡君", "Zoë 👩‍👩‍👧", "e\u0301ric", "Ólafur\u200d")):
        receipt = collect(site, sent(REGISTER, f"r{number}", email=f"{number}@shop.example", full_name=name))
        told = vault.read(site, receipt.person_id, ["full_name"], "service", By("system")).values["full_name"]
        assert told in {name, "éric"}


def test_a_point_that_names_no_source_takes_in_what_its_form_sends_and_nothing_else(site: Site) -> None:
    policy = (site.folder / "policy.yaml").read_text()
    policy = policy.replace("source: contact, ", "").replace("version: 1", "version: 2")
    decisions = (site.folder / "decisions.yaml").read_text()
    with site.writing() as conn:
        versions.archive(conn, policy, decisions, effective_at=site.now(), at=site.now())
    assert collect(site, CONTACT).holdings
    with pytest.raises(Refused):
        collect(site, replace(CONTACT, key="bought", source="a bought list"))
