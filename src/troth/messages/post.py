"""Hands messages to the mail server that ``site.yaml`` names."""

from __future__ import annotations

import os
import smtplib
import ssl
from email.message import EmailMessage
from functools import cache

from troth.errors import TrothError
from troth.settings import MailWires

PATIENCE_S = 20.0


class Undelivered(TrothError):
    """The mail server did not take a message; ``for_good`` says that trying again will not help (an SMTP 5xx answer)."""

    def __init__(self, message: str, hint: str = "", for_good: bool = False) -> None:
        super().__init__(message, hint)
        self.for_good = for_good


def hand_over(mail: MailWires | None, message: EmailMessage) -> None:
    """Send ``message``; when this returns the server has taken it over.

    Raises:
        Undelivered: when there is no mail server, it does not answer, or it refuses. The text holds no address.
    """
    if mail is None:
        raise Undelivered("No mail server is configured.", "Add `mail` to site.yaml.")
    try:
        with _connected(mail) as server:
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        raise _refusal(codes[0] if codes else 550) from None
    except smtplib.SMTPResponseException as error:
        raise _refusal(error.smtp_code) from None
    except (OSError, smtplib.SMTPException) as error:
        raise Undelivered(f"The mail server does not answer ({type(error).__name__}).", "It is tried again.") from None


def _connected(mail: MailWires) -> smtplib.SMTP:
    host, _, port = mail.smtp.rpartition(":")
    if mail.tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, int(port), timeout=PATIENCE_S, context=_trust())
    else:
        server = smtplib.SMTP(host, int(port), timeout=PATIENCE_S)
    try:
        if mail.tls == "starttls":
            server.starttls(context=_trust())
        if mail.user_env:
            server.login(os.environ.get(mail.user_env, ""), os.environ.get(mail.password_env or "", ""))
    except BaseException:
        server.close()
        raise
    return server


@cache
def _trust() -> ssl.SSLContext:
    """One for all: making one reads every root certificate."""
    return ssl.create_default_context()


def _refusal(code: int) -> Undelivered:
    for_good = 500 <= code < 600
    hint = "It is not tried again." if for_good else "It is tried again."
    return Undelivered(f"The mail server refused the message (SMTP {code}).", hint, for_good)
