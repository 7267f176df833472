"""What the picture of the same node tells the queue: courses, zones, and land of its map."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Lock

from shapely.geometry.base import BaseGeometry

from cordon.kernel.units import MS_PER_KNOT
from cordon.operations.ranking.land import land
from cordon.operations.triage.score import Area, Target
from cordon.picture import Position, Zone

KEPT_S = 60.0  # zones are read again after this time


class Seeing:
    """The live picture and the zones of a node.

    Args:
        latest: a subject as it was heard last. zones: all zones of the node.
    """

    def __init__(
        self, latest: Callable[[str], Position | None], zones: Callable[[], Sequence[Zone]]
    ) -> None:
        self._latest, self._read = latest, zones
        self._areas: dict[str, Area] = {}
        self._read_at: float | None = None
        self._lock = Lock()

    def target(self, subject: str) -> Target | None:
        """A subject as it was heard last; None where no course or speed of it is known."""
        last = self._latest(subject)
        if last is None or last.course_deg is None or last.speed_kn is None:
            return None
        return Target(
            subject, last.lat, last.lon, last.course_deg, last.speed_kn * MS_PER_KNOT, last.at
        )

    def area(self, zone: str) -> Area | None:
        """A zone by its id, as it was a minute ago at most."""
        with self._lock:
            if self._read_at is None or time.monotonic() - self._read_at > KEPT_S:
                self._areas = {z.id: Area(z.id, z.kind, z.geometry) for z in self._read()}
                self._read_at = time.monotonic()
            return self._areas.get(zone)

    def land(self, west: float, south: float, east: float, north: float) -> BaseGeometry | None:
        """Land of the node's map inside a box; None where it has no map."""
        known = land()
        return None if known is None else known.within(west, south, east, north)
