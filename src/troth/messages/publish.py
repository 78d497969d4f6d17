"""Publishing a version: checked, announced early enough, archived, on the ledger and to be told, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

from sqlalchemy import Connection, select

from troth import ledger
from troth.clock import iso
from troth.errors import PolicyError
from troth.ledger import events
from troth.messages.changing import announce_in
from troth.policy.compile import Compiled
from troth.policy.diff import effective_from
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

    The first version may have taken effect long ago; every later one is published its promised lead time before it does, and
    takes effect after those before it.

    Raises:
        PolicyError: when the policy has unsettled findings, changes a published version, is numbered below one, or takes effect
            too early.
    """
    policy, decisions = _texts(site)
    compiled = versions.compiled(policy, decisions)
    with site.writing() as conn:
        before = versions.published(conn, compiled.version)
        if before is not None:
            return _unchanged(compiled, before, versions.digest(policy, decisions))
        now = site.now()
        effective_at = _effective(conn, compiled, now)
        versions.archive(conn, policy, decisions, effective_at=effective_at, at=now)
        body = {"version": compiled.version, "effective": effective_at, "digest": versions.digest(policy, decisions)}
        ledger.append(conn, now, events.POLICY_PUBLISHED, body)
        announce_in(site, conn, compiled.version)
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


def _effective(conn: Connection, compiled: Compiled, now: datetime) -> datetime:
    """When the version takes effect: the day it says, else as early as what was promised and published before it allows."""
    day = compiled.policy.policy.effective
    said = datetime.combine(day, time(), UTC) if day is not None else None
    before = _archived(conn)
    if not before:
        return said or now
    newest = max(one.version for one in before)
    if compiled.version <= newest:
        raise PolicyError(f"Version {newest} is published already.", f"The next one is version {newest + 1}.")
    last, earliest = before[-1], _earliest(conn, before, now)
    if said is not None and said < earliest:
        raise PolicyError(
            f"Version {compiled.version} would take effect before people had time to react.",
            f"The earliest is {iso(earliest)}; set `policy.effective` to that day or a later one.",
        )
    if said is not None and said < last.effective_at:
        raise PolicyError(
            f"Version {compiled.version} would take effect before version {last.version}, which would then replace it.",
            f"That takes effect at {iso(last.effective_at)}; set `policy.effective` to that day or a later one.",
        )
    return said or max(earliest, last.effective_at)


@dataclass(frozen=True, slots=True)
class _Archived:
    version: int
    effective_at: datetime


def _archived(conn: Connection) -> list[_Archived]:
    """What is published, in the order in which it takes effect."""
    columns = policy_version.c.version, policy_version.c.effective_at
    return [_Archived(*row) for row in conn.execute(select(*columns).order_by(columns[1], columns[0]))]


def _earliest(conn: Connection, before: Sequence[_Archived], now: datetime) -> datetime:
    """The soonest that was promised by the version in force, as it binds whoever changes it, and by those to come."""
    in_force = [one for one in before if one.effective_at <= now][-1:]
    to_come = [one for one in before if one.effective_at > now]
    found = [versions.by_number(conn, one.version).policy for one in (*in_force, *to_come)]
    return max((effective_from(one, now) for one in found if one.changes and one.changes.lead_time), default=now)
