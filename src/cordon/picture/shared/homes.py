"""Whether a boat lies where it set out from: drawn up at its own beach, or at its mooring off it.

What can be known of one day is this alone: who was first heard at a place by the shore, went away
and comes back has come home; who was first seen to come there from elsewhere has not. Of several
days `moorings.at_berth` knows more. A radar gives who comes back another number: there a boat
without a name is home where one without a name set out within the day before, each for one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cordon.picture.shared.crafts import crafts_of
from cordon.picture.shared.moorings import AWAY_M, BERTH_M
from cordon.picture.shared.nearness import plane_m
from cordon.picture.shared.sameparty import unnamed_of
from cordon.picture.shared.samples import followed_of
from cordon.picture.shared.shore import Shore
from cordon.picture.tracks import Floats, Tracks
from cordon.picture.zones import METRES_PER_DEGREE

_OUT_S = 86_400.0
"""A boat that went out for longer than a day has no bearing on who comes to its beach."""


@dataclass(slots=True)
class Homes:
    """Where boats of these tracks set out from.

    Attributes:
        shore_m: a boat's own place lies so near to the shore. used: subjects without a name whose
            setting out explains who came back already.
    """

    tracks: Tracks
    shore: Shore
    shore_m: float
    used: set[int] = field(default_factory=set)

    def lies_at_home(
        self, subject: int, place: tuple[float, float], begin: float, end: float
    ) -> bool:
        """Whether a craft that lies at a place (latitude, longitude) from begin to end (s) set out
        from there. To be asked by begin, for those without a name."""
        lat, lon = (np.array([v]) for v in place)
        if not self.shore.known:
            return False
        if not np.isfinite(self.shore.distance_m(lat, lon, self.shore_m))[0]:
            return False
        if self._set_out_and_back(subject, place, begin):
            return True
        return bool(unnamed_of(self.tracks)[subject]) and self._another_set_out(place, begin)

    def _set_out_and_back(self, subject: int, place: tuple[float, float], begin: float) -> bool:
        way, t = self._ways(subject, place)
        away = np.flatnonzero(way > AWAY_M)
        if way[0] > BERTH_M or not len(away):
            return False
        # while it lies there before it sets out: home is what it comes back to
        back = bool((way[away[0] :] <= BERTH_M).any())
        return back or t[away[0]] <= begin

    def _another_set_out(self, place: tuple[float, float], begin: float) -> bool:
        paths = followed_of(self.tracks)
        nameless = unnamed_of(self.tracks) & crafts_of(self.tracks).sea
        some = np.flatnonzero(nameless & (np.diff(paths.starts) > 1))
        t = paths.t[paths.starts[some]]
        soon = (t < begin) & (t >= begin - _OUT_S)
        high = BERTH_M / METRES_PER_DEGREE
        soon &= np.abs(paths.lat[paths.starts[some]] - place[0]) <= high
        for i in some[soon].tolist():
            way, moments = self._ways(i, place)
            # it was lost outside, before the other one came
            out = way[0] <= BERTH_M and way[-1] > AWAY_M and moments[-1] <= begin
            if out and i not in self.used:
                self.used.add(i)
                return True
        return False

    def _ways(self, subject: int, place: tuple[float, float]) -> tuple[Floats, Floats]:
        """How far (m) each fix of a subject is from a place, and when (s)."""
        paths = followed_of(self.tracks)
        own = slice(int(paths.starts[subject]), int(paths.starts[subject + 1]))
        lat, lon = paths.lat[own], paths.lon[own]
        here = np.full(len(lat), place[0]), np.full(len(lon), place[1])
        return plane_m(*here, lat, lon), paths.t[own]
