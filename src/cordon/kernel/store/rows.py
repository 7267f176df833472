"""Rows: SQLAlchemy over SQLite (WAL) or PostgreSQL, one transaction at a time.

Every table derives from `Base`; a table whose rows agencies may speak of derives from
`Owned` too, so that each row knows its agency and its handling mark from the first
migration on.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    String,
    Text,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DataError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from sqlalchemy.types import TypeDecorator

from cordon.kernel.errors import BadInput, Conflict, CordonError, Unavailable

_LOCKED = re.compile(r"\blocked\b")  # SQLite's word; PostgreSQL's deadlocks say "blocked"
_LOST_RACE = frozenset({"40P01", "40001"})  # SQLSTATE: deadlock detected, serialization failure
_READING = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
_RESERVED = {"pool_size": 1, "max_overflow": 10}

Json = JSON().with_variant(JSONB(), "postgresql")
"""JSON text on SQLite, JSONB on PostgreSQL."""


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC datetime: timestamptz on PostgreSQL, sortable RFC 3339 text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(Text())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime was to be stored; times are aware and in UTC")
        value = value.astimezone(UTC)
        if dialect.name == "sqlite":
            return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if isinstance(value, str):
            return datetime.fromisoformat(value)
        return value.astimezone(UTC)  # type: ignore[no-any-return]


class Base(DeclarativeBase):
    """Base of all tables. Names of constraints are fixed, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Owned:
    """Columns of every row that agencies may speak of.

    Columns:
        id: UUIDv7 text. agency: code of the agency whose node made it.
        mark: handling mark (TLP). created_at: when this node wrote it.
    """

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    agency: Mapped[str] = mapped_column(String(40))
    mark: Mapped[str] = mapped_column(String(20))
    created_at: Mapped[datetime] = mapped_column(UtcTime())


class Rows:
    """The node's database.

    Args:
        url: SQLAlchemy URL (`sqlite:///…` or `postgresql+psycopg://…`).
        pool: connections kept open at most (PostgreSQL); 20 more may be opened when needed.

    Attributes:
        engine: of the connections that everybody shares.
        reserve: a few connections beside them, 11 at most, for those whom somebody with a shared
            connection waits for: the ledger, and on SQLite every writer. If these had to wait for
            a shared connection too, each would wait for the other.
    """

    def __init__(self, url: str, *, pool: int = 10) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite and self.url.database and self.url.database != ":memory:":
            Path(self.url.database).parent.mkdir(parents=True, exist_ok=True)
        self.engine = self._engine(pool_size=pool, max_overflow=20)
        self.reserve = self._engine(**_RESERVED)
        self._sessions = sessionmaker(expire_on_commit=False)
        # SQLite has one writer. Waiting here is fair and instant; SQLite's own busy wait polls.
        self._writer = threading.Lock() if self.is_sqlite else None
        self._mine = threading.local()

    def _engine(self, **pool: int) -> Engine:
        if self.is_sqlite:
            engine = create_engine(self.url, hide_parameters=True, **pool)
            _tune_sqlite(engine)
            return engine
        # an error that says what was to be written would carry it into the log
        return create_engine(self.url, pool_pre_ping=True, hide_parameters=True, **pool)

    def _one_state(self, engine: Engine) -> Engine:
        """The same connections, for reading; a transaction of SQLite sees one state anyway."""
        return engine if self.is_sqlite else engine.execution_options(**_READING)

    @property
    def writing(self) -> bool:
        """True where this thread is inside a write transaction."""
        return bool(getattr(self._mine, "writing", False))

    @contextmanager
    def write(self, *, reserved: bool = False) -> Iterator[Session]:
        """A transaction that commits at the end of the block, or rolls back on any error.

        Args:
            reserved: take a connection of the reserve: somebody with a shared one waits for this.
        """
        if self.writing:
            raise RuntimeError("a write transaction was opened inside another one")
        # who holds SQLite's writer lock must never wait for the others' connections
        engine = self.reserve if reserved or self.is_sqlite else self.engine
        with self._writer or nullcontext(), named_faults(), self._sessions(bind=engine) as session:
            self._mine.writing = True
            try:
                session.connection(execution_options={"cordon_write": True})
                yield session
                session.commit()
            finally:
                self._mine.writing = False

    @contextmanager
    def read(self, *, reserved: bool = False) -> Iterator[Session]:
        """A transaction that sees one state of the rows and never changes them.

        Args:
            reserved: as of `write`; for a short reading that may stand inside another one.
        """
        engine = self._one_state(self.reserve if reserved or self.writing else self.engine)
        with named_faults(), self._sessions(bind=engine, autoflush=False) as session:
            yield session
            session.expunge_all()  # what was read stays readable; a rollback would expire it
            session.rollback()

    def alone(self, session: Session, name: str) -> None:
        """Wait until no other transaction does what has this name; until this one ends.

        For work that looks and then writes what must stand there once. SQLite's write
        transactions are alone by their nature.
        """
        if not self.is_sqlite:
            key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
        self.reserve.dispose()


def _tune_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, see below
        connection.execute("PRAGMA busy_timeout = 30000")
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL: a commit is on the disk before it is acknowledged, also when power fails.
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA cache_size = -32768")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        # IMMEDIATE takes the write lock at once: a deferred one that upgrades can fail midway.
        write = connection.get_execution_options().get("cordon_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


@contextmanager
def named_faults() -> Iterator[None]:
    """Turn faults of the database that somebody can mend into errors that say how.

    Raises:
        BadInput: a value that the database does not take. Conflict: another transaction won.
        Unavailable: the database is away, busy, full or held.
    """
    try:
        yield
    except NoneFree as fault:
        raise Unavailable(
            "The node is busy: no connection to its database came free in time.",
            advice="Try again in a moment.",
        ) from fault
    except OperationalError as fault:
        raise _operational(fault) from fault
    except (DataError, UnicodeEncodeError) as fault:
        # psycopg refuses NUL, and every driver a lone surrogate, before anything is sent
        raise BadInput(
            "A value holds a character or a number that the database does not take.",
            advice="Take out what cannot be printed, and try again.",
        ) from fault
    except DBAPIError as fault:
        if fault.connection_invalidated:
            raise Unavailable(
                "The connection to the node's database broke.", advice="Try again in a moment."
            ) from fault
        raise


def _operational(fault: OperationalError) -> CordonError:
    words = str(fault.orig).lower()
    if getattr(fault.orig, "sqlstate", None) in _LOST_RACE:
        return Conflict("Somebody else changed this at the same moment.", advice="Try again.")
    if "disk is full" in words or "no space left" in words:
        return Unavailable(
            "The disk that holds the node's database is full; nothing of this act was kept.",
            advice="Free space on it and try again.",
        )
    if _LOCKED.search(words):
        return Unavailable(
            "Another process holds the node's database.", advice="Try again in a moment."
        )
    return Unavailable(
        "The node's database does not answer.", advice="See CORDON_DATABASE_URL and its log."
    )
