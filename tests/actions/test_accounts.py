"""Accounts on both stores: opened by whoever reads the mail, closed to guessing, left in two ways."""

import threading
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import event, select

from tests.crashing import KILLED, die_at_commit_after, exit_of
from tests.fixtures import days
from tests.members import ANN, PASSWORD, Door
from tests.operators import erased
from tests.submissions import count
from troth.accounts import actions, profile, sessions
from troth.accounts.rules import MAILS_A_DAY
from troth.accounts.sessions import log_in, who
from troth.accounts.tables import account, attempt, once, session
from troth.clock import MovedClock
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.errors import InvalidInput, Refused, TrothError
from troth.ledger.tables import entry
from troth.logins.rules import TRIES, WITHIN
from troth.messages.links import once_token
from troth.people import vault
from troth.people.tables import holding, person
from troth.people.vault import By
from troth.retention.ending import destroy_due
from troth.rights.centre import Visitor, use_again
from troth.rights.intake import receive
from troth.rights.rules import Intake
from troth.store.site import Site, open_site
from troth.work import turn


def states(site: Site) -> list[str]:
    with site.reading() as conn:
        return list(conn.scalars(select(account.c.state)))


def test_an_account_stays_closed_until_its_address_is_confirmed(door: Door) -> None:
    door.register()
    assert states(door.site) == ["waiting"]
    with pytest.raises(Refused):
        log_in(door.site, ANN["email"], PASSWORD)
    actions.choose_password(door.site, door.token(), PASSWORD)
    assert states(door.site) == ["open"]
    assert door.logged_in().person_id


def test_a_link_works_once_and_an_older_one_not_at_all(door: Door) -> None:
    door.register()
    first = door.token()
    actions.forgot(door.site, ANN["email"])
    second = door.token()
    assert first != second
    actions.choose_password(door.site, second, PASSWORD)
    for spent in (first, second, "guessed", ""):
        with pytest.raises(InvalidInput, match="no longer good"):
            actions.choose_password(door.site, spent, "another long password")
    assert door.logged_in()


def test_a_link_ends_with_its_time(door: Door, clock: MovedClock) -> None:
    door.register()
    token = door.token()
    clock.move(days(1.01))
    assert not sessions.link_is_good(door.site, token)
    with pytest.raises(InvalidInput):
        actions.choose_password(door.site, token, PASSWORD)
    assert states(door.site) == ["waiting"]


def test_the_address_is_no_password_and_its_link_stays_good(door: Door) -> None:
    door.register()
    token = door.token()
    for spelling in (ANN["email"], ANN["email"].replace("shop", "SHOP"), f" {ANN['email']} "):
        with pytest.raises(InvalidInput, match="too easy"):
            actions.choose_password(door.site, token, spelling)
    actions.choose_password(door.site, token, PASSWORD)


def test_of_two_who_press_at_once_one_wins(door: Door) -> None:
    door.register()
    token, won = door.token(), []

    def press(words: str) -> None:
        try:
            actions.choose_password(door.site, token, words)
            won.append(words)
        except TrothError:
            pass

    pressing = [threading.Thread(target=press, args=(f"the password of tab {n}",)) for n in range(4)]
    for one in pressing:
        one.start()
    for one in pressing:
        one.join()
    assert len(won) == 1
    assert log_in(door.site, ANN["email"], won[0]).secret


def test_a_leaked_database_opens_no_account(door: Door) -> None:
    member = door.member()
    actions.forgot(door.site, ANN["email"])
    token = door.token()
    secret = log_in(door.site, ANN["email"], PASSWORD).secret
    with door.site.reading() as conn:
        kept = [str(row) for table in (account, session, once, attempt) for row in conn.execute(select(table))]
        kept += [str(row) for row in conn.execute(select(entry.c.body))]
        kept += [row.terms for row in conn.exec_driver_sql("SELECT CAST(terms AS TEXT) AS terms FROM message")]
    for secret_words in (PASSWORD, token, secret, ANN["email"]):
        assert not [row for row in kept if secret_words in row]
    assert member.person_id


def test_an_address_with_an_account_takes_no_registration_and_its_owner_is_told(door: Door) -> None:
    door.member()
    held, people = count(door.site, holding), count(door.site, person)
    door.register("reg-2", full_name="Eve Crow")
    door.register("reg-2", full_name="Eve Crow")
    assert (count(door.site, holding), count(door.site, person)) == (held, people)
    told = [letter for letter in door.letters() if "has an account already" in letter]
    assert len(told) == 1
    with pytest.raises(InvalidInput):
        door.register("reg-3", phone="no number")
    with pytest.raises(Refused):
        door.register("reg-4", birth_date="2015-01-01")


def test_a_new_registration_before_the_first_was_confirmed_counts(door: Door) -> None:
    door.register(full_name="Mistyped")
    older = door.token()
    door.register("reg-2")
    actions.choose_password(door.site, door.token(), PASSWORD)
    member = door.logged_in()
    assert profile.read(door.site, door.site.policy(), member, "register")["full_name"] == "Ann Sparrow"
    assert not sessions.link_is_good(door.site, older)


def test_guessing_is_slowed_down_whether_there_is_an_account_or_not(door: Door, clock: MovedClock) -> None:
    door.member()
    for address in (ANN["email"], "nobody@shop.example"):
        said = set()
        for _ in range(TRIES):
            with pytest.raises(Refused) as wrong:
                log_in(door.site, address, "not the password")
            said.add(str(wrong.value))
        with pytest.raises(Refused) as closed:
            log_in(door.site, address, PASSWORD)
        assert said == {str(closed.value)}
    clock.move(WITHIN)
    assert door.logged_in()


def test_a_closed_door_opens_in_time_whoever_goes_on_trying(door: Door, clock: MovedClock) -> None:
    door.member()
    for _ in range(TRIES):
        _wrong(door.site)
    for _ in range(4):
        clock.move(WITHIN / 5)
        for _ in range(2):
            _wrong(door.site)
    clock.move(WITHIN / 5)
    assert door.logged_in()


def test_a_new_password_opens_the_door_at_once(door: Door) -> None:
    member = door.member()
    for _ in range(TRIES):
        _wrong(door.site)
        with pytest.raises(Refused):
            sessions.prove_password(door.site, member, "a guess")
    actions.forgot(door.site, ANN["email"])
    actions.choose_password(door.site, door.token(), PASSWORD)
    sessions.prove_password(door.site, door.logged_in(), PASSWORD)


@pytest.mark.parametrize("whose", ["a member's", "nobody's"])
def test_another_spelling_of_an_address_gets_no_fresh_tries(door: Door, whose: str) -> None:
    composed, apart = "zo\u00eb@shop.example", "zoe\u0308@shop.example"
    if whose == "a member's":
        door.register(email=composed)
        with door.site.reading() as conn:
            link = conn.scalars(select(once.c.id)).one()
        actions.choose_password(door.site, once_token(door.site, link), PASSWORD)
    for address in (composed, apart, composed.replace("shop", "SHOP"), f" {apart} ", composed, apart):
        with pytest.raises(Refused):
            log_in(door.site, address, "not the password")
    assert count(door.site, attempt) == TRIES
    with pytest.raises(Refused):
        log_in(door.site, composed, PASSWORD)


def test_tries_at_once_are_counted_one_by_one(door: Door) -> None:
    door.member()
    tries = [threading.Thread(target=_wrong, args=(door.site,)) for _ in range(TRIES + 3)]
    for one in tries:
        one.start()
    for one in tries:
        one.join()
    assert count(door.site, attempt) == TRIES
    with pytest.raises(Refused):
        log_in(door.site, ANN["email"], PASSWORD)


def _wrong(site: Site) -> None:
    with pytest.raises(Refused):
        log_in(site, ANN["email"], "not the password")


def test_tries_are_forgotten_after_a_day(door: Door, clock: MovedClock) -> None:
    _wrong(door.site)
    clock.move(days(1))
    turn(door.site)
    assert count(door.site, attempt) == 0


def test_a_session_ends_with_its_time_its_log_out_and_a_new_password(door: Door, clock: MovedClock) -> None:
    door.member()
    one, two, three = (log_in(door.site, ANN["email"], PASSWORD) for _ in range(3))
    member = who(door.site, one.secret)
    assert member is not None
    sessions.log_out(door.site, member)
    assert who(door.site, one.secret) is None and who(door.site, two.secret) is not None
    clock.at = two.ends_at
    assert who(door.site, two.secret) is None
    actions.forgot(door.site, ANN["email"])
    fresh = log_in(door.site, ANN["email"], PASSWORD)
    actions.choose_password(door.site, door.token(), "eight louder lamps")
    assert who(door.site, fresh.secret) is None and who(door.site, three.secret) is None
    assert who(door.site, "guessed") is None and who(door.site, None) is None


def test_a_suspended_member_cannot_act_and_is_told_why(door: Door) -> None:
    door.member()
    secret = log_in(door.site, ANN["email"], PASSWORD).secret
    member = who(door.site, secret)
    assert member is not None
    actions.suspend(door.site, member.person_id, "Orders were paid with stolen cards.")
    assert who(door.site, secret) is None
    with pytest.raises(Refused, match="suspended") as told:
        log_in(door.site, ANN["email"], PASSWORD)
    assert told.value.hint == "Orders were paid with stolen cards."


@pytest.mark.parametrize("state", ["open", "waiting"])
def test_nobody_fills_a_mailbox_by_typing_its_address(door: Door, clock: MovedClock, state: str) -> None:
    door.member() if state == "open" else door.register()
    before = len(door.letters())
    for n in range(MAILS_A_DAY):
        clock.move(days(0.01))
        actions.forgot(door.site, ANN["email"])
        door.register(f"again-{n}")
    room = MAILS_A_DAY if state == "open" else MAILS_A_DAY - 1
    assert len(door.letters()) == before + room
    newest = door.token()
    actions.forgot(door.site, ANN["email"])
    assert sessions.link_is_good(door.site, newest), "the last one that was sent"
    clock.move(days(1))
    actions.forgot(door.site, ANN["email"])
    actions.choose_password(door.site, door.token(), PASSWORD)
    for _ in range(MAILS_A_DAY):
        actions.forgot(door.site, ANN["email"])
    assert len(door.letters()) == before + room + 1 + MAILS_A_DAY


def test_of_two_links_to_a_new_password_the_newer_counts(door: Door) -> None:
    door.member()
    actions.forgot(door.site, ANN["email"])
    older = door.token()
    actions.forgot(door.site, ANN["email"])
    assert not sessions.link_is_good(door.site, older)
    actions.choose_password(door.site, door.token(), "eight louder lamps")


@pytest.mark.parametrize(("act", "left"), [("suspend", "suspended"), ("cancel", "closed")])
def test_a_password_that_is_chosen_meanwhile_opens_no_account_that_was_left(door: Door, act: str, left: str) -> None:
    ann = door.member().person_id
    actions.forgot(door.site, ANN["email"])
    token = door.token()
    acts = {"suspend": lambda: actions.suspend(door.site, ann, "Orders were paid with stolen cards.")}
    acts |= {"cancel": lambda: actions.cancel(door.site, ann)}
    other = threading.Thread(target=acts[act])

    def at_once(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE account") and not other.ident:
            other.start()
            other.join(0.5)

    event.listen(door.site.engine, "before_cursor_execute", at_once)
    actions.choose_password(door.site, token, PASSWORD)
    other.join()
    event.remove(door.site.engine, "before_cursor_execute", at_once)
    assert states(door.site) == [left]


def test_a_profile_is_corrected_everywhere_at_once(door: Door) -> None:
    site, member = door.site, door.member()
    order = {**ANN, "delivery_address": "1 Lamp Street", "order_total": "2 lamps"}
    case = collect(site, Submission("order", order, "order-1")).case
    wanted = {"email": ANN["email"], "full_name": "Ann Wren", "interest": "panels"}
    assert profile.save(site, site.policy(), member, "register", wanted) == 3
    saved = profile.read(site, site.policy(), member, "register")
    assert dict(saved) == wanted
    order_now = vault.read(site, member.person_id, ["full_name", "phone"], "fulfil_order", By("system"), case)
    assert dict(order_now.values) == {"full_name": "Ann Wren"}
    held = list(vault.everything(site, member.person_id, By("person", ref=member.person_id)))
    assert not [one for one in held if "Ann Sparrow" in one.fields.values() or "phone" in one.fields]


def test_a_profile_is_refused_whole(door: Door) -> None:
    site, member = door.site, door.member()
    before = dict(profile.read(site, site.policy(), member, "register"))
    for unfit in (
        {"full_name": ""},
        {"full_name": "4111 1111 1111 1111"},
        {"passport": "x"},
        {"email": "eve@x.example"},
    ):
        with pytest.raises(InvalidInput):
            profile.save(site, site.policy(), member, "register", before | unfit)
    assert dict(profile.read(site, site.policy(), member, "register")) == before


@pytest.mark.clause("O27")
def test_a_cancelled_account_is_used_for_nothing(door: Door, clock: MovedClock) -> None:
    site, member = door.site, door.member()
    sent = len(door.letters())
    actions.cancel(site, member.person_id)
    with pytest.raises(Refused):
        log_in(site, ANN["email"], PASSWORD)
    for purpose in ("service", "improvement", "accounts"):
        with pytest.raises(Refused):
            vault.read(site, member.person_id, ["full_name"], purpose, By("staff", "finance"))
    turn(site)
    assert len(door.letters()) == sent
    assert list(vault.everything(site, member.person_id, By("person", ref=member.person_id)))
    with pytest.raises(Refused):
        actions.cancel(site, member.person_id)


def test_whoever_cancelled_may_come_back_through_the_mail(door: Door) -> None:
    site, member = door.site, door.member()
    actions.cancel(site, member.person_id)
    door.register("reg-again")
    with pytest.raises(Refused, match="closed"):
        use_again(site, Visitor(member.person_id, "link"))
    with pytest.raises(Refused):
        vault.read(site, member.person_id, ["full_name"], "service", By("system"))
    actions.choose_password(site, door.token(), PASSWORD)
    assert vault.read(site, member.person_id, ["full_name"], "service", By("system")).values
    assert door.logged_in().person_id == member.person_id


@pytest.mark.parametrize("when", ["before there was an account", "before it was closed", "after it was closed"])
def test_a_restriction_outlasts_an_account_that_is_opened_and_its_person_lifts_it(door: Door, when: str) -> None:
    site = door.site
    if when == "before there was an account":
        order = {**ANN, "delivery_address": "1 Lamp Street", "order_total": "2 lamps"}
        ann = collect(site, Submission("order", order, "order-1")).person_id
        restricted(site, ann)
    else:
        ann = door.member().person_id
        for act in (restricted, actions.cancel) if when == "before it was closed" else (actions.cancel, restricted):
            act(site, ann)
    door.register("reg-again")
    actions.choose_password(site, door.token(), PASSWORD)
    assert door.logged_in().person_id == ann
    with pytest.raises(Refused):
        vault.read(site, ann, ["full_name"], "service", By("system"))
    use_again(site, Visitor(ann, "account"))
    assert vault.read(site, ann, ["full_name"], "service", By("system")).values


def restricted(site: Site, person_id: str) -> None:
    receive(site, Intake("restriction", "account", "restriction-1", member=person_id, vouched="account"))


@pytest.mark.clause("O28")
def test_a_deleted_account_leaves_nothing_behind(door: Door, clock: MovedClock) -> None:
    site, member = door.site, door.member()
    until = erased(site, member.person_id)
    with pytest.raises(Refused):
        log_in(site, ANN["email"], PASSWORD)
    clock.at = until
    destroy_due(site)
    for table in (account, session, once, person, holding):
        assert count(site, table) == 0
    door.register("reg-anew")
    assert states(site) == ["waiting"]


@pytest.mark.parametrize("again", ["the form is sent again", "a password is asked for"])
def test_a_registration_whose_account_a_crash_prevented_gets_it_later(door: Door, again: str) -> None:
    collect(door.site, Submission("register", ANN, "reg-1"))
    assert states(door.site) == []
    for _ in range(2):
        door.register("reg-1") if again == "the form is sent again" else actions.forgot(door.site, ANN["email"])
        assert states(door.site) == ["waiting"]
    actions.choose_password(door.site, door.token(), PASSWORD)
    assert door.logged_in()


def _opening(folder: Path, urls: dict[str, str], at: datetime, token: str) -> None:
    site = open_site(folder, MovedClock(at), **urls)
    die_at_commit_after(site, "UPDATE account")
    actions.choose_password(site, token, PASSWORD)


def test_a_killed_redemption_leaves_the_link_good(door: Door, clock: MovedClock) -> None:
    door.register()
    token = door.token()
    urls = {
        "database": door.site.engine.url.render_as_string(hide_password=False),
        "keys": door.site.keys.url.render_as_string(hide_password=False),
    }
    assert exit_of(_opening, door.site.folder, urls, clock.at, token) == KILLED
    assert states(door.site) == ["waiting"]
    actions.choose_password(door.site, token, PASSWORD)
    assert door.logged_in()
