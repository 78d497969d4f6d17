"""Drafts a migration from the declared tables: `python scripts/migration.py data "what becomes true"`.

Compares a fresh SQLite database, brought to the present by the migrations there are, with the tables as declared. Read the
draft before you commit it: triggers, partitions and moves of data are for you to write.
"""

import importlib
import pkgutil
import sys
import tempfile
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

import troth
from troth.store.prepare import configured, upgrade


def import_tables() -> None:
    """Every room's tables, so that the declared schema is whole."""
    for module in pkgutil.walk_packages(troth.__path__, "troth."):
        if module.name.endswith(".tables"):
            importlib.import_module(module.name)


def main(store: str, message: str) -> None:
    import_tables()
    with tempfile.TemporaryDirectory() as folder:
        engine = create_engine(f"sqlite:///{folder}/draft.db")
        upgrade(engine, store)
        config = configured(store)
        versions = len(list(Path(config.get_main_option("script_location") or "").glob("versions/*.py")))
        with engine.connect() as conn:
            config.attributes["connection"] = conn
            command.revision(config, message, autogenerate=True, rev_id=f"{versions + 1:04d}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
