"""Whoever asked over a protocol is told of every change, signed, until they have it, and nowhere but where they may be."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import event, func, select

from tests.operators import mailing
from tests.peers import (
    AGENT,
    OURS,
    THEIRS,
    AgentAtHome,
    CalledBack,
    ControllerAtHome,
    called_back,
    papers,
    rewired,
    wish,
    with_agents,
    with_controllers,
)
from tests.served import client
from tests.shoppers import ANN, BOB, registered
from troth.agenda import overdue
from troth.clock import MovedClock
from troth.errors import TrothError
from troth.messages.mailbox import Mailbox
from troth.rights.protocols import arrivals, callbacks, opendsr, signatures, telling
from troth.rights.protocols.tables import protocol_request
from troth.rights.tables import request
from troth.store.site import Site
from troth.work import TASKS, turn


@pytest.fixture
def there() -> Iterator[CalledBack]:
    with called_back() as made:
        yield made


def asked(site: Site, there: CalledBack, email: str = ANN["email"], **more: Any) -> tuple[Site, dict[str, Any]]:
    """A shop whose controller asked for an erasure and wants to be called back at ``there``."""
    shop = with_controllers(site, vouches=True, callbacks=[there.host])
    registered(shop, ANN)
    body = wish(shop, email, status_callback_urls=[f"http://{there.host}/in?case=7"], **more)
    with client(shop) as web:
        assert ControllerAtHome(web).ask(body).status_code == 201
    return shop, body


def test_every_change_is_told_signed_by_our_certificate(site: Site, there: CalledBack, clock: MovedClock) -> None:
    shop, body = asked(site, there)
    turn(shop)
    clock.move(timedelta(days=20))
    for _ in range(2):
        turn(shop)
    assert [one["request_status"] for one in there.bodies] == ["in_progress", "completed"]
    for headers, raw in there.heard:
        assert headers["X-OpenDSR-Processor-Domain"] == OURS and headers["Host"] == there.host
        assert signatures.signed_by(papers(OURS).certificate, headers["X-OpenDSR-Signature"], raw)
    last = there.bodies[-1]
    assert last["status_callback_url"] == f"http://{there.host}/in?case=7"
    assert last["subject_request_id"] == body["subject_request_id"] and last["controller_id"] == THEIRS
    assert last.keys() >= {"expected_completion_time", "extensions"}
    turn(shop)
    assert len(there.heard) == 2, "what was told is told once"


def test_a_callback_that_fails_is_tried_again_and_an_older_state_never_follows_a_newer(
    site: Site, there: CalledBack, clock: MovedClock
) -> None:
    there.answers = [500, 503]
    shop, _ = asked(site, there)
    turn(shop)
    clock.move(timedelta(minutes=1))
    turn(shop)
    clock.move(timedelta(minutes=1))
    turn(shop)
    assert [one["request_status"] for one in there.bodies] == ["in_progress"] * 3
    there.answers = [500, 500]
    clock.move(timedelta(days=20))
    for _ in range(4):
        clock.move(timedelta(hours=1))
        turn(shop)
    assert {one["request_status"] for one in there.bodies[3:]} == {"completed"}
    assert len(there.heard) == 6


def test_staff_hear_of_one_that_does_not_get_through_and_it_is_given_up(
    site: Site, there: CalledBack, clock: MovedClock, mailbox: Mailbox
) -> None:
    there.answers = [500] * 1000
    shop, _ = asked(mailing(site, mailbox), there, email="nobody@shop.example")
    turn(shop)
    clock.move(telling.ALARM + timedelta(hours=1))
    turn(shop)
    with shop.reading() as conn:
        late = overdue(conn, shop.now())
    assert [one.kind for one in late] == [telling.CALL]
    assert "nobody" not in late[0].problem and there.host not in late[0].problem
    clock.move(telling.GIVE_UP)
    for _ in range(2):
        turn(shop)
    heard = len(there.heard)
    with shop.reading() as conn:
        assert overdue(conn, shop.now()) == []
        assert conn.scalar(select(protocol_request.c.callbacks)) == "[]", "and its address is not kept"
    turn(shop)
    assert len(there.heard) == heard


def test_a_redirect_is_not_followed(site: Site, there: CalledBack) -> None:
    with called_back() as elsewhere:
        there.answers, there.moved = [307, 308, 302], f"http://{elsewhere.host}/"
        shop, _ = asked(site, there)
        turn(shop)
        assert len(there.heard) == 1 and elsewhere.heard == []


def test_a_host_that_is_taken_out_of_the_wiring_is_not_called_any_more(site: Site, there: CalledBack) -> None:
    shop, _ = asked(site, there)
    turn(with_controllers(shop, vouches=True))
    assert there.heard == []


def test_where_private_addresses_are_not_wanted_none_is_called(site: Site, there: CalledBack) -> None:
    shop, _ = asked(site, there)
    assert shop.wiring.opendsr is not None
    turn(rewired(shop, opendsr=shop.wiring.opendsr.model_copy(update={"private_callbacks": False})))
    assert there.heard == []


class Cut(BaseException):
    """What a process that is killed looks like from inside: nothing after it is carried out."""


@contextmanager
def cut_before_commit(site: Site, nth: int) -> Iterator[list[int]]:
    """End the work just before the ``nth`` commit; the list it yields counts the commits that were tried."""
    tried: list[int] = []

    def count(_conn: object) -> None:
        tried.append(1)
        if len(tried) == nth:
            raise Cut

    event.listen(site.engine, "commit", count)
    try:
        yield tried
    except Cut:
        pass
    finally:
        event.remove(site.engine, "commit", count)


def test_a_worker_that_dies_before_any_commit_tells_it_all_the_same(
    site: Site, there: CalledBack, clock: MovedClock
) -> None:
    shop, _ = asked(site, there)
    tasks = {name: TASKS[name] for name in ("protocols", "agenda")}
    for stop in range(1, 20):
        with cut_before_commit(shop, stop) as tried:
            turn(shop, tasks)
        clock.move(timedelta(minutes=11))
        if len(tried) < stop:
            break
    assert stop > 2, "it was cut more than once"
    turn(shop)
    assert {one["request_status"] for one in there.bodies} == {"in_progress"}


def test_a_request_that_is_cut_off_anywhere_is_one_when_it_is_sent_again(site: Site) -> None:
    shop = with_controllers(site, vouches=True)
    registered(shop, ANN)
    assert shop.wiring.opendsr is not None
    wired = shop.wiring.opendsr.controllers[THEIRS]
    wanted = opendsr.read_request(wish(shop, ANN["email"]), shop.now())
    for stop in range(1, 20):
        with cut_before_commit(shop, stop) as tried:
            arrivals.from_controller(shop, THEIRS, wired, wanted)
        if len(tried) < stop:
            break
    assert stop > 3
    one = arrivals.from_controller(shop, THEIRS, wired, wanted)
    assert not one.joined and one.state == "carrying out"
    with shop.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(request)) == 1
        assert conn.scalar(select(func.count()).select_from(protocol_request)) == 1


def test_a_number_is_kept_as_long_as_it_could_come_again_and_then_forgotten(
    site: Site, there: CalledBack, clock: MovedClock
) -> None:
    shop, body = asked(site, there, email="nobody@shop.example")
    with client(shop) as web:
        controller = ControllerAtHome(web)
        turn(shop)
        clock.move(telling.REMEMBERED - timedelta(days=1))
        turn(shop)
        assert controller.status(body["subject_request_id"]).status_code == 200
        clock.move(timedelta(days=2))
        turn(shop)
        assert controller.status(body["subject_request_id"]).status_code == 404
        assert controller.ask(body).status_code == 400, "and what was signed long ago is not taken in again"


def test_an_agent_is_told_as_its_protocol_says(site: Site, there: CalledBack, clock: MovedClock) -> None:
    shop = with_agents(site, vouches=True, callbacks=[there.host])
    registered(shop, BOB)
    with client(shop) as web:
        agent = AgentAtHome(web, shop)
        agent.set_up()
        callback = {"status_callback": f"http://{there.host}/update_status", "agent-request-id": "foo"}
        said = agent.exercise("deletion", BOB["email"], **callback).json()
        turn(shop)
        assert there.heard == [], "what the answer told already is not told again"
        agent.revoke(said["request_id"])
    turn(shop)
    [body] = there.bodies
    assert body["status"] == "revoked" and body["request_id"] == said["request_id"]
    assert body["agent_request_id"] == "foo" and AGENT not in json.dumps(body)


def test_the_certificate_must_be_that_of_the_name_whatever_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pem").write_bytes(papers("localhost").pem + papers("localhost").key_pem)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "pem")
    trusting = ssl.create_default_context(cafile=str(tmp_path / "pem"))
    monkeypatch.setattr(callbacks, "_client", lambda _scheme: httpx.Client(verify=trusting, trust_env=False))
    with called_back(server) as there:
        port = there.host.rpartition(":")[2]
        right, wrong = f"localhost:{port}", f"127.0.0.1:{port}"
        callbacks.post(f"https://{right}/in", b"{}", {}, {right}, True)
        assert [headers["Host"] for headers, _ in there.heard] == [right]
        with pytest.raises(TrothError, match="not answered"):
            callbacks.post(f"https://{wrong}/in", b"{}", {}, {wrong}, True)
        assert len(there.heard) == 1
