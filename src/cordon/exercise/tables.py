"""How exercises that were played on a node are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float, String
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.store.rows import Base, Json, Owned, UtcTime


class RunRow(Owned, Base):
    """One exercise.

    Columns:
        world, seed, days, scale: what was generated. state: making, playing, ended.
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
