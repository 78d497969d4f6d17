"""Requests by e-mail to the operator's address: whoever writes is answered at the address they wrote from.

Anybody can write any address into ``From``, so a message proves nothing: it begins a request and is confirmed like any other,
at the address on file. Only to be left alone needs no proof. What names no right, or several, or an objection to nothing in
particular, is for people to sort: nobody's data is touched on a guess. So is what a program must not answer, as another one may
have written it: staff read it, and nothing is written back before they do.
"""

from __future__ import annotations

from sqlalchemy import Connection

from troth.messages.inbound.parse import Arrived
from troth.policy.model import Policy
from troth.policy.notice.language import LANGUAGES
from troth.rights.intake import LONGEST, receive_in
from troth.rights.rules import LAY_AT_MOST, QUESTION, Intake
from troth.store.site import Site


def take_in(site: Site, conn: Connection, arrived: Arrived) -> None:
    """Take in one message, in the transaction that notes that it came; what says that no person wrote it is left alone.

    Raises:
        StoreError: when a store is locked or gone; the message then comes again.
    """
    if arrived.by_program:
        return
    policy, now = site.policy(conn).policy, site.now()
    text = f"{arrived.subject}\n\n{arrived.text}".strip()
    right, about = meant(policy, arrived.wants, text) if arrived.answerable else (QUESTION, ())
    receive_in(
        site,
        conn,
        Intake(
            right, "e-mail", arrived.key, arrived.sender_address, arrived.sender_name[:200], text[:LONGEST],
            language=_language(policy, arrived.language_hint), about=about,
            at=arrived.at if now - LAY_AT_MOST < arrived.at < now else None, silent=not arrived.answerable,
        ),
    )  # fmt: skip


def meant(policy: Policy, right: str, text: str) -> tuple[str, tuple[str, ...]]:
    """The right, and what of the policy the words name; an objection that names nothing is a question. Pure."""
    if right not in {"objection", "withdrawal"}:
        return right, ()
    about = named(policy, text)
    return (right, about) if about else (QUESTION, ())


def named(policy: Policy, text: str) -> tuple[str, ...]:
    """The purposes and recipients, these with an ``@``, that words name by what the policy calls them. Pure."""
    words = text.casefold()
    purposes = [
        key for key, one in policy.purposes.items() if _among(words, key, *(one.label.say(tag) for tag in LANGUAGES))
    ]
    recipients = [f"@{key}" for key, one in policy.recipients.items() if _among(words, key, one.name or "")]
    transfers = ["transfers"] if policy.transfers and policy.transfers.objection and _among(words, "transfer") else []
    return (*purposes, *recipients, *transfers)


def _among(words: str, *names: str) -> bool:
    return any(name and name.casefold().replace("_", " ") in words for name in names)


def _language(policy: Policy, hint: str) -> str:
    spoken = policy.policy.languages
    return next((tag for tag in spoken if hint and tag.partition("-")[0] == hint.partition("-")[0].lower()), spoken[0])
