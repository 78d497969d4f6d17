"""Why a notice of a change is not to leave any more: the version was taken back, or a reminder of it comes too late."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from troth.store import versions

REMINDER = "reminder"
"""the term that says that the notice reminds of one that went before"""


def outdated(conn: Connection, template: str, terms: Mapping[str, Any], now: datetime) -> str:
    """Why a queued message is not to be sent, in words; blank when it is no notice of a change, or is still true."""
    if template != "changed":
        return ""
    row = versions.published(conn, int(terms["version"]))
    if row is None or row.effective_at == versions.NEVER:
        return "The version was taken back."
    return "The version has taken effect." if terms.get(REMINDER) and row.effective_at <= now else ""
