"""A backup that is put back lets nobody in who was shut out since, and uses nothing that was restricted since."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from tests.acting import done
from tests.authenticator import Authenticator
from tests.backups import rows
from tests.fixtures import days
from tests.members import ANN, PASSWORD, Door, door
from tests.shoppers import BOB, registered
from tests.shown import with_everyone
from tests.staffed import HERE, Somebody, clerk, somebody
from troth.accounts import actions as accounts
from troth.accounts import sessions
from troth.accounts.factors import passkeys
from troth.accounts.factors.tables import passkey
from troth.accounts.publicity import actions as publicity
from troth.accounts.publicity.rules import Choice
from troth.accounts.tables import account
from troth.acts import tokens
from troth.clock import MovedClock
from troth.errors import InvalidInput, Refused
from troth.messages.mailbox import Mailbox
from troth.people import vault
from troth.people.vault import By
from troth.restoring.backup import backup
from troth.restoring.release import release
from troth.restoring.replay import Replayed
from troth.restoring.restore import restore
from troth.rights.restricting import is_restricted
from troth.staff import actions, own
from troth.staff.entering import log_in, who
from troth.staff.rules import DESK, PRIVACY_LEAD
from troth.staff.tables import staff_recovery
from troth.store.site import Site

__all__ = ["door"]
WHY = {"because": "the disk failed", "by": "engineer"}
FRESH = "eleven loud kettles"


def put_back(site: Site, tmp_path: Path) -> Replayed:
    return restore(site, tmp_path / "monday", **WHY).replayed


def readable(site: Site, person_id: str) -> bool:
    try:
        return bool(vault.read(site, person_id, ["full_name"], "service", By("system")).values)
    except Refused:
        return False


# --- restrictions --------------------------------------------------------------------------------------------------------


def test_a_restriction_by_staff_since_the_backup_stands(site: Site, tmp_path: Path, clock: MovedClock) -> None:
    ann, bob = registered(site, ANN), registered(site, BOB)
    backup(site, tmp_path / "monday")
    clock.move(days(1))
    done(site, "restrict", {"person": ann})
    replayed = put_back(site, tmp_path)
    assert (readable(site, ann), readable(site, bob)) == (False, True)
    assert replayed.done["restrictions"] == 1


def test_the_last_word_on_a_restriction_since_the_backup_stands(site: Site, tmp_path: Path, clock: MovedClock) -> None:
    ann, bob = registered(site, ANN), registered(site, BOB)
    done(site, "restrict", {"person": ann})
    backup(site, tmp_path / "monday")
    clock.move(days(1))
    for person_id in (ann, bob):
        for act in ("lift-restriction", "restrict") if person_id == bob else ("lift-restriction",):
            done(site, act, {"person": person_id})
    put_back(site, tmp_path)
    assert (readable(site, ann), readable(site, bob)) == (True, False)


def test_a_restriction_outlasts_the_closing_of_the_account_after_it(
    door: Door, tmp_path: Path, clock: MovedClock
) -> None:
    site, ann = door.site, door.member().person_id
    backup(site, tmp_path / "monday")
    clock.move(days(1))
    done(site, "restrict", {"person": ann})
    accounts.cancel(site, ann)
    put_back(site, tmp_path)
    with site.reading() as conn:
        assert is_restricted(conn, ann)


# --- tokens --------------------------------------------------------------------------------------------------------------


def test_a_token_revoked_since_the_backup_opens_nothing(site: Site, tmp_path: Path, clock: MovedClock) -> None:
    _, revoked = tokens.add(site, "web-shop", ["deal"])
    _, kept = tokens.add(site, "till", ["deal"])
    backup(site, tmp_path / "monday")
    clock.move(days(1))
    tokens.revoke(site, "web-shop")
    _, newer = tokens.add(site, "kiosk", ["deal"])
    replayed = put_back(site, tmp_path)
    assert (tokens.caller_of(site, revoked), tokens.caller_of(site, newer)) == (None, None)
    assert tokens.caller_of(site, kept) is not None
    assert [one.name for one in tokens.listed(site)] == ["till"]
    assert (replayed.done["tokens revoked"], replayed.lost["token:made"]) == (1, 1)


# --- staff ---------------------------------------------------------------------------------------------------------------


def enters(one: Somebody, password: str = "") -> bool:
    try:
        log_in(one.site, one.login, password or one.password, one.code(), HERE)
    except Refused:
        return False
    return True


def test_whoever_left_the_staff_since_the_backup_does_not_get_in(site: Site, tmp_path: Path, clock: MovedClock) -> None:
    ann, ben = somebody(site), clerk(site)
    open_at_the_backup = [one.session() for one in (ann, ben)]
    backup(site, tmp_path / "monday")
    actions.remove(site, "ben")
    replayed = put_back(site, tmp_path)
    assert (enters(ann), enters(ben)) == (True, False)
    assert [who(site, one, HERE) for one in open_at_the_backup] == [None, None]
    with site.reading() as conn:
        assert [one.login for one in actions.everybody(conn)] == ["ann"]
    assert replayed.done["staff removed"] == 1
    assert "staff:removed" not in replayed.lost
    clock.move(days(1))
    assert enters(Somebody(site, "ben", actions.add(site, "ben", [DESK])).set_up())


def test_whoever_left_the_staff_and_came_back_since_is_to_be_added_again(site: Site, tmp_path: Path) -> None:
    ben = clerk(site)
    backup(site, tmp_path / "monday")
    actions.remove(site, "ben")
    back = somebody(site, "ben", DESK)
    replayed = put_back(site, tmp_path)
    assert (enters(ben), enters(back)) == (False, False)
    assert replayed.lost["staff:added"] == 1


def _reset(site: Site, ben: Somebody) -> None:
    actions.reset(site, "ben")


def _new_password(site: Site, ben: Somebody) -> None:
    own.change_password(site, ben.entered(), ben.password, FRESH)


@pytest.mark.parametrize("replaced", [_reset, _new_password])
def test_what_opened_the_desk_and_was_replaced_since_opens_nothing(
    site: Site, tmp_path: Path, replaced: Callable[[Site, Somebody], None]
) -> None:
    ann, ben = somebody(site), clerk(site)
    backup(site, tmp_path / "monday")
    replaced(site, ben)
    assert put_back(site, tmp_path).done["log-ins of staff to be set up anew"] == 1
    assert (enters(ann), enters(ben), enters(ben, FRESH)) == (True, False, False)
    assert enters(Somebody(site, "ben", actions.reset(site, "ben")).set_up())


def test_a_set_up_link_used_since_the_backup_is_not_good_again(site: Site, tmp_path: Path) -> None:
    link = actions.add(site, "ben", [DESK])
    backup(site, tmp_path / "monday")
    Somebody(site, "ben", link).set_up()
    put_back(site, tmp_path)
    assert own.setting_up(site, link) is None


def test_recovery_codes_replaced_since_the_backup_open_nothing(site: Site, tmp_path: Path) -> None:
    ben = clerk(site)
    backup(site, tmp_path / "monday")
    own.renew_codes(site, ben.entered(), ben.password)
    put_back(site, tmp_path)
    with site.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(staff_recovery)) == 0
    assert enters(ben)


def test_a_role_taken_away_since_the_backup_stays_away(site: Site, tmp_path: Path) -> None:
    somebody(site)
    somebody(site, "ben", PRIVACY_LEAD)
    backup(site, tmp_path / "monday")
    actions.change_roles(site, "ben", [DESK])
    replayed = put_back(site, tmp_path)
    with site.reading() as conn:
        assert [(one.login, one.roles) for one in actions.everybody(conn)] == [
            ("ann", (PRIVACY_LEAD,)),
            ("ben", (DESK,)),
        ]
    assert "staff:changed" not in replayed.lost


# --- members -------------------------------------------------------------------------------------------------------------


def state(site: Site) -> str | None:
    with site.reading() as conn:
        return conn.scalar(select(account.c.state))


def test_a_member_suspended_since_the_backup_stays_suspended(door: Door, tmp_path: Path) -> None:
    site, ann = door.site, door.member().person_id
    backup(site, tmp_path / "monday")
    accounts.suspend(site, ann, "spam")
    assert put_back(site, tmp_path).done["accounts suspended"] == 1
    with pytest.raises(Refused, match="suspended"):
        sessions.log_in(site, ANN["email"], PASSWORD)


def test_an_account_closed_since_the_backup_stays_closed(door: Door, tmp_path: Path) -> None:
    site, ann = door.site, door.member().person_id
    backup(site, tmp_path / "monday")
    accounts.cancel(site, ann)
    assert put_back(site, tmp_path).done["accounts closed"] == 1
    assert state(site) == "closed"
    with pytest.raises(Refused):
        sessions.log_in(site, ANN["email"], PASSWORD)
    assert not readable(site, ann)


def test_a_password_replaced_since_the_backup_opens_nothing_and_its_member_chooses_another(
    door: Door, tmp_path: Path, mailbox: Mailbox
) -> None:
    site = door.site
    before = door.member()
    accounts.forgot(site, ANN["email"])
    link = door.token()
    backup(site, tmp_path / "monday")
    accounts.choose_password(site, link, FRESH)
    put_back(site, tmp_path)
    for password in (PASSWORD, FRESH):
        with pytest.raises(Refused):
            sessions.log_in(site, ANN["email"], password)
    with pytest.raises(InvalidInput, match="no longer good"):
        accounts.choose_password(site, link, FRESH)
    release(site, "privacy_lead")
    accounts.forgot(site, ANN["email"])
    accounts.choose_password(site, door.token(), PASSWORD)
    assert door.logged_in().person_id == before.person_id


def test_a_passkey_removed_since_the_backup_opens_nothing(door: Door, tmp_path: Path) -> None:
    site, ann = door.site, door.member().person_id
    secure = replace(site, wiring=site.wiring.model_copy(update={"base_url": "https://lamps.example/shop"}))
    with secure.reading() as conn:
        options = passkeys.to_make(secure, conn, ann, ANN["email"], "making")
    passkeys.add(secure, ann, "making", Authenticator("https://lamps.example").make(options))
    backup(site, tmp_path / "monday")
    with site.writing() as conn:
        assert passkeys.remove(site, conn, ann, conn.scalars(select(passkey.c.id)).one())
    put_back(site, tmp_path)
    assert rows(site, passkey) == 0


def test_what_a_member_took_off_their_public_page_since_the_backup_is_not_shown(door: Door, tmp_path: Path) -> None:
    with_everyone(door.site)
    site, ann = door.site, door.member(interest="lamps")
    name = publicity.choose(site, ann, Choice(frozenset({"full_name", "interest"}), False), "Everybody.", "en")
    backup(site, tmp_path / "monday")
    publicity.choose(site, ann, Choice(frozenset({"interest"}), False), "Everybody.", "en")
    put_back(site, tmp_path)
    assert publicity.page(site, name) is None
