"""Every act of the table has a door over HTTP, on the command line and in the documents, and each says no as it should."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.acting import Program, cases, done, program, ready
from tests.fixtures import SHOP, days, open_shop
from tests.programs import ORDERED, shop, web  # noqa: F401  (fixtures)
from tests.served import Client
from tests.shoppers import ANN, BOB, registered
from tests.submissions import count, counts, entries, rows
from tests.terminal import troth
from troth.acts.model import SCOPES
from troth.acts.table import ACTS
from troth.clock import SystemClock
from troth.consent.stops.actions import in_force
from troth.messages.tables import message
from troth.recipients.tables import disclosure, instruction
from troth.retention import ending
from troth.store.site import Site
from troth.work import turn

ROOT = Path(__file__).parents[2]
NOBODY = "01kb2p4ym08d9d7ntfabn3aq94"
NAMES = sorted(ACTS)


def erased(site: Site, person_id: str) -> None:
    with site.writing() as conn:
        ending.begin_ending(site, conn, person_id, "request:9", deadline=site.now() + days(20), scope="person")


# --- Each act ---------------------------------------------------------------------------------------------------------


def test_the_tests_know_every_act(site: Site) -> None:
    assert sorted(cases(site)) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_an_act_is_carried_out_over_http_and_who_did_it_is_on_the_ledger(shop: Program, name: str) -> None:
    case = cases(shop.site)[name]
    given = ready(shop.site, case)
    answer = shop.act(name, **given)
    assert answer.status_code == 200, answer.text
    assert answer.json()["act"] == name
    assert answer.headers["cache-control"] == "no-store"
    told = json.loads(entries(shop.site, "act:done")[-1]["body"])
    assert (told["act"], told["by"]) == (name.replace("-", "_"), "program")


@pytest.mark.parametrize("name", NAMES)
def test_an_act_is_refused_without_a_token_and_with_one_for_something_else(
    shop: Program, web: Client, name: str
) -> None:
    given = ready(shop.site, cases(shop.site)[name])
    before = counts(shop.site)
    assert shop.act(name, token="", **given).status_code == 401
    assert shop.act(name, token="troth_" + "x" * 43, **given).status_code == 401
    assert counts(shop.site) == before
    another = "suspend" if ACTS[name].scope == "deal" else "deal"
    narrow = program(web, shop.site, another)
    assert narrow.act(name, **given).status_code == 403
    changed = {table for table, number in counts(shop.site).items() if number != before[table]}
    assert changed - {"store_change"} == {"program_token", "ledger_entry"}, "but for the new token itself"


@pytest.mark.parametrize("name", NAMES)
def test_an_act_says_of_each_argument_what_is_wrong_with_it(shop: Program, name: str) -> None:
    given = ready(shop.site, cases(shop.site)[name])
    before = counts(shop.site)
    for argument in ACTS[name].arguments:
        for wrong in (7, ["x" * 20_000], {"a": {"b": 1}}, "x" * 20_000, "\x00", "\ud800"):
            text = json.dumps(given | {argument.name: wrong})
            headers = {"authorization": f"Bearer {shop.secret}", "content-type": "application/json"}
            answer = shop.web.post(f"/shop/api/acts/{name}", content=text, headers=headers)
            assert answer.status_code in (400, 422), (argument.name, answer.text)
            if answer.status_code == 422:
                assert argument.name in answer.json()["problems"]
        if argument.required:
            answer = shop.act(name, **{key: said for key, said in given.items() if key != argument.name})
            assert answer.status_code == 422 and answer.json()["problems"] == {argument.name: "This is required."}
    assert shop.act(name, **given, shoe="44").json()["problems"].keys() == {"shoe"}
    assert counts(shop.site) == before, "nothing was done, and nothing is on the ledger"


@pytest.mark.parametrize("name", [name for name in NAMES if ACTS[name].argument("person")])
def test_nothing_is_done_about_somebody_who_is_unknown_or_erased(shop: Program, name: str) -> None:
    case = cases(shop.site)[name]
    given = ready(shop.site, case)
    for person in (NOBODY, registered(shop.site, BOB, "bobs")):
        erased(shop.site, person) if person != NOBODY else None
        if name == "place-hold" and person != NOBODY:
            continue  # what is on the way out can still be kept, on a ground of the policy
        answer = shop.act(name, **given | {"person": person})
        assert answer.status_code == 422, answer.text
        assert ANN["email"] not in answer.text


@pytest.mark.parametrize("name", NAMES)
def test_an_act_with_a_key_is_done_once_and_answered_alike(shop: Program, name: str) -> None:
    given = ready(shop.site, cases(shop.site)[name])
    first = shop.act(name, key="act-1", **given)
    after = counts(shop.site)
    again = shop.act(name, key="act-1", **given)
    assert again.headers["idempotency-replayed"] == "true" and "idempotency-replayed" not in first.headers
    private = ACTS[name].private
    assert again.json()["result"] == {k: v for k, v in first.json()["result"].items() if k not in private}
    assert counts(shop.site) == after
    for changed in ({"shoe": "44"}, {"person": NOBODY}):
        refused = shop.act(name, key="act-1", **given | changed)
        assert refused.status_code == 422 and "key" in refused.json()["problems"]


@pytest.mark.parametrize("name", NAMES)
def test_an_act_is_carried_out_on_the_command_line(tmp_path: Path, name: str) -> None:
    folder = Path(shutil.copytree(SHOP, tmp_path / "shop"))
    site = open_shop(folder, SystemClock())  # type: ignore[arg-type]
    try:
        given = ready(site, cases(site)[name])
    finally:
        site.close()
    public = {key: said for key, said in given.items() if not ACTS[name].argument(key).private}  # type: ignore[union-attr]
    words = [word for key, said in public.items() for word in _words(key, said)]
    private = {key: said for key, said in given.items() if key not in public}
    done_ = troth("act", folder, name, *words, "--stdin", "--json", input=json.dumps(private))
    assert done_.exit_code == 0, done_.output
    assert json.loads(done_.stdout)["act"] == name


def _words(name: str, said: Any) -> list[str]:
    option = f"--{name.replace('_', '-')}"
    several = [f"{key}={one}" for key, one in said.items()] if isinstance(said, dict) else said
    return [word for one in (several if isinstance(several, list) else [several]) for word in (option, str(one))]


def test_no_personal_value_is_taken_from_a_command_line(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHOP, tmp_path / "shop"))
    said = troth("act", folder, "find-person", "--field", "email", "--value", "ann@shop.example")
    assert said.exit_code == 2 and "--stdin" in said.output and "ann@" not in said.output


def test_the_command_line_lists_the_acts_and_helps_with_a_misspelt_one() -> None:
    listed = troth("act", SHOP)
    assert all(f"{name}  {act.does}" in listed.stdout for name, act in ACTS.items())
    assert {one["name"] for one in json.loads(troth("act", SHOP, "--json").stdout)} == set(ACTS)
    wrong = troth("act", SHOP, "close-deeling")
    assert wrong.exit_code == 2 and "Did you mean `close-dealing`?" in wrong.output


def test_the_description_has_every_act(web: Client) -> None:
    paths = web.get("/shop/api/openapi").json()["paths"]
    for name, act in ACTS.items():
        body = paths[f"/shop/api/acts/{name}"]["post"]["requestBody"]["content"]["application/json"]["schema"]
        assert body["properties"].keys() == {one.name for one in act.arguments}
        assert body["additionalProperties"] is False


def test_every_group_of_acts_has_acts_and_every_act_a_group() -> None:
    assert {act.scope for act in ACTS.values()} == set(SCOPES)


def test_a_program_sees_what_it_may_do(web: Client, site: Site) -> None:
    narrow = program(web, site, "hold", "close-dealing")
    listed = web.get("/shop/api/acts", headers={"authorization": f"Bearer {narrow.secret}"}).json()
    assert set(listed) == {"place-hold", "release-hold", "close-dealing"}
    assert web.get("/shop/api/acts").status_code == 401


# --- What follows from acts -------------------------------------------------------------------------------------------


def test_an_order_is_placed_and_closed_over_http_and_then_the_courier_gets_nothing(shop: Program) -> None:
    site = shop.site
    placed = shop.web.post("/shop/api/collect/order", json={"values": {**ORDERED, "email": "ann@shop.example"}}).json()
    found = shop.act("find-person", field="email", value="ann@shop.example").json()["result"]["person"]
    give = {"person": found, "recipient": "courier", "purpose": "fulfil_order", "case": placed["case"]}
    give["fields"] = ["full_name", "delivery_address"]  # type: ignore[assignment]
    first = shop.act("disclose", **give)
    assert first.status_code == 200
    turn(site)
    handed = shop.act("hand-over", disclosure=first.json()["result"]["disclosure"])
    assert handed.json()["result"]["data"] == {"full_name": "Ann Canary", "delivery_address": "1 Lamp Street"}
    assert shop.act("hand-over", disclosure=first.json()["result"]["disclosure"]).status_code == 403
    assert shop.act("close-dealing", kind="order", number=placed["case"]).json()["result"]["was_open"] is True
    refused = shop.act("disclose", **give)
    assert refused.status_code == 403 and refused.json()["because"] == ["rights.barred"], "the case is closed"
    assert shop.act("disclose", **{key: said for key, said in give.items() if key != "case"}).status_code == 403
    assert {row["state"] for row in rows(site, disclosure)} == {"delivered"}


def test_an_erasure_that_waits_for_a_silent_recipient_completes_once_its_word_is_noted(shop: Program) -> None:
    site = shop.site
    given = ready(site, cases(site)["hand-over"])
    assert shop.act("hand-over", **given).status_code == 200
    ann = rows(site, disclosure)[0]["person_id"]
    with site.writing() as conn:
        deadline = site.now() + days(20)
        ending.begin_ending(site, conn, ann, "request:1", deadline=deadline, scope="person", everywhere=True)
    for _ in range(3):
        site.clock.move(days(15))  # type: ignore[attr-defined]
        turn(site)
    assert len(entries(site, "ending:complete")) == 0
    assert shop.act("acknowledge-deletion", recipient="courier", person=ann).json()["result"] == {"acknowledged": 1}
    turn(site)
    assert len(entries(site, "ending:complete")) == 1
    assert rows(site, instruction)[0]["acknowledged_by"] == "web-shop"
    assert shop.act("acknowledge-deletion", recipient="courier", person=ann).status_code == 422


def test_a_customers_notice_and_a_warranty_end_business(shop: Program) -> None:
    site, ann = shop.site, registered(shop.site, ANN)
    shop.act("open-dealing", person=ann, kind="order", number="A-1", warranty_ends="2027-01-05")
    ends = lambda: next(iter(rows_of(site, ann)))["relationship_ends_at"]  # noqa: E731
    assert ends().date().isoformat() == "2027-01-05"
    shop.act("set-warranty", number="A-1", warranty_ends="2028-01-05")
    assert ends().date().isoformat() == "2028-01-05"
    shop.act("set-warranty", number="A-1")
    assert ends() is None
    shop.act("customer-notice", person=ann, number="N-1")
    assert ends() == site.now()


def rows_of(site: Site, person_id: str) -> list[Any]:
    from troth.people.tables import person

    with site.reading() as conn:
        return list(conn.execute(select(person).where(person.c.id == person_id)).mappings())


def test_a_suspended_purpose_stops_what_an_act_would_do_and_lifting_it_lets_it_go_on(shop: Program) -> None:
    case = cases(shop.site)["disclose"]
    given = ready(shop.site, case)
    shop.act("suspend", scope="fulfil_order", because="a breach")
    assert shop.act("disclose", **given).status_code == 403
    with shop.site.reading() as conn:
        assert [one.made_by for one in in_force(conn)] == ["web-shop"]
    shop.act("lift-suspension", scope="fulfil_order", because="mended")
    assert shop.act("disclose", **given).status_code == 200


def test_a_message_goes_to_those_who_agreed_and_to_nobody_twice(shop: Program) -> None:
    site, people = shop.site, [registered(shop.site, ANN), registered(shop.site, BOB, "bobs")]
    said = {"class": "offers", "subject": "Lamps", "words": "New lamps."}
    assert shop.act("send-message", person=people[0], **said).status_code == 403
    shop.act("give-consent", person=people[0], about="marketing", channel="phone")
    shop.act("send-to-everybody", **said)
    for _ in range(2):
        turn(site)
    assert [row["person_id"] for row in rows(site, message)] == [people[0]]
    shop.act("withdraw-consent", person=people[0], about="marketing", channel="phone")
    shop.act("send-to-everybody", **said)
    turn(site)
    assert count(site, message) == 1


def test_a_corrected_value_is_the_only_one_that_is_left(shop: Program) -> None:
    ann = registered(shop.site, ANN)
    assert shop.act("correct", person=ann, field="full_name", value="Ann Starling").json()["result"]["changed"] == 1
    again = shop.act("correct", person=ann, field="email", value="new@shop.example")
    assert again.status_code == 403, "what somebody is found by is confirmed by them"
    assert shop.act("correct", person=ann, field="question", value="x").status_code == 422


def test_what_is_paused_is_read_by_nobody_until_that_is_lifted(shop: Program) -> None:
    case = cases(shop.site)["disclose"]
    given = ready(shop.site, case)
    ann = given["person"]
    assert shop.act("restrict", person=ann).json()["result"]["changed"] is True
    assert shop.act("disclose", **given).status_code == 403
    assert shop.act("lift-restriction", person=ann).json()["result"]["changed"] is True
    assert shop.act("disclose", **given).status_code == 200


@pytest.mark.parametrize("at", ["2026-01-06", "1969-12-31", "2026-01-05T09:00:00", "yesterday", "2026-02-30"])
def test_no_act_happened_in_the_future_before_there_were_computers_or_at_no_time(shop: Program, at: str) -> None:
    ann = registered(shop.site, ANN)
    answer = shop.act("open-dealing", person=ann, kind="order", number="A-1", at=at)
    assert answer.status_code == 422 and answer.json()["problems"].keys() == {"at"}


def test_what_a_ground_needs_on_record_has_the_names_that_the_policy_language_has(shop: Program) -> None:
    given = ready(shop.site, cases(shop.site)["disclose"])
    named = shop.act("disclose", **given, ground="court", record={"reference": "C-1", "effect on people": "none"})
    assert named.status_code == 200, named.text
    unknown = shop.act("disclose", **given, record={"referense": "C-1"})
    assert "Did you mean `reference`?" in unknown.json()["problems"]["record"]


def test_nobody_elses_number_is_taken(shop: Program) -> None:
    ann, bob = registered(shop.site, ANN), registered(shop.site, BOB, "bobs")
    done(shop.site, "open-dealing", {"person": ann, "kind": "order", "number": "A-1"})
    assert shop.act("open-dealing", person=bob, kind="order", number="A-1").status_code == 403
    assert shop.act("close-dealing", person=bob, kind="order", number="A-1").status_code == 422
    assert shop.act("close-dealing", kind="order", number="ann@shop.example").status_code == 422
