"""How the picture keeps its files, feeds and zones; positions themselves are columns."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.store.rows import Base, Json, Owned, UtcTime


class PositionFileRow(Owned, Base):
    """A file of positions, or what one feed sent in a moment; its bytes are kept by content.

    Columns:
        name: as it was called. origin: `import`, or the feed's name.
        state: `kept` (its bytes are safe), `stored` (its positions are columns too).
        counts: what became of its rows. starts, ends: span of its positions.
    """

    __tablename__ = "picture_files"
    __table_args__ = (
        Index("uq_picture_files_sha256", "sha256", unique=True),
        Index("ix_picture_files_state", "state", "id"),
    )

    sha256: Mapped[str] = mapped_column(String(64))
    name: Mapped[str] = mapped_column(String(200))
    origin: Mapped[str] = mapped_column(String(80))
    state: Mapped[str] = mapped_column(String(10))
    size: Mapped[int] = mapped_column(BigInteger)
    counts: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    refusals: Mapped[list[Any]] = mapped_column(Json, default=list)

    def thing(self) -> Thing:
        """The file as policies see it."""
        return Thing("position_file", self.id, self.agency, Mark(self.mark))


class FeedRow(Owned, Base):
    """A live feed.

    Columns:
        url: as `feeds.address` takes it, or `program:ID` and `relay:NAME` of one that is written
            to. wanted: it should be connected.
        heard_at: when it last gave a line. kept, repeated, refused: counts since it was made.
        told: refused reports by reason, and other counts for its page.
        seq: of a stream of NATS, the number of the last message that was taken in.
    """

    __tablename__ = "picture_feeds"

    name: Mapped[str] = mapped_column(String(80), unique=True)
    url: Mapped[str] = mapped_column(String(200))
    wanted: Mapped[bool] = mapped_column(default=True)
    heard_at: Mapped[datetime | None] = mapped_column(UtcTime())
    received: Mapped[int] = mapped_column(BigInteger, default=0)
    kept: Mapped[int] = mapped_column(BigInteger, default=0)
    repeated: Mapped[int] = mapped_column(BigInteger, default=0)
    refused: Mapped[int] = mapped_column(BigInteger, default=0)
    last_reason: Mapped[str | None] = mapped_column(String(200))
    told: Mapped[dict[str, Any] | None] = mapped_column(Json)
    seq: Mapped[int | None] = mapped_column(BigInteger)

    def thing(self) -> Thing:
        """The feed as policies see it."""
        return Thing("feed", self.id, self.agency, Mark(self.mark))


class ZoneRow(Owned, Base):
    """A zone. `feature` is its GeoJSON feature as it was brought in."""

    __tablename__ = "picture_zones"
    __table_args__ = (Index("uq_picture_zones_zone", "agency", "zone", unique=True),)

    zone: Mapped[str] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(20))
    feature: Mapped[dict[str, Any]] = mapped_column(Json)
    version: Mapped[int] = mapped_column(Integer, default=1)

    def thing(self) -> Thing:
        """The zone as policies see it."""
        return Thing("zone", self.id, self.agency, Mark(self.mark))
