"""No personal value in a log: every record is rewritten before any handler sees it, tracebacks included.

Card numbers, e-mail addresses and telephone numbers are recognised by their form and masked. It is a net under the rule that
nobody logs values, and no replacement for it: a name has no form.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from typing import Any

from troth.people.cards import mask_cards
from troth.people.spellings import E_MAIL, PHONE, hides_e_mail, is_phone, may_hold_e_mail

_CHUNK = re.compile(r"[^\s<>\"']+")
_plain = logging.Formatter()


def mask(text: str) -> str:
    """``text`` with card numbers, e-mail addresses and telephone numbers replaced by what they were.

    A piece that shows an e-mail address only when it is read plainly is replaced whole.
    """
    shown = mask_cards(text)
    if may_hold_e_mail(shown):
        shown = _CHUNK.sub(_masked_if_hidden, E_MAIL.sub("[e-mail]", shown))
    return PHONE.sub(_masked_phone, shown)


def _masked_if_hidden(match: re.Match[str]) -> str:
    return "[e-mail]" if hides_e_mail(match[0]) else match[0]


def _masked_phone(match: re.Match[str]) -> str:
    return "[phone]" if is_phone(match[0]) else match[0]


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
