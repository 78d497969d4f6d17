"""The events that periods of retention count from: those of the language, and those that the policy names itself. Pure.

Events of the policy's own (``events:``) are reported by the business; all others follow from what happens here.
"""

from __future__ import annotations

from troth.policy.closed import Phrase, Slot

COLLECTION, RELATIONSHIP_ENDS, REQUEST, LAST_CONTACT = "collection", "relationship ends", "request", "last contact"
ACCOUNT_CLOSED, ORDER = "account closed", "order"
LANGUAGE = (COLLECTION, RELATIONSHIP_ENDS, REQUEST, LAST_CONTACT, ACCOUNT_CLOSED, ORDER)
AGES = tuple(f"{years} years old" for years in range(13, 22))
WITHDRAWAL = Slot(("withdrawal of ",), "purposes")


def withdrawn(word: str) -> str | None:
    """``marketing`` for ``withdrawal of marketing``; None when ``word`` is no such phrase."""
    phrase = word if isinstance(word, Phrase) else WITHDRAWAL.read(word)
    return phrase.named if phrase else None


def age(word: str) -> int | None:
    """``18`` for ``18 years old``; None for any other event."""
    return int(word.partition(" ")[0]) if word in AGES else None
