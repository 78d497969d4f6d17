"""Erasures that people ask for, on both stores: planned, due from their receipt, undone in time, and done when all is gone."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.asking import ANN, ann, asked, run, secret
from tests.fixtures import days
from tests.operators import mailing
from tests.submissions import count
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.errors import InvalidInput, Refused
from troth.messages.mailbox import Mailbox
from troth.people import vault
from troth.people.tables import holding, person
from troth.people.vault import By
from troth.recipients import gate, instructions
from troth.retention.holds import make_hold
from troth.retention.tables import ending
from troth.rights import carrying, desk, replies
from troth.rights.intake import receive
from troth.rights.tables import request
from troth.store import versions
from troth.store.site import Site
from troth.work import turn


@pytest.fixture
def shop(site: Site, mailbox: Mailbox) -> Site:
    return mailing(site, mailbox)


def row(shop: Site, request_id: str):  # type: ignore[no-untyped-def]
    with shop.reading() as conn:
        return conn.execute(select(request).where(request.c.id == request_id)).one()


@pytest.mark.clause("F54")
def test_an_erasure_is_due_from_its_receipt_and_done_only_when_everything_was_read_again(
    shop: Site, mailbox: Mailbox, clock: MovedClock
) -> None:
    collect(shop, Submission("register", ANN, "ann-1"))
    received = receive(shop, asked("erasure"))
    assert received.due_at == clock.now() + days(20)
    run(shop)
    clock.move(days(2))
    carrying.confirm(shop, secret(mailbox, "confirm"))
    with shop.reading() as conn:
        began = conn.execute(select(ending)).one()
    assert began.destroy_by == received.due_at and began.destroys_at < began.destroy_by
    assert row(shop, received.id).state == "carrying out"
    clock.move(days(17))
    turn(shop)
    turn(shop)
    assert (row(shop, received.id).state, row(shop, received.id).outcome) == ("closed", "done")
    assert count(shop, holding) == count(shop, person) == 0
    run(shop)
    assert any("receipt" in one.body("plain") for one in mailbox.messages())


def test_what_a_hold_keeps_makes_an_erasure_partly_done(shop: Site, mailbox: Mailbox, clock: MovedClock) -> None:
    ann(shop)  # the law keeps what was bought, and the archive's clock says so
    received = receive(shop, asked("erasure"))
    run(shop)
    carrying.confirm(shop, secret(mailbox, "confirm"))
    clock.move(days(19))
    turn(shop)
    turn(shop)
    assert row(shop, received.id).outcome == "partly done"
    run(shop)
    assert any("deleted in part" in one.subject and "kept apart" in one.body("plain") for one in mailbox.messages())


def given_away(shop: Site) -> str:
    """Ann, whose address a recipient was given that answers nothing by itself."""
    agreed = Submission("register", ANN, "ann-1", choices={"newsletter_house": True, "marketing": True})
    person_id = collect(shop, agreed).person_id
    given = gate.disclose(shop, person_id, "newsletter_house", ["email"], "marketing")
    run(shop)
    gate.hand_over(shop, given)
    return person_id


def letters(shop: Site, mailbox: Mailbox, subject: str) -> list[str]:
    """What the letters of this subject say, with one space between words."""
    run(shop)
    return [" ".join(one.body("plain").split()) for one in mailbox.messages() if one.subject == subject]


def test_whoever_is_erased_is_told_in_time_what_is_gone_and_who_has_not_answered_and_again_when_it_is_complete(
    shop: Site, mailbox: Mailbox, clock: MovedClock
) -> None:
    person_id = given_away(shop)
    received = receive(shop, asked("erasure", vouched="account"))
    run(shop)
    clock.move(days(19))
    turn(shop)
    turn(shop)
    assert letters(shop, mailbox, "Your data is deleted here") == [], "a recipient that answers by itself has an hour"
    clock.move(timedelta(hours=1))
    turn(shop)
    (told,) = letters(shop, mailbox, "Your data is deleted here")
    assert clock.now() < received.due_at
    assert "What was destroyed: e-mail address and name." in told
    assert "We still wait for an answer from: Letter House" in told and "Some of it stays" not in told
    clock.move(days(3))
    turn(shop)
    assert len(letters(shop, mailbox, "Your data is deleted here")) == 1, "once"
    assert not letters(shop, mailbox, "Your data is deleted") and row(shop, received.id).state == "carrying out"
    began = row(shop, received.id).ending_id
    instructions.acknowledge(shop, began, "newsletter_house", [person_id], by="privacy lead")
    turn(shop)
    turn(shop)
    (done,) = letters(shop, mailbox, "Your data is deleted")
    assert "What was destroyed:" in done and "has confirmed that they did: Letter House" in done


def test_the_letter_that_waits_says_what_stays_on_which_ground_and_until_when(
    shop: Site, mailbox: Mailbox, clock: MovedClock
) -> None:
    person_id = given_away(shop)
    with shop.writing() as conn:
        record = {"reference": "T-1"}
        make_hold(
            shop,
            conn,
            person_id,
            ["full_name"],
            "legal_duties",
            "A tax inquiry.",
            "",
            "lead",
            shop.now() + days(300),
            record,
        )
    receive(shop, asked("erasure", vouched="account"))
    run(shop)
    clock.move(days(19))
    turn(shop)
    clock.move(timedelta(hours=2))
    turn(shop)
    (told,) = letters(shop, mailbox, "Your data is deleted here")
    assert "What was destroyed: e-mail address." in told, "and not what is kept"
    assert "Some of it stays for a while: name, for this reason:" in told and "until 1 November 2026" in told
    assert "We still wait for an answer from: Letter House" in told


def test_nobody_is_said_to_have_confirmed_where_nobody_was_told(
    shop: Site, mailbox: Mailbox, clock: MovedClock
) -> None:
    collect(shop, Submission("register", ANN, "ann-1"))
    receive(shop, asked("erasure", vouched="account"))
    run(shop)
    clock.move(days(19))
    turn(shop)
    turn(shop)
    (done,) = letters(shop, mailbox, "Your data is deleted")
    assert "confirmed" not in done and "What was destroyed:" in done


def test_a_plan_names_no_recipients_where_the_policy_does_not_say_that_they_are_told(shop: Site) -> None:
    person_id = given_away(shop)
    assert carrying.erasing.plan(shop, person_id).told == ("newsletter_house",)
    with shop.writing() as conn:
        text = (shop.folder / "policy.yaml").read_text()
        text = text.replace("version: 1,", "version: 2,").replace(
            "may keep: [open orders, legal duties], everywhere: true", "may keep: [open orders, legal duties]"
        )
        decisions = (shop.folder / "decisions.yaml").read_text()
        versions.archive(conn, text, decisions, effective_at=shop.now(), at=shop.now())
    assert carrying.erasing.plan(shop, person_id).told == ()


def test_a_letter_of_before_its_words_changed_can_still_be_read(
    shop: Site, mailbox: Mailbox, clock: MovedClock
) -> None:
    collect(shop, Submission("register", ANN, "ann-1"))
    received = receive(shop, asked("erasure", vouched="account"))
    run(shop)
    with shop.writing() as conn:
        replies.queue(shop, conn, received.id, "erased", "erased", day="5 January 2026")
    said = [one.said.subject for one in desk.shown(shop, received.id).letters]
    assert "Your data is deleted" in said


def test_a_plan_says_what_the_erasure_then_does_and_changes_nothing(shop: Site) -> None:
    person_id = ann(shop)
    before = count(shop, holding)
    planned = carrying.erasing.plan(shop, person_id)
    assert count(shop, holding) == before and count(shop, ending) == 0
    assert set(planned.goes) == {"email", "full_name", "delivery_address"} and planned.kept
    assert planned.until == shop.now() + days(20)


def test_an_erasure_can_be_undone_by_the_person_until_it_is_destroyed(
    shop: Site, mailbox: Mailbox, clock: MovedClock
) -> None:
    person_id = ann(shop)
    received = receive(shop, asked("erasure"))
    run(shop)
    carrying.confirm(shop, secret(mailbox, "confirm"))
    run(shop)
    with pytest.raises(Refused):
        vault.read(shop, person_id, ["email"], "service", By("system"))
    carrying.undo(shop, secret(mailbox, "undo"))
    assert vault.read(shop, person_id, ["email"], "service", By("system")).values == {"email": ANN["email"]}
    assert row(shop, received.id).outcome == "cancelled"
    with pytest.raises(InvalidInput):
        carrying.undo(shop, secret(mailbox, "undo"))


@pytest.mark.clause("F58")
def test_a_part_may_be_refused_with_an_end_and_the_rest_is_deleted(
    shop: Site, mailbox: Mailbox, clock: MovedClock
) -> None:
    collect(shop, Submission("register", ANN | {"phone": "+44 20 7946 0000"}, "ann-1"))
    received = receive(shop, asked("erasure"))
    part = desk.Refusal(
        "A tax inquiry.", "legal_duties", clock.now() + days(300), "privacy lead", ("full_name",), {"reference": "T-1"}
    )
    with pytest.raises(InvalidInput):
        desk.refuse(shop, received.id, replace(part, reason=""), "7")
    desk.refuse(shop, received.id, part, "7")
    desk.accept_evidence(shop, received.id, "passport seen", "7")
    carrying.carry(shop, received.id)
    clock.move(days(19))
    turn(shop)
    turn(shop)
    assert row(shop, received.id).outcome == "partly done"
    with shop.reading() as conn:
        left = conn.execute(select(holding.c.only_for)).scalars().all()
    assert len(left) == 1 and left[0] is not None
    run(shop)
    assert any("tax inquiry" in one.body("plain").lower() for one in mailbox.messages())


def test_a_version_that_comes_later_changes_nothing_about_a_request(shop: Site, clock: MovedClock) -> None:
    ann(shop)
    received = receive(shop, asked("erasure", vouched="staff"))
    with shop.writing() as conn:
        text = (shop.folder / "policy.yaml").read_text()
        text = text.replace("version: 1,", "version: 2,").replace("destroy within: 20 days", "destroy within: 10 days")
        decisions = (shop.folder / "decisions.yaml").read_text()
        versions.archive(conn, text, decisions, effective_at=clock.now(), at=clock.now())
    with shop.reading() as conn:
        assert conn.execute(select(ending.c.destroy_by)).scalar_one() == received.due_at
