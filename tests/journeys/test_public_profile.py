"""A public page over HTTP and in a browser: reminded before, exactly what was chosen, taken back at once."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from random import Random

import pytest
from playwright.sync_api import Browser, expect

from tests.browsing import looks
from tests.databases import Databases
from tests.journeys.test_accounts import log_in
from tests.members import ANN, PASSWORD, Door
from tests.operators import mailing, open_operator, run_mail
from tests.served import Client, client, serving, token_of, words_of
from tests.shown import with_everyone
from troth.accounts import actions, profile
from troth.accounts.sessions import log_in as enter
from troth.accounts.sessions import who
from troth.clock import MovedClock, utc
from troth.collection.actions import collect
from troth.collection.rules import Submission
from troth.logins.digests import Session
from troth.messages.mailbox import Mailbox
from troth.rehearsal import made_up
from troth.store.site import Site
from troth.web.evidence import Shown

PUBLIC = "/shop/account/public"
MARKUP = '<script>alert(1)</script>"&'


@pytest.fixture
def web(door: Door) -> Iterator[Client]:
    """Ann, logged in at a shop that lets her name and what she likes be public."""
    with_everyone(door.site)
    door.member(interest=MARKUP)
    with client(door.site, mailbox=door.mailbox) as made:
        assert log_in(made) == 303
        yield made


def asked(web: Client, **sent: str) -> str:
    """The page before anything becomes public."""
    page = web.post(PUBLIC, data={"token": token_of(web.get(PUBLIC).text), **sent})
    assert page.status_code == 200
    return page.text


def made(web: Client, **sent: str) -> str:
    """Make it public, past the reminder, and return the page's address."""
    page = asked(web, **sent)
    answer = web.post(f"{PUBLIC}/save", data={"token": token_of(page), **sent}, follow_redirects=False)
    assert answer.status_code == 303
    found = re.search(r'href="(/shop/profiles/[\w-]{22})"', web.get(PUBLIC).text)
    assert found is not None
    return found[1]


def test_before_anything_is_public_a_page_says_what_that_means(web: Client) -> None:
    page = words_of(asked(web, **{"show.full_name": "yes"}))
    assert "Everybody in the world can read what stands below" in page
    assert "We ask search engines not to list it" in page and "Ann Sparrow" in page
    assert "neither you nor we can take back" in page
    assert "Nothing of you is public." in words_of(web.get(PUBLIC).text)
    assert "Search engines may list it" in words_of(asked(web, **{"show.full_name": "yes", "searchable": "yes"}))


def test_nothing_becomes_public_without_the_page_before_it(web: Client) -> None:
    chosen = {"show.full_name": "yes"}
    for token in ("", token_of(web.get(PUBLIC).text), token_of(asked(web, **{"show.interest": "yes"}))):
        assert web.post(f"{PUBLIC}/save", data={"token": token, **chosen}).status_code == 403
    more = {"token": token_of(asked(web, **chosen)), **chosen, "show.interest": "yes"}
    assert web.post(f"{PUBLIC}/save", data=more).status_code == 403
    listed = {"token": token_of(asked(web, **chosen)), **chosen, "searchable": "yes"}
    assert web.post(f"{PUBLIC}/save", data=listed).status_code == 403
    assert "Nothing of you is public." in words_of(web.get(PUBLIC).text)


def test_everybody_reads_what_was_chosen_and_nothing_else(web: Client, door: Door) -> None:
    address = made(web, **{"show.interest": "yes"})
    with client(door.site) as anybody:
        page = anybody.get(address)
    assert page.status_code == 200
    assert MARKUP not in page.text and "&lt;script&gt;alert(1)" in page.text
    assert not [value for value in ANN.values() if value in page.text]
    assert page.headers["cache-control"] == "no-store"


def test_search_engines_are_asked_to_stay_away_unless_they_were_chosen(web: Client) -> None:
    address = made(web, **{"show.full_name": "yes"})
    page = web.get(address)
    assert "noindex" in page.headers["x-robots-tag"] and 'name="robots" content="noindex' in page.text
    assert made(web, **{"show.full_name": "yes", "searchable": "yes"}) == address
    page = web.get(address)
    assert "x-robots-tag" not in page.headers and "noindex" not in page.text


def test_taking_back_takes_one_button_and_counts_at_once(web: Client) -> None:
    address = made(web, **{"show.full_name": "yes", "show.interest": "yes"})
    sent = {"token": token_of(web.get(PUBLIC).text), "show.interest": "yes"}
    assert web.post(PUBLIC, data=sent, follow_redirects=False).status_code == 303
    assert "Ann Sparrow" not in web.get(address).text
    web.post(f"{PUBLIC}/stop", data={"token": token_of(web.get(PUBLIC).text)})
    gone = web.get(address)
    assert gone.status_code == 404
    assert re.sub(r"/shop/profiles/[\w-]+", "", gone.text) == re.sub(
        r"/shop/profiles/[\w-]+", "", web.get(f"/shop/profiles/{'x' * 22}").text
    )


def test_a_form_of_another_site_or_session_changes_nothing(web: Client) -> None:
    address = made(web, **{"show.full_name": "yes"})
    forged = (
        ({"token": ""}, {}),
        ({"token": token_of(web.get(PUBLIC).text)}, {"sec-fetch-site": "cross-site"}),
        ({"token": token_of(web.get("/shop/account/security").text)}, {}),
    )
    for form, (sent, headers) in product(("", "/save", "/stop"), forged):
        answer = web.post(f"{PUBLIC}{form}", data={**sent, "show.interest": "yes"}, headers=headers)
        assert answer.status_code == 403
    assert "Ann Sparrow" in web.get(address).text
    web.cookies.clear()
    assert web.post(f"{PUBLIC}/stop", data={"token": "x"}).status_code == 403


def test_a_field_the_policy_keeps_private_cannot_be_chosen(web: Client) -> None:
    assert "show.phone" not in web.get(PUBLIC).text
    sent = {"token": token_of(web.get(PUBLIC).text), "show.phone": "yes"}
    assert web.post(PUBLIC, data=sent).status_code == 403


def test_where_the_policy_names_no_public_there_is_no_such_page(door: Door) -> None:
    door.member()
    with client(door.site) as made_:
        log_in(made_)
        assert made_.get(PUBLIC).status_code == 404
        assert PUBLIC not in made_.get("/shop/account").text


def test_a_visit_to_it_is_recorded_without_the_end_of_its_address(web: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    address, seen = made(web, **{"show.full_name": "yes"}), []
    monkeypatch.setattr("troth.web.visits.record", lambda site, offered, _session: seen.append(offered))
    assert web.get(address).status_code == 200
    assert [one["pd:BrowserHistory"] for one in seen] == ["/shop/profiles"]


# --- In a browser, at the one operator whose policy names the public ---------------------------------------------------


@pytest.fixture(scope="module")
def served(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Site, Session]]:
    """Made-in-China.com, with a member of whom everything is a canary, and one posted item."""
    box = Mailbox()
    box.start()
    clock = MovedClock(utc(2026, 11, 22, 9))
    site = mailing(open_operator("made-in-china", tmp_path_factory.mktemp("sites"), clock, databases.fresh), box)
    yield from _served(site, box)
    box.stop()


def _served(site: Site, box: Mailbox) -> Iterator[tuple[str, Site, Session]]:
    compiled = site.policy()
    point = profile.account_point(compiled)
    assert point is not None
    asked_ = {one: compiled.policy.data[one].category for one in profile.fields(compiled, point)}
    typed = {**made_up.values(asked_, seed=3, who=1, random=Random(3)), "email": "kim@mail.example"}
    actions.register(site, Submission(point, typed, "reg-1"))
    run_mail(site)
    token = box.messages()[0].body("plain").partition("/account/link/")[2].split()[0]
    actions.choose_password(site, token, PASSWORD)
    fresh = enter(site, "kim@mail.example", PASSWORD)
    assert isinstance(fresh, Session)
    member = who(site, fresh.secret)
    assert member is not None
    post = Submission("post_item", {"trade_post": "200 lamps"}, "p-1", acknowledged=True, member=member.person_id)
    collect(site, post)
    with serving([site], box, lambda _: dict[str, Shown]()) as started:
        yield started, site, fresh


@pytest.mark.browser
@pytest.mark.parametrize(("scheme", "width", "tag"), [("light", 1100, "en"), ("dark", 390, "zh-Hant")])
def test_a_member_shows_what_they_posted_and_takes_it_back(
    browser: Browser, served: tuple[str, Site, Session], tmp_path: Path, scheme: str, width: int, tag: str
) -> None:
    base, _, fresh = served
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)  # type: ignore[arg-type]
    context.add_cookies([{"name": "troth-made-in-china", "value": fresh.secret, "url": f"{base}/made-in-china"}])
    page, public = context.new_page(), f"{base}/made-in-china/account/public?lang={tag}"
    page.goto(public)
    assert page.locator('[name^="show."]').evaluate_all("all => all.map(one => one.name)") == ["show.trade_post"]
    looks(page, tmp_path / "choose.png")
    page.check('[name="show.trade_post"]')
    with page.expect_navigation():
        page.locator('form[action*="/account/public?"] button').press("Enter")
    expect(page.locator("dl.facts")).to_contain_text("200 lamps")
    looks(page, tmp_path / "before.png")
    with page.expect_navigation():
        page.locator("form button").press("Enter")
    looks(page, tmp_path / "chosen.png")
    address = page.locator('a[href*="/profiles/"]').get_attribute("href")
    stranger = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)  # type: ignore[arg-type]
    there = stranger.new_page()
    there.goto(f"{base}{address}?lang={tag}")
    expect(there.locator("dl.facts")).to_have_text(re.compile("200 lamps"))
    looks(there, tmp_path / "public.png")
    with page.expect_navigation():
        page.locator('form[action*="/stop"] button').press("Enter")
    gone = there.goto(f"{base}{address}?lang={tag}")
    assert gone is not None and gone.status == 404
    stranger.close()
    context.close()
