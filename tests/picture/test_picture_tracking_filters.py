"""The filters of tracking against closed forms and plain textbook loops, and their plane."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cordon.picture.tracking import filters
from cordon.picture.tracking.layout import REPORT, SIZE, TRACK
from cordon.picture.tracking.plane import AXIS_M, E2, moved, offset
from cordon.picture.tracking.tuning import tuning

UPPER = np.triu_indices(4)


def vincenty(lat1: float, lon1: float, lat2: float, lon2: float) -> tuple[float, float]:
    """Distance (m) and first azimuth (rad) on the ellipsoid (Vincenty 1975, inverse)."""
    f = 1 - math.sqrt(1 - E2)
    b = AXIS_M * (1 - f)
    big = math.radians((lon2 - lon1 + 540) % 360 - 180)
    u1 = math.atan((1 - f) * math.tan(math.radians(lat1)))
    u2 = math.atan((1 - f) * math.tan(math.radians(lat2)))
    s1, c1, s2, c2 = math.sin(u1), math.cos(u1), math.sin(u2), math.cos(u2)
    lam = big
    for _ in range(50):
        sl, cl = math.sin(lam), math.cos(lam)
        ss = math.hypot(c2 * sl, c1 * s2 - s1 * c2 * cl)
        cs = s1 * s2 + c1 * c2 * cl
        sigma = math.atan2(ss, cs)
        sa = c1 * c2 * sl / ss
        ca2 = 1 - sa * sa
        c2m = cs - 2 * s1 * s2 / ca2 if ca2 > 1e-15 else 0.0
        c = f / 16 * ca2 * (4 + f * (4 - 3 * ca2))
        lam = big + (1 - c) * f * sa * (sigma + c * ss * (c2m + c * cs * (2 * c2m * c2m - 1)))
    u = ca2 * (AXIS_M**2 - b * b) / (b * b)
    a = 1 + u / 16384 * (4096 + u * (-768 + u * (320 - 175 * u)))
    k = u / 1024 * (256 + u * (-128 + u * (74 - 47 * u)))
    d = (
        k
        * ss
        * (
            c2m
            + k / 4 * (cs * (2 * c2m**2 - 1) - k / 6 * c2m * (4 * ss * ss - 3) * (4 * c2m**2 - 3))
        )
    )
    azimuth = math.atan2(c2 * sl, c1 * s2 - s1 * c2 * cl)
    return b * a * (sigma - d), azimuth


@pytest.mark.parametrize(("reach", "error"), [(1_000.0, 0.001), (50_000.0, 1.0), (200_000.0, 40.0)])
def test_the_plane_keeps_distance_and_azimuth(reach: float, error: float) -> None:
    for lat, lon in [(0.5, 10.0), (24.8, 66.9), (-33.0, 179.9), (59.0, -179.95)]:
        for course in range(0, 360, 30):
            e, n = reach * math.sin(math.radians(course)), reach * math.cos(math.radians(course))
            lat2, lon2, _ = moved(lat, lon, e, n)
            way, azimuth = vincenty(lat, lon, lat2, lon2)
            there = (way * math.sin(azimuth), way * math.cos(azimuth))
            assert math.dist(there, (e, n)) < error
            assert math.dist(offset(lat, lon, lat2, lon2), (e, n)) < error


def test_a_straight_way_over_the_antimeridian_turns_with_the_meridians() -> None:
    lat, lon, course = 60.0, 179.5, math.radians(70.0)
    for _ in range(50):
        lat, lon, turn = moved(lat, lon, 2_000 * math.sin(course), 2_000 * math.cos(course))
        course += turn
    way, azimuth = vincenty(60.0, 179.5, lat, lon)
    assert way == pytest.approx(100_000, abs=1)
    assert math.degrees(azimuth) == pytest.approx(70.0, abs=0.001)


def full(x: np.ndarray) -> np.ndarray:
    p = np.zeros((4, 4))
    p[UPPER] = x[4:]
    return p + np.triu(p, 1).T


def packed(mean: np.ndarray, p: np.ndarray) -> np.ndarray:
    return np.concatenate((mean, p[UPPER]))


def motion(dt: float, q: float) -> tuple[np.ndarray, np.ndarray]:
    f = np.eye(4)
    f[0, 2] = f[1, 3] = dt
    noise = np.zeros((4, 4))
    for k in (0, 1):
        noise[k, k], noise[k + 2, k + 2] = q * dt**3 / 3, q * dt
        noise[k, k + 2] = noise[k + 2, k] = q * dt**2 / 2
    return f, noise


def textbook_correct(
    mean: np.ndarray, p: np.ndarray, h: np.ndarray, z: np.ndarray, r: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Joseph's form, and the logarithm of the likelihood."""
    y, s = z - h @ mean, h @ p @ h.T + r
    k = p @ h.T @ np.linalg.inv(s)
    left = np.eye(4) - k @ h
    likely = -0.5 * (y @ np.linalg.solve(s, y) + np.log(np.linalg.det(2 * np.pi * s)))
    return mean + k @ y, left @ p @ left.T + k @ r @ k.T, float(likely)


def some_state(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    root = rng.normal(size=(4, 4)) * np.array([30, 30, 3, 3])[:, None]
    return rng.normal(size=4) * 10, root @ root.T + np.eye(4)


def test_a_step_and_a_correction_are_those_of_the_textbook() -> None:
    rng = np.random.default_rng(4)
    for k in (0, 2):
        for _ in range(20):
            mean, p = some_state(rng)
            x = packed(mean, p)
            dt, q = rng.uniform(0, 100), rng.uniform(0, 3)
            f, noise = motion(dt, q)
            mean, p = f @ mean, f @ p @ f.T + noise
            filters.predict(x, dt, q)
            np.testing.assert_allclose(x, packed(mean, p), rtol=1e-12)
            z, root = rng.normal(size=2) * 50, rng.normal(size=(2, 2)) * 20
            r = root @ root.T + np.eye(2)
            h = np.zeros((2, 4))
            h[0, k] = h[1, k + 1] = 1
            mean, p, likely = textbook_correct(mean, p, h, z, r)
            got = filters.correct(x, k, z[0], z[1], r[0, 0], r[0, 1], r[1, 1])
            assert got == pytest.approx(likely, rel=1e-9)
            np.testing.assert_allclose(x, packed(mean, p), rtol=1e-6, atol=1e-6)


def report(t: float, lat: float, lon: float, error: float) -> np.ndarray:
    one = np.zeros(1, REPORT)
    one["t"], one["lat"], one["lon"] = t, lat, lon
    one["ee"] = one["nn"] = error**2
    return one


def test_without_noise_a_line_is_fitted() -> None:
    """The end of a line fitted through n places is known to (4n - 2) / (n (n + 1)) of one."""
    tune = tuning({"models": 1}, craft={"vessel": {"straight": 1e-12}})
    track, work = np.zeros(1, TRACK), np.zeros((2, SIZE))
    filters.begin(track[0], report(0.0, 24.0, 66.0, 10.0)[0], tune.p[0], 1e5)
    for n in range(2, 40):
        filters.update(
            track[0], report(n - 1.0, 24.0, 66.0, 10.0)[0], tune.p[0], tune.craft[1], work
        )
        assert track["state"][0, 0, 4] == pytest.approx(100 * (4 * n - 2) / (n * (n + 1)), rel=1e-3)


def test_the_interacting_pair_is_that_of_the_textbook() -> None:
    """Bar-Shalom, Li and Kirubarajan 2001, 11.6.6, written out with matrices."""
    rng = np.random.default_rng(8)
    tune = tuning(craft={"vessel": {"straight": 0.01, "turning": 2.0}})
    track, work = np.zeros(1, TRACK), np.zeros((2, SIZE))
    first = report(0.0, 0.0, 0.0, 20.0)
    filters.begin(track[0], first[0], tune.p[0], 10.0)
    x, mu = track["state"][0].copy(), track["mode"][0].copy()
    means, covs = [v[:4].copy() for v in x], [full(v) for v in x]
    t, h = 0.0, np.eye(2, 4)
    place = np.zeros(2)
    for step in range(30):
        dt = float(rng.uniform(0.5, 20))
        t += dt
        place = place + dt * np.array([4.0, 3.0 if step < 15 else -3.0])
        z = place + rng.normal(0, 20, 2)
        # at the equator a metre is a metre of the same plane all the way
        lat, lon, _ = moved(0.0, 0.0, z[0], z[1])
        likely = filters.update(
            track[0], report(t, lat, lon, 20.0)[0], tune.p[0], tune.craft[1], work
        )
        ab, ba = filters.changes(tune.p[0], dt)
        change = np.array([[1 - ab, ab], [ba, 1 - ba]])
        c = mu @ change
        mixed = []
        for j in range(2):
            w = change[:, j] * mu / c[j]
            mean = sum(w[k] * means[k] for k in range(2))
            p = sum(w[k] * (covs[k] + np.outer(means[k] - mean, means[k] - mean)) for k in range(2))
            mixed.append((mean, p))
        logs = []
        for j, q in enumerate((0.01, 2.0)):
            f, noise = motion(dt, q)
            mean, p = mixed[j]
            means[j], covs[j], one = textbook_correct(
                f @ mean, f @ p @ f.T + noise, h, z, 400 * np.eye(2)
            )
            logs.append(one + math.log(c[j]))
        total = np.logaddexp(*logs)
        mu = np.exp(np.array(logs) - total)
        assert likely == pytest.approx(total, rel=1e-5)
        np.testing.assert_allclose(track["mode"][0], mu, atol=1e-5)
        mean = mu @ np.array(means)
        e, n = offset(0.0, 0.0, track["lat"][0], track["lon"][0])
        np.testing.assert_allclose([e, n], mean[:2], atol=0.02)
        np.testing.assert_allclose([track["ve"][0], track["vn"][0]], mean[2:], atol=1e-3)
        for j in range(2):
            np.testing.assert_allclose(full(track["state"][0, j]), covs[j], rtol=1e-4, atol=1e-4)


def test_models_change_as_two_clocks_would_have_it() -> None:
    p = tuning({"straight_s": 100.0, "turning_s": 25.0}).p[0]
    assert filters.changes(p, 0.0) == (0.0, 0.0)
    assert filters.changes(p, 1e6) == pytest.approx((0.2, 0.8))
    ab, ba = filters.changes(p, 7.0)
    # twice seven seconds are fourteen
    twice = np.array([[1 - ab, ab], [ba, 1 - ba]]) @ np.array([[1 - ab, ab], [ba, 1 - ba]])
    assert (twice[0, 1], twice[1, 0]) == pytest.approx(filters.changes(p, 14.0))


def test_where_a_track_will_be_is_told_with_both_models() -> None:
    rng = np.random.default_rng(2)
    tune = tuning()
    track = np.zeros(1, TRACK)
    track["mode"] = 0.7, 0.3
    states = [some_state(rng) for _ in range(2)]
    for k, (mean, p) in enumerate(states):
        track["state"][0, k] = packed(mean, p)
    craft, dt = tune.craft[1], 12.0
    ab, ba = filters.changes(tune.p[0], dt)
    parts = []
    for (mean, p), mu, turns in zip(states, (0.7, 0.3), (ab, 1 - ba), strict=True):
        for share, q in ((1 - turns, craft["straight"]), (turns, craft["turning"])):
            f, noise = motion(dt, q)
            parts.append((mu * share, (f @ mean)[:2], (f @ p @ f.T + noise)[:2, :2]))
    mean = sum(w * m for w, m, _ in parts)
    cov = sum(w * (p + np.outer(m - mean, m - mean)) for w, m, p in parts)
    e, n, ee, en, nn = filters.foresee(track[0], dt, tune.p[0], craft)
    np.testing.assert_allclose([e, n, ee, en, nn], [*mean, cov[0, 0], cov[0, 1], cov[1, 1]])
    one = report(dt, 0.0, 0.0, 15.0)
    z = np.array([mean[0] + 30, mean[1] - 40])
    likely = 0.0
    for w, m, p in parts:
        s = p + 225 * np.eye(2)
        y = z - m
        likely += (
            w
            * math.exp(-0.5 * y @ np.linalg.solve(s, y))
            / (2 * math.pi * math.sqrt(np.linalg.det(s)))
        )
    got = filters.surprise(track[0], dt, tune.p[0], craft, z[0], z[1], one[0])
    assert got == pytest.approx(-2 * math.log(likely))
