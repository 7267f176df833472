"""Vessels off a coast: lanes, fleets, ferries, an anchorage, and what is planted among them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from cordon.exercise.worlds.paths import Floats, Log, Way, beside, near
from cordon.kernel.geo import destination
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE

Data = dict[str, Any]
Box = tuple[float, float, float, float]
"""South, west, north, east (degrees)."""
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Vessel:
    """One hull.

    Attributes:
        mmsi, name, imo, call_sign, ship_type, flag: as it reports them (ITU-R M.1371).
        class_b: True for a small set that reports seldom and without a heading.
        way: where it is. silent: spans (s) in which its set is off.
        elsewhere: spans (s) in which its set reports a place moved by metres north and east.
    """

    mmsi: str
    name: str
    imo: str
    call_sign: str
    ship_type: int
    flag: str
    class_b: bool
    way: Way
    silent: tuple[tuple[float, float], ...] = ()
    elsewhere: tuple[tuple[float, float, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Planted:
    """What was done on purpose, before it is known what of it was received.

    Attributes:
        kind: kind of the finding. vessel: MMSI. start, end: seconds.
        zone: id of the zone concerned, or empty. note: a sentence.
        until_heard: the true span is from the last report before to the first one after.
        told_by: the reports that it takes to tell it: `inside` its span, `before` it (a
            silence), or `around` it, one on each side.
        apart: True where it is told by reports too far apart for any hull.
    """

    kind: str
    mmsi: str
    start: float
    end: float
    zone: str = ""
    note: str = ""
    until_heard: bool = False
    told_by: Literal["inside", "before", "around"] = "inside"
    apart: bool = False


@dataclass(slots=True)
class Coast:
    """Everything afloat, and what was planted."""

    vessels: list[Vessel] = field(default_factory=list)
    planted: list[Planted] = field(default_factory=list)


class Harbour:
    """Makes the vessels of a coast.

    Args:
        data: the part `coast` of a world's YAML. span: seconds of the exercise.
    """

    def __init__(self, data: Data, rng: np.random.Generator, span: float, scale: float) -> None:
        self.data, self.rng, self.span, self.scale = data, rng, span, scale
        self.coast = Coast()
        self._serial = 0
        self._restricted: dict[str, Box] = {
            z["id"]: tuple(z["box"]) for z in data["zones"] if z["kind"] == "restricted"
        }

    def build(self) -> Coast:
        """All vessels, the innocent first."""
        for _ in range(self._times(self.data["lane_vessels"])):
            self._add(self._lane_way(str(self.rng.choice(list(self.data["lanes"])))), 70)
        for fleet in self.data["fishing"]:
            for _ in range(self._times(fleet["boats"])):
                self._add(self._fishing_way(fleet), 30, class_b=True)
        for line in self.data["ferries"]:
            for _ in range(self._times(line["boats"])):
                self._add(self._ferry_way(line), 60)
        anchorage = self.data["anchorage"]
        for _ in range(self._times(anchorage["vessels"])):
            log = Log(0.0, near(self.rng, anchorage["at"], anchorage["radius_nm"]))
            log.stay(self.span)
            self._add(log.way(), 80)
        planted = self.data["planted"]
        for name, plant in (
            ("gaps", self._gap),
            ("entries", self._entry),
            ("crossings", self._crossing),
            ("jumps", self._jump),
            ("shared", self._shared),
        ):
            for _ in range(self._times(planted[name])):
                plant()
        return self.coast

    def _times(self, at_one: float) -> int:
        return max(1, round(at_one * self.scale))

    def _add(self, way: Way, ship_type: int, *, class_b: bool = False, **more: Any) -> Vessel:
        self._serial += 1
        names = self.data["names"]
        vessel = Vessel(
            mmsi=f"{self.data['mid']}{900000 + self._serial:06d}",
            name=f"{names[self._serial % len(names)]} {self._serial}".upper(),
            imo="" if class_b else _imo(9_000_000 // 10 + self._serial),
            call_sign=f"XP{self._serial:04d}",
            ship_type=ship_type + (0 if class_b else int(self.rng.integers(0, 3))),
            flag=self.data["flag"],
            class_b=class_b,
            way=way,
            **more,
        )
        self.coast.vessels.append(vessel)
        return vessel

    def _speed(self) -> float:
        return float(self.rng.uniform(*self.data["lane_speed_kn"]))

    def _lane_way(
        self, name: str, *, outbound: bool | None = None, start: float | None = None
    ) -> Way:
        """Along a lane, kept to the right; it may begin before the exercise, and end at sea."""
        line = self.data["lanes"][name]
        out = bool(self.rng.random() < 0.5) if outbound is None else outbound
        course = beside(line if out else line[::-1], float(self.rng.uniform(0.4, 1.4)))
        speed = self._speed()
        begins = float(self.rng.uniform(-20 * _HOUR, self.span)) if start is None else start
        log = Log(begins, course[0])
        for point in course[1:]:
            log.go(point, speed * float(self.rng.uniform(0.96, 1.04)))
        if not out:  # in port or at anchor until the end
            log.go(
                near(self.rng, self.data["anchorage"]["at"], 1.5)
                if name != "gwadar"
                else near(self.rng, line[0], 0.6),
                6,
            )
            log.stay(self.span - log.now)
        return log.way()

    def _fishing_way(self, fleet: Data) -> Way:
        """Out, trawling to and fro over the ground for some hours, home, and again."""
        log = Log(0.0, near(self.rng, fleet["home"], 0.3))
        log.stay(float(self.rng.uniform(0, 10 * _HOUR)))
        while log.now < self.span:
            log.go(near(self.rng, fleet["ground"], fleet["radius_nm"]), self.rng.uniform(7, 9))
            until = log.now + self.rng.uniform(4, 10) * _HOUR
            while log.now < until:
                log.go(
                    near(self.rng, fleet["ground"], fleet["radius_nm"]), self.rng.uniform(2.5, 4)
                )
            log.go(near(self.rng, fleet["home"], 0.3), self.rng.uniform(7, 9))
            log.stay(float(self.rng.uniform(3, 9) * _HOUR))
        return log.way()

    def _ferry_way(self, line: Data) -> Way:
        here, there = line["ends"]
        log = Log(0.0, here)
        while log.now < self.span:
            log.stay(float(line["every_h"] * _HOUR / 2 * self.rng.uniform(0.4, 0.7)))
            log.go(there, line["speed_kn"] * float(self.rng.uniform(0.95, 1.05)))
            here, there = there, here
        return log.way()

    # what is planted

    def _start(self, hours_needed: float) -> float:
        """A start early enough that what is planted happens within the exercise."""
        return float(self.rng.uniform(0.02, 0.98) * max(0.0, self.span - hours_needed * _HOUR))

    def _gap(self) -> None:
        """A vessel that goes dark for hours where others are heard, under way all the time."""
        way = self._lane_way("coastal", outbound=True, start=0.0)
        east, west = self.data["gap_between_lon"]
        first, last = way.time_at_lon(east), way.time_at_lon(west)
        # put the dark hours into the exercise, wherever the voyage then begins
        shift = float(self.rng.uniform(0.1, 0.9)) * max(0.0, self.span - (last - first)) - first
        way = Way(way.t + shift, way.lat, way.lon)
        first, last = first + shift, last + shift
        vessel = self._add(way, 70, silent=((first, last),))
        self.coast.planted.append(
            Planted(
                "picture.gap",
                vessel.mmsi,
                first,
                last,
                until_heard=True,
                told_by="before",
                note="Its set was off while it went on along the lane.",
            )
        )

    def _entry(self) -> None:
        """A boat that goes into the firing range, lingers, and goes home."""
        visit = self.data["range_visit"]
        log = Log(self._start(20), near(self.rng, visit["home"], 1.0))
        inside = near(self.rng, visit["inside"], 2.5)
        log.go(inside, 11)
        log.go(near(self.rng, inside, 1.0), 2)
        log.stay(float(self.rng.uniform(0.5, 1.2) * _HOUR))
        log.go(near(self.rng, visit["home"], 1.0), 11)
        log.go(near(self.rng, visit["berth"], 0.2), 6)
        log.stay(self.span)  # moored, and heard there like any other
        vessel = self._add(log.way(), 37, class_b=True)
        self._entered(vessel, "It went in and lingered.")

    def _crossing(self) -> None:
        """A fast boat straight through a small zone, with no report while it is inside."""
        first, *rest = self.data["terminal_crossing"]
        log = Log(self._start(3), first)
        for place in rest:  # the last of them lies out of every receiver's range
            log.go(place, 22)
        way = log.way()
        spans = [s for zone in self._restricted.values() for s in _inside(way, zone, self.span)]
        silent = tuple((a - 100.0, b + 100.0) for a, b in spans)
        vessel = self._add(way, 37, silent=silent)
        self._entered(vessel, "It crossed between two reports.", told_by="around")

    def _entered(
        self, vessel: Vessel, note: str, *, told_by: Literal["inside", "around"] = "inside"
    ) -> None:
        for zone, shape in self._restricted.items():
            for start, end in _inside(vessel.way, shape, self.span):
                self.coast.planted.append(
                    Planted(
                        "picture.zone_entry", vessel.mmsi, start, end, zone, note, told_by=told_by
                    )
                )

    def _jump(self) -> None:
        """A vessel whose set tells another place for half an hour."""
        way = self._lane_way("coastal", outbound=bool(self.rng.random() < 0.5), start=0.0)
        away = self.rng.uniform(35, 60) * METRES_PER_NAUTICAL_MILE
        middle = (way.time_at_lon(66.2) + way.time_at_lon(65.8)) / 2
        start, end = middle, middle + self.rng.uniform(0.4, 0.8) * _HOUR
        shift = float(self.rng.uniform(0.1, 0.9)) * max(0.0, self.span - (end - start)) - start
        way = Way(way.t + shift, way.lat, way.lon)
        start, end = start + shift, end + shift
        vessel = self._add(way, 70, elsewhere=((start, end, -away, away / 3),))
        self.coast.planted.append(
            Planted(
                "picture.impossible_move",
                vessel.mmsi,
                start,
                end,
                until_heard=True,
                apart=True,
                note="Its set told a place that it could not have come to.",
            )
        )

    def _shared(self) -> None:
        """Two hulls under one identity, far apart."""
        anchorage = self.data["anchorage"]
        log = Log(0.0, near(self.rng, anchorage["at"], anchorage["radius_nm"]))
        log.stay(self.span)
        real = self._add(log.way(), 70)
        hours = min(5.0, self.span / _HOUR / 2)
        start = float(self.rng.uniform(0.05, 0.9)) * (self.span - hours * _HOUR)
        second = Log(start, near(self.rng, self.data["shared_near"], 2.0))
        second.go(near(self.rng, self.data["shared_near"], 8.0), 5)
        second.stay(start + hours * _HOUR - second.now)
        vessel = self._add(second.way().until(start + hours * _HOUR), 70)
        twin = self.coast.vessels.pop()
        self.coast.vessels.append(
            Vessel(
                real.mmsi,
                real.name,
                real.imo,
                real.call_sign,
                real.ship_type,
                real.flag,
                False,
                twin.way,
            )
        )
        end = float(vessel.way.t[-1])
        note = "Two hulls far apart reported under one identity."
        self.coast.planted += [
            Planted(kind, real.mmsi, start, end, note=note, apart=True)
            for kind in ("picture.shared_identity", "picture.impossible_move")
        ]


def _inside(way: Way, zone: Box, span: float) -> list[tuple[float, float]]:
    """Spans (s) in which a way lies in a zone, to a few seconds."""
    t: Floats = np.arange(max(0.0, way.t[0]), min(span, way.t[-1]), 5.0)
    if not len(t):
        return []
    lat, lon = way.at(t)
    south, west, north, east = zone
    within = (lat >= south) & (lat <= north) & (lon >= west) & (lon <= east)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], within, [False]]).astype(np.int8)))
    return [(float(t[a]), float(t[min(b, len(t)) - 1])) for a, b in edges.reshape(-1, 2)]


def moved(lat: Floats, lon: Floats, north_m: float, east_m: float) -> tuple[Floats, Floats]:
    """Positions moved by metres."""
    lat1, _ = destination(0.0, 0.0, 0.0, north_m)
    return lat + lat1, lon + np.degrees(east_m / 6_371_008.8 / np.cos(np.radians(lat)))


def _imo(six: int) -> str:
    """A seven-digit IMO number with its check digit (IMO resolution A.1117(30))."""
    digits = f"{six % 1_000_000:06d}"
    check = sum(int(d) * w for d, w in zip(digits, range(7, 1, -1), strict=True)) % 10
    return f"{digits}{check}"
