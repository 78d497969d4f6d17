"""People at the desk over HTTP: somebody is found for a reason that is recorded, and their page leads to what can be done."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

from __future__ import annotations

import json

import pytest

from tests.acting import cases, done, ready
from tests.desk_web import HOME, ON_ONE_STORE, web  # noqa: F401  (fixtures)
from tests.fixtures import days
from tests.pressing import form_of, links_of, look_up
from tests.served import Client, client, token_of, words_of
from tests.shoppers import ANN, registered
from tests.staffed import at_desk, clerk, somebody
from tests.submissions import entries, rows
from troth.clock import MovedClock
from troth.people.tables import dealing
from troth.staff.rules import LOOKS_FOR
from troth.staff.tables import staff_log
from troth.store.site import Site

NOBODY = "01kb2p4ym08d9d7ntfabn3aq94"


# --- People -----------------------------------------------------------------------------------------------------------


def test_somebody_is_found_in_whatever_spelling_for_a_reason_that_is_recorded(web: Client, site: Site) -> None:
    ann = registered(site, ANN)
    page = look_up(web, "shop", why="duty", email=ANN["email"].replace("shop.", "SHOP."))
    assert str(page.url).endswith(f"/people/{ann}")
    assert not [said for said in ANN.values() if said in page.text], "no value of theirs is shown"
    seen = [(row["act"], row["ref"]) for row in rows(site, staff_log) if row["act"].startswith("person:")]
    assert seen == [("person:duty", ann)]
    assert "looked at somebody: a duty of the law" in words_of(web.get(f"{HOME}/log").text)
    assert json.loads(entries(site, "person:found")[-1]["body"]) == {"field": "email", "found": True, "person": ann}


def test_nobody_is_found_by_half_a_value_or_without_a_reason(web: Client, site: Site) -> None:
    ann = registered(site, ANN)
    for value, why in ((ANN["email"][:-1], "order"), ("%", "order"), ("", "order"), (ANN["email"], "")):
        form = form_of(web.get(f"{HOME}/people").text)
        sent = form.values | {"field": "email", "value": value} | ({"why": why} if why else {})
        answer = web.post(form.action, data=sent)
        assert answer.status_code == 422 and ann not in answer.text
        assert form_of(answer.text).values["value"] == value
    assert not [row for row in rows(site, staff_log) if row["act"].startswith("person:")]
    assert len(entries(site, "person:found")) == 2, "looked for, and not found; without a reason nobody was looked for"


def test_a_page_of_somebody_asks_for_a_reason_once_an_hour_of_each_who_looks(
    web: Client, site: Site, clock: MovedClock
) -> None:
    given = ready(site, cases(site)["pay-order"])
    (order,) = (row for row in rows(site, dealing) if row["ref"] == given["number"])
    ann, address = order["person_id"], f"{HOME}/people/{order['person_id']}"
    for path in ("", "/acts/close-dealing", f"/acts/close-dealing/{order['id']}"):
        page = web.get(address + path).text
        assert "say why you look" in page and given["number"] not in page
    form = form_of(web.get(f"{address}/acts/close-dealing/{order['id']}").text)
    assert web.post(form.action, data=form.values).status_code == 422, "no reason was chosen"
    reached = web.post(form.action, data=form.filled({"why": "order"}))
    assert str(reached.url).endswith(f"/people/{ann}/acts/close-dealing/{order['id']}")
    assert form_of(reached.text).values["number"] == "A-1"
    assert given["number"] in web.get(address).text
    with client(site) as other:
        at_desk(other, clerk(site))
        assert "say why you look" in other.get(address).text
    clock.move(LOOKS_FOR)
    at_desk(web, somebody(site, "cleo"))
    assert "say why you look" in web.get(address).text


def test_the_page_of_a_person_leads_to_what_can_be_done_about_each_thing(web: Client, site: Site) -> None:
    case = cases(site)["hand-over"]
    disclosure = ready(site, case)["disclosure"]
    ann = str(rows(site, dealing)[0]["person_id"])
    for name, given in (
        ("pay-order", {"number": "A-1"}),
        ("give-consent", {"person": ann, "about": "marketing", "channel": "letter"}),
        ("object", {"person": ann, "about": "improvement", "channel": "letter"}),
        ("place-hold", {"person": ann, "ground": "open orders", "because": "a claim", "ends": "2031-01-01"}),
    ):
        done(site, name, given)
    page = look_up(web, "shop", email=ANN["email"])
    led = {one.partition("/acts/")[2].partition("/")[0] for one in links_of(page.text) if f"/people/{ann}/acts/" in one}
    beside = {
        "dispatch-order",
        "close-dealing",
        "set-warranty",
        "withdraw-consent",
        "lift-objection",
        "hand-over",
        "release-hold",
    }
    whole = {"correct", "open-dealing", "customer-notice", "give-consent", "withdraw-consent", "object", "disclose",
             "disclose-in-case", "place-hold", "restrict", "send-message", "report-event", "retract-event"}  # fmt: skip
    assert led == beside | whole
    for name, want in (("hand-over", {"disclosure": disclosure}), ("lift-objection", {"about": "improvement"})):
        address = next(one for one in links_of(page.text) if f"/acts/{name}/" in one)
        assert want.items() <= form_of(web.get(address).text).values.items()


def test_an_erased_person_has_a_page_as_long_as_a_recipient_owes_an_answer(web: Client, site: Site) -> None:
    from troth.retention import ending

    ready(site, cases(site)["acknowledge-deletion"])
    ann = str(rows(site, dealing)[0]["person_id"])
    with site.writing() as conn:
        ending.begin_ending(site, conn, ann, "request:1", site.now() + days(20), scope="person", everywhere=True)
    web.post(f"{HOME}/people/{ann}", data={"token": token_of(web.get(f"{HOME}/people").text), "why": "duty"})
    page = web.get(f"{HOME}/people/{ann}")
    assert page.status_code == 200 and f"/people/{ann}/acts/acknowledge-deletion/" in page.text
    assert f"/people/{ann}/acts/restrict" not in page.text


@ON_ONE_STORE
@pytest.mark.parametrize("address", [NOBODY, "ann@shop.example", "%00", "x" * 300])
def test_there_is_no_page_of_nobody(web: Client, address: str) -> None:
    for path in ("", "/acts/restrict"):
        assert web.get(f"{HOME}/people/{address}{path}").status_code == 404
