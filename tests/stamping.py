"""An authority of time stamps (RFC 3161) on loopback: it speaks the protocol, signs, and remembers what it stamped."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyasn1.codec.der.decoder import decode
from pyasn1.codec.der.encoder import encode
from pyasn1.type import tag, univ, useful
from pyasn1_modules import rfc3161, rfc5035, rfc5652

from troth.clock import SystemClock, utc

SHA256, RSA = univ.ObjectIdentifier("2.16.840.1.101.3.4.2.1"), univ.ObjectIdentifier("1.2.840.113549.1.1.1")


@dataclass(frozen=True)
class Papers:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey


@cache
def papers(name: str, by: str = "") -> Papers:
    """A root, or what ``by`` issued for stamping."""
    key = rsa.generate_private_key(65537, 2048)
    issuer = papers(by) if by else None
    made = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(by or name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(utc(2020))
        .not_valid_after(utc(2040))
        .add_extension(x509.BasicConstraints(ca=not by, path_length=None), critical=True)
    )
    if by:
        made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return Papers(made.sign(issuer.key if issuer else key, hashes.SHA256()), key)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


@dataclass
class Authority:
    """``seen`` are the digests it stamped, in order; ``spoil`` may change the next answers, ``pause`` holds them up."""

    root: str = "Root of Time"
    url: str = ""
    now: Callable[[], datetime] = SystemClock().now
    seen: list[bytes] = field(default_factory=list)
    pause: float = 0.0
    drip: float = 0.0
    status: int = 200
    spoil: Callable[[bytes], bytes] | None = None
    other_nonce: bool = False

    def certificates(self, folder: Path) -> Path:
        """The file that a site verifies stamps by."""
        path = folder / "authority.pem"
        path.write_bytes(papers(self.root).certificate.public_bytes(Encoding.PEM))
        return path

    def stamped(self, question: bytes) -> bytes:
        """A granted answer to a question, both DER."""
        asked, rest = decode(question, asn1Spec=rfc3161.TimeStampReq())
        assert not rest
        assert asked["messageImprint"]["hashAlgorithm"]["algorithm"] == SHA256
        self.seen.append(bytes(asked["messageImprint"]["hashedMessage"]))
        info = rfc3161.TSTInfo()
        info["version"], info["policy"] = 1, "1.2.3.4.1"
        info["messageImprint"] = asked["messageImprint"]
        info["serialNumber"] = len(self.seen)
        info["genTime"] = useful.GeneralizedTime(self.now().strftime("%Y%m%d%H%M%SZ"))
        if asked["nonce"].hasValue():
            info["nonce"] = int(asked["nonce"]) + self.other_nonce
        answer = rfc3161.TimeStampResp()
        answer["status"]["status"] = 0
        answer["timeStampToken"]["contentType"] = rfc5652.id_signedData
        answer["timeStampToken"]["content"] = univ.Any(encode(_signed(encode(info), papers("Stamps", self.root))))
        return bytes(encode(answer))


def _signed(content: bytes, by: Papers) -> Any:
    """CMS signed data over a TSTInfo, with the certificate that it was signed by."""
    signed = rfc5652.SignedData()
    signed["version"] = 3
    signed["digestAlgorithms"][0]["algorithm"] = SHA256
    signed["encapContentInfo"]["eContentType"] = rfc3161.id_ct_TSTInfo
    signed["encapContentInfo"]["eContent"] = univ.OctetString(content).subtype(
        explicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatSimple, 0)
    )
    der = by.certificate.public_bytes(Encoding.DER)
    signed["certificates"][0]["certificate"] = decode(der, asn1Spec=rfc5652.rfc5280.Certificate())[0]
    signer = signed["signerInfos"][0]
    signer["version"] = 1
    issuer = by.certificate.issuer.public_bytes()
    signer["sid"]["issuerAndSerialNumber"]["issuer"] = decode(issuer, asn1Spec=rfc5652.rfc5280.Name())[0]
    signer["sid"]["issuerAndSerialNumber"]["serialNumber"] = by.certificate.serial_number
    signer["digestAlgorithm"]["algorithm"] = SHA256
    signer["signatureAlgorithm"]["algorithm"] = RSA
    which = rfc5035.SigningCertificateV2()
    which["certs"][0]["certHash"] = hashlib.sha256(der).digest()
    told = (
        (rfc5652.id_contentType, rfc3161.id_ct_TSTInfo),
        (rfc5652.id_messageDigest, univ.OctetString(hashlib.sha256(content).digest())),
        (rfc5035.id_aa_signingCertificateV2, which),
    )
    attributes = univ.SetOf(componentType=rfc5652.Attribute())
    for number, (kind, value) in enumerate(told):
        for one in (attributes, signer["signedAttrs"]):
            one[number]["attrType"] = kind
            one[number]["attrValues"][0] = univ.Any(encode(value))
    signer["signature"] = by.key.sign(encode(attributes), padding.PKCS1v15(), hashes.SHA256())
    return signed


@contextmanager
def stamping(authority: Authority | None = None) -> Iterator[Authority]:
    """An authority on a free port for as long as the block runs."""
    there = authority or Authority()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            threading.Event().wait(there.pause)
            answer = there.stamped(question)
            if there.spoil:
                answer = there.spoil(answer)
            self.send_response(there.status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            for part in range(0, len(answer), 16 if there.drip else len(answer) or 1):
                threading.Event().wait(there.drip)
                self.wfile.write(answer[part : part + (16 if there.drip else len(answer))])

        def handle(self) -> None:
            with suppress(BrokenPipeError, ConnectionResetError):  # whoever asked has gone
                super().handle()

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    there.url = f"http://127.0.0.1:{server.server_port}/tsr"
    try:
        yield there
    finally:
        server.shutdown()
        server.server_close()
