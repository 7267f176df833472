"""How leads, their closing and those who looked at them are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, ForeignKey, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.store.rows import Base, Json, Owned, UtcTime


class FindingRow(Owned, Base):
    """A finding that this node keeps. `body` is what formats.md lays out, but for its records.

    Columns:
        records: pointers to the records, which lists do without: there may be a thousand.
    """

    __tablename__ = "findings"
    __table_args__ = (
        Index("ix_findings_kind_start", "kind", "starts"),
        Index("ix_findings_state_start", "state", "starts"),
        Index("ix_findings_start", "starts", "id"),
    )

    kind: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(120))
    seriousness: Mapped[str] = mapped_column(String(10))
    starts: Mapped[datetime] = mapped_column(UtcTime())
    ends: Mapped[datetime] = mapped_column(UtcTime())
    confidence: Mapped[float] = mapped_column(Float)
    state: Mapped[str] = mapped_column(String(10), default="open")
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    records: Mapped[list[Any]] = mapped_column(Json, deferred=True)

    def whole(self) -> dict[str, Any]:
        """The finding as formats.md lays it out, its records among it."""
        return {**self.body, "records": self.records}

    def thing(self) -> Thing:
        """The finding as policies see it."""
        return Thing("finding", self.id, self.agency, Mark(self.mark))


class FindingSubjectRow(Base):
    """Which findings speak of a subject."""

    __tablename__ = "finding_subjects"

    subject: Mapped[str] = mapped_column(String(120), primary_key=True)
    finding: Mapped[str] = mapped_column(ForeignKey("findings.id"), primary_key=True, index=True)


class LeadRow(Owned, Base):
    """Something that a person must answer: a finding, an alert or a case. `id` is the thing's.

    Columns:
        type: finding, alert or case. state: open, answered, closing, closed.
        due_at: past it, an open one appears before the overseer.
    """

    __tablename__ = "leads"
    __table_args__ = (Index("ix_leads_state_due", "state", "due_at"),)

    type: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(200))
    seriousness: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10), default="open")
    due_at: Mapped[datetime] = mapped_column(UtcTime())
    answered_at: Mapped[datetime | None] = mapped_column(UtcTime())
    closed_at: Mapped[datetime | None] = mapped_column(UtcTime())

    def thing(self) -> Thing:
        """The lead as policies see it: as the thing itself."""
        return Thing(self.type, self.id, self.agency, Mark(self.mark))


class ClosureRow(Owned, Base):
    """One wish to close a lead: who asked, why, and who countersigned or declined."""

    __tablename__ = "lead_closures"

    lead: Mapped[str] = mapped_column(ForeignKey("leads.id"), index=True)
    state: Mapped[str] = mapped_column(String(10))  # waiting, closed, declined
    reason: Mapped[str] = mapped_column(String(40))
    note: Mapped[str] = mapped_column(Text)
    asked_by: Mapped[str] = mapped_column(String(60))
    asked_unit: Mapped[str | None] = mapped_column(String(40))
    second_by: Mapped[str | None] = mapped_column(String(60))
    second_unit: Mapped[str | None] = mapped_column(String(40))
    second_at: Mapped[datetime | None] = mapped_column(UtcTime())
    second_note: Mapped[str | None] = mapped_column(Text)


class LookRow(Base):
    """Who has looked at a lead, how often and when last."""

    __tablename__ = "lead_looks"

    lead: Mapped[str] = mapped_column(ForeignKey("leads.id"), primary_key=True)
    officer: Mapped[str] = mapped_column(String(60), primary_key=True)
    unit: Mapped[str | None] = mapped_column(String(40))
    first_at: Mapped[datetime] = mapped_column(UtcTime())
    last_at: Mapped[datetime] = mapped_column(UtcTime())
    times: Mapped[int] = mapped_column(Integer, default=1)
