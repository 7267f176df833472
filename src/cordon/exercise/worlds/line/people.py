"""Innocent people of a frontier: villagers, farmers, herders, markets, weddings, and animals."""

from __future__ import annotations

from typing import Any

import numpy as np

from cordon.exercise.worlds.line.crowd import Crowd, around
from cordon.exercise.worlds.line.ground import Place, along
from cordon.exercise.worlds.line.mover import HOUR, KMH, Size, Walk
from cordon.exercise.worlds.seeing.streams import Rng, between, times

Data = dict[str, Any]
_DAY_H = [0.1, 0.05, 0.05, 0.1, 0.6, 2, 4, 6, 7, 7, 6, 5, 4, 4, 5, 6, 7, 6, 4, 2, 1, 0.6, 0.3, 0.2]
_NIGHT_H = [
    6,
    6,
    5,
    5,
    4,
    2,
    0.5,
    0.2,
    0.1,
    0.1,
    0.1,
    0.1,
    0.1,
    0.1,
    0.1,
    0.2,
    0.5,
    2,
    5,
    6,
    6,
    6,
    6,
    6,
]
_DAWN_H = [0.0, 0.0, 0.0, 0.0, 1.0, 6.0, 8.0, 3.0, 1.0] + [0.0] * 15


def build(crowd: Crowd) -> None:
    """All of them."""
    data = crowd.data["traffic"]
    for name, hours, make in (
        ("villagers", _DAY_H, _villager),
        ("farmers", _DAWN_H, _farmer),
        ("herds", _DAWN_H, _herd),
        ("nomads", _DAWN_H, _nomads),
        ("animals", _NIGHT_H, _animal),
        ("field_drones", _DAY_H, _field_drone),
    ):
        rng = crowd.streams.of(name)
        count = times(data[name], crowd.scale, rng)
        for i, t in enumerate(crowd.times_of_day(hours, count, rng)):
            make(crowd, t, crowd.streams.of(name, i))
    _markets(crowd, data)
    rng = crowd.streams.of("weddings")
    count = times(between(rng, data["weddings"]), crowd.scale, rng)
    evening = [0] * 14 + [1, 2, 3, 3, 3, 2, 2, 1, 0, 0]
    for i, t in enumerate(crowd.times_of_day([float(h) for h in evening], count, rng)):
        _wedding(crowd, t, crowd.streams.of("wedding", i))


def _villager(crowd: Crowd, t: float, rng: Rng) -> None:
    """To the fields, to a neighbour, to the next village and back, on foot or by motorcycle."""
    own = bool(rng.random() < 0.65)
    home = crowd.village(rng, own=own)
    rides = bool(rng.random() < 0.35)
    speed = between(rng, [15.0, 35.0]) * KMH if rides else between(rng, [3.2, 5.2]) * KMH

    def make() -> Walk:
        walk = Walk(t, around(home, rng), rng)
        if rides:
            other = crowd.village(rng, own=own, near=(home.x, home.y))
            road = crowd.ground.roads["RD-SOUTH" if own else "RD-NORTH"]
            walk.follow(along(road, (home.x, home.y), (other.x, other.y)), speed)
            walk.hike(around(other, rng), speed / 2)
        else:
            there = around(home, rng, 500.0, 3500.0)
            walk.hike(there, speed)
            walk.stay(between(rng, [0.1, 2.5]) * HOUR)
            walk.hike(around(home, rng), speed)
        return walk

    walk = crowd.innocent(make)
    if walk is not None:
        size: Size = "vehicle" if rides else "party" if rng.random() < 0.3 else "person"
        crowd.add(crowd.mover("villager", size, walk, rng))


def _farmer(crowd: Crowd, t: float, rng: Rng) -> None:
    """Out to a field, up and down in it for hours, and home; some fields lie at the line."""
    own = bool(rng.random() < 0.7)
    home = crowd.village(rng, own=own)

    def make() -> Walk:
        walk = Walk(t, around(home, rng), rng)
        field = around(home, rng, 600.0, 5000.0)
        walk.hike(field, between(rng, [3.5, 4.8]) * KMH)
        walk.roam(
            field, between(rng, [60.0, 180.0]), walk.now + between(rng, [2.5, 8.0]) * HOUR, 0.5
        )
        walk.hike(around(home, rng), between(rng, [3.5, 4.8]) * KMH)
        return walk

    walk = crowd.innocent(make)
    if walk is not None:
        crowd.add(crowd.mover("farmer", "person", walk, rng))


def _herd(crowd: Crowd, t: float, rng: Rng) -> None:
    """A flock and its shepherd: out at dawn, grazing along the line all day, home at dusk."""
    own = bool(rng.random() < 0.65)
    home = crowd.village(rng, own=own)
    ground = crowd.ground
    side = -1.0 if own else 1.0

    def make() -> Walk:
        walk = Walk(t, around(home, rng), rng)
        x = home.x + float(rng.normal(0, 3500.0))
        deep = between(rng, [150.0, 2600.0])
        walk.hike((x, float(ground.line_at(x)) + side * deep), between(rng, [1.8, 2.8]) * KMH)
        until = walk.now + between(rng, [5.0, 9.0]) * HOUR
        drift = float(rng.choice((-1, 1)))
        while walk.now < until:
            x = walk.here[0] + drift * between(rng, [50.0, 700.0])
            drift = -drift if rng.random() < 0.15 else drift
            deep = max(120.0, abs(float(ground.beyond(*walk.here))) + float(rng.normal(0, 220.0)))
            spot = (x, float(ground.line_at(x)) + side * min(deep, 4000.0))
            walk.hike(spot, between(rng, [0.5, 1.6]) * KMH, bend=0.25)
            if rng.random() < 0.12:
                walk.stay(between(rng, [0.3, 1.5]) * HOUR)  # they rest at noon, and drink
        walk.hike(around(home, rng), between(rng, [1.8, 2.8]) * KMH)
        return walk

    walk = crowd.innocent(make)
    if walk is not None:
        crowd.add(crowd.mover("herd", "flock", walk, rng))


def _nomads(crowd: Crowd, t: float, rng: Rng) -> None:
    """A flock that goes over the line at a grazing passage, as it does each year."""
    ground = crowd.ground
    passages = [p for p in ground.of_kind("official_crossing") if p.more.get("seasonal")]
    gate = passages[int(rng.integers(len(passages)))]
    side = float(rng.choice((-1, 1)))

    def make() -> Walk:
        begin = (gate.x + float(rng.normal(0, 1500.0)), gate.y - side * between(rng, [4e3, 8e3]))
        end = (gate.x + float(rng.normal(0, 1500.0)), gate.y + side * between(rng, [4e3, 8e3]))
        walk = Walk(t, begin, rng)
        speed = between(rng, [1.6, 2.6]) * KMH
        for spot in ((gate.x, gate.y - side * 500.0), (gate.x, gate.y + side * 500.0), end):
            walk.hike(spot, speed, bend=0.05 if spot != end else 0.12)
        return walk

    walk = crowd.innocent(make, crosses=True)
    if walk is not None and _through(crowd, walk, gate):
        crowd.add(crowd.mover("nomads", "flock", walk, rng))


def _through(crowd: Crowd, walk: Walk, gate: Place) -> bool:
    """Whether a way comes near the line nowhere but at a gate."""
    t, x, y = walk.metres()
    fine = np.arange(t[0], t[-1], 15.0)
    east = np.interp(fine, t, x)
    off = crowd.ground.beyond(east, np.interp(fine, t, y))
    near = np.abs(off) < 80.0
    return bool(np.all(np.abs(east[near] - gate.x) < gate.radius_m * 0.7))


def _animal(crowd: Crowd, t: float, rng: Rng) -> None:
    """Boar, jackals, stray camels: by night mostly, and no line is known to them."""
    ground = crowd.ground

    def make() -> Walk:
        x = between(rng, [5_000.0, ground.length - 5_000.0])
        spot = (x, float(ground.line_at(x)) + float(rng.normal(0, 2500.0)))
        walk = Walk(t, spot, rng)
        until = t + between(rng, [0.5, 4.0]) * HOUR
        heading = rng.uniform(0, 2 * np.pi)
        while walk.now < until:
            heading += float(rng.normal(0, 0.6))
            step = between(rng, [60.0, 500.0])
            x, y = walk.here
            walk.go(
                (x + step * float(np.cos(heading)), y + step * float(np.sin(heading))),
                between(rng, [0.5, 2.2]),
            )
            if rng.random() < 0.25:
                walk.stay(between(rng, [60.0, 900.0]))
        return walk

    walk = crowd.innocent(make, crosses=bool(rng.random() < 0.25))
    if walk is not None:
        crowd.add(crowd.mover("animal", "animal", walk, rng))


def _markets(crowd: Crowd, data: Data) -> None:
    """Each day is market in one village: people come in the morning from far about, some over
    the line by the gate, and go home from noon on."""
    ground = crowd.ground
    days = int(np.ceil(crowd.span / 86400.0)) + 1
    gates = [p for p in ground.of_kind("official_crossing") if not p.more.get("seasonal")]
    for day in range(-1, days):
        rng = crowd.streams.of("market", day + 1)
        gate = gates[int(rng.integers(len(gates)))]
        market = _nearest(ground.own_villages, gate)
        count = times(float(rng.integers(*data["markets"]["people"])), crowd.scale, rng)
        for i in range(count):
            one = crowd.streams.of("market goer", day + 1, i)
            over = bool(one.random() < 0.35)
            home = crowd.village(one, own=not over, near=(market.x, market.y))
            hour = between(one, [6.0, 9.5])
            t = (day * 24 + hour - crowd.local_h) * HOUR
            _goer(crowd, t, home, market, gate if over else None, one)


def _field_drone(crowd: Crowd, t: float, rng: Rng) -> None:
    """Somebody films or sprays a field by drone, up and down, on the own side of the line."""
    ground = crowd.ground

    def make() -> Walk:
        x = between(rng, [6_000.0, ground.length - 6_000.0])
        spot = (x, float(ground.line_at(x)) - between(rng, [350.0, 2500.0]))
        walk = Walk(t, spot, rng)
        wide = between(rng, [150.0, 400.0])
        for row in range(int(rng.integers(6, 14))):
            side = wide if row % 2 == 0 else -wide
            walk.go((spot[0] + side, spot[1] - 25.0 * row), between(rng, [4.0, 8.0]))
        walk.go(spot, 8.0)
        return walk

    walk = crowd.innocent(make)
    if walk is not None:
        crowd.add(crowd.mover("field drone", "drone", walk, rng))


def _nearest(villages: list[Place], gate: Place) -> Place:
    return min(villages, key=lambda v: float(np.hypot(v.x - gate.x, v.y - gate.y)))


def _goer(crowd: Crowd, t: float, home: Place, market: Place, gate: Place | None, rng: Rng) -> None:
    speed = between(rng, [3.5, 5.2]) * KMH
    rides = bool(rng.random() < 0.4)
    speed = between(rng, [14.0, 28.0]) * KMH if rides else speed

    def make() -> Walk:
        walk = Walk(t, around(home, rng), rng)
        stalls = around(market, rng)
        way = [stalls]
        if gate is not None:
            lane = float(rng.normal(0, gate.radius_m * 0.15))
            way = [(gate.x + lane, gate.y + 600.0), (gate.x + lane, gate.y - 600.0), stalls]
        for spot in way:
            walk.hike(spot, speed, bend=0.04)
        walk.stay(between(rng, [2.0, 6.0]) * HOUR)
        for spot in [*way[:-1][::-1], around(home, rng)]:
            walk.hike(spot, speed, bend=0.04)
        return walk

    walk = crowd.innocent(make, crosses=gate is not None)
    if walk is None or (gate is not None and not _through(crowd, walk, gate)):
        return
    crowd.add(crowd.mover("market", "vehicle" if rides else "party", walk, rng))


def _wedding(crowd: Crowd, t: float, rng: Rng) -> None:
    """A bridegroom's cars: a dozen close behind one another, to another village and back."""
    home = crowd.village(rng)
    others = sorted(
        crowd.ground.own_villages, key=lambda v: float(np.hypot(v.x - home.x, v.y - home.y))
    )
    there = others[int(rng.integers(1, min(5, len(others))))]
    road = along(crowd.ground.roads["RD-SOUTH"], (home.x, home.y), (there.x, there.y))
    speed = between(rng, [18.0, 30.0]) * KMH
    stays = between(rng, [2.0, 4.5]) * HOUR

    lead = Walk(t, (home.x, home.y), rng)
    lead.follow(road, speed, uneven=0.08)
    lead.stay(stays)
    lead.follow(road[::-1], speed, uneven=0.08)
    _, x, y = lead.metres()
    if not crowd.ground.clear(x, y):
        return
    for i in range(int(rng.integers(6, 14))):
        behind = i * between(rng, [35.0, 80.0]) / speed
        crowd.add(crowd.mover("wedding", "vehicle", lead.copy(behind), rng))
