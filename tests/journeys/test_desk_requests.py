"""Requests at the desk over HTTP: the queue, letters in and out, evidence, refusals, decisions; and everybody who may not."""

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape

import pytest
from sqlalchemy import func, select

from tests.databases import StoreKind
from tests.journeys.test_privacy import BOB, bob, failing, run
from tests.operators import mailing
from tests.served import Client, client, token_of, words_of
from tests.staffed import at_desk, clerk, somebody
from troth.clock import DAY, MovedClock
from troth.messages.mailbox import Mailbox
from troth.people.tables import holding, shape
from troth.people.vault import By, read
from troth.retention.tables import ending, hold
from troth.rights import carrying, desk
from troth.rights.tables import request
from troth.staff import log
from troth.store.site import Site
from troth.work import turn

HOME = "/shop/desk"


@pytest.fixture
def store_kind() -> StoreKind:
    """Pages do not know which store they stand on."""
    return "sqlite"


@pytest.fixture
def shop(site: Site, mailbox: Mailbox) -> Site:
    return mailing(site, mailbox)


@pytest.fixture
def web(shop: Site) -> Iterator[Client]:
    with client(shop) as made:
        at_desk(made, clerk(shop))
        yield made


def letter(web: Client, **typed: str) -> str:
    """Enter a letter; the address of its request."""
    sent = {
        "token": token_of(web.get(f"{HOME}/letter").text),
        "right": "erasure",
        "channel": "letter",
        "language": "en",
    }
    answer = web.post(f"{HOME}/letter", data=sent | {"name": "Bob Heron"} | typed, follow_redirects=False)
    assert answer.status_code == 303, words_of(answer.text)
    return str(answer.headers["location"])


def act(web: Client, address: str, name: str, **sent: str):  # type: ignore[no-untyped-def]
    return web.post(f"{address}/{name}", data={"token": token_of(web.get(address).text)} | sent)


@pytest.mark.clause("F60")
def test_a_letter_goes_through_to_destroyed_and_printed(web: Client, shop: Site, clock: MovedClock) -> None:
    bob(shop)
    address = letter(web, text="Please delete everything.", received=(clock.now() - 3 * DAY).date().isoformat())
    page = words_of(web.get(address).text)
    assert "nobody has been found so far" in page and "Please delete everything." in page
    assert "Nobody is found" in words_of(act(web, address, "identify", field="full_name", value="Bob Heron").text)
    act(web, address, "identify", field="address", value=BOB["email"])
    page = words_of(web.get(address).text)
    assert "somebody we hold data about" in page and "What deleting would do" in page
    with shop.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(ending)) == 0
    act(web, address, "accept", evidence="A copy of a passport was seen.")
    with shop.reading() as conn:
        began = conn.execute(select(ending)).one()
        asked = conn.execute(select(request)).one()
    assert asked.at.date() == (clock.now() - 3 * DAY).date() and asked.due_at == asked.at + 20 * DAY == began.destroy_by
    clock.move(16 * DAY)
    turn(shop)
    turn(shop)
    at_desk(web, clerk(shop, "cleo"))
    said = words_of(web.get(address).text)
    assert "partly done" in said and "to be printed" in said
    with shop.reading() as conn:
        left = conn.execute(select(shape.c.fields, holding.c.only_for).join(holding)).all()
        assert conn.scalar(select(request.c.outcome)) == "partly done"
    assert [one.fields for one in left] == ["order_total"] and left[0].only_for
    number = next(one for one in desk.shown(shop, asked.id).letters if one.state == "to print")
    assert "Bob Heron" in web.get(f"{address}/letters/{number.id}").text
    act(web, address, "printed", letter=number.id)
    assert {one.id: one.state for one in desk.shown(shop, asked.id).letters}[number.id] == "printed"


@pytest.mark.clause("F76")
def test_an_agent_needs_a_mandate_and_gets_nowhere_without(web: Client, shop: Site, mailbox: Mailbox) -> None:
    bob(shop)
    address = letter(web, right="access", channel="agent", email=BOB["email"], name="Law Firm")
    run(shop)
    with shop.reading() as conn:
        assert conn.scalar(select(request.c.state)) == "verifying"
    assert act(web, address, "accept", evidence=" ", mandate="yes").status_code == 422
    act(web, address, "accept", evidence="A signed power of attorney of 2 January.", mandate="yes")
    with shop.reading() as conn:
        assert conn.scalar(select(request.c.verified_by)) == "mandate"
    assert "by a mandate" in words_of(web.get(address).text)


def test_the_queue_shows_what_is_due_first_and_what_is_late(web: Client, shop: Site, clock: MovedClock) -> None:
    assert "Nothing waits here yet" in words_of(web.get(HOME).text)
    late = letter(web, right="question", text="What do you hold?")
    clock.move(DAY * 29)
    at_desk(web, clerk(shop, "cleo"))
    letter(web, right="complaint", text="Too loud")
    page = web.get(HOME).text
    assert page.index("A question about your data") < page.index("A complaint")
    clock.move(DAY * 2)
    at_desk(web, clerk(shop, "dora"))
    assert "✕ late" in words_of(web.get(late).text)


def test_a_refusal_without_reason_or_end_changes_nothing(web: Client, shop: Site, clock: MovedClock) -> None:
    bob(shop)
    address = letter(web, email=BOB["email"])
    until = (clock.now() + 90 * DAY).date().isoformat()
    for sent in (
        {"reason": "", "until": until},
        {"reason": "No.", "until": ""},
        {"reason": "No.", "until": "2020-01-01"},
    ):
        assert act(web, address, "refuse", **sent).status_code == 422
    assert "open" in words_of(web.get(address).text) or "to be confirmed" in words_of(web.get(address).text)
    said = words_of(act(web, address, "refuse", reason="We do not know you.", until=until).text)
    assert "refused" in said


@pytest.mark.clause("F58", "F59")
def test_a_deletion_that_is_refused_for_no_ground_of_the_policy_is_undone(
    web: Client, shop: Site, clock: MovedClock
) -> None:
    bob(shop)
    address = letter(web, text="Please delete everything.", email=BOB["email"])
    act(web, address, "accept", evidence="A copy of a passport was seen.")
    said = {"reason": "We are in a lawsuit.", "until": (clock.now() + 30 * DAY).date().isoformat()}
    part = act(web, address, "refuse", **said, **{"part.full_name": "yes"})
    assert part.status_code == 422 and "Choose the ground." in words_of(part.text)
    with shop.reading() as conn:
        assert conn.scalar(select(ending.c.state)) == "quarantined"
    assert act(web, address, "refuse", **said).status_code == 200
    with shop.reading() as conn:
        assert conn.scalar(select(ending.c.state)) == "restored"
        assert conn.scalar(select(func.count()).select_from(holding))


def test_a_question_is_answered_in_own_words(web: Client, shop: Site, mailbox: Mailbox) -> None:
    address = letter(web, right="question", email="eve@else.example", text="Who are you?")
    act(web, address, "answer", words="We are a shop.")
    run(shop)
    assert any("We are a shop." in one.body("plain") for one in mailbox.messages())
    assert act(web, address, "answer", words="Again?").status_code == 422


def test_what_was_a_question_becomes_what_it_is(web: Client, shop: Site) -> None:
    person_id = bob(shop)
    address = letter(web, right="question", email=BOB["email"], text="My address is 2 Mill Lane now")
    act(web, address, "sort", right="correction", field="delivery_address", value="2 Mill Lane")
    assert "To become" in words_of(web.get(address).text)
    act(web, address, "accept", evidence="Called back at the number on file.")
    with shop.reading() as conn:
        assert conn.execute(select(request.c.right, request.c.outcome)).one() == ("correction", "done")
    held = read(shop, person_id, ["delivery_address"], "own_access", By("person", ref=person_id)).values
    assert held == {"delivery_address": "2 Mill Lane"}


def test_a_part_of_a_deletion_is_refused_with_what_its_ground_needs_on_record(web: Client, shop: Site) -> None:
    bob(shop)
    address = letter(web, right="erasure", email=BOB["email"], text="Delete it all")
    act(web, address, "accept", evidence="Called back at the number on file.")
    sent = {"reason": "A tax inquiry.", "until": "2030-01-01", "ground": "legal_duties", "part.full_name": "yes"}
    without = act(web, address, "refuse", **sent)
    assert without.status_code == 422 and "This ground needs more on record." in words_of(without.text)
    assert 'name="record.reference"' in without.text
    assert act(web, address, "refuse", **sent, **{"record.reference": "T-1"}).status_code < 400
    with shop.reading() as conn:
        mine = select(hold.c.record).where(hold.c.ground == "legal_duties")
        assert conn.scalars(mine).all() == [{"reference": "T-1"}]


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("refuse", {"reason": "We do not know <you>.", "until": "2020-01-01", "ground": "legal_duties"}),
        ("answer", {"words": " "}),
        ("extend", {"reason": "It is <much>."}),
        ("sort", {"right": "nonsense", "field": "phone", "value": "020 <7946>", "about.improvement": "yes"}),
        ("identify", {"field": "full_name", "value": "Bob <Heron>"}),
        ("accept", {"evidence": "A <passport> was seen.", "mandate": "yes"}),
    ],
)
def test_what_staff_typed_is_still_there_when_an_act_is_refused(
    web: Client, shop: Site, name: str, sent: dict[str, str]
) -> None:
    address = letter(web, right="restriction", text="Hm?")
    answer = act(web, address, name, **sent)
    assert answer.status_code == 422
    form = re.search(rf'<details open><summary>(?:(?!<summary>).)*?/{name}".*?</form>', answer.text, re.DOTALL)
    assert form is not None
    picked = re.findall(r'<option value="(\w+)" selected', form[0]) + re.findall(
        r'name="([\w.]+)" value="yes" checked', form[0]
    )
    typed = re.findall(r"<textarea[^>]*>\n([^<]*)<", form[0]) + re.findall(
        r'type="(?:text|date)" value="([^"]*)"', form[0]
    )
    assert sorted({*map(unescape, typed), *picked}) == sorted(
        {key if value == "yes" else value for key, value in sent.items()} - {"nonsense"}
    )
    assert "4111" not in act(web, address, "refuse", reason="Card 4111 1111 1111 1111").text


def test_a_form_that_is_sent_after_the_log_in_ended_says_that_nothing_was_done(
    web: Client, shop: Site, clock: MovedClock
) -> None:
    address = letter(web, right="question", text="Hm?", email="eve@else.example")
    token = token_of(web.get(address).text)
    clock.move(DAY)
    answer = web.post(f"{address}/answer", data={"token": token, "words": "We are a shop."}, follow_redirects=False)
    assert answer.status_code == 403 and "nothing was done" in words_of(answer.text)
    assert 'action="/shop/desk/login"' in answer.text
    assert web.get(address, follow_redirects=False).headers["location"] == "/shop/desk/login"
    with shop.reading() as conn:
        assert conn.scalar(select(request.c.outcome)) == ""


def test_a_letter_that_came_today_is_taken_in_wherever_the_day_has_begun(
    web: Client, shop: Site, clock: MovedClock
) -> None:
    clock.move(timedelta(hours=8))  # 17:00 in UTC, and tomorrow in Taiwan
    at_desk(web, clerk(shop, "cleo"))
    tomorrow = (clock.now() + DAY).date().isoformat()
    letter(web, received=tomorrow)
    with shop.reading() as conn:
        assert conn.scalar(select(request.c.at)).date() == clock.now().date()
    sent = {"token": token_of(web.get(f"{HOME}/letter").text), "right": "erasure", "language": "en"}
    later = (clock.now() + 2 * DAY).date().isoformat()
    assert web.post(f"{HOME}/letter", data=sent | {"received": later}).status_code == 422


def logged(shop: Site) -> list[str]:
    with shop.reading() as conn:
        return [one.act for one in log.lines(shop, conn).lines if one.what == "acted" and one.act.startswith("request")]


def test_every_act_is_in_the_log_of_the_staff_whatever_comes_of_it(
    web: Client, shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob(shop)
    address = letter(web, right="restriction")
    assert act(web, address, "identify", field="address", value="nobody@else.example").status_code == 422
    act(web, address, "identify", field="address", value=BOB["email"])
    assert act(web, address, "accept", evidence="").status_code == 422
    monkeypatch.setattr(carrying, "_carried_out", failing)
    answer = act(web, address, "accept", evidence="A passport was seen.")
    assert answer.status_code == 200 and "done by itself" in words_of(answer.text)
    monkeypatch.undo()
    acts = ["request_entered", "request_identify", "request_identify", "request_accept"]
    assert logged(shop) == acts[::-1]
    run(shop)
    with shop.reading() as conn:
        assert conn.scalar(select(request.c.outcome)) == "done"


def test_a_log_that_fails_does_not_say_that_an_act_was_not_done(
    web: Client, shop: Site, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    address = letter(web, right="question", email="eve@else.example", text="Who are you?")
    monkeypatch.setattr(log, "note", failing)
    answer = act(web, address, "answer", words="We are a shop.")
    assert answer.status_code == 200 and "is not in the log of the staff" in caplog.text
    sent = {"token": token_of(web.get(f"{HOME}/letter").text), "right": "question", "text": "Hm?"}
    assert web.post(f"{HOME}/letter", data=sent).status_code == 422
    with shop.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(request)) == 1


def test_nobody_reaches_requests_without_the_role(shop: Site) -> None:
    with client(shop) as other:
        address = f"{HOME}/requests/{'0' * 26}"
        for path in (HOME, f"{HOME}/letter", address):
            assert other.get(path, follow_redirects=False).status_code == 303
        at_desk(other, somebody(shop, "eve", "finance"))
        for path in (f"{HOME}/letter", address):
            assert other.get(path).status_code == 403
        assert "does not work on requests" in words_of(other.get(HOME).text)


def test_a_forged_form_does_nothing(web: Client, shop: Site) -> None:
    address = letter(web)
    before = words_of(web.get(address).text)
    token = token_of(web.get(address).text)
    for name in ("sort", "identify", "accept", "reject", "refuse", "extend", "answer", "decide", "cancel", "printed"):
        for sent, headers in (({}, {}), ({"token": "x"}, {}), ({"token": token}, {"sec-fetch-site": "cross-site"})):
            forged = web.post(f"{address}/{name}", data={**sent, "evidence": "x"}, headers=headers)
            assert forged.status_code == 403, name
        assert words_of(web.get(address).text) == before, name
        for path in (f"{HOME}/requests/{'0' * 26}/{name}", f"{address}/explode"):
            assert web.post(path, data={"token": token}).status_code == 403, path


def test_what_was_written_is_never_markup(web: Client, shop: Site) -> None:
    address = letter(web, text="<script>alert(1)</script>", name='"><img src=x>')
    page = web.get(address).text
    assert "<script>alert" not in page and "<img src=x" not in page


def test_a_review_of_a_decision_is_asked_for_by_letter_and_decided_at_the_desk(web: Client, shop: Site) -> None:
    bob(shop)
    address = letter(web, right="review", text="I always paid.")
    act(web, address, "identify", field="address", value=BOB["email"])
    act(web, address, "accept", evidence="A copy of a passport was seen.")
    page = words_of(web.get(address).text)
    assert "whether you may pay later" in page and "Decide again what a machine decided" in page
    assert act(web, address, "review", changed="yes", reason=" ").status_code == 422
    assert act(web, address, "answer", words="Thank you.").status_code == 422
    act(web, address, "review", changed="yes", reason="Two orders were not counted.")
    said = words_of(web.get(address).text)
    assert "reviewed: the decision was changed" in said and "Two orders were not counted." in said
    with shop.reading() as conn:
        assert conn.execute(select(request.c.outcome, request.c.about)).one() == ("changed", ["decision:pay_later"])
