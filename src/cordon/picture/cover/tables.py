"""How sensors, what limits them and planned patrols are kept."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Float, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from cordon.kernel.access.model import Mark, Thing
from cordon.kernel.store.rows import Base, Json, Owned, UtcTime


class SensorRow(Owned, Base):
    """A sensor. `body` holds its values as a row of the format `sensors`, and its `shadows`."""

    __tablename__ = "picture_sensors"
    __table_args__ = (Index("uq_picture_sensors_sensor", "agency", "sensor", unique=True),)

    sensor: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(20))
    body: Mapped[dict[str, Any]] = mapped_column(Json)
    version: Mapped[int] = mapped_column(Integer, default=1)

    def thing(self) -> Thing:
        """The sensor as policies see it."""
        return Thing("sensor", self.id, self.agency, Mark(self.mark))


class SensorLimitRow(Owned, Base):
    """An outage or weather that somebody entered.

    Columns:
        sensor: a sensor's id, or `kind:camera` for all of a kind. ends: None while unknown.
        reach: what is left of the range, 0 to 1.
    """

    __tablename__ = "picture_sensor_limits"
    __table_args__ = (Index("ix_picture_sensor_limits_starts", "starts"),)

    sensor: Mapped[str] = mapped_column(String(80))
    starts: Mapped[datetime] = mapped_column(UtcTime())
    ends: Mapped[datetime | None] = mapped_column(UtcTime())
    reach: Mapped[float] = mapped_column(Float)
    why: Mapped[str] = mapped_column(String(80))

    def thing(self) -> Thing:
        """The entry as policies see it."""
        return Thing("cover", self.id, self.agency, Mark(self.mark))


class PatrolPlanRow(Owned, Base):
    """A planned patrol. `route` is a GeoJSON geometry, or None."""

    __tablename__ = "picture_patrol_plans"
    __table_args__ = (Index("ix_picture_patrol_plans_starts", "starts"),)

    unit: Mapped[str] = mapped_column(String(80))
    sector: Mapped[str] = mapped_column(String(80))
    starts: Mapped[datetime] = mapped_column(UtcTime())
    ends: Mapped[datetime] = mapped_column(UtcTime())
    route: Mapped[dict[str, Any] | None] = mapped_column(Json)

    def thing(self) -> Thing:
        """The plan as policies see it."""
        return Thing("cover", self.id, self.agency, Mark(self.mark))
