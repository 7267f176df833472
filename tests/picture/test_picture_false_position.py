"""Positions that cannot be: on rings, ashore, frozen, defaults; and what only looks so."""

from __future__ import annotations

import math
import random
from dataclasses import replace
from datetime import timedelta

import pytest

from cordon.kernel.geo import destination
from cordon.picture import Tracks
from cordon.picture.behaviours import false_position
from cordon.picture.model import Position

SHIP = "mmsi:463000001"


def run(positions, zones=(), **values):
    tracks = Tracks.build(positions)
    found = false_position.find(tracks, list(zones), false_position.CARD.values(values))
    return sorted(found, key=lambda f: f.start)


def ring(t0, *, subject=SHIP, turns=6.0, radius=600.0, minutes=60, every_s=30, kn=None, noise=5.0,
         lat=24.5, lon=66.5, begin_s=0.0, wobble=0.0):  # fmt: skip
    chance = random.Random(f"{subject} {turns} {radius}")
    track = []
    for n in range(int(minutes * 60 / every_s)):
        angle = 360 * turns * n / (minutes * 60 / every_s)
        r = radius * (1 + wobble * math.sin(math.radians(angle * 1.7)))
        y, x = destination(lat, lon, angle % 360, r + chance.gauss(0, noise))
        made = 2 * math.pi * radius * turns / (minutes * 60) * 3600 / 1852
        speed = made if kn is None else kn
        at = t0 + timedelta(seconds=begin_s + n * every_s)
        track.append(Position(at, "rx", subject, y, x, speed, kind="vessel"))
    return track


def test_many_turns_on_a_circle_are_told(t0) -> None:
    (found,) = run(ring(t0))
    assert found.subjects == (SHIP,)
    assert found.reasons[0].name == "ring_turns"
    assert found.reasons[0].value == pytest.approx(6, abs=0.3)
    assert found.place["coordinates"] == pytest.approx([66.5, 24.5], abs=0.001)
    assert found.radius_m == pytest.approx(600, rel=0.02)


@pytest.mark.parametrize(("turns", "minutes", "radius"), [(20, 90, 300), (5, 400, 4000)])
def test_rings_of_all_sizes(t0, turns: float, minutes: float, radius: float) -> None:
    assert len(run(ring(t0, turns=turns, minutes=minutes, radius=radius))) == 1


def test_few_turns_need_something_that_speaks_for_it(t0, sail) -> None:
    brief = {"turns": 2.2, "minutes": 40}
    assert run(ring(t0, **brief)) == []
    # a reported speed that is another one; others on the same ring; a jump to it
    assert len(run(ring(t0, **brief, kn=0.1))) == 1
    pair = ring(t0, **brief) + ring(t0, **brief, subject="mmsi:463000002", begin_s=900)
    assert len(run(pair)) == 2
    before = sail(SHIP, 24.9, 66.0, 90, 10, 60)
    after = [replace(p, at=p.at + timedelta(minutes=61)) for p in ring(t0, **brief)]
    assert len(run(before + after)) == 1


def test_once_round_is_enough_where_no_craft_came(t0, sail) -> None:
    # a turn takes an hour, and the last reports are few
    slow = ring(t0, turns=1.3, radius=2400, minutes=80, every_s=200)
    assert run(slow) == []
    before = sail(SHIP, 24.9, 66.0, 90, 10, 60)
    told = [replace(p, at=p.at + timedelta(minutes=61)) for p in slow]
    (found,) = run(before + told)
    assert found.reasons[0].threshold == 1
    assert found.radius_m == pytest.approx(2400, rel=0.02)
    half = [p for p in told if p.at < told[0].at + timedelta(minutes=50)]
    assert run(before + half) == []


def test_what_turns_without_going_round_is_none(t0, voyage, sail) -> None:
    fisher = random.Random(5)
    track, course, y, x = [], 0.0, 24.5, 66.5
    for n in range(240):
        course += fisher.uniform(-70, 70)
        y, x = destination(y, x, course, 120)
        track.append(Position(t0 + timedelta(minutes=n), "rx", SHIP, y, x, 4.0, kind="vessel"))
    assert run(track) == []
    assert run(ring(t0, turns=1.2, minutes=15)) == []  # once round a seine
    assert run(ring(t0, turns=6, wobble=0.3)) == []  # a man at the helm
    assert run(voyage(SHIP, (24.5, 66.5), [600.0], error_m=60)) == []  # at anchor, badly fixed
    swing = ring(t0, turns=2, minutes=1500, radius=150, every_s=180, kn=0.1)
    assert run(swing) == []  # round her anchor with two tides
    assert run(sail(SHIP, 24.5, 66.2, 90, 12, 300)) == []


def test_frozen_while_it_reports_a_way(t0, sail) -> None:
    track = sail(SHIP, 24.5, 66.2, 90, 10, 120)
    still = [
        replace(p, lat=track[40].lat, lon=track[40].lon) if 40 <= i < 85 else p
        for i, p in enumerate(track)
    ]
    (found,) = run(still)
    assert found.reasons[0].name == "frozen_min"
    assert found.reasons[0].value == pytest.approx(44, abs=3)
    moored = [replace(p, lat=24.5, lon=66.2, speed_kn=0.1) for p in track]
    assert run(moored) == []
    mute = [replace(p, speed_kn=None) for p in still]
    assert run(mute) == []


def test_defaults(t0, sail) -> None:
    track = sail(SHIP, 24.5, 66.2, 90, 10, 120)
    for place in ((0.0, 0.0), (25.0, 67.0), (0.0002, -0.0004)):
        wrong = [
            replace(p, lat=place[0], lon=place[1]) if 50 <= i < 60 else p
            for i, p in enumerate(track)
        ]
        (found,) = run(wrong)
        assert found.reasons[0].name == "default_fixes"
    once = [replace(p, lat=0.0, lon=0.0) if i == 50 else p for i, p in enumerate(track)]
    assert run(once) == []
    # data rounded to whole degrees are rounded data
    coarse = [
        replace(p, subject=f"mmsi:46300000{i % 9}", lat=float(20 + i % 7), lon=float(60 + i % 5))
        for i, p in enumerate(track)
    ]
    assert run(coarse) == []


# --- ashore ---------------------------------------------------------------------------------


@pytest.fixture
def land(area):
    return area("L", "land", 66.0, 25.0, 67.0, 26.0)


def test_a_jump_ashore_is_told_where_the_coast_is_drawn(sail, land) -> None:
    track = sail(SHIP, 24.7, 66.2, 90, 10, 180)
    ashore = [replace(p, lat=p.lat + 0.6) if 60 <= i < 100 else p for i, p in enumerate(track)]
    (found,) = run(ashore, [land])
    assert found.reasons[0].name == "inland_m"
    assert found.reasons[0].value == pytest.approx(33_000, rel=0.03)
    assert run(ashore) == []
    assert run(track, [land]) == []


def test_a_river_that_others_use_is_water(sail, land) -> None:
    river = [
        p
        for n in range(4)
        for p in sail(f"mmsi:46300001{n}", 24.8, 66.5, 0, 8, 180, start_min=n * 20)
    ]
    assert run(river, [land]) == []
    # up a creek alone for a few kilometres, and far inland alone
    creek = sail(SHIP, 24.95, 66.3, 0, 5, 60)
    assert run(creek, [land]) == []
    far = sail(SHIP, 24.95, 66.3, 0, 8, 120)
    assert len(run(far, [land])) == 1


def test_a_port_is_no_land_nor_is_a_boat_on_its_trailer(sail, land, area) -> None:
    track = sail(SHIP, 24.7, 66.2, 90, 10, 180)
    ashore = [replace(p, lat=p.lat + 0.6) if 60 <= i < 100 else p for i, p in enumerate(track)]
    haven = area("P", "port", 66.0, 25.2, 67.0, 25.4)
    assert run(ashore, [land, haven]) == []
    hauled = sail(SHIP, 25.5, 66.5, 90, 0.0, 300)
    assert run(hauled, [land]) == []
    lorry = sail("vehicle:1", 25.5, 66.5, 90, 30, 120, kind="vehicle")
    assert run(lorry, [land]) == []
