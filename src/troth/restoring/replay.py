"""Does again what was done since a backup and must not be undone by putting it back.

What could go wrong: somebody who was erased is back, with their key; a withdrawal, an objection or a stop is forgotten, and
what they forbade goes on; a message that left is sent again. So everything of that kind on the ledger since the backup is done
again in the copy, before the copy takes the live store's place. Noes are done again always; a yes only where the words that
were shown are known, since without them it would prove nothing. What came in since cannot be brought back: the ledger holds no
values. It is counted, for staff to ask for again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, or_, select, update

from troth.accounts import actions as accounts
from troth.agenda import settle
from troth.agenda.tables import job
from troth.consent.stops.tables import stop
from troth.consent.tables import choice, shown
from troth.errors import Refused
from troth.ledger import events
from troth.messages import actions as messages
from troth.messages.tables import message
from troth.people.keystore import destroy_keys
from troth.people.tables import person
from troth.recipients import gate
from troth.recipients.tables import DELIVERED, disclosure, instruction
from troth.restoring.record import Said
from troth.retention import ending as endings
from troth.retention.destroy import destroy
from troth.retention.tables import ending
from troth.rights.restricting import RESTRICTED
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
LOST = (
    *(events.PERSON_ADMITTED, events.PERSON_CORRECTED, events.HOLDING_COLLECTED, events.HOLDING_IMPORTED),
    *(events.DEALING_OPENED, events.DEALING_CLOSED, events.REQUEST_RECEIVED, events.POLICY_PUBLISHED),
    *(events.HOLD_MADE, events.HOLD_RELEASED, events.STAFF_ADDED, events.STAFF_REMOVED, events.STAFF_CHANGED),
    *(events.ACCOUNT_REGISTERED, events.ACCOUNT_CONFIRMED, events.ACCOUNT_CHANGED, events.ACCOUNT_MOVED),
    *(events.ACCOUNT_SUSPENDED, events.BREACH_RECORDED, events.PROOF_ATTESTED),
)
"""what the ledger says happened since and cannot say what was in it"""
AT_ONCE = 200
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
    done: Counter[str] = field(default_factory=Counter)


def replay(site: Site, said: Sequence[Said]) -> Replayed:
    """Do again in ``site``, a copy that nobody uses yet, what was ``said`` on the ledger since.

    Raises:
        StoreError: when a store does not answer; to be begun again on a fresh copy.
    """
    replaying = _Replaying(site, said)
    _choices(replaying)
    _uses(replaying)
    _left(replaying)
    _endings(replaying)
    lost = Counter(one.event for one in said if one.event in LOST)
    return Replayed(
        {name: count for name, count in sorted(replaying.done.items()) if count}, dict(sorted(lost.items()))
    )


def of(said: Iterable[Said], *kinds: str) -> list[Said]:
    """Those of these events, in the order in which they were made."""
    return [one for one in said if one.event in kinds]


def _people(conn: Connection, ids: Iterable[object]) -> set[str]:
    """Those of ``ids`` who are in the copy."""
    wanted, found = sorted({str(one) for one in ids if one}), set[str]()
    for start in range(0, len(wanted), 1000):
        found |= set(conn.scalars(select(person.c.id).where(person.c.id.in_(wanted[start : start + 1000]))))
    return found


def _choices(replaying: _Replaying) -> None:
    """Every choice since, as it was recorded; an agreement to words that the copy does not have is left out."""
    made = of(replaying.said, *CHOICES)
    with replaying.site.writing() as conn:
        there = _people(conn, (one.body.get("person") for one in made))
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
        for one in of(replaying.said, events.REQUEST_ANSWERED, events.RESTRICTION_LIFTED, events.ACCOUNT_CANCELLED):
            change = _restriction(one)
            if change is not None:
                mine = person.c.id == str(one.body.get("person"))
                free = or_(person.c.only_for.is_(None), person.c.only_for.in_((RESTRICTED, accounts.CANCELLED)))
                replaying.done["restrictions"] += conn.execute(
                    update(person).where(mine, free).values(**change)
                ).rowcount


def _restriction(one: Said) -> dict[str, Any] | None:
    if one.event == events.RESTRICTION_LIFTED:
        return {"only_for": None}
    if one.event == events.ACCOUNT_CANCELLED:
        return {"only_for": accounts.CANCELLED}
    restricted = one.body.get("right") == "restriction" and one.body.get("outcome") == "done"
    return {"only_for": RESTRICTED} if restricted else None


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


def keep_what_was_said(copy: Site, live: Site, since: datetime) -> int:
    """Note in ``copy`` what ``live`` has said and done ``since``, also of kinds that the ledger says nothing of; how many.

    Jobs and messages have keys by which each is done once: with them the copy cannot begin anew what is done.
    """
    with copy.reading() as conn:
        keys = list(conn.scalars(select(job.c.key).where(job.c.done_at.is_(None)).order_by(job.c.key)))
    kept = 0
    for start in range(0, len(keys), AT_ONCE):
        some = job.c.key.in_(keys[start : start + AT_ONCE])
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
        rows = there.execution_options(yield_per=AT_ONCE).execute(select(table).where(which)).mappings()
        for some in rows.partitions(AT_ONCE):
            known = _people(here, (row.get("person_id") for row in some))
            mine = [dict(row) for row in some if row.get("person_id") in known or "person_id" not in row]
            if mine:
                kept += here.execute(insert_into(here, table).values(mine).on_conflict_do_nothing()).rowcount
    return kept


def _endings(replaying: _Replaying) -> None:
    """Whoever went since goes again, at once where they were destroyed; whoever was put back is put back."""
    site, said = replaying.site, replaying.said
    destroyed = {str(one.body["ending"]) for one in of(said, events.ENDING_DESTROYED)}
    undone = {str(one.body["ending"]) for one in of(said, events.ENDING_RESTORED)}
    begun = {str(one.body["ending"]): one for one in of(said, events.ENDING_QUARANTINED)}
    for id_ in sorted(undone - begun.keys()):
        replaying.done["endings undone"] += _put_back(site, id_)
    gone = [begun[id_] for id_ in begun if id_ in destroyed and begun[id_].body.get("person")]
    waits = [begun[id_] for id_ in begun if id_ not in destroyed | undone and begun[id_].body.get("person")]
    replaying.done["people and fields destroyed again"] += sum(_begun_again(site, one, at_once=True) for one in gone)
    replaying.done["people and fields in quarantine again"] += sum(_begun_again(site, one) for one in waits)
    whole = [str(one.body["person"]) for one in gone if not one.body.get("fields")]
    replaying.done["keys destroyed again"] += destroy_keys(site, _never_there(site, whole))
    for id_ in sorted(destroyed - begun.keys()):
        replaying.done["endings destroyed again"] += _destroyed_now(site, id_)
    endings.destroy_quietly(site)


def _put_back(site: Site, id_: str) -> int:
    with site.writing() as conn:
        try:
            endings.restore(site, conn, id_)
        except Refused:
            return 0
    return 1


def _begun_again(site: Site, one: Said, at_once: bool = False) -> int:
    fields = one.body.get("fields")
    going = endings.Going(
        person_id=str(one.body["person"]),
        cause=str(one.body["cause"]),
        deadline=site.now() if at_once else datetime.fromisoformat(one.body["by"]),
        fields=frozenset(fields) if fields else None,
    )
    with site.writing() as conn:
        if not _people(conn, [going.person_id]):
            return 0
        endings.begin_each(site, conn, [going])
    return 1


def _never_there(site: Site, ids: Sequence[str]) -> list[str]:
    """Those who came after the data was copied: their keys may be in the copy of the keys all the same."""
    with site.reading() as conn:
        there = _people(conn, ids)
    return [one for one in ids if one not in there]


def _destroyed_now(site: Site, id_: str) -> int:
    """Destroy what was in quarantine already when the copy was made."""
    with site.reading() as conn:
        state = conn.scalar(select(ending.c.state).where(ending.c.id == id_))
    if state != "quarantined":
        return 0
    destroy(site, id_)
    return 1
