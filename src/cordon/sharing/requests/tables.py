"""How requests to and from other agencies are kept."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import Mark
from cordon.kernel.store.rows import Base, Owned, UtcTime
from cordon.sharing.requests.model import Ground, Request, RequestKind, RequestState, Urgency, Way


class RequestRow(Owned, Base):
    """A request; columns as of `Request`."""

    __tablename__ = "sharing_requests"
    __table_args__ = (Index("ix_sharing_requests_due", "state", "due_at"),)

    way: Mapped[str] = mapped_column(String(10))
    peer: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(20))
    urgency: Mapped[str] = mapped_column(String(10))
    text: Mapped[str] = mapped_column(Text)
    basis: Mapped[str] = mapped_column(String(300))
    state: Mapped[str] = mapped_column(String(12))
    asked_by: Mapped[str] = mapped_column(String(80))
    due_at: Mapped[datetime] = mapped_column(UtcTime())
    escalated_at: Mapped[datetime | None] = mapped_column(UtcTime())
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime())
    ground: Mapped[str | None] = mapped_column(String(30))
    said: Mapped[str] = mapped_column(Text, default="")

    def to_request(self) -> Request:
        """The plain value."""
        return Request(
            self.id, self.agency, Way(self.way), self.peer, RequestKind(self.kind),
            Urgency(self.urgency), self.text, self.basis, Mark(self.mark),
            RequestState(self.state), self.asked_by, self.created_at, self.due_at,
            self.escalated_at, self.ended_at, Ground(self.ground) if self.ground else None,
            self.said,
        )  # fmt: skip
