"""Hand-made tracks for the tests of the picture."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from cordon.kernel.findings import RecordRef
from cordon.kernel.geo import destination
from cordon.picture.model import Position

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
    return int(subject.rpartition(":")[2]) % 1000 * 100_000 + int(start) * 60 + n + 1


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
