"""Which cookies the operators' pages set, where, and what happens to whoever takes none."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.doors import Opening, Operator
from tests.members import PASSWORD
from tests.served import token_of
from troth.decide import Ask

ANN = "ann@shop.example"
OPEN = ("", "forms", "privacy", "versions", "versions/1", "account/login", "account/forgot", "changes", "nowhere")


def log_in(at: Operator) -> httpx.Response:
    """The answer to a right password, before a browser goes on."""
    page = f"/{at.name}/account/login"
    sent = {"token": token_of(at.web.get(page).text), "address": ANN, "password": PASSWORD}
    found: httpx.Response = at.web.post(page, data=sent, follow_redirects=False)
    return found


def registered(at: Operator, point: str, **values: str) -> Operator:
    """A member who has chosen a password and is not logged in."""
    at.send_form(point, at.answers(point, email=ANN, **values))
    at.web.post(at.link("account/link", ANN), data={"password": PASSWORD})
    at.web.cookies.clear()
    return at


def may_be_set(at: Operator, cookie: str) -> bool:
    """What every page asks before it sets a cookie, of one that no page sets today."""
    return at.site.policy().decide(Ask("cookie", cookie, frozenset())).allowed


@pytest.mark.clause("L21", "L24")
def test_ledinside_sets_its_one_declared_cookie_for_thirty_days_at_most_and_no_other(operator: Opening) -> None:
    site = registered(operator("ledinside"), "registration")
    for page in (*OPEN, "forms/registration", "forms/product_request"):
        assert "set-cookie" not in site.get(page).headers, page
    (cookie,) = log_in(site).headers.get_list("set-cookie")
    name, *rest = re.split(r"; *", cookie)
    said = dict(part.lower().partition("=")[::2] for part in rest)
    assert name.startswith("troth-ledinside=") and said["path"] == "/ledinside" and "domain" not in said
    assert 0 < int(said["max-age"]) <= 30 * 86_400
    for page in ("account", "account/data", "account/profile", "account/security", "forms/product_request", *OPEN):
        assert "set-cookie" not in site.get(page).headers, page
    assert not may_be_set(site, "visitor_cookie") and not may_be_set(site, "advertisers_cookies")
    assert "our own cookie" in site.notice().lower() and "30 days" in site.notice()


@pytest.mark.clause("L22")
def test_companies_that_advertise_at_ledinside_set_cookies_of_their_own_and_are_handed_nothing_by_its_pages(
    operator: Opening,
) -> None:
    site = operator("ledinside")
    ann = site.take("registration", "advertising", email=ANN, gender="x", interest="lamps").person
    site.confirm(ANN)
    assert "cookies of companies that advertise on some pages" in site.notice().lower()
    assert not may_be_set(site, "advertisers_cookies"), "never by a page of ours, which nobody asked about it"
    for page in OPEN:
        answer = site.get(page)
        assert "set-cookie" not in answer.headers, page
        assert not re.findall(r'src="(?:https?:)?//[^"]*"', answer.text), "nothing is fetched from anybody else"
    for field in ("name", "email", "job"):
        assert not site.gives(ann, "advertisers", "advertising", field), field


@pytest.mark.clause("L21", "I26")
@pytest.mark.parametrize(
    ("name", "point", "declared"),
    [
        ("ledinside", "registration", "      cookies.own_cookie.essential: true\n"),
        ("infortrend", "register", "        essential: true\n        pages: [{en: account pages"),
    ],
)
def test_a_cookie_that_is_not_declared_as_needed_is_not_set_and_nobody_logs_in(
    operator: Opening, name: str, point: str, declared: str
) -> None:
    left = declared.partition("true\n")[2]
    at = registered(operator(name, ("decisions.yaml", declared, left)), point)
    page = at.get("account/login")
    assert "Nobody can log in here" in page.text and "set-cookie" not in page.headers
    sent = at.post("account/login", data={"token": "x", "address": ANN, "password": PASSWORD}, follow_redirects=False)
    assert "set-cookie" not in sent.headers and sent.status_code >= 400


@pytest.mark.clause("I26")
def test_infortrend_uses_a_cookie_on_its_account_pages_alone_and_greets_who_comes_back(operator: Opening) -> None:
    office = registered(operator("infortrend"), "register", full_name="Ann Other")
    for page in (*OPEN, "forms/contact", "forms/order"):
        assert "set-cookie" not in office.get(page).headers, page
    assert len(log_in(office).headers.get_list("set-cookie")) == 1, "the answer of an account page"
    assert not may_be_set(office, "site_cookies"), "nobody could say what it holds or is for"
    assert "Ann Other" in office.get("account/profile").text
    for page in (*OPEN, "forms/contact", "forms/order"):
        assert "set-cookie" not in office.get(page).headers, page


def plain(answer: httpx.Response) -> str:
    """A page without what is new on every page for everybody: the token of its form."""
    return re.sub(r'(name="(token|key)" value=")[^"]+', r"\1", answer.text)


@pytest.mark.clause("I32")
def test_infortrend_does_not_recognise_by_other_means_whoever_takes_no_cookie(operator: Opening) -> None:
    office = registered(operator("infortrend"), "register", full_name="Ann Other")
    first = {page: office.get(page) for page in OPEN}
    assert log_in(office).status_code == 303, "Ann, whose browser drops the cookie"
    office.web.cookies.clear()
    for page, before in first.items():
        after = office.get(page)
        assert plain(after) == plain(before) and "Ann Other" not in after.text, page
        assert not {"etag", "set-cookie", "refresh", "accept-ch"} & set(after.headers), page
        assert "localStorage" not in after.text and "indexedDB" not in after.text
        for link in re.findall(r'href="([^"]+)"', after.text):
            assert "session" not in link and not re.search(r"[?&](s|sid|id|uid)=", link), link
    assert office.get("account/profile").url.path == "/infortrend/account/login"
    assert not may_be_set(office, "site_cookies") and not may_be_set(office, "fingerprint")


@pytest.mark.clause("I33")
def test_infortrend_explains_the_cookie_where_it_needs_one_and_leaves_all_else_open(operator: Opening) -> None:
    office = operator("infortrend")
    needing = office.get("account/profile")
    assert needing.url.path == "/infortrend/account/login"
    assert "Logging in needs one cookie: it keeps you logged in. It goes after 1 day" in needing.text
    assert "All other pages work without any." in needing.text
    assert "Without cookies some information may not be available to you." in office.notice()
    for page in ("", "forms", "forms/request_quote", "forms/contact", "forms/order", "privacy", "versions"):
        assert office.get(page).status_code == 200, page
    asked = {"full_name": "Ann Other", "email": ANN, "message": "A second rack"}
    assert office.send_form("request_quote", asked).status_code == 200
    assert not office.web.cookies and not may_be_set(office, "site_cookies")
