"""The ground of a frontier: hills, the line, roads, villages, trails; all drawn by the seed."""

# mypy: disable-error-code="no-untyped-call"
# Shapely has no types of its own.
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from scipy.ndimage import map_coordinates
from shapely.geometry import LineString, Polygon

from cordon.exercise.worlds.paths import Floats, Point
from cordon.exercise.worlds.seeing.motion import METRES_PER_DEGREE
from cordon.exercise.worlds.seeing.streams import Rng, Streams, between

Data = dict[str, Any]
Spot = tuple[float, float]
"""East and north (m) of the ground's south-western corner of reference."""
_CLEAR_M = 260.0  # of the line, that a road keeps
_EDGE_M = 45_000.0  # of ground north and south of the line's mean


@dataclass(frozen=True, slots=True)
class Place:
    """A place with an area: a crossing, a passage, a restricted zone, a village."""

    id: str
    name: str
    kind: str
    x: float
    y: float
    radius_m: float
    more: Data


class Ground:
    """The ground of one world.

    Attributes:
        length: of the line (m). line_x, line_y: its vertices (m). places: by id. villages: own
            ones first. roads: points by id. paths: trails over the line, from the other side.
    """

    def __init__(self, data: Data, streams: Streams) -> None:
        self.data = data
        rng = streams.of("ground")
        self.lat0, self.lon0 = float(data["lat"]), float(data["lon"])
        self.length = data["length_km"] * 1000.0
        self.line_x, self.line_y = _line(data, rng, self.length)
        self._cell = float(data["cell_m"])
        self._heights = self._hills(data, rng)
        self.places: dict[str, Place] = {}
        self.villages: list[Place] = []
        self.roads: dict[str, list[Spot]] = {}
        self.paths: list[list[Spot]] = []
        self._crossings(data, rng)
        self._settle(data, rng)
        self._closed(data, rng)
        self._ways(data, rng)
        self._trails(data, rng)
        closed = [self.area(p) for p in self.of_kind("restricted")]
        self._restricted = shapely.union_all(closed)
        shapely.prepare(self._restricted)

    # places in metres and degrees

    def degrees(self, spot: Spot) -> tuple[float, float]:
        """Latitude and longitude of a spot."""
        lat, lon = self.to_degrees(np.array([spot[0]]), np.array([spot[1]]))
        return float(lat[0]), float(lon[0])

    def to_degrees(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Latitudes and longitudes of metres east and north."""
        lat = self.lat0 + y / METRES_PER_DEGREE
        return lat, self.lon0 + x / METRES_PER_DEGREE / np.cos(np.radians(lat))

    def to_metres(self, lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
        """Metres east and north of latitudes and longitudes."""
        y = (lat - self.lat0) * METRES_PER_DEGREE
        return (lon - self.lon0) * METRES_PER_DEGREE * np.cos(np.radians(lat)), y

    def line_at(self, x: Any) -> Any:
        """How far north the line is at metres east."""
        return np.interp(x, self.line_x, self.line_y)

    def beyond(self, x: Any, y: Any) -> Any:
        """Metres north of the line; negative on the own side."""
        return y - self.line_at(x)

    def height(self, x: Floats, y: Floats) -> Floats:
        """Height of the ground (m)."""
        at = np.array([(y + _EDGE_M) / self._cell, (x + 6000.0) / self._cell])
        return np.asarray(map_coordinates(self._heights, at, order=1, mode="nearest"))

    def of_kind(self, kind: str) -> list[Place]:
        """The places of a kind."""
        return [p for p in self.places.values() if p.kind == kind]

    def area(self, place: Place) -> Polygon:
        """A place's polygon, in metres."""
        turn = np.linspace(0, 2 * np.pi, 25)[:-1]
        rough = 1 + 0.12 * np.sin(3 * turn + place.x) + 0.08 * np.sin(5 * turn + place.y)
        return Polygon(
            np.column_stack(
                (
                    place.x + place.radius_m * rough * np.cos(turn),
                    place.y + place.radius_m * rough * np.sin(turn),
                )
            )
        )

    def clear(self, x: Floats, y: Floats) -> bool:
        """Whether a way keeps out of every restricted zone."""
        if len(x) < 2:
            return True
        return not bool(shapely.intersects(self._restricted, LineString(np.column_stack((x, y)))))

    def at_crossing(self, x: float, margin_m: float) -> bool:
        """Whether the line at metres east is at a crossing or passage, or near one."""
        return any(abs(p.x - x) < p.radius_m + margin_m for p in self.of_kind("official_crossing"))

    # how it is made

    def _hills(self, data: Data, rng: Rng) -> Floats:
        """Heights on a grid: noise with a power law, and a ridge along the line with passes."""
        wide = int((self.length + 12_000.0) / self._cell) + 1
        high = int(2 * _EDGE_M / self._cell) + 1
        fy, fx = np.meshgrid(np.fft.fftfreq(high), np.fft.rfftfreq(wide), indexing="ij")
        size = np.hypot(fy, fx)
        size[0, 0] = 1.0
        spectrum = rng.normal(size=size.shape) + 1j * rng.normal(size=size.shape)
        noise = np.fft.irfft2(spectrum * size**-1.45, s=(high, wide))
        noise = (noise - noise.mean()) / noise.std()
        x = np.arange(wide) * self._cell - 6000.0
        y = np.arange(high) * self._cell - _EDGE_M
        off = y[:, None] - self.line_at(x)[None, :]
        passes = 0.5 + 0.5 * np.sin(x / 5300.0 + rng.uniform(0, 6)) * np.sin(x / 2100.0)
        ridge = np.exp(-((off / 3500.0) ** 2)) * (0.35 + 0.65 * passes)[None, :]
        scale = between(rng, data["hills_m"])
        # the plains are gentle: hills grow towards the line
        rugged = 0.25 + 0.75 * np.exp(-((off / 9000.0) ** 2))
        return np.asarray(1100.0 + 0.22 * scale * noise * rugged + 0.45 * scale * ridge)

    def _crossings(self, data: Data, rng: Rng) -> None:
        for one in data["crossings"]:
            x = between(rng, one["at_km"]) * 1000.0
            self._place(one, "official_crossing", x, float(self.line_at(x)), rng)
        count = int(data["passages"]["count"])
        taken = [p.x for p in self.places.values()]
        for i in range(count):
            for _ in range(200):
                x = between(rng, [9_000.0, self.length - 9_000.0])
                if all(abs(x - t) > 16_000.0 for t in taken):
                    break
            taken.append(x)
            one = {
                "id": f"X-G{i + 1}",
                "name": f"Grazing passage {i + 1}",
                "radius_m": data["passages"]["radius_m"],
                "seasonal": True,
            }
            self._place(one, "official_crossing", x, float(self.line_at(x)), rng)

    def _place(self, one: Data, kind: str, x: float, y: float, rng: Rng) -> Place:
        radius = between(rng, one["radius_m"])
        made = Place(one["id"], one["name"], kind, x, y, radius, one)
        self.places[made.id] = made
        return made

    def _settle(self, data: Data, rng: Rng) -> None:
        own, other = int(data["villages"]["own"]), int(data["villages"]["other"])
        for i in range(own + other):
            side = -1.0 if i < own else 1.0
            for _ in range(200):
                x = between(rng, [4_000.0, self.length - 4_000.0])
                y = float(self.line_at(x)) + side * between(rng, data["villages"]["depth_km"]) * 1e3
                if all(np.hypot(x - v.x, y - v.y) > 3_500.0 for v in self.villages):
                    break
            self.villages.append(
                Place(f"V-{i}", f"Village {i}", "village", x, y, between(rng, [250, 600]), {})
            )
        self.own_villages, self.other_villages = self.villages[:own], self.villages[own:]

    def _closed(self, data: Data, rng: Rng) -> None:
        for one in data["restricted"]:
            radius = one["radius_m"][1]
            for _ in range(400):
                x = between(rng, [15_000.0, self.length - 15_000.0])
                y = float(self.line_at(x)) - between(rng, one["depth_km"]) * 1e3
                far = all(
                    np.hypot(x - v.x, y - v.y) > radius + v.radius_m + 1200.0
                    for v in [*self.villages, *self.places.values()]
                )
                if far:
                    break
            self._place(one, "restricted", x, y, rng)

    def _ways(self, data: Data, rng: Rng) -> None:
        """Roads: one along the border from village to village, one through each crossing, and a
        patrol road close behind the line."""
        del data
        south = sorted(self.own_villages, key=lambda v: v.x)
        north = sorted(self.other_villages, key=lambda v: v.x)
        self.roads["RD-SOUTH"] = self._kept(self._bent([(v.x, v.y) for v in south], rng, 0.06), -1)
        self.roads["RD-NORTH"] = self._kept(self._bent([(v.x, v.y) for v in north], rng, 0.06), 1)
        for one in self.of_kind("official_crossing"):
            if one.more.get("seasonal"):
                continue
            a, b = _beside(south, one.x), _beside(north, one.x)
            ends = [(a.x, a.y - 22_000.0), (a.x, a.y), (one.x, one.y - 1800.0), (one.x, one.y)]
            ends += [(one.x, one.y + 1800.0), (b.x, b.y), (b.x, b.y + 18_000.0)]
            road = self._bent(ends, rng, 0.05)
            gate = int(np.argmin([np.hypot(p[0] - one.x, p[1] - one.y) for p in road]))
            self.roads[f"RD-{one.id[2:]}"] = [
                *self._kept(road[:gate], -1), (one.x, one.y), *self._kept(road[gate + 1 :], 1)
            ]  # fmt: skip
        x = np.arange(2_000.0, self.length - 2_000.0, 900.0)
        off = 450.0 + 250.0 * np.sin(x / 3100.0) + rng.normal(0, 50, len(x))
        self.roads["RD-PATROL"] = list(
            zip(x.tolist(), (self.line_at(x) - off).tolist(), strict=True)
        )

    def _kept(self, way: list[Spot], side: int) -> list[Spot]:
        """A way that keeps to one side of the line: 1 north of it, -1 south."""
        made = []
        for x, y in way:
            line = float(self.line_at(x))
            made.append((x, line + side * max(_CLEAR_M, side * (y - line))))
        return made

    def _trails(self, data: Data, rng: Rng) -> None:
        """Trails over the line, away from crossings, from a depth of 6 to 9 km on either side."""
        count = int(data["paths"]["count"])
        for i in range(count):
            for _ in range(200):
                low = self.length * (i + 0.1) / count
                x = between(
                    rng,
                    [
                        max(5_000.0, low),
                        min(self.length - 5_000.0, low + self.length * 0.8 / count),
                    ],
                )
                if not self.at_crossing(x, 2_500.0):
                    break
            lean = rng.uniform(-0.4, 0.4)
            north, south = between(rng, [6e3, 9e3]), between(rng, [6e3, 9e3])
            y = float(self.line_at(x))
            ends = [(x + lean * north, y + north), (x, y), (x - lean * south, y - south)]
            self.paths.append(self._bent(ends, rng, 0.09))

    def _bent(self, ends: list[Spot], rng: Rng, bend: float) -> list[Spot]:
        """A way through some points, bent by midpoint displacement, round restricted zones."""
        way = np.array(ends, float)
        while True:
            step = np.hypot(*np.diff(way, axis=0).T)
            if step.max() < 700.0:
                break
            middle = (way[1:] + way[:-1]) / 2
            across = np.diff(way, axis=0)[:, ::-1] * [1, -1]
            middle += across * rng.normal(0, bend, len(middle))[:, None]
            whole = np.empty((len(way) + len(middle), 2))
            whole[0::2], whole[1::2] = way, middle
            way = whole
        for zone in self.of_kind("restricted"):
            off = np.hypot(way[:, 0] - zone.x, way[:, 1] - zone.y)
            keep = zone.radius_m * 1.35 + 250.0
            for i in np.flatnonzero(off < keep):
                if off[i] > 1.0:
                    out = (way[i] - (zone.x, zone.y)) / off[i]
                    way[i] = (zone.x, zone.y) + out * keep
        return [(float(a), float(b)) for a, b in way]


def _line(data: Data, rng: Rng, length: float) -> tuple[Floats, Floats]:
    """The line as a function of metres east: slow bends, and finer ones upon them."""
    x = np.linspace(0.0, length, int(length / 400.0) + 1)
    y = np.zeros(len(x))
    bend = between(rng, data["bend_km"]) * 1000.0
    for n, part in (
        (1.3, 1.0),
        (3.1, 0.45),
        (7.7, 0.18),
        (19.0, 0.07),
        (53.0, 0.03),
        (140.0, 0.012),
    ):
        y += bend * part * np.sin(2 * np.pi * n * x / length + rng.uniform(0, 2 * np.pi))
    return x, y


def _beside(villages: list[Place], x: float) -> Place:
    """The village that is nearest along the line."""
    return min(villages, key=lambda v: abs(v.x - x))


def along(way: list[Spot], a: Point, b: Point) -> list[Spot]:
    """The part of a way between the points of it that are nearest to two places."""
    points = np.array(way)
    i = int(np.argmin(np.hypot(*(points - a).T)))
    j = int(np.argmin(np.hypot(*(points - b).T)))
    part = way[i : j + 1] if i <= j else way[j : i + 1][::-1]
    return [(float(x), float(y)) for x, y in part]
