"""The tables of a site."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ONLY_GROWS = {
    "sqlite": (
        """CREATE TRIGGER ledger_entry_unchanged BEFORE UPDATE ON ledger_entry
            WHEN NOT (OLD.position IS NULL AND NEW.position IS NOT NULL AND NEW.id = OLD.id AND NEW.at = OLD.at
            AND NEW.event = OLD.event AND NEW.body = OLD.body AND NEW.leaf = OLD.leaf)
            BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END""",
        """CREATE TRIGGER ledger_entry_kept BEFORE DELETE ON ledger_entry
            BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END""",
        """CREATE TRIGGER ledger_checkpoint_unchanged BEFORE UPDATE ON ledger_checkpoint
            BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END""",
        """CREATE TRIGGER ledger_checkpoint_kept BEFORE DELETE ON ledger_checkpoint
            BEGIN SELECT RAISE(ABORT, 'the ledger only grows'); END""",
    ),
    "postgresql": (
        """CREATE OR REPLACE FUNCTION ledger_only_grows() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN RAISE EXCEPTION 'the ledger only grows' USING ERRCODE = 'integrity_constraint_violation'; END $$""",
        """CREATE TRIGGER ledger_entry_unchanged BEFORE UPDATE ON ledger_entry FOR EACH ROW
            WHEN (NOT (OLD.position IS NULL AND NEW.position IS NOT NULL AND NEW.id = OLD.id AND NEW.at = OLD.at
            AND NEW.event = OLD.event AND NEW.body = OLD.body AND NEW.leaf = OLD.leaf)) EXECUTE FUNCTION ledger_only_grows()""",
        """CREATE TRIGGER ledger_entry_kept BEFORE DELETE OR TRUNCATE ON ledger_entry
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_grows()""",
        """CREATE TRIGGER ledger_checkpoint_unchanged BEFORE UPDATE ON ledger_checkpoint
            FOR EACH ROW EXECUTE FUNCTION ledger_only_grows()""",
        """CREATE TRIGGER ledger_checkpoint_kept BEFORE DELETE OR TRUNCATE ON ledger_checkpoint
            FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_grows()""",
    ),
}


def upgrade() -> None:
    _versions()
    _endings()
    _holds()
    _consent()
    _recipients()
    _agenda()
    _ledger()
    _messages()
    _visits()
    _people()
    _holdings()


def _versions() -> None:
    op.create_table(
        "policy_version",
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("effective_at", sa.BigInteger(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("decisions", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_policy_version")),
    )


def _endings() -> None:
    op.create_table(
        "departure",
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("ending_id", sa.String(length=26), nullable=False),
        sa.Column("only_for", sa.String(length=1000), nullable=True),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_departure")),
    )
    op.create_index("ix_departure_ending_id", "departure", ["ending_id"], unique=False)
    op.create_table(
        "ending",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("cause", sa.String(length=80), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=True),
        sa.Column("scope", sa.String(length=12), nullable=False),
        sa.Column("began_at", sa.BigInteger(), nullable=False),
        sa.Column("destroys_at", sa.BigInteger(), nullable=False),
        sa.Column("destroy_by", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("destroyed_at", sa.BigInteger(), nullable=True),
        sa.Column("complete_at", sa.BigInteger(), nullable=True),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.Column("everywhere", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ending")),
    )
    op.create_index("ix_ending_person_id", "ending", ["person_id"], unique=False)
    op.create_index("ix_ending_state", "ending", ["state", "destroys_at"], unique=False)


def _holds() -> None:
    op.create_table(
        "alarm",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("raised_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", name=op.f("pk_alarm")),
    )
    op.create_table(
        "heartbeat",
        sa.Column("task", sa.String(length=60), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("task", name=op.f("pk_heartbeat")),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("fields", sa.String(length=1000), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("ground", sa.String(length=63), nullable=False),
        sa.Column("purpose", sa.String(length=1000), nullable=False),
        sa.Column("approver", sa.String(length=80), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index("ix_hold_ends_at", "hold", ["released_at", "ends_at"], unique=False)
    op.create_index("ix_hold_person_id", "hold", ["person_id"], unique=False)


def _consent() -> None:
    op.create_table(
        "choice",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("shown", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_choice")),
    )
    op.create_index("ix_choice_person_id", "choice", ["person_id", "scope", "at", "id"], unique=False)
    op.create_table(
        "shown",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=12), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("first_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_shown")),
    )
    op.create_table(
        "stop",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("scope", sa.String(length=80), nullable=False),
        sa.Column("origin", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("because", sa.String(length=500), nullable=False),
        sa.Column("made_by", sa.String(length=63), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stop")),
    )
    op.create_index("uq_stop_scope", "stop", ["scope", "origin", "at"], unique=True)


def _recipients() -> None:
    op.create_table(
        "disclosure",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("recipient", sa.String(length=63), nullable=False),
        sa.Column("purpose", sa.String(length=80), nullable=False),
        sa.Column("fields", sa.String(length=1000), nullable=False),
        sa.Column("case_ref", sa.String(length=130), nullable=False),
        sa.Column("ground", sa.String(length=63), nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disclosure")),
    )
    op.create_index("ix_disclosure_person_id", "disclosure", ["person_id", "recipient"], unique=False)
    op.create_index("ix_disclosure_recipient", "disclosure", ["recipient", "at"], unique=False)
    op.create_table(
        "instruction",
        sa.Column("ending_id", sa.String(length=26), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("recipient", sa.String(length=63), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_at", sa.BigInteger(), nullable=True),
        sa.Column("acknowledged_by", sa.String(length=80), nullable=True),
        sa.PrimaryKeyConstraint("ending_id", "person_id", "recipient", name=op.f("pk_instruction")),
    )
    op.create_index(
        "ix_instruction_open",
        "instruction",
        ["deadline"],
        unique=False,
        sqlite_where=sa.text("acknowledged_at IS NULL"),
        postgresql_where=sa.text("acknowledged_at IS NULL"),
    )
    op.create_index("ix_instruction_recipient", "instruction", ["recipient", "acknowledged_at"], unique=False)


def _agenda() -> None:
    op.create_table(
        "job",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("ref", sa.String(length=120), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=True),
        sa.Column("lease_until", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("done_at", sa.BigInteger(), nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("key", name=op.f("uq_job_key")),
    )
    op.create_index(
        "ix_job_deadline",
        "job",
        ["deadline"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )
    op.create_index(
        "ix_job_due",
        "job",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("done_at IS NULL"),
        postgresql_where=sa.text("done_at IS NULL"),
    )


def _ledger() -> None:
    op.create_table(
        "ledger_checkpoint",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.LargeBinary(length=32), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("signature", sa.LargeBinary(length=64), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_ledger_checkpoint")),
    )
    op.create_table(
        "ledger_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.String(length=60), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(length=32), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_entry")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_ledger_entry_event", "ledger_entry", ["event", "at"], unique=False)
    op.create_index(
        "ix_ledger_entry_unsealed",
        "ledger_entry",
        ["id"],
        unique=False,
        sqlite_where=sa.text("position IS NULL"),
        postgresql_where=sa.text("position IS NULL"),
    )
    op.create_index(
        "uq_ledger_entry_position",
        "ledger_entry",
        ["position"],
        unique=True,
        sqlite_where=sa.text("position IS NOT NULL"),
        postgresql_where=sa.text("position IS NOT NULL"),
    )
    for statement in _ONLY_GROWS[op.get_bind().dialect.name]:
        op.execute(statement)


def _messages() -> None:
    op.create_table(
        "message",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("key", sa.String(length=120), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("class", sa.String(length=63), nullable=False),
        sa.Column("template", sa.String(length=63), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("sent_at", sa.BigInteger(), nullable=True),
        sa.Column("because", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
        sa.UniqueConstraint("key", name=op.f("uq_message_key")),
    )
    op.create_index("ix_message_person_id", "message", ["person_id"], unique=False)
    op.create_index("ix_message_state", "message", ["state", "at"], unique=False)


def _visits() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return  # there each day is a table of its own
    op.create_table(
        "visit",
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_visit_at", "visit", ["at", "id"], unique=False)


def _people() -> None:
    op.create_table(
        "person",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=63), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("only_for", sa.String(length=1000), nullable=True),
        sa.Column("relationship_ends_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
    )
    op.create_index("ix_person_relationship_ends_at", "person", ["kind", "relationship_ends_at"], unique=False)
    op.create_table(
        "shape",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("point", sa.String(length=63), nullable=False),
        sa.Column("source", sa.String(length=63), nullable=False),
        sa.Column("fields", sa.String(length=1000), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shape")),
        sa.UniqueConstraint("point", "source", "fields", name=op.f("uq_shape_point_source_fields")),
    )
    op.create_table(
        "dealing",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("ref", sa.String(length=130), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("warranty_ends_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_dealing_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dealing")),
        sa.UniqueConstraint("kind", "ref", name=op.f("uq_dealing_kind_ref")),
    )
    op.create_index("ix_dealing_person_id", "dealing", ["person_id", "kind"], unique=False)
    op.create_table(
        "identifier",
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("field", sa.String(length=63), nullable=False),
        sa.Column("blind", sa.LargeBinary(length=32), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_identifier_person_id")),
        sa.UniqueConstraint("field", "blind", name=op.f("uq_identifier_field_blind")),
    )
    op.create_index(op.f("ix_identifier_person_id"), "identifier", ["person_id"], unique=False)


def _holdings() -> None:
    op.create_table(
        "holding",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("shape_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("told", sa.String(length=64), nullable=False),
        sa.Column("partner", sa.String(length=63), nullable=True),
        sa.Column("submission", sa.String(length=64), nullable=False),
        sa.Column("only_for", sa.String(length=1000), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_holding_person_id")),
        sa.ForeignKeyConstraint(["shape_id"], ["shape.id"], name=op.f("fk_holding_shape_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holding")),
        sa.UniqueConstraint("submission", "shape_id", name=op.f("uq_holding_submission_shape_id")),
    )
    op.create_index(
        "ix_holding_only_for",
        "holding",
        ["only_for"],
        unique=False,
        sqlite_where=sa.text("only_for IS NOT NULL"),
        postgresql_where=sa.text("only_for IS NOT NULL"),
    )
    op.create_index("ix_holding_person_id", "holding", ["person_id"], unique=False)
    op.create_index("ix_holding_shape_id", "holding", ["shape_id", "at"], unique=False)
    op.create_table(
        "quarantined",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("person_id", sa.String(length=26), nullable=False),
        sa.Column("shape_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("policy_version", sa.Integer(), nullable=False),
        sa.Column("told", sa.String(length=64), nullable=False),
        sa.Column("partner", sa.String(length=63), nullable=True),
        sa.Column("submission", sa.String(length=64), nullable=False),
        sa.Column("only_for", sa.String(length=1000), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("ending_id", sa.String(length=26), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_quarantined_person_id")),
        sa.ForeignKeyConstraint(["shape_id"], ["shape.id"], name=op.f("fk_quarantined_shape_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantined")),
    )
    op.create_index("ix_quarantined_ending_id", "quarantined", ["ending_id"], unique=False)
    op.create_index("ix_quarantined_person_id", "quarantined", ["person_id"], unique=False)
