"""How cases, exhibits, custody and bundles are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.store.rows import Base, Json, Owned, UtcTime


class CaseCounterRow(Base):
    """The last number given in a year. Its lock makes the numbers gapless: a number is taken in
    the transaction that opens the case, and given back where that fails."""

    __tablename__ = "case_counters"

    agency: Mapped[str] = mapped_column(String(40), primary_key=True)
    year: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(Integer, default=0)


class CaseRow(Owned, Base):
    """A case.

    Columns:
        number: `C-<year>-<4 digits>`. state: open, closed (the wish to close one stands with
        the kernel's leads). unit: the unit that has it.
    """

    __tablename__ = "cases"
    __table_args__ = (
        Index("uq_cases_number", "agency", "number", unique=True),
        Index("ix_cases_state", "state", "id"),
    )

    number: Mapped[str] = mapped_column(String(16))
    title: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(10), default="open")
    unit: Mapped[str] = mapped_column(String(40))
    lead_officer: Mapped[str] = mapped_column(String(60))
    seriousness: Mapped[str] = mapped_column(String(10))
    closed_at: Mapped[datetime | None] = mapped_column(UtcTime())
    closed_reason: Mapped[str | None] = mapped_column(String(40))


class CaseMemberRow(Base):
    """An officer named on a case; a case at TLP:RED is for these alone."""

    __tablename__ = "case_members"

    case: Mapped[str] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    officer: Mapped[str] = mapped_column(String(60), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime())
    by: Mapped[str] = mapped_column(String(60))


class CaseLinkRow(Owned, Base):
    """A finding or an alert that belongs to a case. `created_at` is when it was linked."""

    __tablename__ = "case_links"
    __table_args__ = (Index("uq_case_links_target", "case", "kind", "target", unique=True),)

    case: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    kind: Mapped[str] = mapped_column(String(20))
    target: Mapped[str] = mapped_column(String(36), index=True)
    by: Mapped[str] = mapped_column(String(60))


class ExhibitRow(Owned, Base):
    """An exhibit; its bytes stand in the node's files under `sha256`.

    Columns:
        place: its number in the case; the label is `E-<place>`. finding: id of the finding
        that it is, or null. size: bytes.
    """

    __tablename__ = "exhibits"
    __table_args__ = (Index("uq_exhibits_place", "case", "place", unique=True),)

    case: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    place: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    media_type: Mapped[str] = mapped_column(String(120))
    source: Mapped[str] = mapped_column(String(300))
    received_at: Mapped[datetime] = mapped_column(UtcTime())
    received_from: Mapped[str] = mapped_column(String(120))
    finding: Mapped[str | None] = mapped_column(String(36))


class CustodyRow(Owned, Base):
    """One entry of a chain of custody.

    Columns:
        place: its number in the chain, so that of two entries written at once one is refused.
    """

    __tablename__ = "custody_events"
    __table_args__ = (Index("uq_custody_events_place", "exhibit", "place", unique=True),)

    exhibit: Mapped[str] = mapped_column(ForeignKey("exhibits.id"))
    place: Mapped[int] = mapped_column(Integer)
    at: Mapped[datetime] = mapped_column(UtcTime())
    act: Mapped[str] = mapped_column(String(20))
    by: Mapped[str] = mapped_column(String(60))
    from_holder: Mapped[str | None] = mapped_column(String(120))
    to_holder: Mapped[str | None] = mapped_column(String(120))
    where: Mapped[str | None] = mapped_column(String(200))
    seal_number: Mapped[str | None] = mapped_column(String(60))
    note: Mapped[str] = mapped_column(Text, default="")


class BundleRow(Owned, Base):
    """A sealed bundle. `created_at` is when it was entered here.

    Columns:
        place: its number among the case's bundles. folder: under the bundles folder.
        root: SHA-256 (hex) that stands for every byte in it. files, size: of its payload.
        ledger_size: entries that the ledger had when it was sealed. withheld: raw files that
        findings point at and that it does not carry.
        holds: personal data in it as [[kind of data, `type:id` or null for everyone], …]:
        whoever takes the bundle out needs an authority over these.
    """

    __tablename__ = "bundles"
    __table_args__ = (Index("uq_bundles_place", "case", "place", unique=True),)

    case: Mapped[str] = mapped_column(ForeignKey("cases.id"))
    place: Mapped[int] = mapped_column(Integer)
    folder: Mapped[str] = mapped_column(String(100))
    root: Mapped[str] = mapped_column(String(64))
    files: Mapped[int] = mapped_column(Integer)
    size: Mapped[int] = mapped_column(BigInteger)
    sealed_at: Mapped[datetime] = mapped_column(UtcTime())
    sealed_by: Mapped[str] = mapped_column(String(60))
    ledger_size: Mapped[int] = mapped_column(BigInteger)
    withheld: Mapped[int] = mapped_column(Integer)
    holds: Mapped[list[Any]] = mapped_column(Json, default=list)
