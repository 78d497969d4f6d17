"""A message as it came, bytes of anybody's making, turned into what the rights desk may look at. Pure.

What could go wrong: bytes that make a parser fail, wait or swell; a sender that is another one to the next program; an answer
to an automatic answer, which is answered. So whatever ``read`` is given it returns an ``Arrived`` or raises ``Unreadable``;
there is exactly one sender, or the message is unreadable; and what no person wrote says so, and that no program may answer it.
The two are not the same: a help desk, a shop or an agent sends what people wrote with marks of programs, and that is read.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime

from troth.errors import TrothError
from troth.messages.inbound.bodies import written
from troth.messages.inbound.heads import Head, first, mailboxes, parameters, split, words
from troth.messages.inbound.reply import own_words
from troth.messages.inbound.wanted import wanted

MOST_BYTES = 10 * 1024 * 1024
"""of a message; what comes over IMAP or lies in a Maildir is cut there, and a mail server is told that it is too long"""
LONGEST_SUBJECT = 300


class Unreadable(TrothError):
    """A message from which nobody can tell who sent it. The text holds nothing of the message."""


@dataclass(frozen=True, slots=True)
class Arrived:
    """One message that came in.

    Attributes:
        key: 64 hexadecimal digits, the same for the same message whatever way it comes; no address can be read from it.
        sender_address: the one address in ``From``; anybody can write any address there.
        to: the addresses in ``To`` and ``Cc``.
        text: what the sender wrote, without quotations and signature, at most ``reply.LONGEST`` characters.
        language_hint: a language tag that the message is perhaps written in; blank when nothing shows.
        at: when it was received, which is when the time to answer begins.
        automatic: a program may have written it, or a list passed it on: it must not be answered by a program.
        by_program: it says itself that no person wrote it, or is a report or mail of our own: there is nothing to read in it.
        bounced: it says that a message of ours did not arrive.
        attachments: how many things were attached; none of them is kept.
        wants: what ``wanted`` hears in it; heard while it is read, so that nobody listens inside a transaction.
    """

    key: str
    sender_address: str = field(repr=False)
    sender_name: str = field(repr=False)
    to: tuple[str, ...] = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    language_hint: str
    at: datetime
    automatic: bool
    by_program: bool
    bounced: bool
    attachments: int
    wants: str

    @property
    def answerable(self) -> bool:
        """Whether a program may answer it (RFC 3834): else two programs could write to each other for ever."""
        return not (self.automatic or self.bounced)


def read(raw: bytes, at: datetime) -> Arrived:
    """What came in with ``raw``, received ``at``.

    Raises:
        Unreadable: when it names no sender, more than one, or one that is no address.
    """
    whole = raw[:MOST_BYTES].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    head, body = split(whole)
    senders = mailboxes(head, "from")
    if len(senders) != 1:
        raise Unreadable("A message that came in does not name one sender.", "Look at it in a mail program.")
    content = written(head, body)
    sender = mailboxes(head, "from", content.charset)[0]
    text = own_words(content.text)
    subject = words(head.get("subject", [b""])[0], LONGEST_SUBJECT, content.charset)
    bounced = _bounced(head, sender.address)
    by_program = bounced or _by_program(head)
    return Arrived(
        key=_key(head, sender.address, whole),
        sender_address=sender.address,
        sender_name=sender.name,
        to=tuple(dict.fromkeys(box.address for name in ("to", "cc") for box in mailboxes(head, name)))[:20],
        subject=subject,
        text=text,
        language_hint=_language(head, f"{subject}\n{text}"),
        at=at,
        automatic=by_program or _perhaps_automatic(head, sender.address, subject),
        by_program=by_program,
        bounced=bounced,
        attachments=content.attachments,
        wants=wanted(subject, text),
    )


def _key(head: Head, sender: str, whole: bytes) -> str:
    """By what its sender's program wrote into it; some programs call all their messages the same, so their day counts too."""
    named = first(head, "message-id")
    told = (named, sender, first(head, "date")) if named else (re.sub(rb"^(Return-Path:.*\n)+", b"", whole),)
    parts = (part.encode("utf-8", "replace") if isinstance(part, str) else part for part in told)
    return hashlib.sha256(b"\x00".join(parts)).hexdigest()


# --- Who may be answered -------------------------------------------------------------------------------------------------

_ROBOTS = ("x-autoreply", "x-autorespond", "x-auto-reply", "x-failed-recipients")
_MANY = ("list-id", "list-post", "list-unsubscribe", "list-help", "mailing-list", "feedback-id")
"""of what goes to many, and of all that some senders send, also for one person"""
_NOBODY = re.compile(
    r"(?:.*[.+_-])?(?:no[._-]?reply|do[._-]?not[._-]?reply|mailer-daemon|postmaster|bounces?)(?:[.+_=-].*)?@"
    r"|owner-|[^@]+-(?:request|bounces)@",
    re.I,
)
_AWAY = re.compile(
    r"(automatic reply|auto(matic)?[ -]?(reply|response)|out of (the )?office|自動(回覆|答覆|回复)|不在辦公室)", re.I
)


def _by_program(head: Head) -> bool:
    """Whether it says plainly that nobody wrote it: an automatic answer, a report, or bulk that could go round in circles."""
    return (
        re.split(r"[\s;(]", first(head, "auto-submitted"))[0] not in {"", "no"}
        or first(head, "precedence") in {"bulk", "list", "junk", "auto_reply", "auto-reply"}
        or any(name in head for name in _ROBOTS)
        or _no_way_back(head)
        or parameters(head, "content-type")[0] == "multipart/report"
    )


def _perhaps_automatic(head: Head, sender: str, subject: str) -> bool:
    """Whether an answer could be unwelcome, or go to a program, though a person may have written it."""
    return (
        any(name in head for name in _MANY)
        or bool(re.search(r"all|autoreply|oof", first(head, "x-auto-response-suppress")))
        or bool(_NOBODY.match(sender))
        or bool(_AWAY.match(subject))
    )


def _bounced(head: Head, sender: str) -> bool:
    kind, more = parameters(head, "content-type")
    report = kind == "multipart/report" and more.get("report-type", "delivery-status").lower() == "delivery-status"
    daemon = sender.lower().startswith(("mailer-daemon@", "postmaster@")) and _no_way_back(head)
    return report or daemon or "x-failed-recipients" in head


def _no_way_back(head: Head) -> bool:
    return first(head, "return-path").replace(" ", "") == "<>"


# --- Which language it is in ---------------------------------------------------------------------------------------------

_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})*")
_ENGLISH = re.compile(r"\b(the|you|your|and|please|my|is|to|have|for|not|of|dear|regards)\b", re.I)


def _language(head: Head, text: str) -> str:
    said = _TAG.match(first(head, "content-language"))
    if said and not said[0].startswith("en"):  # many programs say English of everything
        return "zh-Hant" if said[0] in {"zh-tw", "zh-hk", "zh-hant"} else said[0]
    sample = text[:2000]
    letters = sum(char.isalpha() for char in sample)
    han, kana, hangul = (len(re.findall(kind, sample)) for kind in ("[㐀-鿿]", "[ぁ-ヿ]", "[가-힣]"))
    if kana * 10 > letters or hangul * 5 > letters:
        return "ja" if kana * 10 > letters else "ko"
    if han * 5 > letters:
        return "zh-Hant"
    return "en" if len(set(map(str.lower, _ENGLISH.findall(sample)))) >= 2 else ""
