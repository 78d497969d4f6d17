"""Saying no, by a person or by the operator for everybody: in force at once, and told to whoever has the data already."""

from __future__ import annotations

from sqlalchemy import Connection

from troth.consent import actions as consent
from troth.consent.rules import State
from troth.consent.stops.actions import stop
from troth.policy.compile import Compiled
from troth.policy.model import Policy
from troth.policy.periods import Period
from troth.recipients.instructions import instruct, recall
from troth.store.site import Site

USUAL = Period(30, "day")
"""to delete by, where the policy names no time"""


def say_no(
    site: Site,
    conn: Connection,
    person_id: str,
    scope: str,
    state: State,
    words: str,
    language: str,
    channel: str,
    policy: Compiled,
) -> str:
    """Record that a person withdraws from, or objects to, ``scope`` and tell the recipients whose permission it was to delete.

    As ``consent.actions.record``, in the caller's transaction; returns the choice's id, which is the cause of the instructions.
    What waits to be delivered to these recipients is taken back.

    Raises:
        Refused: when the policy knows no such scope.
    """
    made = consent.record(site, conn, person_id, scope, state, words, language, channel, policy)
    for recipient in rested_on(policy.policy, scope):
        instruct(site, conn, made, [person_id], policy.calendar.end(site.now(), _within(policy.policy)), recipient)
    return made


def stop_and_recall(site: Site, conn: Connection, scope: str, *, by: str, because: str, policy: Compiled) -> str:
    """Stop ``scope`` for everybody, as ``stop`` does, and tell whoever was given data under it to delete that.

    A stop alone changes nothing about what recipients have, and what waits to be delivered is decided upon again when it is
    due. Here it is taken back, also when the stop is lifted later. Returns the stop's id, the cause of the instructions.

    Raises:
        InvalidInput: without a role or a reason.
        Refused: when the policy knows no such scope.
    """
    made = stop(site, conn, scope, by=by, because=because, policy=policy)
    recall(site, conn, made, scope, policy.calendar.end(site.now(), _within(policy.policy)))
    return made


def rested_on(policy: Policy, scope: str) -> list[str]:
    """The recipients whom ``scope`` (a purpose, or ``@`` and a recipient) let have data. Pure."""
    if scope.startswith("@"):
        return [scope[1:]]
    return [key for key, one in policy.recipients.items() if one.consent == scope]


def _within(policy: Policy) -> Period:
    return policy.erasure.destroy_within if policy.erasure and policy.erasure.destroy_within else USUAL
