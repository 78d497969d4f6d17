"""A controller asks over OpenDSR 2.0, as the published specification shows, and whoever is none gets nowhere."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

import base64
import json
import threading
from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import event, select

from tests.controllers import controller, requests, shop, web  # noqa: F401  (fixtures)
from tests.peers import OURS, THEIRS, ControllerAtHome, papers, rewired, wish, with_controllers
from tests.served import Client, client
from tests.shoppers import ANN, BOB, registered
from troth.clock import MovedClock, iso
from troth.people import vault
from troth.rights.protocols import opendsr, signatures
from troth.rights.tables import request
from troth.store.site import Site
from troth.work import turn


def is_ours(answer: httpx.Response) -> bool:
    """Whether an answer is signed by the shop's certificate."""
    assert answer.headers["x-opendsr-processor-domain"] == OURS
    return signatures.signed_by(papers(OURS).certificate, answer.headers["x-opendsr-signature"], answer.content)


# --- the documented examples ---------------------------------------------------------------------------------------------


def test_discovery_says_what_is_supported_and_where_the_certificate_is(web: Client) -> None:
    answer = web.get("/shop/opendsr/v1/discovery", headers={"Accept": "application/json"})
    assert answer.status_code == 200 and is_ours(answer)
    said = answer.json()
    assert said["api_version"] == "2.0"
    assert said["supported_identities"] == [{"identity_type": "email", "identity_format": "raw"}]
    assert set(said["supported_subject_request_types"]) == {"access", "portability", "erasure"}
    path = said["processor_certificate"].removeprefix("http://127.0.0.1:8080")
    assert web.get(path).content == papers(OURS).pem


def test_an_erasure_is_receipted_carried_out_and_followed_to_its_end(
    controller: ControllerAtHome, shop: Site, clock: MovedClock
) -> None:
    ann = registered(shop, ANN)
    asked = wish(shop, ANN["email"])
    answer = controller.ask(asked)
    assert answer.status_code == 201 and is_ours(answer), answer.text
    said = answer.json()
    assert said["controller_id"] == THEIRS
    assert said["subject_request_id"] == asked["subject_request_id"]
    assert json.loads(base64.b64decode(said["encoded_request"])) == asked
    assert said["received_time"] == iso(shop.now())
    assert said["expected_completion_time"] == iso(shop.now() + timedelta(days=20))
    standing = controller.status(asked["subject_request_id"])
    assert standing.status_code == 200 and is_ours(standing)
    assert standing.json()["request_status"] == "in_progress"
    clock.move(timedelta(days=20))
    for _ in range(2):
        turn(shop)
    ended = controller.status(asked["subject_request_id"]).json()
    assert ended["request_status"] == "completed"
    assert ended["extensions"] == {OURS: {"outcome": "done"}}
    with shop.reading() as conn:
        assert vault.kind_of(conn, ann) is None


def test_a_pending_request_is_cancelled_and_one_under_way_is_not(site: Site) -> None:
    shop = with_controllers(site)  # whose controller does not vouch, so that the person is asked first
    registered(shop, ANN)
    registered(shop, BOB)
    asked = wish(shop, ANN["email"])
    with client(shop) as web:
        controller = ControllerAtHome(web)
        controller.ask(asked)
        assert controller.status(asked["subject_request_id"]).json()["request_status"] == "pending"
        answer = controller.cancel(asked["subject_request_id"])
        assert answer.status_code == 202 and is_ours(answer)
        assert answer.json() == {
            "controller_id": THEIRS,
            "subject_request_id": asked["subject_request_id"],
            "received_time": iso(shop.now()),
            "api_version": "2.0",
        }
        assert controller.status(asked["subject_request_id"]).json()["request_status"] == "cancelled"
        assert controller.cancel(asked["subject_request_id"]).status_code == 202, "twice is once"
    vouching = with_controllers(site, vouches=True)
    with client(vouching) as web:
        controller = ControllerAtHome(web)
        other = wish(vouching, BOB["email"])
        controller.ask(other)
        late = controller.cancel(other["subject_request_id"])
        assert late.status_code == 400 and late.json()["error"]["code"] == 400


def test_a_request_without_its_number_is_answered_as_the_specification_shows(
    controller: ControllerAtHome, shop: Site
) -> None:
    asked = wish(shop, ANN["email"])
    del asked["subject_request_id"]
    answer = controller.ask(asked)
    assert answer.status_code == 400 and is_ours(answer)
    error = answer.json()["error"]
    assert error["code"] == 400
    assert [one["reason"] for one in error["errors"]] == ["subject_request_id"]
    assert set(error["errors"][0]) == {"domain", "reason", "message"}
    assert requests(shop) == 0


def test_access_is_answered_by_a_link_that_is_good_for_once(controller: ControllerAtHome, shop: Site) -> None:
    registered(shop, ANN)
    asked = wish(shop, ANN["email"], "access")
    controller.ask(asked)
    _answered_by_post(shop)
    said = controller.status(asked["subject_request_id"]).json()
    assert said["request_status"] == "completed"
    assert said["results_url"].startswith("http://127.0.0.1:8080/shop/privacy/data/")
    assert controller.status(asked["subject_request_id"]).json()["results_url"] == said["results_url"], (
        "one link, not many"
    )
    from troth.rights.carrying import open_data

    assert open_data(shop, said["results_url"].rpartition("/")[2])
    assert "results_url" not in controller.status(asked["subject_request_id"]).json()


def _answered_by_post(shop: Site) -> None:
    """Without a mail server answers wait to be printed; they are."""
    from sqlalchemy import update

    from troth.rights.tables import reply

    with shop.writing() as conn:
        conn.execute(update(reply).values(state="printed"))
    turn(shop)


def test_who_does_not_vouch_gets_no_link_to_anybodys_data(site: Site) -> None:
    shop = with_controllers(site)
    registered(shop, ANN)
    with client(shop) as web:
        controller = ControllerAtHome(web)
        asked = wish(shop, ANN["email"], "portability")
        controller.ask(asked)
        assert controller.status(asked["subject_request_id"]).json()["request_status"] == "pending"
        from troth.rights.carrying import carry
        from troth.rights.cases import load
        from troth.rights.intake import vouched_for

        with shop.writing() as conn:
            case = load(shop, conn, conn.scalar(select(request.c.id)) or "")
            vouched_for(case, "link")
        carry(shop, case.id)
        _answered_by_post(shop)
        said = controller.status(asked["subject_request_id"]).json()
    assert said["request_status"] == "completed" and "results_url" not in said


# --- sent again ----------------------------------------------------------------------------------------------------------


def test_the_same_request_sent_again_is_answered_with_the_first_receipt(
    controller: ControllerAtHome, shop: Site, clock: MovedClock
) -> None:
    registered(shop, ANN)
    asked = wish(shop, ANN["email"])
    first = controller.ask(asked)
    clock.move(timedelta(hours=1))
    again = controller.ask(dict(reversed(asked.items())))
    assert again.status_code == 201
    same = ("received_time", "expected_completion_time", "subject_request_id")
    assert [again.json()[key] for key in same] == [first.json()[key] for key in same]
    assert requests(shop) == 1


def test_a_number_does_not_stand_for_two_requests(controller: ControllerAtHome, shop: Site) -> None:
    registered(shop, ANN)
    bob = registered(shop, BOB)
    asked = wish(shop, ANN["email"])
    controller.ask(asked)
    for other in (wish(shop, BOB["email"]), wish(shop, ANN["email"], "access")):
        answer = controller.ask(other | {"subject_request_id": asked["subject_request_id"]})
        assert answer.status_code == 400 and "another request" in answer.json()["error"]["message"]
    assert requests(shop) == 1
    with shop.reading() as conn:
        assert vault.kind_of(conn, bob) is not None


def test_one_of_two_controllers_cannot_take_the_others_number_or_see_its_request(shop: Site) -> None:
    assert shop.wiring.opendsr is not None
    other = papers("second.example")
    (shop.folder / "opendsr" / "second.pem").write_bytes(other.pem)
    wires = shop.wiring.opendsr.model_dump(by_alias=True)
    wires["controllers"]["second.example"] = {"certificate": "opendsr/second.pem"}
    two = rewired(shop, opendsr=type(shop.wiring.opendsr).model_validate(wires))
    registered(two, ANN)
    with client(two) as web:
        first, second = ControllerAtHome(web), ControllerAtHome(web, "second.example", other)
        asked = wish(two, ANN["email"])
        first.ask(asked)
        assert second.status(asked["subject_request_id"]).status_code == 404
        assert second.cancel(asked["subject_request_id"]).status_code == 404
        assert second.ask(asked | {"subject_request_type": "access"}).status_code == 201, "their numbers are apart"


def test_what_a_person_asked_for_themselves_is_not_taken_back_by_a_controller(site: Site) -> None:
    from troth.rights.intake import receive
    from troth.rights.rules import Intake

    shop = with_controllers(site)
    registered(shop, ANN)
    receive(shop, Intake("erasure", "web", "by-herself", email=ANN["email"]))
    with client(shop) as web:
        controller = ControllerAtHome(web)
        asked = wish(shop, ANN["email"])
        assert controller.ask(asked).status_code == 201
        assert requests(shop) == 1, "they are one"
        assert controller.cancel(asked["subject_request_id"]).status_code == 202
        assert controller.status(asked["subject_request_id"]).json()["request_status"] == "cancelled"
    with shop.reading() as conn:
        assert conn.scalar(select(request.c.state)) == "verifying"


def test_what_a_person_asks_for_while_a_controller_takes_it_back_is_not_lost(site: Site) -> None:
    from troth.rights.intake import receive
    from troth.rights.rules import Intake

    shop = with_controllers(site)
    registered(shop, ANN)
    asking = threading.Thread(target=receive, args=(shop, Intake("erasure", "web", "by-herself", email=ANN["email"])))

    def meanwhile(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT request_step.id") and not asking.ident:
            asking.start()
            asking.join(0.5)

    with client(shop) as web:
        controller = ControllerAtHome(web)
        asked = wish(shop, ANN["email"])
        assert controller.ask(asked).status_code == 201
        event.listen(shop.engine, "after_cursor_execute", meanwhile)
        assert controller.cancel(asked["subject_request_id"]).status_code == 202
        asking.join()
        event.remove(shop.engine, "after_cursor_execute", meanwhile)
    with shop.reading() as conn:
        assert list(conn.scalars(select(request.c.state).order_by(request.c.id))) == ["closed", "verifying"]


# --- nobody else ---------------------------------------------------------------------------------------------------------


def forgeries(shop: Site) -> Iterator[tuple[str, bytes, dict[str, str]]]:
    raw = json.dumps(wish(shop, ANN["email"])).encode()
    real = ControllerAtHome(None)  # type: ignore[arg-type]
    signed = real.signed(raw)
    signature = "X-OpenDSR-Signature"
    yield "nothing", raw, {}
    yield "a signature alone", raw, {signature: signed[signature]}
    yield "another body", raw.replace(b"gdpr", b"ccpa"), signed
    yield "one byte more", raw + b" ", signed
    yield "another's key", raw, ControllerAtHome(None, THEIRS, papers("evil.example")).signed(raw)  # type: ignore[arg-type]
    yield "another domain", raw, {**signed, "X-OpenDSR-Processor-Domain": "evil.example"}
    yield "our own domain", raw, {**signed, "X-OpenDSR-Processor-Domain": OURS}
    yield "no base64", raw, {**signed, signature: "***"}
    yield "no ASCII", raw, {**signed, signature: "é"}
    yield "a huge signature", raw, {**signed, signature: "A" * 20_000}
    yield "an empty one", raw, {**signed, signature: ""}
    yield "that of another address", raw, real.signed(b"POST /shop/opendsr/v1/requests")


def test_a_forged_request_is_never_parsed_and_all_forgeries_look_alike(
    web: Client, shop: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(shop, ANN)
    parsed: list[bytes] = []
    monkeypatch.setattr(opendsr, "parse", parsed.append)
    answers = {}
    for name, raw, headers in forgeries(shop):
        sent = {key: value.encode("latin-1") for key, value in headers.items()}
        answer = ControllerAtHome(web).send(raw, sent)  # type: ignore[arg-type]
        answers[name] = (answer.status_code, answer.text)
    assert set(answers.values()) == {(403, answers["nothing"][1])}, answers
    assert json.loads(answers["nothing"][1])["error"]["code"] == 403
    assert not parsed and requests(shop) == 0


def test_a_status_is_for_its_controller_alone(controller: ControllerAtHome, shop: Site, web: Client) -> None:
    registered(shop, ANN)
    asked = wish(shop, ANN["email"])
    controller.ask(asked)
    path = f"/shop/opendsr/v1/requests/{asked['subject_request_id']}"
    assert web.get(path).status_code == web.delete(path).status_code == 403
    read = controller.signed(f"GET {path}".encode())
    assert web.get(path, headers=read).status_code == 200
    assert web.delete(path, headers=read).status_code == 403, "a signature to read takes nothing back"
    other = wish(shop, ANN["email"])["subject_request_id"]
    assert web.get(path.replace(asked["subject_request_id"], other), headers=read).status_code == 403


def test_a_certificate_counts_in_its_time_only(site: Site, clock: MovedClock) -> None:
    last = site.now() + timedelta(days=2)
    passing = papers(THEIRS, "ec", last)
    shop = with_controllers(site)
    (shop.folder / "opendsr" / "theirs.pem").write_bytes(passing.pem)
    with client(shop) as web:
        controller = ControllerAtHome(web, papers=passing)
        assert controller.ask(wish(shop, ANN["email"])).status_code == 201
        clock.move(timedelta(days=3))
        assert controller.ask(wish(shop, ANN["email"])).status_code == 403


def test_a_site_that_takes_no_part_has_no_such_doors(site: Site) -> None:
    with client(site) as web:
        assert web.get("/shop/opendsr/v1/discovery").status_code == 404
        assert ControllerAtHome(web).ask(wish(site, ANN["email"])).json()["error"]["code"] == 404
