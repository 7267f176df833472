"""How releases, sent and received, are kept, and what happened to each."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.store.rows import Base, Json, Owned, UtcTime


class ReleaseRow(Owned, Base):
    """A release; `created_at` is when it was asked for here, or came.

    Columns:
        way: sent or received. peer, originator: agencies. marks, parts: JSON values.
        parts is empty once the content was removed; sha256 stays. asked_by, second_by: officers.
        source: id of the received release that is passed on by this one.
    """

    __tablename__ = "sharing_releases"
    __table_args__ = (
        Index("ix_sharing_releases_way", "way", "created_at"),
        Index("ix_sharing_releases_state", "state", "expires_at"),
        Index("ix_sharing_releases_source", "source"),
    )

    way: Mapped[str] = mapped_column(String(10))
    peer: Mapped[str] = mapped_column(String(40))
    originator: Mapped[str] = mapped_column(String(40))
    agreement: Mapped[str] = mapped_column(ForeignKey("sharing_agreements.id"))
    purpose: Mapped[str] = mapped_column(String(30))
    marks: Mapped[dict[str, Any]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(12))
    parts: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    sha256: Mapped[str] = mapped_column(String(64))
    asked_by: Mapped[str] = mapped_column(String(80))
    second_by: Mapped[str | None] = mapped_column(String(80))
    expires_at: Mapped[datetime] = mapped_column(UtcTime())
    source: Mapped[str | None] = mapped_column(ForeignKey("sharing_releases.id"))


class ReleaseStepRow(Owned, Base):
    """One thing that happened to a release; `detail` holds what was said, and signed proofs."""

    __tablename__ = "sharing_release_steps"
    __table_args__ = (Index("ix_sharing_release_steps_of", "release", "id"),)

    release: Mapped[str] = mapped_column(ForeignKey("sharing_releases.id"))
    what: Mapped[str] = mapped_column(String(20))
    by: Mapped[str] = mapped_column(String(80))
    detail: Mapped[dict[str, Any]] = mapped_column(Json)
