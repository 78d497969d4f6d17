"""What a policy says of fields that came in together: which purposes use them, who may receive them, when they end. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from troth.policy.clocks import Clock
from troth.policy.model import Policy
from troth.policy.periods import Period


@dataclass(frozen=True, slots=True)
class Uses:
    """Purposes and recipients in the policy's order; ``keep`` is the shortest period that counts from collection, if any."""

    purposes: tuple[str, ...]
    recipients: tuple[str, ...]
    keep: Period | None


def uses(policy: Policy, clocks: Iterable[Clock], point: str, fields: frozenset[str]) -> Uses:
    """What may be done with ``fields`` that came in at ``point``, as far as the policy alone says."""
    purposes = tuple(key for key, one in policy.purposes.items() if not fields.isdisjoint(one.uses))
    recipients = tuple(key for key, one in policy.recipients.items() if not fields.isdisjoint(one.receives))
    counted = [clock for clock in clocks if clock.by_age and not clock.archive and clock.year is None]
    keeps = [clock.keep for clock in counted if any((point, field) in clock.covers for field in fields)]
    return Uses(purposes, recipients, min(keeps, default=None))
