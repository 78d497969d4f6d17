"""The log of requests, on both stores: exactly the declared fields, for the declared time, and whole."""

from datetime import timedelta

import pytest
from sqlalchemy import delete

from tests.actions.lives import publish
from tests.asking import ANN, asked
from tests.fixtures import days
from tests.promises.lies import telling
from tests.submissions import count
from troth.clock import MovedClock
from troth.evidence.prove import prove
from troth.reconcile.findings import Finding
from troth.reconcile.reconcile import Before, reconcile
from troth.rights import desk, following, papers
from troth.rights.intake import receive
from troth.rights.rules import log_kept
from troth.rights.tables import reply, request, request_key, request_link, request_log, request_paper, request_step
from troth.store import versions
from troth.store.site import Site
from troth.work import turn


@pytest.mark.clause("F62", "F56")
def test_each_request_is_logged_with_exactly_the_declared_fields_and_goes_with_its_clock(
    site: Site, clock: MovedClock
) -> None:
    arrived = clock.now()
    received = receive(site, asked("access", name="Ann Sparrow", text="please"))
    with site.writing() as conn:
        at, method, fields = papers.logged_as(site, conn, received.id, site.now() - days(175)) or (None, "", {})
    assert at == arrived and method == "web"
    assert fields == {"email": ANN["email"], "full_name": "Ann Sparrow", "ip_address": "192.0.2.7"}
    clock.at = arrived + days(174)
    turn(site)
    assert count(site, request_log) == 1
    clock.at = arrived + days(175)
    with site.writing() as conn:
        assert papers.logged_as(site, conn, received.id, site.now() - days(175)) is None
    turn(site)
    assert count(site, request_log) == count(site, request_paper) == 0
    clock.move(days(1))
    receive(site, asked("access", "later"))
    following.follow(site)
    clock.move(days(1))
    assert papers.KEYS.keys_of(site, [arrived.date()]) == {}


def test_a_row_of_the_log_that_went_in_its_time_is_not_taken_for_one_that_was_taken_out(
    site: Site, clock: MovedClock
) -> None:
    def verdict() -> str:
        (found,) = (one.proof.verdict for one in prove(site).proven if one.promise.kind == "request.log")
        return found

    letter = receive(site, asked("question", "letter", channel="letter", by="7", ip="", at=clock.now() - days(50)))
    mail = receive(site, asked("complaint", "mail"))
    for one in (letter, mail):
        desk.answer(site, one.id, "We keep nothing else.", "7")
    clock.move(days(130))
    turn(site)
    assert count(site, request_log) == 1, "a letter goes by the day it came"
    assert verdict() == "kept"
    clock.move(days(46))
    turn(site)
    assert count(site, request_log) == 0
    receive(site, asked("complaint", "another"))
    with site.writing() as conn:
        text = (site.folder / "policy.yaml").read_text().replace("version: 1,", "version: 2,")
        text = text.replace("ip_address], keep: 175 days", "ip_address], keep: 300 days")
        decisions = (site.folder / "decisions.yaml").read_text()
        versions.archive(conn, text, decisions, effective_at=clock.now(), at=clock.now())
    clock.move(days(1))
    assert verdict() == "kept", "what went before it was to be kept longer"
    with site.writing() as conn:
        conn.execute(delete(request_log))
    assert verdict() == "broken"


RECORDS = (request, request_paper, request_step, request_log, request_link, reply)


def verdict(site: Site) -> str:
    return next(one.proof.verdict for one in prove(site).proven if one.promise.kind == "request.log")


def test_nothing_is_left_of_a_request_that_has_ended_when_the_time_of_the_log_is_over(
    site: Site, clock: MovedClock
) -> None:
    receive(site, asked("access"))
    clock.move(days(20))
    turn(site)
    assert count(site, request_step) and count(site, reply), "it was never confirmed, which ends it"
    clock.move(days(155) - timedelta(hours=1))
    turn(site)
    assert count(site, request) == 1 and verdict(site) == "kept"
    clock.move(timedelta(hours=1))
    turn(site)
    assert {table.name: count(site, table) for table in RECORDS} == {table.name: 0 for table in RECORDS}
    clock.move(days(1))
    turn(site)
    assert papers.KEYS.keys_of(site, [(clock.now() - days(176)).date()]) == {}
    assert verdict(site) == "nothing to check yet"
    with site.reading() as conn:
        assert papers.altered(conn, clock.now() - days(175)) == []
        assert [one for one in reconcile(site, conn, Before()) if one.table == "request"] == []


def test_a_request_that_is_still_open_stays_and_its_record_is_too_old(site: Site, clock: MovedClock) -> None:
    receive(site, asked("complaint"))
    clock.move(days(176))
    turn(site)
    assert (count(site, request), count(site, request_paper)) == (1, 0)
    assert verdict(site) == "broken"


@pytest.mark.parametrize("part", ["_forget", "keys"])
def test_each_part_of_the_record_that_outlives_its_time_is_seen(
    site: Site, clock: MovedClock, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    if part == "keys":
        monkeypatch.setattr(papers.DayKeys, "destroy_keys_before", lambda *_: 0)
    else:
        monkeypatch.setattr(papers, part, lambda *_: 0)
    receive(site, asked("access"))
    for _ in range(2):
        clock.move(days(88.5))
        turn(site)
    assert count(site, request_log) == count(site, request_paper) == 0
    with site.keys.connect() as conn:
        kept = len(conn.execute(request_key.select()).all())
    assert (count(site, request), kept) == ((0, 1) if part == "keys" else (1, 0))
    assert verdict(site) == "broken"


def test_a_request_that_is_taken_out_is_named_when_others_went_with_their_clock(site: Site, clock: MovedClock) -> None:
    receive(site, asked("access"))
    for _ in range(2):
        clock.move(days(88.5))
        turn(site)
    assert not count(site, request)
    mine = receive(site, asked("complaint", "another")).id
    with telling(site, "data", stays=True) as teller:
        for table in (request_paper, request_step, request_link, reply):
            teller.tell(f"DELETE FROM {table.name} WHERE request_id = '{mine}'")
        assert teller.tell(f"DELETE FROM request WHERE id = '{mine}'") == 1
    with site.reading() as conn:
        found = [one for one in reconcile(site, conn, Before()) if (one.table, one.what) == ("request", "gone")]
    assert found == [Finding("request", "gone", mine, "complaint")]


def test_a_clock_of_the_request_log_shortens_the_time_of_all_that_is_on_record(site: Site, clock: MovedClock) -> None:
    publish(site, "taste: {what: interest,", "taste: {what: [request log, interest],")
    assert log_kept(site.policy().policy).length == days(100)
    receive(site, asked("access"))
    for day in (20, 81):
        clock.move(days(day))
        turn(site)
    assert {table.name: count(site, table) for table in RECORDS} == {table.name: 0 for table in RECORDS}


def test_a_request_counts_once_among_the_entries_of_its_log(site: Site, clock: MovedClock) -> None:
    publish(site, "taste: {what: interest,", "taste: {what: [request log, interest],")
    receive(site, asked("access"))
    clock.move(days(20))
    turn(site)
    assert count(site, request_step) and count(site, request) == 1
    for kind in ("request.log", "retention.clock"):
        said = {one.proof.evidence for one in prove(site).proven if one.promise.kind == kind}
        assert any("1 entry looked at" in one for one in said), (kind, said)


def test_a_letter_has_no_ip_address_in_the_log(site: Site) -> None:
    received = receive(site, asked("access", channel="letter", by="7", ip=""))
    with site.writing() as conn:
        logged = papers.logged_as(site, conn, received.id, site.now() - days(175))
    assert logged is not None and "ip_address" not in logged[2]
