"""The tables of every room, and the migrations that bring a database up to them."""

from __future__ import annotations

import argparse
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from cordon.kernel.errors import Unavailable
from cordon.kernel.store import Base, Rows

if TYPE_CHECKING:
    from alembic.config import Config

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
_VERSIONS = Path(__file__).parent / "migrations" / "versions"
_LOCK = 0x636F72646F6E  # "cordon", the advisory lock that two starting nodes wait for


def load_tables() -> None:
    """Import every module that declares tables, so that `Base.metadata` is whole."""
    for name in TABLES:
        import_module(name)


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; it has no file of its own."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    settings.set_main_option("path_separator", "os")
    settings.attributes["connection"] = connection
    return settings


def upgrade(rows: Rows) -> None:
    """Bring the database up to this version's tables; a newer one is refused.

    Alembic is loaded only where there is something to bring up: each command opens a node.
    """
    load_tables()
    with rows.engine.connect() as plain:
        connection = plain.execution_options(cordon_write=True)
        with connection.begin():
            if not rows.is_sqlite:  # SQLite's write transaction is a lock already
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            at, known = _revision(connection), _known()
            if at is not None and at not in known:
                raise Unavailable(
                    "The database was written by a newer Cordon.",
                    advice="Install that version, or restore a backup made before it.",
                )
            if at != known[-1]:
                from alembic import command

                command.upgrade(config(connection), "head")


def _revision(connection: Connection) -> str | None:
    """The last migration that the database has had, as Alembic keeps it."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    at: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return at


@cache
def _known() -> tuple[str, ...]:
    """The migrations of this version in order; each one's file begins with its number."""
    return tuple(sorted(path.name[:4] for path in _VERSIONS.glob("[0-9]*.py")))


def new(message: str, rows: Rows) -> None:
    """Write a migration for what the tables have become since the last one."""
    from alembic import command

    load_tables()
    with rows.engine.begin() as connection:
        command.upgrade(config(connection), "head")
        following = f"{int(_known()[-1]) + 1:04d}"
        command.revision(config(connection), message, autogenerate=True, rev_id=following)


if __name__ == "__main__":
    import tempfile

    parser = argparse.ArgumentParser(description="Write a migration.")
    parser.add_argument("message")
    with tempfile.TemporaryDirectory() as folder:
        new(parser.parse_args().message, Rows(f"sqlite:///{folder}/empty.db"))

__all__ = ["Base", "config", "load_tables", "new", "upgrade"]
