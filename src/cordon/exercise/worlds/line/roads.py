"""Trucks with their queues at the gates, cars and buses."""

from __future__ import annotations

from typing import Any

import numpy as np

from cordon.exercise.worlds.line.crowd import Crowd
from cordon.exercise.worlds.line.ground import Place, Spot, along
from cordon.exercise.worlds.line.mover import HOUR, KMH, Mover, Walk
from cordon.exercise.worlds.seeing.motion import Motion
from cordon.exercise.worlds.seeing.rows import KINDS, Names, Rows
from cordon.exercise.worlds.seeing.streams import Rng, between, times

Data = dict[str, Any]
_CARS_H = [0.3, 0.2, 0.2, 0.3, 1, 3, 5, 6, 6, 6, 5, 5, 5, 5, 5, 6, 6, 6, 4, 3, 2, 1.5, 1, 0.5]
_GATE_H = (7.0, 19.0)  # local hours in which a gate is open
BONDED = "BOND"


def build(crowd: Crowd) -> None:
    """All that drives on roads."""
    for gate in crowd.ground.of_kind("official_crossing"):
        if not gate.more.get("seasonal"):
            _trucks(crowd, gate)
    rng = crowd.streams.of("cars")
    count = times(crowd.data["traffic"]["cars"], crowd.scale, rng)
    for i, t in enumerate(crowd.times_of_day(_CARS_H, count, rng)):
        _car(crowd, t, crowd.streams.of("car", i))


def _car(crowd: Crowd, t: float, rng: Rng) -> None:
    """From village to village, or up to the gate and back."""
    own = bool(rng.random() < 0.7)
    a, b = crowd.village(rng, own=own), crowd.village(rng, own=own)
    road = along(crowd.ground.roads["RD-SOUTH" if own else "RD-NORTH"], (a.x, a.y), (b.x, b.y))
    if len(road) < 3:
        return
    road = road[: int(rng.integers(20, 160))]
    walk = Walk(t, road[0], rng)
    walk.follow(road[1:], between(rng, [28.0, 62.0]) * KMH, uneven=0.2)
    crowd.add(crowd.mover("car", "vehicle", walk, rng))


def _trucks(crowd: Crowd, gate: Place) -> None:
    """Trucks queue on the road before a gate, move up one by one, and go on beyond it."""
    rng = crowd.streams.of("trucks", *gate.id.encode())
    road = crowd.ground.roads[f"RD-{gate.id[2:]}"]
    points = np.array(road)
    at = int(np.argmin(np.hypot(points[:, 0] - gate.x, points[:, 1] - gate.y)))
    count = times(float(gate.more["trucks_a_day"]), crowd.scale, rng)
    for outward in (True, False):
        way = road if outward else road[::-1]
        stop = at if outward else len(road) - 1 - at
        free = -1e12
        arrive = sorted(crowd.times_of_day(_CARS_H, max(1, count // 2), rng))
        for i, t in enumerate(arrive):
            one = crowd.streams.of("truck", i, int(outward), *gate.id.encode())
            speed = between(one, [22.0, 45.0]) * KMH
            reaches = t + stop * 500.0 / speed
            opens = _opening(reaches, crowd.local_h)
            free = max(free + between(one, [150.0, 600.0]), opens, reaches)
            waiting = int(max(0.0, (free - reaches) / 400.0))
            _truck(crowd, t, way, stop, min(waiting, 45), free, speed, one)


def _opening(t: float, local_h: float) -> float:
    """The first moment from `t` on at which a gate is open (s)."""
    hour = (t / HOUR + local_h) % 24
    if _GATE_H[0] <= hour < _GATE_H[1]:
        return t
    return t + ((_GATE_H[0] - hour) % 24) * HOUR


def _truck(
    crowd: Crowd, t: float, way: list[Spot], stop: int, ahead: int, passes: float, speed: float,
    rng: Rng,
) -> None:  # fmt: skip
    """One truck: on the road, in the queue by steps of a truck's length, through, and away."""
    walk = Walk(t, way[0], rng)
    walk.follow(way[1 : max(2, stop - 2)], speed)
    gate, before = np.array(way[stop]), np.array(way[max(0, stop - 3)])
    back = (before - gate) / max(1.0, float(np.hypot(*(before - gate))))
    place = gate + back * (60.0 + 22.0 * ahead)
    walk.go((float(place[0]), float(place[1])), speed / 2)
    wait = max(0.0, passes - walk.now)
    for step in range(ahead):
        walk.stay(wait / max(1, ahead))
        place = gate + back * (60.0 + 22.0 * (ahead - step - 1))
        walk.go((float(place[0]), float(place[1])), 1.5)
    walk.stay(max(0.0, passes - walk.now))
    walk.follow(way[stop : stop + 2], 2.5)
    walk.follow(way[stop + 2 :], speed)
    bonded = rng.random() < crowd.data["traffic"]["bonded"]
    tracker = f"vehicle:TR{int(rng.integers(10_000, 99_999))}" if bonded else ""
    crowd.add(crowd.mover("truck", "truck", walk, rng, unit=tracker))


def tracked(
    mover: Mover, moves: Motion, span: tuple[float, float], every: float, rng: Rng,
    names: tuple[Names, Names], *, source: str, kind: str,
) -> Rows:  # fmt: skip
    """What a tracker tells of an own unit or a bonded truck, with pauses out of coverage."""
    start, end = max(span[0], float(moves.t[0])), min(span[1], float(moves.t[-1]))
    t = np.arange(np.ceil(start / every) * every, end, every)
    t = t[rng.random(len(t)) < 0.96]
    lat, lon, speed, course = moves.at(t)
    sources, subjects = names
    return Rows.of(
        np.rint(t),
        arrive=t + rng.exponential(6.0, len(t)) + 1.0,
        source=sources.code(source),
        subject=subjects.code(mover.unit),
        lat=lat + rng.normal(0, 5e-5, len(t)),
        lon=lon + rng.normal(0, 5e-5, len(t)),
        speed=speed,
        course=course,
        accuracy=8,
        kind=KINDS.index(kind),
        who=mover.serial,
    )
