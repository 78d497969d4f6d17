"""Telling people that the policy changes: one notice for each person and version, each with a way out.

What could go wrong: half of the people told and the rest forgotten when a worker dies; somebody told twice; a notice that
tells people to leave if they disagree and does not say how. So the people are gone through in the order of their numbers, a
set and the place of the next one in a transaction; a notice has the key of its version and person; and where the policy offers
erasure the notice carries a link, made as it leaves, that asks for it without an account.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, func, select

from troth import agenda
from troth.agenda import Job
from troth.messages.actions import REMOVAL, queue
from troth.messages.post import LEAVES_WITHIN
from troth.people.tables import person
from troth.policy.compile import Compiled
from troth.policy.notice.language import Speaker, language
from troth.store import versions
from troth.store.site import Site
from troth.store.tables import policy_version

CHANGED = "message:changed"
BATCH = 200


def announce(site: Site, version: int) -> bool:
    """Put the notices of a published ``version`` on the agenda: once, and not of the first, which changes nothing.

    False when there is nothing to do: the policy in force promises no e-mail, has no class of notices, or this was done.
    """
    with site.writing() as conn:
        return announce_in(site, conn, version)


def announce_in(site: Site, conn: Connection, version: int) -> bool:
    """As ``announce``, in the transaction that publishes the version, so that none is published and told to nobody."""
    now = site.now()
    first = conn.scalar(select(func.min(policy_version.c.version)))
    if first == version or _class(site.policy(conn)) is None:
        return False
    key, late = f"{CHANGED}:{version}", now + LEAVES_WITHIN
    return agenda.put(conn, CHANGED, key, f"{version}:", due_at=now, at=now, deadline=late)


def _class(compiled: Compiled) -> str | None:
    """The class of messages that tells of changes, if the policy says that people learn of them by e-mail."""
    told = compiled.policy.changes.told_by if compiled.policy.changes else ()
    classes = [key for key, one in compiled.policy.messages.items() if one.kind == "notice"]
    return classes[0] if classes and "e-mail" in told else None


def tell(site: Site, job: Job) -> None:
    """Queue the notice of a version for a set of people, and put the next set on the agenda.

    Raises:
        StoreError: when a store is locked or gone; the set is then begun again.
    """
    version, _, after = job.ref.partition(":")
    with site.writing() as conn:
        name = _class(site.policy(conn))
        there = (person.c.id > after) & (person.c.state == "active")
        people = list(conn.scalars(select(person.c.id).where(there).order_by(person.c.id).limit(BATCH)))
        if name is None or not people:
            return
        terms = _terms(site, conn, int(version))
        for one in people:
            queue(site, conn, one, name, "changed", terms, f"changed:{version}:{one}", final=True)
        now, ref = site.now(), f"{version}:{people[-1]}"
        agenda.put(conn, CHANGED, f"{CHANGED}:{ref}", ref, due_at=now, at=now, deadline=now + LEAVES_WITHIN)


def _terms(site: Site, conn: Connection, version: int) -> dict[str, Any]:
    """What the notice says, in the first language of the policy that it changes."""
    policy = site.policy(conn).policy
    speaker = Speaker(policy, language(policy.policy.languages[0]))
    row = versions.published(conn, version)
    assert row is not None
    offered = any(one.right == "erasure" for one in policy.rights.values())
    return {
        "language": speaker.words.tag,
        "version": version,
        "day": speaker.date(row.effective_at.date()),
        "disagree": speaker.text(policy.changes.disagree) if policy.changes and policy.changes.disagree else "",
        "notice": f"{site.wiring.base_url.rstrip('/')}/versions",
        REMOVAL: version if offered else 0,
    }
