"""The ledger: entries inserted with their cause, the checkpoints that seal them into a tree, and the head that is kept apart.

Entries and checkpoints only ever grow: triggers refuse to change or remove a row, except that an entry receives its position
once. That stops mistakes and stray scripts; somebody who can drop a trigger is found by ``verify``.
"""

from __future__ import annotations

from sqlalchemy import DDL, BigInteger, Column, Index, Integer, LargeBinary, String, Table, Text, event, text

from troth.store.schema import Instant, data_tables, key_tables, plain

_Serial = BigInteger().with_variant(Integer, "sqlite")

_unsealed = text("position IS NULL")
_sealed = text("position IS NOT NULL")

entry = Table(
    "ledger_entry",
    data_tables,
    Column("id", _Serial, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    Column("event", String(60), nullable=False),
    Column(
        "body", Text, nullable=False, info=plain("made of words and opaque ids only: ledger/guard.py")
    ),  # canonical JSON (RFC 8785); no personal values
    Column("leaf", LargeBinary(32), nullable=False, info=plain("a hash")),  # SHA-256 of 0x00 and the canonical entry
    Column("position", BigInteger),  # place in the tree; blank until sealed
    Index("ix_ledger_entry_unsealed", "id", sqlite_where=_unsealed, postgresql_where=_unsealed),
    Index("ix_ledger_entry_event", "event", "at"),
    Index("uq_ledger_entry_position", "position", unique=True, sqlite_where=_sealed, postgresql_where=_sealed),
    sqlite_autoincrement=True,  # ids are never used again, so a removed last row leaves a gap
)

checkpoint = Table(
    "ledger_checkpoint",
    data_tables,
    Column("size", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("root", LargeBinary(32), nullable=False, info=plain("a hash")),
    Column(
        "frontier", LargeBinary, nullable=False, info=plain("hashes")
    ),  # roots of the full subtrees, so that sealing never re-reads
    Column("key_id", String(16), nullable=False),
    Column("signature", LargeBinary(64), nullable=False, info=plain("a signature")),
)

head = Table(
    "ledger_head",
    key_tables,
    Column("state", String(10), primary_key=True),  # settled, announced; adopt: this store is older than the table
    Column("size", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("root", LargeBinary(32), nullable=False, info=plain("a hash")),
    Column("frontier", LargeBinary, nullable=False, info=plain("hashes")),
    Column("key_id", String(16), nullable=False),
    Column("signature", LargeBinary(64), nullable=False, info=plain("a signature")),
)

restoration = Table(
    "restoration",
    data_tables,
    Column("id", String(26), primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(10), nullable=False),  # recorded: of what somebody else did; restored: by `troth restore`
    Column("because", String(500), nullable=False, info=plain("the operator's reason, about no single person")),
    Column("made_by", String(63), nullable=False),  # the staff role that answers for it
    Column("backup_at", Instant),  # of when the backup is that was put back, if that is known
    Column("released_at", Instant),  # until then nothing leaves the site
    Column("released_by", String(63)),
)

_POSITIONED = """OLD.position IS NULL AND NEW.position IS NOT NULL AND NEW.id = OLD.id AND NEW.at = OLD.at
    AND NEW.event = OLD.event AND NEW.body = OLD.body AND NEW.leaf = OLD.leaf"""
_REFUSAL = "the ledger only grows"

# What `create_all` runs with the tables; a migration that makes them must run it after them, in this order.
APPEND_ONLY = {
    "sqlite": (
        f"""CREATE TRIGGER ledger_entry_unchanged BEFORE UPDATE ON ledger_entry WHEN NOT ({_POSITIONED})
            BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END""",
        f"""CREATE TRIGGER ledger_entry_kept BEFORE DELETE ON ledger_entry
            BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END""",
        f"""CREATE TRIGGER ledger_checkpoint_unchanged BEFORE UPDATE ON ledger_checkpoint
            BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END""",
        f"""CREATE TRIGGER ledger_checkpoint_kept BEFORE DELETE ON ledger_checkpoint
            BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END""",
    ),
    "postgresql": (
        f"""CREATE OR REPLACE FUNCTION ledger_only_grows() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION '{_REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
        f"""CREATE TRIGGER ledger_entry_unchanged BEFORE UPDATE ON ledger_entry FOR EACH ROW
            WHEN (NOT ({_POSITIONED})) EXECUTE FUNCTION ledger_only_grows()""",
        """CREATE TRIGGER ledger_entry_kept BEFORE DELETE OR TRUNCATE ON ledger_entry
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_grows()""",
        """CREATE TRIGGER ledger_checkpoint_unchanged BEFORE UPDATE ON ledger_checkpoint
            FOR EACH ROW EXECUTE FUNCTION ledger_only_grows()""",
        """CREATE TRIGGER ledger_checkpoint_kept BEFORE DELETE OR TRUNCATE ON ledger_checkpoint
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_grows()""",
    ),
}


def _after_create(dialect: str, statement: str) -> None:
    ddl = DDL(statement)  # type: ignore[no-untyped-call]
    when = ddl.execute_if(dialect=dialect)
    if "CREATE TRIGGER" in statement:
        event.listen(checkpoint if "ON ledger_checkpoint" in statement else entry, "after_create", when)
    else:
        event.listen(data_tables, "before_create", when)


for _dialect, _statements in APPEND_ONLY.items():
    for _statement in _statements:
        _after_create(_dialect, _statement)
