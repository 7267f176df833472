"""Compiled loops of the picture, held to the same said plainly in NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from cordon.picture import trackkernel
from cordon.picture.cover import reachkernel, signkernel
from cordon.picture.shared import cotravelkernel

NOBODY = np.empty(0, np.int64)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


def _reports(rng, count: int = 4_000):
    """Subject, source and time, by subject, then time."""
    subject = np.sort(rng.integers(0, 30, count))
    t = 1.7e9 + rng.uniform(0, 20_000, count).round(1)
    order = np.lexsort((t, subject))
    return subject, rng.integers(0, 3, count).astype(np.int32), t[order]


def test_runs_of_a_step_are_told_by_their_first_and_last(rng) -> None:
    subject, source, t = _reports(rng)
    who = rng.uniform(size=30) < 0.7
    mine = np.flatnonzero(who[subject])
    for fix in (np.arange(len(t)), NOBODY):
        key = np.column_stack((subject, np.floor(t / 300), source if len(fix) else 0 * source))[
            mine
        ]
        new = np.append(True, (np.diff(key, axis=0) != 0).any(axis=1))
        first, last = trackkernel.firsts(t, subject, source, fix, who, 300.0)
        assert first.tolist() == mine[new].tolist()
        assert last.tolist() == mine[np.append(new[1:], True)].tolist()


def test_a_middle_is_the_median_also_over_the_antimeridian(rng) -> None:
    lat, lon = rng.normal(10, 0.01, 500), 180.0 + rng.normal(0, 0.01, 500)
    lon = (lon + 180.0) % 360.0 - 180.0
    y, x = trackkernel.middles(lat, lon, np.array([0, 400]), np.array([40, 499]))
    assert y.tolist() == pytest.approx([np.median(lat[:41]), np.median(lat[400::2])], abs=1e-9)
    assert abs(abs(x[0]) - 180) < 0.01


def test_sights_are_thinned_as_by_sorting_them_all(rng) -> None:
    subject, source, t = _reports(rng)
    kind = rng.integers(0, 2, len(t)).astype(np.int8)
    meant = rng.integers(0, 2, (30, 2)).astype(np.uint8)
    trip_of = np.where(np.arange(30) % 7 == 0, 3 + np.arange(30) // 7, -1)
    assert signkernel.in_order(subject, t)
    assert not signkernel.in_order(subject, t[::-1].copy())
    rows, sign = signkernel.places(subject, source, t, kind, meant, trip_of, 8, 600.0)
    some = np.flatnonzero(meant[subject, kind])
    by = np.where(trip_of[subject[some]] >= 0, trip_of[subject[some]], source[some])
    order = np.lexsort((t[some], subject[some], by))
    some, by = some[order], by[order]
    key = np.column_stack((by, subject[some], t[some] // 600))
    new = np.append(True, (np.diff(key, axis=0) != 0).any(axis=1))
    mover = np.append(True, (np.diff(key[:, :2], axis=0) != 0).any(axis=1))
    paused = np.append(mover[1:] | (np.diff(t[some]) > 600), True)
    assert rows.tolist() == some[new | paused].tolist()
    assert sign.tolist() == by[new | paused].tolist()


def test_minutes_are_told_of_sources_and_of_sensors_themselves(rng) -> None:
    subject, source, t = _reports(rng, 500)
    own = np.arange(30) == 4
    trip_of = np.where(np.arange(30) == 9, 3, -1)
    low = int(t.min() // 60)
    wide = int(t.max() // 60) - low + 1
    row, begin, end = signkernel.by_minute(subject, source, t, own, trip_of, low, wide, 4 * wide)
    for code in range(4):
        mine = ~own[subject] & (source == code) if code < 3 else subject == 9
        for minute in range(wide):
            met = np.flatnonzero(mine & (t // 60 - low == minute))
            slot = code * wide + minute
            assert row[slot] == (met[-1] if len(met) else -1)
            if len(met):
                assert (begin[slot], end[slot]) == (t[met].min(), t[met].max())


def test_a_bearing_s_reach_is_that_of_its_fixes_and_those_of_its_neighbours(rng) -> None:
    halves, count = 8, 600
    half = np.sort(rng.integers(0, halves, count))
    at = np.searchsorted(half, np.arange(halves + 1))
    away, subject = rng.uniform(1e3, 5e4, count), rng.integers(0, 40, count)
    lost = rng.uniform(size=count) < 0.1
    lost[np.isin(half, (3, 4, 5, 6))] = False
    found = reachkernel.by_bearing(away, subject, lost, at, 20, 3, 3, 0.5)
    for b in range(halves // 2):
        beside = np.flatnonzero(np.isin(half, [(2 * b + n) % halves for n in (-1, 0, 1, 2)]))
        heard = float(np.quantile(away[beside], 0.95))
        ends = beside[lost[beside] & (away[beside] >= 0.5 * heard)]
        some = len(set(subject[ends].tolist())) >= 3
        assert found[b] == pytest.approx(np.median(away[ends]) if some else -heard)
    assert (found < 0).any()
    assert (found > 0).any()
    few = np.minimum(at, 9)
    assert np.isnan(reachkernel.by_bearing(away, subject, lost, few, 20, 3, 3, 0.5)).all()


def test_the_middle_of_the_cells_that_a_run_passes(rng) -> None:
    share = np.where(rng.uniform(size=12) < 0.3, np.nan, rng.uniform(size=12))
    cell = rng.integers(0, 12, 200)
    low = np.array([0, 50, 60, 199, 10])
    high = np.array([40, 51, 60, 200, 190])
    expected = []
    for a, b in zip(low, high, strict=True):
        known = share[np.unique(cell[a:b])]
        known = known[np.isfinite(known)]
        expected.append(float(np.median(known)) if len(known) else 0.5)
    assert cotravelkernel.middle_share(share, cell, low, high, 0.5).tolist() == pytest.approx(
        expected
    )
    assert 0.5 in expected
