"""An authorised agent asks over the Data Rights Protocol 1.0, as the published specification shows; a forged one does not."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

import base64
import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import func, select, update

from tests.agents import agent, requests, shop, web  # noqa: F401  (fixtures)
from tests.peers import AGENT, BUSINESS, AgentAtHome, with_agents
from tests.served import Client, client
from tests.shoppers import ANN, registered
from troth.clock import MovedClock, iso
from troth.consent.tables import choice
from troth.ledger.tables import entry
from troth.people import vault
from troth.rights.protocols import drp
from troth.rights.protocols.arrivals import NOTHING, sold_to
from troth.rights.protocols.tables import agent_token, protocol_request
from troth.rights.tables import reply, request
from troth.store import versions
from troth.store.site import Site
from troth.work import turn

STATUS = {"request_id", "received_at", "expected_by", "status"}


# --- the documented examples ---------------------------------------------------------------------------------------------


def test_an_agent_gets_a_token_for_a_signed_message_and_may_ask_whether_it_is_good(web: Client, shop: Site) -> None:
    agent = AgentAtHome(web, shop)
    answer = agent.set_up()
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("application/json")
    assert answer.json().keys() == {"agent-id", "token"} and answer.json()["agent-id"] == AGENT
    assert len(answer.json()["token"]) >= 43, "256 bits"
    good = web.get(f"/shop/drp/v1/agent/{AGENT}", headers=agent.bearer)
    assert (good.status_code, good.json()) == (200, {})
    assert web.get("/shop/drp/v1/agent/OTHER", headers=agent.bearer).status_code == 403
    assert web.get(f"/shop/drp/v1/agent/{AGENT}").status_code == 403


def test_a_deletion_is_taken_in_and_followed_until_it_is_fulfilled(
    agent: AgentAtHome, shop: Site, clock: MovedClock
) -> None:
    ann = registered(shop, ANN)
    more = {"agent-request-id": "foo", "relationships": ["customer", "marketing"], "phone_number": "+442079460958"}
    answer = agent.exercise("deletion", ANN["email"], **more)
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said.keys() == STATUS | {"agent_request_id"}
    assert said["status"] == "in_progress" and said["agent_request_id"] == "foo"
    assert re.fullmatch(r"[0-9a-f-]{36}", said["request_id"])
    assert said["received_at"] == iso(shop.now()) and said["expected_by"] == iso(shop.now() + timedelta(days=20))
    clock.move(timedelta(days=20))
    for _ in range(2):
        turn(shop)
    assert agent.status(said["request_id"]).json()["status"] == "fulfilled"
    with shop.reading() as conn:
        assert vault.kind_of(conn, ann) is None


def test_access_is_fulfilled_with_a_link_for_an_agent_that_is_trusted(agent: AgentAtHome, shop: Site) -> None:
    registered(shop, ANN)
    for kind in ("access", "access:categories", "access:specific"):
        number = agent.exercise(kind, ANN["email"]).json()["request_id"]
        assert agent.status(number).json()["status"] == "in_progress"
        with shop.writing() as conn:
            conn.execute(update(reply).values(state="printed"))
        turn(shop)
        said = agent.status(number).json()
        assert said["status"] == "fulfilled" and "/privacy/data/" in said["results_url"]


def test_opting_out_of_sale_is_an_objection_to_whoever_pays(site: Site) -> None:
    policy, decisions = ((site.folder / name).read_text() for name in ("policy.yaml", "decisions.yaml"))
    paid = policy.replace(
        "ground: consent, consideration: none", "role: partner, ground: consent, consideration: money"
    )
    never = next(line for line in paid.splitlines() if "never_sold" in line)
    sold = paid.replace(never + "\n", "").replace("version: 1,", "version: 2,", 1)
    with site.writing() as conn:
        versions.archive(conn, sold, decisions, effective_at=site.now(), at=site.now())
    shop = with_agents(site, vouches=True)
    assert sold_to(shop.policy().policy) == ("@newsletter_house",)
    ann = registered(shop, ANN)
    with client(shop) as web:
        agent = AgentAtHome(web, shop)
        agent.set_up()
        assert agent.exercise("sale:opt-out", ANN["email"]).json()["status"] == "fulfilled"
        assert agent.exercise("sale:opt_out", ANN["email"]).status_code == 200, "the specification writes both"
    with shop.reading() as conn:
        rows = conn.execute(select(choice.c.scope, choice.c.state).where(choice.c.person_id == ann)).all()
    assert {tuple(row) for row in rows} == {("@newsletter_house", "objected")}


def test_where_nothing_is_sold_opting_out_stops_nothing_else(agent: AgentAtHome, shop: Site) -> None:
    ann = registered(shop, ANN)
    assert sold_to(shop.policy().policy) == (NOTHING,)
    assert agent.exercise("sale:opt-out", ANN["email"]).json()["status"] == "fulfilled"
    with shop.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(choice).where(choice.c.person_id == ann)) == 0
        assert conn.scalar(select(reply.c.template)) == "nothing_stopped", "and the person is told just that"


def test_a_request_is_revoked_with_a_reason(agent: AgentAtHome, shop: Site) -> None:
    ann = registered(shop, ANN)
    number = agent.exercise("deletion", ANN["email"]).json()["request_id"]
    answer = agent.revoke(number)
    assert answer.status_code == 200 and answer.json()["status"] == "revoked"
    assert agent.status(number).json()["status"] == "revoked"
    assert agent.revoke(number).json()["status"] == "revoked", "twice is once"
    with shop.reading() as conn:
        assert vault.kind_of(conn, ann) == "customer", "what was in quarantine is back"


def test_an_error_says_its_code_and_why(agent: AgentAtHome) -> None:
    answer = agent.exercise("sale:opt-in", ANN["email"])
    assert answer.status_code == 400
    assert answer.json()["code"] == "400" and answer.json()["message"].startswith("Unsupported rights action")


# --- who somebody is -----------------------------------------------------------------------------------------------------


def test_an_address_that_the_agent_did_not_verify_is_asked_and_nothing_is_done(agent: AgentAtHome, shop: Site) -> None:
    ann = registered(shop, ANN)
    said = agent.exercise("deletion", ANN["email"], email_verified="true").json()
    assert (said["status"], said["reason"]) == ("in_progress", "need_user_verification")
    with shop.reading() as conn:
        assert vault.kind_of(conn, ann) == "customer"
        assert conn.scalar(select(reply.c.template)) == "confirm", "the person gets the link"
        number = conn.scalar(select(request.c.id)) or ""
    assert number not in said["user_verification_url"], "and the agent gets nothing that confirms"
    assert said["user_verification_url"] == "http://127.0.0.1:8080/shop/privacy"


def test_an_agent_that_does_not_vouch_leads_to_the_person_too(web: Client, shop: Site) -> None:
    registered(shop, ANN)
    other = AgentAtHome.other(web, shop)
    other.set_up()
    said = other.exercise("access", ANN["email"]).json()
    assert said["reason"] == "need_user_verification"


def test_who_never_confirms_is_denied_in_the_end(web: Client, shop: Site, clock: MovedClock) -> None:
    registered(shop, ANN)
    other = AgentAtHome.other(web, shop)
    other.set_up()
    number = other.exercise("access", ANN["email"]).json()["request_id"]
    clock.move(timedelta(days=15))
    turn(shop)
    said = other.status(number).json()
    assert (said["status"], said["reason"]) == ("denied", "insuf_verification")


def test_somebody_unknown_is_denied_as_no_match(agent: AgentAtHome) -> None:
    said = agent.exercise("deletion", "nobody@shop.example").json()
    assert (said["status"], said["reason"]) == ("denied", "no_match") and said["processing_details"]


# --- the checks, in their order ------------------------------------------------------------------------------------------


def test_checks_come_in_the_order_of_the_specification(shop: Site) -> None:
    """A message wrong in everything is told the first thing; put right one by one, it is told the next."""
    agent = AgentAtHome(None, shop)  # type: ignore[arg-type]
    now, key = shop.now(), agent.key.public_key()
    wrong = {
        "agent-id": "X",
        "business-id": "X",
        "issued-at": iso(now + timedelta(hours=1)),
        "expires-at": iso(now - timedelta(hours=1)),
    }
    found = []
    for right in (None, "agent-id", "business-id", "issued-at", "expires-at"):
        wrong.pop(right or "", None)
        said = drp.opened(agent.message(agent.claims(**wrong)), key)
        try:
            drp.check_claims(said, AGENT, BUSINESS, now)
        except drp.Declined as declined:
            found.append(declined.message.partition(" ")[0])
    assert found == ["agent-id", "business-id", "issued-at", "expires-at"]
    with pytest.raises(drp.Declined, match="not base64"):
        drp.opened(b"\xff{", key)
    with pytest.raises(drp.Declined, match="signature"):
        drp.opened(base64.b64encode(b"x" * 10), key)


def _forgeries(agent: AgentAtHome) -> Iterator[tuple[str, bytes]]:
    claims = agent.claims(exercise="deletion", email=ANN["email"], email_verified=True)
    raw = json.dumps(claims).encode()
    good = base64.b64decode(agent.message(claims))
    yield "no base64", raw
    yield "no signature", base64.b64encode(raw)
    yield "nothing", b""
    yield "zeros", base64.b64encode(bytes(64) + raw)
    yield "another body", base64.b64encode(good[:64] + raw.replace(b"deletion", b"access\x20\x20"))
    yield "a byte more", base64.b64encode(good + b" ")
    yield "another key", base64.b64encode(Ed25519PrivateKey.generate().sign(raw) + raw)
    yield "url-safe", base64.urlsafe_b64encode(good).replace(b"_", b"-") + b"-_"
    yield "hexadecimal", good.hex().encode() + b"0"


def test_a_forged_message_is_never_parsed(agent: AgentAtHome, shop: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(shop, ANN)
    parsed: list[bytes] = []
    monkeypatch.setattr(drp, "parse", parsed.append)
    for name, message in _forgeries(agent):
        answer = agent.send(message)
        assert answer.status_code == 403, name
        assert answer.json()["code"] == "403" and answer.json()["fatal"] is True
        assert agent.post(f"agent/{AGENT}", message, {}).status_code == 403
        assert agent.revoke("x", message).status_code == 403
    assert not parsed and requests(shop) == 0


TIMES: list[dict[str, Any]] = [
    {"issued-at": "2026-01-05T09:00:01Z"},
    {"expires-at": "2026-01-05T09:00:00Z"},
    {"issued-at": "2026-01-05T08:00:00Z", "expires-at": "2026-01-05T09:30:00Z"},
    {"issued-at": "2026-01-05T08:59:00"},
    {"issued-at": None},
    {"expires-at": "never"},
    {"expires-at": 1767603600},
    {"expires-at": "9999-12-31T23:59:59-14:00"},
    {"agent-id": "OTHER"},
    {"agent-id": [AGENT]},
    {"business-id": "ANOTHER_SHOP"},
]


def test_a_message_for_another_time_agent_or_business_is_declined(agent: AgentAtHome, shop: Site) -> None:
    registered(shop, ANN)
    for change in TIMES:
        answer = agent.exercise("deletion", ANN["email"], **change)
        assert answer.status_code == 403, change
        refused = agent.set_up(**change)
        assert (refused.status_code, refused.content) == (403, b""), change
    assert agent.exercise("deletion", ANN["email"], **{"drp.version": "0.9.4"}).status_code == 400
    assert requests(shop) == 0


def test_a_message_of_one_agent_is_of_no_use_to_another(agent: AgentAtHome, web: Client, shop: Site) -> None:
    registered(shop, ANN)
    other = AgentAtHome.other(web, shop)
    other.set_up()
    message = agent.message(agent.claims(exercise="deletion", email=ANN["email"]))
    assert other.send(message).status_code == 403, "the key is that of the token's agent"
    posing = other.message(agent.claims(exercise="deletion", email=ANN["email"]))
    assert other.send(posing).status_code == 403, "and so is the name"
    assert other.post(f"agent/{AGENT}", posing, {}).status_code == 403
    number = agent.exercise("access", ANN["email"]).json()["request_id"]
    for answer in (other.status(number), other.revoke(number), other.status("00000000-0000-4000-8000-000000000000")):
        assert answer.status_code == 403
    assert other.status(number).json() == other.status("nothing").json(), "another's and nobody's look alike"
    assert agent.status(number).status_code == 200


# --- what a request must be ----------------------------------------------------------------------------------------------


MISFITS: list[dict[str, Any]] = [
    {"exercise": "erase"},
    {"exercise": ["deletion"]},
    {"email": ""},
    {"email": None},
    {"email": ["ann@shop.example"]},
    {"email": "x\r\nBcc: y@shop.example"},
    {"email": "a@b.example, c@d.example"},
    {"email": "a" * 400 + "@b.example"},
    {"name": {"first": "Ann"}},
    {"name": "Ann\nCanary"},
    {"name": "a" * 201},
    {"agent-request-id": "a b"},
    {"agent-request-id": "x" * 65},
    {"status_callback": "https://evil.example/"},
    {"status_callback": "file:///etc/passwd"},
    {"regime": 3},
]


def test_what_does_not_fit_is_told_by_its_key_and_never_repeated(agent: AgentAtHome, shop: Site) -> None:
    for change in MISFITS:
        wanted = {"exercise": "deletion", "email": ANN["email"], "email_verified": True, **change}
        answer = agent.send(agent.message(agent.claims(**wanted)))
        assert answer.status_code == 400, change
        assert next(iter(change)) in answer.json()["message"]
        assert not any(word in answer.text for word in ("anary", "evil", "Bcc", "passwd"))
    for no_json in (b"", b"{", b"[]", b"null", b"\xff", b"[" * 40_000):
        assert agent.send(agent.message(no_json)).status_code == 400
    assert requests(shop) == 0


def test_a_huge_body_is_refused_in_the_protocols_own_shape(agent: AgentAtHome) -> None:
    assert agent.send(b"A" * 70_000).json()["code"] == "413"
    wrong = agent.web.post(
        f"{agent.base}/data-rights-request", content=b"{}", headers={"Content-Type": "application/json"}
    )
    assert wrong.json()["code"] == "415"


def test_nothing_personal_reaches_a_log_the_ledger_or_the_table_of_numbers(
    agent: AgentAtHome, shop: Site, caplog: pytest.LogCaptureFixture
) -> None:
    registered(shop, ANN)
    with caplog.at_level(logging.DEBUG):
        number = agent.exercise("deletion", ANN["email"]).json()["request_id"]
        agent.revoke(number, agent.message({"reason": "Canary of Canary Street"}))
    with shop.reading() as conn:
        kept = [
            str(tuple(row)) for table in (entry, protocol_request, agent_token) for row in conn.execute(select(table))
        ]
    assert "anary" not in caplog.text and "anary" not in "".join(kept)
