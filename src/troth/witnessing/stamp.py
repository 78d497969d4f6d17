"""Time stamps of RFC 3161: an authority signs that it saw a text, by its digest, at an instant.

What could go wrong: the authority answers slowly or for ever; the answer is of another text, of an earlier question, or signed
by anybody. So an answer is read up to a size and within a time, and is held against the text, the number used once that went
with the question, and the certificates that ``site.yaml`` names. Only a digest leaves the site.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
from cryptography import x509
from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, VerifierBuilder, decode_timestamp_response
from rfc3161_client.errors import VerificationError

from troth.errors import StoreError, TrothError, Unverifiable
from troth.patience import answered_within

SECONDS = 10.0
"""for a connection, and for the whole of an answer"""
LARGEST = 1 << 17  # bytes of an answer
_HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


def asked(url: str, text: bytes, certificates: Path) -> bytes:
    """A time stamp of ``text`` (DER), verified.

    Raises:
        StoreError: when the certificates cannot be read.
        TrothError: when the authority does not answer in time.
        Unverifiable: when it answers something else than a time stamp of this text, signed as it must be.
    """
    trusted = _read(certificates)
    question = (
        TimestampRequestBuilder()
        .data(text)
        .hash_algorithm(HashAlgorithm.SHA256)
        .nonce()
        .cert_request(cert_request=True)
    )
    built = question.build()
    answer = _posted(url, built.as_bytes())
    _verified(answer, text, trusted, built.nonce)
    return answer


def stamped_at(answer: bytes, text: bytes, certificates: Path) -> datetime:
    """When the authority saw ``text``, by its ``answer``. Raises as ``asked`` does."""
    return _verified(answer, text, _read(certificates), None)


def _verified(answer: bytes, text: bytes, trusted: list[x509.Certificate], nonce: int | None) -> datetime:
    verifier = VerifierBuilder(nonce=nonce)
    for one in trusted:
        is_root = one.issuer == one.subject
        verifier = verifier.add_root_certificate(one) if is_root else verifier.add_intermediate_certificate(one)
    try:
        response = decode_timestamp_response(answer)
        verifier.build().verify_message(response, text)
        at: datetime = response.tst_info.gen_time
    except (VerificationError, ValueError) as error:
        told = str(error) if isinstance(error, VerificationError) else "it is none"
        raise Unverifiable(
            f"The time stamp does not verify: {told[:120]}.", "Check the authority and `certificate`."
        ) from None
    return at


def _read(path: Path) -> list[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        found = []
    if not any(one.issuer == one.subject for one in found):
        raise StoreError("The certificates of the time stamps cannot be read, or lack the root.", "See `certificate`.")
    return found


def _posted(url: str, question: bytes) -> bytes:
    try:
        return answered_within(SECONDS, lambda extensions: _answer(url, question, extensions))
    except TimeoutError:
        raise TrothError(f"The witness does not answer within {SECONDS:g} seconds.", "It is asked again.") from None
    except httpx.HTTPError as error:
        raise TrothError(f"The witness does not answer ({type(error).__name__}).", "It is asked again.") from None


def _answer(url: str, question: bytes, extensions: Mapping[str, Any]) -> bytes:
    answer, told = b"", dict(extensions)
    with (
        httpx.Client(timeout=SECONDS, follow_redirects=False, verify=not url.startswith("http://")) as client,
        client.stream("POST", url, content=question, headers=_HEADERS, extensions=told) as response,
    ):
        if response.status_code != 200:
            raise TrothError(f"The witness answered {response.status_code}.", "It is asked again.")
        for part in response.iter_raw():
            answer += part
            if len(answer) > LARGEST:
                raise TrothError(f"The witness answers too much: over {LARGEST >> 10} KB.", "It is asked again.")
    return answer
