"""Requests from their arrival to their end, on both stores: nothing before verification, once, in time, and nothing lost."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from hashlib import sha256

import pytest
from sqlalchemy import insert, select, update

from tests.asking import ANN, ann, asked, run, secret
from tests.databases import StoreKind
from tests.fixtures import days
from tests.operators import mailing
from tests.submissions import count
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.consent.actions import choices
from troth.errors import InvalidInput, Refused
from troth.messages.actions import queue
from troth.messages.mailbox import Mailbox
from troth.people import vault
from troth.people.vault import By
from troth.retention.tables import ending
from troth.rights import carrying, desk, following, rules
from troth.rights.intake import receive, receive_in
from troth.rights.tables import reply, request, request_link, request_log, request_paper
from troth.store.site import Site
from troth.work import turn


@pytest.fixture
def shop(site: Site, mailbox: Mailbox) -> Site:
    return mailing(site, mailbox)


def offer(shop: Site, person_id: str, key: str) -> bool:
    with shop.writing() as conn:
        return queue(shop, conn, person_id, "offers", "letter", {"subject_line": "Lamps", "paragraphs": ["New."]}, key)


def row(shop: Site, request_id: str):  # type: ignore[no-untyped-def]
    with shop.reading() as conn:
        return conn.execute(select(request).where(request.c.id == request_id)).one()


@pytest.mark.clause("F61")
def test_nothing_is_done_before_the_address_on_file_confirms(shop: Site, mailbox: Mailbox) -> None:
    ann(shop)
    received = receive(shop, asked("erasure"))
    run(shop)
    assert received.state == "verifying" and count(shop, ending) == 0
    (letter,) = mailbox.messages()
    assert letter.recipients == (ANN["email"],) and "quay road" not in letter.body("plain").lower()
    carrying.confirm(shop, secret(mailbox, "confirm"))
    assert count(shop, ending) == 1 and row(shop, received.id).verified_by == "link"


@pytest.mark.clause("F63")
def test_a_link_works_once_and_for_its_time_and_the_database_holds_none(
    shop: Site, mailbox: Mailbox, clock: MovedClock
) -> None:
    ann(shop)
    receive(shop, asked("access"))
    run(shop)
    carrying.confirm(shop, secret(mailbox, "confirm"))
    run(shop)
    opened = secret(mailbox, "data")
    with shop.reading() as conn:
        kept = conn.execute(select(request_link)).all()
    assert sha256(opened.encode()).digest() in [bytes(one.digest) for one in kept] and len(opened) >= 43
    assert opened not in repr(kept)
    with ThreadPoolExecutor(4) as pool:
        visits = [one for one in pool.map(lambda _: _opened(shop, opened), range(4)) if one]
    (visit,) = visits
    with pytest.raises(InvalidInput):
        carrying.open_data(shop, opened)
    assert carrying.visitor(shop, visit) is not None
    clock.move(days(1))
    assert carrying.visitor(shop, visit) is None
    for guess in ("", "x" * 43, visit):
        with pytest.raises(InvalidInput):
            carrying.open_data(shop, guess)


def _opened(shop: Site, link: str) -> str:
    try:
        return carrying.open_data(shop, link)
    except InvalidInput:
        return ""


def test_looking_waits_for_no_writer(shop: Site, mailbox: Mailbox) -> None:
    ann(shop)
    received = receive(shop, asked("access", text="please"))
    run(shop)
    confirm = secret(mailbox, "confirm")
    carrying.confirm(shop, confirm)
    run(shop)
    visit = carrying.open_data(shop, secret(mailbox, "data"))
    with shop.writing() as writer:
        writer.execute(update(request).values(failures=1))
        found = carrying.visitor(shop, visit)
        assert found is not None and found[0].request_id == received.id
        assert desk.shown(shop, received.id).paper["text"] == "please"


def test_a_key_never_brings_back_another_request(shop: Site) -> None:
    person_id = ann(shop)
    first = receive(shop, asked("access", "one"))
    assert receive(shop, asked("access", "one")).id == first.id
    others = (
        asked("erasure", "one"),
        asked("access", "one", email="eve@else.example"),
        asked("access", "one", member="0" * 26, vouched="account"),
    )
    for other in others:
        with pytest.raises(InvalidInput):
            receive(shop, other)
    question = receive(shop, asked("question", "two", text="Who are you?"))
    desk.sort(shop, question.id, "access", "7")
    assert receive(shop, asked("question", "two")).id == question.id
    assert receive(shop, asked("access", "one", member=person_id)).id == first.id


def test_a_link_that_is_too_old_opens_nothing(shop: Site, mailbox: Mailbox, clock: MovedClock) -> None:
    ann(shop)
    receive(shop, asked("access"))
    run(shop)
    clock.move(days(3.01))
    with pytest.raises(InvalidInput):
        carrying.confirm(shop, secret(mailbox, "confirm"))


def test_somebody_unknown_is_told_so_at_their_own_address_and_nowhere_else(shop: Site, mailbox: Mailbox) -> None:
    received = receive(shop, asked("access", email="nobody@else.example"))
    run(shop)
    assert row(shop, received.id).outcome == "not found"
    (letter,) = mailbox.messages()
    assert letter.recipients == ("nobody@else.example",) and "hold nothing" in letter.subject


@pytest.mark.clause("F69", "I41")
def test_stopping_marketing_needs_no_proof_and_takes_back_what_waits(shop: Site, mailbox: Mailbox) -> None:
    person_id = collect(shop, Submission("register", ANN, "ann-1", choices={"marketing": True})).person_id
    assert offer(shop, person_id, "spring")
    received = receive(shop, asked("stop marketing", channel="e-mail"))
    assert row(shop, received.id).outcome == "done"
    with shop.reading() as conn:
        (chosen,) = choices(conn, [person_id])[person_id]
    assert (chosen.scope, chosen.state) == ("marketing", "withdrawn")
    run(shop)
    assert [one.message["Subject"] for one in mailbox.messages()] == ["Done: no more advertising"]
    assert not offer(shop, person_id, "summer")


def test_an_objection_stops_the_use_at_once_until_somebody_has_decided(shop: Site, mailbox: Mailbox) -> None:
    person_id = ann(shop)
    received = receive(shop, asked("objection", member=person_id, vouched="account", about=("accounts",)))
    with shop.reading() as conn:
        facts = vault.facts(shop, conn, [person_id], By("system"), shop.now(), purpose="accounts")[person_id]
    assert "objection:accounts" in facts and row(shop, received.id).state == "open"
    with pytest.raises(InvalidInput):
        desk.decide_objection(shop, received.id, goes_on=True, reason=" ", by="7")
    desk.decide_objection(shop, received.id, goes_on=True, reason="The law makes us keep our books.", by="7")
    with shop.reading() as conn:
        facts = vault.facts(shop, conn, [person_id], By("system"), shop.now(), purpose="accounts")[person_id]
    assert "objection:accounts" not in facts
    run(shop)
    assert any("keep our books" in one.body("plain") for one in mailbox.messages())


def test_the_same_wish_joins_the_one_that_is_open(shop: Site, mailbox: Mailbox) -> None:
    ann(shop)
    first = receive(shop, asked("erasure", "a"))
    again = receive(shop, asked("erasure", "a"))
    other = receive(shop, asked("erasure", "b", channel="letter", by="7", text="All of it, please."))
    assert first.id == again.id == other.id and again.joined and other.joined
    assert count(shop, request) == 1 and count(shop, request_log) == 2
    assert [one.words for one in desk.shown(shop, first.id).steps if one.act == "joined"] == ["All of it, please."]


@pytest.mark.parametrize("address", [ANN["email"], "nobody@else.example"])
def test_nobody_fills_somebody_elses_mailbox(shop: Site, mailbox: Mailbox, clock: MovedClock, address: str) -> None:
    ann(shop)
    for number in range(6):
        for right in ("erasure", "access", "stop marketing", "complaint"):
            receive(shop, asked(right, f"{right[:4]}-{number}", email=address))
            run(shop)
    assert len(mailbox.messages()) == rules.MAILS_A_DAY
    clock.move(days(1))
    receive(shop, asked("restriction", "next-day", email=address))
    run(shop)
    assert len(mailbox.messages()) == rules.MAILS_A_DAY + 1


def test_whoever_has_shown_who_they_are_gets_every_answer(shop: Site, mailbox: Mailbox) -> None:
    ann(shop)
    for number in range(rules.MAILS_A_DAY + 1):
        received = receive(shop, asked("access", f"a{number}"))
        run(shop)
        carrying.confirm(shop, secret(mailbox, "confirm"))
        run(shop)
        assert row(shop, received.id).outcome == "done"
    assert len(mailbox.messages()) == 2 * (rules.MAILS_A_DAY + 1)


def test_whoever_never_confirms_is_told_that_nothing_was_done(shop: Site, mailbox: Mailbox, clock: MovedClock) -> None:
    ann(shop)
    received = receive(shop, asked("erasure"))
    clock.move(rules.VERIFY_WITHIN)
    turn(shop)
    assert row(shop, received.id).outcome == "not verified" and count(shop, ending) == 0


@pytest.mark.parametrize("first", ["sorted", "verified"])
def test_a_wish_in_free_words_is_carried_out_once_it_is_sorted_and_its_writer_verified(shop: Site, first: str) -> None:
    ann(shop)
    received = receive(shop, asked("question", text="Delete me."))
    if first == "sorted":
        desk.sort(shop, received.id, "erasure", "7")
    desk.accept_evidence(shop, received.id, "called back", "7")
    run(shop)
    if first == "verified":
        assert (row(shop, received.id).state, row(shop, received.id).waits_for) == ("open", "staff")
        desk.sort(shop, received.id, "erasure", "7")
        run(shop)
    assert count(shop, ending) == 1 and row(shop, received.id).ending_id is not None


def test_a_correction_in_free_words_is_made_once_staff_have_read_it(shop: Site, mailbox: Mailbox) -> None:
    person_id = ann(shop)
    received = receive(shop, asked("correction", text="I have moved to 2 Mill Lane."))
    run(shop)
    carrying.confirm(shop, secret(mailbox, "confirm"))
    run(shop)
    assert (row(shop, received.id).state, row(shop, received.id).waits_for) == ("open", "staff")
    desk.sort(shop, received.id, "correction", "7", {"delivery_address": "2 Mill Lane"})
    run(shop)
    assert row(shop, received.id).outcome == "done"
    held = vault.read(shop, person_id, ["delivery_address"], "own_access", By("person", ref=person_id)).values
    assert held == {"delivery_address": "2 Mill Lane"}


def test_evidence_is_weighed_three_times_and_no_more(shop: Site) -> None:
    ann(shop)
    received = receive(shop, asked("erasure", channel="letter", by="7"))
    with pytest.raises(InvalidInput):
        desk.accept_evidence(shop, received.id, "  ", "7")
    for left in (2, 1, 0):
        assert desk.reject_evidence(shop, received.id, "the signature differs", "7") == left
    with pytest.raises(Refused):
        desk.accept_evidence(shop, received.id, "passport seen", "7")
    assert row(shop, received.id).outcome == "not verified"


@pytest.mark.clause("F59")
def test_a_refusal_names_its_reason_its_end_and_who_approved_it(
    shop: Site, mailbox: Mailbox, clock: MovedClock
) -> None:
    ann(shop)
    received = receive(shop, asked("access", vouched="staff"))
    good = desk.Refusal("It would reveal somebody else.", "", clock.now() + days(30), "privacy lead")
    for bad in (replace(good, reason=""), replace(good, approver=" "), replace(good, ends_at=clock.now())):
        with pytest.raises(InvalidInput):
            desk.refuse(shop, received.id, bad, "7")
    desk.refuse(shop, received.id, good, "7")
    run(shop)
    (letter,) = (one for one in mailbox.messages() if "about your request" in one.subject.lower())
    said = ("reveal somebody else", "privacy lead", "https://ico.org.uk/make-a-complaint/")
    assert all(word in letter.body("plain") for word in said)


def test_the_time_is_prolonged_once_and_only_by_a_law(shop: Site) -> None:
    received = receive(shop, asked("question"))
    with pytest.raises(Refused):
        desk.extend(shop, received.id, "it is hard", "7")


def test_staff_are_reminded_and_a_late_request_is_an_alarm(shop: Site, mailbox: Mailbox, clock: MovedClock) -> None:
    received = receive(shop, asked("question", text="what do you have?"))
    clock.move(days(24))
    turn(shop)
    run(shop)
    assert [one.recipients for one in mailbox.messages() if "is due on" in one.subject] == [("privacy@shop.example",)]
    assert list(following.alarms(shop)) == []
    clock.move(days(6))
    assert [one.subject for one in following.alarms(shop)] == [received.id]


def test_many_requests_that_are_due_soon_keep_no_other_waiting(shop: Site, mailbox: Mailbox, clock: MovedClock) -> None:
    ann(shop)
    unverified = receive(shop, asked("erasure"))
    (due_soon,) = [dict(row(shop, receive(shop, asked("question", "r-2", text="why?")).id)._mapping)]
    clock.move(rules.VERIFY_WITHIN)
    soon = {"due_at": shop.now() + days(1), "reminded_at": shop.now()}
    with shop.writing() as conn:
        for number in range(300):
            conn.execute(insert(request).values(**due_soon | soon | {"id": f"{number:026}", "key": f"k-{number}"}))
    following.follow(shop)
    assert row(shop, unverified.id).outcome == "not verified"


def test_an_answer_that_cannot_be_delivered_waits_for_staff(shop: Site, mailbox: Mailbox) -> None:
    ann(shop)
    received = receive(shop, asked("access", vouched="staff"))
    with shop.writing() as conn:
        conn.execute(update(reply).values(state="failed"))
    following.follow(shop)
    assert (row(shop, received.id).state, row(shop, received.id).waits_for) == ("open", "staff")


def test_a_request_whose_mail_to_confirm_never_arrives_waits_for_staff(
    shop: Site, mailbox: Mailbox, clock: MovedClock
) -> None:
    ann(shop)
    received = receive(shop, asked("erasure"))
    with shop.writing() as conn:
        conn.execute(update(reply).values(state="failed"))
    following.follow(shop)
    clock.move(rules.VERIFY_WITHIN)  # and does not end by itself, since nobody was asked
    following.follow(shop)
    assert (row(shop, received.id).state, row(shop, received.id).waits_for) == ("open", "staff")
    assert [step.act for step in desk.shown(shop, received.id).steps] == ["received", "cannot deliver"]
    desk.accept_evidence(shop, received.id, "called back", "7")
    assert row(shop, received.id).state == "carrying out"


def test_one_mail_to_confirm_that_arrives_is_enough(shop: Site, mailbox: Mailbox) -> None:
    ann(shop)
    received = receive(shop, asked("erasure"))
    run(shop)
    receive(shop, asked("erasure", "r-2"))
    with shop.writing() as conn:
        conn.execute(update(reply).where(reply.c.state == "queued").values(state="failed"))
    following.follow(shop)
    carrying.confirm(shop, secret(mailbox, "confirm"))
    assert row(shop, received.id).verified_by == "link"


def test_a_request_that_is_none_is_not_recorded(shop: Site) -> None:
    for bad in (
        asked("everything"),
        asked("access", ""),
        asked("access", text="x" * 30_000),
        asked("access", language="fr"),
    ):
        with pytest.raises(InvalidInput):
            receive(shop, bad)
    assert count(shop, request) == count(shop, request_paper) == count(shop, request_log) == 0


def test_what_is_recorded_and_not_begun_is_done_by_the_worker(shop: Site) -> None:
    ann(shop)
    with shop.writing() as conn:  # as after a crash between the commit and the first step
        received = receive_in(shop, conn, asked("erasure", vouched="staff"))
    assert count(shop, ending) == 0
    run(shop)
    run(shop)
    assert count(shop, ending) == 1 and row(shop, received.id).state == "carrying out"


@pytest.mark.parametrize("right", [one for one in rules.RIGHTS if one not in {"complaint", "question"}])
def test_cancelling_works_while_it_can(shop: Site, right: str, store_kind: StoreKind) -> None:
    ann(shop)
    received = receive(shop, asked(right))
    waits = row(shop, received.id).state != "closed"
    assert waits is (right not in {"stop marketing"}), "this alone is done at once"
    assert carrying.cancel(shop, received.id, "person") is waits
    assert row(shop, received.id).outcome == ("cancelled" if waits else "done")
