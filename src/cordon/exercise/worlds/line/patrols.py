"""The guards themselves: patrols on foot and by vehicle, posts, and their drones."""

from __future__ import annotations

from typing import Any

import numpy as np

from cordon.exercise.worlds.line.crowd import Crowd
from cordon.exercise.worlds.line.ground import Ground, Spot
from cordon.exercise.worlds.line.mover import HOUR, KMH, Walk
from cordon.exercise.worlds.paths import Way
from cordon.exercise.worlds.seeing.streams import Rng, Streams, between

Data = dict[str, Any]
_LEAVES_S = 1200.0  # so long before its sector lies bare the last patrol has left it
Bare = tuple[int, float, float]
"""A sector that is left uncovered: its number, and the span (s)."""


def build(crowd: Crowd, sectors: list[tuple[float, float]], bare: list[Bare]) -> None:
    """Patrols in every sector, so that one is out in each at all hours; but none in a sector
    while it is left bare. Their number does not go with the scale.

    Args:
        sectors: [west, east] of each (m).
    """
    leak = between(crowd.streams.of("leak"), crowd.data["eyes"]["radars"]["leak"])
    for n, (west, east) in enumerate(sectors):
        spans = [(s, e) for sector, s, e in bare if sector == n]
        for shift in range(2):
            rng = crowd.streams.of("foot", n, shift)
            _foot(crowd, (n, shift), (west, east), spans, leak, rng)
        _drive(crowd, n, (west, east), spans, leak, crowd.streams.of("drive", n))
    posts = int(crowd.data["traffic"]["posts"])
    for i in range(posts):
        rng = crowd.streams.of("post", i)
        _post(crowd, i, sectors, bare, rng)


def _cut(t: float, until: float, spans: list[tuple[float, float]]) -> tuple[float, float] | None:
    """A patrol's span with what a bare span takes of it; None where that is all."""
    for start, end in spans:
        leaves = start - _LEAVES_S
        if leaves < t < end:
            return None
        if t <= leaves < until:
            until = leaves
    return t, until


def _foot(
    crowd: Crowd, name: tuple[int, int], sector: tuple[float, float],
    bare: list[tuple[float, float]], leak: float, rng: Rng,
) -> None:  # fmt: skip
    """Patrols on foot that follow one another: some kilometres along the line and back."""
    ground = crowd.ground
    t = -between(rng, [1.0, 4.0]) * HOUR - name[1] * 2 * HOUR
    number = 0
    while t < crowd.span:
        lasts = between(rng, [2.2, 4.0]) * HOUR
        span = _cut(t, t + lasts, bare)
        if span is not None and span[1] - span[0] > 0.5 * HOUR:
            x = between(rng, [sector[0] + 2500.0, sector[1] - 2500.0])
            walk = Walk(t, _behind(ground, x, rng), rng)
            way = float(rng.choice((-1, 1)))
            while walk.now < span[1]:
                x = walk.here[0] + way * between(rng, [250.0, 700.0])
                if not sector[0] + 800.0 < x < sector[1] - 800.0 or rng.random() < 0.06:
                    way = -way
                    continue
                walk.hike(_behind(ground, x, rng), between(rng, [3.0, 4.2]) * KMH, bend=0.06)
                if rng.random() < 0.15:
                    walk.stay(between(rng, [120.0, 900.0]))
            walk.end(span[1])
            _unit(crowd, f"FP-{name[0] + 1}{name[1] + 1}{number % 10}", "person", walk, leak, rng)
        number += 1
        t += lasts + between(rng, [0.1, 0.9]) * HOUR


def _drive(
    crowd: Crowd, n: int, sector: tuple[float, float], bare: list[tuple[float, float]],
    leak: float, rng: Rng,
) -> None:  # fmt: skip
    """A patrol by vehicle, up and down the patrol road, with halts."""
    road = [p for p in crowd.ground.roads["RD-PATROL"] if sector[0] + 500 < p[0] < sector[1] - 500]
    t = -between(rng, [0.5, 3.0]) * HOUR
    while t < crowd.span:
        lasts = between(rng, [2.0, 4.5]) * HOUR
        span = _cut(t, t + lasts, bare)
        if span is not None and span[1] - span[0] > 0.5 * HOUR:
            at = int(rng.integers(len(road)))
            walk = Walk(t, road[at], rng)
            step = int(rng.choice((-1, 1)))
            while walk.now < span[1]:
                if not 0 <= at + step < len(road):
                    step = -step
                at += step
                walk.go(road[at], between(rng, [14.0, 30.0]) * KMH)
                if rng.random() < 0.06:
                    walk.stay(between(rng, [180.0, 1500.0]))
            walk.end(span[1])
            _unit(crowd, f"VP-{n + 1}", "vehicle", walk, leak, rng)
        t += lasts + between(rng, [0.4, 2.0]) * HOUR


def _post(
    crowd: Crowd, i: int, sectors: list[tuple[float, float]], bare: list[Bare], rng: Rng
) -> None:
    """An observation post: some soldiers on a height, who move about it a little."""
    free = [n for n in range(len(sectors)) if n not in {b[0] for b in bare}]
    sector = sectors[free[int(rng.integers(len(free)))]]
    x = between(rng, [sector[0] + 3000.0, sector[1] - 3000.0])
    spot = (x, float(crowd.ground.line_at(x)) - between(rng, [200.0, 900.0]))
    walk = Walk(-HOUR, spot, rng)
    walk.roam(spot, 25.0, crowd.span, 0.4)
    _unit(crowd, f"OP-{i + 1}", "person", walk, 0.3, rng)


def _behind(ground: Ground, x: float, rng: Rng) -> Spot:
    """A spot close behind the line."""
    return x, float(ground.line_at(x)) - between(rng, [90.0, 900.0])


def _unit(crowd: Crowd, name: str, size: str, walk: Walk, leak: float, rng: Rng) -> None:
    crowd.add(
        crowd.mover(
            "patrol",
            "party" if size == "person" else "vehicle",
            walk,
            rng,
            unit=f"unit:{name}",
            leak=bool(rng.random() < leak),
        )
    )


def flights(
    data: Data, streams: Streams, ground: Ground, span: float, bare: list[tuple[float, float, Bare]]
) -> list[tuple[str, Way]]:
    """Flights of own drones along parts of the line: their names and ways.

    Args:
        bare: west, east (m) and the bare span of sectors that none may fly over meanwhile.
    """
    rng = streams.of("uav")
    made = []
    count = max(1, round(between(rng, data["flights_a_day"]) * span / 86400.0))
    for i in range(count):
        start = float(rng.uniform(0, max(1.0, span - 3600.0)))
        end = min(span, start + between(rng, data["hours"]) * HOUR)
        x = between(rng, [12_000.0, ground.length - 12_000.0])
        low, high = max(2_000.0, x - 11_000.0), min(ground.length - 2_000.0, x + 11_000.0)
        busy = any(
            w - 3000 < high and e + 3000 > low and s < end and u > start for w, e, (_, s, u) in bare
        )
        if busy:
            continue
        walk = Walk(start, (x, float(ground.line_at(x)) - 6_000.0), rng)
        way = float(rng.choice((-1, 1)))
        while walk.now < end:
            nx = walk.here[0] + way * 900.0
            if not low < nx < high:
                way = -way
                continue
            off = 900.0 * float(np.sin(nx / 1700.0 + i)) - 700.0
            walk.go((nx, float(ground.line_at(nx)) + min(off, -80.0)), between(rng, [18.0, 26.0]))
        made.append((f"UAV-{i + 1}", walk.way(ground)))
    return made
