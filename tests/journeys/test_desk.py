"""The desk over HTTP: staff set up, log in, look after each other; and everybody who should not get in."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import func, select

from tests.journeys.test_accounts import link as mailed_link
from tests.journeys.test_accounts import log_in as log_in_member
from tests.journeys.test_accounts import operator, register_at, registered
from tests.operators import mailing, open_operator
from tests.served import Client, client, token_of, words_of
from tests.staffed import PASSWORD, Somebody, at_desk, clerk, shown_secret, somebody
from troth.clock import MovedClock
from troth.errors import InvalidInput
from troth.logins.rules import TRIES
from troth.messages.mailbox import Mailbox
from troth.people.vault import By
from troth.rehearsal.desk import staffed
from troth.staff import actions
from troth.staff.log import MOST, note
from troth.staff.rules import DESK, IDLE, PRIVACY_LEAD
from troth.staff.tables import staff_log
from troth.store.site import Site
from troth.visits import actions as visits

HOME, LOGIN = "/shop/desk", "/shop/desk/login"
PAGES = ("", "/me", "/staff", "/log")
FORMS = ("/logout", "/me/password", "/me/codes", "/me/session", "/staff/add")


@pytest.fixture
def web(site: Site) -> Iterator[Client]:
    with client(site) as made:
        yield made


def set_up(web: Client, site: Site, login: str, link: str) -> Somebody:
    """Follow a set-up link on the page, as a telephone and its owner do."""
    address = f"/{site.name}/desk/setup/{link}"
    who = Somebody(site, login, link, shown_secret(web.get(address).text))
    answer = web.post(address, data={"password": PASSWORD, "code": who.code()})
    assert answer.status_code == 200, words_of(answer.text)
    who.codes = tuple(re.findall(r"<li><code>([\w-]+)</code>", answer.text))
    return who


def link_on(page: str) -> str:
    found = re.search(r"/desk/setup/([\w-]+)", page)
    assert found is not None
    return found[1]


@pytest.mark.clause("F43")
def test_a_privacy_lead_sets_up_logs_in_adds_and_removes_somebody(web: Client, site: Site) -> None:
    lead = set_up(web, site, "ann", actions.add(site, "ann", [PRIVACY_LEAD]))
    assert len(lead.codes) == 10
    assert "Nothing waits here yet" in words_of(web.get(HOME).text), "set up is logged in"
    web.post(f"{HOME}/logout", data={"token": token_of(web.get(HOME).text)})
    assert at_desk(web, lead) == 303
    page = web.get(f"{HOME}/staff").text
    added = web.post(f"{HOME}/staff/add", data={"token": token_of(page), "login": "ben", "role.desk": "yes"})
    link = link_on(added.text)
    assert f"{site.wiring.base_url.rstrip('/')}/desk/setup/{link}" in added.text
    with client(site) as other:
        set_up(other, site, "ben", link)
        assert other.get(HOME).status_code == 200
        with site.reading() as conn:
            ben = next(one for one in actions.everybody(conn) if one.login == "ben")
        place = f"{HOME}/staff/{ben.id}"
        token = token_of(web.get(place).text.split("<footer")[0])
        web.post(f"{place}/remove", data={"token": token})
        assert other.get(HOME, follow_redirects=False).headers["location"] == LOGIN
    assert "ben" not in words_of(web.get(f"{HOME}/staff").text)
    said = words_of(web.get(f"{HOME}/log").text)
    assert "ann removed somebody from the staff: ben testclient" in said
    assert "ben set up their log-in and came in testclient" in said


def test_a_link_is_looked_at_by_scanners_and_used_by_its_owner(web: Client, site: Site) -> None:
    link = actions.add(site, "ann", [DESK])
    address = f"{HOME}/setup/{link}"
    for _ in range(3):
        assert web.get(address).status_code == web.head(address).status_code == 200
    assert "set-cookie" not in web.get(address).headers
    wrong = web.post(address, data={"password": "short", "code": "123"})
    assert wrong.status_code == 422
    for words in ("A password needs at least 10 characters", "This code is not right"):
        assert words in words_of(wrong.text)
    set_up(web, site, "ann", link)
    assert web.get(address).status_code == 404
    assert web.post(address, data={"password": PASSWORD, "code": "123456"}).status_code == 404


@pytest.mark.clause("F43")
def test_guessed_links_are_not_there(web: Client, site: Site) -> None:
    link = actions.add(site, "ann", [DESK])
    said = set()
    for guess in (link[:-1], link[::-1], link.upper(), "x" * 43, "%00", "' OR 1=1 --", "." * 300):
        answer = web.get(f"{HOME}/setup/{guess}")
        said.add((answer.status_code, re.sub(r"href=\"[^\"]*\"|value=\"[^\"]*\"", "", answer.text)))
    assert len(said) == 1
    assert next(iter(said))[0] == 404


def test_the_cookie_is_for_the_desk_alone_and_chosen_by_nobody(web: Client, site: Site) -> None:
    ann = somebody(site)
    for path in ("/shop/", LOGIN, "/shop/account/login"):
        assert "set-cookie" not in web.get(path).headers
    web.cookies.set("troth-desk-shop", "chosen-by-somebody-else", path=HOME)
    sent = {"token": token_of(web.get(LOGIN).text), "login": "ann", "password": PASSWORD, "code": ann.code()}
    cookie = web.post(LOGIN, data=sent, follow_redirects=False).headers["set-cookie"]
    parts = set(re.split(r"; *", cookie))
    assert {"HttpOnly", "Path=/shop/desk", "SameSite=strict", "Max-Age=43200"} <= parts
    assert ("Secure" in parts) == site.wiring.base_url.startswith("https://")
    assert "domain" not in cookie.lower()
    assert not cookie.startswith("troth-desk-shop=chosen")


@pytest.mark.clause("F43")
def test_all_that_is_wrong_with_a_log_in_looks_the_same(web: Client, site: Site) -> None:
    ann = somebody(site)
    said = set()
    tries = (
        [("ann", "wrong"), ("nobody", PASSWORD), ("ann", PASSWORD)] + [("ann", "wrong")] * TRIES + [("ann", PASSWORD)]
    )
    for number, (login, password) in enumerate(tries):
        code = "123" if number == 2 else ann.code()
        sent = {"token": token_of(web.get(LOGIN).text), "login": login, "password": password, "code": code}
        answer = web.post(LOGIN, data=sent, follow_redirects=False)
        said.add((answer.status_code, re.sub(r'value="[^"]*"', "", answer.text)))
    assert len(said) == 1
    assert next(iter(said))[0] == 403


@pytest.mark.clause("F43")
def test_a_code_that_somebody_saw_opens_nothing_again(web: Client, site: Site) -> None:
    ann = somebody(site)
    code = ann.code()
    assert at_desk(web, ann, code=code) == 303
    with client(site) as other:
        assert at_desk(other, ann, code=code) == 403
        assert at_desk(other, ann, code=ann.codes[0]) == 303
    with client(site) as third:
        assert at_desk(third, ann, code=ann.codes[0]) == 403


@pytest.mark.parametrize("form", FORMS)
def test_a_form_without_its_token_or_from_another_site_does_nothing(web: Client, site: Site, form: str) -> None:
    ann, ben = somebody(site), clerk(site)
    at_desk(web, ann)
    with client(site) as other:
        at_desk(other, ben)
        stolen = token_of(other.get(HOME).text)
    token = token_of(web.get(HOME).text)
    sent = {"password": PASSWORD, "fresh": "eight louder lamps", "login": "eve", "role.desk": "yes"}
    for fields, headers in (
        ({"token": ""}, {}),
        ({"token": stolen}, {}),
        ({"token": token_of(web.get(LOGIN).text)}, {}),
        ({"token": token}, {"sec-fetch-site": "cross-site"}),
        ({"token": token}, {"origin": "https://evil.example"}),
    ):
        assert web.post(f"{HOME}{form}", data=sent | fields, headers=headers).status_code == 403
    assert web.get(HOME, follow_redirects=False).status_code == 200
    with site.reading() as conn:
        assert [one.login for one in actions.everybody(conn)] == ["ann", "ben"]


@pytest.mark.clause("F43")
def test_roles_are_asked_for_by_every_page_and_every_form(web: Client, site: Site) -> None:
    ann, ben = somebody(site), clerk(site)
    cara = somebody(site, "cara", "finance")
    with site.reading() as conn:
        other = next(one for one in actions.everybody(conn) if one.login == "ann").id
    for who in (ben, cara):
        web.cookies.clear()
        at_desk(web, who)
        token = token_of(web.get(HOME).text)
        seen = {path: web.get(f"{HOME}{path}").status_code for path in (*PAGES, f"/staff/{other}")}
        assert seen == {"": 200, "/me": 200, "/staff": 403, "/log": 403, f"/staff/{other}": 403}
        assert "desk/staff" not in web.get(HOME).text
        for form in ("add", f"{other}/roles", f"{other}/reset", f"{other}/remove"):
            sent = {"token": token, "login": "eve", "role.privacy lead": "yes"}
            assert web.post(f"{HOME}/staff/{form}", data=sent).status_code == 403
    assert ann.session()
    with site.reading() as conn:
        roles = {one.login: one.roles for one in actions.everybody(conn)}
    assert roles == {"ann": (PRIVACY_LEAD,), "ben": (DESK,), "cara": ("finance",)}


def test_what_is_wrong_is_marked_where_it_is(site: Site, web: Client) -> None:
    at_desk(web, somebody(site))

    def marked(path: str, **sent: str) -> list[str]:
        answer = web.post(f"{HOME}{path}", data={"token": token_of(web.get(f"{HOME}{path[:3]}").text)} | sent)
        assert answer.status_code == 422
        return re.findall(r'aria-describedby="(?:rule )?(\w+)-wrong"', answer.text)

    assert marked("/me/password", password=PASSWORD, fresh="short") == ["fresh"]
    assert marked("/me/password", password="not this", fresh="ten quiet lamps") == ["password"]


def test_somebody_who_is_added_with_a_wrong_name_and_no_role_is_told_both(site: Site, web: Client) -> None:
    at_desk(web, somebody(site))
    for login, role, wrong in (
        ("ben", "", ["roles"]),
        ("Ben!", "", ["login", "roles"]),
        ("Ben!", "desk", ["login"]),
        ("ann", "desk", ["login"]),
    ):
        sent = {"token": token_of(web.get(f"{HOME}/staff").text), "login": login}
        answer = web.post(f"{HOME}/staff/add", data=sent | ({f"role.{role}": "yes"} if role else {}))
        assert answer.status_code == 422
        assert re.findall(r'aria-describedby="(\w+)-wrong"', answer.text) == wrong


def test_nobody_and_a_member_of_the_shop_are_sent_to_the_door(site: Site, mailbox: Mailbox) -> None:
    shop = mailing(site, mailbox)
    with client(shop, mailbox=mailbox) as web:
        registered(web, shop, mailbox)
        assert log_in_member(web) == 303
        web.cookies.set("troth-desk-shop", str(web.cookies.get("troth-shop")), path=HOME)
        for path in PAGES:
            answer = web.get(f"{HOME}{path}?lang=zh-Hant", follow_redirects=False)
            assert (answer.status_code, answer.headers["location"]) == (303, f"{LOGIN}?lang=zh-Hant")
        for form in FORMS:
            answer = web.post(f"{HOME}{form}", data={"token": "x"}, follow_redirects=False)
            if form == "/logout":
                assert (answer.status_code, answer.headers["location"]) == (303, LOGIN)
                continue
            assert answer.status_code == 403 and "nothing was done" in words_of(answer.text)
            assert f'action="{LOGIN}"' in answer.text
        answer = web.get(f"{HOME}?next=//evil.example", headers={"host": "evil.example"}, follow_redirects=False)
        assert answer.headers["location"] == LOGIN


@pytest.mark.clause("L2")
def test_outsiders_have_no_role_at_the_desk_and_the_notice_says_whom_it_binds(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str], mailbox: Mailbox
) -> None:
    site = operator("ledinside", tmp_path, clock, fresh_database, mailbox)
    policy = site.policy().policy
    for outsider in (*policy.recipients, *policy.people, "member", "partner", "advertiser"):
        with pytest.raises(InvalidInput):
            actions.add(site, "eve", [outsider])
    with client(site) as web:
        given = register_at(web, site, mailbox)
        web.post(mailed_link(site, mailbox), data={"password": PASSWORD})
        door = "/ledinside/account/login"
        sent = {"token": token_of(web.get(door).text), "address": given["email"], "password": PASSWORD}
        assert web.post(door, data=sent, follow_redirects=False).status_code == 303
        web.cookies.set("troth-desk-ledinside", str(web.cookies.get("troth-ledinside")), path="/ledinside/desk")
        for path in PAGES:
            answer = web.get(f"/ledinside/desk{path}", follow_redirects=False)
            assert answer.headers["location"] == "/ledinside/desk/login"
        said = words_of(web.get("/ledinside/?lang=en").text)
    assert "Companies that do not belong to LEDinside" in said
    assert "are not bound by this policy" in said


def test_a_cookie_of_another_site_opens_nothing(
    site: Site, tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str]
) -> None:
    other = open_operator("ledflex", tmp_path, clock, fresh_database)
    ann = somebody(site)
    with client(site, other) as web:
        at_desk(web, ann)
        secret = str(web.cookies.get("troth-desk-shop"))
        web.cookies.set("troth-desk-ledflex", secret, path="/ledflex/desk")
        assert web.get(HOME, follow_redirects=False).status_code == 200
        assert web.get("/ledflex/desk", follow_redirects=False).headers["location"] == "/ledflex/desk/login"
        assert at_desk(web, Somebody(other, "ann", "", ann.secret)) == 403


def test_the_desk_is_kept_by_no_cache_framed_by_nobody_and_is_no_visit(web: Client, site: Site) -> None:
    ann = somebody(site)
    assert at_desk(web, ann) == 303
    for path in (*PAGES, "/login", "/setup/x"):
        headers = web.get(f"{HOME}{path}").headers
        assert headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    web.get("/shop/")
    seen = visits.read(site, "improvement", By("staff"))
    assert [one.fields["url"] for one in seen] == ["/shop"]


@pytest.mark.clause("F43")
def test_an_idle_session_is_over(web: Client, site: Site, clock: MovedClock) -> None:
    at_desk(web, somebody(site))
    clock.move(IDLE)
    assert web.get(HOME, follow_redirects=False).status_code == 303


def test_what_somebody_typed_is_shown_as_text(web: Client, site: Site) -> None:
    at_desk(web, somebody(site))
    hostile = '"><script>alert(1)</script>'
    sent = {"token": token_of(web.get(HOME).text), "login": hostile, f"role.{hostile}": "yes"}
    answer = web.post(f"{HOME}/staff/add", data=sent)
    assert answer.status_code == 422
    assert "<script>" not in answer.text
    assert web.post(f"{HOME}/me/session", data=sent | {"session": hostile}, follow_redirects=False).status_code == 303


@pytest.mark.parametrize("hostile", ["\0", "ann\0", "x" * 9000, "' OR 1=1 --", "\ud7ff\uffff", "ann\nann"])
def test_whatever_is_typed_is_answered_plainly(web: Client, site: Site, hostile: str) -> None:
    ann = somebody(site)
    sent = {"token": token_of(web.get(LOGIN).text), "login": hostile, "password": hostile, "code": hostile}
    assert web.post(LOGIN, data=sent).status_code == 403
    at_desk(web, ann)
    token = token_of(web.get(HOME).text)
    assert (
        web.post(f"{HOME}/me/password", data={"token": token, "password": hostile, "fresh": hostile}).status_code == 422
    )
    address = f"{HOME}/staff/{quote(hostile[:200], safe='')}"
    assert web.get(address).status_code == 404
    assert web.post(f"{address}/remove", data={"token": token}).status_code == 404


@pytest.mark.clause("F45")
def test_a_failure_is_on_record_with_where_it_came_from(web: Client, site: Site) -> None:
    ann = somebody(site)
    at_desk(web, ann, password="wrong")
    with site.reading() as conn:
        kinds = dict(conn.execute(select(staff_log.c.what, func.count()).group_by(staff_log.c.what)).all())
    assert kinds == {"entered": 1, "failed": 1}
    at_desk(web, ann)
    assert "ann could not log in testclient" in words_of(web.get(f"{HOME}/log").text)


@pytest.mark.clause("F45")
def test_many_failures_hide_no_row_of_the_log(web: Client, site: Site) -> None:
    at_desk(web, somebody(site))
    with site.writing() as conn:
        for _ in range(MOST):
            note(site, conn, "failed", None, "198.51.100.9")
    newest = web.get(f"{HOME}/log?lang=en").text
    assert "ann set up" not in words_of(newest)
    older = re.search(r'href="([^"]+/log\?lang=en&amp;before=\w+)"', newest)
    assert older is not None
    page = web.get(unescape(older[1])).text
    assert "ann set up their log-in" in words_of(page) and "before=" not in page


def test_the_demo_shows_what_opens_its_desk_and_no_other_site_does(site: Site, mailbox: Mailbox) -> None:
    with client(site, mailbox=mailbox) as web:
        assert "<dt>Code</dt>" not in web.get("/shop/mailbox").text
        staffed(site)
        key = staffed(site)
        page = web.get("/shop/mailbox").text
        login, password, code = re.findall(r"<dd><code>([^<]+)</code></dd>", page)
        assert (login, password) == (key.login, key.password)
        assert at_desk(web, Somebody(site, login, "", key.secret), password=password, code=code) == 303
        assert web.get(f"{HOME}/staff").status_code == 200
    with client(site) as served:
        assert served.get("/shop/mailbox").status_code == 404
