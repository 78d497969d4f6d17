"""Exercising rights over HTTP: asking, confirming, the privacy centre, and everybody who should get nowhere."""

import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import func, select, update

from tests.asking import run, secret
from tests.databases import StoreKind
from tests.journeys.test_accounts import ANN, log_in, registered
from tests.operators import mailing
from tests.served import Client, client, token_of, words_of
from tests.versions import publish_next
from troth.clock import DAY, MovedClock
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.consent.actions import choices
from troth.consent.rules import facts_of
from troth.errors import StoreError
from troth.evidence.prove import prove
from troth.messages.mailbox import Mailbox
from troth.people import vault
from troth.people.tables import person
from troth.retention.tables import ending
from troth.rights import carrying
from troth.rights.tables import request
from troth.store.site import Site
from troth.work import turn

CENTRE = "/shop/privacy/centre"
BOB = {
    "email": "bob@shop.example",
    "full_name": "Bob Heron",
    "delivery_address": "9 Quay Road",
    "order_total": "2 lamps",
}


@pytest.fixture
def store_kind() -> StoreKind:
    """Pages do not know which store they stand on."""
    return "sqlite"


@pytest.fixture
def shop(site: Site, mailbox: Mailbox) -> Site:
    return mailing(site, mailbox)


@pytest.fixture
def web(shop: Site, mailbox: Mailbox) -> Iterator[Client]:
    with client(shop, mailbox=mailbox) as made:
        yield made


def link(shop: Site, mailbox: Mailbox, page: str) -> str:
    run(shop)
    return f"/shop/privacy/{page}/{secret(mailbox, f'privacy/{page}')}"


def ask(web: Client, right: str, email: str, **more: str):  # type: ignore[no-untyped-def]
    sent = {"token": token_of(web.get("/shop/privacy").text), "right": right, "email": email}
    return web.post("/shop/privacy/request", data=sent | more)


def press(web: Client, address: str):  # type: ignore[no-untyped-def]
    return web.post(address, data={"press": "yes"})


def bob(shop: Site) -> str:
    return collect(shop, Submission("order", BOB, "bob-1")).person_id


def in_by_link(web: Client, shop: Site, mailbox: Mailbox) -> str:
    """Bob's privacy centre, reached by links alone."""
    ask(web, "access", BOB["email"])
    assert press(web, link(shop, mailbox, "confirm")).status_code == 200
    opened = press(web, link(shop, mailbox, "data"))
    assert opened.status_code == 200, words_of(opened.text)
    return str(opened.text)


def hidden(page: str) -> dict[str, str]:
    """What every form of a page of the centre carries."""
    found = dict(re.findall(r'<input type="hidden" name="(token|visit)" value="([^"]+)"', page))
    assert "token" in found
    return found


def facts(shop: Site, person_id: str) -> frozenset[str]:
    with shop.reading() as conn:
        return facts_of(choices(conn, [person_id]).get(person_id, ()))


def rights_asked(shop: Site) -> list[str]:
    with shop.reading() as conn:
        return sorted(conn.scalars(select(request.c.right)))


def test_the_page_says_the_same_to_everybody(web: Client, shop: Site) -> None:
    bob(shop)
    pages = [ask(web, "access", address) for address in (BOB["email"], "nobody@else.example")]
    said = {re.sub(r'value="[^"]*"', "", one.text) for one in pages}
    assert len(said) == 1 and {one.status_code for one in pages} == {200}


def test_what_does_not_fit_is_said_and_nothing_is_recorded(web: Client, shop: Site) -> None:
    for right, email in (
        ("everything", BOB["email"]),
        ("access", "no address"),
        ("", ""),
        ("access", "a@b.example\r\nBcc: x@y.example"),
    ):
        assert ask(web, right, email).status_code == 422
    with shop.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(request)) == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [("name", "x" * 201), ("text", "x" * 20_001), ("email", "x" * 400 + "@b.example"), ("right", "everything")],
)
def test_what_is_wrong_stands_at_the_top_and_beside_its_field(web: Client, field: str, value: str) -> None:
    sent = {"right": "access", "email": BOB["email"]} | {field: value}
    answer = ask(web, **sent)
    place = "r-1" if field == "right" else field
    assert answer.status_code == 422 and "<title>Error: " in answer.text
    assert f'href="#{place}"' in answer.text and f'id="{place}"' in answer.text
    assert f'aria-describedby="{field}-wrong"' in answer.text and f'id="{field}-wrong"' in answer.text
    assert answer.text.count('-wrong"') == 2


@pytest.mark.clause("F52", "F63")
def test_opening_a_link_uses_nothing_up_and_its_button_does_once(web: Client, shop: Site, mailbox: Mailbox) -> None:
    bob(shop)
    ask(web, "access", BOB["email"])
    confirm = link(shop, mailbox, "confirm")
    for _ in range(3):
        assert web.get(confirm).status_code == 200 and web.head(confirm).status_code == 200
    with shop.writing() as writer:  # looking waits for nobody
        writer.execute(update(request).values(failures=0))
        assert web.get(confirm).status_code == 200
    assert press(web, confirm).status_code == 200
    again = press(web, confirm)
    assert again.status_code == 404 and "done already" in words_of(again.text)
    assert "done already" not in words_of(press(web, f"{confirm}x").text)
    data = link(shop, mailbox, "data")
    assert web.get(data).status_code == 200 and "Quay Road" not in web.get(data).text
    first, second = press(web, data), press(web, data)
    assert (first.status_code, second.status_code) == (200, 404)
    assert "9 Quay Road" in first.text and "9 Quay Road" not in second.text
    assert "Your data was opened with this link before" in words_of(second.text)
    assert "set-cookie" not in first.headers


def test_a_visit_shows_nobody_elses_data_and_ends(web: Client, shop: Site, mailbox: Mailbox, clock: MovedClock) -> None:
    bob(shop)
    collect(shop, Submission("order", BOB | ANN | {"delivery_address": "1 Other Street"}, "ann-1"))
    page = in_by_link(web, shop, mailbox)
    assert "9 Quay Road" in page and "Other Street" not in page
    sent = hidden(page)
    assert web.post(CENTRE, data=sent).status_code == 200
    clock.move(DAY / 40)
    assert web.post(CENTRE, data=sent).status_code == 403


@pytest.mark.clause("F39", "F71")
def test_an_unticked_box_counts_at_once_and_mirrors_the_record(web: Client, shop: Site, mailbox: Mailbox) -> None:
    person_id = bob(shop)
    page = in_by_link(web, shop, mailbox)
    assert "consent:@newsletter_house" not in facts(shop, person_id)
    said = web.post(
        "/shop/privacy/choices", data=hidden(page) | {"on.@newsletter_house": "yes", "on.improvement": "yes"}
    )
    assert "consent:@newsletter_house" in facts(shop, person_id)
    box = re.search(r'name="on.@newsletter_house"[^>]*', said.text)
    assert box is not None and "checked" in box[0]
    web.post("/shop/privacy/choices", data=hidden(said.text) | {"on.improvement": "yes"})
    assert "consent:@newsletter_house" not in facts(shop, person_id)


def test_a_yes_in_the_centre_counts_only_under_the_words_that_were_read(
    web: Client, shop: Site, mailbox: Mailbox, clock: MovedClock
) -> None:
    applies = publish_next(shop, lambda text: text.replace("send you offers", "ring you up with offers")).effective_at
    clock.move(applies - shop.now() - timedelta(minutes=5))
    person_id = bob(shop)
    sent = hidden(in_by_link(web, shop, mailbox)) | {"on.marketing": "yes", "on.improvement": "yes"}
    clock.move(timedelta(minutes=6))
    answer = web.post("/shop/privacy/choices", data=sent)
    assert answer.status_code == 422 and "not saved" in answer.text and "Ring you up" in words_of(answer.text)
    assert "consent:marketing" not in facts(shop, person_id)
    web.post("/shop/privacy/choices", data=sent | hidden(answer.text))
    assert "consent:marketing" in facts(shop, person_id)


def test_a_correction_is_made_everywhere_and_only_of_what_is_held(web: Client, shop: Site, mailbox: Mailbox) -> None:
    bob(shop)
    page = in_by_link(web, shop, mailbox)
    said = web.post("/shop/privacy/correct", data=hidden(page) | {"field.delivery_address": "2 Mill Lane"})
    assert "2 Mill Lane" in said.text and "9 Quay Road" not in said.text
    for field in ("email", "birth_date", "nonsense"):
        answer = web.post("/shop/privacy/correct", data=hidden(said.text) | {f"field.{field}": "x"})
        assert answer.status_code == 422


@pytest.mark.clause("F54")
def test_deleting_says_first_what_goes_and_can_be_undone(
    web: Client, shop: Site, mailbox: Mailbox, clock: MovedClock
) -> None:
    person_id = bob(shop)
    page = in_by_link(web, shop, mailbox)
    plan = web.post("/shop/privacy/delete", data=hidden(page))
    said = words_of(plan.text)
    assert "Delete my data in 20 days" in said and "What stays for a while" in said
    with shop.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(ending)) == 0
    web.post("/shop/privacy/delete", data=hidden(plan.text) | {"sure": "yes"})
    assert web.post(CENTRE, data=hidden(plan.text)).status_code == 403
    undo = link(shop, mailbox, "undo")
    assert web.get(undo).status_code == 200
    assert "as it was before" in words_of(press(web, undo).text)
    assert "the first press counted" in words_of(press(web, undo).text)
    with shop.reading() as conn:
        assert conn.scalar(select(person.c.state).where(person.c.id == person_id)) == "active"


def test_resting_and_being_used_again(web: Client, shop: Site, mailbox: Mailbox) -> None:
    person_id = bob(shop)
    page = in_by_link(web, shop, mailbox)
    uncovered = (
        "without a name, so nobody can tell which are yours: this does not cover them, and they are deleted 30 days"
    )
    assert uncovered in words_of(page)
    rests = web.post("/shop/privacy/restrict", data=hidden(page))
    assert uncovered in words_of(rests.text)
    run(shop)
    (told,) = [one.body("plain") for one in mailbox.messages() if one.subject == "Your data rests"]
    assert uncovered in " ".join(told.split())
    proven = next(one for one in prove(shop).proven if one.promise.id == "rights.restriction")
    assert "visits" in proven.uncovered, "it is named as not proven"
    with shop.reading() as conn:
        assert conn.scalar(select(person.c.only_for).where(person.c.id == person_id)) == ""
    web.post("/shop/privacy/restrict", data=hidden(rests.text) | {"again": "yes"})
    with shop.reading() as conn:
        assert conn.scalar(select(person.c.only_for).where(person.c.id == person_id)) is None


@pytest.mark.clause("F59")
def test_the_right_authority_is_named(web: Client, shop: Site, mailbox: Mailbox) -> None:
    bob(shop)
    page = in_by_link(web, shop, mailbox)
    assert "https://ico.org.uk/make-a-complaint/" in page and "Datatilsynet" in page
    assert "We have your complaint" in words_of(
        web.post("/shop/privacy/complain", data=hidden(page) | {"text": "Too loud"}).text
    )


def test_what_is_held_is_opened_once_for_a_page(
    web: Client, shop: Site, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(web, shop, mailbox)
    log_in(web)
    opened, page = [], vault._page

    def counted(*about: Any) -> list[vault.Held]:
        opened.append(about)
        return page(*about)

    monkeypatch.setattr(vault, "_page", counted)
    assert "Ann Sparrow" in web.get(CENTRE).text and len(opened) == 1


def test_a_member_comes_by_the_account(web: Client, shop: Site, mailbox: Mailbox) -> None:
    assert web.get(CENTRE, follow_redirects=False).headers["location"] == "/shop/privacy"
    registered(web, shop, mailbox)
    log_in(web)
    page = web.get(CENTRE)
    assert page.status_code == 200 and "Ann Sparrow" in page.text and 'name="visit"' not in page.text
    web.post("/shop/privacy/delete", data=hidden(page.text) | {"sure": "yes"})
    assert web.get(CENTRE, follow_redirects=False).status_code == 303


ACTS: list[tuple[str, str, dict[str, str]]] = [
    ("choices", "withdrawal", {}),
    ("correct", "correction", {"field.phone": "+44 20 7946 0999"}),
    ("object", "objection", {"no.improvement": "yes"}),
    ("restrict", "restriction", {}),
    ("complain", "complaint", {"text": "Too loud"}),
    ("review", "review", {"view": "I always paid", "about.decision:pay_later": "yes"}),
    ("delete", "erasure", {"sure": "yes"}),
]


@pytest.mark.parametrize(("act", "right", "more"), ACTS)
def test_what_is_sent_from_the_page_a_copy_was_taken_from_is_recorded(
    web: Client, shop: Site, mailbox: Mailbox, act: str, right: str, more: dict[str, str]
) -> None:
    registered(web, shop, mailbox, phone="+44 20 7946 0123")
    log_in(web)
    page = web.get(CENTRE).text
    for _ in range(2):
        taken = web.post("/shop/privacy/copy", data=hidden(page) | {"format": "json"})
        assert "attachment" in taken.headers["content-disposition"]
    for _ in range(2):
        web.post(f"/shop/privacy/{act}", data=hidden(page) | more)
    assert rights_asked(shop) == sorted(["copy", right])


def test_a_page_sent_again_with_other_words_is_another_request(web: Client, shop: Site) -> None:
    sent = {"token": token_of(web.get("/shop/privacy").text), "right": "access", "email": BOB["email"]}
    for more in ({}, {}, {"right": "erasure"}, {"email": "eve@else.example"}):
        assert web.post("/shop/privacy/request", data=sent | more).status_code == 200
    assert rights_asked(shop) == ["access", "access", "erasure"]


def failing(*_: object, **__: object) -> None:
    raise StoreError("The database is busy with another writer.", "Nothing was changed; try again in a moment.")


def test_what_cannot_be_carried_out_at_once_is_under_way_and_done_later(
    web: Client, shop: Site, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob(shop)
    ask(web, "restriction", BOB["email"])
    confirm = link(shop, mailbox, "confirm")
    registered(web, shop, mailbox)
    log_in(web)
    page = web.get(CENTRE).text
    monkeypatch.setattr(carrying, "_carried_out", failing)
    for answer in (press(web, confirm), web.post("/shop/privacy/restrict", data=hidden(page))):
        assert answer.status_code == 200 and "We are on it" in words_of(answer.text)
    monkeypatch.undo()
    run(shop)
    with shop.reading() as conn:
        assert list(conn.scalars(select(request.c.outcome))) == ["done", "done"]


def test_deleting_an_account_that_cannot_begin_at_once_is_heard(
    web: Client, shop: Site, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(web, shop, mailbox)
    log_in(web)
    token = token_of(web.get("/shop/account/leave").text)
    monkeypatch.setattr(carrying, "_carried_out", failing)
    answer = web.post("/shop/account/delete", data={"token": token})
    assert answer.status_code == 200 and "We have your request" in words_of(answer.text)
    monkeypatch.undo()
    run(shop)
    with shop.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(ending)) == 1


def test_a_form_from_elsewhere_of_nobody_or_of_somebody_else_does_nothing(
    web: Client, shop: Site, mailbox: Mailbox
) -> None:
    bob(shop)
    registered(web, shop, mailbox)
    log_in(web)
    member = hidden(web.get(CENTRE).text)
    visit = hidden(in_by_link(web, shop, mailbox))
    acts = ("choices", "correct", "object", "restrict", "review", "complain", "delete", "centre")
    with shop.reading() as conn:
        before = conn.execute(select(request)).all()
    forged = (
        ({}, {}),
        ({"visit": "x" * 43, "token": visit["token"]}, {}),
        ({"visit": visit["visit"], "token": member["token"]}, {}),
        ({"token": visit["token"]}, {}),
        (member, {"sec-fetch-site": "cross-site"}),
        (visit, {"origin": "https://evil.example"}),
    )
    for act, (sent, headers) in product(acts, forged):
        answer = web.post(f"/shop/privacy/{act}", data={**sent, "sure": "yes", "text": "x"}, headers=headers)
        assert answer.status_code == 403, act
    with shop.reading() as conn:
        assert conn.execute(select(request)).all() == before


@pytest.mark.parametrize(
    ("act", "sent", "kept"),
    [
        ("complain", {"text": "y" * 20_001}, "y" * 20_001),
        ("review", {"view": "y" * 20_001}, "y" * 20_001),
        ("correct", {"field.delivery_address": "2 Mill Lane", "field.nonsense": "x"}, 'value="2 Mill Lane"'),
    ],
)
def test_what_was_typed_in_the_privacy_centre_is_still_there_when_it_does_not_fit(
    web: Client, shop: Site, mailbox: Mailbox, act: str, sent: dict[str, str], kept: str
) -> None:
    bob(shop)
    answer = web.post(f"/shop/privacy/{act}", data=hidden(in_by_link(web, shop, mailbox)) | sent)
    assert answer.status_code == 422 and kept in answer.text and 'role="alert"' in answer.text


@pytest.mark.clause("F16")
def test_a_card_number_goes_back_into_no_page(web: Client) -> None:
    again = ask(web, "access", "no address", name="Bob Heron", text="Card 4111 1111 1111 1111")
    assert again.status_code == 422 and "4111" not in again.text and "Bob Heron" in again.text


def test_what_somebody_typed_is_never_markup(web: Client, shop: Site, mailbox: Mailbox) -> None:
    nasty = '<script>alert(1)</script>"><img src=x>'
    collect(shop, Submission("order", BOB | {"full_name": nasty, "delivery_address": nasty}, "bob-1"))
    page = in_by_link(web, shop, mailbox)
    assert "<script>alert" not in page and "<img src=x" not in page
    again = ask(web, "access", "no address", name=nasty, text=nasty)
    assert "<script>alert" not in again.text


def test_the_worker_carries_a_wish_to_its_end(web: Client, shop: Site, mailbox: Mailbox, clock: MovedClock) -> None:
    collect(shop, Submission("register", ANN, "ann-1"))
    ask(web, "erasure", ANN["email"])
    assert "destroyed by" in words_of(press(web, link(shop, mailbox, "confirm")).text)
    clock.move(19 * DAY)
    turn(shop)
    turn(shop)
    run(shop)
    assert any("Your data is deleted" in one.subject for one in mailbox.messages())
