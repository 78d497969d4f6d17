"""Proofs about what is held: sealed under its person's own key, and never what must not be stored."""

from __future__ import annotations

from sqlalchemy import String, Text, func, select

from troth.errors import Unverifiable
from troth.people.bodies import newest_holdings
from troth.people.cards import find_cards
from troth.people.keystore import open_keys
from troth.people.tables import holding, shape
from troth.policy.promises import Promise
from troth.proof import Proof, Proving, counted
from troth.store.schema import data_tables

SAMPLE = 500


def sealed(proving: Proving, promise: Promise) -> Proof:
    """A sample of holdings, the newest first, opens under each person's own key and under nothing else."""
    rows = newest_holdings(proving.conn, SAMPLE)
    keys = open_keys(proving.site, {row.person_id for row in rows})
    wrong = 0
    for row in rows:
        try:
            row.open(keys[row.person_id])
        except (KeyError, Unverifiable):
            wrong += 1
    return counted(wrong, len(rows), "holdings", "each sealed under its person's own key", "not sealed, or moved")


def never_stored(proving: Proving, promise: Promise) -> Proof:
    """No holding has the field, no text in any table reads like a card number, and neither does a sample once opened."""
    field = promise.path[1]
    limit = "never stored"
    named = (" " + shape.c.fields + " ").contains(f" {field} ", autoescape=True)
    query = select(func.count()).select_from(holding.join(shape, shape.c.id == holding.c.shape_id)).where(named)
    held = proving.conn.scalar(query) or 0
    if held:
        return Proof("broken", "query", limit, f"{held:,} holdings with `{field}`", "the shapes of all holdings")
    if proving.compiled.policy.data[field].category != "pd:PaymentCard":
        return Proof("kept", "query", limit, "0 holdings", "the shapes of all holdings")
    texts, bad = _scan_texts(proving)
    opened, worse = _scan_opened(proving)
    return counted(bad + worse, texts + opened + 1, "texts", limit, "with a card number")


def _scan_texts(proving: Proving) -> tuple[int, int]:
    """How many short texts there are in all tables, and how many of them hold a card number."""
    seen = bad = 0
    for table in data_tables.sorted_tables:
        columns = [
            column for column in table.c if type(column.type) in (String, Text) and not table.info.get("partitioned")
        ]
        for row in proving.conn.execute(select(*columns)) if columns else ():
            seen += 1
            bad += any(value and find_cards(value) for value in row)
    return seen, bad


def _scan_opened(proving: Proving) -> tuple[int, int]:
    rows = newest_holdings(proving.conn, SAMPLE)
    keys = open_keys(proving.site, {row.person_id for row in rows})
    bad = 0
    for row in rows:
        try:
            bad += any(find_cards(value) for value in row.open(keys[row.person_id]).values())
        except (KeyError, Unverifiable):
            continue  # the proof of sealing says so
    return len(rows), bad
