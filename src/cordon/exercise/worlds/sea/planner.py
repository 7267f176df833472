"""Ground on which plans are laid: free moments, open water, beaches, ways that arrive in time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from cordon.exercise.worlds.paths import Point, Way, near
from cordon.exercise.worlds.sea.craft import Craft, Size, Transponder
from cordon.exercise.worlds.sea.scene import Scene
from cordon.exercise.worlds.sea.voyage import HOUR, Voyage, berth
from cordon.exercise.worlds.seeing.streams import Rng, between
from cordon.exercise.worlds.seeing.telling import Event, Heard
from cordon.kernel.geo import destination, distance_m
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE, MS_PER_KNOT

Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What some craft do on purpose.

    Attributes:
        crafts: those who do it. events: what is true of it. told: whether the reports of these
            craft can tell it, by no detector's measure; one that cannot is drawn again.
    """

    crafts: list[Craft]
    events: list[Event]
    told: Callable[[Heard], bool]


class Planner:
    """Helps to lay plans in one scene."""

    def __init__(self, scene: Scene) -> None:
        self.scene, self.afloat, self.chart = scene, scene.afloat, scene.chart
        self.span = scene.span
        self._beaches = [(b, self.radar_away(b)) for b in self._open_beaches()]

    def moment(self, rng: Rng, needs_s: float, *, dark: bool = False) -> float | None:
        """A start (s) from which so long a time lies in the exercise, and in one night if dark."""
        spans = self.scene.dark if dark else [(0.0, self.span)]
        free = [(a, b - needs_s) for a, b in spans if b - needs_s > a]
        if not free:
            return None
        sizes = np.array([b - a for a, b in free])
        i = int(rng.choice(len(free), p=sizes / sizes.sum()))
        return between(rng, list(free[i]))

    def open_water(
        self, rng: Rng, off_nm: tuple[float, float], *, clear_nm: float = 1.5, radar_nm: float = 0.0
    ) -> tuple[float, float] | None:
        """A place so far from the shore, clear of every known place, near a radar if asked."""
        for _ in range(80):
            lon = between(rng, [61.4, 67.3])
            shore = self.chart.shore_near((24.9 if lon < 66.6 else 24.4, lon))
            place = destination(*shore, between(rng, [150.0, 215.0]), between(rng, off_nm) * 1852)
            if not self.chart.at_sea(place, off_deg=0.02):
                continue
            if self.chart.known(*place, margin_nm=clear_nm):
                continue
            if radar_nm and self.radar_away(place) > radar_nm:
                continue
            away = float(distance_m(*place, *self.chart.shore_near(place)))
            if off_nm[0] * 0.7 <= away / METRES_PER_NAUTICAL_MILE <= off_nm[1] * 1.2:
                return place
        return None

    def radar_away(self, place: Point) -> float:
        """Distance (nm) to the nearest radar."""
        return min(
            float(distance_m(place[0], place[1], s.radar.lat, s.radar.lon))
            / METRES_PER_NAUTICAL_MILE
            for s in self.scene.radars.scopes
        )

    def beach(self, rng: Rng, radar_nm: float) -> tuple[float, float] | None:
        """A place on the water's edge of an open beach, near a radar."""
        near_one = [b for b, away in self._beaches if away < radar_nm]
        return near_one[int(rng.integers(len(near_one)))] if near_one else None

    def _open_beaches(self) -> list[tuple[float, float]]:
        """Shore without a harbour for miles."""
        ring = np.array(self.chart.land.exterior.coords)[::7]
        lon, lat = ring[(ring[:, 1] < 25.6) & (ring[:, 0] > 61.3) & (ring[:, 0] < 68.2)].T
        off = np.full(len(lat), np.inf)
        for port in self.chart.of_kind("port"):
            away = distance_m(lat, lon, port.lat, port.lon) / METRES_PER_NAUTICAL_MILE
            off = np.minimum(off, away - port.radius_nm)
        far = off > 3.0
        places = [
            destination(float(y), float(x), 180.0, 120.0)
            for y, x in zip(lat[far], lon[far], strict=True)
        ]
        return [place for place in places if self.chart.at_sea(place)]

    def leg_s(self, points: Sequence[Point], speed_kn: float) -> float:
        """How long a way over some points takes (s)."""
        way = sum(float(distance_m(a[0], a[1], b[0], b[1])) for a, b in pairwise(points))
        return way / (speed_kn * MS_PER_KNOT)

    def arriving(self, points: Sequence[Point], speed_kn: float, at: float, rng: Rng) -> Voyage:
        """A voyage over some points that is at the last of them at a time (s)."""
        start = at - self.leg_s(points, speed_kn)
        voyage = self.afloat.voyage(start, (points[0][0], points[0][1]), rng)
        voyage.follow(points[1:], speed_kn, uneven=0.0)
        return voyage

    def over_water(self, a: Point, b: Point) -> list[Point]:
        """The points of a way over the water, both ends among them."""
        return [a, *self.chart.route(a, b)]

    def from_port(self, rng: Rng, to: Point, *, ports: Sequence[str] = ()) -> list[Point]:
        """A way from a berth to a place at sea."""
        listed = [p for p in self.chart.of_kind("port") if p.id != "P-ORM"]
        some = [p for p in listed if not ports or p.id in ports]
        weights = np.array(
            [1.0 / (20_000.0 + float(distance_m(*p.at, to[0], to[1]))) for p in some]
        )
        port = some[int(rng.choice(len(some), p=weights / weights.sum()))]
        out = self.afloat.out(port.id, rng)
        return [berth(port, self.chart, rng), out, *self.chart.route(out, to)]

    def home(self, voyage: Voyage, speed_kn: float, rng: Rng) -> None:
        """To a port, and there to the end of the exercise."""
        points = self.from_port(rng, voyage.here)[::-1]
        voyage.follow(points[1:-1], speed_kn)
        voyage.go(points[-1], 5.0)
        voyage.lie(max(0.0, self.span + HOUR - voyage.now), 5)

    def offing(self, rng: Rng, name: str = "") -> tuple[float, float]:
        """A place at sea beyond everybody's reach, where routes begin."""
        lane = name or str(rng.choice(["L-COAST", "L-SW", "L-S"]))
        return near(rng, self.chart.lanes[lane][-1], 8.0)

    def craft(
        self,
        what: str,
        size: Size,
        voyage: Voyage | Way,
        rng: Rng,
        *,
        ais: Transponder | None = None,
        dim: list[tuple[float, float, float]] | None = None,
    ) -> Craft:
        """A craft of a plan."""
        way = voyage.way() if isinstance(voyage, Voyage) else voyage
        states = voyage.states if isinstance(voyage, Voyage) else None
        made = self.afloat.craft(
            what, size, way, rng, ais=ais, states=states, dim=dim or [], planted=True
        )
        return made

    def ship(self, rng: Rng) -> tuple[str, float, Transponder]:
        """A merchant ship's trade, speed (kn) and set."""
        what = str(rng.choice(["cargo", "tanker"], p=[0.6, 0.4]))
        ais = self.afloat.register.set(what, "A", rng, foreign=0.8)
        return what, between(rng, [9.0, 13.5]), ais

    def small(self, rng: Rng, ais_share: float) -> tuple[str, Size, Transponder | None]:
        """A dhow or boat, some with class B."""
        ais = (
            self.afloat.register.set(str(rng.choice(["fishing", "fast"])), "B", rng)
            if rng.random() < ais_share
            else None
        )
        size: Size = "dhow" if rng.random() < 0.7 else "boat"
        return "dhow", size, ais


def followed(heard: Heard, event: Event, *, silence_s: float, share: float = 0.0) -> bool:
    """Whether every craft of an event is reported through it, without a longer silence, and one
    subject alone follows each for so great a share of it."""
    return all(
        heard.silence(event.start, event.end, c) <= silence_s
        and heard.followed(event.start, event.end, c) >= share
        for c in event.crafts
    )


def shifted(way: Way, seconds: float) -> Way:
    """The same way at another time."""
    return Way(way.t + seconds, way.lat, way.lon)
