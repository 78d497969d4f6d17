"""Signatures by the key of a certificate, as OpenDSR wants them: over the SHA-256 of the raw bytes, in base64. Pure.

What could go wrong: a weak key; a certificate of somebody else, or of another time; a signature in a form that two readers read
differently. So only RSA of 2048 bits or more (PKCS #1 v1.5) and the curves P-256 and P-384 (ECDSA) count, a certificate
counts for the domains it names and from its first day to its last, and base64 is read strictly. Nobody compares secrets here:
what is checked is public, so there is no time to measure.
"""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
SHORTEST_RSA = 2048
_CURVES = (ec.SECP256R1, ec.SECP384R1)
LONGEST = 2048
"""characters of a signature"""


def read_certificate(pem: bytes) -> x509.Certificate:
    """The first certificate in ``pem``. Raises ``ValueError`` when there is none, or its key is not one that counts."""
    certificate = x509.load_pem_x509_certificates(pem)[0]
    if not _counts(certificate.public_key()):
        raise ValueError("the key of the certificate")
    return certificate


def read_key(pem: bytes, certificate: x509.Certificate) -> PrivateKey:
    """The private key in ``pem``. Raises ``ValueError`` when there is none or it is not the key of ``certificate``."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (TypeError, UnsupportedAlgorithm):
        raise ValueError("the private key") from None
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise ValueError("the kind of the private key")
    if key.public_key() != certificate.public_key():
        raise ValueError("the private key of another certificate")
    return key


def fingerprint(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate, in hexadecimal."""
    return certificate.fingerprint(SHA256()).hex()


def names(certificate: x509.Certificate, domain: str) -> bool:
    """Whether ``certificate`` is made out to ``domain``, by itself or with a star for its first part."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    listed = {name.lower() for name in found.get_values_for_type(x509.DNSName)}
    return domain in listed or f"*.{domain.partition('.')[2]}" in listed


def in_time(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether ``now`` is between the first day of ``certificate`` and its last."""
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def sign(key: PrivateKey, raw: bytes) -> str:
    """The signature of ``raw``."""
    if isinstance(key, rsa.RSAPrivateKey):
        made = key.sign(raw, padding.PKCS1v15(), SHA256())
    else:
        made = key.sign(raw, ec.ECDSA(SHA256()))
    return base64.b64encode(made).decode()


def signed_by(certificate: x509.Certificate, signature: str, raw: bytes) -> bool:
    """Whether ``signature`` is that of ``raw`` by the key of ``certificate``."""
    key = certificate.public_key()
    try:
        given = base64.b64decode(signature[: LONGEST + 1].encode("ascii"), validate=True)
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(given, raw, padding.PKCS1v15(), SHA256())
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(given, raw, ec.ECDSA(SHA256()))
        else:
            return False
    except (InvalidSignature, binascii.Error, UnicodeError):
        return False
    return True


def _counts(key: object) -> bool:
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size >= SHORTEST_RSA
    return isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES)
