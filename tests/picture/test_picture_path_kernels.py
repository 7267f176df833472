"""Loops that lay out paths, company and coverage, held to the same said plainly in NumPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from cordon.kernel.geo import distance_m
from cordon.picture import coveragekernel
from cordon.picture.shared import cotravelkernel, pathkernel

SUBJECTS = 20


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.fixture
def fixes(rng):
    """Where each subject's fixes begin, their label, time and place, by subject, then time.

    Some subjects have none, some moments come twice, some silences are long.
    """
    counts = rng.integers(0, 120, SUBJECTS)
    counts[3] = 0
    begins = np.append(0, np.cumsum(counts))
    count = int(begins[-1])
    step = rng.choice(
        [0.0, 10.0, 95.5, 600.0, 1800.0, 9000.0], count, p=[0.1, 0.3, 0.3, 0.1, 0.1, 0.1]
    )
    t = np.concatenate([1.7e9 + np.cumsum(step[a:b]) for a, b in itertools.pairwise(begins)])
    label = rng.choice([0, 0, 0, 1, -1], count).astype(np.int32)
    lat = 10 + np.cumsum(rng.normal(0, 0.001, count))
    lon = (np.cumsum(rng.normal(0, 0.001, count)) + 360.0) % 360.0 - 180.0
    return begins, label, t, lat, lon


def test_believed_fixes_are_gathered_by_path(fixes, rng) -> None:
    begins, label, t, lat, lon = fixes
    chain = np.arange(SUBJECTS)
    chain[[7, 12]] = 5  # three tracks of one hull
    first = np.append(t, np.inf)[np.minimum(begins[:-1], len(t))]
    order = np.lexsort((first, chain))
    fix, path, times, y, x, starts = pathkernel.gathered(label, begins, order, chain, t, lat, lon)
    expected = [k for i in order for k in range(begins[i], begins[i + 1]) if label[k] >= 0]
    assert fix.tolist() == expected
    subject = np.repeat(np.arange(SUBJECTS), np.diff(begins))
    assert path.tolist() == chain[subject[expected]].tolist()
    assert (times.tolist(), y.tolist(), x.tolist()) == tuple(
        v[expected].tolist() for v in (t, lat, lon)
    )
    assert starts.tolist() == np.searchsorted(path, np.arange(SUBJECTS + 1)).tolist()


def _paths(fixes):
    begins, label, t, lat, lon = fixes
    every = np.arange(SUBJECTS)
    return pathkernel.gathered(np.zeros_like(label), begins, every, every, t, lat, lon)


def test_the_first_fix_at_or_after_a_moment(fixes, rng) -> None:
    _, _, times, _, _, starts = _paths(fixes)
    path = rng.integers(0, SUBJECTS, 500)
    t = rng.choice(np.concatenate((times, times + 0.5, [0.0, 2e9])), 500)
    found = pathkernel.after(times, starts, path, t)
    for one, at, n in zip(path, t, found, strict=True):
        own = times[starts[one] : starts[one + 1]]
        assert n == starts[one] + int((own < at).sum())


def test_a_place_is_known_between_two_fixes_that_are_near_in_time(fixes, rng) -> None:
    _, _, times, lat, lon, starts = _paths(fixes)
    path = rng.integers(0, SUBJECTS, 500)
    t = rng.choice(np.concatenate((times, times + 3.25)), 500)
    y, x = pathkernel.places(times, lat, lon, starts, path, t, 3600.0)
    some = 0
    for one, at, north, east in zip(path, t, y, x, strict=True):
        own = slice(starts[one], starts[one + 1])
        exact = np.flatnonzero(times[own] == at)
        after = int((times[own] < at).sum())
        if len(exact):
            assert (north, east) == (lat[own][exact[0]], lon[own][exact[0]])
        elif 0 < after < len(times[own]) and times[own][after] - times[own][after - 1] <= 3600:
            wide = np.unwrap(lon[own], period=360.0)
            assert north == pytest.approx(np.interp(at, times[own], lat[own]))
            assert (east - np.interp(at, times[own], wide) + 180) % 360 == pytest.approx(180)
            some += 1
        else:
            assert np.isnan(north)
            assert np.isnan(east)
    assert some > 50


def test_samples_are_where_a_path_is_at_moments_of_the_grid(fixes) -> None:
    _, _, times, lat, lon, starts = _paths(fixes)
    path, slot, y, x, way, begins = pathkernel.on_the_grid(times, lat, lon, starts, 600.0, 3600.0)
    expected = []
    for i in range(SUBJECTS):
        own = np.arange(starts[i], starts[i + 1])
        for a in own:
            ceil = int(np.ceil(times[a] / 600.0))
            last = a + 1 == starts[i + 1]
            gone = np.inf if last else times[a + 1] - times[a]
            if gone == 0:
                continue
            end = int(np.ceil(times[a + 1] / 600.0)) if gone <= 3600 else ceil
            if gone > 3600 and ceil * 600.0 == times[a]:
                end = ceil + 1
            expected += [(i, s) for s in range(ceil, end)]
    assert list(zip(path.tolist(), slot.tolist(), strict=True)) == expected
    assert begins.tolist() == np.searchsorted(path, np.arange(SUBJECTS + 1)).tolist()
    north, east = pathkernel.places(times, lat, lon, starts, path, slot * 600.0, 3600.0)
    known = np.isfinite(north)
    assert known.mean() > 0.9
    assert np.allclose(y[known], north[known])
    assert np.allclose(x[known], east[known])
    follows = (np.diff(path) == 0) & (np.diff(slot) == 1)
    assert np.isfinite(way[:-1]).tolist() == follows.tolist()
    far = distance_m(y[:-1], x[:-1], y[1:], x[1:])[follows]
    assert way[:-1][follows].tolist() == pytest.approx(far.tolist())


def test_hulls_are_told_apart_within_each_subject(fixes) -> None:
    begins, label, t, lat, lon = fixes
    fix, hull, subject, times, y, x, linked, starts = pathkernel.as_hulls(
        label, begins, t, lat, lon
    )
    of = np.repeat(np.arange(SUBJECTS), np.diff(begins))
    some = np.flatnonzero(label >= 0)
    order = some[np.lexsort((some, label[some], of[some]))]
    assert fix.tolist() == order.tolist()
    assert subject.tolist() == of[order].tolist()
    assert (times.tolist(), y.tolist(), x.tolist()) == tuple(
        v[order].tolist() for v in (t, lat, lon)
    )
    key = of[order] * 2 + label[order]
    new = np.append(True, np.diff(key) != 0)
    assert hull.tolist() == (np.cumsum(new) - 1).tolist()
    assert starts.tolist() == [*np.flatnonzero(new).tolist(), len(order)]
    assert linked.tolist() == [*(~new[1:]).tolist(), False]


def test_usual_intervals_leave_the_silence_itself_out(fixes, rng) -> None:
    begins, _, t, _, _ = fixes
    step = np.append(np.diff(t), 0.0)
    inner = np.append(np.diff(np.repeat(np.arange(SUBJECTS), np.diff(begins))) == 0, False)
    some = np.flatnonzero(inner & (step >= 9000.0))
    path = np.searchsorted(begins, some, side="right") - 1
    still = rng.uniform(size=len(some)) < 0.2
    half, most = pathkernel.usual_steps(step, inner, begins, some, path, still, 0.5, 0.95)
    for n, own in enumerate(path):
        steps = np.sort(step[begins[own] : begins[own + 1]][inner[begins[own] : begins[own + 1]]])
        rest = steps if still[n] else steps[:-1]
        expected = np.quantile(rest, [0.5, 0.95]) if len(rest) else [np.inf, np.inf]
        assert [half[n], most[n]] == pytest.approx(list(expected))


def test_runs_at_one_place_to_the_last_digit(rng) -> None:
    starts = np.array([0, 6, 6, 14])
    lat = np.array([1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3], dtype=float)
    t = np.arange(14) * 60.0
    begins, ends = pathkernel.stuck(t, lat, lat + 5, starts, 3, 120.0)
    assert list(zip(begins.tolist(), ends.tolist(), strict=True)) == [
        (0, 3), (3, 6), (6, 10), (10, 14)
    ]  # fmt: skip
    begins, ends = pathkernel.stuck(t, lat, lat + 5, starts, 4, 120.0)
    assert begins.tolist() == [6, 10]
    assert pathkernel.stuck(t, lat, lat + 5, starts, 3, 180.0)[0].tolist() == [6, 10]


def test_reports_lie_by_source_and_bin_and_a_receiver_is_asked_for_a_span(rng) -> None:
    count = 600
    t = np.sort(rng.uniform(0, 50_000, count))
    source, subject = rng.integers(0, 5, count), rng.integers(0, 9, count)
    mixed = rng.permutation(count)
    t, source, subject = t[mixed], source[mixed], subject[mixed]
    _, rank = np.unique(t // 600, return_inverse=True)
    order, starts = coveragekernel.by_source(source, rank, 5, int(rank.max()) + 1)
    assert order.tolist() == np.lexsort((np.arange(count), rank, source)).tolist()
    assert starts.tolist() == np.searchsorted(source[order], np.arange(6)).tolist()
    first, last = coveragekernel.ends(t[order], starts)
    assert first.tolist() == [t[source == s].min() for s in range(5)]
    assert last.tolist() == [t[source == s].max() for s in range(5)]
    for t0, t1 in ((0.0, 60_000.0), (1200.0, 1800.0), (7_111.0, 9_999.0)):
        for one in range(5):
            met = np.zeros(12, np.bool_)
            low, high = starts[one], starts[one + 1]
            own = int(subject[0])
            coveragekernel.heard_by(
                t[order][low:high], subject[order][low:high], own, t0, t1, 601.0, met
            )
            mine = (source == one) & (t >= t0) & (t < t1) & (subject != own)
            slices = np.minimum(((t[mine] - t0) / (t1 - t0) * 12).astype(int), 11)
            assert np.flatnonzero(met).tolist() == sorted(set(slices.tolist()))


def test_cells_hold_whom_they_met_and_how_far_they_reach(rng) -> None:
    lat, lon = rng.uniform(20, 20.5, 400), rng.uniform(60, 60.5, 400)
    subject = np.sort(rng.integers(0, 9, 400))
    cell = np.floor((lat + 90) / 0.1).astype(int) * 100_000 + np.floor((lon + 180) / 0.1).astype(
        int
    )
    pairs = np.unique(coveragekernel.pairs(lat, lon, subject, 0.1, 100_000))
    assert pairs.tolist() == np.unique(cell << 22 | subject).tolist()
    cells = np.unique(cell)
    reach = coveragekernel.reaches(lat, lon, 0.1, 100_000, cells)
    for n, one in enumerate(cells):
        mine = cell == one
        assert reach[:, n].tolist() == [
            lon[mine].min(), lat[mine].min(), lon[mine].max(), lat[mine].max()
        ]  # fmt: skip
    rank = rng.integers(0, 3, 400)
    keys = coveragekernel.keys(lat, lon, subject, rank, 0.25)
    y, x = ((lat + 90) * 4).astype(int), ((lon + 180) * 4).astype(int)
    assert set(keys.tolist()) == set(((y * 1440 + x) << 42 | rank << 22 | subject).tolist())
    edge = coveragekernel.keys(
        np.array([0.0]), np.array([180.0]), np.array([1]), np.array([0]), 0.25
    )
    assert int(edge[0] >> 42) == 360 * 1440


def test_the_eighths_of_the_compass() -> None:
    degrees = np.arange(0.0, 360.0, 7.5)
    north, east = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    north[np.abs(north) < 1e-9], east[np.abs(east) < 1e-9] = 0.0, 0.0
    inside = degrees % 45 != 0  # on a diagonal the last digit decides
    inside |= degrees % 90 == 0
    zero = np.zeros(len(degrees))
    cells = cotravelkernel.directed_cells(zero, zero, north, east, 0.1)
    assert (cells % 8)[inside].tolist() == (degrees // 45).astype(int)[inside].tolist()
    assert set((cells // 8).tolist()) == {900 * 3600 + 1800}


def test_speeds_of_a_cell_are_means_of_movers_means(rng) -> None:
    count, cells = 500, 6
    subject, cell = rng.integers(0, 8, count), rng.integers(0, cells, count)
    slot = np.sort(rng.integers(0, 40, count))
    north, east = rng.normal(3, 1, count), rng.normal(3, 1, count)
    order, starts = cotravelkernel.by_subject(subject, 8)
    assert order.tolist() == np.argsort(subject, kind="stable").tolist()
    many, total, square = cotravelkernel.mean_speeds(order, starts, cell, cells, north, east)
    for c in range(cells):
        own = [
            float(np.hypot(north, east)[(subject == s) & (cell == c)].mean())
            for s in range(8)
            if ((subject == s) & (cell == c)).any()
        ]
        assert many[c] == len(own)
        assert (total[c], square[c]) == pytest.approx((sum(own), sum(v * v for v in own)))
    low, high = cotravelkernel.spans(
        slot[order], starts, np.array([2, 5]), np.array([10, 0]), np.array([20, 50])
    )
    mine = slot[order][starts[2] : starts[3]]
    assert high[0] - low[0] == ((mine >= 10) & (mine <= 20)).sum()
    assert (low[1], high[1]) == (starts[5], starts[6])


def test_who_is_under_way_at_common_moments_and_how_fast() -> None:
    # east at 10 m/s for ten minutes, a silence, the same again; another lies still; a third is
    # not looked at
    metre = 1 / 111_195.0
    t = np.concatenate((np.arange(0, 601, 60), np.arange(3000, 3601, 60))).astype(float)
    lon = np.concatenate((np.arange(0, 601, 60), np.arange(3000, 3601, 60))) * 10 * metre + 179.99
    lon = (lon + 180.0) % 360.0 - 180.0
    still = np.full(len(t), 5.0)
    starts = np.array([0, len(t), 2 * len(t), 3 * len(t)])
    subject = np.repeat([4, 2, 1], len(t))
    counted = np.array([False, False, True, False, True])
    who, slot, y, x, north, east = cotravelkernel.under_way(
        np.tile(t, 3), np.zeros(3 * len(t)), np.concatenate((lon, still, lon)), starts, subject,
        counted, 120.0, 1200.0, 1.0,
    )  # fmt: skip
    assert set(who.tolist()) == {4}
    assert slot.tolist() == [*range(5), *range(25, 30)]
    assert north.tolist() == pytest.approx([0.0] * 10)
    assert east.tolist() == pytest.approx([10.0] * 10, rel=1e-6)
    assert (np.abs(x) <= 180).all()
    assert y.tolist() == [0.0] * 10
    order = cotravelkernel.by_slot(slot, y)
    assert order.tolist() == list(range(10))
    far = np.array([0, 1 << 40])
    assert len(cotravelkernel.by_slot(far, np.zeros(2))) == 0


def test_missed_steps_lie_between_those_heard(rng) -> None:
    subject = np.sort(rng.integers(0, 6, 60))
    slot = np.concatenate([np.cumsum(rng.choice([1, 2, 5, 90], n)) for n in np.bincount(subject)])
    lat, lon = rng.uniform(10, 10.02, 60), rng.uniform(-180, -179.98, 60)
    lon[::3] += 359.98  # on the other side of the antimeridian
    who, when, y, x, row = pathkernel.heard_and_missed(subject, slot, lat, lon, 72, 12, 926.0)
    n = 0
    for k in range(60):
        last = k == 59 or subject[k + 1] != subject[k]
        if last:
            many = min(max(int(slot.max()) - int(slot[k]) - 1, 0), 12)
        else:
            many = int(slot[k + 1] - slot[k]) - 1
            stays = distance_m(lat[k], lon[k], lat[k + 1], lon[k + 1]) <= 926.0
            many = 0 if many > 72 or stays else many
        for step in range(many + 1):
            assert (who[n], when[n], row[n]) == (subject[k], slot[k] + step, step)
            share = 0.0 if last else step / (many + 1)
            end = k if last else k + 1
            assert y[n] == pytest.approx(lat[k] + share * (lat[end] - lat[k]))
            east = (lon[end] - lon[k] + 540) % 360 - 180
            assert (x[n] - lon[k] - share * east + 180) % 360 == pytest.approx(180)
            n += 1
    assert n == len(who)
    assert (row > 1).sum() > 10
