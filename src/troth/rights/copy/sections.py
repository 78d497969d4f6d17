"""The tables of a copy: choices, disclosures, holds, what is leaving, dealings, messages, account, visits, rights.

Each reads one table of the store that names the person, and says what it found in the reader's words. None of these rows holds
a value that the person gave: those are in the records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from troth.accounts.tables import account, session
from troth.batches import batches
from troth.consent import actions as consent
from troth.consent.rules import Choice
from troth.consent.tables import shown
from troth.messages.rules import NOTICES
from troth.messages.tables import message
from troth.people.dealings import LOG_IN
from troth.people.facts import chosen_facts
from troth.people.tables import dealing, happening
from troth.policy.happenings import AGES
from troth.policy.notice import notice
from troth.policy.spans import event_words
from troth.recipients.tables import disclosure
from troth.retention.holds import Hold, holds_of
from troth.retention.keeping import POLICY
from troth.retention.underway import Underway, underway
from troth.rights.copy.masks import Masks
from troth.rights.copy.model import Cell, Named, Section
from troth.rights.copy.voice import Voice
from troth.rights.copy.words import words

Rows = Iterable[tuple[Cell, ...]]
BATCH = 500


@dataclass(frozen=True)
class Found:
    """What the store says of a person besides the records, read in one transaction."""

    choices: Sequence[Choice]
    facts: frozenset[str]
    """what the choices come to, as a decision gets it"""
    shown: Mapping[str, str]
    disclosures: Sequence[RowMapping]
    holds: Sequence[Hold]
    leaving: Sequence[Underway]
    dealings: Sequence[RowMapping]
    happenings: Sequence[RowMapping]
    messages: Sequence[RowMapping]
    account: RowMapping | None
    sessions: int


def look(conn: Connection, person_id: str, now: datetime) -> Found:
    """Read all of it."""
    chosen = consent.history(conn, person_id)
    return Found(
        choices=chosen,
        facts=chosen_facts(conn, person_id),
        shown=_words_shown(conn, {one.shown for one in chosen}),
        disclosures=_of(conn, disclosure, person_id),
        holds=holds_of(conn, person_id, now),
        leaving=underway(conn, person_id),
        dealings=_of(conn, dealing, person_id),
        happenings=_of(conn, happening, person_id),
        messages=_of(conn, message, person_id),
        account=conn.execute(select(account).where(account.c.person_id == person_id)).mappings().first(),
        sessions=_sessions(conn, person_id, now),
    )


def _of(conn: Connection, table: Any, person_id: str) -> Sequence[RowMapping]:
    query = select(table).where(table.c.person_id == person_id).order_by(table.c.at, table.c.id)
    return conn.execute(query).mappings().all()


def _words_shown(conn: Connection, digests: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for wanted in batches(sorted(digests), BATCH):
        query = select(shown.c.digest, shown.c.words).where(shown.c.digest.in_(wanted))
        found |= {row.digest: row.words for row in conn.execute(query)}
    return found


def _sessions(conn: Connection, person_id: str, now: datetime) -> int:
    mine = (session.c.person_id == person_id) & (session.c.ends_at > now)
    return conn.scalar(select(func.count()).select_from(session).where(mine)) or 0


def sections(voice: Voice, found: Found, masks: Masks) -> tuple[Section, ...]:
    """Every table, in the order of ``model.TABLES``; those that nothing is in are there and say what would be."""
    return (
        _section(voice, "choices", _choices(voice, found)),
        _section(voice, "disclosures", _disclosures(voice, found.disclosures)),
        _section(voice, "holds", _holds(voice, found.holds, masks)),
        _section(voice, "leaving", _leaving(voice, found.leaving)),
        _section(voice, "dealings", [*_dealings(voice, found.dealings), *_happenings(voice, found.happenings)]),
        _section(voice, "messages", _messages(voice, found.messages)),
        _section(voice, "account", _account(voice, found)),
        _section(voice, "visits", _visits(voice)),
        _section(voice, "rights", _rights(voice)),
    )


def _section(voice: Voice, key: str, rows: Rows) -> Section:
    told = words(voice.tag)["sections"][key]
    columns = tuple(Named(name, label) for name, label in told["columns"].items())
    return Section(key, told["title"], told["about"], told["empty"], columns, tuple(rows))


def _choices(voice: Voice, found: Found) -> Rows:
    """All there ever were; what counts now is worked out as for every decision."""
    counts = found.facts
    last = {(one.scope, one.state in ("objected", "lifted")): one.id for one in found.choices}
    for one in found.choices:
        newest = last[one.scope, one.state in ("objected", "lifted")] == one.id
        outweighed = one.state in ("given", "objected") and f"{_FACT[one.state]}:{one.scope}" not in counts
        yield (
            one.at,
            voice.scope(one.scope),
            voice.one_of("choices", one.state),
            voice.channel(one.channel),
            one.policy_version,
            newest and not outweighed,
            found.shown.get(one.shown, ""),
        )


_FACT = {"given": "consent", "objected": "objection"}


def _disclosures(voice: Voice, rows: Sequence[RowMapping]) -> Rows:
    for row in rows:
        ground = voice.ground(row["ground"]) if row["ground"] else None
        yield (
            row["at"],
            voice.recipient(row["recipient"]),
            voice.country_of(row["recipient"]) or None,
            voice.fields(row["fields"].split()),
            voice.purpose(row["purpose"]) if row["purpose"] else None,
            ground,
            voice.one_of("deliveries", row["state"]),
            row["delivered_at"],
        )


def _holds(voice: Voice, holds: Sequence[Hold], masks: Masks) -> Rows:
    for one in holds:
        reason = voice.say("copy.masked") if (one.id, "reason") in masks.fields else one.reason
        approver = (
            voice.one_of("approvers", POLICY)
            if one.approver == POLICY
            else Named(one.approver, voice.speaker.finish(voice.speaker.phrase("roles", one.approver)))
        )
        purposes = tuple(voice.purpose(key) for key in one.purpose.split())
        yield voice.fields(one.fields), voice.ground(one.ground), reason, purposes, approver, one.ends_at


def _leaving(voice: Voice, leaving: Sequence[Underway]) -> Rows:
    for one in leaving:
        cause = voice.one_of("causes", one.cause.partition(":")[0])
        yield one.began_at, one.count, cause, one.destroy_by


def _dealings(voice: Voice, rows: Sequence[RowMapping]) -> Rows:
    for row in rows:
        number = None if row["ref"].partition(":")[0] in {*voice.policy.collection, LOG_IN} else row["ref"]  # not ours
        yield voice.one_of("dealings", row["kind"]), number, row["at"], row["closed_at"], row["warranty_ends_at"]


def _happenings(voice: Voice, rows: Sequence[RowMapping]) -> Rows:
    """What the business reported, and the days on which an age is reached: periods count from them."""
    for row in rows:
        words = event_words(voice.speaker, [row["event"]], later=False)
        number = None if row["event"] in AGES else row["ref"]
        yield Named(row["event"], voice.speaker.finish(words)), number, row["at"], None, None


def _messages(voice: Voice, rows: Sequence[RowMapping]) -> Rows:
    for row in rows:
        yield row["at"], _mail(voice, row["class"]), voice.one_of("mails", row["state"]), row["sent_at"]


def _mail(voice: Voice, name: str) -> Named:
    declared = voice.policy.messages.get(name)
    if declared is not None:
        return Named(name, voice.speaker.finish(voice.speaker.text(declared.label)))
    return voice.one_of("notices", name if name in NOTICES else "other")


def _account(voice: Voice, found: Found) -> Rows:
    row = found.account
    if row is not None:
        state = voice.one_of("accounts", row["state"])
        yield state, row["made_at"], row["confirmed_at"], row["closed_at"], row["because"] or None, found.sessions


def _visits(voice: Voice) -> Rows:
    """What the log of visits records in general: none of it can be tied to a person."""
    visits = voice.policy.visits
    if visits is None or not visits.recording or visits.keep is None:
        return
    time = Named("time", voice.speaker.finish(voice.speaker.phrase("what", "time")))
    fields = (time, *(voice.field(key) for key in visits.records if key != "time"))
    uses = tuple(voice.purpose(key) for key in visits.for_)
    yield fields, voice.speaker.finish(voice.speaker.duration(visits.keep)), uses


_TOLD = frozenset({"right.offered", "decision.automated"})
"""kinds of promises that whoever asks for their data is told of (GDPR Art. 15(1)(e), (f) and (h))"""


def _rights(voice: Voice) -> Rows:
    """The sentences of the notice about rights, and about what machines decide, which people ask for with them."""
    sentences: tuple[str, ...] = voice.compiled.once(("rights", voice.tag), lambda: _sentences(voice))
    return [(one,) for one in sentences]


def _sentences(voice: Voice) -> tuple[str, ...]:
    mine = {one.id for one in voice.compiled.promises if one.kind in _TOLD}
    return tuple(item.sentence for item in notice(voice.compiled, voice.tag).items if item.promise_id in mine)
