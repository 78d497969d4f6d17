"""Recording what people choose, and reading it back. Nothing is ever overwritten; the youngest choice counts.

A choice is recorded only where somebody made one: an unticked box that was ticked, a switch that was moved, a letter that was
read. Looking at a page or sending a form is not a choice, and a form can only record what the policy says that it offers.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, bindparam, case, func, insert, or_, select

from troth import ledger
from troth.batches import batches
from troth.clock import from_micros
from troth.consent.rules import ASKING, OBJECTIONS, STATES, Choice, State
from troth.consent.tables import choice, shown
from troth.errors import Refused
from troth.ids import new_id
from troth.ledger import events
from troth.policy.compile import Compiled
from troth.store.insert import insert_for
from troth.store.prepared import Prepared, among
from troth.store.site import Site

BATCH = 1000
_LATER = timedelta(microseconds=1)
_CHOOSING = Prepared(insert(choice), [column.name for column in choice.c], together=True)


class Choosing(NamedTuple):
    """What a person chooses about a scope."""

    person_id: str
    scope: str
    state: State


def record(
    site: Site,
    conn: Connection,
    person_id: str,
    scope: str,
    state: State,
    words: str,
    language: str,
    channel: str,
    policy: Compiled,
) -> str:
    """Record one explicit choice in the caller's transaction and return its id; it counts from the next decision on.

    Args:
        scope: a purpose of the policy, or ``@`` and a recipient.
        words: what the person was shown when choosing, in ``language``.
        channel: a collection point, or any other way in which the choice was made, such as ``privacy_centre`` or ``letter``.

    Raises:
        Refused: when the policy knows no such scope, or when the collection point does not offer this choice.
    """
    (made,) = record_each(site, conn, [Choosing(person_id, scope, state)], words, language, channel, policy)
    return made


def record_each(
    site: Site,
    conn: Connection,
    chosen: Sequence[Choosing],
    words: str,
    language: str,
    channel: str,
    policy: Compiled,
) -> list[str]:
    """As ``record``, of several people at once, all of whom were shown the same; the ids, in order.

    Raises:
        Refused: as ``record`` does, for the first that is not permitted; then none was recorded.
    """
    told = choose(site, conn, chosen, words, language, channel, policy)
    ledger.append_all(conn, site.now(), told)
    return [str(body["choice"]) for _, body in told]


def choose(
    site: Site,
    conn: Connection,
    chosen: Sequence[Choosing],
    words: str,
    language: str,
    channel: str,
    policy: Compiled,
    digest: str | None = None,
) -> list[ledger.Told]:
    """As ``record_each``; returns what the caller must tell the ledger, in its transaction, of each.

    ``digest`` is that of ``words``, when ``remember`` has kept them.
    """
    for one in chosen:
        _refuse_the_unknown(policy, one.scope, one.state, channel, words)
    if not chosen:
        return []
    now, last = site.now(), _last(conn, chosen)
    common: dict[str, object] = {"shown": digest or remember(conn, words, language, now), "channel": channel}
    common |= {"policy_version": policy.version}
    rows = []
    for one in chosen:
        at = last[one.person_id, one.scope] = _youngest_yet(last.get((one.person_id, one.scope)), now)
        rows.append({"id": new_id(at), **one._asdict(), "at": at, **common})
    _CHOOSING.send(conn, *rows)
    kept = ("scope", "state", "shown", "channel")
    return [
        (
            _EVENTS[one.state],
            {
                "person": one.person_id,
                "choice": row["id"],
                **{key: row[key] for key in kept},
                "version": policy.version,
            },
        )
        for one, row in zip(chosen, rows, strict=True)
    ]


def _last(conn: Connection, chosen: Sequence[Choosing]) -> dict[tuple[str, str], datetime]:
    """When these people last chose anything about these scopes."""
    people, scopes = ({one[place] for one in chosen} for place in (0, 1))
    rows = _LAST.rows(conn, {"ids": sorted(people), "scopes": sorted(scopes)})
    return {(person_id, scope): from_micros(at) for person_id, scope, at in rows}


_LAST = Prepared(
    select(choice.c.person_id, choice.c.scope, func.max(choice.c.at))
    .where(among(choice.c.person_id, "ids"), among(choice.c.scope, "scopes"))
    .group_by(choice.c.person_id, choice.c.scope)
)


def _youngest_yet(last: datetime | None, now: datetime) -> datetime:
    """``now``, or just after the choice before it: a clock that was set back must not let an older choice outweigh it."""
    return now if last is None or last <= now else last + _LATER


_EVENTS: dict[State, str] = {
    "given": events.CONSENT_GIVEN,
    "refused": events.CONSENT_REFUSED,
    "withdrawn": events.CONSENT_WITHDRAWN,
    "expired": events.CONSENT_EXPIRED,
    "objected": events.OBJECTION_MADE,
    "lifted": events.OBJECTION_LIFTED,
}


def _refuse_the_unknown(policy: Compiled, scope: str, state: str, channel: str, words: str) -> None:
    known = policy.policy.recipients if scope.startswith("@") else policy.policy.purposes
    if scope.removeprefix("@") not in known or state not in STATES:
        raise Refused(
            f"The policy knows no choice `{state}` about `{scope}`.", "Choices are about its purposes and recipients."
        )
    if state != "given":
        return
    point = policy.policy.collection.get(channel)
    if scope.removeprefix("@") not in point.offers if point is not None else channel not in ASKING:
        raise Refused(f"`{channel}` does not offer a choice about `{scope}`.", "Sending a form is not consent.")
    if not words.strip():
        raise Refused("Consent needs the words that were shown.", "Record what the person read beside the box.")


def remember(conn: Connection, words: str, language: str, at: datetime) -> str:
    """Keep ``words`` as they were shown, once, and return their digest (SHA-256 of language and words)."""
    digest = hashlib.sha256(f"{language}\x00{words}".encode()).hexdigest()
    row = {"digest": digest, "language": language, "words": words, "first_at": at}
    _SHOWN_ONCE.send(conn, row)
    return digest


_SHOWN_ONCE = Prepared(
    lambda dialect: insert_for(dialect, shown).on_conflict_do_nothing(), ("digest", "language", "words", "first_at")
)


def choices(conn: Connection, person_ids: Collection[str], at: datetime | None = None) -> dict[str, list[Choice]]:
    """What counts for each of these people: per scope the youngest about consent and about objection.

    Everything that was ever recorded counts, also what a clock that was wrong put into the future; with ``at``, what had been
    recorded by then.
    """
    found: dict[str, list[Choice]] = defaultdict(list)
    for ids in batches(person_ids, BATCH):
        for one in _youngest(conn, ids, at):
            found[one.person_id].append(one)
    return dict(found)


def _ranked() -> Select[Any]:
    """Per person, scope and kind of choice the youngest of ``ids`` at ``until``; made once, asked with every decision."""
    about = case((or_(*(choice.c.state == state for state in OBJECTIONS)), 1), else_=0)
    rank = func.row_number().over(
        partition_by=(choice.c.person_id, choice.c.scope, about), order_by=(choice.c.at.desc(), choice.c.id.desc())
    )
    these = among(choice.c.person_id, "ids")
    ranked = (
        select(choice, rank.label("rank"))
        .where(these, choice.c.at <= bindparam("until", type_=choice.c.at.type))
        .subquery()
    )
    query = select(*(ranked.c[column.name] for column in choice.c)).where(ranked.c.rank == 1)
    return query.order_by(ranked.c.person_id, ranked.c.scope)


_YOUNGEST = Prepared(_ranked())
_AT = 4  # among the columns of a choice


def _youngest(conn: Connection, person_ids: list[str], at: datetime | None) -> list[Choice]:
    until = at or datetime.max.replace(tzinfo=UTC)
    found = _YOUNGEST.rows(conn, {"ids": person_ids, "until": until})
    return [Choice(*(*row[:_AT], from_micros(row[_AT]), *row[_AT + 1 :])) for row in found]


def history(conn: Connection, person_id: str) -> list[Choice]:
    """Everything a person ever chose, oldest first."""
    return histories(conn, [person_id]).get(person_id, [])


def histories(conn: Connection, person_ids: Collection[str]) -> dict[str, list[Choice]]:
    """Everything each of these people ever chose, oldest first; whoever chose nothing is left out."""
    found: dict[str, list[Choice]] = defaultdict(list)
    for ids in batches(person_ids, BATCH):
        query = select(choice).where(choice.c.person_id.in_(ids))
        for row in conn.execute(query.order_by(choice.c.at, choice.c.id)):
            found[row.person_id].append(Choice(**row._mapping))
    return dict(found)


def words_shown(conn: Connection, digest: str) -> tuple[str, str] | None:
    """Language and words behind a digest; None when they are unknown."""
    row = conn.execute(select(shown.c.language, shown.c.words).where(shown.c.digest == digest)).first()
    return None if row is None else (row.language, row.words)
