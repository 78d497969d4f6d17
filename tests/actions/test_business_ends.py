"""Every word that ends business ends it on live data, on both stores: by the doors that people have."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from tests.databases import StoreKind
from tests.operators import open_operator
from troth.accounts import actions as accounts
from troth.accounts.sessions import begin
from troth.accounts.tables import account
from troth.clock import MovedClock, utc
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.consent.unsubscribed import mailing
from troth.people import dealings
from troth.people.tables import dealing, person
from troth.retention.relationship import differing
from troth.rights.intake import receive
from troth.rights.rules import Intake
from troth.store import versions
from troth.store.site import Site
from troth.work import turn

START = utc(2026, 1, 5)
COUNTS = "silence counts: [dealing, log-in]"
MEMBERS = {
    "ledinside": ("registration", {"name": "Ann Sparrow", "email": "ann@member.example", "birth_date": "1990-02-03",
                               "gender": "female", "job": "buyer", "industry": "lighting", "interest": "lamps"}),
    "optokingdom": ("register", {"full_name": "Ann Sparrow", "address": "1 Road", "phone": "+44 20 7946 0123",
                                 "email": "ann@member.example"}),
}  # fmt: skip


@pytest.fixture
def opened(
    tmp_path: Path, fresh_database: Callable[..., str], store_kind: StoreKind
) -> Callable[[str, MovedClock], Site]:
    return lambda name, clock: open_operator(name, tmp_path, clock, fresh_database, store_kind)


def end_of(site: Site, person_id: str) -> datetime | None:
    """The end on record; it must be what the rule says, worked out anew."""
    with site.reading() as conn:
        kind, ends = conn.execute(
            select(person.c.kind, person.c.relationship_ends_at).where(person.c.id == person_id)
        ).one()
        policy = site.policy(conn).policy
        assert differing(conn, kind, policy.relationship[kind], mailing(policy))[0] == 0
    found: datetime | None = ends
    return found


def member_of(site: Site, name: str) -> str:
    point, values = MEMBERS[name]
    person_id = collect(site, Submission(point, values, "reg-1", acknowledged=True)).person_id
    with site.writing() as conn:
        made = {
            "person_id": person_id,
            "state": "open",
            "made_at": site.now(),
            "confirmed_at": site.now(),
            "because": "",
        }
        conn.execute(account.insert().values(**made))
    return person_id


@pytest.mark.parametrize("name", sorted(MEMBERS))
def test_closing_the_account_ends_business_that_day(opened: Callable[[str, MovedClock], Site], name: str) -> None:
    clock = MovedClock(START)
    site = opened(name, clock)
    member = member_of(site, name)
    assert end_of(site, member) == utc(2028, 1, 5)
    clock.at = utc(2027, 1, 5)
    accounts.cancel(site, member)
    assert end_of(site, member) == utc(2027, 1, 5)


def test_a_log_in_keeps_business_going_and_is_noted_once_a_day(opened: Callable[[str, MovedClock], Site]) -> None:
    clock = MovedClock(START)
    site = opened("ledinside", clock)
    member = member_of(site, "ledinside")
    clock.at = utc(2027, 1, 5, 9)
    for _ in range(2):
        with site.writing() as conn:
            begin(site, conn, member)
    assert end_of(site, member) == utc(2029, 1, 5, 9)
    with site.reading() as conn:
        noted = conn.scalars(select(dealing.c.closed_at).where(dealing.c.kind == dealings.LOG_IN)).all()
    assert noted == [clock.at]


def test_whoever_is_logged_in_when_log_ins_begin_to_count_is_not_silent(
    opened: Callable[[str, MovedClock], Site],
) -> None:
    clock = MovedClock(START)
    site = opened("ledinside", clock)
    next_version(site, 2, ", log-in]", "]")
    member = member_of(site, "ledinside")
    clock.at = utc(2027, 12, 20)
    with site.writing() as conn:
        begin(site, conn, member)
    turn(site)
    assert end_of(site, member) == utc(2028, 1, 5)
    next_version(site, 3, "]", "]")
    for _ in range(2):
        assert "log-ins" not in turn(site).problems
        assert end_of(site, member) == utc(2029, 12, 20)


def next_version(site: Site, number: int, old: str, new: str) -> None:
    """What the site's files say, in force at once as version ``number``, with other words for what counts against silence."""
    policy, decisions = ((site.folder / name).read_text("utf-8") for name in ("policy.yaml", "decisions.yaml"))
    decisions = re.sub(r"policy\.version: \d+", f"policy.version: {number}", decisions)
    decisions = decisions.replace(COUNTS, COUNTS.replace(old, new))
    with site.writing() as conn:
        versions.archive(conn, policy, decisions, effective_at=site.now(), at=site.now())


def test_whoever_unsubscribes_by_a_request_has_ended_it(opened: Callable[[str, MovedClock], Site]) -> None:
    clock = MovedClock(START)
    site = opened("infortrend", clock)
    sent = Submission("subscribe", {"email": "ann@reader.example"}, "sub-1", choices={"product_news": True})
    reader = collect(site, sent).person_id
    assert end_of(site, reader) is None
    clock.at = utc(2027, 6, 1)
    receive(site, Intake("stop marketing", "account", "stop-1", member=reader, vouched="account"))
    assert end_of(site, reader) == utc(2027, 6, 1)
    clock.at = utc(2027, 7, 1)
    collect(site, Submission("subscribe", {"email": "ann@reader.example"}, "sub-2", choices={"product_news": True}))
    assert end_of(site, reader) is None
