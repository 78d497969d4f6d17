"""The log of requests, on both stores: exactly the declared fields, for the declared time, and whole."""

import pytest
from sqlalchemy import delete

from tests.asking import ANN, asked
from tests.fixtures import days
from tests.submissions import count
from troth.clock import MovedClock
from troth.evidence.prove import prove
from troth.rights import following, papers
from troth.rights.intake import receive
from troth.rights.tables import request_log, request_paper
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
    with site.writing() as conn:
        papers.KEYS.destroy_keys_before(site, (arrived + days(1)).date())
    assert papers.KEYS.keys_of(site, [arrived.date()]) == {}


def test_a_row_of_the_log_that_went_in_its_time_is_not_taken_for_one_that_was_taken_out(
    site: Site, clock: MovedClock
) -> None:
    def verdict() -> str:
        (found,) = (one.proof.verdict for one in prove(site).proven if one.promise.kind == "request.log")
        return found

    receive(site, asked("question", "letter", channel="letter", by="7", ip="", at=clock.now() - days(50)))
    receive(site, asked("complaint", "mail"))
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


def test_a_letter_has_no_ip_address_in_the_log(site: Site) -> None:
    received = receive(site, asked("access", channel="letter", by="7", ip=""))
    with site.writing() as conn:
        logged = papers.logged_as(site, conn, received.id, site.now() - days(175))
    assert logged is not None and "ip_address" not in logged[2]
