"""Changing the address one logs in with, on both stores: confirmed by the new one, told to the old one, whole or not at all."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from tests.crashing import KILLED, die_at_commit_after, exit_of
from tests.fixtures import days
from tests.members import ANN, PASSWORD, Door
from tests.operators import erased
from troth.accounts import actions, address
from troth.accounts.sessions import Member, log_in, who
from troth.accounts.tables import once
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.errors import InvalidInput, Refused
from troth.logins.rules import TRIES
from troth.messages.links import once_token
from troth.people import vault
from troth.people.tables import identifier, moving
from troth.people.vault import By
from troth.recipients import gate
from troth.recipients.tables import DELIVERED, disclosure
from troth.retention.ending import destroy_due
from troth.store.site import Site, open_site
from troth.work import turn

OLD, NEW = ANN["email"], "ann.wren@new.example"


@pytest.fixture
def ann(door: Door) -> Member:
    return door.member()


def ask(door: Door, ann: Member, new: str = NEW) -> str:
    """Ask for ``new`` and return the secret of the link that it was sent."""
    address.ask(door.site, ann, new, PASSWORD)
    return door.token("address", to=new)


def held(site: Site, member: Member) -> list[str]:
    """The addresses in everything that is held about somebody."""
    by = By("person", ref=member.person_id)
    return [one.fields["email"] for one in vault.everything(site, member.person_id, by) if "email" in one.fields]


def found(site: Site, value: str) -> str | None:
    with site.reading() as conn:
        return vault.find(site, conn, "email", value)


def waiting(site: Site) -> int:
    with site.reading() as conn:
        return len(conn.execute(select(moving)).all())


def test_an_address_changes_when_whoever_reads_its_mail_says_so(door: Door, ann: Member) -> None:
    order = {**ANN, "delivery_address": "1 Lamp Street", "order_total": "2 lamps"}
    collect(door.site, Submission("order", order, "order-1"))
    token = ask(door, ann)
    assert found(door.site, OLD) == ann.person_id and found(door.site, NEW) is None
    assert log_in(door.site, OLD, PASSWORD)
    assert address.confirm(door.site, token) == ann.person_id
    assert held(door.site, ann) == [NEW, NEW]
    assert found(door.site, NEW) == ann.person_id and found(door.site, OLD) is None
    assert who(door.site, log_in(door.site, NEW, PASSWORD).secret) is not None
    with pytest.raises(Refused):
        log_in(door.site, OLD, PASSWORD)
    assert waiting(door.site) == 0


def test_the_old_address_hears_of_it_before_anything_changes(door: Door, ann: Member) -> None:
    address.ask(door.site, ann, NEW, PASSWORD)
    assert any("another address" in letter for letter in door.letters(OLD))
    assert not any(NEW in letter for letter in door.letters(OLD))
    assert held(door.site, ann) == [OLD]


def test_an_old_address_whose_mail_is_late_is_told_all_the_same(door: Door, ann: Member) -> None:
    before = len(door.letters(OLD))
    address.ask(door.site, ann, NEW, PASSWORD)
    with door.site.reading() as conn:
        made = conn.scalars(select(once.c.id).where(once.c.what == "address")).one()
    address.confirm(door.site, once_token(door.site, made))  # before any of the mail has left
    assert waiting(door.site) == 1
    assert len(door.letters(OLD)) == before + 1
    assert "another address" in door.letters(OLD)[-1]


def test_the_old_address_is_free_for_somebody_else(door: Door, ann: Member) -> None:
    address.confirm(door.site, ask(door, ann))
    bob = door.member("reg-2", full_name="Bob Finch", phone="+44 20 7946 0199")
    assert bob.person_id != ann.person_id
    assert held(door.site, bob) == [OLD] and held(door.site, ann) == [NEW]


def test_mail_goes_to_the_new_address_from_then_on(door: Door, ann: Member) -> None:
    token = ask(door, ann)
    actions.forgot(door.site, OLD)
    address.confirm(door.site, token)
    run = len(door.letters(OLD))
    actions.forgot(door.site, NEW)
    assert "/account/link/" in door.letters(NEW)[-1]
    assert len(door.letters(OLD)) == run


def test_a_recipient_who_was_given_the_old_address_a_moment_before_is_given_the_new_one(
    door: Door, ann: Member, clock: MovedClock
) -> None:
    site, boxes = door.site, {"newsletter_house": True, "marketing": True}
    collect(site, Submission("register", ANN, "reg-2", choices=boxes))
    token = ask(door, ann)
    gate.disclose(site, ann.person_id, "newsletter_house", ["email"], "marketing")
    with site.writing() as conn:
        conn.execute(update(disclosure).values(state=DELIVERED))
    clock.move(timedelta(milliseconds=300))  # within the second
    address.confirm(site, token)
    turn(site)
    with site.reading() as conn:
        assert len(conn.execute(select(disclosure.c.id)).all()) == 2


def test_a_link_works_once_and_only_for_what_it_was_sent(door: Door, ann: Member, clock: MovedClock) -> None:
    first = ask(door, ann, "one@new.example")
    second = ask(door, ann, "two@new.example")
    with pytest.raises(InvalidInput):
        address.confirm(door.site, first)  # else whoever reads the first would have confirmed the second
    with pytest.raises(InvalidInput):
        actions.choose_password(door.site, second, "another long password")
    address.confirm(door.site, second)
    assert held(door.site, ann) == ["two@new.example"]
    for spent in (first, second, "guessed", ""):
        with pytest.raises(InvalidInput):
            address.confirm(door.site, spent)
    actions.forgot(door.site, "two@new.example")
    with pytest.raises(InvalidInput):
        address.confirm(door.site, door.token())


@pytest.mark.parametrize("how", ["time", "a new password", "staying", "closing", "suspension"])
def test_what_ends_a_change_ends_its_link(door: Door, ann: Member, clock: MovedClock, how: str) -> None:
    token = ask(door, ann)
    if how == "time":
        clock.move(days(1.01))
    elif how == "a new password":
        actions.forgot(door.site, OLD)
        actions.choose_password(door.site, door.token(), PASSWORD)
    elif how == "staying":
        address.give_up(door.site, ann)
    elif how == "closing":
        actions.cancel(door.site, ann.person_id)
    else:
        actions.suspend(door.site, ann.person_id, "Orders were paid with stolen cards.")
    with pytest.raises((InvalidInput, Refused)):
        address.confirm(door.site, token)
    assert held(door.site, ann) == [OLD]
    clock.move(days(1.01))
    turn(door.site)
    assert waiting(door.site) == 0


def test_an_address_of_somebody_else_is_not_taken_and_its_owner_is_told(door: Door, ann: Member) -> None:
    bob = door.member("reg-2", email="bob@shop.example", phone="+44 20 7946 0199")
    before = len(door.letters("bob@shop.example"))
    address.ask(door.site, ann, "bob@shop.example", PASSWORD)
    address.ask(door.site, ann, "bob@shop.example", PASSWORD)
    letters = door.letters("bob@shop.example")[before:]
    assert len(letters) == 1 and "/account/address/" not in letters[0]
    assert address.waiting(door.site, ann) == "bob@shop.example"  # as it would for anybody's
    assert found(door.site, "bob@shop.example") == bob.person_id


def test_an_address_that_became_anothers_meanwhile_stays_theirs(door: Door, ann: Member) -> None:
    token = ask(door, ann)
    bob = door.member("reg-2", email=NEW, full_name="Bob Finch", phone="+44 20 7946 0199")
    with pytest.raises(InvalidInput):
        address.confirm(door.site, token)
    assert found(door.site, NEW) == bob.person_id and found(door.site, OLD) == ann.person_id
    assert held(door.site, ann) == [OLD]


@pytest.mark.parametrize("unfit", ["", "no address", "Ann.Sparrow@", OLD, "ann@SHOP.example", "4111 1111 1111 1111"])
def test_what_is_no_new_address_is_refused(door: Door, ann: Member, unfit: str) -> None:
    with pytest.raises(InvalidInput):
        address.ask(door.site, ann, unfit, PASSWORD)
    assert waiting(door.site) == 0


def test_a_stolen_session_moves_nothing_and_strangers_are_not_written_to_often(door: Door, ann: Member) -> None:
    with pytest.raises(Refused):
        address.ask(door.site, ann, NEW, "not the password")
    assert waiting(door.site) == 0
    for n in range(TRIES):
        address.ask(door.site, ann, f"stranger{n}@new.example", PASSWORD)
    with pytest.raises(Refused, match="too many"):
        address.ask(door.site, ann, "stranger9@new.example", PASSWORD)


def test_neither_address_is_in_the_database_in_the_clear(door: Door, ann: Member) -> None:
    ask(door, ann)
    with door.site.reading() as conn:
        kept = [str(row) for table in (moving, identifier) for row in conn.execute(select(table))]
        kept += [str(row) for row in conn.exec_driver_sql("SELECT CAST(terms AS TEXT), key FROM message")]
    assert not [row for row in kept if "new.example" in row or OLD in row]


def test_a_waiting_address_goes_with_its_person(door: Door, ann: Member, clock: MovedClock) -> None:
    ask(door, ann)
    until = erased(door.site, ann.person_id)
    clock.at = until
    destroy_due(door.site)
    assert waiting(door.site) == 0


def _confirming(folder: Path, urls: dict[str, str], at: datetime, token: str) -> None:
    site = open_site(folder, MovedClock(at), **urls)
    die_at_commit_after(site, "DELETE FROM identifier")
    address.confirm(site, token)


def test_a_killed_confirmation_changed_nothing_and_its_link_is_good(door: Door, ann: Member, clock: MovedClock) -> None:
    token = ask(door, ann)
    urls = {
        "database": door.site.engine.url.render_as_string(hide_password=False),
        "keys": door.site.keys.url.render_as_string(hide_password=False),
    }
    assert exit_of(_confirming, door.site.folder, urls, clock.at, token) == KILLED
    assert found(door.site, OLD) == ann.person_id and held(door.site, ann) == [OLD]
    address.confirm(door.site, token)
    assert found(door.site, NEW) == ann.person_id
