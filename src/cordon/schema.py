"""The tables of every room, and the migrations that bring a database up to them."""

from __future__ import annotations

import argparse
from functools import cache
from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from cordon.kernel.errors import Unavailable
from cordon.kernel.store import Base, Rows

TABLES = (
    "cordon.kernel.access.tables",
    "cordon.kernel.events",
    "cordon.kernel.jobs",
    "cordon.kernel.leads.tables",
    "cordon.kernel.ledger.tables",
    "cordon.kernel.pseudonyms",
    "cordon.kernel.store.columns",
    "cordon.picture.tables",
    "cordon.picture.cover.tables",
    "cordon.picture.desk.tables",
    "cordon.calls.tables",
    "cordon.money.tables",
    "cordon.money.disruption.tables",
    "cordon.operations.tables",
    "cordon.operations.handover.tables",
    "cordon.operations.field.tables",
    "cordon.operations.tak.tables",
    "cordon.cases.tables",
    "cordon.sharing.agreements.tables",
    "cordon.sharing.releases.tables",
    "cordon.sharing.requests.tables",
    "cordon.sharing.deconfliction.tables",
    "cordon.sharing.match.tables",
    "cordon.sharing.match.standing.tables",
    "cordon.sharing.nodes.tables",
    "cordon.sharing.tables",
    "cordon.sharing.witness.tables",
    "cordon.exercise.tables",
)
_LOCK = 0x636F72646F6E  # "cordon", the advisory lock that two starting nodes wait for


def load_tables() -> None:
    """Import every module that declares tables, so that `Base.metadata` is whole."""
    for name in TABLES:
        import_module(name)


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; it has no file of its own."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings


def upgrade(rows: Rows) -> None:
    """Bring the database up to this version's tables; a newer one is refused."""
    load_tables()
    with rows.engine.connect() as plain:
        connection = plain.execution_options(cordon_write=True)
        with connection.begin():
            if not rows.is_sqlite:  # SQLite's write transaction is a lock already
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            at = MigrationContext.configure(connection).get_current_revision()
            known, head = _known()
            if at is not None and at not in known:
                raise Unavailable(
                    "The database was written by a newer Cordon.",
                    advice="Install that version, or restore a backup made before it.",
                )
            if at != head:
                command.upgrade(config(connection), "head")


@cache
def _known() -> tuple[frozenset[str], str | None]:
    """The migrations of this version, and the last of them."""
    told = ScriptDirectory.from_config(config())
    return frozenset(s.revision for s in told.walk_revisions()), told.get_current_head()


def new(message: str, rows: Rows) -> None:
    """Write a migration for what the tables have become since the last one."""
    load_tables()
    with rows.engine.begin() as connection:
        command.upgrade(config(connection), "head")
        command.revision(config(connection), message, autogenerate=True, rev_id=_next_number())


def _next_number() -> str:
    versions = Path(__file__).parent / "migrations" / "versions"
    last = max(int(path.name[:4]) for path in versions.glob("[0-9]*.py"))
    return f"{last + 1:04d}"


if __name__ == "__main__":
    import tempfile

    parser = argparse.ArgumentParser(description="Write a migration.")
    parser.add_argument("message")
    with tempfile.TemporaryDirectory() as folder:
        new(parser.parse_args().message, Rows(f"sqlite:///{folder}/empty.db"))

__all__ = ["Base", "config", "load_tables", "new", "upgrade"]
