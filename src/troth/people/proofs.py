"""Proofs about what is held: sealed under its person's own key, and never what must not be stored."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import chain

from sqlalchemy import JSON, String, func, or_, select

from troth.errors import Unverifiable
from troth.ids import new_id
from troth.people.bodies import Sealed, holdings_from, newest_holdings
from troth.people.cards import find_cards, may_hold_cards
from troth.people.keystore import open_keys
from troth.people.sealing import LEAST, VERSION
from troth.people.tables import holding, shape
from troth.policy.promises import Promise
from troth.proof import Named, Proof, Proving, Some
from troth.store.schema import data_tables

SAMPLE = 250
_CARD = "pd:PaymentCard"
_ID = 26
_OPAQUE = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-hjkmnp-tv-z]{26})\b")
"""Digests and ids, which are no text but could look like a number now and then."""


def open_sample(proving: Proving) -> list[tuple[Sealed, dict[str, str] | None]]:
    """The newest holdings and some from an instant picked by chance, each opened, or None where its key does not open it."""
    rows = {one.id: one for one in (*newest_holdings(proving.conn, SAMPLE), *_somewhere(proving))}
    keys = open_keys(proving.site, {one.person_id for one in rows.values()}) if rows else {}
    return [(one, _opened(one, keys.get(one.person_id))) for one in rows.values()]


def _somewhere(proving: Proving) -> list[Sealed]:
    first = proving.conn.scalar(select(func.min(holding.c.at)))
    if first is None:
        return []
    minutes = max(int((proving.now - first).total_seconds() // 60), 1)
    return holdings_from(proving.conn, new_id(first + timedelta(minutes=secrets.randbelow(minutes))), SAMPLE)


def _opened(one: Sealed, key: bytes | None) -> dict[str, str] | None:
    try:
        return one.open(key) if key is not None else None
    except Unverifiable:
        return None


def sealed(proving: Proving, promise: Promise) -> Proof:
    """All holdings have the form of sealed ones, and a sample opens under each person's own key and under nothing else."""
    limit = proving.say("each record sealed under its person's own key")
    total = proving.conn.scalar(select(func.count()).select_from(holding)) or 0
    bare = or_(func.substr(holding.c.body, 1, 1) != VERSION, func.length(holding.c.body) < LEAST)
    readable = proving.conn.scalar(select(func.count()).select_from(holding).where(bare)) or 0
    if readable:
        return proving.counted(readable, Some(total, "record"), limit, "{wrong} not sealed")
    sample = open_sample(proving)
    moved = [one.id for one, values in sample if values is None]
    wrong = _still_there(proving, moved) if moved else 0
    if wrong or not total:
        return proving.counted(wrong, Some(len(sample), "record"), limit, "{wrong} not opened by its person's key")
    measured = proving.say("0 records not sealed")
    evidence = proving.say(
        "{all} looked at, {some} opened", all=Some(total, "record"), some=Some(len(sample), "record")
    )
    return Proof("kept", "query", limit, measured, evidence)


def _still_there(proving: Proving, ids: list[str]) -> int:
    """How many of these are there even now: whoever was erased a moment ago has no key, and no holding either."""
    with proving.site.reading() as conn:
        return conn.scalar(select(func.count()).select_from(holding).where(holding.c.id.in_(ids))) or 0


def never_stored(proving: Proving, promise: Promise) -> Proof:
    """No holding has the field, no text in any table reads like a card number, and neither does a sample once opened."""
    field = promise.path[1]
    limit = proving.say("never stored")
    named = (" " + shape.c.fields + " ").contains(f" {field} ", autoescape=True)
    everywhere = select(func.count()).select_from(holding.join(shape, shape.c.id == holding.c.shape_id))
    held = proving.conn.scalar(everywhere.where(named)) or 0
    total = Some(proving.conn.scalar(everywhere) or 0, "record")
    if held:
        measured = proving.say("{some} with {fields}", some=Some(held, "record"), fields=Named("fields", (field,)))
        return Proof("broken", "query", limit, measured, proving.say("{all} looked at", all=total))
    if proving.compiled.policy.data[field].category != _CARD:
        return Proof("kept", "query", limit, proving.say("none"), proving.say("{all} looked at", all=total))
    seen = bad = 0
    for text in chain(_texts(proving), _opened_texts(proving)):
        seen += 1
        bad += card_like([text])
    return proving.counted(bad, Some(seen, "text"), limit, "{wrong} with a card number")


def card_like(texts: Sequence[str]) -> int:
    """How many of ``texts`` hold a card number; digests and ids in them are no text."""
    if not may_hold_cards("\n".join(texts)):
        return 0
    return sum(may_hold_cards(text) and bool(find_cards(_OPAQUE.sub("", text))) for text in texts)


def _opened_texts(proving: Proving) -> Iterator[str]:
    for _, values in open_sample(proving):
        yield from values.values() if values else ()


def _texts(proving: Proving) -> Iterator[str]:
    """Every text that the tables hold, declared or not; short ones once for each column."""
    for table in data_tables.sorted_tables:
        for column in () if table.info.get("partitioned") else table.c:
            if isinstance(column.type, (String, JSON)) and getattr(column.type, "length", None) != _ID:
                query = select(column).where(column.is_not(None))
                short = getattr(column.type, "length", None) is not None
                rows = proving.conn.scalars(query.distinct() if short else query, execution_options={"yield_per": 1000})
                yield from (text if isinstance(text, str) else json.dumps(text, ensure_ascii=False) for text in rows)
