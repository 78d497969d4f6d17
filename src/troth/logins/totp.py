"""Second factors: the codes that an authenticator app shows (RFC 6238: SHA-1, six digits, a new one every 30 seconds).

What could go wrong: a code that somebody saw over a shoulder and types within its half minute; a telephone whose clock is
a little off; a leaked database whose secrets make codes for ever; guessing, since a code has only six digits. So the step of
each code that was right is kept and none up to it is taken again (whoever keeps it must do that in one statement, as two may
try at once); one step to either side is tolerated; the secret is sealed under a key of the site, bound to whose it is
(AES-SIV, RFC 5297); and whoever checks codes counts the tries, as for passwords.
"""

from __future__ import annotations

import hmac
from datetime import datetime

import pyotp
import segno
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from troth.clock import to_micros
from troth.errors import Unverifiable

STEP = 30
"""seconds that a code is shown"""
TOLERANCE = 1
"""steps that an app's clock may be off, either way"""
SEALING_KEY = 64
"""bytes of the key that ``sealed`` wants: ``derived_key(site, "...", SEALING_KEY)``"""


def new_totp() -> str:
    """A fresh secret, 160 random bits in base 32, as apps want it."""
    return pyotp.random_base32()


def totp_address(secret: str, issuer: str, login: str) -> str:
    """The ``otpauth://`` address that an app reads: ``issuer`` and ``login`` are what it shows beside its codes."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=issuer)


def picture(address: str, title: str) -> str:
    """``address`` as a QR code: an inline SVG picture, named ``title`` for whoever cannot see it; no styles, no script."""
    code = segno.make(address, error="m", micro=False)
    drawn = code.svg_inline(scale=5, border=4, dark="#000", light="#fff", title=title, omitsize=False)
    return drawn.replace("<svg ", '<svg role="img" ', 1)


def code_at(secret: str, now: datetime) -> str:
    """The code that an app shows ``now``."""
    return pyotp.TOTP(secret).generate_otp(step_at(now))


def step_of(secret: str, code: str, now: datetime, used: int | None) -> int | None:
    """The step whose code ``code`` is, to be kept as the last one ``used``; None when it is wrong or was used up.

    Spaces count for nothing. Every step in reach is compared, in time that tells nothing about which.
    """
    totp, here, typed = pyotp.TOTP(secret), step_at(now), "".join(code.split()).encode()
    near = range(max(0, here - TOLERANCE), here + TOLERANCE + 1)
    right = [step for step in near if hmac.compare_digest(totp.generate_otp(step).encode(), typed)]
    return next((step for step in right if used is None or step > used), None)


def step_at(now: datetime) -> int:
    """The number of the half minute that ``now`` lies in."""
    return to_micros(now) // (STEP * 1_000_000)


def sealed(key: bytes, secret: str, whose: str) -> bytes:
    """``secret`` as the store keeps it, for ``whose`` row alone; ``key`` has ``SEALING_KEY`` bytes."""
    return AESSIV(key).encrypt(secret.encode(), [whose.encode()])


def opened(key: bytes, kept: bytes, whose: str) -> str:
    """The secret behind ``kept``. Raises ``Unverifiable`` when the row was altered or is somebody else's."""
    try:
        return AESSIV(key).decrypt(kept, [whose.encode()]).decode()
    except InvalidTag:
        raise Unverifiable("A second factor does not open: its row was altered.", "Have it set up anew.") from None
