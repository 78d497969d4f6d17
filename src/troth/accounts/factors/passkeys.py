"""Passkeys (W3C Web Authentication): a device proves that it holds a key, and its owner shows to be there.

What could go wrong: an answer that was made for another site, or for our page on another host; one that is sent a second
time, or that was asked for by somebody else's page; a device that was copied; a passkey of one member that opens another's
account; an answer that tells whether there is such a passkey. So a challenge is the keyed hash of one form's token, which
is bound to the session it was shown to and to half a day, and it is spent when it is answered, right or wrong; origin and
domain come from ``base url`` and never from a request; the owner must have been verified by the device; a counter that does
not go up is refused; the device must name the member whom the passkey is kept for; and every refusal is one sentence.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import base64url_to_bytes
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from troth.accounts.changed import note_change
from troth.accounts.factors.rules import Place, place
from troth.accounts.factors.tables import passkey, spent
from troth.clock import DAY
from troth.errors import Refused
from troth.ids import new_id
from troth.store.insert import insert_into
from troth.store.secret import derived_key
from troth.store.site import Site
from troth.store.turns import take_turns

MOST = 10
"""passkeys of one member: a device or two, and what they had before"""
WRONG = "This passkey did not work."
WRONG_HINT = "Open the page again, or use your password."
_LONGEST = 8192
_MILLIS = 5 * 60 * 1000
"""for the owner to find the device"""
SPENT_FOR = DAY
"""longer than the token of a form is good"""
_VERIFIED = UserVerificationRequirement.REQUIRED
_UNREADABLE = (WebAuthnException, ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError)
"""what reading an answer that was put together by somebody may end in"""


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey of a member, as a page lists it."""

    id: str
    made_at: datetime
    used_at: datetime | None


def works(site: Site) -> bool:
    """Whether browsers know passkeys where this site is served."""
    return place(site.wiring.base_url) is not None


def to_make(site: Site, conn: Connection, person_id: str, called: str, token: str) -> str:
    """What a browser needs to make a passkey, as JSON, for the form with ``token``; ``called`` is shown by the device."""
    here = _here(site)
    kept = conn.scalars(select(passkey.c.credential).where(passkey.c.person_id == person_id)).all()
    options = generate_registration_options(
        rp_id=here.domain,
        rp_name=site.wiring.title,
        user_id=_handle(site, person_id),
        user_name=called,
        user_display_name=called,
        challenge=_challenge(site, token),
        timeout=_MILLIS,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=_VERIFIED
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one) for one in kept],
    )
    return options_to_json(options)


def to_log_in(site: Site, token: str) -> str:
    """What a browser needs to answer with any passkey it has for this site, as JSON; it names nobody."""
    options = generate_authentication_options(
        rp_id=_here(site).domain, challenge=_challenge(site, token), timeout=_MILLIS, user_verification=_VERIFIED
    )
    return options_to_json(options)


def add(site: Site, person_id: str, token: str, answer: str) -> None:
    """Keep the passkey that a device has made for a member.

    Raises:
        Refused: when the answer is not to this form's challenge, from this site's pages, or was sent before; when the owner was
            not verified; and when the member has as many as they may.
    """
    here = _here(site)
    _spend(site, token)
    try:
        made = verify_registration_response(
            credential=_read(answer),
            expected_challenge=_challenge(site, token),
            expected_rp_id=here.domain,
            expected_origin=here.origin,
            require_user_verification=True,
        )
    except _UNREADABLE:
        raise Refused(WRONG, WRONG_HINT) from None
    row = {"id": new_id(site.now()), "person_id": person_id, "credential": made.credential_id, "made_at": site.now()}
    row |= {"public_key": made.credential_public_key, "sign_count": made.sign_count}
    with site.writing() as conn:
        take_turns(conn, f"person:{person_id}")
        if len(conn.scalars(select(passkey.c.id).where(passkey.c.person_id == person_id)).all()) >= MOST:
            raise Refused("You have as many passkeys as one may have.", "Remove one that you no longer use.")
        new = insert_into(conn, passkey).values(row).on_conflict_do_nothing(index_elements=["credential"])
        if conn.execute(new.returning(passkey.c.id)).first() is None:
            raise Refused(WRONG, WRONG_HINT)
        note_change(site, conn, person_id, "passkey-added")


def whose(site: Site, token: str, answer: str) -> str:
    """The member whose passkey has answered this form's challenge, which is spent by that.

    Raises:
        Refused: in one sentence, whatever was wrong with the answer.
    """
    here = _here(site)
    _spend(site, token)
    try:
        with site.writing() as conn:
            return _answered(site, conn, here, _challenge(site, token), _read(answer))
    except _UNREADABLE:
        raise Refused(WRONG, WRONG_HINT) from None


def _answered(site: Site, conn: Connection, here: Place, challenge: bytes, said: dict[str, Any]) -> str:
    row = _kept(conn, base64url_to_bytes(said["rawId"]))
    handle = base64url_to_bytes(said["response"]["userHandle"])
    if row is None or not hmac.compare_digest(handle, _handle(site, row.person_id)):
        raise Refused(WRONG, WRONG_HINT)
    shown = verify_authentication_response(
        credential=said,
        expected_challenge=challenge,
        expected_rp_id=here.domain,
        expected_origin=here.origin,
        credential_public_key=row.public_key,
        credential_current_sign_count=row.sign_count,
        require_user_verification=True,
    )
    change = {"sign_count": shown.new_sign_count, "used_at": site.now()}
    conn.execute(update(passkey).where(passkey.c.id == row.id).values(**change))
    return str(row.person_id)


def listed(conn: Connection, person_id: str) -> Sequence[Passkey]:
    """The passkeys of a member, oldest first."""
    query = select(passkey.c.id, passkey.c.made_at, passkey.c.used_at).where(passkey.c.person_id == person_id)
    return [Passkey(*row) for row in conn.execute(query.order_by(passkey.c.id))]


def remove(site: Site, conn: Connection, person_id: str, passkey_id: str) -> bool:
    """Forget a passkey of a member, in the caller's transaction; whether there was one."""
    if passkey_id not in {one.id for one in listed(conn, person_id)}:
        return False
    gone = conn.execute(delete(passkey).where(passkey.c.id == passkey_id)).rowcount == 1
    if gone:
        note_change(site, conn, person_id, "passkey-removed")
    return gone


def _here(site: Site) -> Place:
    here = place(site.wiring.base_url)
    if here is None:
        raise Refused("Passkeys do not work here.", "They need an address with HTTPS and a name.")
    return here


def _kept(conn: Connection, credential: bytes) -> Row[Any] | None:
    """A passkey, locked: two answers at once are looked at one after the other, so that the counter tells."""
    return conn.execute(select(passkey).where(passkey.c.credential == credential).with_for_update()).first()


def _spend(site: Site, token: str) -> None:
    """Use up the challenge of a form, whatever becomes of the answer. Raises ``Refused`` when it was used before."""
    row = {"digest": hashlib.sha256(_challenge(site, token)).digest(), "ends_at": site.now() + SPENT_FOR}
    with site.writing() as conn:
        new = insert_into(conn, spent).values(row).on_conflict_do_nothing(index_elements=["digest"])
        first = conn.execute(new.returning(spent.c.digest)).first() is not None
    if not first:
        raise Refused(WRONG, WRONG_HINT)


def _challenge(site: Site, token: str) -> bytes:
    """256 bits that only this site can make of a form's token, and nobody can know before the form was opened."""
    return hmac.new(derived_key(site, "passkey challenge"), token.encode(), hashlib.sha256).digest()


def _handle(site: Site, person_id: str) -> bytes:
    """How a device names the member: the same each time, unlike at any other site, and nothing that says who it is."""
    return hmac.new(derived_key(site, "passkey owner"), person_id.encode(), hashlib.sha256).digest()


def _read(answer: str) -> dict[str, Any]:
    if len(answer) > _LONGEST:
        raise ValueError("no answer is as long as this")
    said = json.loads(answer)
    if not isinstance(said, dict):
        raise TypeError("an answer is an object")
    return said
