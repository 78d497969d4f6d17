"""Which tables of a store must carry marks already, by its schema and by what its ledger committed to.

What could go wrong: somebody takes a table's marks away, writes what they like, and winds the schema back; the next start
marks the lie as right, as it marks a store from before there were marks. So a table is marked for the first time only where
neither the store's schema nor a seal of its ledger says that it was marked before. The ledger is the one that counts: its
entries are sealed, and its head is kept elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, inspect

from troth.store.marks.protected import protected

FIRST: Mapping[str, str] = {"data": "0009", "keys": "0004"}
"""the migration of each store after which its tables carry marks"""
LATER: Mapping[str, str] = dict.fromkeys(
    (
        *("agent_token", "alarm", "arrived", "attempt", "half_log_in", "heartbeat", "job", "once", "recovery_code"),
        *("session", "spent", "staff_attempt", "staff_recovery", "staff_session"),
    ),
    "0013",
)
"""tables of the data that carry marks only after a later migration than the first, by that"""


def committed(conn: Connection) -> dict[str, str]:
    """The newest migration of each store under which a seal of the ledger in ``conn`` committed to its sums, if one did."""
    if not inspect(conn).has_table("ledger_entry"):
        return {}
    newest: dict[str, str] = {}
    for (body,) in conn.exec_driver_sql("SELECT body FROM ledger_entry WHERE event = 'store:summed'"):
        schema = json.loads(body).get("schema", FIRST)  # older entries do not say more than that there were marks
        newest = {store: max(newest.get(store, ""), str(schema.get(store, ""))) for store in FIRST}
    return newest


def due(store: str, version: str, name: str) -> bool:
    """Whether the table ``name`` of ``store`` must carry marks after the migration ``version``; blank is before the first."""
    since = LATER.get(name, FIRST[store]) if store == "data" else FIRST[store]
    return protected(name) and since <= version
