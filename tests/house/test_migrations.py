"""The migrations bring an empty database to what the tables say, on both kinds of store."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, Executable, Inspector, MetaData, func, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError

from cordon import schema
from cordon.kernel.errors import Unavailable
from cordon.kernel.ledger.tables import LedgerEntry
from cordon.kernel.store import Base, Rows


@pytest.fixture
def store(empty_url: str) -> Iterator[Rows]:
    """A database that holds nothing yet."""
    made = Rows(empty_url)
    yield made
    made.close()


def differences(engine: Engine) -> list[Any]:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, Base.metadata))


def shape(store: Rows) -> dict[str, Any]:
    """Tables, columns, keys, indexes and triggers, as the database itself tells them."""
    look: Inspector = inspect(store.engine)
    told: dict[str, Any] = {}
    for table in sorted(look.get_table_names()):
        if table == "alembic_version":
            continue
        told[table] = {
            "columns": sorted(
                (c["name"], str(c["type"]), c["nullable"]) for c in look.get_columns(table)
            ),
            "key": look.get_pk_constraint(table)["constrained_columns"],
            "unique": sorted(sorted(u["column_names"]) for u in look.get_unique_constraints(table)),
            "indexes": sorted(
                (i["name"] or "", tuple(str(c) for c in i["column_names"]), bool(i["unique"]))
                for i in look.get_indexes(table)
            ),
            "foreign": sorted(
                (
                    tuple(f["constrained_columns"]),
                    f["referred_table"],
                    f["options"].get("ondelete", ""),
                )
                for f in look.get_foreign_keys(table)
            ),
        }
    asked = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
        if store.is_sqlite
        else "SELECT DISTINCT tgname FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname"
    )
    with store.engine.connect() as connection:
        told["triggers"] = list(connection.execute(text(asked)).scalars())
    return told


def test_from_empty_the_tables_are_what_the_code_says(store: Rows) -> None:
    assert differences_before(store)
    schema.upgrade(store)
    assert differences(store.engine) == []
    assert len(shape(store)) > 20


def differences_before(store: Rows) -> list[Any]:
    """Everything is missing from an empty database: so the comparison can fail."""
    schema.load_tables()
    return differences(store.engine)


def test_migrated_and_created_databases_have_one_shape(
    store: Rows, request: pytest.FixtureRequest, tmp_path: Any
) -> None:
    """What the other tests create from the tables is what a node migrates to, triggers too."""
    schema.upgrade(store)
    migrated = shape(store)
    if store.is_sqlite:
        created = Rows(f"sqlite:///{tmp_path / 'created.db'}")
        Base.metadata.create_all(created.engine)
        told = shape(created)
        created.close()
    else:
        everything = MetaData()
        everything.reflect(store.engine)
        everything.drop_all(store.engine)
        with store.engine.begin() as connection:
            connection.execute(text("DROP FUNCTION IF EXISTS ledger_entries_refuse() CASCADE"))
        Base.metadata.create_all(store.engine)
        told = shape(store)
    assert migrated == told


def test_a_second_upgrade_changes_nothing(store: Rows) -> None:
    schema.upgrade(store)
    before = shape(store)
    with store.engine.connect() as connection:
        at = MigrationContext.configure(connection).get_current_revision()
    schema.upgrade(store)
    with store.engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == at
    assert at == ScriptDirectory.from_config(schema.config()).get_current_head()
    assert shape(store) == before


def test_each_step_stands_on_the_one_before(store: Rows) -> None:
    """One line of revisions, each of which a node may have stopped at."""
    script = ScriptDirectory.from_config(schema.config())
    assert len(script.get_heads()) == len(script.get_bases()) == 1
    in_order = [r.revision for r in reversed(list(script.walk_revisions()))]
    assert schema._known() == tuple(in_order)  # told by the files' names, which a start reads
    schema.load_tables()
    for revision in reversed(list(script.walk_revisions())):
        with store.engine.connect() as plain:
            connection = plain.execution_options(cordon_write=True)
            with connection.begin():
                command.upgrade(schema.config(connection), revision.revision)
                at = MigrationContext.configure(connection).get_current_revision()
                assert at == revision.revision
    assert differences(store.engine) == []


def test_a_database_of_a_newer_cordon_is_refused_and_left_alone(store: Rows) -> None:
    schema.upgrade(store)
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = shape(store)
    with pytest.raises(Unavailable, match="newer Cordon"):
        schema.upgrade(store)
    assert shape(store) == before
    with store.engine.connect() as connection:
        assert (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "9999"
        )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE ledger_entries SET actor = 'somebody else'",
        "UPDATE ledger_entries SET leaf = leaf",
        "DELETE FROM ledger_entries",
        'DELETE FROM ledger_entries WHERE "index" = 0',
    ],
)
def test_the_ledger_refuses_to_be_changed(store: Rows, statement: str) -> None:
    schema.upgrade(store)
    write(store, insert(LedgerEntry).values(**entry()))
    with pytest.raises(DBAPIError, match="append-only"):
        write(store, text(statement))
    with store.engine.connect() as connection:
        count, actor = connection.execute(select(func.count(), func.max(LedgerEntry.actor))).one()
    assert (count, actor) == (1, "officer")


def write(store: Rows, statement: Executable) -> None:
    """Run one statement in a transaction of its own."""
    with store.engine.connect() as plain:
        connection = plain.execution_options(cordon_write=True)
        with connection.begin():
            connection.execute(statement)


def entry() -> dict[str, Any]:
    """An entry as a row; what it says does not matter to the triggers."""
    return {
        "index": 0,
        "at": datetime(2026, 3, 6, tzinfo=UTC),
        "agency": "pk-test",
        "act": "access.session.open",
        "outcome": "done",
        "actor": "officer",
        "unit": None,
        "thing": "session:1",
        "mark": "TLP:GREEN",
        "authority": None,
        "leaf": b"{}",
        "leaf_hash": b"0" * 32,
    }
