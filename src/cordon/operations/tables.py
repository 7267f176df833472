"""How alerts, units and taskings are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.store.rows import Base, Json, Owned, UtcTime
from cordon.operations.model import crew_of


class AlertRow(Owned, Base):
    """One alert. Columns as in `model.Alert`, and these beside them.

    Columns:
        rank: place of the seriousness in `SERIOUSNESS`, so that the database can sort by it.
        queued: it stands in the queue: not closed, and not under another.
        withdrawn_at: when its detector took its finding back; None where it holds.
        parts: how its score comes about (`triage.score`): `points` by part, what they rest on.
        behind: how far its score stays behind the most there is, so that the queue sorts upwards.
        turns_at: when its points change by the clock; None for never.
    """

    __tablename__ = "alerts"
    __table_args__ = (
        Index("ix_alerts_queue", "queued", "behind", "due_at", "id"),
        Index("ix_alerts_state", "state", "behind", "due_at", "id"),
        Index("ix_alerts_kind_queue", "kind", "queued", "behind", "due_at", "id"),
        # who has few alerts, or asks for a rank that few have, must not read all the others
        Index("ix_alerts_assignee_queue", "assignee", "queued", "behind", "due_at", "id"),
        Index("ix_alerts_rank_queue", "rank", "queued", "behind", "due_at", "id"),
        Index("ix_alerts_kind_starts", "kind", "starts"),
    )

    finding: Mapped[str] = mapped_column(ForeignKey("findings.id"), unique=True)
    kind: Mapped[str] = mapped_column(String(60))
    title: Mapped[str] = mapped_column(String(120))
    seriousness: Mapped[str] = mapped_column(String(10))
    rank: Mapped[int] = mapped_column(SmallInteger)
    lat: Mapped[float | None] = mapped_column(Float)
    lon: Mapped[float | None] = mapped_column(Float)
    radius_m: Mapped[float | None] = mapped_column(Float)
    starts: Mapped[datetime] = mapped_column(UtcTime())
    ends: Mapped[datetime] = mapped_column(UtcTime())
    due_at: Mapped[datetime] = mapped_column(UtcTime())
    state: Mapped[str] = mapped_column(String(14), default="open")
    queued: Mapped[bool] = mapped_column(Boolean, default=True)
    acknowledged_by: Mapped[str | None] = mapped_column(String(60))
    acknowledged_at: Mapped[datetime | None] = mapped_column(UtcTime())
    assignee: Mapped[str | None] = mapped_column(String(60))
    unit: Mapped[str | None] = mapped_column(String(32))
    case: Mapped[str | None] = mapped_column(String(36))
    stands_with: Mapped[str] = mapped_column(String(36), index=True)
    alike: Mapped[int] = mapped_column(Integer, default=0)
    withdrawn_at: Mapped[datetime | None] = mapped_column(UtcTime(), index=True)
    confidence: Mapped[float] = mapped_column(Float, default=0.0)
    parts: Mapped[dict[str, Any] | None] = mapped_column(Json)
    behind: Mapped[float] = mapped_column(Float, default=0.0)
    act_by: Mapped[datetime | None] = mapped_column(UtcTime())
    turns_at: Mapped[datetime | None] = mapped_column(UtcTime(), index=True)
    level: Mapped[int] = mapped_column(SmallInteger, default=0)
    escalate_at: Mapped[datetime | None] = mapped_column(UtcTime(), index=True)

    def thing(self) -> Thing:
        """The alert as policies see it."""
        return Thing("alert", self.id, self.agency, Mark(self.mark))


class AlertFindingRow(Base):
    """Findings that an alert speaks for: its own, and later ones of the same behaviour."""

    __tablename__ = "alert_findings"

    finding: Mapped[str] = mapped_column(ForeignKey("findings.id"), primary_key=True)
    alert: Mapped[str] = mapped_column(ForeignKey("alerts.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime())


class AlertEscalationRow(Base):
    """That nobody had seen an alert in its time, and who was told: once for each level."""

    __tablename__ = "alert_escalations"

    alert: Mapped[str] = mapped_column(ForeignKey("alerts.id"), primary_key=True)
    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    role: Mapped[str] = mapped_column(String(20))
    due_at: Mapped[datetime] = mapped_column(UtcTime())
    at: Mapped[datetime] = mapped_column(UtcTime())


class AlertSubjectRow(Base):
    """Which alerts speak of a subject; `acts` is False for what only says where (a zone)."""

    __tablename__ = "alert_subjects"

    subject: Mapped[str] = mapped_column(String(120), primary_key=True)
    alert: Mapped[str] = mapped_column(ForeignKey("alerts.id"), primary_key=True, index=True)
    acts: Mapped[bool] = mapped_column(Boolean)


class UnitRow(Owned, Base):
    """One unit that can be sent. Columns as in `model.Unit`.

    The agency's own order of units stands in the kernel's `units`; this is what can move.
    """

    __tablename__ = "operations_units"
    __table_args__ = (UniqueConstraint("agency", "code"),)

    code: Mapped[str] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(10))
    sector: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(12), default="ready")
    speed_kn: Mapped[float] = mapped_column(Float)
    contact: Mapped[str] = mapped_column(String(120))
    lat: Mapped[float | None] = mapped_column(Float)
    lon: Mapped[float | None] = mapped_column(Float)
    position_at: Mapped[datetime | None] = mapped_column(UtcTime())
    tasking: Mapped[str | None] = mapped_column(String(36))

    def thing(self) -> Thing:
        """The unit as policies see it."""
        return Thing("unit", self.id, self.agency, Mark(self.mark), unit=crew_of(self.code))


class UnitStatementRow(Owned, Base):
    """What a unit can do, as it was said once. Columns as in `model.Statement`."""

    __tablename__ = "unit_statements"
    __table_args__ = (Index("ix_unit_statements_unit", "unit", "id"),)

    unit: Mapped[str] = mapped_column(ForeignKey("operations_units.id"))
    said_by: Mapped[str] = mapped_column(String(60))
    crew: Mapped[int | None] = mapped_column(Integer)
    range_nm: Mapped[float | None] = mapped_column(Float)
    equipment: Mapped[list[str]] = mapped_column(Json)
    acts: Mapped[list[str]] = mapped_column(Json)
    note: Mapped[str] = mapped_column(Text, default="")

    def thing(self) -> Thing:
        """The statement as policies see it: as the unit it is of."""
        return Thing("unit", self.unit, self.agency, Mark(self.mark))


class TaskingRow(Owned, Base):
    """One tasking; its times stand in its steps. Columns as in `model.Tasking`."""

    __tablename__ = "taskings"
    __table_args__ = (Index("ix_taskings_state", "state", "id"),)

    alert: Mapped[str] = mapped_column(ForeignKey("alerts.id"), index=True)
    unit: Mapped[str] = mapped_column(ForeignKey("operations_units.id"), index=True)
    unit_code: Mapped[str] = mapped_column(String(32), index=True)
    order: Mapped[str] = mapped_column("order_text", Text)
    state: Mapped[str] = mapped_column(String(14))
    sent_by: Mapped[str] = mapped_column(String(60))
    report: Mapped[str] = mapped_column(Text, default="")

    def thing(self) -> Thing:
        """The tasking as policies see it."""
        return Thing("tasking", self.id, self.agency, Mark(self.mark), unit=crew_of(self.unit_code))


class TaskingStepRow(Base):
    """One state that a tasking came to."""

    __tablename__ = "tasking_steps"

    tasking: Mapped[str] = mapped_column(ForeignKey("taskings.id"), primary_key=True)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(14))
    at: Mapped[datetime] = mapped_column(UtcTime())
    by: Mapped[str] = mapped_column("by_officer", String(60))
    note: Mapped[str] = mapped_column(Text, default="")
    lat: Mapped[float | None] = mapped_column(Float)
    lon: Mapped[float | None] = mapped_column(Float)
