"""The pages under hostile hands: bodies, methods, headers and addresses that nobody's browser would send."""

import json
import logging
import re
import shutil
import smtplib
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from tests.databases import StoreKind
from tests.first_day import data_tables_made, key_tables_made
from tests.fixtures import SHOP, open_shop
from tests.operators import holdings, mailing, open_operator, run_mail
from tests.served import Client, client, filled, serving
from troth.clock import MovedClock
from troth.consent.tables import choice
from troth.errors import StoreError
from troth.messages.links import stop_token
from troth.messages.mailbox import Mailbox
from troth.people.vault import By
from troth.store.site import Site
from troth.visits import actions as visits
from troth.web import arrival
from troth.web.forms import PUBLIC

ANN = {"email": "ann@shop.example", "full_name": "Ann Sparrow"}
REGISTER, CONTACT, ACCOUNT = "/shop/forms/register", "/shop/api/collect/contact", "/shop/api/collect/register"
FORM, JSON = "application/x-www-form-urlencoded", "application/json"


@pytest.fixture
def store_kind() -> StoreKind:
    """What is refused here never gets as far as a store, so one of them is enough."""
    return "sqlite"


@pytest.fixture
def web(site: Site) -> Iterator[Client]:
    with client(site) as made:
        yield made


def sent_raw(address: str, words: bytes) -> bytes:
    """What the server answers to ``words``, until it hangs up."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    with closing(socket.create_connection((host, int(port)), timeout=20)) as line:
        line.sendall(words)
        return b"".join(iter(lambda: line.recv(65536), b""))


# --- Methods ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/shop", REGISTER, "/shop/versions", "/shop/notice.md", "/health", "/nowhere"])
def test_head_answers_like_get_without_a_body(web: Client, path: str) -> None:
    asked, looked = web.head(path), web.get(path)
    assert asked.status_code == looked.status_code and asked.content == b""
    assert asked.headers["content-type"] == looked.headers["content-type"]
    assert asked.headers["content-length"] == str(len(looked.content))


def test_asking_whether_a_page_is_there_is_no_visit(site: Site, web: Client, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "troth.access")
    web.head("/shop/forms")
    assert list(visits.read(site, "improvement", By("system"))) == []
    assert "HEAD /{site_name}/forms 200" in caplog.text


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_methods_that_no_page_has_are_refused_in_words(web: Client, method: str) -> None:
    answer = web.request(method, REGISTER)
    assert answer.status_code == 405 and "cannot be called in this way" in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


# --- Bodies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["text/plain", FORM, "multipart/form-data; boundary=x", "", "application/jsonp"])
def test_a_program_says_that_it_sends_json(site: Site, web: Client, said: str) -> None:
    """A page elsewhere can make a browser send text or a form, but never JSON without asking us first."""
    body = json.dumps({"values": {"email": "a@b.example", "question": "Hm?"}})
    assert web.post(CONTACT, content=body, headers={"content-type": said}).status_code == 415
    assert holdings(site) == 0
    assert web.post(CONTACT, content=body, headers={"content-type": "Application/JSON; charset=utf-8"}).is_success


@pytest.mark.parametrize("said", ["text/plain", JSON, "multipart/form-data; boundary=x", ""])
def test_a_form_arrives_as_a_form(web: Client, said: str) -> None:
    answer = web.post(REGISTER, content="token=x", headers={"content-type": said})
    assert answer.status_code == 415 and "does not take" in answer.text


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ('{"values": {"email": 5, "full_name": ["x"]}}', {"email", "full_name"}),
        ('{"values": {"email": null, "full_name": "Ann"}}', {"email"}),
        ('{"values": {"email": {}, "full_name": true}}', {"email", "full_name"}),
        ('{"values": []}', {"values"}),
        ("[]", {"(the whole)"}),
    ],
)
def test_each_misfit_in_a_registration_is_told_by_its_key(
    site: Site, web: Client, body: str, problems: set[str]
) -> None:
    answer = web.post(ACCOUNT, content=body, headers={"content-type": JSON})
    assert answer.status_code == 422 and set(answer.json()["problems"]) == problems
    assert holdings(site) == 0


@pytest.mark.parametrize(
    ("body", "problems"),
    [
        ('{"values": {"email": 5, "question": ["x"]}}', {"email", "question"}),
        ('{"values": {"email": null, "question": "x"}}', {"email"}),
        ('{"values": []}', {"values"}),
        ("{}", {"values"}),
        ('{"values": {}, "more": 1}', {"more"}),
        ('{"values": {}, "4111111111111111": 1}', {"(a field)"}),
        ('{"values": {}, "key": 7}', {"key"}),
        ('{"values": {}, "acknowledged": "yes"}', {"acknowledged"}),
        ('{"values": {}, "choices": {"marketing": "yes"}}', {"marketing"}),
        ("[]", {"(the whole)"}),
        ("null", {"(the whole)"}),
    ],
)
def test_each_misfit_in_json_is_told_by_its_key(site: Site, web: Client, body: str, problems: set[str]) -> None:
    answer = web.post(CONTACT, content=body, headers={"content-type": JSON})
    assert answer.status_code == 422 and set(answer.json()["problems"]) == problems
    assert holdings(site) == 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"values":{"email":"\xff"}}',
        b'{"values":{"a":' + b"[" * 60_000,
        b'{"values":{"email":"\\ud800"}}',
        b"\xff\xfe{\x00}\x00",
    ],
)
def test_what_is_no_json_is_no_mistake_of_ours(
    site: Site, web: Client, caplog: pytest.LogCaptureFixture, body: bytes
) -> None:
    answer = web.post(CONTACT, content=body, headers={"content-type": JSON})
    assert answer.status_code == 400 and answer.headers["content-type"].startswith("application/problem+json")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    "body",
    [
        b"field.email=%ff%fe&field.full_name=Ann",
        b"field.email=a%40b.example&field.full_name=A%00nn",
        b"field.email=a%40b.example&field.email=c%40d.example&field.full_name=Ann",
        b"field.email=\xff\xfe&field.full_name=Ann",
        b"&&&===&=",
    ],
)
def test_twisted_form_bodies_store_nothing(site: Site, web: Client, body: bytes) -> None:
    token = filled(web, REGISTER, {})["token"].encode()
    answer = web.post(REGISTER, content=b"token=" + token + b"&" + body, headers={"content-type": FORM})
    assert answer.status_code == 422 and holdings(site) == 0


@pytest.mark.parametrize(("path", "said"), [(REGISTER, FORM), (CONTACT, JSON)])
def test_a_body_without_an_end_is_cut_off_while_it_arrives(site: Site, path: str, said: str) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {said}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    piece = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    with serving([site]) as address:
        answer = sent_raw(address, head + piece * 17)
    assert answer.startswith(b"HTTP/1.1 413 ") and b"larger than 64 KB" in answer


def test_a_body_that_never_comes_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "BODY_SECONDS", 0.3)
    head = f"POST {REGISTER} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 50\r\n\r\nfield".encode()
    with serving([site]) as address:
        answer = sent_raw(address, head)
    assert answer.startswith(b"HTTP/1.1 408 ") and b"half a minute" in answer


def test_somebody_who_hangs_up_is_no_mistake_of_ours(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    head = f"POST {REGISTER} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM}\r\nContent-Length: 50\r\n\r\nfield".encode()
    with serving([site]) as address:
        host, _, port = address.removeprefix("http://").rpartition(":")
        with closing(socket.create_connection((host, int(port)))) as line:
            line.sendall(head)
        httpx.get(f"{address}/health")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_what_went_wrong_and_what_to_do_are_said_in_one_language(web: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> None:
        raise StoreError("The database is busy with another writer.", "Nothing was changed; try again in a moment.")

    monkeypatch.setattr(Site, "policy", busy)
    for path in ("/shop/forms", "/shop/api/openapi"):
        answer = web.get(f"{path}?lang=zh-Hant")
        assert (
            answer.status_code == 503 and "未作任何變更，請稍後再試。" in answer.text and "try again" not in answer.text
        )


# --- Addresses and headers -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/static/%00",
            "/static/" + "a" * 5000,
            "/static/%2e%2e/app.py",
            "/static/..%2f..%2fapp.py",
            "/static//etc/passwd",
        ),
        *(
            "/static/..%5capp.py",
            "/static/",
            "/static/vendor",
            "/shop/%00",
            "/shop/forms/%ff",
            "/shop/forms/%0d%0aX:%20y",
        ),
        *("/shop/versions/99999999999999999999999", "/shop/unsubscribe/" + "A" * 5000, "/" + "a" * 30_000),
    ],
)
def test_twisted_addresses_lead_nowhere(web: Client, path: str) -> None:
    answer = web.get(path)
    assert answer.status_code == 404 and "import" not in answer.text and "x" not in answer.headers


@pytest.mark.parametrize("origin", ["http://[", "://", "null, http://x", "", "http://testserver.local.evil.example"])
def test_an_origin_that_is_none_is_foreign(site: Site, web: Client, origin: str) -> None:
    answer = web.post(REGISTER, data=filled(web, REGISTER, ANN), headers={"origin": origin})
    assert answer.status_code == 403 and holdings(site) == 0


def test_no_page_repeats_the_host_it_was_asked_for(web: Client) -> None:
    for path in ("/", "/shop", REGISTER, "/shop/api/openapi", "/.well-known/security.txt", "/nowhere"):
        answer = web.get(path, headers={"host": "evil.example", "x-forwarded-host": "evil.example"})
        assert "evil.example" not in answer.text and "evil.example" not in str(answer.headers)


@pytest.mark.parametrize("path", [REGISTER, "/shop/forms", "/shop", "/shop/unsubscribe/x", "/nowhere", "/health"])
def test_no_copy_is_kept_of_a_page_that_may_speak_of_somebody(web: Client, path: str) -> None:
    assert web.get(path).headers["cache-control"] == "no-store"


def test_no_copy_is_kept_of_a_receipt(web: Client) -> None:
    assert web.post(REGISTER, data=filled(web, REGISTER, ANN)).headers["cache-control"] == "no-store"
    answer = web.post(CONTACT, json={"values": {"email": "a@b.example", "question": "Hm?"}})
    assert answer.status_code == 201 and answer.headers["cache-control"] == "no-store"


def test_the_wiring_of_the_shop_is_not_served(web: Client) -> None:
    for name in Path(SHOP).iterdir():
        assert web.get(f"/shop/{name.name}").status_code == 404


def test_an_old_link_of_somebody_destroyed_leaves_nothing_of_them(site: Site, web: Client) -> None:
    answer = web.post(f"/shop/unsubscribe/{stop_token(site, '0' * 26, 'offers')}")
    assert answer.status_code == 200 and "no more of these messages" in answer.text
    with site.reading() as conn:
        assert conn.scalar(select(func.count()).select_from(choice)) == 0


def test_a_token_of_one_site_opens_no_form_of_another(
    site: Site, tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str]
) -> None:
    """The same policy on another site: only the secret differs."""
    other = open_operator("shop", tmp_path / "other", clock, fresh_database)
    with client(site) as here, client(other) as there:
        sent = filled(there, REGISTER, ANN)
        assert "open for too long" in here.post(REGISTER, data=sent).text and holdings(site) == 0
        link = stop_token(other, "0" * 26, "offers")
        assert here.get(f"/shop/unsubscribe/{link}").status_code == 404


def test_a_message_nobody_can_read_is_no_mistake_of_ours(site: Site) -> None:
    box = Mailbox()
    box.start()
    host, _, port = box.address.rpartition(":")
    shop = mailing(site, box)
    with smtplib.SMTP(host, int(port)) as line:
        raw = b"Subject: =?odd?Q?x?=\r\nDate: never\r\nContent-Type: text/plain; charset=none\r\n\r\n\xff"
        line.sendmail("privacy@shop.example", ["ann@shop.example"], raw)
    box.stop()
    with client(shop, mailbox=box) as web:
        assert [web.get(f"/shop/mailbox{rest}").status_code for rest in ("", "/1", "/1/html")] == [200, 200, 200]


MARKUP = "<script>alert(1)</script>{0.__class__}%s"


def test_markup_in_a_policy_or_a_name_stays_words(
    tmp_path: Path, clock: MovedClock, fresh_database: Callable[..., str]
) -> None:
    folder = tmp_path / "shop"
    shutil.copytree(SHOP, folder)
    policy, called = (folder / "policy.yaml").read_text(), 0
    policy, called = re.subn(r"(label|title|does): ([A-Za-z][^,}\n\"]*)", rf'\1: "\2{MARKUP}"', policy)
    assert called > 10
    (folder / "policy.yaml").write_text(policy)
    urls = {
        "database": fresh_database("sqlite", prepared_by=data_tables_made),
        "keys": fresh_database("sqlite", prepared_by=key_tables_made),
    }
    site = open_shop(folder, clock, **urls)
    hostile = {"email": "ann@shop.example", "full_name": f"Ann\r\nBcc: eve@evil.example {MARKUP}"}
    box = Mailbox()
    box.start()
    shop = mailing(site, box)
    with client(shop, mailbox=box) as web:
        shown = [
            web.get(path) for path in ("/", "/shop", "/shop?lang=zh-Hant", "/shop/forms", REGISTER, "/shop/versions")
        ]
        shown.append(web.post(REGISTER, data=filled(web, REGISTER, hostile)))
        shown.append(web.post(REGISTER, data=filled(web, REGISTER, hostile | {"email": MARKUP})))
        run_mail(shop)
        shown += [web.get(f"/shop/mailbox{rest}") for rest in ("", "/1", "/1/html", "/2", "/2/html")]
    box.stop()
    assert [one.status_code for one in shown] == [200] * 7 + [422] + [200] * 5
    assert not [str(one.url) for one in shown if "<script" in one.text]
    assert sum("&lt;script&gt;" in one.text for one in shown) >= 8
    assert all(one.message["Bcc"] is None and one.recipients == ("ann@shop.example",) for one in box.messages())


def test_an_unknown_collection_point_is_named_as_such_with_the_public_ones(site: Site, web: Client) -> None:
    answer = web.post("/shop/api/collect/regsiter", json={"values": {}})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    told, points = answer.json(), site.policy().policy.collection
    assert told["title"] == "There is no such collection point"
    public = {key for key, point in points.items() if point.kind in PUBLIC}
    assert set(told["points"]) == public and "register" in told["hint"]
