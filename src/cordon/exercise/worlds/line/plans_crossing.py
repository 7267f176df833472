"""Plans over the line, away from every gate: on foot, with animals, by vehicle, by drone."""

from __future__ import annotations

import numpy as np

from cordon.exercise.worlds.line.ground import Spot
from cordon.exercise.worlds.line.mover import HOUR, KMH, Mover, Size, Walk
from cordon.exercise.worlds.line.plan import EYES, Plan, Planner, crossed, crossing_event
from cordon.exercise.worlds.line.zones import BORDER
from cordon.exercise.worlds.seeing.rows import Names
from cordon.exercise.worlds.seeing.streams import Rng, between
from cordon.exercise.worlds.seeing.telling import Event, Heard

_APART_M = 5_000.0  # two places at which parties cross again and again lie farther apart
_SURE_M = 100.0  # so far from the line a drone's report is surely on that side
_NOTES = {
    "party": "A party on foot crossed the line away from every gate.",
    "person": "A walker crossed the line away from every gate.",
    "train": "Pack animals crossed the line away from every gate.",
    "vehicle": "A vehicle crossed the line away from every gate.",
}


def walkers(p: Planner, rng: Rng) -> Plan | None:
    """One to a dozen people on foot, by night mostly; some by a trail with sensors."""
    size: Size = "party" if rng.random() < 0.7 else "person"
    return _one(p, rng, size, between(rng, [2.6, 4.6]) * KMH, dark=bool(rng.random() < 0.8))


def train(p: Planner, rng: Rng) -> Plan | None:
    """Pack animals and their drivers."""
    return _one(p, rng, "train", between(rng, [2.8, 4.4]) * KMH, dark=bool(rng.random() < 0.85))


def vehicle(p: Planner, rng: Rng) -> Plan | None:
    """A pick-up over a dry river bed."""
    return _one(p, rng, "vehicle", between(rng, [11.0, 28.0]) * KMH, dark=bool(rng.random() < 0.6))


def _one(p: Planner, rng: Rng, size: Size, speed: float, *, dark: bool) -> Plan | None:
    trail = _trail(p, rng, by_path=bool(rng.random() < 0.6))
    made = _party(p, rng, trail, size, speed, dark=dark, at=None)
    if made is None:
        return None
    mover, moment = made
    event = crossing_event(mover, moment, _NOTES[size])

    def told(heard: Heard, names: Names) -> bool:
        return crossed(p, heard, names, mover, moment)

    return Plan([mover], [event], told, [mover.serial])


def _trail(p: Planner, rng: Rng, *, by_path: bool) -> list[Spot]:
    """A way over the line: a trail that others use too, or over open ground near an eye."""
    if by_path:
        path = p.ground.paths[int(rng.integers(len(p.ground.paths)))]
        return path if rng.random() < 0.65 else path[::-1]
    x, y = p.spot(rng, ("radar", "camera"), 7_000.0, off_m=2_500.0, deep_m=0.0, size="party")
    lean = rng.uniform(-0.4, 0.4)
    ends = [
        (x + lean * 3500.0, y + between(rng, [2500.0, 5000.0])),
        (x, y),
        (x - lean * 3500.0, y - between(rng, [2500.0, 5000.0])),
    ]
    return ends if rng.random() < 0.65 else ends[::-1]


def _party(
    p: Planner, rng: Rng, trail: list[Spot], size: Size, speed: float, *, dark: bool,
    at: float | None,
) -> tuple[Mover, float] | None:  # fmt: skip
    """A party on a trail, and when it crosses; at a given moment (s) or at a free one."""
    walk = Walk(0.0, _beside(trail[0], rng), rng)
    for spot in trail[1:]:
        here = walk.here
        if float(np.hypot(spot[0] - here[0], spot[1] - here[1])) > 900.0:
            walk.hike(_beside(spot, rng), speed, bend=0.1)
        else:
            walk.go(_beside(spot, rng), speed * between(rng, [0.85, 1.15]))
        if rng.random() < 0.06:
            walk.stay(between(rng, [60.0, 420.0]))
    over = p.over(walk)
    if len(over) != 1 or not p.clear(walk):
        return None
    if at is None:
        start = p.moment(rng, 1800.0, dark=dark)
        if start is None:
            return None
        at = start + 900.0
    shift = at - over[0]
    walk.shift(shift)
    t, x, _ = walk.metres()
    cross = float(np.interp(at, t, x))
    if p.ground.at_crossing(cross, 1_200.0) or not p.free(at - 1800.0, at + 1800.0, cross):
        return None
    if not 900.0 < at < p.span - 900.0:
        return None
    return p.mover("crossers", size, walk, rng), at


def _beside(spot: Spot, rng: Rng) -> Spot:
    return spot[0] + float(rng.normal(0, 12.0)), spot[1] + float(rng.normal(0, 12.0))


def repeat(p: Planner, rng: Rng) -> Plan | None:
    """Night after night, or some times in one night, parties cross at one and the same place."""
    trail = _trail(p, rng, by_path=bool(rng.random() < 0.5))
    times = int(rng.integers(3, 6))
    nights = [n for n in p.scene.dark if n[1] - n[0] > 2 * HOUR]
    if not nights:
        return None
    moments: list[float] = []
    if len(nights) >= 3:
        picked = rng.choice(len(nights), min(times, len(nights)), replace=False)
        moments = [between(rng, [nights[i][0] + 900, nights[i][1] - 900]) for i in sorted(picked)]
    else:
        low, high = nights[int(rng.integers(len(nights)))]
        room = (high - low - 1800.0) / times
        if room < 0.6 * HOUR:
            return None
        moments = [low + 900.0 + room * (i + float(rng.uniform(0.2, 0.8))) for i in range(times)]
    movers, events, places = [], [], []
    for i, at in enumerate(moments):
        size: Size = "party" if rng.random() < 0.7 else "train"
        way = trail if i % 2 == 0 or rng.random() < 0.5 else trail[::-1]
        made = _party(p, rng, way, size, between(rng, [2.6, 4.6]) * KMH, dark=True, at=at)
        if made is None:
            return None
        movers.append(made[0])
        events.append(crossing_event(made[0], made[1], _NOTES[size]))
        places.append(float(p.ground.to_metres(*made[0].way.at(np.array([made[1]])))[0][0]))
    place = float(np.median(places))
    if any(abs(place - other) < _APART_M for other in p.again):
        return None
    events.append(
        Event(
            "picture.repeated_crossing",
            tuple(m.serial for m in movers),
            moments[0],
            moments[-1],
            zone=BORDER,
            note="Parties crossed again and again by night at one place.",
            only=EYES,
            margin_s=420.0,
            windows=tuple((e.start, e.end) for e in events),
        )
    )

    def told(heard: Heard, names: Names) -> bool:
        sure = [crossed(p, heard, names, m, at) for m, at in zip(movers, moments, strict=True)]
        return all(sure)

    return Plan(movers, events, told, [m.serial for m in movers], place)


def drone(p: Planner, rng: Rng) -> Plan | None:
    """A drone comes over the line, hangs over a spot for a minute, and goes back."""
    x, y = p.spot(rng, ("drones",), 4_000.0, off_m=0.0, deep_m=0.0, size="drone")
    speed = between(rng, [9.0, 17.0])
    launch = (x + float(rng.normal(0, 800.0)), y + between(rng, [800.0, 2500.0]))
    drop = (x + float(rng.normal(0, 500.0)), y - between(rng, [700.0, 2500.0]))
    out = float(np.hypot(drop[0] - launch[0], drop[1] - launch[1])) / speed
    start = p.moment(rng, 2 * out + 400.0, dark=bool(rng.random() < 0.75))
    if start is None or not p.free(start, start + 2 * out + 400.0, x):
        return None
    walk = Walk(start, launch, rng)
    walk.hike(drop, speed, bend=0.03)
    walk.roam(drop, 8.0, walk.now + between(rng, [60.0, 200.0]), 0.8)
    walk.hike(launch, speed, bend=0.03)
    over = p.over(walk)
    if len(over) != 2:
        return None
    mover = p.mover("drone", "drone", walk, rng)
    event = Event(
        "picture.drone_crossing",
        (mover.serial,),
        over[0] - 60.0,
        over[1] + 60.0,
        zone=BORDER,
        note="A drone came over the line and went back.",
        only=("drone",),
    )

    def told(heard: Heard, names: Names) -> bool:
        rows = heard.within(start, walk.now, mover.serial)
        some = [i for i, text in enumerate(names.texts) if text.startswith("drone:")]
        rows = rows.take(np.isin(rows.subject, some))
        off = p.ground.beyond(*p.ground.to_metres(rows.lat, rows.lon))
        codes = np.unique(rows.subject)
        north, south = int((off > _SURE_M).sum()), int((off < -_SURE_M).sum())
        return len(codes) == 1 and north >= 4 and south >= 8

    return Plan([mover], [event], told)
