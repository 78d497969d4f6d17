"""No personal value in a log: every record is rewritten before any handler sees it, tracebacks included.

Card numbers, e-mail addresses and telephone numbers are recognised by their form and masked. It is a net under the rule that
nobody logs values, and no replacement for it: a name has no form.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from troth.people.cards import mask_cards

_AT = r"(?:@|%(?:25)*40|&#64;)"  # as addresses of pages and HTML write it, too
_EMAIL = re.compile(rf"[^\s@<>\"'(),:;/?=&\[\]\\]+{_AT}[^\s@<>\"'(),:;/?=&\[\]\\]+\.[^\s@<>\"'(),:;/?=&.\[\]\\]{{2,}}")
_PHONE = re.compile(r"(?<![\w.+/-])(?:\+|%2[Bb]|00)?\(?\d[\d ()./-]{5,18}\d(?![\w])")
_NO_PHONE = re.compile(r"\d{4}-\d\d-\d\d\b|\d+\.\d+$")  # days and fractions
_plain = logging.Formatter()


def mask(text: str) -> str:
    """``text`` with card numbers, e-mail addresses and telephone numbers replaced by what they were."""
    return _PHONE.sub(_masked_phone, _EMAIL.sub("[e-mail]", mask_cards(text)))


def _masked_phone(match: re.Match[str]) -> str:
    text = unquote(match[0])
    digits = sum(sign.isdecimal() for sign in text)
    marked = text.startswith(("+", "0", "(")) or digits < len(text)
    return "[phone]" if 7 <= digits <= 15 and marked and not _NO_PHONE.match(text) else match[0]


def guard_logs() -> None:
    """From now on mask every record of every logger in this process; called twice it does nothing more."""
    before = logging.getLogRecordFactory()
    if not isinstance(before, _Masking):
        logging.setLogRecordFactory(_Masking(before))


class _Masking:
    """Makes log records as another factory does, and masks them."""

    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self.make = make

    def __call__(self, *args: Any, **named: Any) -> logging.LogRecord:
        record = self.make(*args, **named)
        _mask_message(record)
        if record.exc_info:
            record.exc_text, record.exc_info = mask(_plain.formatException(record.exc_info)), None
        record.stack_info = record.stack_info and mask(record.stack_info)
        return record


def _mask_message(record: logging.LogRecord) -> None:
    try:
        said = record.getMessage()
    except Exception:  # the template does not fit its arguments: show neither
        record.msg, record.args = f"(a log message that does not fit its arguments, in {record.module})", ()
        return
    if mask(said) == said:
        return
    if isinstance(record.args, tuple):  # keep the parts apart, since the web server's formatter wants them so
        record.args = tuple(mask(part) if isinstance(part, str) else part for part in record.args)
    if mask(record.getMessage()) != record.getMessage():
        record.msg, record.args = mask(said), ()
