"""By positions that are told to be false nobody meets, goes along, hands over or lands."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from cordon.kernel.geo import destination
from cordon.picture import Tracks
from cordon.picture.behaviours import convoy, encounter, false_position, landing, shore_transfer
from cordon.picture.model import Position
from cordon.picture.shared.untrue import Untrue

SHIPS = ("mmsi:463000001", "mmsi:463000002", "mmsi:463000003")
OUT = (24.85, 66.0)
NIGHT = 930.0


def run(module, positions, zones=()):
    return list(module.find(Tracks.build(positions), list(zones), module.CARD.values()))


@pytest.fixture
def land(area):
    return area("land", "land", 65.0, 25.0, 67.0, 25.5)


@pytest.fixture
def circle(t0):
    """`circle(subject, place, radius, turns, minutes, kn)`: reports from a true circle."""

    def made(subject, place, radius, turns, minutes, kn, *, start_min=0.0, behind=0.0):
        track = []
        for n in range(int(minutes * 2)):
            angle = (360 * turns * n / (minutes * 2) - behind) % 360
            lat, lon = destination(*place, angle, radius + 3 * math.sin(n))
            at = t0 + timedelta(minutes=start_min, seconds=30 * n)
            track.append(Position(at, "rx", subject, lat, lon, kn, kind="vessel"))
        return track

    return made


def test_spoofed_circles_do_not_meet(circle, voyage, monkeypatch) -> None:
    spoofed = [p for s in SHIPS[:2] for p in circle(s, OUT, 300, 7, 180, 9.0)]
    told = run(false_position, spoofed)
    assert len(told) == 2
    assert "no meeting" in told[0].reasons[-1].says
    assert run(encounter, spoofed) == []
    # nor does who lies there in truth meet one of them
    drifts = voyage(SHIPS[2], (24.852, 66.0), [180.0], drift_kn=0.5)
    assert run(encounter, spoofed[: len(spoofed) // 2] + drifts) == []
    # two that met before have met
    before = [
        p
        for s, lon in zip(SHIPS, (65.9, 66.1), strict=False)
        for p in voyage(s, (24.7, lon), [(24.85, 66.0, 9.0), 150.0], drift_kn=0.4)
    ]
    after = [replace(p, at=p.at + timedelta(hours=5)) for p in spoofed]
    assert len(run(encounter, before + after)) == 1
    nothing = Untrue(np.empty(0, np.int64), np.empty(0), np.empty(0))
    monkeypatch.setattr(false_position, "untrue_of", lambda tracks, zones: nothing)
    assert len(run(encounter, spoofed)) == 1


def test_spoofed_circles_keep_no_company(circle) -> None:
    way = [circle(s, OUT, 3000, 9, 400, 2.0, behind=3.0 * n) for n, s in enumerate(SHIPS)]
    spoofed = [p for track in way for p in track]
    assert len(run(false_position, spoofed)) == 3
    assert run(convoy, spoofed) == []
    seen = [replace(p, subject=f"radar:A/{p.subject[-1]}", speed_kn=None) for p in spoofed]
    assert len(run(convoy, seen)) == 1


def test_a_frozen_position_takes_no_handover(voyage, land) -> None:
    dhow = voyage(SHIPS[0], (24.6, 65.6), [(*OUT, 7.0), 240.0, (24.5, 66.4, 7.0)], start_min=600.0)
    legs = [(OUT[0] + 0.0006, OUT[1], 25.0), 10.0, (24.995, 66.0, 25.0)]
    skiff = voyage("radar:A/1", (24.995, 66.0), legs, start_min=900.0, every_s=20, kind="unknown")
    assert len(run(shore_transfer, skiff + dhow, [land])) == 1
    first = dhow[0].at + timedelta(minutes=240)
    frozen = [
        replace(p, lat=OUT[0], lon=OUT[1], speed_kn=7.0)
        if first <= p.at <= first + timedelta(minutes=150)
        else p
        for p in dhow
    ]
    assert len(run(false_position, frozen)) == 1
    assert run(shore_transfer, skiff + frozen, [land]) == []


def test_a_circle_at_a_beach_is_no_landing(circle, voyage, sail, land) -> None:
    watch = sail("mmsi:463000999", 23.0, 66.0, 90, 8, 1500)
    into = voyage(SHIPS[0], (24.6, 65.8), [(24.9975, 66.0, 12.0)], start_min=NIGHT, every_s=20)
    came = (into[-1].at - into[0].at).total_seconds() / 60 + NIGHT + 1.5
    spoofed = circle(SHIPS[0], (24.9985, 66.0), 100, 17, 120, 0.3, start_min=came)
    assert len(run(false_position, into + spoofed, [land])) == 1
    assert run(landing, into + spoofed + watch, [land]) == []
    stands = voyage(SHIPS[0], (24.9985, 66.0), [120.0], start_min=came)
    assert len(run(landing, into + stands + watch, [land])) == 1
