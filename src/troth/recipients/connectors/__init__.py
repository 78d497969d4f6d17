"""How a delivery reaches a recipient: one file for each way. A recipient with no wire is written to by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from troth.recipients.connectors import webhook
from troth.store.site import Site


def wired(site: Site, recipient: str) -> bool:
    """Whether ``site.yaml`` says how to reach ``recipient``; if not, staff must."""
    return recipient in site.wiring.recipients


def send(site: Site, recipient: str, event: str, key: str, body: Mapping[str, Any]) -> None:
    """Send ``body`` to a ``recipient`` that is wired; when this returns, it has answered that it has it.

    Raises:
        TrothError: when the recipient does not answer as it must; the agenda tries again.
    """
    webhook.post(site.wiring.recipients[recipient], event, key, body)
