"""The way that a unit can really go to a place: points on it, and its length.

The ranking needs lengths alone, for all units at once. Who follows a unit on its way needs the
points, and may look at the sea more closely than the ranking does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from cordon.kernel import geo
from cordon.operations.model import Position, UnitKind
from cordon.operations.ranking.factors import factors
from cordon.operations.ranking.land import land
from cordon.operations.ranking.rank import seas
from cordon.operations.ranking.sea import HALF, STEP, Sea, Seas

FINER = 2  # how many times finer than the ranking's the closer grid is; as many points, so smaller
ON_LAND = (UnitKind.VEHICLE, UnitKind.FOOT)


@dataclass(frozen=True, slots=True)
class Passage:
    """A way to a place.

    Attributes:
        points: (lat, lon) in degrees, the start first, the place last.
        metres: its length; by the straight line on land, where roads are not known.
    """

    points: tuple[tuple[float, float], ...]
    metres: float

    def at(self, share: float) -> tuple[float, float]:
        """The point (lat, lon) after a share of the way, 0 to 1."""
        if share <= 0 or len(self.points) < 2:
            return self.points[0]
        if share >= 1:
            return self.points[-1]
        legs = [
            float(geo.distance_m(*one, *two))
            for one, two in zip(self.points, self.points[1:], strict=False)
        ]
        left = share * sum(legs)
        for leg, one, two in zip(legs, self.points, self.points[1:], strict=False):
            if left <= leg:
                return geo.destination(*one, float(geo.bearing_deg(*one, *two)), left)
            left -= leg
        return self.points[-1]


@cache
def finer_seas() -> Seas | None:
    """Seas on a grid finer than the ranking's; None where the node has no map."""
    known = land()
    return None if known is None else Seas(known, half=HALF / FINER, step=STEP / FINER, kept=2)


def passages(
    place: Position, starts: Sequence[tuple[UnitKind, Position]], *, radius_m: float = 0.0
) -> list[Passage | None]:
    """The way of each unit to a place, None where it cannot reach it, as the ranking has it.

    Boats go around land on a grid twice as fine as the ranking's within 2.5 degrees of the place,
    on the ranking's own up to 5, and by the straight line from beyond.

    Args:
        starts: kind and position of each. radius_m: uncertainty of the place.
    """
    known, finer = seas(), finer_seas()
    end = (place.lat, place.lon)
    straight = [
        Passage(
            ((p.lat, p.lon), end), float(geo.distance_m(p.lat, p.lon, place.lat, place.lon))
        )
        for _, p in starts
    ]  # fmt: skip
    if known is None or finer is None:
        return list(straight)
    sea, close = known.about(*end), finer.about(*end)
    off, reach = close.off_m(*end), factors().near_land_m + radius_m
    found: list[Passage | None] = list(straight)
    boats = []
    for i, (kind, start) in enumerate(starts):
        if (kind in ON_LAND and off > reach) or (kind is UnitKind.BOAT and off < -reach):
            found[i] = None
        elif kind is UnitKind.BOAT and sea.covers(start.lat, start.lon):
            boats.append(i)
    for i, way in zip(
        boats, _by_sea(close, sea, place, [starts[i][1] for i in boats]), strict=True
    ):
        found[i] = way
    return found


def _by_sea(
    close: Sea, sea: Sea, place: Position, boats: Sequence[Position]
) -> list[Passage | None]:
    """By the closer grid; where that does not reach or knows no way, by the ranking's."""
    at = np.array([(b.lat, b.lon) for b in boats]).reshape(-1, 2)
    found = close.paths(place.lat, place.lon, at)
    left = [i for i, way in enumerate(found) if way is None]
    if left:
        for i, way in zip(left, sea.paths(place.lat, place.lon, at[left]), strict=True):
            found[i] = way
    return [
        None if way is None else Passage(tuple((float(a), float(b)) for a, b in way[0]), way[1])
        for way in found
    ]
