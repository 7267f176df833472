"""One identity, two hulls: told apart from jumps, from wrong clocks and from scattered fixes."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from cordon.kernel.geo import destination
from cordon.picture import Tracks
from cordon.picture.behaviours import false_position, impossible_move, shared_identity
from cordon.picture.model import Position
from cordon.picture.shared.clocks import clock_errors

ONE = "mmsi:463000001"


def run(module, positions, **values):
    tracks = Tracks.build(positions)
    return sorted(module.find(tracks, [], module.CARD.values(values)), key=lambda f: f.start)


def both(positions):
    return len(run(shared_identity, positions)), len(run(impossible_move, positions))


def test_two_hulls_far_apart_are_told_once_and_as_no_jump(sail, t0) -> None:
    here = sail(ONE, 24.5, 66.2, 90, 10, 180)
    there = sail(ONE, 26.0, 62.0, 180, 8, 120, start_min=30, seed=2)
    (found,) = run(shared_identity, here + there)
    assert found.subjects == (ONE,)
    assert [(t - t0).total_seconds() / 60 for t in (found.start, found.end)] == pytest.approx(
        [29.5, 150.5], abs=2
    )
    assert found.reasons[0].value > 50
    assert found.place["coordinates"][0] == pytest.approx(62.0, abs=0.1)
    assert len(found.records) <= 60
    assert both(here + there) == (1, 0)


def test_an_excursion_and_a_jump_are_impossible_moves_and_nothing_shared(sail) -> None:
    track = sail(ONE, 24.5, 66.2, 90, 10, 240)
    away = [replace(p, lat=p.lat + 2) if 100 <= i < 140 else p for i, p in enumerate(track)]
    assert both(away) == (0, 1)
    jump = [replace(p, lat=p.lat + 2) if i >= 100 else p for i, p in enumerate(track)]
    assert both(jump) == (0, 1)
    # to a place and back three times within hours is the rule's other side
    turns = [replace(p, lat=p.lat + 2) if (i // 30) % 2 else p for i, p in enumerate(track)]
    assert both(turns) == (1, 0)


def test_two_hulls_of_one_fleet_two_miles_apart_are_seen(sail) -> None:
    """Nearer than an impossible move needs: gpsdio-segment's 25 kn."""
    one = sail(ONE, 24.5, 66.2, 90, 7, 120, every_s=30)
    other = sail(ONE, 24.54, 66.21, 90, 7, 120, every_s=30, seed=2)
    assert both(one + other) == (1, 0)
    # what reports no speed is taken to be as fast as any craft of its class
    mute = [replace(p, speed_kn=None) for p in one + other]
    assert both(mute)[1] == 0


def test_a_fast_craft_is_taken_at_its_word(sail) -> None:
    ferry = sail(ONE, 24.5, 66.2, 90, 42, 60, every_s=120)
    assert both(ferry) == (0, 0)
    slow = [replace(p, speed_kn=8.0) for p in ferry]
    assert both(slow)[0] == 0  # nor is one that reports too little two hulls


def test_more_than_eight_hours_apart_is_not_at_once(sail) -> None:
    legs = [
        p
        for n in range(5)
        for p in sail(ONE, 24.5 + 3 * (n % 2), 66.2, 90, 5, 30, start_min=n * 9 * 60, seed=n)
    ]
    assert both(legs) == (0, 0)


def test_a_receiver_whose_clock_is_wrong_makes_no_second_hull(sail, t0) -> None:
    right = sail(ONE, 24.5, 66.2, 90, 18, 180, every_s=40)
    late = [replace(p, at=p.at + timedelta(seconds=160), source="slow") for p in right[::3]]
    others = [
        p
        for n in range(6)
        for p in sail(f"mmsi:46300010{n}", 24.2 + n / 50, 66.2, 90, 15, 180, every_s=60)
    ]
    lag = [replace(p, at=p.at + timedelta(seconds=160), source="slow") for p in others[::2]]
    assert both(right + late + others + lag) == (0, 0)
    tracks = Tracks.build(right + late + others + lag)
    errors = clock_errors(tracks, np.arange(len(tracks.subjects)))
    assert dict(zip(tracks.sources, errors.tolist(), strict=True)) == {"rx": 0.0, "slow": 160.0}
    # an excursion heard by both, each at its own time, is still one excursion
    away = [replace(p, lat=p.lat + 1.5) if 60 <= i < 120 else p for i, p in enumerate(right)]
    late = [replace(p, at=p.at + timedelta(seconds=160), source="slow") for p in away[::3]]
    assert both(away + late + others + lag) == (0, 1)


def test_scattered_positions_are_one_hull_with_a_bad_set(sail) -> None:
    chance = random.Random(3)
    track = []
    for p in sail(ONE, 24.5, 66.2, 90, 9, 60, every_s=60):
        y, x = destination(p.lat, p.lon, chance.uniform(0, 360), abs(chance.gauss(0, 1500)))
        track.append(replace(p, lat=y, lon=x))
    assert both(track)[0] == 0


def test_old_reports_passed_on_again_are_no_second_hull(sail) -> None:
    """As in a published test case: positions that come again a quarter of an hour later."""
    track = sail(ONE, 24.5, 66.2, 90, 20, 240, every_s=120)
    again = [replace(p, at=p.at + timedelta(minutes=16, seconds=40)) for p in track[::4]]
    assert both(track + again)[0] == 0


def test_the_published_points_of_one_vessel_with_one_noise_position(t0) -> None:
    """gpsdio-segment, tests/test_edge_cases.py: one position of five is noise, none is shared."""
    rows = [
        (0, 44.63928, -63.551333), (176, 51.629493, -63.55381), (184, 44.63896, -63.55386),
        (61_680, 44.573973, -63.534027), (61_680, 44.583315, -63.533645),
    ]  # fmt: skip
    track = [Position(t0 + timedelta(seconds=s), "rx", ONE, y, x, 1.0) for s, y, x in rows]
    assert both(track) == (0, 0)


def test_a_default_position_is_told_as_one_and_as_no_jump(sail) -> None:
    track = sail(ONE, 24.5, 66.2, 90, 10, 120)
    zero = [replace(p, lat=0.0, lon=0.0) if 40 <= i < 60 else p for i, p in enumerate(track)]
    assert both(zero) == (0, 0)
    (found,) = run(false_position, zero)
    assert found.reasons[0].name == "default_fixes"
    assert found.reasons[0].value == 20
