"""Telling people by mail that the policy changes: one notice for each person and version, reminders, and each with a way out.

What could go wrong: half of the people told and the rest forgotten when a worker dies; somebody told twice; a notice that
tells people to leave if they disagree and does not say how; a reminder of a version that was taken back. So the people are gone
through in the order of their numbers, a set and the place of the next one in a transaction; a notice has the key of its
version, person and occurrence; where the policy offers erasure it carries a link, made as it leaves, that asks for it
without an account; and as it leaves it is looked at whether the version is still to come.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from troth import agenda, ledger
from troth.agenda import Job
from troth.ledger import events
from troth.messages.actions import REMOVAL, queue_many
from troth.messages.outdated import REMINDER
from troth.messages.post import LEAVES_WITHIN
from troth.messages.tables import message
from troth.people.tables import person
from troth.policy.announced import Announced
from troth.policy.compile import Compiled
from troth.policy.notice.language import Speaker, language
from troth.store import versions
from troth.store.site import Site

CHANGED = "message:changed"
BATCH = 200
BACK = "back"
"""in place of the number of a reminder: that the version was taken back"""


@dataclass(frozen=True, slots=True)
class Round:
    """One time that everybody is written to: of which ``version``, and ``what``.

    ``what`` is blank for the notice itself, else the number of a reminder, or ``BACK``.
    """

    version: int
    what: str = ""

    @property
    def name(self) -> str:
        return f"{self.version}:{self.what}" if self.what else str(self.version)

    def key(self, person_id: str) -> str:
        """What the message to a person is known by: it is never sent twice."""
        return f"changed:{self.version}:{person_id}" + (f":{self.what}" if self.what else "")


def announce(site: Site, version: int) -> bool:
    """Put the notices of a published ``version`` on the agenda: once, and not of the first, which changes nothing.

    False when there is nothing to do: the policy in force promises no e-mail, has no class of notices, or this was done.
    """
    with site.writing() as conn:
        return announce_in(site, conn, version)


def announce_in(site: Site, conn: Connection, version: int) -> bool:
    """As ``announce``, in the transaction that publishes the version, so that none is published and told to nobody."""
    return _announced(conn, version) is not None and _begin(site, conn, Round(version))


def take_back_in(site: Site, conn: Connection, version: int) -> bool:
    """Let everybody who was written to know that ``version`` does not come, in the transaction that takes it back."""
    return _begin(site, conn, Round(version, BACK))


def _begin(site: Site, conn: Connection, round_: Round) -> bool:
    if _class(site.policy(conn)) is None:
        return False
    return _put(site, conn, round_, "")


def _put(site: Site, conn: Connection, round_: Round, after: str) -> bool:
    """The next set of people of a round, those whose ids come ``after``, on the agenda."""
    now, ref = site.now(), f"{round_.version}:{round_.what}:{after}"
    key = f"{CHANGED}:{round_.name}" + (f":{after}" if after else "")
    return agenda.put(conn, CHANGED, key, ref, due_at=now, at=now, deadline=now + LEAVES_WITHIN)


def remind(site: Site) -> int:
    """Put the reminders that are due on the agenda, the last one of each version that is to come; how many were new."""
    if site.policy().coming is None:
        return 0
    with site.writing() as conn:
        due = [round_ for one in versions.announced(conn) for round_ in _due(conn, one, site.now())]
        return sum(_begin(site, conn, round_) for round_ in due)


def _due(conn: Connection, change: Announced, now: datetime) -> list[Round]:
    """The reminder of ``change`` that is due; those before it that nobody was sent are not made up for."""
    promised = versions.in_force(conn, change.published_at).policy.changes
    if not change.coming(now) or promised is None or promised.remind_every is None:
        return []
    past = [at for at in change.reminders(promised.remind_every) if at <= now]
    return [Round(change.version, str(len(past)))] if past else []


def _announced(conn: Connection, version: int) -> Announced | None:
    return next((one for one in versions.announced(conn) if one.version == version), None)


def _class(compiled: Compiled) -> str | None:
    """The class of messages that tells of changes, if the policy says that people learn of them by e-mail."""
    told = compiled.policy.changes.told_by if compiled.policy.changes else ()
    classes = [key for key, one in compiled.policy.messages.items() if one.kind == "notice"]
    return classes[0] if classes and "e-mail" in told else None


def tell(site: Site, job: Job) -> None:
    """Queue the messages of a round for a set of people, and put the next set on the agenda.

    Raises:
        StoreError: when a store is locked or gone; the set is then begun again.
    """
    round_, after = _read(job.ref)
    with site.writing() as conn:
        agenda.settle(conn, job.key, site.now())
        name, terms = _class(site.policy(conn)), _terms(site, conn, round_)
        if name is None or terms is None:
            return
        people = list(conn.scalars(_people(round_, after)))
        if not people:
            ledger.append(conn, site.now(), events.POLICY_TOLD, {"version": round_.version, "round": round_.what})
            return
        template = "taken_back" if round_.what == BACK else "changed"
        queue_many(site, conn, {one: round_.key(one) for one in people}, name, template, terms)
        _put(site, conn, round_, people[-1])


def _read(ref: str) -> tuple[Round, str]:
    """The round, and the person after whom it goes on. What an earlier Troth put on the agenda has no reminder's number."""
    version, *what, after = ref.split(":")
    return Round(int(version), *what), after


def _people(round_: Round, after: str) -> Select[Any]:
    """The next people: everybody who is here; of what was taken back, those alone who had been told of it."""
    query = select(person.c.id).where(person.c.id > after, person.c.state == "active")
    if round_.what == BACK:
        told = message.c.key == Round(round_.version).key("") + person.c.id
        query = query.where(select(message.c.id).where(told, message.c.state == "sent").exists())
    return query.order_by(person.c.id).limit(BATCH)


def _terms(site: Site, conn: Connection, round_: Round) -> dict[str, Any] | None:
    """What the message says, in the first language of the policy in force; None when there is nothing to say any more."""
    policy = site.policy(conn).policy
    speaker = Speaker(policy, language(policy.policy.languages[0]))
    base = site.wiring.base_url.rstrip("/")
    said = {"language": speaker.words.tag, "version": round_.version}
    if round_.what == BACK:
        return said | {"notice": f"{base}/versions"}
    change = _announced(conn, round_.version)
    if change is None or (round_.what and not change.coming(site.now())):
        return None
    offered = any(one.right == "erasure" for one in policy.rights.values())
    return said | {
        "day": speaker.date(change.effective_at.date()),
        "disagree": speaker.text(policy.changes.disagree) if policy.changes and policy.changes.disagree else "",
        "notice": f"{base}/changes/{round_.version}",
        REMINDER: bool(round_.what),
        REMOVAL: round_.version if offered else 0,
    }
