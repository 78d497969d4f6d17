"""What a proof measures of how people were told of a change: who, when and by which way; and each lie about it."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import delete, select, update

from tests.changing import WIDER, proof, shop, told, turns, web, wider  # noqa: F401  (fixtures)
from tests.fixtures import days
from tests.served import Client
from tests.submissions import CONTACT, count, sent
from tests.versions import publish_next
from troth.clock import MovedClock, utc
from troth.collection import collect
from troth.consent.tables import shown
from troth.messages.mailbox import Mailbox
from troth.messages.tables import message, posting
from troth.store import versions
from troth.store.site import Site
from troth.store.tables import policy_version
from troth.web import banner

# What is measured


def test_nothing_is_measured_before_a_change(shop: Site) -> None:
    assert proof(shop).verdict == "nothing to check yet"


def test_a_change_that_nobody_was_told_of_is_not_kept(shop: Site, clock: MovedClock) -> None:
    wider(shop)
    assert (proof(shop).verdict, proof(shop).measured) == (
        "not proven",
        "no page has told of it so far; 2 people still to be written to",
    )
    clock.move(days(1))
    found = proof(shop)
    assert (found.verdict, found.measured) == ("broken", "no page told of it in time; 2 people not written to in time")


@pytest.fixture
def announced(shop: Site, web: Client, clock: MovedClock) -> Site:
    """Version 2 told as promised, with one reminder, and somebody who came in meanwhile."""
    wider(shop)
    web.get("/shop/")
    turns(shop)
    clock.move(days(0.5))
    collect(shop, sent(CONTACT, "contact-2", email="new@shop.example"))
    clock.move(days(7))
    turns(shop)
    return shop


def test_what_was_told_is_counted_with_the_first_and_the_last(announced: Site) -> None:
    found = proof(announced)
    assert (found.verdict, found.limit) == ("kept", "told 14 days before it takes effect")
    assert found.measured == (
        "on our pages 0 min after it was published; "
        "2 people written to, the first 0 min and the last 0 min after it was published; "
        "3 reminders sent, each when it was due; 1 person told at the form they came in by"
    )
    assert found.evidence == "version 2; 1 change looked at"


def _without_a_posting(site: Site) -> None:
    _sql(site, delete(posting))


def _posted_late(site: Site) -> None:
    _sql(site, update(posting).values(at=site.now()))


def _a_notice_is_gone(site: Site) -> None:
    _sql(site, delete(message).where(message.c.key.in_(_one(site, "first"))))


def _a_notice_was_late(site: Site) -> None:
    _sql(site, update(message).where(message.c.key.in_(_one(site, "first"))).values(sent_at=site.now()))


def _a_reminder_is_gone(site: Site) -> None:
    _sql(site, delete(message).where(message.c.key.in_(_one(site, "reminder"))))


def _a_reminder_was_late(site: Site) -> None:
    late = site.now() + days(1)
    _sql(site, update(message).where(message.c.key.in_(_one(site, "reminder"))).values(sent_at=late))


def _moved_forward(site: Site) -> None:
    _sql(site, update(policy_version).where(policy_version.c.version == 2).values(effective_at=utc(2026, 1, 15)))


def _untold_at_the_form(site: Site) -> None:
    _sql(site, update(shown).where(shown.c.words.contains("policy changes on")).values(words="other"))


def _one(site: Site, which: str) -> list[str]:
    return [key for key in _keys(site) if (key.count(":") == 3) == (which == "reminder")][:1]


def _keys(site: Site) -> list[str]:
    with site.reading() as conn:
        return sorted(conn.scalars(select(message.c.key).where(message.c.key.like("changed:2:%"))))


def _sql(site: Site, statement: object) -> None:
    with site.writing() as conn:
        assert conn.execute(statement).rowcount, statement  # type: ignore[call-overload]


LIES: tuple[tuple[Callable[[Site], None], str], ...] = (
    (_without_a_posting, "no page told of it in time"),
    (_posted_late, "no page told of it in time"),
    (_a_notice_is_gone, "1 person not written to in time"),
    (_a_notice_was_late, "1 person written to too late"),
    (_a_reminder_was_late, "1 reminder late or not sent"),
    (_moved_forward, "1 change told too late"),
    (_untold_at_the_form, "1 person not told at the form they came in by"),
)


@pytest.mark.parametrize(("lie", "says"), LIES, ids=lambda part: getattr(part, "__name__", ""))
def test_each_lie_about_how_people_were_told_breaks_the_promise(
    announced: Site, lie: Callable[[Site], None], says: str
) -> None:
    lie(announced)
    found = proof(announced)
    assert (found.verdict, found.measured) == ("broken", says)


def test_a_reminder_that_is_gone_is_missed_once_its_day_is_over(announced: Site, clock: MovedClock) -> None:
    _a_reminder_is_gone(announced)
    assert (proof(announced).verdict, proof(announced).measured) == ("not proven", "1 reminder still to be sent")
    clock.move(days(1))
    assert (proof(announced).verdict, proof(announced).measured) == ("broken", "1 reminder late or not sent")


def test_pages_that_stopped_saying_so_break_the_promise(announced: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    found = proof(announced, door=True)
    assert found.verdict == "kept" and "found on each of them 0 min ago" in found.measured
    monkeypatch.setattr(banner, "announced", lambda *_: None)
    found = proof(announced, door=True)
    assert (found.verdict, found.measured) == ("broken", "a page does not say that the policy changes")


def test_an_address_that_the_server_refuses_is_told_by_the_pages(announced: Site) -> None:
    _sql(
        announced,
        update(message).where(message.c.key.in_(_one(announced, "first"))).values(state="failed", sent_at=None),
    )
    found = proof(announced)
    assert found.verdict == "kept" and "1 person whom mail may not or cannot reach" in found.measured


def test_letters_of_which_none_arrived_are_no_way_of_telling_whatever_the_pages_say(announced: Site) -> None:
    letters = message.c.key.in_([key for key in _keys(announced) if key.count(":") == 2])
    _sql(announced, update(message).where(letters).values(state="failed", sent_at=None))
    found = proof(announced)
    assert (found.verdict, found.measured) == ("not proven", "2 people could not be reached")


def test_reminders_that_reached_nobody_are_no_reminders(announced: Site) -> None:
    reminders = message.c.key.in_([key for key in _keys(announced) if key.count(":") == 3])
    _sql(announced, update(message).where(reminders).values(state="failed", sent_at=None))
    found = proof(announced)
    assert (found.verdict, found.measured) == ("not proven", "no reminder reached anybody")


def test_a_program_that_asks_is_no_page_that_tells(shop: Site, web: Client) -> None:
    wider(shop)
    assert web.get("/shop/api/changes").json()["announcement"]["version"] == 2
    assert count(shop, posting) == 0


def test_each_change_is_held_to_what_was_promised_when_it_was_published(
    shop: Site, web: Client, clock: MovedClock, mailbox: Mailbox
) -> None:
    """Version 2 names the pages alone: what it announces is mailed to nobody. What version 1 announced had to be."""
    promised = "changes: {told by: [page, e-mail], lead time: 14 days, remind every: 7 days,"
    publish_next(shop, lambda text: text.replace(promised, "changes: {told by: page, lead time: 14 days,"))
    web.get("/shop/")
    turns(shop)
    for _ in range(2):
        clock.move(days(7))
        turns(shop)
    clock.move(days(15))
    sent_before = len(told(mailbox))
    publish_next(shop, number=3)
    web.get("/shop/")
    turns(shop)
    clock.move(days(20))
    turns(shop)
    assert (sent_before, len(told(mailbox))) == (6, 6)
    assert (proof(shop).verdict, proof(shop).evidence) == ("kept", "version 3; 2 changes looked at")
    with shop.reading() as conn:
        assert [one.version for one in versions.announced(conn)] == [2, 3]
    _sql(shop, update(message).where(message.c.key.in_(_one(shop, "first"))).values(sent_at=shop.now()))
    assert (proof(shop).verdict, proof(shop).evidence) == ("broken", "version 2; 2 changes looked at")
