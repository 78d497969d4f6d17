"""What is good for once and was used since a backup is not good again when that is put back."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.backups import lose, rows
from tests.fixtures import days
from tests.members import ANN, PASSWORD, Door, door
from tests.shoppers import registered
from tests.staffed import HERE, clerk
from troth import ledger
from troth.accounts import once, profile
from troth.accounts.factors import settings
from troth.accounts.factors.tables import recovery_code, spent
from troth.accounts.sessions import Member
from troth.clock import MovedClock
from troth.errors import Refused
from troth.ledger.tables import entry
from troth.messages.links import once_token
from troth.restoring import spent as spending
from troth.restoring.backup import backup
from troth.restoring.restore import restore
from troth.rights import links
from troth.rights.intake import receive
from troth.rights.protocols.tables import agent_token
from troth.rights.rules import Intake
from troth.staff.entering import log_in
from troth.staff.tables import staff_recovery
from troth.store.schema import data_tables
from troth.store.site import Site

__all__ = ["door"]
WHY = {"because": "the disk failed", "by": "engineer"}
PutBack = Callable[[Site, Path], None]


def _live(site: Site, tmp_path: Path) -> None:
    restore(site, tmp_path / "monday", **WHY)


def _from_an_export(site: Site, tmp_path: Path) -> None:
    ledger.seal(site)
    with (tmp_path / "ledger.jsonl").open("w") as out:
        ledger.export(site, out)
    lose(site)
    restore(site, tmp_path / "monday", record=tmp_path / "ledger.jsonl", **WHY)


def _without_a_record(site: Site, tmp_path: Path) -> None:
    ledger.seal(site)
    lose(site)
    restore(site, tmp_path / "monday", without_record=True, **WHY)


WAYS: list[PutBack] = [_live, _from_an_export, _without_a_record]


def opens(way: Callable[[], object]) -> bool:
    try:
        return way() is not None
    except Refused:
        return False


def _with_codes_backed_up(door: Door, folder: Path, clock: MovedClock) -> tuple[Site, Member]:
    """The site and a member with a second factor, a day after the backup that has both."""
    ann = door.member()
    door.with_codes(ann)
    backup(door.site, folder / "monday")
    clock.move(days(1))
    return door.site, ann


@pytest.mark.parametrize("put_back", WAYS)
def test_a_recovery_code_of_a_member_is_not_good_twice(
    door: Door, tmp_path: Path, clock: MovedClock, put_back: PutBack
) -> None:
    site, _ = _with_codes_backed_up(door, tmp_path, clock)
    assert door.second(door.paper[0])
    put_back(site, tmp_path)
    assert not opens(lambda: door.second(door.paper[0]))
    assert opens(lambda: door.second(door.paper[1])) is (put_back is _live)
    clock.move(days(1))
    assert opens(lambda: door.second(door.code()))


@pytest.mark.parametrize("put_back", WAYS)
def test_recovery_codes_that_a_member_replaced_open_nothing(
    door: Door, tmp_path: Path, clock: MovedClock, put_back: PutBack
) -> None:
    site, ann = _with_codes_backed_up(door, tmp_path, clock)
    settings.renew_recovery(site, ann, PASSWORD, door.code())
    put_back(site, tmp_path)
    assert not any(opens(partial(door.second, one)) for one in door.paper[:2])
    assert rows(site, recovery_code) == 0


@pytest.mark.parametrize("put_back", WAYS)
def test_a_recovery_code_of_staff_is_not_good_twice(
    site: Site, tmp_path: Path, clock: MovedClock, put_back: PutBack
) -> None:
    ben = clerk(site)
    backup(site, tmp_path / "monday")
    assert log_in(site, ben.login, ben.password, ben.codes[0], HERE)
    put_back(site, tmp_path)
    assert not opens(lambda: log_in(site, ben.login, ben.password, ben.codes[0], HERE))
    assert rows(site, staff_recovery) == (9 if put_back is _live else 0)
    clock.move(days(1))
    assert opens(lambda: log_in(site, ben.login, ben.password, ben.code(), HERE))


@pytest.mark.parametrize("put_back", WAYS)
def test_a_code_of_an_app_is_not_good_twice(door: Door, tmp_path: Path, clock: MovedClock, put_back: PutBack) -> None:
    site, ann = door.site, door.member()
    door.with_codes(ann)
    clock.move(days(1))
    backup(site, tmp_path / "monday")
    code = door.code()
    assert door.second(code)
    put_back(site, tmp_path)
    assert not opens(lambda: door.second(code))


@pytest.mark.parametrize("put_back", WAYS)
def test_a_link_is_not_good_twice(door: Door, tmp_path: Path, clock: MovedClock, put_back: PutBack) -> None:
    site, ann = door.site, door.member().person_id
    asked = receive(site, Intake("access", "web", "ask-1", email=ANN["email"])).id
    with site.writing() as conn:
        made = {
            name: once_token(site, links.issue(site, conn, asked, links.CONFIRM, days(3))) for name in ("used", "not")
        }
        moving = once_token(site, once.issue(site, conn, ann, days(1), "address"))
    backup(site, tmp_path / "monday")
    with site.writing() as conn:
        assert links.redeem(site, conn, made["used"], links.CONFIRM)
        assert once.redeem(conn, moving, site.now(), "address") == ann
    put_back(site, tmp_path)
    assert links.look(site, made["used"], links.CONFIRM) is None
    assert (links.look(site, made["not"], links.CONFIRM) is not None) is (put_back is _live)
    with site.reading() as conn:
        assert once.whose(conn, moving, site.now(), "address") is None


@pytest.mark.parametrize("put_back", WAYS)
def test_a_token_of_an_agent_that_a_newer_one_replaced_opens_nothing(
    site: Site, tmp_path: Path, clock: MovedClock, put_back: PutBack
) -> None:
    registered(site, ANN)
    row = {
        "digest": b"1" * 32,
        "agent": "helper",
        "message": b"2" * 32,
        "made_at": site.now(),
        "ends_at": site.now() + days(9),
    }
    with site.writing() as conn:
        conn.execute(agent_token.insert().values(row))
    backup(site, tmp_path / "monday")
    with site.writing() as conn:
        conn.execute(agent_token.update().values(ends_at=site.now()))
    put_back(site, tmp_path)
    with site.reading() as conn:
        assert conn.scalars(select(agent_token.c.ends_at)).all() == [site.now()]


def test_every_table_with_what_is_good_once_says_what_becomes_of_it() -> None:
    words = ("digest", "used_at", "last_step", "totp_step", "sign_count", "password")
    secret = {
        table.name for table in data_tables.tables.values() if any(table.c.get(word) is not None for word in words)
    }
    covered = {table.name for table in (*spending.LINKS, *spending.RECOVERY_CODES, spent, agent_token)}
    covered |= {column.table.name for _, column in spending.COUNTERS}
    assert covered.isdisjoint(spending.OTHERWISE)
    assert secret == covered | set(spending.OTHERWISE)


def test_the_ledger_says_which_kind_of_thing_a_member_changed_and_no_value(door: Door, clock: MovedClock) -> None:
    site, ann = door.site, door.member()
    door.with_codes(ann)
    door.second(door.paper[0])
    clock.move(days(1))
    settings.renew_recovery(site, ann, PASSWORD, door.code())
    with site.reading() as conn:
        compiled = site.policy(conn)
    profile.save(site, compiled, ann, "register", {**ANN, "full_name": "Ann Wren"})
    clock.move(days(1))
    settings.turn_codes_off(site, ann, PASSWORD, door.code())
    with site.reading() as conn:
        bodies = conn.scalars(select(entry.c.body).where(entry.c.event == "account:changed").order_by(entry.c.id)).all()
    assert [json.loads(body)["what"] for body in bodies] == [
        "codes-on",
        "recovery-used",
        "recovery-renewed",
        "profile",
        "codes-off",
    ]
    assert json.loads(bodies[3])["fields"] == ["full_name"]
    assert "Wren" not in "".join(bodies)
