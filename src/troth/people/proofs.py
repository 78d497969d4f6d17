"""Proofs about what is held: sealed under its person's own key, and never what must not be stored."""

from __future__ import annotations

import json
import re
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    CompoundSelect,
    String,
    Text,
    and_,
    case,
    cast,
    column,
    false,
    func,
    or_,
    select,
    table,
    union_all,
)

from troth.bindings import Rests, proves
from troth.clock import DAY
from troth.errors import Refused, Unverifiable
from troth.ids import SHAPE, new_id
from troth.ledger.tables import entry
from troth.people import vault
from troth.people.bodies import Sealed, holdings_from, newest_holdings
from troth.people.cards import LENGTHS, find_cards, may_hold_cards
from troth.people.keystore import open_keys, orphans
from troth.people.made_up import made_up
from troth.people.sealing import LEAST, VERSIONS
from troth.people.tables import holding, shape
from troth.people.vault import By, hold
from troth.policy.compile import Compiled
from troth.policy.promises import Promise
from troth.policy.undeclared import NO_PURPOSE
from troth.proof import Named, Proof, Proving, Some, Tried
from troth.store.schema import data_tables
from troth.store.site import Site
from troth.store.trial import trial

SAMPLE = 250
KEYS_GO_WITHIN = 2 * DAY
"""how old a key of nobody must be to be wrong: one that was made for somebody who never came is destroyed after a day"""
_CARD = "pd:PaymentCard"
_ID = 26
_DIGEST = 64
_OPAQUE = re.compile(rf"\b(?:[0-9a-f]{{64}}|{SHAPE})\b")
"""Digests and ids, which are no text but could look like a number now and then."""


@dataclass(frozen=True, slots=True)
class Group:
    """Holdings that are alike in all but their person and time: how many, from when to when, and how many are not sealed."""

    shape_id: int
    point: str
    source: str
    fields: str
    version: int
    partner: str | None
    told: str
    number: int
    first: datetime
    last: datetime
    bare: int

    @property
    def names(self) -> frozenset[str]:
        """The fields."""
        return frozenset(self.fields.split())


def groups(proving: Proving) -> tuple[Group, ...]:
    """All that is held and in use, counted in one pass; to be asked through ``proving.once``."""
    bare = or_(func.substr(holding.c.body, 1, 1).not_in(VERSIONS), func.length(holding.c.body) < LEAST)
    alike = (holding.c.shape_id, holding.c.policy_version, holding.c.partner, holding.c.told)
    measures = (func.count(), func.min(holding.c.at), func.max(holding.c.at), func.count(case((bare, 1))))
    shapes = {row.id: row for row in proving.conn.execute(select(shape))}
    rows = proving.conn.execute(select(*alike, *measures).group_by(*alike))
    named = ((shapes[row[0]], row) for row in rows)
    return tuple(Group(one.id, one.point, one.source, one.fields, *row[1:]) for one, row in named)


def open_sample(proving: Proving) -> list[tuple[Sealed, dict[str, str] | None]]:
    """The newest holdings and some from an instant picked by chance, each opened, or None where its key does not open it;
    to be asked through ``proving.once``."""
    return proving.once(_sampled)[0]


def _sampled(proving: Proving) -> tuple[list[tuple[Sealed, dict[str, str] | None]], int]:
    """The sample, and how many of its people have a key that another of them has as well; the keys themselves are not kept."""
    rows = {one.id: one for one in (*newest_holdings(proving.conn, SAMPLE), *_somewhere(proving))}
    keys = open_keys(proving.site, {one.person_id for one in rows.values()}) if rows else {}
    held = Counter(keys.values())
    sample = [(one, _opened(one, keys.get(one.person_id))) for one in rows.values()]
    return sample, sum(number for number in held.values() if number > 1)


def _somewhere(proving: Proving) -> list[Sealed]:
    first = min((group.first for group in proving.once(groups)), default=None)
    if first is None:
        return []
    minutes = max(int((proving.now - first).total_seconds() // 60), 1)
    return holdings_from(proving.conn, new_id(first + timedelta(minutes=secrets.randbelow(minutes))), SAMPLE)


def _opened(one: Sealed, key: bytes | None) -> dict[str, str] | None:
    try:
        return one.open(key) if key is not None else None
    except Unverifiable:
        return None


OF_SEALED: Rests = dict.fromkeys(
    ("holding", "shape", "quarantined", "person", "departure", "person_key", "site_key"), ""
)
"""what it rests on that all which is held is sealed"""


@proves(
    "data.sealed",
    covers=("protect",),
    enforced_by=(hold,),
    rests_on=OF_SEALED,
    keys={"data.identifies": Compiled.identifying},
)
def sealed(proving: Proving, promise: Promise) -> Proof:
    """All holdings have the form of sealed ones; a sample opens under each person's own key, which nobody else in it has; and
    no key outlived its person. While something of a person is left, so is the key, and with it what copies hold of the rest.
    """
    limit = proving.say("each record encrypted under its person's own key")
    total = sum(group.number for group in proving.once(groups))
    readable = sum(group.bare for group in proving.once(groups))
    if readable:
        return proving.counted(readable, Some(total, "record"), limit, "{wrong} not encrypted")
    sample = proving.once(open_sample)
    moved = [one.id for one, values in sample if values is None]
    wrong = _still_there(proving, moved) if moved else 0
    left = _keys_left(proving)
    if left:
        measured = proving.say("the keys of {some} who are gone are still there", some=Some(left, "person"))
        return Proof("broken", "query", limit, measured, proving.say("{all} looked at", all=Some(total, "record")))
    if shared := proving.once(_sampled)[1]:
        measured = proving.say("{some} with a key that somebody else has as well", some=Some(shared, "person"))
        return Proof(
            "broken", "query", limit, measured, proving.say("{all} looked at", all=Some(len(sample), "record"))
        )
    if wrong or not total:
        return proving.counted(wrong, Some(len(sample), "record"), limit, "{wrong} not opened by its person's key")
    measured = proving.say("0 records not encrypted")
    evidence = proving.say(
        "{all} looked at, {some} opened", all=Some(total, "record"), some=Some(len(sample), "record")
    )
    return Proof("kept", "query", limit, measured, evidence)


def _keys_left(proving: Proving) -> int:
    """How many people are gone, and not being destroyed at this moment, whose key is there."""
    going = table("departure", column("person_id"))
    with proving.site.reading() as conn:
        leaving = set(conn.scalars(select(going.c.person_id)))
    return len(set(orphans(proving.site, KEYS_GO_WITHIN)) - leaving)


def _still_there(proving: Proving, ids: list[str]) -> int:
    """How many of these are there even now: whoever was erased a moment ago has no key, and no holding either."""
    with proving.site.reading() as conn:
        return conn.scalar(select(func.count()).select_from(holding).where(holding.c.id.in_(ids))) or 0


def vault_refuses(proving: Proving) -> Tried:
    """The vault itself, asked to open every field of somebody made up for a purpose that nobody promised."""
    policy = proving.compiled.policy
    askers = (By("system"), By("staff", "sales"))
    with trial(proving.site) as site:
        asked = [
            (made_up(site, kind), name, purpose, by)
            for kind in policy.people
            for by in askers
            for purpose in (NO_PURPOSE, "")
            for name in list(policy.data)[:2]
        ]
        opened = sum(_opens(site, *one) for one in asked)
    tried = proving.say("refused {tries} to read for no purpose", tries=Some(len(asked) - opened, "try"))
    return proving.tried(tried, opened, "{wrong} to read for no purpose went through")


def _opens(site: Site, person_id: str, name: str, purpose: str, by: By) -> bool:
    try:
        vault.read(site, person_id, [name], purpose, by)
    except Refused:
        return False
    return True


def only_the_vault(proving: Proving) -> Tried:
    """No other module opens what is sealed."""
    return proving.walked("nothing is opened outside the vault and what re-seals for it")


@proves(
    "data.never_stored",
    covers=("protect",),
    enforced_by=(hold,),
    rests_on={"ledger_entry": "", "holding": "", "shape": "", "quarantined": ""},
)
def never_stored(proving: Proving, promise: Promise) -> Proof:
    """No holding has the field, no text in any table reads like a card number, and neither does a sample once opened."""
    field = promise.path[1]
    limit = proving.say("never stored")
    held = sum(group.number for group in proving.once(groups) if field in group.names)
    total = Some(sum(group.number for group in proving.once(groups)), "record")
    if held:
        measured = proving.say("{some} with {fields}", some=Some(held, "record"), fields=Named("fields", (field,)))
        return Proof("broken", "query", limit, measured, proving.say("{all} looked at", all=total))
    if proving.compiled.policy.data[field].category != _CARD:
        return proving.counted(0, total, limit, "{wrong} with it")
    if not total.number:
        return proving.nothing_yet("query", limit, "there is nothing to look at so far")
    opened = list(_opened_texts(proving))
    seen = proving.once(_texts) + sum(proving.heard.events.values()) + len(opened)
    bad = card_like(proving.once(_long_in_digits)) + proving.heard.cards + card_like(opened)
    return proving.counted(bad, Some(seen, "text"), limit, "{wrong} with a card number")


def card_like(texts: Sequence[str]) -> int:
    """How many of ``texts`` hold a card number; digests and ids in them are no text."""
    if not may_hold_cards("\n".join(texts)):
        return 0
    return sum(may_hold_cards(text) and bool(find_cards(_OPAQUE.sub("", text))) for text in texts)


def _opened_texts(proving: Proving) -> Iterator[str]:
    for _, values in proving.once(open_sample):
        yield from values.values() if values else ()


def _texts(proving: Proving) -> int:
    """How many texts the tables hold, those of the ledger's entries apart."""
    counted = [func.coalesce(select(func.count(column)).scalar_subquery(), 0) for column in _text_columns()]
    return int(proving.conn.execute(select(sum(counted[1:], counted[0]))).scalar_one())


def _long_in_digits(proving: Proving) -> list[str]:
    """The texts in which there might be a card number: the database leaves out what has too few digits."""
    dialect = proving.conn.dialect.name
    found = [str(text) for text in proving.conn.scalars(_suspicious(dialect))]
    return found + [json.dumps(one, ensure_ascii=False) for one in proving.conn.scalars(_suspicious_json(dialect))]


def _text_columns() -> list[Column[Any]]:
    """Every column of a text in any table; what the ledger's entries say was heard with them."""
    tables = [one for one in data_tables.sorted_tables if one is not entry and not one.info.get("partitioned")]
    columns = (column for one in tables for column in one.c if isinstance(column.type, (String, JSON)))
    return [column for column in columns if getattr(column.type, "length", None) != _ID]


@cache
def _suspicious(dialect: str) -> CompoundSelect[Any]:
    columns = [column for column in _text_columns() if not isinstance(column.type, JSON)]
    return union_all(*(select(cast(one, Text)).where(_may_hold_cards(one, dialect)) for one in columns))


@cache
def _suspicious_json(dialect: str) -> CompoundSelect[Any]:
    columns = [column for column in _text_columns() if isinstance(column.type, JSON)]
    return union_all(*(select(one).where(_may_hold_cards(one, dialect)) for one in columns))


def _may_hold_cards(column: Column[Any], dialect: str) -> ColumnElement[bool]:
    """Thirteen digits, at most three signs between two of them, or signs that are not ASCII (which JSON escapes).

    SQLite knows no such pattern: there digests are left out, and words in which letters part the digits; all else that has
    thirteen is not.
    """
    text, many = cast(column, Text), LENGTHS.start
    escaped = text.contains("\\u", autoescape=True) if isinstance(column.type, JSON) else false()
    if dialect == "sqlite":
        glob = text.op("GLOB", is_comparison=True)
        run, spread = glob("*" + "[0-9]" * many + "*"), glob("*[0-9]" * many + "*")
        no_digest = or_(func.length(text) != _DIGEST, glob("*[^0-9a-f]*"))
        found = or_(run, and_(glob("*[^0-9a-z]*"), spread), glob("*[^ -~]*"), escaped)
        return and_(func.length(text) >= many, no_digest, found)
    matches = text.op("~", is_comparison=True)
    return or_(matches(f"[0-9]([^0-9]{{0,3}}[0-9]){{{many - 1}}}"), matches("[^ -~]"), escaped)
