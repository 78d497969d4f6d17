"""Agents over the Data Rights Protocol: a message that comes again is one request, and a token opens no more than it must."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

import base64
import json
from datetime import timedelta

from sqlalchemy import select

from tests.agents import agent, requests, shop, web  # noqa: F401  (fixtures)
from tests.peers import AGENT, AgentAtHome, rewired
from tests.served import Client, client
from tests.shoppers import ANN, BOB, Statements, registered
from troth.clock import MovedClock
from troth.rights.protocols import tokens
from troth.rights.protocols.tables import agent_token
from troth.store.site import Site

# --- sent again ----------------------------------------------------------------------------------------------------------


def test_a_message_sent_again_is_one_request_and_yields_no_second_token(
    agent: AgentAtHome, shop: Site, clock: MovedClock
) -> None:
    registered(shop, ANN)
    message = agent.message(agent.claims(exercise="deletion", email=ANN["email"], email_verified=True))
    first = agent.send(message).json()
    assert agent.send(message).json() == first and requests(shop) == 1
    asking = agent.message(agent.claims(nonce="1"))
    assert agent.post(f"agent/{AGENT}", asking, {}).status_code == 200
    caught = agent.post(f"agent/{AGENT}", asking, {})
    assert (caught.status_code, caught.content) == (403, b"")
    clock.move(timedelta(minutes=11))
    agent.set_up()
    assert agent.send(message).status_code == 403, "its time is over"


def test_a_message_in_another_spelling_of_base64_is_the_same_message(agent: AgentAtHome, shop: Site) -> None:
    registered(shop, ANN)
    asking = respelt(agent, nonce="1")
    assert [agent.post(f"agent/{AGENT}", one, {}).status_code for one in asking] == [200] + [403] * (len(asking) - 1)
    agent.set_up(nonce="2")
    wishes = respelt(agent, exercise="deletion", email=ANN["email"], email_verified=True)
    assert len({agent.send(one).json()["request_id"] for one in wishes}) == 1


def respelt(agent: AgentAtHome, **more: object) -> list[bytes]:
    """One signed message as different texts that decode to the same bytes."""
    raw = json.dumps(agent.claims(**more))
    message = next(one for n in range(3) if (one := agent.message((raw + " " * n).encode())).endswith(b"=="))
    signs = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    spare = signs.index(message[-3:-2])
    last = [signs[spare ^ one : (spare ^ one) + 1] for one in (0, 1, 15)]
    texts = [message[:-3] + one + b"==" for one in last]
    assert len({base64.b64decode(one, validate=True) for one in texts}) == 1
    return [*texts, texts[0] + b"\n"]


def test_a_number_of_the_agents_does_not_stand_for_two_requests(agent: AgentAtHome, shop: Site) -> None:
    registered(shop, ANN)
    registered(shop, BOB)
    own = {"agent-request-id": "2026-17"}
    first = agent.exercise("deletion", ANN["email"], **own)
    again = agent.exercise("deletion", ANN["email"], **own)
    assert again.json() == first.json(), "another message, the same request"
    assert agent.exercise("deletion", BOB["email"], **own).status_code == 409
    assert agent.exercise("access", ANN["email"], **own).status_code == 409
    assert requests(shop) == 1


# --- tokens --------------------------------------------------------------------------------------------------------------


def test_a_new_token_ends_the_one_before_and_every_token_ends(
    agent: AgentAtHome, web: Client, shop: Site, clock: MovedClock
) -> None:
    before = agent.bearer
    clock.move(timedelta(seconds=1))
    agent.set_up()
    assert web.get(f"/shop/drp/v1/agent/{AGENT}", headers=before).status_code == 403
    assert web.get(f"/shop/drp/v1/agent/{AGENT}", headers=agent.bearer).status_code == 200
    clock.move(tokens.LASTS)
    assert web.get(f"/shop/drp/v1/agent/{AGENT}", headers=agent.bearer).status_code == 403
    clock.move(tokens.REMEMBERED + timedelta(seconds=1))
    assert tokens.forget(shop) == 2


def test_a_leaked_table_of_tokens_opens_nothing_and_guesses_are_all_the_same(
    agent: AgentAtHome, web: Client, shop: Site
) -> None:
    with shop.reading() as conn:
        kept = conn.scalar(select(agent_token.c.digest)) or b""
    guesses = [
        kept.hex(),
        base64.urlsafe_b64encode(kept).decode(),
        agent.token[:-1],
        agent.token + "x",
        "",
        "\xff",
        "a" * 9_000,
    ]
    answers = set()
    for guess in guesses:
        sent = {"Authorization": f"Bearer {guess}".encode("latin-1")}
        answer = web.get(f"/shop/drp/v1/agent/{AGENT}", headers=sent)
        answers.add((answer.status_code, answer.text))
    assert len(answers) == 1 and next(iter(answers))[0] == 403
    assert web.get(f"/shop/drp/v1/agent/{AGENT}", headers={"Authorization": f"Basic {agent.token}"}).status_code == 403


def test_a_token_is_looked_up_by_its_hash_so_that_no_time_tells_how_much_of_it_was_right(
    agent: AgentAtHome, shop: Site
) -> None:
    asked = []
    for token in (agent.token, agent.token[:-1] + "-", "x" * 43):
        heard = Statements(shop.engine)
        tokens.agent_of(shop, f"Bearer {token}")
        asked.append(heard.texts)
        assert token not in str(heard.asked)
    assert asked[0][-1] == asked[1][-1] == asked[2][-1]


def test_an_agent_that_is_taken_out_of_the_wiring_is_nobody_at_once(agent: AgentAtHome, shop: Site) -> None:
    assert shop.wiring.drp is not None
    none = rewired(shop, drp=shop.wiring.drp.model_copy(update={"agents": {}}))
    with client(none) as web:
        assert web.get(f"/shop/drp/v1/agent/{AGENT}", headers=agent.bearer).status_code == 403
    with client(rewired(shop, drp=None)) as web:
        assert web.get(f"/shop/drp/v1/agent/{AGENT}", headers=agent.bearer).json()["code"] == "404"
