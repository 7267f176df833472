"""Hand-made tracks for the tests of the picture."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from cordon.kernel.findings import RecordRef
from cordon.kernel.geo import bearing_deg, destination, distance_m
from cordon.picture.model import Position, Zone
from cordon.picture.zones import zones_of

T0 = datetime(2026, 3, 6, 6, 0, tzinfo=UTC)
Sail = Callable[..., list[Position]]


@pytest.fixture
def t0() -> datetime:
    return T0


@pytest.fixture
def sail() -> Sail:
    """Makes a straight track: `sail("mmsi:…", lat, lon, course, kn, minutes, every_s=60)`."""

    def track(
        subject: str,
        lat: float,
        lon: float,
        course: float = 90.0,
        kn: float = 10.0,
        minutes: float = 120,
        *,
        every_s: float = 60.0,
        start_min: float = 0.0,
        seed: int = 1,
        kind: str = "vessel",
        sha256: str = "a" * 64,
        ship_type: str = "",
        told: bool = True,
    ) -> list[Position]:
        chance = random.Random(f"{seed} {subject}")
        found = []
        t = 0.0
        while t <= minutes * 60:
            y, x = destination(lat, lon, course, kn * 1852 / 3600 * t)
            found.append(
                Position(
                    T0 + timedelta(minutes=start_min, seconds=round(t, 1)),
                    "rx",
                    subject,
                    y,
                    x,
                    kn if told else None,
                    course if told else None,
                    kind=kind,
                    ship_type=ship_type,
                    record=RecordRef(sha256, hash_row(subject, start_min, len(found))),
                )
            )
            t += every_s * chance.uniform(0.8, 1.2)
        return found

    return track


def hash_row(subject: str, start: float, n: int) -> int:
    return int("".join(filter(str.isdigit, subject))) % 1000 * 100_000 + int(start) * 60 + n + 1


@pytest.fixture
def crowd(sail: Sail) -> Callable[..., list[Position]]:
    """Traffic of ten that pass up and down near 24.5 N 66.5 E for some hours."""

    def traffic(minutes: float = 360) -> list[Position]:
        found = []
        for i in range(10):
            east = i % 2 == 0
            found += sail(
                f"mmsi:4630001{i:02d}",
                24.3 + 0.04 * i,
                66.0 if east else 67.2,
                90.0 if east else 270.0,
                9.0 + i / 3,
                minutes,
                every_s=60 + 5 * i,
            )
        return found

    return traffic


Voyage = Callable[..., list[Position]]


@pytest.fixture
def voyage() -> Voyage:
    """Makes a track of legs: `voyage("mmsi:…", (lat, lon), [(lat, lon, kn), minutes, …])`.

    A leg is a place to go to at a speed, or minutes to stay; reports carry position error.
    """

    def track(
        subject: str,
        begin: tuple[float, float],
        legs: list[tuple[float, float, float] | float],
        *,
        every_s: float = 60.0,
        start_min: float = 0.0,
        kind: str = "vessel",
        ship_type: str = "",
        told: bool = True,
        error_m: float = 8.0,
        drift_kn: float = 0.0,
    ) -> list[Position]:
        chance = random.Random(subject)
        knots = 1852 / 3600
        spots = [(0.0, *begin)]
        for leg in legs:
            t, lat, lon = spots[-1]
            if isinstance(leg, tuple):
                way = float(distance_m(lat, lon, leg[0], leg[1]))
                spots.append((t + way / (leg[2] * knots), leg[0], leg[1]))
            else:
                y, x = destination(lat, lon, 70.0, drift_kn * knots * leg * 60)
                spots.append((t + leg * 60, y, x))
        found = []
        t, n = chance.uniform(0, every_s), 0
        while t <= spots[-1][0]:
            while spots[n + 1][0] < t:
                n += 1
            (t0, y0, x0), (t1, y1, x1) = spots[n], spots[n + 1]
            mix = (t - t0) / (t1 - t0) if t1 > t0 else 0.0
            made = float(distance_m(y0, x0, y1, x1)) / max(t1 - t0, 1.0) / knots
            y, x = destination(
                y0 + mix * (y1 - y0),
                x0 + mix * (x1 - x0),
                chance.uniform(0, 360),
                abs(chance.gauss(0, error_m)),
            )
            found.append(
                Position(
                    T0 + timedelta(minutes=start_min, seconds=round(t, 1)),
                    "rx",
                    subject,
                    y,
                    x,
                    round(made, 1) if told else None,
                    float(bearing_deg(y0, x0, y1, x1)) if told and made > 0.3 else None,
                    kind=kind,
                    ship_type=ship_type,
                    record=RecordRef("b" * 64, hash_row(subject, start_min, len(found))),
                )
            )
            t += every_s * chance.uniform(0.8, 1.2)
        return found

    return track


Area = Callable[..., Zone]


@pytest.fixture
def area() -> Area:
    """Makes a zone of a box: `area("p", "port", west, south, east, north, **properties)`."""

    def zone(
        id_: str, kind: str, west: float, south: float, east: float, north: float, **more: object
    ) -> Zone:
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        feature = {
            "type": "Feature",
            "properties": {"id": id_, "name": id_.upper(), "kind": kind, **more},
            "geometry": {"type": "Polygon", "coordinates": [ring]},
        }
        return zones_of({"type": "FeatureCollection", "features": [feature]})[0]

    return zone
