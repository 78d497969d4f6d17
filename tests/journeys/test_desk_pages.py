"""Every list of the desk is whole: what does not fit on one page is counted, and is on the pages after it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import insert

from tests.fixtures import days
from tests.served import Client, client
from tests.shoppers import ANN, registered
from tests.staffed import at_desk, somebody
from troth.ids import new_id
from troth.recipients.tables import BY_HAND, disclosure, instruction
from troth.retention.tables import hold
from troth.rights.tables import request
from troth.store.site import Site
from troth.web.desk import paging

HOME = "/shop/desk"
MANY = 7
FILLING = Callable[[Site, str], list[str]]


@pytest.fixture
def web(site: Site, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setattr(paging, "SIZE", 3)
    monkeypatch.setattr("troth.web.desk.acts.SIZE", 3)
    monkeypatch.setattr("troth.web.desk.requests.SIZE", 3)
    with client(site) as made:
        assert at_desk(made, somebody(site)) == 303
        yield made


def _filled(site: Site, table: object, rows: list[dict[str, object]]) -> None:
    with site.writing() as conn:
        conn.execute(insert(table), rows)  # type: ignore[call-overload]


def _disclosures(site: Site, ann: str) -> list[str]:
    ids = [new_id(site.now()) for _ in range(MANY)]
    common = {
        "person_id": ann,
        "recipient": "courier",
        "purpose": "fulfil_order",
        "fields": "full_name",
        "case_ref": "",
    }
    common |= {"ground": "", "record": {}, "state": BY_HAND}
    _filled(site, disclosure, [{"id": one, "at": site.now() + days(n), **common} for n, one in enumerate(ids)])
    return ids


def _instructions(site: Site, ann: str) -> list[str]:
    ids = [new_id(site.now()) for _ in range(MANY)]
    common = {"person_id": ann, "recipient": "courier", "at": site.now()}
    _filled(
        site, instruction, [{"ending_id": one, "deadline": site.now() + days(n), **common} for n, one in enumerate(ids)]
    )
    return ids


def _holds(site: Site, ann: str) -> list[str]:
    ids = [new_id(site.now()) for _ in range(MANY)]
    common = {"person_id": ann, "fields": "", "reason": "a claim", "ground": "open orders", "purpose": ""}
    common |= {"approver": "privacy_lead", "made_at": site.now()}
    _filled(site, hold, [{"id": one, "ends_at": site.now() + days(9 + n), **common} for n, one in enumerate(ids)])
    return ids


def _requests(site: Site, ann: str, closed: bool = False) -> list[str]:
    ids = [new_id(site.now()) for _ in range(MANY)]
    common: dict[str, object] = {column.name: "" for column in request.columns if not column.nullable}
    common |= {"person_id": ann, "right": "access", "channel": "letter", "state": "closed" if closed else "open"}
    common |= {"waits_for": "staff", "at": site.now(), "extended": 0, "failures": 0, "about": [], "language": "en"}
    common |= {"policy_version": 1}
    common |= {"closed_at": site.now() if closed else None, "outcome": "done" if closed else ""}
    rows = [{**common, "id": one, "key": f"k-{one}", "due_at": site.now() + days(n)} for n, one in enumerate(ids)]
    _filled(site, request, rows)
    return ids


def _ended(site: Site, ann: str) -> list[str]:
    return _requests(site, ann, closed=True)


LISTS: dict[str, tuple[FILLING, str, str]] = {
    "open requests": (_requests, "", r'/desk/requests/(\w{26})"'),
    "requests that ended": (_ended, "", r'/desk/requests/(\w{26})"'),
    "to be handed over": (_disclosures, "/acts/hand-over", r'<option value="(\w{26})"'),
    "to be acknowledged": (_instructions, "/acts/acknowledge-deletion", r'<option value="(\w{26})"'),
    "holds": (_holds, "/acts/release-hold", r'<option value="(\w{26})"'),
}


@pytest.mark.parametrize("name", LISTS)
def test_every_list_of_the_desk_can_be_walked_to_its_end(web: Client, site: Site, name: str) -> None:
    filled, path, row = LISTS[name]
    wanted = filled(site, registered(site, ANN))
    found, pages = walked(web, f"{HOME}{path or '/'}", row)
    assert sorted(found) == sorted(wanted)
    assert [re.findall(r"\d+", one) for one in pages] == [["1", "3", "7"], ["4", "6", "7"], ["7", "7", "7"]]


@pytest.mark.parametrize(("filled", "says"), [(_disclosures, "hand-over/"), (_instructions, "acknowledge-deletion/")])
def test_all_that_one_person_has_can_be_walked_to_its_end(web: Client, site: Site, filled: FILLING, says: str) -> None:
    ann = registered(site, ANN)
    wanted = filled(site, ann)
    look = web.get(f"{HOME}/people/{ann}").text
    token = re.search(r'name="token" value="([^"]+)"', look)
    assert token is not None
    web.post(f"{HOME}/people/{ann}", data={"token": token[1], "why": "order"})
    found, pages = walked(web, f"{HOME}/people/{ann}", rf"{says}(\w{{26}})")
    assert sorted(found) == sorted(wanted) and len(pages) == 3


@pytest.mark.parametrize("asked", ["0", "-1", "x", "9" * 40, "99", "²"])
def test_a_page_that_is_none_shows_one_that_is(web: Client, site: Site, asked: str) -> None:
    _requests(site, registered(site, ANN))
    assert web.get(f"{HOME}/", params={"open": asked}).status_code == 200


def test_a_list_that_fits_says_nothing_of_pages(web: Client, site: Site) -> None:
    assert 'class="pager"' not in web.get(f"{HOME}/").text


def walked(web: Client, address: str, row: str) -> tuple[list[str], list[str]]:
    """The rows of all pages from ``address`` on, and what each page says of which they are."""
    found: list[str] = []
    pages: list[str] = []
    at = address
    while at:
        page = web.get(at)
        assert page.status_code == 200
        found += re.findall(row, page.text)
        says = re.search(r'<p class="pager">(.*?)</p>', page.text, re.S)
        assert says is not None
        pages.append(re.sub(r"<.*", "", says[1]))
        after = re.search(r'href="([^"]+)" rel="next"', says[1])
        at = f"{address}{after[1]}".replace("&amp;", "&") if after else ""
    return found, pages
