"""From a template and its terms to a message: text and HTML, in the reader's language.

What could go wrong: a name with a line break that becomes a header of its own, a name with markup that becomes part of the
page, a letter that mail programs answer automatically, and a link that they cannot read. So headers are set through the
standard library's strict policy, which refuses line breaks, after control characters were taken out; HTML is escaped by
default; terms are data and are never rendered as templates; a letter says that a machine wrote it (RFC 3834); and the link
that stops messages stands in its header in one line.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime
from functools import cache
from typing import Any

from email_validator import EmailNotValidError, validate_email
from jinja2 import Environment, PackageLoader, StrictUndefined, Template, TemplateNotFound

from troth.errors import InvalidInput

_LONGEST_SUBJECT = 200
PROMOTION = "promotion"


class _Whole(UnstructuredHeader, BaseHeader):
    """A header in one line. One that is too long would be folded as encoded words, and an address in them is none
    (RFC 2047, 5; RFC 2369, 2)."""

    def fold(self, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}" if self.isascii() else super().fold(policy=policy)


def _registry() -> HeaderRegistry:
    made = HeaderRegistry()
    made.map_to_type("list-unsubscribe", _Whole)
    return made


_POLICY = SMTP.clone(header_factory=_registry())


@dataclass(frozen=True)
class Letter:
    """What a message is made from. ``terms`` hold names and dates; ``to`` is an e-mail address and used for nothing else."""

    id: str
    template: str
    language: str
    terms: Mapping[str, Any]
    operator: str
    sender: str
    to: str
    at: datetime
    stop_link: str | None = None
    promotional: bool = False
    """whether it may carry the part of a template that promotes something"""


def compose(letter: Letter) -> EmailMessage:
    """``letter`` as it leaves.

    Raises:
        InvalidInput: when the address is none, when there is no such template in this language, or when the template has a part
            that promotes something and the letter is none that may.
    """
    subject, text, html = _rendered(letter)
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address(one_line(letter.operator), addr_spec=_address(letter.sender))
    message["To"] = Address(addr_spec=_address(letter.to))
    message["Subject"] = one_line(subject)[:_LONGEST_SUBJECT]
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.id}@{_address(letter.sender).rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if letter.stop_link:
        message["List-Unsubscribe"] = f"<{letter.stop_link}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    message["Content-Language"] = letter.language  # last: setting the content takes such headers away
    return message


def one_line(words: str) -> str:
    """``words`` without line breaks and other control characters, so that they fit into a header and change no other."""
    return " ".join("".join(" " if _breaks(char) else char for char in words).split())


def _breaks(char: str) -> bool:
    return unicodedata.category(char) in {"Cc", "Zl", "Zp"}


def _address(words: str) -> str:
    try:
        found = validate_email(words, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise InvalidInput(
            "This person's e-mail address cannot be written to.", hint="Ask them for another one."
        ) from None
    return found.ascii_email or found.normalized


def _rendered(letter: Letter) -> tuple[str, str, str]:
    """Subject, text and HTML; the first line of a text template is its subject."""
    values = {"operator": letter.operator, "language": letter.language, "stop_link": letter.stop_link, **letter.terms}
    try:
        plain = _texts().get_template(f"{letter.language}/{letter.template}.txt")
        page = _pages().get_template(f"{letter.language}/{letter.template}.html")
        _refuse_promotion(letter, plain, page)
        subject, _, body = plain.render(values).partition("\n")
        html = page.render(subject=subject, **values)
    except TemplateNotFound as error:
        raise InvalidInput(
            f"There is no message template `{error.message}`.", hint="Templates are listed in docs/."
        ) from None
    return subject, body.strip() + "\n", html


def _refuse_promotion(letter: Letter, *templates: Template) -> None:
    """A template that promotes something does so in a block named ``PROMOTION``, which only advertising may have."""
    if not letter.promotional and any(PROMOTION in one.blocks for one in templates):
        raise InvalidInput(
            f"The template `{letter.template}` promotes something, and this message is no advertising.",
            hint="Take the block `promotion` out, or send it as a class of the kind `promotional`.",
        )


@cache
def _texts() -> Environment:
    return _environment().overlay(autoescape=False)  # plain text; only the pages hold markup


@cache
def _pages() -> Environment:
    return _environment()


def _environment() -> Environment:
    loader = PackageLoader("troth.messages", "templates")
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
