"""Does again what was done since a backup and must not be undone by putting it back.

What could go wrong: somebody who was erased is back, with their key; a withdrawal, an objection, a restriction or a stop is
forgotten, and what they forbade goes on; whoever was shut out is in again (``shut_out``); a message that left is sent again.
So everything of that kind on the ledger since the backup is done again in the copy, before the copy takes the live store's
place. Noes are done again always; a yes only where the words that were shown are known, since without them it would prove
nothing. What came in since cannot be brought back: the ledger holds no values. It is counted, for staff to ask for again
(``lost``). A test asks of each event of the ledger what becomes of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select, update

from troth.accounts import actions as accounts
from troth.agenda import settle
from troth.agenda.tables import job
from troth.batches import batches
from troth.consent.stops.tables import stop
from troth.consent.tables import choice, shown
from troth.ledger import events
from troth.messages import actions as messages
from troth.messages.tables import message, posting
from troth.people.tables import person
from troth.recipients import gate
from troth.recipients.tables import DELIVERED, disclosure, instruction
from troth.restoring.erasures import BATCH, erase_again, people_in
from troth.restoring.lost import LOST
from troth.restoring.record import Said, of
from troth.restoring.shut_out import shut_out_again
from troth.restoring.spent import spend_again
from troth.rights.restricting import RESTRICTED
from troth.store import versions
from troth.store.insert import insert_into
from troth.store.site import Site

CHOICES: Mapping[str, str] = {
    events.CONSENT_GIVEN: "given",
    events.CONSENT_REFUSED: "refused",
    events.CONSENT_WITHDRAWN: "withdrawn",
    events.CONSENT_EXPIRED: "expired",
    events.OBJECTION_MADE: "objected",
    events.OBJECTION_LIFTED: "lifted",
}
STOPS: Mapping[str, str] = {events.STOP_MADE: "stopped", events.STOP_LIFTED: "lifted"}
MESSAGES: Mapping[str, str] = {
    events.MESSAGE_SENT: "sent",
    events.MESSAGE_FAILED: "failed",
    events.MESSAGE_REFUSED: "refused",
}
UNKNOWN_WORDS = "said after the backup; the ledger has the digest of the words"


@dataclass(frozen=True, slots=True)
class Replayed:
    """What was done again, by kind, and what happened since the backup that cannot be known from the ledger."""

    done: Mapping[str, int]
    lost: Mapping[str, int]


@dataclass
class _Replaying:
    site: Site
    said: Sequence[Said]
    since: datetime | None
    done: Counter[str] = field(default_factory=Counter)


def replay(
    site: Site,
    said: Sequence[Said],
    since: datetime | None = None,
    former: Site | None = None,
    all_is_said: bool = True,
) -> Replayed:
    """Do again in ``site``, a copy that nobody uses yet, what was ``said`` on the ledger since.

    Args:
        since: when this was first begun, where it may have been interrupted: what began since then is not begun twice.
        former: the store whose place the copy takes, if it can be read.
        all_is_said: whether ``said`` is all that was done since.

    Raises:
        StoreError: when a store does not answer; to be begun again.
    """
    replaying = _Replaying(site, said, since)
    _versions(replaying)
    _choices(replaying)
    _uses(replaying)
    replaying.done.update(shut_out_again(site, said))
    replaying.done.update(spend_again(site, said, former, all_is_said))
    _left(replaying)
    replaying.done.update(erase_again(site, said, since))
    lost = Counter(one.event for one in said if one.event in LOST)
    lost[events.MESSAGE_QUEUED] -= _sent_and_not_in_copy(replaying)
    return Replayed(
        {name: count for name, count in sorted(replaying.done.items()) if count}, dict(sorted((+lost).items()))
    )


def _versions(replaying: _Replaying) -> None:
    """Versions that were taken back since, and those that pages were seen to announce, as far as the copy has them."""
    with replaying.site.writing() as conn:
        for one in of(replaying.said, events.POLICY_POSTED, events.POLICY_TAKEN_BACK):
            version = int(str(one.body["version"]))
            if versions.published(conn, version) is None:
                continue
            if one.event == events.POLICY_TAKEN_BACK:
                versions.take_back(conn, version)
                replaying.done["versions taken back"] += 1
            else:
                new = insert_into(conn, posting).values(version=version, at=one.at).on_conflict_do_nothing()
                replaying.done["announcements on pages"] += conn.execute(new).rowcount


def _choices(replaying: _Replaying) -> None:
    """Every choice since, as it was recorded; an agreement to words that the copy does not have is left out."""
    made = of(replaying.said, *CHOICES)
    with replaying.site.writing() as conn:
        there = people_in(conn, (one.body.get("person") for one in made))
        words = set(conn.scalars(select(shown.c.digest)))
        for one in made:
            body = one.body
            if body.get("person") not in there:
                continue
            state = CHOICES[one.event]
            if state in {"given", "lifted"} and body["shown"] not in words:
                replaying.done["agreements left out, of which the words are not known"] += 1
                continue
            row = {"id": body["choice"], "person_id": body["person"], "scope": body["scope"], "state": state}
            row |= {"at": one.at, "shown": body["shown"], "channel": body["channel"], "policy_version": body["version"]}
            new = insert_into(conn, choice).values(row).on_conflict_do_nothing()
            replaying.done["choices"] += conn.execute(new).rowcount


def _uses(replaying: _Replaying) -> None:
    """Stops of a use for everybody, and restrictions of people's own data."""
    with replaying.site.writing() as conn:
        for one in of(replaying.said, *STOPS):
            body = one.body
            row = {"id": body["stop"], "scope": body["scope"], "origin": body["origin"], "state": STOPS[one.event]}
            row |= {"at": one.at, "because": UNKNOWN_WORDS, "made_by": body["by"], "policy_version": body["version"]}
            replaying.done["stops"] += conn.execute(
                insert_into(conn, stop).values(row).on_conflict_do_nothing()
            ).rowcount
        for one in of(replaying.said, *RESTRICTIONS):
            change = _restriction(one)
            if change is not None:
                to, before = change
                free = or_(*(person.c.only_for.is_not_distinct_from(was) for was in before))
                mine = person.c.id == str(one.body.get("person")), free
                replaying.done["restrictions"] += conn.execute(update(person).where(*mine).values(only_for=to)).rowcount


RESTRICTIONS = events.RESTRICTION_MADE, events.RESTRICTION_LIFTED, events.REQUEST_ANSWERED, events.ACCOUNT_CANCELLED
"""what pauses the use of somebody's data or ends that; an older answer to a request had no entry of its own for it"""


def _restriction(one: Said) -> tuple[str | None, tuple[str | None, ...]] | None:
    """What a person's data may be used for after ``one``, and after which states it changes; None when it says nothing."""
    if one.event == events.RESTRICTION_LIFTED:
        return None, (RESTRICTED,)
    if one.event == events.ACCOUNT_CANCELLED:
        return accounts.CANCELLED, (None,)
    answered = one.body.get("right") == "restriction" and one.body.get("outcome") == "done"
    restricts = one.event == events.RESTRICTION_MADE or answered
    return (RESTRICTED, (None, accounts.CANCELLED)) if restricts else None


def _left(replaying: _Replaying) -> None:
    """What left the site, so that it does not leave twice."""
    with replaying.site.writing() as conn:
        for one in of(replaying.said, *MESSAGES):
            if "message" in one.body:
                _message_left(replaying, conn, str(one.body["message"]), MESSAGES[one.event], one.at)
        for one in of(replaying.said, events.DISCLOSURE_DELIVERED):
            id_ = str(one.body["disclosure"])
            change = {"state": DELIVERED, "delivered_at": one.at}
            done = conn.execute(update(disclosure).where(disclosure.c.id == id_).values(**change)).rowcount
            replaying.done["deliveries made"] += done
            settle(conn, f"{gate.DELIVER}:{id_}", one.at)
        for one in of(replaying.said, events.INSTRUCTION_ACKNOWLEDGED):
            mine = instruction.c.ending_id == one.body["ending"], instruction.c.recipient == one.body["recipient"]
            change = {"acknowledged_at": one.at, "acknowledged_by": one.body["by"]}
            still = instruction.c.acknowledged_at.is_(None)
            done = conn.execute(update(instruction).where(*mine, still).values(**change)).rowcount
            replaying.done["deletions acknowledged"] += done


def _message_left(replaying: _Replaying, conn: Connection, id_: str, state: str, at: datetime) -> None:
    change = {"state": state, "sent_at": at if state == "sent" else None}
    mine = message.c.id == id_, message.c.state == "queued"
    replaying.done[f"messages {state}"] += conn.execute(update(message).where(*mine).values(**change)).rowcount
    settle(conn, f"{messages.DELIVER}:{id_}", at)


def _sent_and_not_in_copy(replaying: _Replaying) -> int:
    """How many messages were queued since and left the site, too: of these nothing is lost."""
    left = {one.body.get("message") for one in of(replaying.said, events.MESSAGE_SENT, events.MESSAGE_FAILED)} - {None}
    return len(left) - replaying.done["messages sent"] - replaying.done["messages failed"]


def keep_what_was_said(copy: Site, live: Site, since: datetime) -> int:
    """Note in ``copy`` what ``live`` has said and done ``since``, also of kinds that the ledger says nothing of; how many.

    Jobs and messages have keys by which each is done once: with them the copy cannot begin anew what is done.
    """
    with copy.reading() as conn:
        keys = list(conn.scalars(select(job.c.key).where(job.c.done_at.is_(None)).order_by(job.c.key)))
    kept = 0
    for named in batches(keys, BATCH):
        some = job.c.key.in_(named)
        with live.reading() as conn:
            done = conn.execute(select(job.c.key, job.c.done_at).where(some, job.c.done_at.is_not(None))).all()
        with copy.writing() as conn:
            for row in done:
                settle(conn, row.key, row.done_at)
        kept += len(done)
    sent = and_(message.c.at >= since, message.c.state != "queued")
    return kept + _kept(copy, live, job, job.c.done_at >= since) + _kept(copy, live, message, sent)


def _kept(copy: Site, live: Site, table: Table, which: ColumnElement[bool]) -> int:
    """Take over the rows of ``live`` that the copy has not; of people, of those alone whom the copy knows."""
    kept = 0
    with live.reading() as there, copy.writing() as here:
        rows = there.execution_options(yield_per=BATCH).execute(select(table).where(which)).mappings()
        for some in rows.partitions(BATCH):
            known = people_in(here, (row.get("person_id") for row in some))
            mine = [dict(row) for row in some if row.get("person_id") in known or "person_id" not in row]
            if mine:
                kept += here.execute(insert_into(here, table).values(mine).on_conflict_do_nothing()).rowcount
    return kept
