"""Publishing a version: checked, announced early enough, archived and on the ledger, in one transaction, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import Connection, func, select

from troth import ledger
from troth.clock import iso
from troth.errors import PolicyError
from troth.ledger import events
from troth.policy.compile import Compiled
from troth.policy.document import read_document
from troth.store import versions
from troth.store.site import Site
from troth.store.tables import policy_version


@dataclass(frozen=True, slots=True)
class Published:
    """A version that is in the archive; ``already`` when it was there before, unchanged."""

    version: int
    effective_at: datetime
    already: bool


def publish(site: Site) -> Published:
    """Put the site folder's policy and decisions into the archive as a version of their own.

    The first version may have taken effect long ago; every later one is published its promised lead time before it does.

    Raises:
        PolicyError: when the policy has unsettled findings, changes a published version, or takes effect too early.
    """
    policy, decisions = _texts(site)
    compiled = versions.compiled(policy, decisions)
    with site.writing() as conn:
        before = versions.published(conn, compiled.version)
        if before is not None:
            return _unchanged(compiled, before, versions.digest(policy, decisions))
        effective_at = _effective(site, conn, compiled)
        versions.archive(conn, policy, decisions, effective_at=effective_at, at=site.now())
        body = {"version": compiled.version, "effective": effective_at, "digest": versions.digest(policy, decisions)}
        ledger.append(conn, site.now(), events.POLICY_PUBLISHED, body)
    return Published(compiled.version, effective_at, already=False)


def _texts(site: Site) -> tuple[str, str]:
    policy, decisions = site.folder / "policy.yaml", site.folder / "decisions.yaml"
    read_document(policy)
    return policy.read_text("utf-8-sig"), decisions.read_text("utf-8-sig") if decisions.exists() else ""


def _unchanged(compiled: Compiled, before: versions.Row, digest: str) -> Published:
    if before.digest != digest:
        raise PolicyError(
            f"Version {compiled.version} is published already, and the files say something else.",
            f"Count `policy.version` up to {compiled.version + 1}; a published version is never changed.",
        )
    return Published(compiled.version, before.effective_at, already=True)


def _effective(site: Site, conn: Connection, compiled: Compiled) -> datetime:
    """When the version takes effect: the day it says, else as early as its lead time allows."""
    day = compiled.policy.policy.effective
    latest = conn.scalar(select(func.max(policy_version.c.version)))
    earliest = site.now() + _lead(site, conn, latest)
    if day is None:
        return earliest if latest is not None else site.now()
    effective_at = datetime.combine(day, time(), UTC)
    if latest is None:
        return effective_at
    if compiled.version <= latest:
        raise PolicyError(f"Version {latest} is published already.", f"The next one is version {latest + 1}.")
    if effective_at < earliest:
        raise PolicyError(
            f"Version {compiled.version} would take effect before people had time to react.",
            f"The earliest instant is {iso(earliest)}; set `policy.effective` to a day after it.",
        )
    return effective_at


def _lead(site: Site, conn: Connection, latest: int | None) -> timedelta:
    """The lead time that the version in force promised: it binds whoever changes it."""
    if latest is None:
        return timedelta(0)
    changes = versions.by_number(conn, latest).policy.changes
    return changes.lead_time if changes and changes.lead_time else timedelta(0)
