"""How exercises that were played on a node are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.store.rows import Base, Json, Owned, UtcTime


class RunRow(Owned, Base):
    """One exercise.

    Columns:
        world, seed, days, scale: what was generated. state: playing, ended, cut short (its node
            ended while it played).
        begins: the node's time at which the part that is played live begins.
        shift_s: added to the world's own times, so that it plays now.
        truth: what was planted, in the node's time. score: the latest, or empty.
    """

    __tablename__ = "exercise_runs"

    world: Mapped[str] = mapped_column(String(40))
    seed: Mapped[int] = mapped_column(BigInteger)
    days: Mapped[float] = mapped_column(Float)
    scale: Mapped[float] = mapped_column(Float)
    state: Mapped[str] = mapped_column(String(10))
    begins: Mapped[datetime] = mapped_column(UtcTime())
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime())
    shift_s: Mapped[float] = mapped_column(Float)
    truth: Mapped[list[Any]] = mapped_column(Json, default=list)
    score: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)

    def thing(self) -> Thing:
        """The exercise as policies see it."""
        return Thing("exercise", self.id, self.agency, Mark(self.mark))


class CrewPlayRow(Owned, Base):
    """One play of crews.

    Columns:
        seed: of all that the crews are. rule: who sends them (`crews.model.Rule`).
        state: playing, stopped. begins: what its seconds are counted from.
        held: `crews`, each as `crews.model.Crew` says, and `alerts`, numbers by id.
    """

    __tablename__ = "exercise_crew_plays"

    seed: Mapped[int] = mapped_column(BigInteger)
    rule: Mapped[str] = mapped_column(String(10))
    state: Mapped[str] = mapped_column(String(10), index=True)
    begins: Mapped[datetime] = mapped_column(UtcTime())
    held: Mapped[dict[str, Any]] = mapped_column(Json)

    def thing(self) -> Thing:
        """The play as policies see it."""
        return Thing("play", self.id, self.agency, Mark(self.mark))


class CrewAnswerRow(Owned, Base):
    """One alert that a unit of a play was sent to. Columns as in `crews.model.Answered`."""

    __tablename__ = "exercise_crew_answers"
    __table_args__ = (UniqueConstraint("play", "alert"),)

    play: Mapped[str] = mapped_column(ForeignKey("exercise_crew_plays.id"))
    alert: Mapped[str] = mapped_column(String(36))
    kind: Mapped[str] = mapped_column(String(60))
    opened_at: Mapped[datetime] = mapped_column(UtcTime())
    sent_at: Mapped[datetime] = mapped_column(UtcTime())
    sent: Mapped[str] = mapped_column(String(32))
    made_by: Mapped[str | None] = mapped_column(String(32))
    made_s: Mapped[float | None] = mapped_column(Float)
    best: Mapped[str | None] = mapped_column(String(32))
    best_s: Mapped[float | None] = mapped_column(Float)
    first: Mapped[str | None] = mapped_column(String(32))
    first_s: Mapped[float | None] = mapped_column(Float)

    def thing(self) -> Thing:
        """The answer as policies see it: with the mark of its alert."""
        return Thing("play", self.play, self.agency, Mark(self.mark))
