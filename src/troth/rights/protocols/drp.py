"""The Data Rights Protocol 1.0 as bytes and values: messages that are signed as a whole, their checks, their states. Pure.

What could go wrong: a message of one agent is sent by another, or to another business; an old one is sent again; its JSON is
read before its signature is; an agent's word alone opens somebody's data. So a message is checked in the order that the
specification lays down, and the first check that fails ends it: base64, signature, agent, business, not before its time, not
after it. Nothing here parses but ``parse``, which only ``opened`` calls, after the signature was found right. And an agent
that is not trusted with that, or that has not verified the address itself, leads to a question to the person.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from troth.clock import iso
from troth.rights.protocols.addresses import is_address
from troth.rights.protocols.times import read_instant

VERSION = "1.0"
SIGNATURE = 64
"""bytes before the JSON"""
LONGEST_LIFE = timedelta(hours=1)
"""between ``issued-at`` and ``expires-at``; ten minutes are recommended"""
EXERCISES: Mapping[str, str] = {
    "access": "access",
    "access:categories": "access",
    "access:specific": "access",
    "deletion": "erasure",
    "sale:opt-out": "objection",
}
"""what may be exercised, and the right it is; opting in to a sale is a consent, which nobody gives for somebody else"""
MOST_EMAIL, MOST_NAME = 320, 200
_REFERENCE = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class Declined(Exception):
    """A message that is not accepted: the status of the answer, the reason, and whether sending it again is of no use."""

    def __init__(self, code: int, message: str, fatal: bool = True) -> None:
        super().__init__(message)
        self.code, self.message, self.fatal = code, message, fatal


def parse(raw: bytes) -> Any:
    """``raw`` as JSON; called after its signature was found right. Raises ``Declined`` when it is none."""
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise Declined(400, "The signed message is no JSON in UTF-8.") from None


def verify_key(text: str) -> Ed25519PublicKey:
    """An agent's key as the directory writes it. Raises ``ValueError`` when it is none."""
    return Ed25519PublicKey.from_public_bytes(base64.b64decode(text, validate=True))


def decoded(body: bytes) -> bytes:
    """The signature and the JSON in ``body``: what makes two messages the same. Base64 spells most bytes in several ways.

    Raises:
        Declined: when it is no base64.
    """
    try:
        return base64.b64decode(body.strip(b" \t\r\n"), validate=True)
    except (binascii.Error, ValueError):
        raise Declined(403, "The body is not base64.") from None


def opened(body: bytes, key: Ed25519PublicKey, read: Callable[[bytes], Any] | None = None) -> dict[str, Any]:
    """The JSON object in ``body``, once its signature was found to be that of ``key``. Raises ``Declined``."""
    message = decoded(body)
    try:
        key.verify(message[:SIGNATURE], message[SIGNATURE:])
    except InvalidSignature:
        raise Declined(403, "The signature is not that of this agent.") from None
    said = (read or parse)(message[SIGNATURE:])
    if not isinstance(said, dict):
        raise Declined(400, "The signed message is no JSON object.")
    return said


def check_claims(said: Mapping[str, Any], agent: str, business: str, now: datetime) -> None:
    """Check who a message is from, whom it is for and that this is its time, in that order. Raises ``Declined``."""
    if said.get("agent-id") != agent:
        raise Declined(403, "agent-id is not the agent that sends this.")
    if said.get("business-id") != business:
        raise Declined(403, "business-id is not this business.")
    issued, expires = read_instant(said.get("issued-at")), read_instant(said.get("expires-at"))
    if issued is None or issued > now:
        raise Declined(403, "issued-at is not a time with its zone that has passed.", fatal=False)
    if expires is None or expires <= now:
        raise Declined(403, "expires-at is not a time with its zone that is still to come.")
    if expires - issued > LONGEST_LIFE:
        raise Declined(403, "expires-at is more than an hour after issued-at.")
    if said.get("drp.version") != VERSION:
        raise Declined(400, f"drp.version is not {VERSION}.")


@dataclass(frozen=True, slots=True)
class Exercise:
    """What an agent asks for somebody."""

    exercise: str
    regime: str
    email: str = field(repr=False)
    name: str = field(repr=False)
    verified: bool
    reference: str
    callback: str = field(repr=False)

    @property
    def right(self) -> str:
        """The right that is exercised, in Troth's words."""
        return EXERCISES[self.exercise]

    @property
    def meaning(self) -> str:
        """What two requests of one reference must have in common to be the same."""
        return "\n".join((self.exercise, self.regime, self.email, self.name))


def read_exercise(said: Mapping[str, Any]) -> Exercise:
    """A checked message as a request. Raises ``Declined`` with the first key that does not fit, never with its value."""
    exercise = str(said.get("exercise")).replace("_", "-")  # the specification writes both
    if not isinstance(said.get("exercise"), str) or exercise not in EXERCISES:
        raise Declined(400, f"Unsupported rights action: exercise may be {', '.join(EXERCISES)}.")
    email, name = _text(said, "email", MOST_EMAIL).strip(), _text(said, "name", MOST_NAME).strip()
    if not is_address(email):
        raise Declined(400, "email must be a complete address: people are found by it here.")
    reference = _text(said, "agent-request-id", 64)
    if reference and not _REFERENCE.fullmatch(reference):
        raise Declined(400, "agent-request-id may have letters, digits and . _ : - only.")
    callback = _text(said, "status_callback", 2000)
    regime = _text(said, "regime", 20)
    return Exercise(exercise, regime, email, name, said.get("email_verified") is True, reference, callback)


def _text(said: Mapping[str, Any], key: str, most: int) -> str:
    value = said.get(key)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > most:
        raise Declined(400, f"{key} must be text of at most {most} characters.")
    if any(unicodedata.category(one) == "Cc" for one in value):
        raise Declined(400, f"{key} may have no control characters.")
    return value


@dataclass(frozen=True, slots=True)
class Called:
    """What the protocol calls the state of a request, with the reason where there is one."""

    status: str
    reason: str = ""
    details: str = ""


_STATES: Mapping[str, Called] = {
    "verifying": Called(
        "in_progress", "need_user_verification", "The person was asked by mail whether they want this."
    ),
    "open": Called("in_progress"),
    "carrying out": Called("in_progress"),
}
_OUTCOMES: Mapping[str, Called] = {
    "done": Called("fulfilled"),
    "partly done": Called("fulfilled", "", "Part of it was done; the person was told what was not, and why."),
    "changed": Called("fulfilled", "", "A person looked again and changed the decision."),
    "stands": Called("fulfilled", "", "A person looked again; the decision stands, and the person was told why."),
    "not found": Called("denied", "no_match", "Nothing is held about this person."),
    "refused": Called("denied", "other", "The person was told the ground and where to complain."),
    "cancelled": Called("revoked"),
    "not verified": Called("denied", "insuf_verification", "The person did not confirm this in time."),
}


def called(state: str, outcome: str) -> Called:
    """What the protocol calls a request of Troth's."""
    return _STATES.get(state) or _OUTCOMES[outcome]


def status(
    number: str,
    at: datetime,
    expected: datetime,
    now_called: Called,
    *,
    reference: str = "",
    verification_url: str = "",
    results_url: str = "",
) -> dict[str, Any]:
    """The Exercise Status object."""
    body = {"request_id": number, "received_at": iso(at), "expected_by": iso(expected), "status": now_called.status}
    more = {
        "reason": now_called.reason,
        "processing_details": now_called.details,
        "agent_request_id": reference,
        "user_verification_url": verification_url,
        "results_url": results_url,
    }
    return body | {key: value for key, value in more.items() if value}


def error(declined: Declined) -> dict[str, Any]:
    """What went wrong, as the specification shapes it."""
    body: dict[str, Any] = {"code": str(declined.code), "message": declined.message}
    return body | ({"fatal": True} if declined.fatal else {})
