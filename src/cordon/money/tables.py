"""How the room keeps its files and traces; the payments themselves are columns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.bringing.tables import BroughtColumns, FileColumns
from cordon.kernel.store.rows import Base, Json, Owned, UtcTime


class MoneyFileRow(FileColumns, Base):
    """A file of payments, or of what stands beside them.

    Columns:
        kind: `payments`, `accounts`, `complaints`.
    """

    __tablename__ = "money_files"
    thing_type = "money_file"
    __table_args__ = (Index("uq_money_files_sha256", "sha256", "authority", unique=True),)


class MoneyImportRow(BroughtColumns, Base):
    """Files that somebody brought in together."""

    __tablename__ = "money_imports"


class TraceRow(Owned, Base):
    """A trace of money: of an account, forward or back, or of what a ring's victims paid.

    Columns:
        authority: id of the legal authority whose payments it went through.
        about: `account`, or `ring`. subject: `account:…` in clear, or the ring's id.
        way: `forward` or `back`. hops: payments followed, at most.
        since, until: of the payments that it begins with, or null. job: id of the job.
        state: `asked`, or `done`.
        detail: see `tracebook.detail`; personal, in clear. The payments stand in columns, as
            `money.traces`.
    """

    __tablename__ = "money_traces"
    __table_args__ = (Index("ix_money_traces_subject", "subject", "authority"),)

    authority: Mapped[str] = mapped_column(String(36))
    about: Mapped[str] = mapped_column(String(10))
    subject: Mapped[str] = mapped_column(String(120))
    way: Mapped[str] = mapped_column(String(10))
    hops: Mapped[int] = mapped_column(Integer)
    since: Mapped[datetime | None] = mapped_column(UtcTime())
    until: Mapped[datetime | None] = mapped_column(UtcTime())
    job: Mapped[str] = mapped_column(String(36))
    state: Mapped[str] = mapped_column(String(10))
    detail: Mapped[dict[str, Any]] = mapped_column(Json, deferred=True)

    def thing(self) -> Thing:
        """The trace as policies see it."""
        return Thing("trace", self.id, self.agency, Mark(self.mark))
