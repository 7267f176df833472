"""How hand-overs are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.store.rows import Base, Json, Owned, UtcTime


class HandoverRow(Owned, Base):
    """What an officer who left the watch wrote down, and who signed for it.

    Columns:
        watch, starts, ends: of the watch that ended. told: what stood then (`reading.Told`),
            and the `sector` that is handed over alone, or nothing.
        passed: what went over when it was signed for: `alerts` given to the incoming officer,
            `nobody` those that they may not have, `since` those that came after it was written.
        replaced: the same officer has written it anew before anybody signed.
    """

    __tablename__ = "handovers"
    __table_args__ = (Index("ix_handovers_waiting", "accepted_at", "replaced", "id"),)

    watch: Mapped[str] = mapped_column(String(40))
    starts: Mapped[datetime] = mapped_column(UtcTime())
    ends: Mapped[datetime] = mapped_column(UtcTime())
    outgoing: Mapped[str] = mapped_column(String(60))
    summary: Mapped[str] = mapped_column(Text)
    told: Mapped[dict[str, Any]] = mapped_column(Json)
    incoming: Mapped[str | None] = mapped_column(String(60))
    accepted_at: Mapped[datetime | None] = mapped_column(UtcTime())
    passed: Mapped[dict[str, Any] | None] = mapped_column(Json)
    replaced: Mapped[bool] = mapped_column(Boolean, default=False)

    def thing(self) -> Thing:
        """The hand-over as policies see it."""
        return Thing("handover", self.id, self.agency, Mark(self.mark))
