"""How a delivery reaches a recipient: one file for each way. A recipient with no wire is written to by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from troth.recipients.connectors import webhook
from troth.store.site import Site


def send(site: Site, recipient: str, event: str, key: str, body: Mapping[str, Any]) -> bool:
    """Send ``body`` to ``recipient``; True when it has answered that it has it, False when staff must do it by hand.

    Raises:
        TrothError: when the recipient does not answer as it must; the agenda tries again.
    """
    wire = site.wiring.recipients.get(recipient)
    if wire is None:
        return False
    webhook.post(wire, event, key, body)
    return True
