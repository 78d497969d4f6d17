"""The log of the staff: each try with its time and address, for as long as it is kept, and whole."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from tests.actions.lives import customer, publish
from tests.fixtures import days
from tests.operators import open_operator
from tests.staffed import HERE, PASSWORD, Somebody, clerk, somebody
from tests.submissions import count
from troth.clock import MovedClock
from troth.errors import Refused, TrothError
from troth.evidence.prove import prove
from troth.ledger.tables import entry
from troth.logins.rules import TRIES, WITHIN
from troth.policy.periods import Period
from troth.proof import Proof
from troth.staff import actions, log, own
from troth.staff.entering import log_in
from troth.staff.rules import let_in_wrongly, log_kept
from troth.staff.tables import staff, staff_log
from troth.store import versions
from troth.store.site import Site
from troth.work import turn


def rows(site: Site) -> list[tuple[str, str, str]]:
    """What the log says, oldest first: what, who, from where."""
    with site.reading() as conn:
        return [(line.what, line.login, line.ip) for line in reversed(log.lines(site, conn).lines)]


def wrong(ann: Somebody, password: str = PASSWORD, code: str | None = None) -> TrothError:
    with pytest.raises(Refused) as refused:
        log_in(ann.site, ann.login, password, ann.code() if code is None else code, HERE)
    return refused.value


def test_a_closed_door_opens_in_time_whoever_goes_on_trying_and_the_log_agrees(site: Site, clock: MovedClock) -> None:
    ann = somebody(site)
    for _ in range(TRIES):
        wrong(ann, "not the password")
    for _ in range(4):
        clock.move(WITHIN / 5)
        for _ in range(2):
            wrong(ann, "not the password")
    clock.move(WITHIN / 5)
    assert ann.session()
    assert guessed(site) == 0


def test_tries_that_a_right_password_forgave_do_not_count_in_the_log_either(site: Site, clock: MovedClock) -> None:
    ann = somebody(site)
    here = ann.entered()
    acts = (
        lambda: own.renew_codes(site, here, PASSWORD),
        lambda: own.change_password(site, here, PASSWORD, PASSWORD),
    )
    for act in acts:
        for _ in range(TRIES - 1):
            wrong(ann, "not the password")
        clock.move(A_MOMENT)
        act()
        clock.move(A_MOMENT)
    for _ in range(TRIES - 1):
        wrong(ann, "not the password")
    clock.move(A_MOMENT)
    assert ann.session()
    assert guessed(site) == 0


A_MOMENT = timedelta(seconds=1)
"""between two rows whose order counts"""


def guessed(site: Site) -> int:
    """Log-ins that the log counts as let in after too many tries."""
    columns = (staff_log.c.staff_id, staff_log.c.what, staff_log.c.act, staff_log.c.at)
    with site.reading() as conn:
        rows = conn.execute(select(*columns).order_by(staff_log.c.at, staff_log.c.id))
        return let_in_wrongly((row.staff_id, row.what, row.act, row.at) for row in rows)


def test_each_try_is_on_record_with_time_account_and_address_and_a_change_shows(site: Site, clock: MovedClock) -> None:
    ann = somebody(site)
    began = clock.at
    with pytest.raises(Refused):
        log_in(site, "ann", "wrong", ann.code(), "198.51.100.9")
    with pytest.raises(Refused):
        log_in(site, "eve", "wrong", "000000", "198.51.100.10")
    log_in(site, "ann", PASSWORD, ann.code(), "2001:db8::1")
    expected = [("failed", "ann", "198.51.100.9"), ("failed", "", "198.51.100.10"), ("entered", "ann", "2001:db8::1")]
    assert rows(site)[1:] == expected
    with site.reading() as conn:
        lines = log.lines(site, conn).lines
        assert all(began <= line.at <= clock.at for line in lines[:3])
        assert log.altered(site, conn, clock.at - days(90)) == []
        [(failed, sealed)] = conn.execute(
            select(staff_log.c.id, staff_log.c.ip).where(staff_log.c.staff_id.is_(None))
        ).all()
        assert b"198.51" not in sealed
        assert not [body for body in conn.scalars(select(entry.c.body)) if "198.51" in body or "ann" in body]
    with site.writing() as conn:
        conn.execute(update(staff_log).where(staff_log.c.id == failed).values(what="left"))
        assert log.altered(site, conn, clock.at - days(90)) == [failed]
        conn.execute(delete(staff_log).where(staff_log.c.id == failed))
        assert log.altered(site, conn, clock.at - days(90)) == [failed]


def test_the_log_ends_with_its_time_and_whoever_left_goes_with_it(site: Site, clock: MovedClock) -> None:
    somebody(site)
    clerk(site)
    actions.remove(site, "ben")
    kept = log_kept(site.policy().policy).length
    clock.move(kept - timedelta(hours=1))
    turn(site)
    assert count(site, staff_log) == 2
    assert count(site, staff) == 2
    clock.move(timedelta(hours=1))
    turn(site)
    assert count(site, staff_log) == 0
    with site.reading() as conn:
        assert list(conn.scalars(select(staff.c.login))) == ["ann"]
        assert log.altered(site, conn, clock.at - kept) == []


def test_the_proof_of_the_log_turns_when_a_row_is_altered(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str]
) -> None:
    site = open_operator("ledflex", tmp_path, clock, fresh_database)
    assert verdicts(site) == {
        "security.login_capture": "nothing to check yet",
        "retention.staff_log": "nothing to check yet",
    }
    ann = somebody(site)
    wrong(ann, "wrong")
    assert ann.session()
    assert verdicts(site) == {"security.login_capture": "kept", "retention.staff_log": "kept"}
    with site.writing() as conn:
        conn.execute(update(staff_log).where(staff_log.c.what == "failed").values(staff_id=None))
    assert verdicts(site)["security.login_capture"] == "broken"
    clock.move(days(91))
    assert verdicts(site)["retention.staff_log"] == "broken", "nobody swept"
    turn(site)
    assert verdicts(site)["retention.staff_log"] == "nothing to check yet"


def test_a_log_that_is_to_be_kept_longer_lacks_nothing_that_went_before(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str]
) -> None:
    site = open_operator("ledflex", tmp_path, clock, fresh_database)
    ann = somebody(site)
    clock.move(days(91))
    turn(site)
    assert count(site, staff_log) == 0
    policy, decisions = ((site.folder / name).read_text() for name in ("policy.yaml", "decisions.yaml"))
    longer = decisions.replace("policy.version: 1", "policy.version: 2").replace(
        "staff log, keep: 90", "staff log, keep: 180"
    )
    with site.writing() as conn:
        versions.archive(conn, policy, longer, effective_at=clock.at, at=clock.at)
    assert log_kept(site.policy().policy) == Period(180, "day")
    assert ann.session()
    assert verdicts(site)["security.login_capture"] == "kept"
    clock.move(days(100))
    turn(site)
    assert count(site, staff_log) == 1, "it is kept longer now"
    with site.writing() as conn:
        conn.execute(delete(staff_log))
    assert verdicts(site)["security.login_capture"] != "kept", "and not to be taken out"


def test_the_log_is_read_page_by_page_to_its_oldest_row(site: Site) -> None:
    ann = somebody(site)
    for n in range(5):
        wrong(ann, f"guess {n}")
    with site.reading() as conn:
        whole = log.lines(site, conn)
        found, before = [], ""
        for _ in range(3):
            page = log.lines(site, conn, before, most=2)
            found, before = [*found, *page.lines], page.older
        assert before == "" and whole.older == ""
        assert found == whole.lines and len(found) == 6
        assert log.lines(site, conn, "' OR 1=1\x00") == whole, "what is no row's id is not asked for"


def verdicts(site: Site) -> dict[str, str]:
    """Of the two promises that speak of the log of the staff."""
    report = prove(site)
    return {
        one.promise.id: one.proof.verdict
        for one in report.proven
        if one.promise.id in {"security.login_capture", "retention.staff_log"}
    }


def of_taste(site: Site) -> Proof:
    return next(one.proof for one in prove(site).proven if one.promise.id == "retention.taste")


@pytest.mark.parametrize("what", ["staff log, interest", "interest, staff log", "request log, interest"])
def test_a_clock_of_a_log_and_of_data_is_broken_by_data_that_is_still_there(
    site: Site, clock: MovedClock, what: str
) -> None:
    publish(site, "taste: {what: interest,", f"taste: {{what: [{what}],")
    customer(site)
    assert of_taste(site).verdict != "broken"
    clock.move(days(101))
    assert of_taste(site).verdict == "broken", "the data is too old, whatever the log is"


@pytest.mark.parametrize("what", ["staff log, interest", "interest, staff log", "request log, staff log"])
def test_a_clock_of_several_parts_is_broken_by_the_log_that_is_too_old(
    site: Site, clock: MovedClock, what: str
) -> None:
    publish(site, "taste: {what: interest,", f"taste: {{what: [{what}],")
    wrong(somebody(site), "wrong")
    assert of_taste(site).verdict == "kept"
    clock.move(days(101))
    assert of_taste(site).verdict == "broken"
    turn(site)
    assert of_taste(site).verdict == "nothing to check yet"
