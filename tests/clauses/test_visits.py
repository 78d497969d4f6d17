"""What pages leave of those who look at them at LED Flex and LEDinside, and when it goes; over a socket, as a browser does."""

from __future__ import annotations

import urllib.request
from datetime import timedelta
from pathlib import Path

import pytest

from tests.doors import Opening, Operator
from tests.fixtures import days
from tests.served import serving
from troth.people.vault import By
from troth.retention.alarms import alarms
from troth.visits import actions as visits
from troth.visits import daykeys
from troth.visits.partitions import days_present, table_of
from troth.visits.sweep import overdue

READ_FOR = {"ledflex": "breach_watch", "ledinside": "content_improvement"}
LOOKS = {
    "ledflex": [("policy.yaml", "records: [time, ip_address]", "records: [time, ip_address]\n  for: [breach_watch]")],
    "ledinside": [],
}
"""LED Flex reads its log for nothing; here it does, so that somebody could see what is hidden"""
FIELDS = {"ledflex": {"ip_address": "127.0.0.1"}, "ledinside": {"ip_address": "127.0.0.1", "page": "/ledinside/forms"}}


def read(site: Operator, purpose: str) -> list[visits.Visit]:
    """What those who work with visits are shown of them."""
    return list(visits.read(site.site, purpose, By("system")))


NONE = ("policy.yaml", "records: [time, ip_address]", "recording: false\n  records: [time, ip_address]")
TIMES = ("policy.yaml", "records: [time, ip_address]", "records: [time]")


def rows(site: Operator) -> list[visits.Visit]:
    """What the store has of visits, expired or not."""
    with site.site.reading() as conn:
        return [one for day in days_present(conn) for one in visits.sample(site.site, conn, [day], 99)]


@pytest.mark.clause("F17", "L9")
@pytest.mark.parametrize("name", FIELDS)
def test_a_visit_leaves_one_row_with_exactly_what_is_declared(operator: Opening, name: str) -> None:
    site = operator(name)
    headers = {
        "Authorization": "Bearer s3cret",
        "Cookie": "theirs=s3cret",
        "User-Agent": "s3cret",
        "Referer": "http://s3cret/",
    }
    with serving([site.site]) as address:
        asked = urllib.request.Request(f"{address}/{name}/forms?token=s3cret", headers=headers)
        urllib.request.urlopen(asked, timeout=10).close()
    assert rows(site) == [visits.Visit(site.clock.now(), FIELDS[name])]


@pytest.mark.clause("F17")
@pytest.mark.parametrize(("edit", "left"), [(NONE, []), (TIMES, [{}])])
def test_what_is_switched_off_is_not_recorded(
    operator: Opening, edit: tuple[str, str, str], left: list[dict[str, str]]
) -> None:
    site = operator("ledflex", edit)
    site.looked_at("forms")
    assert [one.fields for one in rows(site)] == left


@pytest.mark.clause("F17", "F18", "L9")
@pytest.mark.parametrize("name", FIELDS)
def test_a_visit_is_hidden_at_thirty_days_to_the_moment_and_gone_with_the_next_turn(
    operator: Opening, name: str
) -> None:
    site, use = operator(name, *LOOKS[name]), READ_FOR[name]
    site.looked_at("forms")
    began = site.clock.now()
    site.clock.at = began + days(30) - timedelta(minutes=1)
    site.turn()
    assert [one.fields for one in read(site, use)] == [one.fields for one in rows(site)] == [FIELDS[name]]
    files = [Path(str(site.site.engine.url.database))]
    files += [file.with_name(file.name + "-wal") for file in files]
    with site.site.reading() as conn:
        body = conn.execute(table_of(began.date()).select()).one().body
    site.clock.at = began + days(30)
    assert len(rows(site)) == 1 and read(site, use) == [], "before any worker has come by"
    site.turn()
    assert rows(site) == []
    assert not any(body in file.read_bytes() for file in files if file.exists())
    site.later(days=1)
    assert daykeys.keys_of(site.site, [began.date()]) == {}, "what a backup has of the day opens no more"


@pytest.mark.clause("F18")
def test_a_worker_that_stopped_is_an_alarm_until_it_comes_back(operator: Opening) -> None:
    site = operator("ledflex")
    site.looked_at("forms")
    site.turn()
    assert not [one for one in alarms(site.site, overdue(site.site)) if one.subject == "visits"]
    site.clock.move(days(31))
    late = {(one.kind, one.subject) for one in alarms(site.site, overdue(site.site))}
    assert {("sweeper stopped", "visits"), ("visits overdue", "visits")} <= late
    site.turn()
    assert not [one for one in alarms(site.site, overdue(site.site)) if one.subject == "visits"]


@pytest.mark.clause("F70")
def test_a_visit_with_a_signal_leaves_what_one_without_leaves_and_for_as_long(operator: Opening) -> None:
    shop = operator("ledflex")
    cookies = []
    with serving([shop.site]) as address:
        for headers in ({}, {"DNT": "1", "Sec-GPC": "1"}):
            asked = urllib.request.Request(f"{address}/ledflex/forms", headers=headers)
            with urllib.request.urlopen(asked, timeout=10) as page:
                cookies.append(page.headers.get("Set-Cookie"))
    assert cookies == [None, None]
    assert rows(shop) == [visits.Visit(shop.clock.now(), FIELDS["ledflex"])] * 2
    shop.later(days=32)
    assert rows(shop) == []
