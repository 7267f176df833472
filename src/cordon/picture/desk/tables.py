"""How the watch list, overlays and saved views are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.store.rows import Base, Json, Owned, UtcTime


class WatchedRow(Owned, Base):
    """A subject on the watch list, for a time.

    Columns:
        subject: `type:id`. reason: why it is watched. until: when it is watched no more.
        listed_by: officer's id. ended_at, ended_by, ended_why: where it was taken off before.
    """

    __tablename__ = "picture_watched"
    __table_args__ = (
        Index("ix_picture_watched_subject", "subject"),
        Index("ix_picture_watched_until", "until"),
    )

    subject: Mapped[str] = mapped_column(String(120))
    reason: Mapped[str] = mapped_column(String(500))
    until: Mapped[datetime] = mapped_column(UtcTime())
    listed_by: Mapped[str] = mapped_column(String(80))
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime())
    ended_by: Mapped[str | None] = mapped_column(String(80))
    ended_why: Mapped[str | None] = mapped_column(String(500))

    def thing(self) -> Thing:
        """The entry as policies see it."""
        return Thing("watchlist", self.id, self.agency, Mark(self.mark))


class OverlayRow(Owned, Base):
    """Something drawn elsewhere that officers lay over the map.

    Columns:
        name: as it is called. owner: officer's id. shared: everybody of the agency sees it.
        format: `geojson`, `kml` or `gpx`. original: SHA-256 of the file as it came.
        drawn: SHA-256 of what is drawn of it, as GeoJSON. told: what was counted in it.
    """

    __tablename__ = "picture_overlays"
    __table_args__ = (Index("ix_picture_overlays_owner", "owner"),)

    name: Mapped[str] = mapped_column(String(80))
    owner: Mapped[str] = mapped_column(String(80))
    shared: Mapped[bool] = mapped_column(default=False)
    format: Mapped[str] = mapped_column(String(10))
    original: Mapped[str] = mapped_column(String(64))
    drawn: Mapped[str] = mapped_column(String(64))
    features: Mapped[int] = mapped_column(Integer, default=0)
    told: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)

    def thing(self) -> Thing:
        """The overlay as policies see it."""
        return Thing("overlay", self.id, self.agency, Mark(self.mark))


class ViewRow(Owned, Base):
    """A saved view: a name for an address of the picture.

    Columns:
        address: path, query and fragment. owner: officer's id. shared: everybody sees it.
    """

    __tablename__ = "picture_views"
    __table_args__ = (Index("ix_picture_views_owner", "owner"),)

    name: Mapped[str] = mapped_column(String(80))
    address: Mapped[str] = mapped_column(String(2000))
    owner: Mapped[str] = mapped_column(String(80))
    shared: Mapped[bool] = mapped_column(default=False)

    def thing(self) -> Thing:
        """The view as policies see it."""
        return Thing("saved_view", self.id, self.agency, Mark(self.mark))
