"""Controllers and agents, as far as requests over a protocol see them: keys made here, messages signed, callbacks received."""

import base64
import json
import ssl
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from tests.served import Client
from troth.clock import iso, utc
from troth.rights.protocols import signatures
from troth.settings import Agent, Controller, DataRightsProtocol, OpenDsr
from troth.store.site import Site

OURS, THEIRS = "privacy.shop.example", "controller.example"
BUSINESS, AGENT = "LAMP_SHOP", "FRIENDLY_AGENT"
EMAIL, RAW = "email", "raw"
LAST = utc(2040)
HOME = "http://127.0.0.1:8080/shop"


@dataclass(frozen=True)
class Papers:
    """A certificate and its key, as PEM and as objects."""

    certificate: x509.Certificate
    key: signatures.PrivateKey
    pem: bytes
    key_pem: bytes


@cache
def papers(domain: str, kind: str = "ec", last: datetime = LAST) -> Papers:
    """A certificate for ``domain``; ``kind`` is ``ec`` or the bits of an RSA key."""
    key: Any = ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, int(kind))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, domain)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(utc(2020))
        .not_valid_after(last)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(domain)]), critical=False)
        .sign(key, SHA256())
    )
    form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    key_pem = key.private_bytes(serialization.Encoding.PEM, form, none)
    return Papers(made, key, made.public_bytes(serialization.Encoding.PEM), key_pem)


def rewired(site: Site, **wires: Any) -> Site:
    """``site`` with other wiring."""
    return replace(site, wiring=site.wiring.model_copy(update=wires))


def with_controllers(site: Site, **more: Any) -> Site:
    """``site`` as a processor, with one controller that ``more`` says something about."""
    folder = site.folder / "opendsr"
    folder.mkdir(exist_ok=True)
    _write(folder / "ours.pem", papers(OURS).pem)
    _write(folder / "ours.key", papers(OURS).key_pem)
    _write(folder / "theirs.pem", papers(THEIRS, "2048").pem)
    theirs = Controller.model_validate({"certificate": "opendsr/theirs.pem", **more})
    wires = {
        "domain": OURS,
        "certificate": "opendsr/ours.pem",
        "key file": "opendsr/ours.key",
        "private callbacks": True,
    }
    return rewired(site, base_url=HOME, opendsr=OpenDsr.model_validate({**wires, "controllers": {THEIRS: theirs}}))


def _write(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


@dataclass
class ControllerAtHome:
    """A controller that asks over HTTP, and signs what it asks."""

    web: Client
    domain: str = THEIRS
    papers: Papers = field(default_factory=lambda: papers(THEIRS, "2048"))
    base: str = "/shop/opendsr/v1"

    def signed(self, words: bytes) -> dict[str, str]:
        signature = signatures.sign(self.papers.key, words)
        return {"X-OpenDSR-Processor-Domain": self.domain, "X-OpenDSR-Signature": signature}

    def ask(self, body: object) -> httpx.Response:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.send(raw, self.signed(raw))

    def send(self, raw: bytes, headers: dict[str, str]) -> httpx.Response:
        sent = {"Content-Type": "application/json", **headers}
        answer: httpx.Response = self.web.post(f"{self.base}/requests", content=raw, headers=sent)
        return answer

    def status(self, number: str) -> httpx.Response:
        return self._about("GET", number)

    def cancel(self, number: str) -> httpx.Response:
        return self._about("DELETE", number)

    def _about(self, method: str, number: str) -> httpx.Response:
        path = f"{self.base}/requests/{number}"
        answer: httpx.Response = self.web.request(method, path, headers=self.signed(f"{method} {path}".encode()))
        return answer


def wish(site: Site, email: str, kind: str = "erasure", **more: Any) -> dict[str, Any]:
    """A request as the published specification shows it, in its second version."""
    identity = {"identity_type": EMAIL, "identity_value": email, "identity_format": RAW}
    body = {"regulation": "gdpr", "subject_request_id": str(uuid.uuid4()), "subject_request_type": kind}
    return body | {"submitted_time": iso(site.now()), "subject_identities": [identity], "api_version": "2.0"} | more


AGENTS_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def public(key: Ed25519PrivateKey) -> str:
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def with_agents(site: Site, **more: Any) -> Site:
    """``site`` as a covered business, with one agent that ``more`` says something about, and another."""
    first = Agent.model_validate({"name": "Friendly", "verify key": public(AGENTS_KEY), **more})
    other = Agent.model_validate({"name": "Other", "verify key": public(_other_key())})
    wires = {"business id": BUSINESS, "agents": {AGENT: first, "OTHER": other}, "private callbacks": True}
    return rewired(site, base_url=HOME, drp=DataRightsProtocol.model_validate(wires))


@cache
def _other_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes(32))


@dataclass
class AgentAtHome:
    """An authorised agent that asks over HTTP, and signs what it asks."""

    web: Client
    site: Site
    id: str = AGENT
    key: Ed25519PrivateKey = AGENTS_KEY
    token: str = ""
    base: str = "/shop/drp/v1"

    @classmethod
    def other(cls, web: Client, site: Site) -> "AgentAtHome":
        return cls(web, site, "OTHER", _other_key())

    def claims(self, **more: Any) -> dict[str, Any]:
        now = self.site.now()
        times = {"issued-at": iso(now - timedelta(seconds=1)), "expires-at": iso(now + timedelta(minutes=10))}
        return {"agent-id": self.id, "business-id": BUSINESS, "drp.version": "1.0"} | times | more

    def message(self, body: object) -> bytes:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return base64.b64encode(self.key.sign(raw) + raw)

    def set_up(self, **more: Any) -> httpx.Response:
        answer = self.post(f"agent/{self.id}", self.message(self.claims(**more)), {})
        if answer.status_code == 200:
            self.token = answer.json()["token"]
        return answer

    def exercise(self, kind: str, email: str, **more: Any) -> httpx.Response:
        wanted = {"exercise": kind, "regime": "ccpa", "email": email, "email_verified": True, "name": "Ann Canary"}
        return self.send(self.message(self.claims(**wanted | more)))

    def send(self, message: bytes) -> httpx.Response:
        return self.post("data-rights-request", message, self.bearer)

    def post(self, path: str, message: bytes, headers: dict[str, str]) -> httpx.Response:
        sent = {"Content-Type": "text/plain", **headers}
        answer: httpx.Response = self.web.post(f"{self.base}/{path}", content=message, headers=sent)
        return answer

    def status(self, number: str) -> httpx.Response:
        answer: httpx.Response = self.web.get(f"{self.base}/data-rights-request/{number}", headers=self.bearer)
        return answer

    def revoke(self, number: str, message: bytes | None = None) -> httpx.Response:
        signed = message if message is not None else self.message({"reason": "I want to keep my account"})
        headers = {"Content-Type": "text/plain", **self.bearer}
        path = f"{self.base}/data-rights-request/{number}"
        answer: httpx.Response = self.web.request("DELETE", path, content=signed, headers=headers)
        return answer

    @property
    def bearer(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}


@dataclass
class CalledBack:
    """What was called back, in order; ``answers`` are the next statuses, then 202. ``moved`` is where a redirect leads."""

    host: str = ""
    heard: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    moved: str = ""

    @property
    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(raw) for _, raw in self.heard]


@contextmanager
def called_back(tls: ssl.SSLContext | None = None) -> Iterator[CalledBack]:
    """Somebody who takes callbacks on a free port for as long as the block runs, over ``tls`` if given."""
    there = CalledBack()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            there.heard.append((dict(self.headers), raw))
            status = there.answers.pop(0) if there.answers else 202
            self.send_response(status)
            if there.moved:
                self.send_header("Location", there.moved)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    there.host = f"127.0.0.1:{server.server_port}"
    try:
        yield there
    finally:
        server.shutdown()
        server.server_close()
