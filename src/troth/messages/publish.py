"""Publishing a version: checked, announced early enough, archived, on the ledger and to be told, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time

from sqlalchemy import Connection, select

from troth import ledger
from troth.clock import iso
from troth.errors import NotAllowed, PolicyError
from troth.ledger import events
from troth.messages.changing import announce_in, take_back_in
from troth.policy.compile import Compiled
from troth.policy.diff import effective_from, lead_of
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
        NotAllowed: when the policy changes a published version, is numbered below one, or takes effect too early.
        PolicyError: when the policy has unsettled findings.
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


def take_back(site: Site, version: int) -> None:
    """Let a version that is published and has not taken effect never do so; whoever was written to about it is told.

    Raises:
        NotAllowed: when it has taken effect.
        PolicyError: when there is no such version, or it was taken back before.
    """
    with site.writing() as conn:
        row = versions.published(conn, version)
        if row is None:
            raise PolicyError(f"Version {version} is not published.", "`troth publish` says which one is.")
        if row.effective_at == versions.NEVER:
            raise PolicyError(f"Version {version} was taken back before.", "There is nothing left to do.")
        if row.effective_at <= site.now():
            message = f"Version {version} has been in effect since {iso(row.effective_at)} and cannot be taken back."
            raise NotAllowed(message, "Publish another version that says what the one before it said.")
        versions.take_back(conn, version)
        ledger.append(conn, site.now(), events.POLICY_TAKEN_BACK, {"version": version})
        take_back_in(site, conn, version)


def _texts(site: Site) -> tuple[str, str]:
    policy, decisions = site.folder / "policy.yaml", site.folder / "decisions.yaml"
    read_document(policy)
    return policy.read_text("utf-8-sig"), decisions.read_text("utf-8-sig") if decisions.exists() else ""


def _unchanged(compiled: Compiled, before: versions.Row, digest: str) -> Published:
    if before.effective_at == versions.NEVER:
        raise NotAllowed(
            f"Version {compiled.version} was taken back, and a number is used once.",
            f"Count `policy.version` up to {compiled.version + 1} to publish it again.",
        )
    if before.digest != digest:
        raise NotAllowed(
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
        raise NotAllowed(f"Version {newest} is published already.", f"The next one is version {newest + 1}.")
    lasting = [one for one in before if one.effective_at < versions.NEVER]
    last, earliest = lasting[-1], _earliest(conn, lasting, now)
    if said is not None and said < earliest:
        raise NotAllowed(
            f"Version {compiled.version} would take effect before people had time to react.",
            f"The earliest is {iso(earliest)}; set `policy.effective` to that day or a later one.",
        )
    if said is not None and said < last.effective_at:
        raise NotAllowed(
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
    return max((effective_from(one, now) for one in found if lead_of(one)), default=now)
