"""Somebody who asked to be deleted is out of every reach: no replay believes what was let through about them afterwards."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, text, update

from tests.actions.lives import CONTACT, admit, customer, publish
from tests.actions.test_holds import COURIER, FINANCE, SYSTEM, erase, hold, opens
from tests.actions.test_sweep import NO_ARCHIVE
from tests.fixtures import START, days
from troth import ledger
from troth.agenda import run_due
from troth.clock import MovedClock
from troth.evidence.entries import EVERYTHING
from troth.evidence.prove import prove
from troth.evidence.replay import Replay
from troth.ledger import events
from troth.people.tables import holding
from troth.proof import Proof
from troth.recipients import gate
from troth.recipients.tables import instruction
from troth.retention import destroy
from troth.retention.ending import destroy_due, restore
from troth.store.site import Site
from troth.work import HANDLERS


def reached(site: Site) -> int:
    """How often a replay finds somebody who had left; nothing else may be wrong."""
    with site.reading() as conn:
        found = Replay().heard(conn)
    assert found.reached == found.replayed[EVERYTHING].wrong
    return found.reached


def back_in_use(site: Site, person_id: str) -> None:
    """The lie, told with a database tool: somebody who is on the way out is put back into use, with all that they gave."""
    with site.writing() as conn:
        columns = ", ".join(holding.c.keys())
        mine = {"who": person_id}
        conn.execute(text("UPDATE person SET state = 'active', only_for = NULL WHERE id = :who"), mine)
        conn.execute(
            text(f"INSERT INTO holding ({columns}) SELECT {columns} FROM quarantined WHERE person_id = :who"), mine
        )
        conn.execute(text("DELETE FROM quarantined WHERE person_id = :who"), mine)


def test_who_is_read_after_asking_to_be_deleted_breaks_the_promise(site: Site, clock: MovedClock) -> None:
    leo = admit(site, "lead", CONTACT, "contact")
    assert opens(site, leo, "email", "service", SYSTEM)
    erase(site, leo)
    clock.move(days(1))
    assert not opens(site, leo, "email", "service", SYSTEM) and reached(site) == 0
    back_in_use(site, leo)
    assert opens(site, leo, "email", "service", SYSTEM), "Troth itself lets it through"
    assert reached(site) == 1
    erasure = next(one.proof for one in prove(site).proven if one.promise.id == "erasure")
    assert erasure.verdict == "broken"
    assert "1 decision about people who were out of every reach" in erasure.measured


def told(site: Site) -> Proof:
    return next(one.proof for one in prove(site).proven if one.promise.id == "erasure")


def destroyed_customer(site: Site, clock: MovedClock) -> None:
    """Somebody whose data the courier had was erased, and is gone."""
    publish(site, NO_ARCHIVE, "")
    ann = customer(site)
    gate.disclose(site, ann, "courier", ["full_name"], "fulfil_order")
    run_due(site, HANDLERS)
    with site.reading() as conn:
        (waits,) = gate.disclosures(conn, ann)
    gate.hand_over(site, waits.id)
    erase(site, ann)
    clock.move(days(19))
    destroy_due(site)


def test_a_recipient_that_was_told_keeps_the_promise(site: Site, clock: MovedClock) -> None:
    destroyed_customer(site, clock)
    assert told(site).verdict == "kept"


def test_a_recipient_that_nobody_told_breaks_the_promise(
    site: Site, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(destroy, "instruct", lambda *_: 0)
    destroyed_customer(site, clock)
    found = told(site)
    assert found.verdict == "broken" and "not told to delete data of 1 person" in found.measured


def test_an_instruction_from_before_the_last_disclosure_is_none(site: Site, clock: MovedClock) -> None:
    destroyed_customer(site, clock)
    with site.writing() as conn:
        conn.execute(update(instruction).values(at=START - days(1)))
    assert told(site).verdict == "broken"
    with site.writing() as conn:
        conn.execute(delete(instruction))
    assert told(site).verdict == "broken"


def test_who_was_put_back_in_time_may_be_read_again(site: Site, clock: MovedClock) -> None:
    leo = admit(site, "lead", CONTACT, "contact")
    begun = erase(site, leo)
    clock.move(days(1))
    with site.writing() as conn:
        restore(site, conn, begun)
    assert opens(site, leo, "email", "service", SYSTEM) and reached(site) == 0


def test_what_a_hold_and_an_archive_keep_may_be_read_for_that_and_for_nothing_else(
    site: Site, clock: MovedClock
) -> None:
    ann = customer(site)
    hold(site, ann)
    erase(site, ann)
    clock.move(days(20))
    destroy_due(site)
    assert opens(site, ann, "delivery_address", "fulfil_order", COURIER)
    assert opens(site, ann, "order_total", "accounts", FINANCE)
    assert reached(site) == 0
    with site.writing() as conn:
        conn.execute(text("UPDATE person SET only_for = NULL, state = 'active' WHERE id = :who"), {"who": ann})
        conn.execute(text("UPDATE holding SET only_for = NULL WHERE person_id = :who"), {"who": ann})
    assert opens(site, ann, "full_name", "service", SYSTEM) and reached(site) == 1


def test_who_went_with_many_others_is_out_of_reach_from_their_destruction(site: Site, clock: MovedClock) -> None:
    """Of those the ledger says who they are when they are destroyed."""
    leo = admit(site, "lead", CONTACT, "contact")
    assert opens(site, leo, "email", "service", SYSTEM)
    with site.writing() as conn:
        body = {"ending": "e1", "cause": "shop:closed", "holdings": 1, "people": 1, "gone": [leo]}
        ledger.append(conn, site.now(), events.ENDING_DESTROYED, body)
    assert reached(site) == 0
    clock.move(days(1))
    assert opens(site, leo, "email", "service", SYSTEM) and reached(site) == 1
