"""The operator's own programs read over HTTP: for a purpose, in a role, on the ledger, and nobody else does."""

import json
import logging
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from tests.served import Client, client, serving
from tests.shoppers import ANN, BOB, held, registered
from tests.submissions import entries
from troth.clock import MovedClock
from troth.errors import PolicyError
from troth.ids import new_id
from troth.ledger.events import PERSON_READ, READ_REFUSED
from troth.people import dealings, vault
from troth.people.tables import person
from troth.settings import Program
from troth.store.site import Site
from troth.store.wiring import read_wiring
from troth.web.app import make_app
from troth.web.programs import WITHIN, WRONG_AT_MOST, Door

READ, JSON = "/shop/api/read", "application/json"
CRM, BOOKS, OTHER = "c" * 40, "b" * 40, "o" * 40
WIRED = {
    "crm": Program.model_validate(
        {"role": "support", "token env": "SHOP_CRM", "purposes": ["service", "marketing", "answer"]}
    ),
    "books": Program.model_validate({"role": "finance", "token env": "SHOP_BOOKS", "purposes": ["accounts"]}),
}
SERVICE = {"purpose": "service", "fields": ["full_name"]}


@pytest.fixture(autouse=True)
def tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, token in (("SHOP_CRM", CRM), ("SHOP_BOOKS", BOOKS), ("OTHER_CRM", OTHER)):
        monkeypatch.setenv(variable, token)


@pytest.fixture
def shop(site: Site) -> Site:
    """The shop with two programs."""
    return replace(site, wiring=site.wiring.model_copy(update={"programs": WIRED}))


@pytest.fixture
def web(shop: Site) -> Iterator[Client]:
    with client(shop) as made:
        yield made


def ask(web: Client, token: str = CRM, **body: object) -> httpx.Response:
    answer: httpx.Response = web.post(READ, json={**SERVICE, **body}, headers={"authorization": f"Bearer {token}"})
    return answer


def by_mail(address: str) -> dict[str, object]:
    return {"find": {"field": "email", "value": address}}


def told(answer: httpx.Response) -> tuple[int, dict[str, Any], list[str]]:
    """Everything that an answer tells whoever asked."""
    return answer.status_code, answer.json(), sorted(answer.headers)


def test_a_program_reads_what_the_policy_allows_and_no_more(web: Client, site: Site) -> None:
    ann = registered(site, ANN)
    answer = ask(web, person=ann)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"person": ann, "values": {"full_name": "Ann Canary"}, "because": ["purposes.service"]}
    assert answer.headers["cache-control"] == "no-store"
    assert ask(web, person=ann, fields=["full_name", "interest"]).status_code == 403


def test_every_read_is_on_the_ledger_with_its_role_and_no_value(web: Client, site: Site) -> None:
    ann = registered(site, ANN)
    ask(web, **by_mail("ann.CANARY@shop.example"))
    ask(web, **by_mail(ANN["email"]))
    ask(web, person=ann, purpose="marketing")
    done, refused = entries(site, PERSON_READ), entries(site, READ_REFUSED)
    assert len(done) == 1 and len(refused) == 2, "the spelling of the part before the @ tells mailboxes apart"
    body = json.loads(done[0]["body"])
    assert body["person"] == ann and body["by"] == "staff"
    assert body["ask"]["fields"] == ["email", "full_name"], "the field that finds somebody is used, too"
    assert "role:support" in body["ask"]["facts"]
    assert "anary" not in "".join(row["body"] for row in entries(site))


def test_only_the_fields_that_were_asked_for_are_answered(web: Client, site: Site) -> None:
    registered(site, ANN)
    assert ask(web, **by_mail(ANN["email"])).json()["values"] == {"full_name": "Ann Canary"}


def test_whoever_is_unknown_looks_like_whoever_is_refused(web: Client, site: Site) -> None:
    ann, bob = registered(site, ANN), registered(site, BOB)
    with site.writing() as conn:
        conn.execute(update(person).where(person.c.id == bob).values(state="quarantined"))
    never = {"purpose": "marketing"}
    refused = told(ask(web, person=ann, **never))
    assert refused[0] == 403 and refused[1]["because"] == []
    assert told(ask(web, person=new_id(site.now()), **never)) == refused
    assert told(ask(web, person=bob, **never)) == refused
    assert told(ask(web, **by_mail(ANN["email"]), **never)) == refused
    assert told(ask(web, **by_mail("nobody@shop.example"), **never)) == refused
    assert told(ask(web, **by_mail(BOB["email"]))) == refused
    assert len(entries(site, READ_REFUSED)) == 6


WRONG = (
    "",
    "Bearer",
    "Bearer ",
    f"Bearer {CRM}x",
    f"Bearer {CRM[:-1]}",
    f"Basic {CRM}",
    CRM,
    f"Bearer {OTHER}",
    "Bearer \xff",
)


def test_nobody_else_comes_in(web: Client, site: Site) -> None:
    ann = registered(site, ANN)
    for said in WRONG:
        headers = {"authorization": said.encode("latin-1")} if said else {}
        answer = web.post(READ, json={**SERVICE, "person": ann}, headers=headers)
        assert answer.status_code == 401, said
        assert answer.headers["www-authenticate"] == "Bearer"
        unknown = web.post(READ, json={**SERVICE, "person": new_id(site.now())}, headers=headers)
        assert told(unknown) == told(answer)
    assert entries(site, PERSON_READ) == entries(site, READ_REFUSED) == []


def test_the_token_of_one_site_opens_no_other(shop: Site) -> None:
    crm = Program.model_validate({"role": "support", "token env": "OTHER_CRM", "purposes": ["service"]})
    other = replace(shop, wiring=shop.wiring.model_copy(update={"name": "other", "programs": {"crm": crm}}))
    ann = registered(shop, ANN)
    with client(shop, other) as web:
        body = {**SERVICE, "person": ann}
        statuses = {
            (path, token): web.post(path, json=body, headers={"authorization": f"Bearer {token}"}).status_code
            for path in (READ, "/other/api/read")
            for token in (CRM, OTHER)
        }
    assert statuses == {
        (READ, CRM): 200,
        (READ, OTHER): 401,
        ("/other/api/read", CRM): 401,
        ("/other/api/read", OTHER): 200,
    }


def test_a_site_without_programs_lets_nobody_in(site: Site) -> None:
    with client(site) as web:
        assert ask(web, person=registered(site, ANN)).status_code == 401


def test_a_program_reads_only_for_its_own_purposes_and_in_its_own_role(web: Client, site: Site) -> None:
    ann = registered(site, ANN)
    with site.writing() as conn:
        held(
            site, conn, ann, {"email": ANN["email"], "full_name": "Ann Canary", "order_total": "99 GBP"}, point="order"
        )
    books = {"purpose": "accounts", "fields": ["order_total"], "person": ann}
    assert ask(web, BOOKS, **books).json()["values"] == {"order_total": "99 GBP"}
    assert ask(web, CRM, **books).status_code == 403
    assert ask(web, BOOKS, person=ann).status_code == 403
    with client(replace(site, wiring=site.wiring.model_copy(update={"programs": _with_role("support")}))) as swapped:
        assert ask(swapped, BOOKS, **books).status_code == 403, "the policy opens the books for finance alone"


def _with_role(role: str) -> dict[str, Program]:
    return {"books": WIRED["books"].model_copy(update={"role": role})}


def test_a_read_for_a_case_takes_an_open_case_of_theirs(web: Client, site: Site) -> None:
    ann = registered(site, ANN)
    with site.writing() as conn:
        dealings.open_dealing(site, conn, ann, "ticket", "T-1", site.now())
    answer = {"purpose": "answer", "fields": ["full_name"], "person": ann}
    assert ask(web, **answer, case="T-1").status_code == 200
    assert ask(web, **answer, case="T-2").status_code == 403


MISFITS: tuple[tuple[dict[str, object], str], ...] = (
    ({"fields": []}, "fields"),
    ({"fields": ["shoe_size"]}, "fields"),
    ({"purpose": "answer", "person": None, "find": {"field": "full_name", "value": "x"}}, "find"),
    ({"person": "ann"}, "person"),
    ({"person": "0" * 26, "find": {"field": "email", "value": "x"}}, "(the whole)"),
    ({"person": None}, "(the whole)"),
    ({"more": 1}, "(the whole)"),
    ({"fields": "full_name"}, "(the whole)"),
    ({"find": {"field": "email", "value": "x" * 1001}, "person": None}, "find"),
    ({"case": "x" * 1001}, "case"),
)


def test_what_is_no_read_is_told_without_repeating_it(web: Client) -> None:
    for body, problem in MISFITS:
        answer = ask(web, **{"person": "0" * 26, **body})
        assert answer.status_code == 422
        assert set(answer.json()["problems"]) == {problem}
        assert "shoe" not in answer.text and "xxx" not in answer.text
    for no_json in (b"", b"{", b"\xff", b"[" * 60_000):
        headers = {"authorization": f"Bearer {CRM}", "content-type": JSON}
        assert web.post(READ, content=no_json, headers=headers).status_code in (400, 422)


def test_a_huge_body_is_not_read_and_never_before_the_token(shop: Site) -> None:
    huge = b'{"purpose": "' + b"x" * 2_000_000 + b'"}'
    with serving([shop]) as address:
        for token, status in (("nobody's", 401), (CRM, 413)):
            head = f"POST {READ} HTTP/1.1\r\nHost: shop\r\nAuthorization: Bearer {token}\r\nContent-Type: {JSON}\r\n"
            answer = _answered(address, head.encode() + b"Content-Length: %d\r\n\r\n" % len(huge) + huge[:1000])
            assert answer.startswith(b"HTTP/1.1 %d " % status)


def _answered(address: str, words: bytes) -> bytes:
    """What the server answers although most of the body never comes."""
    import socket

    host, _, port = address.removeprefix("http://").rpartition(":")
    with socket.create_connection((host, int(port)), timeout=20) as line:
        line.sendall(words)
        return line.recv(65536)


def test_whoever_keeps_guessing_waits_while_right_tokens_pass(web: Client, site: Site, clock: MovedClock) -> None:
    ann = registered(site, ANN)
    statuses = [ask(web, "g" * 40, person=ann).status_code for _ in range(WRONG_AT_MOST + 1)]
    assert statuses == [401] * WRONG_AT_MOST + [429]
    assert ask(web, "g" * 40, person=ann).headers["retry-after"] == "60"
    assert ask(web, person=ann).status_code == 200
    clock.move(WITHIN)
    assert ask(web, "g" * 40, person=ann).status_code == 401


def test_reads_that_come_together_each_get_their_own_answer_and_their_own_entry(shop: Site) -> None:
    people = {registered(shop, {"email": f"p{n}@shop.example", "full_name": f"Person {n}"}): n for n in range(6)}
    asked = [one for one in people for _ in range(4)] + [new_id(shop.now())] * 3
    with serving([shop]) as address, httpx.Client(base_url=address) as web:

        def read(one: str) -> tuple[str, int, str]:
            answer = web.post(READ, json={**SERVICE, "person": one}, headers={"authorization": f"Bearer {CRM}"})
            return one, answer.status_code, answer.json().get("values", {}).get("full_name", "")

        with ThreadPoolExecutor(9) as threads:
            answers = list(threads.map(read, asked))
    expected = [(one, 200, f"Person {people[one]}") if one in people else (one, 403, "") for one in asked]
    assert answers == expected
    assert len(entries(shop, PERSON_READ)) == 24
    assert len(entries(shop, READ_REFUSED)) == 3


def test_no_log_says_who_was_read(web: Client, site: Site, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ann = registered(site, ANN)
    ask(web, **by_mail(ANN["email"]))
    ask(web, person=ann)
    ask(web, "g" * 40, person=ann)
    assert "POST /{site_name}/api/read 200" in caplog.text
    for word in (ANN["email"], "Ann Canary", CRM, "g" * 40):
        assert word not in caplog.text


def test_a_read_is_no_visit(web: Client, site: Site) -> None:
    from troth.visits import actions as visits

    ask(web, person=registered(site, ANN))
    assert list(visits.read(site, "improvement", vault.By("system"))) == []


def test_a_site_does_not_start_with_a_token_that_is_missing_or_weak(
    shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    for token in ("", "short", "x" * 31, "with space " * 4):
        monkeypatch.setenv("SHOP_CRM", token)
        with pytest.raises(PolicyError, match="SHOP_CRM") as refused:
            Door(shop)
        assert "openssl rand" in refused.value.hint and (not token or token not in str(refused.value))
    monkeypatch.delenv("SHOP_CRM")
    with pytest.raises(PolicyError, match="SHOP_CRM"):
        make_app([shop])


def test_two_programs_share_no_token(shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_BOOKS", CRM)
    with pytest.raises(PolicyError, match="share a token"):
        Door(shop)


def test_the_interface_says_how_programs_read(web: Client, site: Site) -> None:
    described = web.get("/shop/api/openapi").json()
    read = described["paths"][READ]["post"]
    body = read["requestBody"]["content"]["application/json"]["schema"]
    assert read["security"] == [{"program": []}]
    assert described["components"]["securitySchemes"]["program"]["scheme"] == "bearer"
    assert body["properties"]["purpose"]["enum"] == ["accounts", "answer", "marketing", "service"]
    assert body["properties"]["find"]["properties"]["field"]["enum"] == ["email"]
    with client(site) as without:
        assert READ not in without.get("/shop/api/openapi").json()["paths"]


def test_the_page_on_reading_shows_what_works(web: Client, site: Site, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "reading.md").read_text()
    [asked] = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    [wiring] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    ann = registered(site, {"email": "ann@shop.example", "full_name": "Ann Other"})
    answer = ask(web, **json.loads(asked))
    (tmp_path / "site.yaml").write_text(wiring)
    shown = re.search(r'"person": "([0-9a-z]{26})", "values": (\{.*?\}), "because": (\[.*?\])\}', page)
    assert shown is not None and answer.json()["person"] == ann
    assert answer.json()["values"] == {"email": "ann@shop.example", **json.loads(shown[2])}
    assert answer.json()["because"] == json.loads(shown[3])
    assert set(read_wiring(tmp_path).programs) == {"crm", "books"}
    assert ask(web, person=shown[1]).status_code == 403
