"""Requests of controllers over OpenDSR that do not fit, and wiring that does not: each problem is told by its key."""
# ruff: noqa: F811  (a test takes a fixture that was imported by its name)

import logging
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.controllers import controller, requests, shop, web  # noqa: F401  (fixtures)
from tests.peers import OURS, THEIRS, ControllerAtHome, papers, rewired, wish, with_controllers
from tests.served import Client, client
from tests.shoppers import ANN, registered
from troth.errors import PolicyError
from troth.ledger.tables import entry
from troth.rights.protocols import signatures
from troth.rights.protocols.tables import protocol_request
from troth.store.site import Site
from troth.web.app import make_app

# --- what a request must be ----------------------------------------------------------------------------------------------


def _hashed(form: str) -> list[dict[str, str]]:
    return [{"identity_type": "email", "identity_value": "0" * 40, "identity_format": form}]


MISFITS: list[tuple[dict[str, Any], str]] = [
    ({"regulation": "lgpd"}, "regulation"),
    ({"subject_request_type": "rectification"}, "subject_request_type"),
    ({"subject_request_id": "A7551968-D5D6-44B2-9831-815AC9017798"}, "subject_request_id"),
    ({"subject_request_id": "a7551968-d5d6-14b2-9831-815ac9017798"}, "subject_request_id"),
    ({"subject_request_id": ["a"]}, "subject_request_id"),
    ({"submitted_time": "2026-01-05T09:00:00"}, "submitted_time"),
    ({"submitted_time": "2999-01-01T00:00:00Z"}, "submitted_time"),
    ({"submitted_time": "2018-10-02T15:00:00Z"}, "submitted_time"),
    ({"submitted_time": "0001-01-01T00:00:00+14:00"}, "submitted_time"),
    ({"subject_identities": []}, "subject_identities"),
    ({"subject_identities": _hashed("sha256")}, "subject_identities"),
    ({"subject_identities": _hashed("md5") + _hashed("sha1")}, "subject_identities"),
    ({"subject_identities": [{"identity_type": "email", "identity_value": ANN["email"]}]}, "subject_identities"),
    (
        {"subject_identities": [{**_hashed("raw")[0], "identity_value": "x\r\nBcc: y@shop.example"}]},
        "subject_identities",
    ),
    (
        {"subject_identities": [{**_hashed("raw")[0], "identity_value": "a@b.example, c@d.example"}]},
        "subject_identities",
    ),
    ({"status_callback_urls": "https://controller.example/"}, "status_callback_urls"),
    ({"status_callback_urls": ["https://evil.example/"]}, "status_callback_urls"),
    ({"status_callback_urls": ["http://controller.example/"]}, "status_callback_urls"),
    ({"status_callback_urls": ["https://controller.example/\r\nX: y"]}, "status_callback_urls"),
    ({"api_version": "1.0"}, "api_version"),
    ({"extensions": []}, "extensions"),
]


def test_what_does_not_fit_is_told_by_its_key_and_never_repeated(controller: ControllerAtHome, shop: Site) -> None:
    for change, key in MISFITS:
        answer = controller.ask(wish(shop, ANN["email"]) | change)
        assert answer.status_code == 400, change
        assert [one["reason"] for one in answer.json()["error"]["errors"]] == [key], change
        assert "anary" not in answer.text and "evil" not in answer.text and "Bcc" not in answer.text
    for no_json in (b"", b"{", b"[]", b"null", b"\xff", b"[" * 60_000, b'{"a": 1e999999}'):
        assert controller.ask(no_json or b" ").status_code == 400
    assert requests(shop) == 0


def test_every_problem_is_told_at_once(controller: ControllerAtHome, shop: Site) -> None:
    errors = controller.ask({"regulation": "x"}).json()["error"]["errors"]
    assert len(errors) == 5


def test_an_address_in_any_script_is_matched_as_it_is_on_file(controller: ControllerAtHome, shop: Site) -> None:
    address = "安@例え.example"
    registered(shop, {"email": address, "full_name": "An"})
    asked = wish(shop, address)
    assert controller.ask(asked).status_code == 201
    assert controller.status(asked["subject_request_id"]).json()["request_status"] == "in_progress"


def test_somebody_unknown_is_completed_as_not_found(controller: ControllerAtHome, shop: Site) -> None:
    asked = wish(shop, "nobody@shop.example")
    assert controller.ask(asked).status_code == 201
    said = controller.status(asked["subject_request_id"]).json()
    assert said["request_status"] == "completed" and said["extensions"] == {OURS: {"outcome": "not found"}}


def test_a_huge_body_is_refused_in_the_protocols_own_shape(web: Client, shop: Site) -> None:
    answer = ControllerAtHome(web).send(b"x" * 70_000, {})
    assert answer.status_code == 413 and answer.json()["error"]["code"] == 413
    assert web.post("/shop/opendsr/v1/requests", content=b"{}", headers={"Content-Type": "text/plain"}).json()["error"]
    assert web.get("/shop/opendsr/v1/nowhere").json()["error"]["code"] == 404


def test_nothing_personal_reaches_a_log_the_ledger_or_the_table_of_numbers(
    controller: ControllerAtHome, shop: Site, caplog: pytest.LogCaptureFixture
) -> None:
    registered(shop, ANN)
    with caplog.at_level(logging.DEBUG):
        controller.ask(wish(shop, ANN["email"]))
    with shop.reading() as conn:
        kept = [str(tuple(row)) for table in (entry, protocol_request) for row in conn.execute(select(table))]
    assert "anary" not in caplog.text and "anary" not in "".join(kept)


# --- the wiring ----------------------------------------------------------------------------------------------------------


def test_files_that_do_not_fit_stop_the_start(site: Site) -> None:
    shop = with_controllers(site)
    folder = shop.folder / "opendsr"
    wrong: list[tuple[str, bytes, str]] = [
        ("ours.pem", b"", "holds no PEM certificate"),
        ("ours.pem", papers("evil.example").pem, "is not made out to"),
        ("ours.key", papers("evil.example").key_pem, "does not hold the private key"),
        ("theirs.pem", papers("evil.example").pem, "is not made out to"),
        ("theirs.pem", papers(THEIRS, "1024").pem, "holds no PEM certificate with a key that counts"),
    ]
    for file, content, said in wrong:
        before = (folder / file).read_bytes()
        (folder / file).write_bytes(content)
        with pytest.raises(PolicyError, match=said):
            make_app([rewired(shop)])
        (folder / file).write_bytes(before)
    (folder / "ours.key").chmod(0o644)
    with pytest.raises(PolicyError, match="Others may read"):
        make_app([rewired(shop)])
    (folder / "ours.key").unlink()
    with pytest.raises(PolicyError, match="cannot be read"):
        make_app([rewired(shop)])


def test_a_pinned_fingerprint_refuses_another_certificate_of_the_same_domain(site: Site) -> None:
    right = signatures.fingerprint(papers(THEIRS, "2048").certificate)
    make_app([with_controllers(site, fingerprint=right)])
    with pytest.raises(PolicyError, match="fingerprint"):
        make_app([with_controllers(site, fingerprint="0" * 64)])


def test_the_key_is_never_served(web: Client, shop: Site) -> None:
    for path in ("/shop/opendsr/v1/certificate", "/shop/opendsr/v1/discovery"):
        assert "PRIVATE" not in web.get(path).text
    assert (Path(shop.folder) / "opendsr" / "ours.key").stat().st_mode & 0o077 == 0


def test_a_signature_is_over_the_address_as_it_was_asked_behind_whatever_web_server(shop: Site) -> None:
    registered(shop, ANN)
    asked = wish(shop, ANN["email"])
    with client(rewired(shop, base_url="https://rights.example/people")) as web:
        controller = ControllerAtHome(web)
        controller.ask(asked)
        number = asked["subject_request_id"]
        read = controller.signed(f"GET /people/opendsr/v1/requests/{number}".encode())
        assert web.get(f"/shop/opendsr/v1/requests/{number}", headers=read).status_code == 200
