"""A change of the policy is told on every page, by mail, again and again, and at the form; and each of it is measured."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

from __future__ import annotations

import re
from time import perf_counter

import pytest
from sqlalchemy import insert, select, update

from tests.changing import WIDER, proof, shop, told, turns, web, wider  # noqa: F401  (fixtures)
from tests.fixtures import days
from tests.operators import erased
from tests.served import Client, words_of
from tests.submissions import CONTACT, ORDER, count, entries, sent
from tests.versions import publish_next
from troth import work
from troth.clock import MovedClock, utc
from troth.collection import collect
from troth.consent.tables import shown
from troth.errors import PolicyError
from troth.ledger import events
from troth.messages.mailbox import Mailbox
from troth.messages.posting import note_in
from troth.messages.publish import take_back
from troth.messages.tables import message, posting
from troth.people.tables import person
from troth.store.site import Site
from troth.store.tables import policy_version
from troth.web import visits

PAGES = (
    "",
    "/forms",
    "/forms/contact",
    "/privacy",
    "/versions",
    "/account/login",
    "/changes",
    "/changes/2",
    "/versions/1",
)


def test_every_page_says_that_a_version_comes_from_publishing_until_two_weeks_after_its_effect(
    shop: Site, web: Client, clock: MovedClock
) -> None:
    line = re.compile(r'<aside class="announcement".*?<p>(.*?)</p>', re.S)

    def said() -> dict[str, tuple[str, ...]]:
        return {page: tuple(line.findall(web.get(f"/shop{page}").text)) for page in PAGES}

    assert 'class="announcement"' not in web.get("/shop/forms").text
    wider(shop)
    assert said() == dict.fromkeys(PAGES, ("This policy changes on 20 January 2026.",))
    clock.move(days(15))
    assert said() == dict.fromkeys(PAGES, ("This policy changed on 20 January 2026.",))
    clock.move(days(14))
    assert 'class="announcement"' not in web.get("/shop/forms").text


def test_a_page_of_what_changes_says_what_matters_most_first_and_leads_to_both_versions(
    shop: Site, web: Client
) -> None:
    publish_next(shop, lambda text: text.replace(*WIDER, 1).replace("Lamp Shop Limited", "Lamp Shop Ltd"))
    page = web.get("/shop/changes/2")
    words = words_of(page.text)
    assert "What changes on 20 January 2026" in words and "Until then version 1 applies" in words
    assert 0 < words.index("Pass your data on") < words.index("What else changes") < words.index("Lamp Shop Ltd")
    assert {f'href="/shop/versions/{one}"' in page.text for one in (1, 2)} == {True}
    assert page.headers["cache-control"] == "no-store"
    assert web.get("/shop/versions/2").status_code == web.get("/shop/versions/1").status_code == 200
    assert web.get("/shop/changes/1").status_code == web.get("/shop/changes/7").status_code == 404


def test_programs_of_the_operators_own_pages_are_told_the_same(shop: Site, web: Client) -> None:
    assert web.get("/shop/api/changes").json() == {"announcement": None, "further": []}
    wider(shop)
    answer = web.get("/shop/api/changes")
    said = answer.json()["announcement"]
    assert (said["version"], said["state"], said["effective_at"]) == (2, "coming", "2026-01-20T00:00:00Z")
    assert said["text"] == "This policy changes on 20 January 2026."
    assert said["what_changes"].endswith("/changes/2") and "Pass your data on" in said["changes"][0]["after"]
    assert answer.headers["access-control-allow-origin"] == "*" and answer.headers["cache-control"] == "no-store"


def test_the_first_page_that_says_so_is_recorded_once(shop: Site, web: Client, clock: MovedClock) -> None:
    wider(shop)
    assert count(shop, posting) == 0
    clock.move(days(1))
    web.get("/shop/forms")
    clock.move(days(1))
    web.get("/shop/privacy")
    with shop.reading() as conn:
        assert [tuple(row) for row in conn.execute(select(posting))] == [(2, utc(2026, 1, 6, 9))]
    assert len(entries(shop, events.POLICY_POSTED)) == 1


def test_a_page_does_not_wait_for_a_store_that_is_locked_and_the_worker_records_what_it_told(
    shop: Site, web: Client, clock: MovedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visits, "record", lambda *_: None)  # a visit is recorded after the page has gone out
    wider(shop)
    clock.move(days(1))
    with shop.writing() as conn:
        conn.execute(insert(posting).values(version=2, at=shop.now()))  # another writer, who is not done
        begun = perf_counter()
        assert "changes on" in web.get("/shop/forms").text
        assert perf_counter() - begun < 2
        conn.rollback()
    assert count(shop, posting) == 0
    clock.move(days(1))
    turns(shop)
    with shop.reading() as conn:
        assert [tuple(row) for row in conn.execute(select(posting))] == [(2, utc(2026, 1, 6, 9))]
    assert len(entries(shop, events.POLICY_POSTED)) == 1


def test_everybody_is_written_to_and_reminded_until_it_takes_effect_and_nobody_who_has_left(
    shop: Site, clock: MovedClock, mailbox: Mailbox
) -> None:
    wider(shop)
    turns(shop)
    first = "Our privacy policy changes on 20 January 2026"
    assert told(mailbox) == [("ann@shop.example", first), ("leo@shop.example", first)]
    collect(shop, sent(CONTACT, "contact-2", email="new@shop.example"))
    with shop.reading() as conn:
        leo = conn.scalars(select(person.c.id).where(person.c.kind == "lead").order_by(person.c.since)).first()
    erased(shop, str(leo))
    clock.move(days(7))
    turns(shop)
    turns(shop)
    again = f"Reminder: o{first[1:]}"
    reminded = [("ann@shop.example", again), ("new@shop.example", again)]
    assert [one for one in told(mailbox) if one[1] == again] == reminded
    clock.move(days(7))
    turns(shop)
    assert [one for one in told(mailbox) if one[1] == again] == sorted(reminded * 2)
    clock.move(days(7))
    turns(shop)
    assert len(told(mailbox)) == 6, "none once it is in effect"
    assert proof(shop, promise="messages.policy_change").verdict == "kept", (
        "each was decided, and the ledger says which"
    )


def test_a_worker_that_slept_over_two_reminders_sends_one(shop: Site, clock: MovedClock, mailbox: Mailbox) -> None:
    wider(shop)
    turns(shop)
    clock.move(days(14.1))
    turns(shop)
    assert len(told(mailbox)) == 4
    assert proof(shop).verdict == "broken"


def test_a_version_that_is_taken_back_never_applies_and_whoever_was_told_hears_of_it(
    shop: Site, web: Client, clock: MovedClock, mailbox: Mailbox
) -> None:
    wider(shop)
    turns(shop)
    collect(shop, sent(CONTACT, "contact-2", email="new@shop.example"))
    take_back(shop, 2)
    turns(shop)
    assert [one[0] for one in told(mailbox) if "after all" in one[1]] == ["ann@shop.example", "leo@shop.example"]
    assert 'class="announcement"' not in web.get("/shop/").text
    assert "taken back" in words_of(web.get("/shop/versions").text) and web.get("/shop/changes/2").status_code == 404
    clock.move(days(30))
    turns(shop)
    assert (shop.policy().version, len(told(mailbox))) == (1, 4)
    assert proof(shop).verdict == "nothing to check yet"
    with pytest.raises(PolicyError, match="taken back"):
        publish_next(shop, number=1)
    assert publish_next(shop, number=3).effective_at > shop.now()


def test_what_waited_for_the_mail_server_when_a_version_was_taken_back_does_not_leave(
    shop: Site, mailbox: Mailbox
) -> None:
    wider(shop)
    work.turn(shop)
    with shop.reading() as conn:
        waiting = set(conn.scalars(select(message.c.state).where(message.c.template == "changed")))
    assert waiting == {"queued"}
    take_back(shop, 2)
    turns(shop)
    with shop.reading() as conn:
        query = select(message.c.state, message.c.because).where(message.c.template == "changed")
        assert {tuple(row) for row in conn.execute(query)} == {("refused", "The version was taken back.")}
    assert told(mailbox) == []


@pytest.mark.parametrize(
    ("version", "moved", "why"), [(7, 0, "not published"), (1, 0, "in effect"), (2, 20, "in effect")]
)
def test_what_has_taken_effect_is_not_taken_back(
    shop: Site, clock: MovedClock, version: int, moved: int, why: str
) -> None:
    wider(shop)
    clock.move(days(moved))
    with pytest.raises(PolicyError, match=why):
        take_back(shop, version)


def test_whoever_comes_in_meanwhile_is_told_at_the_form(shop: Site, web: Client, clock: MovedClock) -> None:
    wider(shop)
    clock.move(days(1))
    collect(shop, sent(CONTACT, "contact-2", email="new@shop.example"))
    with shop.reading() as conn:
        words = conn.exec_driver_sql("SELECT words FROM shown").scalars().all()
    assert sum("This policy changes on 20 January 2026." in one for one in words) == 1
    assert "This policy changes on 20 January 2026. What changes" in words_of(web.get("/shop/forms/contact").text)


def test_an_order_is_taken_in_while_a_version_comes(shop: Site, clock: MovedClock) -> None:
    wider(shop)
    collect(shop, ORDER)
    clock.move(days(15))
    collect(shop, sent(ORDER, "order-2"))
    assert shop.policy().version == 2


def test_a_posting_is_noted_once_however_many_pages_are_asked_for_at_once(shop: Site) -> None:
    with shop.writing() as conn:
        assert [note_in(conn, 2, shop.now()), note_in(conn, 2, shop.now() + days(1))] == [True, False]


def test_two_sites_of_the_same_words_announce_each_their_own_day(shop: Site, clock: MovedClock) -> None:
    """What was compiled for one site is not shown on another, though both say the same in both versions."""
    wider(shop)
    first = shop.policy().coming
    with shop.writing() as conn:
        conn.execute(update(policy_version).where(policy_version.c.version == 2).values(effective_at=utc(2026, 2, 1)))
    second = shop.policy().coming
    assert first is not None and second is not None
    assert (first.effective_at, second.effective_at) == (utc(2026, 1, 20), utc(2026, 2, 1))


def test_of_two_versions_that_come_people_are_told_of_both(shop: Site, web: Client, clock: MovedClock) -> None:
    """Whoever comes in before the first takes effect would else hear of the second too late, or never."""
    wider(shop)
    web.get("/shop/")
    turns(shop)
    clock.move(days(2))
    publish_next(shop, lambda text: text.replace("Lamp Shop Limited", "Lamp Shop Ltd"), number=3)
    page = web.get("/shop/forms/contact").text
    both = "This policy changes on 20 January 2026. This policy changes on 22 January 2026."
    assert both in words_of(page)
    assert all(f'href="/shop/changes/{version}"' in page for version in (2, 3))
    assert [one["version"] for one in web.get("/shop/api/changes").json()["further"]] == [3]
    collect(shop, sent(ORDER, "order-2"))
    with shop.reading() as conn:
        assert any(
            all(f"changes on {day} January" in words for day in (20, 22))
            for words in conn.scalars(select(shown.c.words))
        )
        assert set(conn.scalars(select(posting.c.version))) == {2, 3}
    turns(shop)
    clock.move(days(1))
    found = proof(shop, door=True)
    assert found.verdict == "kept", found
    assert "2 changes looked at" in found.evidence
