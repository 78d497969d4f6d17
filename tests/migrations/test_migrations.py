"""The migrations build exactly what the rooms declare, on both stores, and change nothing the second time."""

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, MetaData, text

from tests.databases import StoreKind
from troth.store.engines import open_engine, reading, writing
from troth.store.migrations.run import VERSIONS, declared
from troth.store.prepare import upgrade
from troth.store.schema import data_tables, key_tables

SCRIPT = Path(__file__).parents[2] / "scripts" / "migration.py"
METADATA = {"data": data_tables, "keys": key_tables}
TRIGGERS = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgname NOT LIKE 'troth_mark%'",
}


@pytest.fixture(params=["data", "keys"])
def store(request: pytest.FixtureRequest) -> str:
    spec = importlib.util.spec_from_file_location("migration", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.import_tables()
    name: str = request.param
    return name


@pytest.fixture
def migrated(store: str, database_url: str) -> Engine:
    engine = open_engine(database_url, Path("/"))
    upgrade(engine, store)
    return engine


def differences(engine: Engine, metadata: MetaData) -> list[object]:
    with reading(engine) as conn:
        options = {"include_object": declared, "version_table": VERSIONS, "compare_type": True}
        found = compare_metadata(MigrationContext.configure(conn, opts=options), metadata)
    on_sqlite = engine.dialect.name == "sqlite"
    # on SQLite every day of visits is a table of its own and their parent is not made
    return [one for one in found if not (on_sqlite and "visit" in str(one[1]))]


def test_migrations_build_the_declared_schema(store: str, migrated: Engine) -> None:
    assert differences(migrated, METADATA[store]) == []


def test_a_missing_index_would_be_noticed(migrated: Engine, store: str) -> None:
    with writing(migrated) as conn:
        conn.execute(text(f"DROP INDEX {'ix_holding_person_id' if store == 'data' else 'ix_person_key_site_key'}"))
    assert len(differences(migrated, METADATA[store])) == 1


def test_migrations_make_the_same_triggers_as_the_declared_tables(
    store_kind: StoreKind, fresh_database: Callable[[StoreKind], str], store: str, migrated: Engine
) -> None:
    declared_alone = open_engine(fresh_database(store_kind), Path("/"))
    METADATA[store].create_all(declared_alone)
    names = []
    for engine in (declared_alone, migrated):
        with reading(engine) as conn:
            names.append(sorted(conn.scalars(text(TRIGGERS[store_kind]))))
        engine.dispose()
    assert names[0] == names[1]
    assert bool(names[0]) == (store == "data")


def test_a_second_upgrade_changes_nothing(store: str, migrated: Engine) -> None:
    upgrade(migrated, store)
    assert differences(migrated, METADATA[store]) == []
