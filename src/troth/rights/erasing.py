"""Erasure at a person's wish: planned, shown, begun by the one path of everything that ends, followed to its end, or undone.

What could go wrong: *complete* said of what is not; a deadline counted from the day somebody got round to it; a plan that says
one thing while the act does another. So the plan is the act itself, carried out in a transaction that is taken back; the
deadline counts from the moment the request arrived; and a request is *done* only when the ending is complete, which means read
again and acknowledged by everyone, and nothing is held back. Anything less has another name. Nobody waits for a recipient that
does not answer: what was destroyed here, what stays and who is silent is said before the promised day, and later the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select

from troth.errors import Refused
from troth.people.tables import holding, shape
from troth.policy.notice.language import Speaker
from troth.recipients.instructions import acknowledged, waiting
from troth.recipients.tables import IN_A_CASE, MAY_HAVE_ARRIVED, disclosure
from troth.retention.ending import begin_ending, restore
from troth.retention.holds import Hold, holds_of
from troth.retention.quarantine import fields_in
from troth.retention.tables import ending
from troth.rights import links, replies, rules
from troth.rights.cases import CARRYING, CLOSED, PERSON, SYSTEM, Case
from troth.rights.replies import words_in
from troth.rights.tables import reply
from troth.store.site import Site

ERASING, ERASED_HERE, ERASED = "erasing", "erased_here", "erased"
"""the letters of an erasure, by their keys: it begins, it is done here and a recipient is silent, it is complete"""
GOES, STAYS = "goes", "stays"
"""terms of the first of them: the fields that go, and those of which something stays"""
PATIENCE = timedelta(hours=1)
"""for which recipients that answer by themselves are waited for before anybody is written to about their silence"""


@dataclass(frozen=True, slots=True)
class Plan:
    """What an erasure does: the fields that go, the holds that keep some a while, who is told, and by when all is gone.

    ``back_until``: as long it can be undone: the destruction comes before the promised day, by a margin.
    """

    goes: tuple[str, ...]
    kept: tuple[Hold, ...]
    told: tuple[str, ...]
    until: datetime
    back_until: datetime


class _OnlyPlannedError(Exception):
    """Takes a plan back."""


def plan(site: Site, person_id: str) -> Plan:
    """What erasing somebody now would do: done, looked at and undone, so that the plan cannot differ from the act.

    Raises:
        Refused: when there is no such person.
    """
    made: Plan | None = None
    try:
        with site.writing() as conn:
            until = rules.destroyed_by(site.policy(conn), site.now())
            ending_id = begin_ending(site, conn, person_id, "request:plan", until)
            made = _planned(site, conn, person_id, ending_id, until)
            raise _OnlyPlannedError
    except _OnlyPlannedError:
        assert made is not None
        return made


def _planned(site: Site, conn: Connection, person_id: str, ending_id: str, until: datetime) -> Plan:
    row = conn.execute(select(ending.c.destroys_at, ending.c.everywhere).where(ending.c.id == ending_id)).one()
    return Plan(
        tuple(sorted(fields_in(conn, ending_id))),
        _kept(site, conn, person_id),
        tuple(_given_to(conn, person_id)) if row.everywhere else (),
        until,
        row.destroys_at,
    )


def _kept(site: Site, conn: Connection, person_id: str) -> tuple[Hold, ...]:
    """The holds that keep something of somebody which is still there."""
    left = _left(conn, person_id)
    return tuple(one for one in holds_of(conn, person_id, site.now()) if left & set(one.fields or left))


def _left(conn: Connection, person_id: str) -> frozenset[str]:
    """The fields of which something is held of somebody, out of quarantine; their names alone."""
    written = select(shape.c.fields).join(holding, holding.c.shape_id == shape.c.id)
    found = conn.scalars(written.where(holding.c.person_id == person_id).distinct())
    return frozenset(name for fields in found for name in fields.split())


def _given_to(conn: Connection, person_id: str) -> list[str]:
    mine = (disclosure.c.person_id == person_id) & disclosure.c.state.in_(MAY_HAVE_ARRIVED)
    mine &= ~IN_A_CASE
    return sorted(conn.scalars(select(disclosure.c.recipient).where(mine).distinct()))


def begin(case: Case) -> Case:
    """Quarantine everything at once, in the case's transaction, and tell the person what happens and how to undo it."""
    deadline = rules.destroyed_by(case.compiled, case.row.at)
    ending_id = begin_ending(case.site, case.conn, case.person_id, f"request:{case.id}", deadline)
    planned = _planned(case.site, case.conn, case.person_id, ending_id, deadline)
    case.note("quarantined", SYSTEM)
    case = case.change(ending_id=ending_id, state=CARRYING, waits_for=SYSTEM, waits_until=deadline)
    lasts = max(planned.back_until - case.site.now(), case.site.wiring.margin)
    link = links.issue(case.site, case.conn, case.id, links.UNDO, lasts)
    replies.queue(
        case.site, case.conn, case.id, "erasing", ERASING,
        until=case.day(deadline), back=case.day(planned.back_until), kept=kept_words(case.speaker, planned.kept),
        told=_told_words(case.speaker, planned.told), link=link, opens=links.UNDO,
        **{GOES: list(planned.goes), STAYS: sorted(_left(case.conn, case.person_id))},
    )  # fmt: skip
    return case


def kept_words(speaker: Speaker, kept: Sequence[Hold]) -> str:
    """What stays, why and until when, in a sentence for each hold; blank when nothing does."""
    said = words_in(speaker.words.tag)["said"]
    policy = speaker.policy
    sentences = []
    for one in kept:
        fields = speaker.fields(one.fields) if one.fields else said["everything"]
        legal = policy.legal.get(one.ground)
        ground = speaker.text(legal.label) if legal else one.reason or speaker.phrase("may keep", one.ground)
        sentences.append(str(said["kept"]).format(fields=fields, ground=ground, until=speaker.date(one.ends_at.date())))
    return " ".join(sentences)


def _told_words(speaker: Speaker, recipients: Sequence[str], kind: str = "told") -> str:
    if not recipients:
        return ""
    names = speaker.recipients(recipients)
    return str(words_in(speaker.words.tag)["said"][kind]).format(recipients=names)


def follow(case: Case) -> Case:
    """Move a request on as far as its ending has come; does nothing while that has not changed."""
    row = case.conn.execute(select(ending).where(ending.c.id == case.row.ending_id)).first()
    if row is None or case.row.state == CLOSED:
        return case
    if row.state == "restored":
        return case.close("cancelled")
    if row.state == "complete":
        return _completed(case, row.id, row.destroyed_at or case.site.now())
    return _destroyed(case, row) if row.state == "destroyed" else case


def _destroyed(case: Case, row: Row[Any]) -> Case:
    """While a recipient has not answered, the person is told before the promised day what was done here."""
    silent = sorted(waiting(case.conn, row.id))
    if silent and case.site.now() >= min(row.destroyed_at + PATIENCE, row.destroy_by - PATIENCE):
        still = _told_words(case.speaker, silent, "waiting")
        said = _done_words(case, row.destroyed_at)
        replies.queue(case.site, case.conn, case.id, "erased_here", ERASED_HERE, waiting=still, **said)
    if silent and case.row.waits_for != f"recipient:{silent[0]}":
        return case.waits(CARRYING, f"recipient:{silent[0]}", row.destroy_by)
    return case


def _completed(case: Case, ending_id: str, destroyed_at: datetime) -> Case:
    confirmed = _told_words(case.speaker, acknowledged(case.conn, ending_id), "confirmed")
    said, is_whole = _done_words(case, destroyed_at), not _left(case.conn, case.person_id)
    kind = "erased" if is_whole else "partly_erased"
    replies.queue(case.site, case.conn, case.id, kind, ERASED, confirmed=confirmed, **said)
    return case.close("done" if is_whole else "partly done")


def _done_words(case: Case, destroyed_at: datetime) -> dict[str, str]:
    """When what was destroyed, and what stays, on which ground and until when; in words."""
    gone = [field for field in _gone(case) if field in case.compiled.policy.data]
    words = str(words_in(case.speaker.words.tag)["said"]["gone"])
    return {
        "day": case.day(destroyed_at),
        "gone": words.format(fields=case.speaker.fields(gone)) if gone else "",
        "kept": kept_words(case.speaker, _kept(case.site, case.conn, case.person_id)),
    }


def _gone(case: Case) -> list[str]:
    """The fields of which something was destroyed: those that went out of use, but for what somebody kept since.

    A request from before they were noted has none.
    """
    began = case.conn.scalar(select(reply.c.terms).where(reply.c.key == f"{case.id}:{ERASING}")) or {}
    kept_since = _left(case.conn, case.person_id) - set(began.get(STAYS, ()))
    return sorted(set(began.get(GOES, ())) - kept_since)


def undo(case: Case, by: str = PERSON) -> Case:
    """Put everything back, in the case's transaction, while it is in quarantine.

    Raises:
        Refused: when it is destroyed, or was never begun.
    """
    if case.row.ending_id is None or case.row.state != CARRYING:
        raise Refused("This can no longer be undone.", "Only what is in quarantine can; what is destroyed is gone.")
    put_back(case, by)
    replies.queue(case.site, case.conn, case.id, "cancelled", "cancelled")
    return case.close("cancelled", by)


def put_back(case: Case, by: str) -> None:
    """Bring back what an erasure that has begun took out of use. Raises ``Refused`` once it is destroyed."""
    restore(case.site, case.conn, case.row.ending_id)
    case.note("restored", by)
    links.end(case.conn, case.id)


def refuse_the_destroyed(case: Case) -> None:
    """Raise ``Refused`` when an erasure has gone too far for anything of it to be kept."""
    state = case.conn.scalar(select(ending.c.state).where(ending.c.id == case.row.ending_id))
    if state not in {None, "quarantined", "restored"}:
        raise Refused("This can no longer be refused.", "What is destroyed is gone.")
