"""Tokens and keys of programs over HTTP and on the command line: who may act, and a request that comes again is one act."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.acting import Program, cases, filled, program, ready
from tests.fixtures import SHOP, days, open_shop
from tests.programs import ORDERED, shop, web  # noqa: F401  (fixtures)
from tests.served import Client
from tests.shoppers import ANN, registered
from tests.submissions import count, entries, rows
from tests.terminal import troth
from troth.acts import keys, tokens
from troth.acts.tables import act_key, program_token
from troth.clock import MovedClock, SystemClock
from troth.errors import InvalidInput, Refused
from troth.people.tables import dealing, holding
from troth.store.site import Site

# --- Tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_is_kept_as_a_digest_and_opens_nothing_once_it_is_revoked_or_has_ended(
    site: Site, web: Client, clock: MovedClock
) -> None:
    ann = registered(site, ANN)
    _, secret = tokens.add(site, "web-shop", ["deal"], ends_at=site.now() + days(2))
    (row,) = rows(site, program_token)
    assert secret not in str(row) and row["may"] == ["deal"]
    shop = Program(web, site, secret)
    order = {"person": ann, "kind": "order", "number": "A-1"}
    assert shop.act("open-dealing", **order).status_code == 200
    clock.move(days(2))
    assert shop.act("open-dealing", **order).status_code == 401
    second = program(web, site, "deal")
    assert second.act("open-dealing", **order).status_code == 200
    assert tokens.revoke(site, "web-shop") == 2
    assert second.act("open-dealing", **order).status_code == 401
    with pytest.raises(Refused):
        tokens.revoke(site, "web-shop")
    assert tokens.listed(site) == []


def test_a_token_is_given_only_acts_that_there_are(site: Site) -> None:
    for name, may in (("web-shop", ["everything"]), ("web-shop", []), ("Web Shop", ["deal"])):
        with pytest.raises(InvalidInput):
            tokens.add(site, name, may)
    assert count(site, program_token) == 0


def test_a_token_of_another_site_is_refused(site: Site, web: Client, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHOP, tmp_path / "another"))
    another = open_shop(folder, MovedClock(site.now()))
    try:
        shop = Program(web, site, tokens.add(another, "web-shop", ["deal"])[1])
        assert shop.act("close-dealing", kind="order", number="A-1").status_code == 401
    finally:
        another.close()


def test_wrong_tokens_and_busy_ones_are_told_to_wait(site: Site, web: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = program(web, site, "people")
    answers = [shop.act("find-person", token=f"troth_{n}").status_code for n in range(21)]
    assert answers == [401] * 20 + [429]
    find = {"field": "email", "value": "ann@shop.example"}
    assert shop.act("find-person", **find).status_code == 200, "who has the right one is let in all the while"
    pace = web.app.state.paces["shop"]  # type: ignore[attr-defined]
    while not pace.too_often(rows(site, program_token)[0]["id"], site.now()):
        pass
    busy = shop.act("find-person", **find)
    assert busy.status_code == 429 and busy.headers["retry-after"] == "60"


def test_tokens_are_made_listed_and_revoked_on_the_command_line(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SHOP, tmp_path / "shop"))
    open_shop(folder, MovedClock(SystemClock().now())).close()
    made = troth("token", "add", folder, "web-shop", "--may", "deal,disclose", "--may", "hold")
    assert made.exit_code == 0 and made.stdout.strip().startswith("troth_")
    listed = json.loads(troth("token", "list", folder, "--json").stdout)["tokens"]
    assert [(one["program"], one["may"]) for one in listed] == [("web-shop", ["deal", "disclose", "hold"])]
    assert made.stdout.strip() not in troth("token", "list", folder).output
    assert troth("token", "revoke", folder, "web-shop").exit_code == 0
    assert "no program has a token" in troth("token", "list", folder).output


# --- Keys -------------------------------------------------------------------------------------------------------------


def test_a_key_belongs_to_its_token(web: Client, site: Site) -> None:
    ann = registered(site, ANN)
    one, other = program(web, site, "deal"), program(web, site, "deal")
    assert one.act("open-dealing", key="order-1001", person=ann, kind="order", number="A-1").status_code == 200
    second = other.act("open-dealing", key="order-1001", person=ann, kind="ticket", number="A-1")
    assert second.status_code == 200 and "idempotency-replayed" not in second.headers
    assert count(site, dealing) == 2


def test_fifty_copies_of_one_request_are_one_act(shop: Program) -> None:
    ann = registered(shop.site, ANN)
    sent = {"person": ann, "about": "improvement", "channel": "letter"}
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: shop.act("object", key="object-1", **sent), range(50)))
    assert {one.status_code for one in answers} <= {200, 503}
    assert len({one.text for one in answers if one.status_code == 200}) == 1
    assert len(entries(shop.site, "objection:made")) == 1


def test_a_refusal_keeps_no_key_and_is_on_the_ledger(shop: Program) -> None:
    site, case = shop.site, cases(shop.site)["disclose"]
    given = filled(case, case.given)
    first = shop.act("disclose", key="give-1", **given)
    assert first.status_code == 403 and len(entries(site, "disclosure:refused")) == 1
    ready(site, case)  # the order is opened
    assert shop.act("disclose", key="give-1", **given).status_code == 200


def test_keys_hold_nothing_of_anybody_and_go_after_a_week(shop: Program, clock: MovedClock) -> None:
    find = {"field": "email", "value": ANN["email"]}
    registered(shop.site, ANN)
    assert shop.act("find-person", key=ANN["email"], **find).status_code == 200
    (row,) = rows(shop.site, act_key)
    assert ANN["email"].lower() not in str(dict(row)).lower()
    clock.move(days(6))
    assert keys.forget_the_past(shop.site) == 0
    clock.move(days(1))
    assert keys.forget_the_past(shop.site) == 1


def test_a_stranger_who_used_a_number_before_keeps_nobodys_order_out(site: Site, web: Client) -> None:
    """Mallory's ``Idempotency-Key: order-1001`` is not Ann's."""
    address, head = "/shop/api/collect/order", {"Idempotency-Key": "order-1001"}
    mallory = web.post(address, json={"values": {**ORDERED, "email": "mallory@shop.example"}}, headers=head)
    sent = {"values": {**ORDERED, "email": "ann@shop.example"}}
    first, again = (web.post(address, json=sent, headers=head) for _ in range(2))
    assert [one.status_code for one in (mallory, first, again)] == [201, 201, 200]
    assert not first.json()["repeated"] and again.json()["repeated"]
    assert first.json()["receipt"] == again.json()["receipt"] != mallory.json()["receipt"]
    assert len({row["person_id"] for row in rows(site, holding)}) == 2
    assert {row["ref"] for row in rows(site, dealing)} == {mallory.json()["case"], first.json()["case"]}


def test_what_a_repeat_is_told_is_read_from_the_store(site: Site, web: Client) -> None:
    sent = {"values": {**ORDERED, "email": "ann@shop.example", "phone": "020 7946 0958"}, "key": "order-7"}
    web.post("/shop/api/collect/order", json=sent)
    with site.writing() as conn:
        conn.execute(holding.delete())
        conn.execute(dealing.delete())
    again = web.post("/shop/api/collect/order", json=sent)
    assert again.status_code == 201, "nothing was there, so it is stored"
    assert set(web.post("/shop/api/collect/order", json=sent).json()["stored"]) == set(sent["values"])
