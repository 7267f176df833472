"""Reception learned from everybody's reports, and the odds that are told of a silence."""

from __future__ import annotations

import random
from dataclasses import replace

import numpy as np
import pytest

from cordon.picture import Tracks
from cordon.picture.reception import Reception
from cordon.picture.shared.silences import carriers_of

NORTH, SOUTH = 24.55, 23.55


def learned(positions):
    tracks = Tracks.build(positions)
    return Reception(tracks, carriers_of(tracks)), tracks


def traffic(sail, lat, share, count=8, minutes=480, imo="", seed=0):
    """Craft that sail to and fro, of whose reports a share is heard, in rows of some minutes."""
    found = []
    for i in range(count):
        track = sail(
            f"mmsi:4630{int(lat * 100):04d}{i}{'1' if imo else '0'}",
            lat,
            66.0,
            90,
            4,
            minutes,
            seed=i,
        )
        chance = random.Random(f"{lat} {i} {seed}")
        heard, until = True, 0.0
        for p in track:
            minute = (p.at - track[0].at).total_seconds() / 60
            if minute >= until:
                heard, until = chance.random() < share, minute + chance.uniform(3, 10)
            if heard:
                found.append(replace(p, imo=imo))
    return found


def usual(reception, lat, good=0, lon=66.25):
    return float(reception.usual(np.array([lat]), np.array([lon]), np.array([good]))[0])


def odds(reception, tracks, lat, minutes, lon=66.25, t0=None):
    begin = np.array([float(tracks.t.min()) + 7200.0 if t0 is None else t0])
    one = np.array([0])
    there = np.array([lat]), np.array([lon])
    return float(reception.odds(one, begin, begin + minutes * 60.0, *there, *there)[0])


def test_cells_differ_and_what_nobody_reached_is_unheard(sail) -> None:
    reception, _ = learned(traffic(sail, NORTH, 0.97) + traffic(sail, SOUTH, 0.35))
    assert usual(reception, NORTH) > 0.9
    assert 0.2 < usual(reception, SOUTH) < 0.75
    assert usual(reception, 20.0) == 0.0


def test_class_a_and_other_sets_are_told_apart(sail) -> None:
    reception, _ = learned(
        traffic(sail, NORTH, 0.97, imo="9123456") + traffic(sail, NORTH, 0.3, seed=1)
    )
    assert usual(reception, NORTH, good=1) > 0.9
    assert usual(reception, NORTH, good=0) < 0.7


def test_the_odds_grow_with_the_silence_and_with_reception(sail) -> None:
    reception, tracks = learned(traffic(sail, NORTH, 0.97) + traffic(sail, SOUTH, 0.35))
    good = [odds(reception, tracks, NORTH, m) for m in (15, 30, 60, 120)]
    poor = [odds(reception, tracks, SOUTH, m) for m in (15, 30, 60, 120)]
    assert good == sorted(good)
    assert poor == sorted(poor)
    assert all(g > p for g, p in zip(good, poor, strict=True))
    assert good[2] > 0.999
    assert poor[2] < 0.999
    assert odds(reception, tracks, 20.0, 600) < 0.01


def test_an_hour_in_which_nobody_was_heard_proves_nothing(sail) -> None:
    positions = traffic(sail, NORTH, 1.0)
    begin = min(p.at for p in positions)

    def minute(p) -> float:
        return (p.at - begin).total_seconds() / 60

    reception, tracks = learned([p for p in positions if not 200 < minute(p) < 290])
    out = odds(reception, tracks, NORTH, 80, t0=begin.timestamp() + 205 * 60)
    on = odds(reception, tracks, NORTH, 80, t0=begin.timestamp() + 60 * 60)
    assert on > 0.995
    assert 1 - out > 10 * (1 - on)


def test_the_odds_are_those_of_what_is_seen(sail) -> None:
    """Of all the half hours in made traffic, as many are silent as the odds say."""
    positions = traffic(sail, NORTH, 0.6, count=15, minutes=700)
    reception, tracks = learned(positions)
    said, seen = [], []
    for i in range(len(tracks.subjects)):
        t = tracks.t[tracks.of(i)]
        for begin in t[(t < t[-1] - 3600)][::12]:
            following = t[np.searchsorted(t, begin, "right")]
            there = np.array([NORTH]), np.array([66.2 + i / 300])
            said.append(
                1 - reception.odds(
                    np.array([i]), np.array([begin]), np.array([begin + 1800.0]), *there, *there
                )[0]
            )  # fmt: skip
            seen.append(following - begin > 1800)
    assert np.mean(seen) == pytest.approx(np.mean(said), abs=0.02)


def test_nobody_at_all() -> None:
    tracks = Tracks.build([])
    reception = Reception(tracks, carriers_of(tracks))
    assert usual(reception, NORTH) == 0.0
