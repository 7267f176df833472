"""How planned acts, their checks, subject tokens and conflicts are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Float, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.store.rows import Base, Json, Owned, UtcTime
from cordon.sharing.deconfliction.model import (
    ActState,
    Check,
    Conflict,
    ConflictState,
    Draft,
    PlannedAct,
)
from cordon.sharing.deconfliction.place import Place


class PlannedActRow(Owned, Base):
    """A planned act of this agency.

    Columns:
        ref: random pointer by which other nodes speak of it. cell: of the index of places.
        claim_start, claim_end: with the buffer. subject_start, subject_end: for one subject.
    """

    __tablename__ = "sharing_planned_acts"
    __table_args__ = (
        Index("ix_sharing_planned_acts_claim", "cell", "claim_end", "claim_start"),
        Index("ix_sharing_planned_acts_state", "state", "starts"),
    )

    ref: Mapped[str] = mapped_column(String(32), unique=True)
    kind: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(120))
    lat: Mapped[float] = mapped_column(Float)
    lon: Mapped[float] = mapped_column(Float)
    radius_m: Mapped[float] = mapped_column(Float)
    reach_m: Mapped[float] = mapped_column(Float)
    area: Mapped[list[list[float]]] = mapped_column(Json)
    cell: Mapped[str] = mapped_column(String(16))
    starts: Mapped[datetime] = mapped_column(UtcTime())
    ends: Mapped[datetime] = mapped_column(UtcTime())
    claim_start: Mapped[datetime] = mapped_column(UtcTime())
    claim_end: Mapped[datetime] = mapped_column(UtcTime())
    subject_start: Mapped[datetime] = mapped_column(UtcTime())
    subject_end: Mapped[datetime] = mapped_column(UtcTime())
    buffer_min: Mapped[float] = mapped_column(Float)
    subject_days: Mapped[float] = mapped_column(Float)
    subjects: Mapped[list[str]] = mapped_column(Json)
    commander: Mapped[str] = mapped_column(String(80))
    ring: Mapped[str] = mapped_column(String(80))
    joint: Mapped[str] = mapped_column(String(60))
    state: Mapped[str] = mapped_column(String(20))
    revision: Mapped[int] = mapped_column(Integer)
    entered_by: Mapped[str] = mapped_column(String(80))
    why: Mapped[str] = mapped_column(String(500), default="")

    def thing(self) -> Thing:
        """The act as policies see it."""
        return Thing("planned_act", self.id, self.agency, Mark(self.mark))

    def place(self) -> Place:
        """Its place, which was checked when it was entered."""
        corners = tuple((float(lat), float(lon)) for lat, lon in self.area)
        return Place(self.lat, self.lon, self.radius_m, corners, self.reach_m)

    def to_act(self) -> PlannedAct:
        """The plain value."""
        said = Draft(
            self.kind, self.title, self.place(), self.starts, self.ends, self.buffer_min,
            self.subject_days, tuple(self.subjects), self.commander, self.ring, self.joint,
            Mark(self.mark),
        )  # fmt: skip
        return PlannedAct(
            self.id, self.agency, Mark(self.mark), said, ActState(self.state), self.revision,
            self.entered_by, self.created_at, self.why,
        )  # fmt: skip


class SubjectTokenRow(Base):
    """A subject of an act as one other node would name it; `key` says under which pair's key."""

    __tablename__ = "sharing_planned_act_tokens"

    token: Mapped[str] = mapped_column(String(32), primary_key=True)
    act: Mapped[str] = mapped_column(
        ForeignKey("sharing_planned_acts.id"), primary_key=True, index=True
    )
    key: Mapped[str] = mapped_column(String(16))


class PartyRow(Base):
    """An agency for which every live act has its tokens and its checks, under this key."""

    __tablename__ = "sharing_planned_act_parties"

    code: Mapped[str] = mapped_column(String(40), primary_key=True)
    key: Mapped[str] = mapped_column(String(16))


class CheckRow(Base):
    """Whether an agency was asked about an act; `waits`: it has not answered for the revision."""

    __tablename__ = "sharing_planned_act_checks"
    __table_args__ = (
        Index(
            "ix_sharing_planned_act_checks_waits", "party",
            sqlite_where=text("waits"), postgresql_where=text("waits"),
        ),
    )  # fmt: skip

    act: Mapped[str] = mapped_column(ForeignKey("sharing_planned_acts.id"), primary_key=True)
    party: Mapped[str] = mapped_column(String(40), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer)
    waits: Mapped[bool] = mapped_column(Boolean)
    answered_at: Mapped[datetime | None] = mapped_column(UtcTime())
    problem: Mapped[str] = mapped_column(String(300), default="")
    overridden_by: Mapped[str] = mapped_column(String(80), default="")
    overridden_why: Mapped[str] = mapped_column(String(500), default="")

    def to_check(self) -> Check:
        """The plain value."""
        return Check(
            self.party, None if self.waits else self.answered_at, self.problem, self.overridden_by
        )


class ConflictRow(Owned, Base):
    """A conflict, seen from this side; of the other act it holds the pointer and nothing else.

    Columns:
        revision, their_revision: of the two acts when they were last found to meet.
        opened_at: when it was found, or found anew after a change.
    """

    __tablename__ = "sharing_conflicts"
    __table_args__ = (Index("uq_sharing_conflicts_pair", "act", "party", "ref", unique=True),)

    act: Mapped[str] = mapped_column(ForeignKey("sharing_planned_acts.id"))
    party: Mapped[str] = mapped_column(String(40), index=True)
    ref: Mapped[str] = mapped_column(String(32))
    revision: Mapped[int] = mapped_column(Integer)
    their_revision: Mapped[int] = mapped_column(Integer)
    basis: Mapped[list[Any]] = mapped_column(Json)
    ring: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(20))
    by: Mapped[str] = mapped_column(String(80), default="")
    who: Mapped[str] = mapped_column(String(80), default="")
    how: Mapped[str] = mapped_column(String(500), default="")
    theirs: Mapped[str] = mapped_column(String(20))
    their_who: Mapped[str] = mapped_column(String(80), default="")
    their_how: Mapped[str] = mapped_column(String(500), default="")
    opened_at: Mapped[datetime] = mapped_column(UtcTime())
    since: Mapped[datetime] = mapped_column(UtcTime())

    def thing(self) -> Thing:
        """The conflict as policies see it."""
        return Thing("conflict", self.id, self.agency, Mark(self.mark))

    def to_conflict(self, title: str) -> Conflict:
        """The plain value."""
        return Conflict(
            self.id, self.agency, Mark(self.mark), self.act, title, self.party, self.ring,
            tuple(self.basis), ConflictState(self.state), self.who, self.how,
            ConflictState(self.theirs), self.their_who, self.their_how, self.opened_at, self.since,
        )  # fmt: skip
