"""Automated decisions: they read what is named and nothing else, and who asks for a review gets a decision by a person."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from tests.asking import ANN, ann, asked, run, secret
from tests.fixtures import SHOP, days
from tests.operators import mailing
from troth.clock import MovedClock
from troth.errors import InvalidInput, Refused
from troth.evidence.prove import prove
from troth.ledger import events
from troth.ledger.tables import entry
from troth.messages.mailbox import Mailbox
from troth.people import vault
from troth.people.vault import By
from troth.proof import Proof
from troth.rights import carrying, desk
from troth.rights.intake import receive
from troth.rights.tables import request
from troth.store import versions
from troth.store.site import Site

DECISION = "automated_decisions.pay_later"


@pytest.fixture
def shop(site: Site, mailbox: Mailbox) -> Site:
    return mailing(site, mailbox)


def shown(shop: Site) -> Proof:
    return next(one.proof for one in prove(shop).proven if one.promise.id == DECISION)


def row(shop: Site, request_id: str):  # type: ignore[no-untyped-def]
    with shop.reading() as conn:
        return conn.execute(select(request).where(request.c.id == request_id)).one()


def reviewing(shop: Site, mailbox: Mailbox) -> str:
    """A review that Ann asked for and confirmed; its number."""
    ann(shop)
    received = receive(shop, asked("review", text="I always paid."))
    run(shop)
    carrying.confirm(shop, secret(mailbox, "confirm"))
    run(shop)
    return received.id


def test_a_decision_reads_the_data_it_names_and_nothing_else(shop: Site) -> None:
    person_id = ann(shop)
    with pytest.raises(Refused):
        vault.read(shop, person_id, ["email"], "fulfil_order", By("system"))
    assert vault.read(shop, person_id, ["order_total"], "fulfil_order", By("system")).values["order_total"] == "2 lamps"
    assert (shown(shop).verdict, shown(shop).limit[:4]) == ("kept", "from")
    assert "0 requests for a review, none late" in shown(shop).evidence


@pytest.mark.parametrize("by", [By("staff", "sales"), By("system"), By("program", ref="01kz0000000000000000000000")])
def test_what_a_person_read_is_no_evidence_of_a_decision_by_a_machine(shop: Site, by: By) -> None:
    person_id = ann(shop)
    vault.read(shop, person_id, ["order_total"], "fulfil_order", by)
    found = shown(shop)
    if by.who == "staff":
        assert (found.verdict, found.evidence) == (
            "nothing to check yet",
            "no machine has read anything for it so far",
        )
        vault.read(shop, person_id, ["order_total"], "fulfil_order", By("system"))
        found = shown(shop)
    assert (found.verdict, found.measured) == ("kept", "1 opening of data by machines, all as the policy says")


def test_a_review_waits_for_a_person_and_names_what_was_decided(shop: Site, mailbox: Mailbox) -> None:
    number = reviewing(shop, mailbox)
    found = row(shop, number)
    assert (found.state, found.waits_for, found.about) == ("open", "staff", ["decision:pay_later"])
    letter = next(one for one in desk.shown(shop, number).letters if one.said.subject == "A person looks at it again")
    assert "whether you may pay later" in letter.said.lines[0]


@pytest.mark.parametrize(("changed", "outcome"), [(True, "changed"), (False, "stands")])
def test_a_review_ends_with_a_decision_and_its_reason(
    shop: Site, mailbox: Mailbox, changed: bool, outcome: str
) -> None:
    number = reviewing(shop, mailbox)
    desk.decide_review(shop, number, changed=changed, reason="Two orders were not counted.", by="0123")
    run(shop)
    assert (row(shop, number).state, row(shop, number).outcome) == ("closed", outcome)
    told = sorted(mailbox.messages(), key=lambda one: one.number)[-1]
    assert told.recipients == (ANN["email"],) and "Two orders were not counted." in told.body("plain")
    with shop.reading() as conn:
        entered = conn.scalars(select(entry.c.body).where(entry.c.event == events.REQUEST_ANSWERED)).all()
    assert json.loads(entered[-1])["outcome"] == outcome


def test_a_review_does_not_end_in_words_without_a_decision(shop: Site, mailbox: Mailbox) -> None:
    number = reviewing(shop, mailbox)
    with pytest.raises(Refused, match="ends with a decision"):
        desk.answer(shop, number, "Thank you for your message.", "0123")
    with pytest.raises(InvalidInput):
        desk.decide_review(shop, number, changed=False, reason=" ", by="0123")
    assert row(shop, number).state == "open"


def test_nobody_decides_for_somebody_who_has_not_shown_who_they_are(shop: Site) -> None:
    ann(shop)
    received = receive(shop, asked("review", channel="letter", by="0123"))
    with pytest.raises(Refused):
        desk.decide_review(shop, received.id, changed=True, reason="As you wish.", by="0123")


def test_a_review_that_is_answered_late_breaks_the_promise(shop: Site, mailbox: Mailbox, clock: MovedClock) -> None:
    """The lie: reviews are offered, and nobody at the desk looks at one."""
    reviewing(shop, mailbox)
    vault.read(shop, row(shop, _only(shop)).person_id, ["order_total"], "fulfil_order", By("system"))
    assert shown(shop).verdict == "kept" and "0 requests for a review, none late" in shown(shop).evidence
    clock.move(days(31))
    assert (shown(shop).verdict, shown(shop).measured) == ("broken", "1 request not answered in time")


def _only(shop: Site) -> str:
    with shop.reading() as conn:
        return str(conn.execute(select(request.c.id)).scalar_one())


def test_that_no_machine_decides_is_never_said_to_be_kept(shop: Site) -> None:
    """Nothing here can see what is decided elsewhere."""
    text = (SHOP / "policy.yaml").read_text().replace("version: 1", "version: 2")
    text = text.replace(
        "pay_later: {label: whether you may pay later, for: fulfil_order, ground: contract,",
        "pay_later: {label: whether you may pay later, made: never,",
    )
    with shop.writing() as conn:
        versions.archive(conn, text, (SHOP / "decisions.yaml").read_text(), effective_at=shop.now(), at=shop.now())
    assert (shown(shop).verdict, shown(shop).how) == ("not proven", "query")
    ann(shop)
    received = receive(shop, asked("review"))
    assert row(shop, received.id).about == [], "there is nothing to review"
