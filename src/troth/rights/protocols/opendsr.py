"""OpenDSR 2.0 as bytes and values: what a request must be, what is answered, and what a status is called. Pure.

What could go wrong: somebody who is no controller of ours is believed; a request is read before its signature is; one signed
body is taken for another request; an error repeats the address it was about; a hash of an address is taken for a promise that
its person will be found. So nothing here parses but ``parse``, which the door calls after ``signatures.signed_by`` said yes;
every problem is named by its key and never by its value; and an identity that cannot be matched is refused with the reason,
as discovery said before. The published specification (opengdpr/OpenDSR) leaves open how a request without a body is
authenticated: here the signature is then over the method and the address, as ``signed_words`` puts them.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec

from troth.clock import iso
from troth.errors import InvalidInput
from troth.rights.protocols.addresses import is_address
from troth.rights.protocols.times import read_instant

VERSION = "2.0"
REGULATIONS = ("gdpr", "ccpa")
RIGHTS: Mapping[str, str] = {"access": "access", "portability": "portability", "erasure": "erasure"}
"""what is asked for, and the right it is"""
TYPES = frozenset({
    "controller_customer_id", "android_advertising_id", "android_id", "email", "fire_advertising_id", "ios_advertising_id",
    "ios_vendor_id", "microsoft_advertising_id", "microsoft_publisher_id", "roku_publisher_id", "roku_advertising_id",
})  # fmt: skip
FORMATS = frozenset({"raw", "sha1", "md5", "sha256"})
SUPPORTED = (("email", "raw"),)
"""identities that can be matched: people are found by keyed hashes of the address itself, which no other hash leads to"""
MOST = 10
"""identities, and callback addresses, in one request"""
LONGEST = 320
EARLY = timedelta(minutes=5)
LATE = timedelta(days=90)
"""how long after its ``submitted_time`` a request may come, and so for how long its number must be remembered"""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
_HASHED = (
    "A hashed address cannot be matched here: people are found by keyed hashes of the address itself. Send it raw."
)
_UNMATCHED = "No identity can be matched; discovery names those that can."


@dataclass(frozen=True, slots=True)
class Request:
    """What a controller asks for somebody."""

    id: str
    type: str
    regulation: str
    email: str = field(repr=False)
    callbacks: tuple[str, ...] = field(repr=False)

    @property
    def meaning(self) -> str:
        """What two requests of one number must have in common to be the same."""
        return "\n".join((self.id, self.type, self.regulation, self.email))


def is_number(text: str) -> bool:
    """Whether ``text`` is a UUID of version 4 in lower case, as every number of a request is."""
    return _UUID.fullmatch(text) is not None


def signed_words(method: str, path: str, body: bytes) -> bytes:
    """What a signature is over: the raw body, or where there is none ``METHOD /path``."""
    return body or f"{method} {path}".encode()


def parse(raw: bytes) -> Any:
    """``raw`` as JSON; called after its signature was found right. Raises ``InvalidInput`` when it is none."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise InvalidInput("The body is no JSON in UTF-8.", {"(the whole)": "This must be a JSON object."}) from None


def read_request(said: Any, now: datetime) -> Request:
    """``said`` as a request. Raises ``InvalidInput`` with every problem by its key, never with a value."""
    if not isinstance(said, dict):
        raise InvalidInput("This is no request.", {"(the whole)": "This must be a JSON object."})
    problems = {key: words for key, words in _problems(said, now) if words}
    if problems:
        raise InvalidInput("The request cannot be taken as it is.", problems)
    [email] = _emails(said["subject_identities"])
    asked_by = tuple(said.get("status_callback_urls") or ())
    return Request(said["subject_request_id"], said["subject_request_type"], said["regulation"], email, asked_by)


def _problems(said: dict[str, Any], now: datetime) -> Iterator[tuple[str, str]]:
    yield "regulation", _one_of(said.get("regulation"), REGULATIONS)
    yield "subject_request_type", _one_of(said.get("subject_request_type"), tuple(RIGHTS))
    number = said.get("subject_request_id")
    yield (
        "subject_request_id",
        "" if isinstance(number, str) and is_number(number) else "This must be a lower-case UUIDv4.",
    )
    yield "submitted_time", _time_problem(said.get("submitted_time"), now)
    yield "subject_identities", _identity_problem(said.get("subject_identities"))
    yield "status_callback_urls", _callback_problem(said.get("status_callback_urls"))
    version = said.get("api_version", VERSION)
    yield "api_version", "" if isinstance(version, str) and version.split(".")[0] == "2" else "This is version 2.0."
    yield "extensions", "" if isinstance(said.get("extensions", {}), dict) else "This must be an object."


def _one_of(value: object, known: Sequence[str]) -> str:
    return "" if isinstance(value, str) and value in known else f"This must be one of: {', '.join(known)}."


def _time_problem(value: object, now: datetime) -> str:
    at = read_instant(value)
    if at is None:
        return "This must be a time with its zone, as in RFC 3339."
    if at > now + EARLY:
        return "This is in the future."
    return "" if at > now - LATE else f"This is more than {LATE.days} days ago."


def _identity_problem(value: object) -> str:
    if not isinstance(value, list) or not 0 < len(value) <= MOST:
        return f"This must be a list of 1 to {MOST} identities."
    if not all(map(_is_identity, value)):
        return "Each must have an identity_type, an identity_format and an identity_value of the specification."
    emails = _emails(value)
    if len(emails) > 1:
        return "There is more than one address: send a request for each."
    if emails:
        return "" if is_address(next(iter(emails))) else "The raw address is not a complete e-mail address."
    hashed = any(one["identity_type"] == "email" for one in value)
    return _HASHED if hashed else _UNMATCHED


def _is_identity(one: object) -> bool:
    if not isinstance(one, dict) or one.keys() != {"identity_type", "identity_format", "identity_value"}:
        return False
    value = one["identity_value"]
    known = one["identity_type"] in TYPES if isinstance(one["identity_type"], str) else False
    formed = one["identity_format"] in FORMATS if isinstance(one["identity_format"], str) else False
    return known and formed and isinstance(value, str) and len(value.strip()) > 0 and len(value) <= LONGEST


def _emails(identities: Sequence[Mapping[str, str]]) -> set[str]:
    pairs = ((one["identity_type"], one["identity_format"], one["identity_value"]) for one in identities)
    return {value.strip() for kind, form, value in pairs if (kind, form) in SUPPORTED}


def _callback_problem(value: object) -> str:
    if value is None:
        return ""
    fits = isinstance(value, list) and len(value) <= MOST and all(isinstance(one, str) for one in value)
    return "" if fits else f"This must be a list of at most {MOST} addresses."


STATUS: Mapping[str, str] = {"verifying": "pending", "open": "pending", "carrying out": "in_progress"}
ENDED: Mapping[str, str] = {
    "done": "completed",
    "partly done": "completed",
    "changed": "completed",
    "stands": "completed",
    "not found": "completed",
    "refused": "cancelled",
    "cancelled": "cancelled",
    "not verified": "cancelled",
}
"""how each outcome is called; the outcome itself goes with it, since completed alone would say too much"""


def status_of(state: str, outcome: str) -> str:
    """What OpenDSR calls a request of Troth's: pending, in_progress, completed or cancelled."""
    return STATUS.get(state) or ENDED[outcome]


def discovery(base: str) -> dict[str, Any]:
    """What this site supports; ``base`` is the address of these doors."""
    return {
        "api_version": VERSION,
        "supported_identities": [{"identity_type": kind, "identity_format": form} for kind, form in SUPPORTED],
        "supported_subject_request_types": list(RIGHTS),
        "processor_certificate": f"{base}/certificate",
    }


def received(controller: str, number: str, raw: bytes, at: datetime, expected: datetime) -> dict[str, Any]:
    """The receipt of a request."""
    encoded = base64.b64encode(raw).decode()
    times = {"received_time": iso(at), "expected_completion_time": iso(expected)}
    return {"controller_id": controller, "subject_request_id": number, "encoded_request": encoded} | times


def status(
    controller: str,
    number: str,
    called: str,
    expected: datetime,
    outcome: str = "",
    domain: str = "",
    results: str = "",
) -> dict[str, Any]:
    """How a request stands; ``outcome`` in our own words goes under our ``domain``, as extensions do."""
    body = {"controller_id": controller, "subject_request_id": number, "request_status": called}
    body |= {"expected_completion_time": iso(expected), "api_version": VERSION}
    body |= {"results_url": results} if results else {}
    return body | ({"extensions": {domain: {"outcome": outcome}}} if outcome else {})


def cancelled(controller: str, number: str, at: datetime) -> dict[str, Any]:
    """The receipt of a cancellation."""
    return {
        "controller_id": controller,
        "subject_request_id": number,
        "received_time": iso(at),
        "api_version": VERSION,
    }


def error(code: int, message: str, problems: Mapping[str, str] | None = None) -> dict[str, Any]:
    """What went wrong, as the specification shapes it."""
    errors = [
        {"domain": "Validation", "reason": key, "message": f"{key}: {words}"} for key, words in (problems or {}).items()
    ]
    return {"error": {"code": code, "message": message, "errors": errors}}
