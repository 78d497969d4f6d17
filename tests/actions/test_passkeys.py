"""Passkeys on both stores, with a security key in software that is honest, copied, stolen or somebody else's."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from tests.authenticator import PRESENT, Authenticator
from tests.fixtures import days
from tests.members import A_STEP, PASSWORD, Door
from tests.operators import erased
from troth.accounts import actions
from troth.accounts.factors import passkeys, settings
from troth.accounts.factors.passkeys import MOST, WRONG
from troth.accounts.factors.tables import passkey, spent
from troth.accounts.sessions import Member, log_in_with_passkey, who
from troth.clock import MovedClock
from troth.errors import Refused
from troth.retention.ending import destroy_due
from troth.store.site import Site
from troth.work import turn

ORIGIN = "https://lamps.example"
BASE = f"{ORIGIN}/shop"


def moved(site: Site, base: str) -> Site:
    return replace(site, wiring=site.wiring.model_copy(update={"base_url": base}))


@pytest.fixture
def at(door: Door) -> Door:
    return Door(moved(door.site, BASE), door.mailbox)


@pytest.fixture
def ann(at: Door) -> Member:
    return at.member()


def made(site: Site, member: Member, key: Authenticator | None = None, token: str = "making") -> Authenticator:
    key = key or Authenticator(ORIGIN)
    with site.reading() as conn:
        options = passkeys.to_make(site, conn, member.person_id, "ann@shop.example", token)
    passkeys.add(site, member.person_id, token, key.make(options))
    return key


def enter(site: Site, key: Authenticator, token: str = "entering") -> Member | None:
    return who(site, log_in_with_passkey(site, token, key.log_in(passkeys.to_log_in(site, token))).secret)


def refused(site: Site, answer: str, token: str = "entering") -> None:
    with pytest.raises(Refused) as wrong:
        log_in_with_passkey(site, token, answer)
    assert wrong.value.message == WRONG


def test_a_passkey_stands_for_password_and_code(at: Door, ann: Member) -> None:
    at.with_codes(ann)
    key = made(at.site, ann)
    found = enter(at.site, key)
    assert found is not None and found.person_id == ann.person_id


def test_an_answer_is_good_for_its_own_form_and_once(at: Door, ann: Member) -> None:
    key = made(at.site, ann)
    answer = key.log_in(passkeys.to_log_in(at.site, "one"))
    refused(at.site, answer, "two")
    assert log_in_with_passkey(at.site, "one", answer)
    refused(at.site, answer, "one")
    refused(at.site, key.log_in(passkeys.to_log_in(at.site, "one")), "one")


def test_a_wrong_answer_spends_its_challenge_as_well(at: Door, ann: Member) -> None:
    key = made(at.site, ann)
    refused(at.site, "{}", "one")
    refused(at.site, key.log_in(passkeys.to_log_in(at.site, "one")), "one")


DISHONEST: dict[str, Callable[[Authenticator], Authenticator]] = {
    "another site's page": lambda key: replace(key, origin="https://evil.example"),
    "another port": lambda key: replace(key, origin=f"{ORIGIN}:8443"),
    "another domain": lambda key: replace(key, domain="evil.example"),
    "nobody was verified": lambda key: replace(key, flags=PRESENT),
    "nobody was there": lambda key: replace(key, flags=0),
    "another key": lambda key: replace(key, key=Authenticator(ORIGIN).key),
    "another number": lambda key: replace(key, id=b"x" * 32),
    "another owner": lambda key: replace(key, handle=b"x" * 32),
    "no owner": lambda key: replace(key, handle=b""),
}


@pytest.mark.parametrize("how", DISHONEST)
def test_a_dishonest_answer_opens_nothing_and_is_told_so_in_one_sentence(at: Door, ann: Member, how: str) -> None:
    key = DISHONEST[how](made(at.site, ann))
    refused(at.site, key.log_in(passkeys.to_log_in(at.site, "entering")))


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "null",
        "[]",
        "{}",
        "{",
        "\x00",
        '{"rawId": 7, "response": {}}',
        '{"rawId": "AA", "response": 7}',
        "9" * 9000,
        "[" * 8192,
    ],
)
def test_an_answer_that_is_none_is_refused_in_the_same_sentence(at: Door, ann: Member, answer: str) -> None:
    made(at.site, ann)
    refused(at.site, answer)


@pytest.mark.parametrize("how", ["another site's page", "another domain", "nobody was verified"])
def test_a_passkey_that_was_made_elsewhere_or_unverified_is_not_kept(at: Door, ann: Member, how: str) -> None:
    with pytest.raises(Refused):
        made(at.site, ann, DISHONEST[how](Authenticator(ORIGIN)))
    with at.site.reading() as conn:
        assert passkeys.listed(conn, ann.person_id) == []


def test_a_copied_passkey_is_found_by_its_counter(at: Door, ann: Member) -> None:
    key = made(at.site, ann)
    copy = replace(key)
    assert enter(at.site, key, "one") and enter(at.site, key, "two")
    refused(at.site, copy.log_in(passkeys.to_log_in(at.site, "three")), "three")
    copy.counter = -1
    refused(at.site, copy.log_in(passkeys.to_log_in(at.site, "four")), "four")


def test_a_device_that_never_counts_gets_in_again(at: Door, ann: Member) -> None:
    key = made(at.site, ann)
    for token in ("one", "two"):
        key.counter = -1
        assert enter(at.site, key, token)


def test_a_passkey_moved_to_another_member_in_the_database_opens_nothing(at: Door, ann: Member) -> None:
    key = made(at.site, ann)
    bob = at.member("reg-2", email="bob@shop.example", phone="+44 20 7946 0124")
    with at.site.writing() as conn:
        conn.execute(update(passkey).values(person_id=bob.person_id))
    refused(at.site, key.log_in(passkeys.to_log_in(at.site, "entering")))


def test_one_device_keeps_no_passkey_of_two_members(at: Door, ann: Member) -> None:
    key = made(at.site, ann)
    bob = at.member("reg-2", email="bob@shop.example", phone="+44 20 7946 0124")
    with pytest.raises(Refused):
        made(at.site, bob, key, "bobs")


def test_a_removed_passkey_opens_nothing_and_nobody_removes_anothers(at: Door, ann: Member) -> None:
    key = made(at.site, ann)
    bob = at.member("reg-2", email="bob@shop.example", phone="+44 20 7946 0124")
    with at.site.reading() as conn:
        (listed,) = passkeys.listed(conn, ann.person_id)
    assert not settings.remove_passkey(at.site, bob, listed.id, PASSWORD)
    assert enter(at.site, key, "one")
    assert settings.remove_passkey(at.site, ann, listed.id, PASSWORD)
    refused(at.site, key.log_in(passkeys.to_log_in(at.site, "two")), "two")


def test_a_stolen_session_removes_no_passkey(at: Door, ann: Member, clock: MovedClock) -> None:
    made(at.site, ann)
    with at.site.reading() as conn:
        (listed,) = passkeys.listed(conn, ann.person_id)
    with pytest.raises(Refused):
        settings.remove_passkey(at.site, ann, listed.id, "a guess")
    at.with_codes(ann)
    clock.move(timedelta(seconds=A_STEP))
    for password, code in ((PASSWORD, ""), (PASSWORD, "000000"), ("a guess", at.code())):
        with pytest.raises(Refused):
            settings.remove_passkey(at.site, ann, listed.id, password, code)
    assert settings.remove_passkey(at.site, ann, listed.id, PASSWORD, at.code())


def test_a_suspended_closed_or_deleted_member_does_not_enter(at: Door, ann: Member, clock: MovedClock) -> None:
    key = made(at.site, ann)
    actions.suspend(at.site, ann.person_id, "Orders were paid with stolen cards.")
    with pytest.raises(Refused, match="suspended") as told:
        enter(at.site, key, "one")
    assert told.value.hint == "Orders were paid with stolen cards."
    until = erased(at.site, ann.person_id)
    with pytest.raises(Refused):
        enter(at.site, key, "two")
    clock.at = until
    destroy_due(at.site)
    with at.site.reading() as conn:
        assert conn.execute(select(passkey)).all() == []


def test_a_member_has_only_so_many(at: Door, ann: Member) -> None:
    for n in range(MOST):
        made(at.site, ann, token=f"making {n}")
    with pytest.raises(Refused, match="as many"):
        made(at.site, ann, token="one more")


def test_where_browsers_know_no_passkeys_none_is_offered(at: Door, ann: Member) -> None:
    key, plain = made(at.site, ann), moved(at.site, "http://127.0.0.1:8080/shop")
    assert passkeys.works(at.site) and not passkeys.works(plain)
    with pytest.raises(Refused):
        passkeys.to_log_in(plain, "entering")
    with pytest.raises(Refused):
        log_in_with_passkey(plain, "entering", key.log_in(passkeys.to_log_in(at.site, "entering")))


def test_spent_challenges_are_forgotten_when_their_forms_are(at: Door, ann: Member, clock: MovedClock) -> None:
    made(at.site, ann)
    clock.move(days(1))
    turn(at.site)
    with at.site.reading() as conn:
        assert conn.execute(select(spent)).all() == []
