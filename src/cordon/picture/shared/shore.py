"""How far from land: by zones of kind `land`. Without any, the coast is not known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cordon.picture import zones as geometry
from cordon.picture.model import Zone
from cordon.picture.tracks import Bools, Floats


class Shore:
    """The land, as far as zones draw it.

    Args:
        zones: those of kind land are taken.
    """

    def __init__(self, zones: Sequence[Zone]) -> None:
        self.land = [z for z in zones if z.kind == "land"]

    @property
    def known(self) -> bool:
        """Whether any land is drawn."""
        return bool(self.land)

    def distance_m(self, lat: Floats, lon: Floats, most_m: float) -> Floats:
        """Distance (m) to the nearest land, 0 on it; infinite beyond `most_m`."""
        lat, lon = np.asarray(lat, dtype=np.float64), np.asarray(lon, dtype=np.float64)
        best = np.full(len(lat), np.inf)
        high = most_m / geometry.METRES_PER_DEGREE
        for zone in self.land:
            west, south, east, north = zone.geometry.bounds
            wide = high / max(0.01, float(np.cos(np.radians(max(abs(south), abs(north))))))
            box = (lat >= south - high) & (lat <= north + high)
            some = np.flatnonzero(box & (lon >= west - wide) & (lon <= east + wide))
            if len(some):
                best[some] = np.minimum(
                    best[some], geometry.distance_to(zone, lat[some], lon[some])
                )
        return np.where(best <= most_m, best, np.inf)

    def on_land(self, lat: Floats, lon: Floats) -> Bools:
        """Whether points lie on land."""
        found = np.zeros(len(lat), dtype=np.bool_)
        for zone in self.land:
            found |= geometry.inside(zone, lat, lon)
        return found
