"""How the ledger is kept: entries, hashes of complete subtrees, and one head row.

Triggers refuse to change or remove an entry. They guard against mistakes and against officers
with some rights to the database; whoever owns the database can drop them, and is caught by
the hashes instead.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DDL, BigInteger, Index, Integer, LargeBinary, String, Text, event
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.store.rows import Base, UtcTime

TILE = 8
"""Kept subtrees have heights that are multiples of this: 256, 65,536, … entries each."""

# INTEGER PRIMARY KEY is SQLite's rowid itself, so that appending needs no second tree
_Count = BigInteger().with_variant(Integer(), "sqlite")


class LedgerEntry(Base):
    """One entry. The columns repeat what the leaf says, so that it can be searched.

    Columns:
        leaf: the exact bytes that were hashed; leaf_hash: their RFC 6962 leaf hash, 32 bytes.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        Index("ix_ledger_entries_thing", "thing", "index"),
        Index("ix_ledger_entries_actor", "actor", "index"),
        Index("ix_ledger_entries_authority", "authority", "index"),
        Index("ix_ledger_entries_act", "act", "at"),
        Index("ix_ledger_entries_outcome", "outcome", "index"),
    )

    index: Mapped[int] = mapped_column(_Count, primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(UtcTime())
    agency: Mapped[str] = mapped_column(String(40))
    act: Mapped[str] = mapped_column(String(100))
    outcome: Mapped[str] = mapped_column(String(10))
    actor: Mapped[str] = mapped_column(String(100))
    unit: Mapped[str | None] = mapped_column(String(100))
    thing: Mapped[str] = mapped_column(String(200))
    mark: Mapped[str] = mapped_column(String(20))
    authority: Mapped[str | None] = mapped_column(String(100))
    leaf: Mapped[bytes] = mapped_column(LargeBinary())
    leaf_hash: Mapped[bytes] = mapped_column(LargeBinary())


class LedgerNode(Base):
    """Hash of the complete subtree over entries `index * 256**level` and on, level from 1.

    They only save reading: each can be computed again from the entries.
    """

    __tablename__ = "ledger_nodes"

    level: Mapped[int] = mapped_column(Integer(), primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(_Count, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary())


class LedgerHead(Base):
    """The one row that says where the ledger ends; who appends locks it.

    Columns:
        id: 1. size: number of entries. frontier: `merkle.Frontier.to_bytes`.
        note: signed checkpoint of this size. at: time of the last entry.
    """

    __tablename__ = "ledger_head"

    id: Mapped[int] = mapped_column(Integer(), primary_key=True, autoincrement=False)
    size: Mapped[int] = mapped_column(_Count)
    frontier: Mapped[bytes] = mapped_column(LargeBinary())
    note: Mapped[str] = mapped_column(Text())
    at: Mapped[datetime] = mapped_column(UtcTime())


class LedgerCosigned(Base):
    """The newest checkpoint of this ledger that a witness cosigned.

    Columns:
        witness: name of its key. key: its verifier string. note: with both signatures.
        at: when the witness signed.
    """

    __tablename__ = "ledger_cosigned"

    witness: Mapped[str] = mapped_column(String(200), primary_key=True)
    key: Mapped[str] = mapped_column(String(300))
    size: Mapped[int] = mapped_column(_Count)
    note: Mapped[str] = mapped_column(Text())
    at: Mapped[datetime] = mapped_column(UtcTime())


TRIGGERS_SQLITE = (
    """CREATE TRIGGER ledger_entries_no_update BEFORE UPDATE ON ledger_entries
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    """CREATE TRIGGER ledger_entries_no_delete BEFORE DELETE ON ledger_entries
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
    # INSERT OR REPLACE removes the old row without asking the trigger above
    """CREATE TRIGGER ledger_entries_no_replace BEFORE INSERT ON ledger_entries
WHEN EXISTS (SELECT 1 FROM ledger_entries WHERE "index" = NEW."index")
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END""",
)
"""Statements for SQLite, in order; a migration runs the same."""

TRIGGERS_POSTGRESQL = (
    """CREATE FUNCTION ledger_entries_refuse() RETURNS trigger LANGUAGE plpgsql AS
$body$ BEGIN RAISE EXCEPTION 'the ledger is append-only'; END $body$""",
    """CREATE TRIGGER ledger_entries_no_change BEFORE UPDATE OR DELETE ON ledger_entries
FOR EACH ROW EXECUTE FUNCTION ledger_entries_refuse()""",
    """CREATE TRIGGER ledger_entries_no_truncate BEFORE TRUNCATE ON ledger_entries
FOR EACH STATEMENT EXECUTE FUNCTION ledger_entries_refuse()""",
)
"""Statements for PostgreSQL, in order; a migration runs the same."""

DROP_TRIGGERS_SQLITE = tuple(
    f"DROP TRIGGER IF EXISTS ledger_entries_no_{name}" for name in ("update", "delete", "replace")
)
DROP_TRIGGERS_POSTGRESQL = ("DROP FUNCTION IF EXISTS ledger_entries_refuse() CASCADE",)
"""What a migration down runs, before (SQLite) or after (PostgreSQL) the table goes."""


def _attach(when: str, statement: str, dialect: str) -> None:
    ddl = DDL(statement)  # type: ignore[no-untyped-call]
    event.listen(LedgerEntry.__table__, when, ddl.execute_if(dialect=dialect))


for _statement in TRIGGERS_SQLITE:
    _attach("after_create", _statement, "sqlite")
for _statement in TRIGGERS_POSTGRESQL:
    _attach("after_create", _statement, "postgresql")
for _statement in DROP_TRIGGERS_POSTGRESQL:
    _attach("after_drop", _statement, "postgresql")
