"""How packages are kept, and what was counted after them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, SmallInteger, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.store.rows import Base, Json, Owned, UtcTime
from cordon.money.disruption.model import package_thing


class PackageRow(Owned, Base):
    """One package. Columns as in `model.Package`, and these beside them.

    Columns:
        year, number: make its name. grounds, site, answer: as JSON values. files: SHA-256 of
        what was sent, by its ending.
    """

    __tablename__ = "money_packages"
    __table_args__ = (
        Index("uq_money_packages_name", "agency", "year", "number", unique=True),
        Index("ix_money_packages_state", "state", "id"),
    )

    year: Mapped[int] = mapped_column(Integer)
    number: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str] = mapped_column(String(20))
    state: Mapped[str] = mapped_column(String(12))
    ring: Mapped[str | None] = mapped_column(String(36), index=True)
    ring_name: Mapped[str] = mapped_column(String(20), default="")
    authority: Mapped[str] = mapped_column(String(36))
    reference: Mapped[str] = mapped_column(String(200))
    law: Mapped[str] = mapped_column(String(300))
    issuer: Mapped[str] = mapped_column(String(200))
    addressee: Mapped[str] = mapped_column(String(200))
    why: Mapped[str] = mapped_column(Text)
    days: Mapped[int | None] = mapped_column(Integer)
    grounds: Mapped[list[Any]] = mapped_column(Json)
    site: Mapped[dict[str, Any] | None] = mapped_column(Json)
    drafted_by: Mapped[str] = mapped_column(String(60))
    drafted_unit: Mapped[str] = mapped_column(String(40), default="")
    supersedes: Mapped[str | None] = mapped_column(ForeignKey("money_packages.id"))
    superseded_by: Mapped[str | None] = mapped_column(String(36))
    sent_at: Mapped[datetime | None] = mapped_column(UtcTime())
    files: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    answer: Mapped[dict[str, Any] | None] = mapped_column(Json)

    @property
    def name(self) -> str:
        """`P-2026-0007`."""
        return f"P-{self.year}-{self.number:04d}"

    def thing(self) -> Thing:
        """The package as policies see it."""
        return package_thing(
            self.id, self.agency, Mark(self.mark), self.drafted_unit, self.drafted_by
        )


class PackageItemRow(Base):
    """One item of a package, in its place from 1; `amount` is an exact decimal as text."""

    __tablename__ = "money_package_items"

    package: Mapped[str] = mapped_column(ForeignKey("money_packages.id"), primary_key=True)
    place: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    subject: Mapped[str] = mapped_column(String(200), index=True)
    finding: Mapped[str] = mapped_column(String(36))
    bank: Mapped[str] = mapped_column(String(120), default="")
    amount: Mapped[str | None] = mapped_column(String(30))
    currency: Mapped[str] = mapped_column(String(10), default="")


class PackageStepRow(Base):
    """One state that a package came to."""

    __tablename__ = "money_package_steps"

    package: Mapped[str] = mapped_column(ForeignKey("money_packages.id"), primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(12))
    at: Mapped[datetime] = mapped_column(UtcTime())
    by: Mapped[str] = mapped_column("by_officer", String(60))
    unit: Mapped[str] = mapped_column(String(40), default="")
    note: Mapped[str] = mapped_column(Text, default="")


class CountedRow(Owned, Base):
    """What came back after a package was sent, by one measure, as it was counted last.

    Columns:
        package: its id. kind: of the package. measure: one of `calls.MEASURES`.
        first: the first day (ISO 8601). at: which day of the series is the first after. own,
            expected: by day. figure: of `effect.Effect`, or null; why: where there is none.
    """

    __tablename__ = "money_counted"
    __table_args__ = (Index("uq_money_counted", "package", "measure", unique=True),)

    package: Mapped[str] = mapped_column(ForeignKey("money_packages.id"))
    kind: Mapped[str] = mapped_column(String(20), index=True)
    measure: Mapped[str] = mapped_column(String(20))
    first: Mapped[str] = mapped_column(String(10))
    at: Mapped[int] = mapped_column("at_day", Integer)
    own: Mapped[list[Any]] = mapped_column(Json)
    expected: Mapped[list[Any]] = mapped_column(Json)
    figure: Mapped[dict[str, Any] | None] = mapped_column(Json)
    why: Mapped[str] = mapped_column(String(300), default="")


class RecoveryRow(Owned, Base):
    """What may be returned of what a freeze request froze, as it was worked out last.

    Columns:
        package: id of the freeze request. method: how money was traced. lines: for each victim
            `account`, `currency`, `lost`, `stays`, `left`, `returned` by frozen account, and of
            complaints `complaints` (ids) and `complained` (sum), in clear.
        complaints: each about the ring, with what it is tied to; see `recoveries.Said`, in clear.
        sums: by currency, see `recoveries.SUMS`.
    """

    __tablename__ = "money_recoveries"

    package: Mapped[str] = mapped_column(ForeignKey("money_packages.id"), unique=True)
    method: Mapped[str] = mapped_column(String(10))
    lines: Mapped[list[Any]] = mapped_column(Json)
    complaints: Mapped[list[Any]] = mapped_column(Json, default=list, server_default="[]")
    sums: Mapped[dict[str, Any]] = mapped_column(Json)
