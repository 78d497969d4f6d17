"""Acts at the desk over HTTP: each of the table has a page, is carried out there once, and is refused to whoever may not."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

from __future__ import annotations

import json
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.acting import cases, done, filled, ready
from tests.desk_web import HOME, ON_ONE_STORE, web  # noqa: F401  (fixtures)
from tests.doors import Opening
from tests.pressing import carry_out, form_for, form_of, links_of, look_up
from tests.served import Client, client, token_of, words_of
from tests.shoppers import ANN, BOB, registered
from tests.staffed import at_desk, clerk, somebody
from tests.submissions import count, counts, entries, rows
from troth.acts.model import SCOPES
from troth.acts.table import ACTS, of_staff
from troth.consent.stops.tables import stop
from troth.people.tables import dealing
from troth.recipients.tables import disclosure
from troth.retention.tables import hold
from troth.staff.rules import REASONS
from troth.staff.tables import staff_log
from troth.store.site import Site
from troth.web.words import LANGUAGES, words
from troth.work import turn

NAMES = sorted(ACTS)
LEADS = sorted(of_staff(lead=True) - of_staff(lead=False))
SHARED = sorted(of_staff(lead=False))
SESSION = {"staff_session", "staff_log", "ledger_entry", "store_change", "staff", "staff_attempt", "store_sum"}
"""tables that change when somebody logs in"""


def carried(web: Client, site: Site, name: str) -> tuple[httpx.Response, dict[str, Any]]:
    """Make ready what an act of the table needs, and carry it out at the desk."""
    given = ready(site, cases(site)[name])
    return carry_out(web, "shop", name, given, email=ANN["email"]), given


# --- Each act ---------------------------------------------------------------------------------------------------------


def test_the_page_of_acts_leads_to_each_of_the_table_in_its_group(web: Client) -> None:
    page = web.get(f"{HOME}/acts").text
    assert sorted(one.rpartition("/")[2] for one in links_of(page) if "/desk/acts/" in one) == NAMES
    assert page.count("<h2") == len(SCOPES)
    said = words_of(page)
    assert all(act.does in said for act in ACTS.values() if "'" not in act.does)


@pytest.mark.parametrize("name", NAMES)
def test_an_act_is_carried_out_at_the_desk_and_who_did_it_is_recorded(web: Client, site: Site, name: str) -> None:
    answer, given = carried(web, site, name)
    assert answer.status_code == 200, words_of(answer.text)
    told = json.loads(entries(site, "act:done")[-1]["body"])
    assert (told["act"], told["by"]) == (name.replace("-", "_"), "staff")
    assert f"act_{told['act']}" in [row["act"] for row in rows(site, staff_log)]
    title = words("en")["desk"]["act"][name].replace("'", "&#39;")
    assert title in web.get(f"{HOME}/log").text, "the log of the staff calls it by its name"
    if ACTS[name].private:
        assert ANN["full_name"] in answer.text
        assert answer.history == [], "what is shown once is kept nowhere"
    else:
        assert answer.history[0].status_code == 303 and str(answer.url) == str(web.get(answer.url).url)
    addresses = [str(one.url) for one in (*answer.history, answer)]
    values = [said for key, said in given.items() if ACTS[name].argument(key).private]  # type: ignore[union-attr]
    assert not [said for said in (*values, *ANN.values()) for address in addresses if said.lower() in address.lower()]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "find-person"])
def test_a_form_that_is_sent_twice_is_carried_out_once(web: Client, site: Site, name: str) -> None:
    given = ready(site, cases(site)[name])
    page = form_for(web, "shop", name, str(given.get("person", "")), email=ANN["email"])
    form = form_of(page.text)
    sent = form.filled({k: v[:10] if k == "ends" else v for k, v in given.items() if k != "person"})
    first = web.post(form.action, data=sent)
    assert first.status_code == 200, words_of(first.text)
    after = counts(site)
    again = web.post(form.action, data=sent)
    assert again.status_code == 200 and again.url == first.url
    assert counts(site) == after
    if ACTS[name].private:
        assert ANN["full_name"] not in again.text and "shown then" in again.text
    else:
        assert words_of(again.text) == words_of(first.text)
        for _ in range(2):
            assert web.get(first.url).status_code == 200
        assert counts(site) == after, "the page of what came of it can be loaded again"


WRONG = {"instant": "yesterday", "reference": "Ann's order", "text": "x" * 501}
"""by the type of what is typed: what does not fit; of what is chosen, nothing in the list is wrong"""


@ON_ONE_STORE
@pytest.mark.parametrize("name", [name for name in NAMES if name != "find-person"])
def test_what_does_not_fit_is_said_where_it_is_in_each_language_and_what_was_typed_stays(
    web: Client, site: Site, name: str
) -> None:
    given = ready(site, cases(site)[name])
    form = form_of(form_for(web, "shop", name, str(given.get("person", "")), email=ANN["email"]).text)
    right = form.filled({k: v[:10] if k == "ends" else v for k, v in given.items() if k != "person"})
    asked = [one for one in ACTS[name].arguments if one.name in right and one.type != "value" and not one.prose]
    assert asked
    for argument in asked:
        wrong = WRONG.get(argument.type, "nonsense")
        for tag in LANGUAGES:
            before = counts(site)
            token = token_of(web.get(f"{HOME}/people").text)
            answer = web.post(f"{form.action}?lang={tag}", data=right | {"token": token, argument.name: wrong})
            assert answer.status_code == 422, (argument.name, words_of(answer.text))
            assert counts(site) == before, "nothing was done"
            again = form_of(answer.text)
            marked = re.findall(r'id="a-([a-z_]+)-wrong"[^>]*>(.{,300})', answer.text)
            assert [one for one, _ in marked] == ([argument.name] if argument.type != "person" else [])
            said = marked[0][1] if marked else answer.text.partition('role="alert"')[2][:500]
            assert bool(re.search(r"[\u4e00-\u9fff]", said)) == (tag == "zh-Hant"), said
            others = right.keys() - {"token", argument.name}
            assert {one: again.values[one] for one in others} == {one: right[one] for one in others}
            if argument.type in WRONG and argument.name not in again.choices:
                assert again.values[argument.name] == wrong, "it stays as it was typed"


def test_what_the_policy_refuses_is_said_with_its_lines_and_done_by_the_next_try(web: Client, site: Site) -> None:
    case = cases(site)["disclose"]
    given = {key: said for key, said in filled(case, case.given).items() if key != "case"}
    refused = carry_out(web, "shop", "disclose", given, email=ANN["email"])
    assert refused.status_code == 403 and "Nothing was done yet" in refused.text
    assert form_of(refused.text).values["recipient"] == "courier", "what was chosen is still there"
    assert len(entries(site, "disclosure:refused")) == 1
    ready(site, case)
    again = form_of(refused.text)
    assert web.post(again.action, data=again.values).status_code == 200
    done(site, "suspend", {"scope": "@courier", "because": "a breach"})
    suspended = carry_out(web, "shop", "disclose", given, email=ANN["email"])
    assert suspended.status_code == 403 and "Decided by:" in suspended.text


def test_what_a_legal_ground_needs_on_record_is_asked_for_and_kept(web: Client, site: Site) -> None:
    given = ready(site, cases(site)["disclose"])
    record = {"reference": "C-2026-1", "approver": "privacy lead"}
    answer = carry_out(web, "shop", "disclose", given | {"ground": "court", "record": record}, email=ANN["email"])
    assert answer.status_code == 200, words_of(answer.text)
    (row,) = rows(site, disclosure)
    assert (row["ground"], row["record"]) == ("court", record)


def test_what_a_ground_for_keeping_needs_on_record_is_asked_for_and_kept(web: Client, site: Site) -> None:
    given = ready(site, cases(site)["place-hold"]) | {"ground": "legal_duties", "fields": ["full_name"]}
    without = carry_out(web, "shop", "place-hold", given, email=ANN["email"])
    assert without.status_code == 422 and "lacks what the ground needs: reference" in words_of(without.text)
    record = {"reference": "T-1"}
    assert set(record) == {key.partition(".")[2] for key in form_of(without.text).values if key.startswith("record.")}
    answer = carry_out(web, "shop", "place-hold", given | {"record": record}, email=ANN["email"])
    assert answer.status_code == 200, words_of(answer.text)
    (row,) = rows(site, hold)
    assert (row["ground"], row["record"]) == ("legal_duties", record)


def test_a_form_that_is_changed_and_sent_again_is_asked_about_first(web: Client) -> None:
    form = form_of(web.get(f"{HOME}/acts/suspend").text)
    assert web.post(form.action, data=form.filled({"scope": "@courier", "because": "a breach"})).status_code == 200
    changed = web.post(form.action, data=form.filled({"scope": "marketing", "because": "a breach"}))
    assert changed.status_code == 422 and "sent before with other answers" in changed.text
    again = form_of(changed.text)
    assert again.values["scope"] == "marketing"
    assert web.post(again.action, data=again.values).status_code == 200


def test_no_card_number_comes_back_or_stays(web: Client, site: Site) -> None:
    form = form_of(web.get(f"{HOME}/acts/suspend").text)
    answer = web.post(form.action, data=form.filled({"scope": "@courier", "because": "paid with 4111 1111 1111 1111"}))
    assert answer.status_code == 422 and "4111" not in answer.text and "card" in answer.text
    assert count(site, stop) == 0


def test_two_copies_at_once_are_one_act(web: Client, site: Site) -> None:
    registered(site, ANN)
    form = form_of(look_up(web, "shop", then="open-dealing", email=ANN["email"]).text)
    sent = form.filled({"kind": "order", "number": "A-1"})
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: web.post(form.action, data=sent, follow_redirects=False), range(8)))
    assert {one.status_code for one in answers} <= {303, 503}
    assert len({one.headers["location"] for one in answers if one.status_code == 303}) == 1
    assert [row["kind"] for row in rows(site, dealing)] == ["order"]


# --- Choices ----------------------------------------------------------------------------------------------------------


def test_what_the_store_knows_is_chosen_and_not_typed(web: Client, site: Site) -> None:
    ready(site, cases(site)["acknowledge-deletion"])
    form = lambda name: form_of(web.get(f"{HOME}/acts/{name}").text)  # noqa: E731
    assert form("acknowledge-deletion").choices["recipient"] == ["courier"]
    assert form("lift-suspension").choices["scope"] == ["@courier"]
    scopes = ACTS["suspend"].argument("scope")
    assert scopes and form("suspend").choices["scope"] == ["", *scopes.allowed(site.policy())]
    ann = str(rows(site, dealing)[0]["person_id"])
    for number in ("A-2", "A-3"):
        done(site, "open-dealing", {"person": ann, "kind": "order", "number": number})
    done(site, "close-dealing", {"kind": "order", "number": "A-3"})
    look_up(web, "shop", email=ANN["email"])
    numbers = form_of(web.get(f"{HOME}/people/{ann}/acts/pay-order").text).choices["number"]
    assert set(numbers) - {""} == {"A-1", "A-2"}


@ON_ONE_STORE
@pytest.mark.parametrize("name", ["hand-over", "acknowledge-deletion", "release-hold", "lift-suspension"])
def test_where_nothing_waits_the_page_says_so_and_has_no_form(web: Client, name: str) -> None:
    page = web.get(f"{HOME}/acts/{name}").text.partition("<main")[2].partition("</main>")[0]
    assert words("en")["desk"]["nothing"][name] in page and "<form" not in page


# --- Who may ----------------------------------------------------------------------------------------------------------


@ON_ONE_STORE
@pytest.mark.parametrize("name", NAMES)
def test_an_act_takes_a_role_that_may_do_it(site: Site, name: str) -> None:
    given = ready(site, cases(site)[name])
    with client(site) as web:
        at_desk(web, clerk(site))
        listed = web.get(f"{HOME}/acts").text
        assert (f'/desk/acts/{name}"' in listed) == (name not in LEADS)
        sent = {"token": token_of(web.get(f"{HOME}/people").text)} | {
            k: v for k, v in given.items() if isinstance(v, str)
        }
        if name in LEADS:
            before = counts(site)
            assert web.get(f"{HOME}/acts/{name}").status_code == 403
            assert web.post(f"{HOME}/acts/{name}", data=sent).status_code == 403
            assert counts(site) == before
        else:
            assert carry_out(web, "shop", name, given, email=ANN["email"]).status_code == 200


def test_a_role_of_the_policy_alone_has_no_acts_and_no_people(site: Site) -> None:
    ann = registered(site, ANN)
    with client(site) as web:
        at_desk(web, somebody(site, "cara", "finance"))
        assert "/desk/acts" not in web.get(HOME).text and "/desk/people" not in web.get(HOME).text
        token = token_of(web.get(HOME).text)
        for path in ("/acts", "/people", f"/people/{ann}", f"/people/{ann}/acts/restrict", "/acts/suspend/done/x"):
            assert web.get(f"{HOME}{path}").status_code == 403, path
        for path in ("/people", f"/people/{ann}", *(f"/acts/{name}" for name in NAMES)):
            sent = {"token": token, "person": ann, "field": "email", "value": ANN["email"], "why": "order"}
            assert web.post(f"{HOME}{path}", data=sent).status_code == 403, path


@ON_ONE_STORE
@pytest.mark.parametrize("name", NAMES)
def test_a_stranger_and_a_forged_form_do_nothing(site: Site, name: str) -> None:
    given = {key: said for key, said in ready(site, cases(site)[name]).items() if isinstance(said, str)}
    with client(site) as web, client(site) as other:
        for path in ("/acts", f"/acts/{name}", "/people", f"/people/{registered(site, BOB, 'bobs')}"):
            answer = web.get(f"{HOME}{path}", follow_redirects=False)
            assert answer.headers["location"] == f"{HOME}/login"
        before = counts(site)
        stranger = web.post(f"{HOME}/acts/{name}", data=given | {"token": token_of(web.get(f"{HOME}/login").text)})
        assert stranger.status_code == 403 and counts(site) == before
        at_desk(web, somebody(site))
        at_desk(other, clerk(site))
        stolen, own = (token_of(one.get(f"{HOME}/people").text) for one in (other, web))
        before = counts(site)
        for token, headers in (
            ("", {}),
            (stolen, {}),
            (own, {"sec-fetch-site": "cross-site"}),
            (own, {"origin": "https://evil.example"}),
        ):
            assert web.post(f"{HOME}/acts/{name}", data=given | {"token": token}, headers=headers).status_code == 403
        assert counts(site) == before


def test_what_came_of_an_act_is_seen_by_whoever_did_it_alone(web: Client, site: Site) -> None:
    answer, _ = carried(web, site, "suspend")
    place = str(answer.url)
    assert web.get(place.replace("/suspend/", "/lift-suspension/")).status_code == 404
    assert web.get(place[:-1] + "x").status_code == 404
    with client(site) as other:
        at_desk(other, somebody(site, "cleo"))
        assert other.get(place).status_code == 404


def test_no_value_of_anybody_is_in_an_address_or_in_the_log_of_the_program(
    web: Client, site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        look_up(web, "shop", email=ANN["email"])
        answer, _ = carried(web, site, "correct")
        web.post(
            f"{HOME}/acts/correct", data={"token": token_of(web.get(f"{HOME}/people").text), "value": "Ann Starling"}
        )
    assert answer.status_code == 200
    assert not [said for said in ("Ann Starling", ANN["email"], ANN["full_name"]) if said in caplog.text]
    with site.reading() as conn:
        kept = str([dict(row) for row in conn.exec_driver_sql("SELECT * FROM act_key").mappings()])
    assert "Starling" not in kept


# --- Words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tag", LANGUAGES)
def test_every_act_argument_and_reason_has_words(tag: str) -> None:
    said = words(tag)["desk"]
    assert sorted(said["act"]) == NAMES
    for act in ACTS.values():
        asked = [one.name for one in act.arguments if one.type != "person"]
        assert not [one for one in asked if not (said["asks"].get(f"{act.name} {one}") or said["asks"].get(one))]
    arguments = {one.name for act in ACTS.values() for one in act.arguments}
    for table in ("asks", "hints"):
        for key in said[table]:
            act, _, argument = key.rpartition(" ")
            assert argument in arguments and (not act or ACTS[act].argument(argument)), f"{table}: nobody asks {key}"
    assert set(said["nothing"]) <= set(NAMES)
    assert list(said["reasons"]) == list(REASONS) and all(f"person:{one}" in said["acts"] for one in REASONS)
    if tag != "en":
        translated = words(tag)["problems"]
        assert not [one for one in (*SCOPES.values(), *(act.does for act in ACTS.values())) if one not in translated]


@ON_ONE_STORE
@pytest.mark.parametrize("name", NAMES)
def test_a_form_in_another_language_has_no_english_words_of_ours(web: Client, site: Site, name: str) -> None:
    given = ready(site, cases(site)[name])
    if given.get("person"):
        look_up(web, "shop", email=ANN["email"])
        address = f"{HOME}/people/{given['person']}/acts/{name}"
    else:
        address = f"{HOME}/acts/{name}"
    page = web.get(f"{address}?lang=zh-Hant").text
    assert '<html lang="zh-Hant">' in page
    own = re.findall(r'<h1>(.*?)</h1>|<summary>(.*?)</summary>|<span class="hint"[^>]*>(.*?)</span>', page)
    own += re.findall(r'()()<label for="a-[a-z_]+">(.*?)</label>', page)  # not those of boxes, which the policy names
    said = [words_of("".join(one)) for one in own]
    assert said and [one for one in said if not re.search(r"[\u4e00-\u9fff]", one)] == []


def test_a_worker_gives_what_was_given_at_the_desk(web: Client, site: Site) -> None:
    answer, _ = carried(web, site, "disclose")
    assert answer.status_code == 200
    turn(site)
    form = form_of(web.get(f"{HOME}/acts/hand-over").text)
    shown = web.post(form.action, data=form.values)
    assert ANN["full_name"] in shown.text and shown.headers["cache-control"] == "no-store"


def test_a_courier_gets_nothing_of_somebody_whose_data_is_paused_at_the_desk(operator: Opening) -> None:
    shop = operator("ledflex")
    order = {"full_name": "Kim Lee", "email": "kim@ledflex.example", "phone": "+44 20 7946 0003",
             "office_address": "9 Quay Road, London", "order_lines": "30 m of LED strip"}  # fmt: skip
    placed = shop.submit("place_order", order)
    assert placed.status_code == 201, placed.text
    shop.desk()
    give = {"recipient": "carriers", "purpose": "fulfil_order", "case": placed.json()["case"], "email": order["email"]}
    assert shop.act_at_desk("restrict", email=order["email"]).status_code == 200
    assert shop.act_at_desk("disclose", **give).status_code == 403
    assert shop.act_at_desk("lift-restriction", email=order["email"]).status_code == 200
    assert shop.act_at_desk("disclose", **give).status_code == 200
