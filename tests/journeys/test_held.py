"""Members look at what is held about them and take it away, at the five operators, over HTTP and in a browser."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from playwright.sync_api import Browser
from sqlalchemy import select

from tests.browsing import looks
from tests.copies import csv_files, pdf_of, squeezed, text_of_html, text_of_pdf
from tests.databases import Databases
from tests.journeys.test_accounts import PASSWORD, link, operator, register_at
from tests.served import Client, client, serving, token_of, words_of
from troth.accounts.profile import account_point
from troth.clock import MovedClock, utc
from troth.messages.mailbox import Mailbox
from troth.people.tables import person
from troth.rights.copy.overview import overview
from troth.rights.copy.schema import copy_schema
from troth.store.site import Site
from troth.web.evidence import Shown
from troth.web.held import fragment

OPERATORS = ("ledflex", "made-in-china", "optokingdom", "ledinside", "infortrend")


def member_at(web: Client, site: Site, mailbox: Mailbox) -> dict[str, str]:
    """Somebody who registered, confirmed the address and logged in; what they typed."""
    typed = register_at(web, site, mailbox)
    web.post(link(site, mailbox), data={"password": PASSWORD})
    base = f"/{site.name}/account"
    sent = {"token": token_of(web.get(f"{base}/login").text), "address": typed["email"], "password": PASSWORD}
    assert web.post(f"{base}/login", data=sent, follow_redirects=False).status_code == 303
    return typed


@pytest.mark.clause("F51", "F52", "F55")
@pytest.mark.parametrize("name", OPERATORS)
def test_members_of_every_operator_see_and_take_all_that_is_held_about_them(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str], mailbox: Mailbox, name: str
) -> None:
    site = operator(name, tmp_path, clock, fresh_database, mailbox)
    assert account_point(site.policy()) is not None
    page = f"/{name}/account/data"
    with client(site, mailbox=mailbox) as web:
        assert web.get(page, follow_redirects=False).headers["location"] == f"/{name}/account/login"
        typed = member_at(web, site, mailbox)
        for tag in ("en", "zh-Hant"):
            answer = web.get(f"{page}?lang={tag}")
            assert answer.status_code == 200 and answer.headers["content-language"] == tag
            said = words_of(answer.text)
            assert [value for value in typed.values() if words_of(value) not in said.replace("&#39;", "'")] == []
            assert "style=" not in answer.text.partition("<main")[2]
        assert page in web.get(f"/{name}/account").text
        token = token_of(web.get(page).text)  # once: at Optokingdom each look at a page is a visit of theirs
        copies = {kind: web.post(page, data={"token": token, "format": kind}) for kind in KINDS}
    for kind, answer in copies.items():
        assert answer.status_code == 200 and answer.headers["content-type"].startswith(KINDS[kind])
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-disposition"].startswith(f'attachment; filename="{name}-my-data.')
    tree = json.loads(copies["json"].content)
    fits = Draft202012Validator(copy_schema(), format_checker=FormatChecker())
    assert [error.message for error in fits.iter_errors(tree)] == []
    told = sorted(pair for one in tree["records"] for pair in one["values"].items())
    assert set(typed.values()) <= {value for _, value in told}
    rows = csv_files(copies["csv"].content)["data.csv"]
    assert sorted((row["field.id"], row["value"]) for row in rows) == told, "both copies for programs say the same"
    html, _ = text_of_html(copies["html"].text)
    for printed in (squeezed(html), squeezed(text_of_pdf(copies["pdf"].content))):
        assert [value for _, value in told if squeezed(value) not in printed] == [], "and both copies for people"
    policy = site.policy().policy
    keys = [key for key in (*policy.data, *policy.purposes, *policy.recipients) if "_" in key]
    assert [one for one in (*keys, person_id(site)) if one in html] == [], "which speak in words"
    root = pdf_of(copies["pdf"].content).trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"] and root["/Lang"] and root["/ViewerPreferences"]["/DisplayDocTitle"]


def person_id(site: Site) -> str:
    with site.reading() as conn:
        return str(conn.scalars(select(person.c.id)).one())


KINDS = {"html": "text/html", "pdf": "application/pdf", "json": "application/json", "csv": "application/zip"}


def test_a_copy_needs_the_form_of_this_session_and_a_format_that_there_is(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str], mailbox: Mailbox
) -> None:
    site = operator("optokingdom", tmp_path, clock, fresh_database, mailbox)
    page = "/optokingdom/account/data"
    with client(site, mailbox=mailbox) as web:
        member_at(web, site, mailbox)
        token = token_of(web.get(page).text)
        assert web.post(page, data={"token": "", "format": "json"}).status_code == 403
        other = token_of(web.get("/optokingdom/account/leave").text)
        assert web.post(page, data={"token": other, "format": "json"}).status_code == 403
        foreign = {"sec-fetch-site": "cross-site"}
        assert web.post(page, data={"token": token, "format": "json"}, headers=foreign).status_code == 403
        assert web.post(page, data={"token": token, "format": "exe"}).status_code == 422
    with client(site) as stranger:
        answer = stranger.post(page, data={"token": token, "format": "json"}, follow_redirects=False)
        assert answer.status_code == 303


def test_the_part_of_a_page_can_be_put_into_another(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str], mailbox: Mailbox
) -> None:
    site = operator("ledinside", tmp_path, clock, fresh_database, mailbox)
    with client(site, mailbox=mailbox) as web:
        typed = register_at(web, site, mailbox)
    from tests.copies import by
    from troth.people import vault

    with site.reading() as conn:
        person_id = vault.find(site, conn, "email", typed["email"])
    assert person_id is not None
    part = fragment(overview(site, person_id, by(person_id), "en"))
    assert typed["email"] in part and "<html" not in part


# --- In a browser ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Site, Mailbox]]:
    box = Mailbox()
    box.start()
    clock = MovedClock(utc(2026, 11, 22, 9))
    site = operator("ledflex", tmp_path_factory.mktemp("sites"), clock, databases.fresh, box)
    with serving([site], box, lambda _: dict[str, Shown]()) as started:
        yield started, site, box
    box.stop()


@pytest.mark.browser
@pytest.mark.parametrize("tag", ["en", "zh-Hant"])
@pytest.mark.parametrize(("scheme", "width"), [("light", 1100), ("dark", 390), ("light", 360)])
def test_the_page_has_no_barriers_and_fits_a_phone(
    browser: Browser, address: tuple[str, Site, Mailbox], tmp_path: Path, tag: str, scheme: str, width: int
) -> None:
    base, site, box = address
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 900}, bypass_csp=True)  # type: ignore[arg-type]
    page = context.new_page()
    with client(site, mailbox=box) as web:
        member_at(web, site, box)
        name, value = next((cookie.name, cookie.value or "") for cookie in web.cookies.jar)
    context.add_cookies([{"name": name, "value": value, "url": f"{base}/ledflex"}])
    page.goto(f"{base}/ledflex/account/data?lang={tag}")
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")
    looks(page, tmp_path / "data.png")
    with page.expect_download() as taken:
        page.locator('form:has([value="json"]) button').press("Enter")
    assert json.loads(taken.value.path().read_bytes())["language"] == tag
    context.close()
