"""The archive of published versions, and the one in force at an instant; a version once published is never changed.

One that has not taken effect yet may be taken back: it then takes effect ``NEVER``.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from itertools import pairwise, zip_longest
from typing import Any

from sqlalchemy import Connection, Subquery, bindparam, func, insert, select, true, update

from troth.errors import PolicyError, StoreError
from troth.policy.announced import Announced
from troth.policy.check import Checked, check_texts
from troth.policy.compile import Compiled, compile_policy
from troth.policy.findings import Finding
from troth.policy.model import Policy
from troth.policy.periods import Period
from troth.store.prepared import Prepared
from troth.store.tables import policy_version

NEVER = datetime(9999, 12, 31, tzinfo=UTC)
"""when a version takes effect that was taken back"""


@dataclass(frozen=True, slots=True)
class Row:
    """What the archive knows of a version without compiling it."""

    digest: str
    effective_at: datetime


def digest(policy: str, decisions: str) -> str:
    """SHA-256 of both texts, in hexadecimal: how a version is recognised again."""
    return hashlib.sha256(policy.encode() + b"\x00" + decisions.encode()).hexdigest()


@lru_cache(maxsize=64)
def compiled(policy: str, decisions: str) -> Compiled:
    """Compile the texts of a version that is to be published.

    Raises:
        PolicyError: when the texts hold unsettled errors; the first is named.
    """
    checked = check_texts(policy, decisions)
    return _compiled(checked, checked.unsettled)


@lru_cache(maxsize=64)
def archived(policy: str, decisions: str) -> Compiled:
    """Compile the texts of a version that was published: what the linter has learnt since takes nothing back.

    Raises:
        PolicyError: when the texts cannot be read as a policy with its decisions.
    """
    checked = check_texts(policy, decisions)
    return _compiled(checked, tuple(found for found in checked.unsettled if not found.of_the_linter))


def _compiled(checked: Checked, wrong: tuple[Finding, ...]) -> Compiled:
    if checked.policy is None or wrong:
        first = (wrong or checked.unsettled or checked.findings)[0]
        more = len(wrong) - 1
        hint = f"`troth check` lists all ({more} more)." if more > 0 else "`troth check` explains it."
        raise PolicyError(f"The policy does not hold together: {first.line()}", hint)
    return compile_policy(checked.policy, checked.document.places, checked.origins)


def archive(conn: Connection, policy: str, decisions: str, *, effective_at: datetime, at: datetime) -> Compiled:
    """Write a version into the archive, in the caller's transaction, and return it compiled."""
    version = compiled(policy, decisions)
    row = {"version": version.version, "effective_at": effective_at, "published_at": at}
    conn.execute(
        insert(policy_version).values(**row, digest=digest(policy, decisions), policy=policy, decisions=decisions)
    )
    return version


def published(conn: Connection, version: int) -> Row | None:
    """The archive's row of ``version``, when it was published."""
    query = select(policy_version.c.digest, policy_version.c.effective_at).where(policy_version.c.version == version)
    row = conn.execute(query).first()
    return Row(row.digest, row.effective_at) if row else None


def take_back(conn: Connection, version: int) -> None:
    """Let a version that has not taken effect never do so, in the caller's transaction."""
    conn.execute(update(policy_version).where(policy_version.c.version == version).values(effective_at=NEVER))


def announced(conn: Connection) -> list[Announced]:
    """Every version that followed another, or will, in the order of their effect.

    None that was taken back, and none that another replaced at the very instant at which it was to take effect.
    """
    columns = policy_version.c.version, policy_version.c.published_at, policy_version.c.effective_at
    query = select(*columns).where(policy_version.c.effective_at < NEVER)
    rows = conn.execute(query.order_by(policy_version.c.effective_at, policy_version.c.version)).all()
    lasting = [
        one for one, after in zip_longest(rows, rows[1:]) if after is None or one.effective_at < after.effective_at
    ]
    return [Announced(row.version, old.version, row.published_at, row.effective_at) for old, row in pairwise(lasting)]


_ROW = (
    policy_version.c.version,
    policy_version.c.digest,
    func.length(policy_version.c.policy),
    func.length(policy_version.c.decisions),
    policy_version.c.published_at,
    policy_version.c.effective_at,
)
"""all that the archive says of a version but its texts"""


def _coming() -> Subquery:
    """What changes when a version that is to come is published or taken back, so that the one in force is read anew."""
    coming = policy_version.alias("later")
    kind = coming.c.effective_at.type
    later = coming.c.effective_at > bindparam("by", type_=kind)
    known = func.count(), *(func.max(one) for one in coming.c[:3]), func.min(coming.c.effective_at)
    return select(*known).where(later, coming.c.effective_at < bindparam("never", type_=kind)).subquery("coming")


_COMING = _coming()
_LATEST = Prepared(
    select(*_ROW, *_COMING.c)
    .join(_COMING, true())
    .where(policy_version.c.effective_at <= bindparam("by", type_=policy_version.c.effective_at.type))
    .order_by(policy_version.c.effective_at.desc(), policy_version.c.version.desc())
    .limit(1)
)
_met: OrderedDict[tuple[object, ...], Compiled] = OrderedDict()
"""versions that were compiled in this process, by all that the archive says of them, and of the next ones, but the texts"""
_MET = 64


def in_force(conn: Connection, at: datetime) -> Compiled:
    """The version in force at ``at``: of those in effect by then, the one with the latest effect.

    Raises:
        StoreError: when no version was in force yet.
    """
    rows = _LATEST.rows(conn, {"by": at, "never": NEVER})
    if not rows:
        raise StoreError(
            "No version of the policy is in force.", "Run `troth publish SITE`, or wait for its effective day."
        )
    found = _met.get(rows[0])
    return found if found is not None else _meet(conn, rows[0], at)


def _meet(conn: Connection, row: tuple[Any, ...], in_force_at: datetime | None = None) -> Compiled:
    """Compile a version and remember it, if its texts are those that its digest names; with what comes, if it is in force."""
    query = select(policy_version.c.policy, policy_version.c.decisions).where(policy_version.c.version == row[0])
    texts = conn.execute(query).one()
    found = _standing(conn, archived(texts.policy, texts.decisions), in_force_at)
    if row[1] == digest(texts.policy, texts.decisions):
        _met[row] = found
        while len(_met) > _MET:
            _met.popitem(last=False)
    return found


def _standing(conn: Connection, found: Compiled, in_force_at: datetime | None = None) -> Compiled:
    """``found`` with what people are told of the change that made it, and of those that come while it is in force."""
    told = announced(conn)
    follows = next((one for one in told if one.version == found.version), None)
    later = tuple(one for one in told if in_force_at is not None and one.coming(in_force_at))
    if not follows and not later:
        return found
    return replace(found, follows=follows, later=later, _uses={}, _once={})  # what was worked out knew of neither


_NUMBERED = Prepared(select(*_ROW).where(policy_version.c.version == bindparam("version")))


def deciding(conn: Connection, version: int) -> Compiled:
    """The archived version that decides about something begun under it, remembered as ``in_force`` remembers the newest.

    Raises:
        StoreError: when there is none.
    """
    rows = _NUMBERED.rows(conn, {"version": version})
    if not rows:
        raise _missing(version)
    found = _met.get(rows[0])
    return found if found is not None else _meet(conn, rows[0])


def so_far(conn: Connection, now: datetime) -> list[tuple[Compiled, datetime]]:
    """The versions that have been in force, each with the instant until which it was; the newest with ``now``.

    Raises:
        StoreError: when no version was in force yet.
    """
    query = select(policy_version.c.version, policy_version.c.effective_at).where(policy_version.c.effective_at <= now)
    began = conn.execute(query.order_by(policy_version.c.effective_at, policy_version.c.version)).all()
    ended = [*(row.effective_at for row in began[1:]), now]
    found = [(row.version, until) for row, until in zip(began, ended, strict=True) if row.effective_at < until]
    return [(deciding(conn, version), until) for version, until in found] or [(in_force(conn, now), now)]


def whole_since(conn: Connection, now: datetime, kept: Callable[[Policy], Period]) -> datetime:
    """The instant after which every row of a log must be there: no version of the policy let the sweep take a younger one.

    ``kept`` is how long a version keeps the log. Where a newer one keeps it longer, what went by then under the one before was
    not taken out by anybody.
    """
    return max(version.calendar.cutoff(until, kept(version.policy)) for version, until in so_far(conn, now))


def by_number(conn: Connection, version: int) -> Compiled:
    """The archived version with this number, read anew, for whoever audits. Raises ``StoreError`` when there is none."""
    query = select(policy_version.c.policy, policy_version.c.decisions).where(policy_version.c.version == version)
    row = conn.execute(query).first()
    if row is None:
        raise _missing(version)
    return archived(row.policy, row.decisions)


def _missing(version: int) -> StoreError:
    return StoreError(
        f"Version {version} of the policy is not in the archive.", "Was the database restored without it?"
    )
