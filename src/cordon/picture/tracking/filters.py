"""Kalman filters of one track: going straight, and an interacting pair that also manoeuvres.

A state is four numbers (metres east and north of the track's place, metres a second) and the
ten of the upper triangle of its covariance, in one row of fourteen. Motion is white noise of
acceleration (Bar-Shalom, Li and Kirubarajan 2001, 6.2.2) of spectral density q (m²/s³). With
two models, the second with the greater q, the filters interact as there in 11.6.6; how likely
a craft changes between them follows from how long each lasts on the mean, so that reports may
come at any times.
"""

# mypy: disable-error-code="no-any-return"
# Records of arrays have no types of their own.
from __future__ import annotations

import math

from cordon.kernel.compiled import compiled, inner
from cordon.picture.tracking.layout import MODELS, SIZE, Array, Record
from cordon.picture.tracking.plane import moved, offset

_AT = ((4, 5, 6, 7), (5, 8, 9, 10), (6, 9, 11, 12), (7, 10, 12, 13))
"""Where element (i, j) of the covariance stands in a state."""


@compiled
def predict(x: Array, dt: float, q: float) -> None:
    """Carry one state on by dt seconds, in place."""
    x[0] += dt * x[2]
    x[1] += dt * x[3]
    d2, d3 = 0.5 * dt * dt * q, dt * dt * dt / 3.0 * q
    x[4] += dt * (2.0 * x[6] + dt * x[11]) + d3
    x[5] += dt * (x[7] + x[9] + dt * x[12])
    x[8] += dt * (2.0 * x[10] + dt * x[13]) + d3
    x[6] += dt * x[11] + d2
    x[7] += dt * x[12]
    x[9] += dt * x[12]
    x[10] += dt * x[13] + d2
    x[11] += dt * q
    x[13] += dt * q


@compiled
def correct(x: Array, k: int, z0: float, z1: float, r00: float, r01: float, r11: float) -> float:
    """Take two measured numbers in, of the place (k = 0) or the velocity (k = 2), in place.

    Returns:
        the logarithm of how likely they were (nats).
    """
    s00 = x[_AT[k][k]] + r00
    s01 = x[_AT[k][k + 1]] + r01
    s11 = x[_AT[k + 1][k + 1]] + r11
    det = s00 * s11 - s01 * s01
    i00, i01, i11 = s11 / det, -s01 / det, s00 / det
    y0, y1 = z0 - x[k], z1 - x[k + 1]
    w0, w1 = i00 * y0 + i01 * y1, i01 * y0 + i11 * y1
    c00, c01 = x[_AT[0][k]], x[_AT[0][k + 1]]
    c10, c11 = x[_AT[1][k]], x[_AT[1][k + 1]]
    c20, c21 = x[_AT[2][k]], x[_AT[2][k + 1]]
    c30, c31 = x[_AT[3][k]], x[_AT[3][k + 1]]
    x[0] += c00 * w0 + c01 * w1
    x[1] += c10 * w0 + c11 * w1
    x[2] += c20 * w0 + c21 * w1
    x[3] += c30 * w0 + c31 * w1
    g00, g01 = c00 * i00 + c01 * i01, c00 * i01 + c01 * i11
    g10, g11 = c10 * i00 + c11 * i01, c10 * i01 + c11 * i11
    g20, g21 = c20 * i00 + c21 * i01, c20 * i01 + c21 * i11
    g30, g31 = c30 * i00 + c31 * i01, c30 * i01 + c31 * i11
    x[4] -= g00 * c00 + g01 * c01
    x[5] -= g00 * c10 + g01 * c11
    x[6] -= g00 * c20 + g01 * c21
    x[7] -= g00 * c30 + g01 * c31
    x[8] -= g10 * c10 + g11 * c11
    x[9] -= g10 * c20 + g11 * c21
    x[10] -= g10 * c30 + g11 * c31
    x[11] -= g20 * c20 + g21 * c21
    x[12] -= g20 * c30 + g21 * c31
    x[13] -= g30 * c30 + g31 * c31
    return -0.5 * (y0 * w0 + y1 * w1 + math.log(det)) - math.log(2.0 * math.pi)


@compiled
def changes(p: Record, dt: float) -> tuple[float, float]:
    """How likely straight turned to manoeuvre within dt, and manoeuvre to straight."""
    if p.models < 2.0:
        return 0.0, 1.0
    a, b = 1.0 / p.straight_s, 1.0 / p.turning_s
    gone = 1.0 - math.exp(-(a + b) * dt)
    return a / (a + b) * gone, b / (a + b) * gone


@compiled
def foresee(
    track: Record, dt: float, p: Record, craft: Record
) -> tuple[float, float, float, float, float]:
    """Where a track is dt seconds on: metres east and north of its place, and covariance (m²).

    Both models in one; each goes on with the mean noise of those it may change to.
    """
    ab, ba = changes(p, dt)
    d3 = dt * dt * dt / 3.0
    q0 = d3 * (craft.straight + ab * (craft.turning - craft.straight))
    q1 = d3 * (craft.turning + ba * (craft.straight - craft.turning))
    e = n = ee = en = nn = 0.0
    for m in range(MODELS):
        mu = track.mode[m]
        if mu <= 0.0:
            continue
        x = track.state[m]
        em, nm = x[0] + dt * x[2], x[1] + dt * x[3]
        noise = q0 if m == 0 else q1
        e += mu * em
        n += mu * nm
        ee += mu * (x[4] + dt * (2.0 * x[6] + dt * x[11]) + noise + em * em)
        en += mu * (x[5] + dt * (x[7] + x[9] + dt * x[12]) + em * nm)
        nn += mu * (x[8] + dt * (2.0 * x[10] + dt * x[13]) + noise + nm * nm)
    return e, n, ee - e * e, en - e * n, nn - n * n


@compiled
def surprise(
    track: Record, dt: float, p: Record, craft: Record, east: float, north: float, report: Record
) -> float:
    """Minus twice the logarithm of how likely a report's place is (per m²), over both models.

    Each model may have changed or not: up to four normal densities, of which the narrow ones
    tell craft that lie close together apart, where one that covers all would not.

    Args:
        east, north: of the report in the track's plane (m).
    """
    ab, ba = changes(p, dt)
    d3 = dt * dt * dt / 3.0
    likely = 0.0
    for m in range(MODELS):
        mu = track.mode[m]
        if mu <= 0.0:
            continue
        x = track.state[m]
        e, n = east - x[0] - dt * x[2], north - x[1] - dt * x[3]
        ee = x[4] + dt * (2.0 * x[6] + dt * x[11]) + report.ee
        en = x[5] + dt * (x[7] + x[9] + dt * x[12]) + report.en
        nn = x[8] + dt * (2.0 * x[10] + dt * x[13]) + report.nn
        turns = ab if m == 0 else 1.0 - ba
        for k in range(MODELS):
            share = mu * (turns if k == 1 else 1.0 - turns)
            if share <= 0.0:
                continue
            q = d3 * (craft.turning if k == 1 else craft.straight)
            det = (ee + q) * (nn + q) - en * en
            d2 = ((nn + q) * e * e - 2.0 * en * e * n + (ee + q) * n * n) / det
            likely += share * math.exp(-0.5 * d2) / math.sqrt(det)
    return 2.0 * (math.log(2.0 * math.pi) - math.log(max(likely, 1e-300)))


@inner
def swiftness(track: Record, dt: float, p: Record, craft: Record) -> float:
    """The variance (m²/s²) of a track's velocity dt seconds on, the mean of east and north."""
    ab, ba = changes(p, dt)
    u = track.mode[1]
    q0 = craft.straight + ab * (craft.turning - craft.straight)
    q1 = craft.turning + ba * (craft.straight - craft.turning)
    x, y = track.state[0], track.state[1]
    apart = (x[2] - y[2]) ** 2 + (x[3] - y[3]) ** 2
    own = (1.0 - u) * (x[11] + x[13] + 2.0 * q0 * dt) + u * (y[11] + y[13] + 2.0 * q1 * dt)
    return 0.5 * (own + u * (1.0 - u) * apart)


@inner
def blend(track: Record, out: Array) -> None:
    """Mean and covariance over the models, as one state."""
    mu, a, b = track.mode[1], track.state[0], track.state[1]
    _mix(a, b, 1.0 - mu, mu, out)


@inner
def _mix(a: Array, b: Array, wa: float, wb: float, out: Array) -> None:
    """The state that has two states' mean and spread in the proportion wa to wb."""
    for k in range(4):
        out[k] = wa * a[k] + wb * b[k]
    at = 4
    for r in range(4):
        for k in range(r, 4):
            apart = wa * wb * (a[r] - b[r]) * (a[k] - b[k])
            out[at] = wa * a[at] + wb * b[at] + apart
            at += 1


@inner
def step(track: Record, dt: float, p: Record, craft: Record, work: Array) -> None:
    """Let the models interact and carry them on by dt seconds, in place.

    Args:
        work: (MODELS or more, SIZE) to write in.
    """
    x, y = track.state[0], track.state[1]
    if p.models < 2.0:
        predict(x, dt, craft.straight)
        return
    ab, ba = changes(p, dt)
    u0, u1 = track.mode[0], track.mode[1]
    c0, c1 = (1.0 - ab) * u0 + ba * u1, ab * u0 + (1.0 - ba) * u1
    # how likely it was straight before, if it goes straight or manoeuvres now
    w0, w1 = (1.0 - ab) * u0 / c0, ab * u0 / c1
    _mix(x, y, w0, 1.0 - w0, work[0])
    _mix(x, y, w1, 1.0 - w1, work[1])
    predict(work[0], dt, craft.straight)
    predict(work[1], dt, craft.turning)
    for k in range(SIZE):
        x[k], y[k] = work[0, k], work[1, k]
    track.mode[0], track.mode[1] = c0, c1


@inner
def anchor(track: Record) -> None:
    """Move a track's plane to where the track is."""
    e = n = ve = vn = 0.0
    for m in range(MODELS):
        mu, x = track.mode[m], track.state[m]
        e += mu * x[0]
        n += mu * x[1]
        ve += mu * x[2]
        vn += mu * x[3]
    track.lat, track.lon, turn = moved(track.lat, track.lon, e, n)
    cos, sin = math.cos(turn), math.sin(turn)
    for m in range(MODELS):
        x = track.state[m]
        x[0] -= e
        x[1] -= n
        x[2], x[3] = x[2] * cos + x[3] * sin, x[3] * cos - x[2] * sin
    track.ve, track.vn = ve * cos + vn * sin, vn * cos - ve * sin


@compiled
def update(track: Record, report: Record, p: Record, craft: Record, work: Array) -> float:
    """Take a report into a track, in place.

    Returns:
        the logarithm of how likely the report was (nats).
    """
    step(track, max(report.t - track.t, 0.0), p, craft, work)
    e, n = offset(track.lat, track.lon, report.lat, report.lon)
    likely0 = likely1 = -1e300
    for m in range(MODELS):
        if track.mode[m] <= 0.0:
            continue
        likely = math.log(track.mode[m])
        likely += correct(track.state[m], 0, e, n, report.ee, report.en, report.nn)
        if report.vv > 0.0:
            likely += correct(track.state[m], 2, report.ve, report.vn, report.vv, 0.0, report.vv)
        if m == 0:
            likely0 = likely
        else:
            likely1 = likely
    most = max(likely0, likely1)
    total = math.exp(likely0 - most) + math.exp(likely1 - most)
    if p.models >= 2.0:
        # no model is ever ruled out: it could not come back
        mu = min(max(math.exp(likely0 - most) / total, 1e-6), 1.0 - 1e-6)
        track.mode[0], track.mode[1] = mu, 1.0 - mu
    anchor(track)
    track.t = max(report.t, track.t)
    return most + math.log(total)


@compiled
def begin(track: Record, report: Record, p: Record, speed: float) -> None:
    """Write a state that knows one report alone.

    Args:
        speed: standard deviation (m/s) of a velocity that was not told.
    """
    track.lat, track.lon, track.t = report.lat, report.lon, report.t
    told = report.vv > 0.0
    track.ve, track.vn = (report.ve, report.vn) if told else (0.0, 0.0)
    for m in range(MODELS):
        x = track.state[m]
        for k in range(SIZE):
            x[k] = 0.0
        x[2], x[3] = track.ve, track.vn
        x[4], x[5], x[8] = report.ee, report.en, report.nn
        x[11] = x[13] = report.vv if told else speed * speed
    straight = 1.0 if p.models < 2.0 else p.straight_s / (p.straight_s + p.turning_s)
    track.mode[0], track.mode[1] = straight, 1.0 - straight
