"""Versions take effect in the order of their numbers, and none before the time that people were promised to react in."""

import re
from datetime import date, datetime, timedelta

import pytest

from tests.fixtures import days
from tests.submissions import count
from troth.clock import MovedClock, utc
from troth.errors import PolicyError
from troth.ledger.tables import entry
from troth.messages.publish import publish
from troth.store import versions
from troth.store.site import Site
from troth.store.tables import policy_version


def written(site: Site, version: int, effective: date | None, lead: str = "lead time: 14 days, ") -> None:
    """Version ``version`` in the files of the shop; version 1 promises 14 days."""
    path = site.folder / "policy.yaml"
    day = f"effective: {effective}, " if effective else ""
    text = re.sub(
        r"^policy: .*$", f"policy: {{version: {version}, {day}languages: [en], law: []}}", path.read_text(), flags=re.M
    )
    path.write_text(re.sub(r"(?<=changes: \{told by: \[page, e-mail\], )(lead time: [^,]*, )?", lead, text))


def published(site: Site, version: int, effective: date | None = None, lead: str = "lead time: 14 days, ") -> datetime:
    written(site, version, effective, lead)
    return publish(site).effective_at


def refused(site: Site, version: int, effective: date | None = None, lead: str = "lead time: 14 days, ") -> PolicyError:
    before = count(site, policy_version), count(site, entry)
    with pytest.raises(PolicyError) as error:
        published(site, version, effective, lead)
    assert (count(site, policy_version), count(site, entry)) == before
    return error.value


def number(site: Site, at: datetime) -> int:
    with site.reading() as conn:
        return versions.in_force(conn, at).version


def today(site: Site, later: timedelta = timedelta(0)) -> date:
    return (site.now() + later).date()


def test_a_version_takes_effect_as_early_as_was_promised(site: Site) -> None:
    assert published(site, 2) == utc(2026, 1, 20)  # 14 days from 5 January, 09:00, and the next midnight
    assert publish(site).already


def test_a_day_before_the_promised_one_is_refused(site: Site) -> None:
    assert "time to react" in refused(site, 2, today(site, days(14))).message
    published(site, 2, today(site, days(15)))


def test_what_is_to_come_takes_no_promise_back_that_is_in_force(site: Site) -> None:
    published(site, 2, today(site, days(31)), lead="")
    error = refused(site, 3, today(site, days(1)), lead="")
    assert "time to react" in error.message and "2026-01-20" in error.hint
    error = refused(site, 3, today(site, days(20)), lead="")
    assert "version 2" in error.message and "2026-02-05" in error.hint
    assert published(site, 3, today(site, days(31)), lead="") == published(site, 4, today(site, days(31)), lead="")
    assert [number(site, site.now() + days(later)) for later in (0, 30, 31)] == [1, 1, 4]


def test_a_promise_to_come_binds_too(site: Site) -> None:
    published(site, 2, today(site, days(15)), lead="lead time: 40 days, ")
    assert "2026-02-15" in refused(site, 3, today(site, days(20))).hint


def test_without_a_day_a_version_follows_those_before_it(site: Site, clock: MovedClock) -> None:
    second = published(site, 2, today(site, days(60)))
    assert published(site, 3) == second
    clock.move(days(70))
    assert published(site, 4) == utc(2026, 3, 31)


@pytest.mark.parametrize("effective", [None, date(2030, 1, 1)])
def test_a_version_that_was_passed_over_is_not_published_later(site: Site, effective: date | None) -> None:
    published(site, 3)
    assert "version 4" in refused(site, 2, effective).hint
