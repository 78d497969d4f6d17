"""Hands messages to the mail server that ``site.yaml`` names.

What could go wrong: a wrong password is taken for a wrong address, and all that waits is given up; a server that took a message
and then says goodbye badly is sent it again. So only what is said of this message, to its recipient or its content, is for
good; a server that does not let us in, or does not like who we are, is tried again; and once a message was taken over nothing
that follows counts.
"""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage

from troth.clock import DAY
from troth.errors import TrothError
from troth.messages.servers import secret, trusted
from troth.settings import MailWires

PATIENCE_S = 20.0
LEAVES_WITHIN = DAY
"""from when a message is queued; one that still waits then is an alarm, and is tried on"""
AGAIN = "It is tried again."


class Undelivered(TrothError):
    """The mail server did not take a message; ``for_good`` says that trying again will not help: it refused this message."""

    def __init__(self, message: str, hint: str = "", for_good: bool = False) -> None:
        super().__init__(message, hint)
        self.for_good = for_good


class NoMailServer(Undelivered):
    """No mail leaves at all: the server does not answer, or does not take mail from us, whatever the message."""


def hand_over(mail: MailWires | None, message: EmailMessage) -> None:
    """Send ``message``; when this returns the server has taken it over.

    Raises:
        NoMailServer: when there is none, it does not answer or let us in, or what to log in with is not set.
        Undelivered: when it refuses the message. The text holds no address.
    """
    if mail is None:
        raise NoMailServer("No mail server is configured.", "Add `mail` to site.yaml.")
    with _answering():
        server = _connected(mail)
        try:
            _sent(server, message)
        finally:
            _left(server)


def _sent(server: smtplib.SMTP, message: EmailMessage) -> None:
    try:
        server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        codes = sorted({code for code, _ in error.recipients.values()})
        raise _refusal(codes[0] if codes else 550) from None
    except smtplib.SMTPDataError as error:
        raise _refusal(error.smtp_code) from None
    except smtplib.SMTPNotSupportedError:
        told = "The mail server takes no address that has other letters than those of ASCII."
        raise Undelivered(told, "It is not tried again.", for_good=True) from None


def _left(server: smtplib.SMTP) -> None:
    """Say goodbye, whatever the answer: it says nothing of the message."""
    with suppress(OSError, smtplib.SMTPException):
        server.quit()
    server.close()


@contextmanager
def _answering() -> Iterator[None]:
    """What goes wrong with a server and is not the message's fault, in words: its own may name somebody."""
    try:
        yield
    except smtplib.SMTPResponseException as error:
        raise NoMailServer(
            f"The mail server does not take mail from us (SMTP {error.smtp_code}).",
            f"Check `mail` in site.yaml. {AGAIN}",
        ) from None
    except smtplib.SMTPNotSupportedError:
        told = "The mail server offers no login, or none of the encryption that `mail` in site.yaml asks for."
        raise NoMailServer(told, AGAIN) from None
    except (OSError, smtplib.SMTPException) as error:
        raise NoMailServer(f"The mail server does not answer ({type(error).__name__}).", AGAIN) from None


def _connected(mail: MailWires) -> smtplib.SMTP:
    login = _log_in(mail) if mail.user_env else None
    host, _, port = mail.smtp.rpartition(":")
    if mail.tls == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, int(port), timeout=PATIENCE_S, context=trusted())
    else:
        server = smtplib.SMTP(host, int(port), timeout=PATIENCE_S)
    try:
        if mail.tls == "starttls":
            server.starttls(context=trusted())
        if login:
            server.login(*login)
    except BaseException:
        server.close()
        raise
    return server


def _log_in(mail: MailWires) -> tuple[str, str]:
    try:
        return secret(mail.user_env), secret(mail.password_env)
    except TrothError as error:
        raise NoMailServer(error.message, error.hint) from None


def _refusal(code: int) -> Undelivered:
    for_good = 500 <= code < 600
    hint = "It is not tried again." if for_good else AGAIN
    return Undelivered(f"The mail server refused the message (SMTP {code}).", hint, for_good)
