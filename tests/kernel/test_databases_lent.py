"""What the tests stand on: a database that is lent again holds nothing of an earlier test."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from cordon.kernel.store import rows
from support import quick
from support.databases import Databases


@pytest.fixture
def databases(postgres_url, migrated_postgres):
    made = Databases(postgres_url, migrated_postgres)
    yield made
    made.close()


@pytest.fixture
def engine():
    made: list[Engine] = []

    def to(url: str) -> Engine:
        made.append(create_engine(url, isolation_level="AUTOCOMMIT"))
        return made[-1]

    yield to
    for one in made:
        one.dispose()


def oid(connection) -> int:
    return connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))


UNIT = """INSERT INTO units (id, agency, mark, created_at, code, name)
          VALUES ('u-1', 'pk', 'TLP:GREEN', '2026-01-01T00:00:00Z', 'a', 'A')"""


def test_what_was_written_is_gone_though_it_was_held_open(databases, engine):
    with databases.lent() as first:
        connection = engine(first).connect()
        connection.execute(text(UNIT))
        connection.execute(text("UPDATE units SET name = 'B'"))
        number = oid(connection)
        assert connection.scalar(text("SELECT count(*) FROM units")) == 1
    with databases.lent() as second, engine(second).connect() as connection:
        assert oid(connection) == number, "it is the same one"
        assert connection.scalar(text("SELECT count(*) FROM units")) == 0
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    assert make_url(second).database != make_url(first).database
    with pytest.raises(OperationalError, match="does not exist"):
        engine(first).connect()


def test_two_at_once_are_two(databases, engine):
    with (
        databases.lent() as a,
        databases.lent() as b,
        engine(a).connect() as one,
        engine(b).connect() as two,
    ):
        one.execute(text(UNIT))
        assert two.scalar(text("SELECT count(*) FROM units")) == 0


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE ledger_entries DISABLE TRIGGER ledger_entries_no_change",
        "DROP TRIGGER ledger_entries_no_change ON ledger_entries",
        "ALTER TABLE units ADD COLUMN more integer",
        "ALTER TABLE units ALTER COLUMN name DROP NOT NULL",
        "CREATE TABLE another (id integer)",
        "CREATE OR REPLACE FUNCTION ledger_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RETURN NULL; END $$",
        "UPDATE alembic_version SET version_num = 'none'",
        "DELETE FROM alembic_version",
        "CREATE INDEX another ON units (name)",
        "DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || "
        "' SET work_mem = 128'; END $$",
    ],
)
def test_what_is_no_longer_the_same_is_not_lent_again(databases, engine, change):
    with databases.lent() as first, engine(first).connect() as connection:
        number = oid(connection)
        connection.execute(text(change))
    with databases.lent() as second, engine(second).connect() as connection:
        assert oid(connection) != number


def test_a_node_of_its_own_waits_for_the_disk(tmp_path, monkeypatch):
    """What the tests' own process leaves out: a commit is on the disk before it is said."""
    monkeypatch.setattr(rows, "_tune_sqlite", quick.REAL_TUNING)
    store = rows.Rows(f"sqlite:///{tmp_path / 'node.db'}")
    with store.engine.connect() as connection:
        assert connection.scalar(text("PRAGMA synchronous")) == 2  # FULL
    store.close()
