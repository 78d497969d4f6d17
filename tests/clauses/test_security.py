"""How the five operators protect what they hold: on its way, where it is kept, from whoever may not see it, and from loss."""

from __future__ import annotations

import json
import re
import shutil
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from tests.certificates import certificate
from tests.doors import Opening, Operator
from tests.operators import SITES
from tests.peers import called_back
from tests.promises.lies import telling
from tests.receiver import SECRET
from tests.site_doors import in_hand, web_of
from tests.staffed import Somebody, at_desk
from tests.terminal import troth
from troth.clock import MovedClock, SystemClock
from troth.ledger.tables import entry
from troth.recipients.connectors import webhook
from troth.recipients.tables import disclosure
from troth.store.site import open_site

TOKEN = "tok-canary-4711"


# --- On its way -----------------------------------------------------------------------------------------------------------


@dataclass
class Tapped:
    """A machine that takes connections and keeps every byte that comes."""

    port: int = 0
    heard: list[bytes] = field(default_factory=list)


@contextmanager
def tapped(host: str) -> Iterator[Tapped]:
    there = Tapped()
    with socket.create_server((host, 0)) as listening:
        there.port = listening.getsockname()[1]
        listening.settimeout(0.1)
        over = threading.Event()

        def hear() -> None:
            while not over.is_set():
                try:
                    came, _ = listening.accept()
                except TimeoutError:
                    continue
                with came:
                    came.settimeout(0.5)
                    try:
                        there.heard.append(came.recv(65_536))
                    except OSError:
                        continue

        thread = threading.Thread(target=hear, daemon=True)
        thread.start()
        try:
            yield there
        finally:
            over.set()
            thread.join()


def paid(operator: Opening, monkeypatch: pytest.MonkeyPatch, url: str) -> str:
    """What became of card data that Optokingdom gives to its card service at ``url``."""
    monkeypatch.setenv("TROTH_OPTOKINGDOM_CARD_FINANCE_URL", url)
    monkeypatch.setenv("TROTH_OPTOKINGDOM_CARD_FINANCE_SECRET", SECRET)
    shop = operator("optokingdom")
    ann = shop.take("register", card_token=TOKEN).person
    shop.done("open-dealing", person=ann, kind="order", number="A-1")
    assert shop.gives(ann, "card_finance", "payment", "card_token", case="A-1")
    shop.turn(1)
    with shop.site.reading() as conn:
        (state,) = conn.scalars(select(disclosure.c.state)).all()
    return str(state)


@pytest.fixture
def trusting(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a certificate that this machine trusts."""
    known = ssl.create_default_context(cafile=str(certificate(tmp_path)[0]))
    monkeypatch.setattr(webhook, "_trusted", lambda: known)
    return tmp_path


@pytest.mark.clause("O20")
def test_card_data_arrives_over_an_encrypted_connection_with_a_certificate_to_be_trusted(
    operator: Opening, monkeypatch: pytest.MonkeyPatch, trusting: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusting / "mail.crt", trusting / "mail.key")
    with called_back(context) as cards:
        assert paid(operator, monkeypatch, f"https://{cards.host}/in") == "delivered"
        assert [one["data"] for one in cards.bodies] == [{"card_token": TOKEN}]


@pytest.mark.clause("O20")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("wrong", ["nobody knows it", "TLS 1.1"])
def test_card_data_stays_here_when_the_other_side_is_unknown_or_speaks_something_outdated(
    operator: Opening, monkeypatch: pytest.MonkeyPatch, trusting: Path, wrong: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if wrong == "TLS 1.1":
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        context.load_cert_chain(trusting / "mail.crt", trusting / "mail.key")
    else:
        (trusting / "other").mkdir()
        context.load_cert_chain(*certificate(trusting / "other"))
    with called_back(context) as cards:
        assert paid(operator, monkeypatch, f"https://{cards.host}/in") != "delivered"
        assert cards.heard == []


@pytest.mark.clause("O20")
def test_card_data_leaves_for_no_other_machine_in_the_clear(operator: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    with tapped("127.0.0.2") as cards:
        assert paid(operator, monkeypatch, f"http://127.0.0.2:{cards.port}/in") != "delivered"
        assert cards.heard == []


HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "strict-transport-security": "max-age=63072000; includeSubDomains",
}
HTTPS = ("site.yaml", "base url: http://127.0.0.1:8080/", "base url: https://shop.example/")


@pytest.mark.clause("O30", "M27")
@pytest.mark.parametrize("name", ["optokingdom", "made-in-china"])
def test_every_page_has_strict_headers_and_the_cookie_of_a_log_in_is_closed_to_scripts_and_to_plain_http(
    operator: Opening, name: str
) -> None:
    at = operator(name, HTTPS)
    at.web.base_url = "https://shop.example"
    pages = ("", "forms", "forms/register", "account/login", "privacy", "versions", "api/openapi", "nowhere")
    for page in pages:
        found = at.get(page).headers
        own_script = found["content-security-policy"].removesuffix("; script-src 'self'")  # where passkeys are used
        assert {key: found.get(key) for key in HEADERS} | {"content-security-policy": own_script} == HEADERS, page
    at.join("register", at.answers("register"), acknowledged="yes")
    sent = at.log_in("ann@shop.example").history[0].headers["set-cookie"]
    assert {"httponly", "secure", "samesite=lax"} <= set(sent.lower().split("; "))
    at.web.base_url = "http://shop.example"
    assert at.get("account").url.path.endswith("/account/login"), "the cookie does not go out in the clear"


@pytest.mark.clause("M30")
def test_members_are_told_to_keep_their_password_to_themselves_and_no_mail_holds_or_asks_for_it(
    operator: Opening,
) -> None:
    board = operator("made-in-china")
    assert "Please do not tell anybody your password." in board.notice()
    assert "請勿將您的密碼告訴任何人。" in board.notice("zh-Hant")
    board.join("register", board.answers("register"))
    board.post("account/logout", data={})
    board.web.cookies.clear()
    page = board.get("account/forgot")
    board.press("account/forgot", address="ann@shop.example")
    assert page.status_code == 200
    letters = board.letters("ann@shop.example")
    assert len(letters) == 2, "one to begin with, one to choose a new one"
    for letter in letters:
        assert "seven quiet lamps" not in letter
        assert not re.search(r"(tell|send|reply|write)[^.]{0,40}password", letter, re.I), letter


# --- Where it is kept, and from whom --------------------------------------------------------------------------------------


def written(at: Operator) -> bytes:
    """Every byte of both stores and of the folder of a site."""
    stores = [Path(str(one.url.database)) for one in (at.site.engine, at.site.keys)]
    beside = [Path(f"{one}{end}") for one in stores for end in ("", "-wal")]
    files = [*(one for one in beside if one.exists()), *(one for one in at.site.folder.rglob("*") if one.is_file())]
    assert len(files) >= 5
    return b"".join(one.read_bytes() for one in files)


@pytest.mark.clause("F42")
def test_personal_data_is_in_one_database_where_nobody_reads_it_without_the_keys(operator: Opening) -> None:
    shop = operator("ledflex")
    told = {"full_name": "Wilhelmina Canary", "email": "wilhelmina@canary.example", "message": "Canarybirds sing"}
    ann = shop.take("contact_form", **told).person
    shop.mail("Wilhelmina <wilhelmina@canary.example>", "Please send me a copy. Canarybirds sing.")
    shop.turn()
    kept = written(shop).lower()
    assert ann.encode() in kept, "this is where it is"
    for value in (b"wilhelmina", b"canarybirds", b"canary.example"):
        assert value not in kept, value
    assert shop.reads(ann, "answer_enquiries", "full_name email message")
    assert "All personal data is kept in one secured Amazon EC2 database." in shop.notice()
    for purpose in shop.site.policy().policy.purposes:
        assert not shop.gives(ann, "amazon", purpose, "email"), "who hosts it holds ciphertext and is given nothing"


@pytest.mark.clause("F43")
def test_the_desk_is_open_to_those_who_are_on_the_staff_and_closed_the_moment_somebody_leaves(
    tmp_path: Path,
) -> None:
    folder = Path(shutil.copytree(SITES / "ledflex", tmp_path / "ledflex", ignore=shutil.ignore_patterns("var")))
    assert troth("publish", folder).exit_code == 0
    for vendor in ("mailchimp", "amazon", "vendor", "hosting", "customer"):
        assert troth("staff", "add", folder, "eve", "--role", vendor).exit_code == 2, vendor
    link = troth("staff", "add", folder, "ann", "--role", "privacy lead").stdout.rstrip().rpartition("/")[2]
    site = open_site(folder, MovedClock(SystemClock().now()))
    try:
        with in_hand():
            web, ann = web_of(site), Somebody(site, "ann", link)
            assert web.get("/ledflex/desk", follow_redirects=False).headers["location"] == "/ledflex/desk/login"
            ann.set_up()
            assert at_desk(web, Somebody(site, "eve", "", ann.secret)) == 403, "nobody of that name works here"
            assert at_desk(web, ann) == 303 and web.get("/ledflex/desk/log").status_code == 200
            assert troth("staff", "remove", folder, "ann").exit_code == 0
            assert web.get("/ledflex/desk/log", follow_redirects=False).headers["location"] == "/ledflex/desk/login"
            web.cookies.clear()
            assert at_desk(web, ann) == 403
    finally:
        site.close()


@pytest.mark.clause("F46")
def test_what_an_intruder_changes_in_the_stores_is_an_alarm_within_a_day(operator: Opening) -> None:
    shop = operator("ledflex")
    ann = shop.take("contact_form").person
    shop.later(hours=1)
    assert "alarms" not in shop.web.get("/health").json()
    assert shop.reads(ann, "answer_enquiries", "email")
    assert not shop.reads(ann, "breach_watch", "email"), "watching reads no more than addresses"
    with telling(shop.site, "data", stays=True) as intruder:
        assert intruder.tell("UPDATE holding SET person_id = :nobody", nobody="0" * 26)
    shop.later(hours=25)
    assert shop.web.get("/health").json()["alarms"] == {"ledflex": ["stores changed"]}
    with shop.site.reading() as conn:
        assert conn.scalars(select(entry.c.event).where(entry.c.event == "alarm:raised")).all()


@pytest.mark.clause("I35")
def test_infortrend_protects_data_from_being_misused_seen_given_away_or_altered_unnoticed(operator: Opening) -> None:
    office = operator("infortrend")
    office.join("register", {"email": "ann@shop.example", "full_name": "Ann Other"})
    ann = office.person()
    bob = office.take("request_quote", email="bob@shop.example").person
    assert not office.reads(ann, "product_news", "email") and not office.reads(bob, "recruitment", "email"), "misuse"
    nobody = office.post("api/read", json={"purpose": "security", "fields": ["email"], "person": bob})
    assert nobody.status_code == 401, "access without a program's token"
    assert "bob@shop.example" not in office.get("account/data").text and "Ann" in office.get("account/profile").text
    assert not office.gives(ann, "business_partners", "requested_transactions", "email"), "disclosure"
    office.later(hours=1)
    with telling(office.site, "data", stays=True) as intruder:
        assert intruder.tell("UPDATE holding SET person_id = :bob WHERE person_id = :ann", ann=ann, bob=bob)
        with pytest.raises(IntegrityError, match="only grows"):
            intruder.tell(f"UPDATE {entry.name} SET body = '{{}}'")
    office.later(hours=25)
    assert office.web.get("/health").json()["alarms"] == {"infortrend": ["stores changed"]}, "alteration"


@pytest.mark.clause("I35")
def test_infortrend_brings_back_what_was_lost_or_destroyed_from_a_backup_that_was_tried(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SITES / "infortrend", tmp_path / "infortrend", ignore=shutil.ignore_patterns("var")))
    assert troth("publish", folder).exit_code == 0
    site = open_site(folder)
    try:
        with in_hand():
            told = {"values": {"email": "ann@shop.example", "message": "A second rack"}, "key": "asked-by-ann-0001"}
            assert web_of(site).post("/infortrend/api/collect/contact", json=told).status_code == 201
    finally:
        site.close()
    copy, keys = tmp_path / "backup", tmp_path / "keys"
    made = troth("backup", "site", folder, copy, "--keys-to", keys)
    assert made.exit_code == 0, made.output
    tried = troth("backup", "drill", folder, copy, "--keys-from", keys)
    assert tried.exit_code == 0, tried.output
    kept_apart = tmp_path / "ledger.jsonl"
    assert troth("ledger", "export", folder, "--out", kept_apart).exit_code == 0
    for lost in (*folder.glob("var/data.db*"), *folder.glob("var/keys.db*")):
        lost.unlink()
    back = troth(
        "restore",
        "site",
        "--ledger",
        kept_apart,
        folder,
        copy,
        "--keys-from",
        keys,
        "--because",
        "the disk failed",
        "--by",
        "engineer",
        "--yes",
    )
    assert back.exit_code == 0, back.output
    asked = json.dumps({"value": "ann@shop.example"})
    found = troth("act", folder, "find-person", "--field", "email", "--stdin", "--json", input=asked)
    assert found.exit_code == 0 and json.loads(found.stdout)["result"]["person"]
    (kept,) = [
        one
        for one in json.loads(troth("prove", folder, "--json").stdout)["promises"]
        if one["id"] == "security.against_loss"
    ]
    assert kept["verdict"] == "kept"
