"""May this message be sent to this person, and how can it be stopped. Pure: the policy and facts in, a question out.

Two sorts of mail leave. A *class* is declared under ``messages`` of the policy and is asked about as ``send``. A *notice* tells
a person what is held about them (that data came from a partner, say): it is access to their own data without their having to
ask, is decided as that, and needs no class, because a person who does not know of data cannot choose anything about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from troth.decide import Ask
from troth.errors import InvalidInput
from troth.policy.compile import Compiled
from troth.policy.model import MessageClass, Policy
from troth.policy.rules import OWN_ACCESS

NOTICES = frozenset(
    {"second_hand", "choose_password", "account_exists", "confirm_address", "address_changes", "address_taken"}
)
MOVING: Mapping[str, Literal["new", "old"]] = {"confirm_address": "new", "address_changes": "old"}
"""notices that go to an address somebody is moving to, or from, whatever is held when they leave"""
UNCONFIRMED = "Nobody has confirmed this address yet."
"""why what promotes something does not go to somebody who registered and has not used the link in the mail"""
_EMAIL = "pd:EmailAddress"


@dataclass(frozen=True, slots=True)
class Sending:
    """What sending a class or notice takes: the question to decide, and what to read of the person for which purpose."""

    ask: Ask
    purpose: str
    fields: frozenset[str]
    address: frozenset[str]
    """those of ``fields`` that are e-mail addresses"""


def sending(compiled: Compiled, name: str, people: str, facts: frozenset[str]) -> Sending:
    """The question whether ``name`` (a class of the policy, or a notice) may be sent to one of ``people``.

    Raises:
        InvalidInput: when there is no such class or notice.
    """
    if name in NOTICES:
        fields = addresses(compiled.policy)
        ask = Ask("read", OWN_ACCESS, fields, people, facts=facts | {"by:person"})
        return Sending(ask, OWN_ACCESS, fields, fields)
    message = declared(compiled.policy, name)
    fields = frozenset(message.uses)
    ask = Ask("send", message.for_, fields, people, recipient=name, facts=facts)
    return Sending(ask, message.for_, fields, fields & addresses(compiled.policy))


def purpose_of(compiled: Compiled, name: str) -> str:
    """What a class or notice is sent for. Raises ``InvalidInput`` when there is no such class or notice."""
    return OWN_ACCESS if name in NOTICES else declared(compiled.policy, name).for_


def declared(policy: Policy, name: str) -> MessageClass:
    """The message class ``name``. Raises ``InvalidInput`` when the policy has none."""
    if name not in policy.messages:
        raise InvalidInput(f"The policy has no message class `{name}`.", hint="Declare it under `messages`.")
    return policy.messages[name]


def addresses(policy: Policy) -> frozenset[str]:
    """The data that a message can be addressed to."""
    return frozenset(
        key for key, data in policy.data.items() if data.category == _EMAIL and data.protect != "never stored"
    )


def can_be_stopped(policy: Policy, name: str) -> bool:
    """Whether ``name`` carries a link that stops it: all advertising does, whatever the policy says of the way."""
    message = policy.messages.get(name)
    return message is not None and (message.kind == "promotional" or "link" in message.unsubscribe)


def promotes(policy: Policy, name: str) -> bool:
    """Whether ``name`` promotes something, as the policy says or by its purpose; what confirms, answers or tells does not."""
    message = policy.messages.get(name)
    if message is None:
        return False
    purpose = policy.purposes.get(message.for_)
    return message.kind == "promotional" or (message.kind == "service" and purpose is not None and purpose.marketing)


def stopping(message: MessageClass) -> Literal["withdrawn", "objected"]:
    """What following the link records: what was elected is withdrawn, anything else is objected to."""
    return "withdrawn" if message.when == "elected" else "objected"


def confirmations(policy: Policy, point: str) -> tuple[str, ...]:
    """The classes that confirm what came in at ``point``: one message an event, for a purpose the point collects for."""
    purposes = policy.collection[point].for_
    return tuple(
        key for key, message in policy.messages.items() if message.when == "once per event" and message.for_ in purposes
    )
