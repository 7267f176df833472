"""Plans behind the line: convoys without lights, scouts who wait, intruders."""

# mypy: disable-error-code="no-untyped-call"
# Shapely has no types of its own.
from __future__ import annotations

import numpy as np
import shapely

from cordon.exercise.worlds.line.ground import Spot
from cordon.exercise.worlds.line.mover import HOUR, KMH, Size, Walk
from cordon.exercise.worlds.line.plan import EYES, Plan, Planner, eyes_only
from cordon.exercise.worlds.seeing.echoes import Bools
from cordon.exercise.worlds.seeing.rows import Names
from cordon.exercise.worlds.seeing.streams import Rng, between
from cordon.exercise.worlds.seeing.telling import Event, Heard, named

MINUTE = 60.0


def convoy(p: Planner, rng: Rng) -> Plan | None:
    """Some vehicles without lights, one behind the other, over tracks behind the line by night."""
    deep = between(rng, [1500.0, 9000.0])
    x, _ = p.spot(rng, ("radar",), 4_000.0, off_m=0.0, deep_m=deep, size="vehicle")
    side = float(rng.choice((-1, 1)))
    speed = between(rng, [11.0, 22.0]) * KMH
    half = between(rng, [7000.0, 11_000.0])
    mean = float(p.ground.line_at(x))

    def at(east: float) -> Spot:
        bend = 260.0 * np.sin(east / 1900.0) + 120.0 * np.sin(east / 700.0)
        return east, mean * 0.4 + float(p.ground.line_at(east)) * 0.6 - deep + bend

    way = [at(x + side * d) for d in np.arange(-half, half, 250.0)]
    off = p.ground.beyond(np.array([w[0] for w in way]), np.array([w[1] for w in way]))
    seen = np.array([p.scene.eyes.in_sight(w, ("radar",), "vehicle") for w in way])
    first, last = _longest(seen)
    lasts = (last - first) * 250.0 / speed
    start = p.moment(rng, lasts, dark=True)
    if (off > -250.0).any() or lasts < 28 * MINUTE or start is None:
        return None
    if not p.free(start, start + lasts, x):
        return None
    lead = Walk(start - first * 250.0 / speed, way[0], rng)
    lead.follow(way[1:], speed, uneven=0.06)
    if not p.clear(lead):
        return None
    t, _, _ = lead.metres()
    begins, ends = float(t[first]), float(t[last])
    movers, behind = [], 0.0
    for _ in range(int(rng.integers(3, 6))):
        movers.append(p.mover("convoy", "vehicle", lead.copy(behind / speed), rng))
        behind += between(rng, [90.0, 240.0])
    event = Event(
        "picture.convoy",
        tuple(m.serial for m in movers),
        begins,
        ends,
        note="Vehicles in column moved behind the line by night.",
        only=EYES,
    )

    def told(heard: Heard, names: Names) -> bool:
        of_eyes = Heard(eyes_only(heard.rows, names))
        return (
            all(of_eyes.silence(begins, ends, m.serial) < 5 * MINUTE for m in movers)
            and all(of_eyes.followed(begins, ends, m.serial) > 0.65 for m in movers)
            and of_eyes.plain(event) >= 0.55
        )

    return Plan(movers, [event], told)


def _longest(seen: Bools) -> tuple[int, int]:
    """The longest stretch of a way that is in sight, with blinks of a step: first and last."""
    best, first, gap = (0, 0), 0, 0
    for i, sight in enumerate(seen.tolist()):
        gap = 0 if sight else gap + 1
        if gap > 1:
            first, gap = i + 1, 0
        elif i - first > best[1] - best[0]:
            best = (first, i)
    return best


def loiterer(p: Planner, rng: Rng) -> Plan | None:
    """Scouts: some hours about one spot close to the line, where nobody works or lives."""
    lasts = between(rng, [2.2, 5.0]) * HOUR
    start = p.moment(rng, lasts + 600.0, dark=False)
    deep = between(rng, [180.0, 800.0])
    spot = p.spot(rng, ("camera",), 2_600.0, off_m=1_800.0, deep_m=deep, size="person")
    x = spot[0]
    if start is None or not p.free(start, start + lasts, x):
        return None
    if any(np.hypot(v.x - x, v.y - spot[1]) < v.radius_m + 1_500.0 for v in p.ground.villages):
        return None
    come = (x + float(rng.normal(0, 1500.0)), spot[1] - between(rng, [1500.0, 4000.0]))
    speed = between(rng, [3.0, 4.5]) * KMH
    walk = Walk(0.0, come, rng)
    walk.hike(spot, speed)
    here = walk.now
    walk.roam(spot, between(rng, [25.0, 90.0]), here + lasts, 0.9)
    end = walk.now
    walk.hike(come, speed)
    shift = start - here
    walk.shift(shift)
    if not p.clear(walk) or len(p.over(walk)):
        return None
    size: Size = "party" if rng.random() < 0.5 else "person"
    mover = p.mover("scouts", size, walk, rng)
    event = Event(
        "picture.loitering",
        (mover.serial,),
        start,
        end + shift,
        note="Somebody stayed for hours at a spot close to the line.",
        only=EYES,
    )

    def told(heard: Heard, names: Names) -> bool:
        of_eyes = Heard(eyes_only(heard.rows, names))
        return (
            of_eyes.silence(start, end + shift, mover.serial) < 20 * MINUTE
            and of_eyes.followed(start, end + shift, mover.serial) > 0.7
            and of_eyes.plain(event) >= 0.5
        )

    return Plan([mover], [event], told)


def entry(p: Planner, rng: Rng) -> Plan | None:
    """Into a closed place, on foot or by vehicle, and out again."""
    zones = p.ground.of_kind("restricted")
    zone = zones[int(rng.integers(len(zones)))]
    shape = p.ground.area(zone)
    rides = bool(rng.random() < 0.4)
    speed = (between(rng, [10.0, 25.0]) if rides else between(rng, [2.8, 4.5])) * KMH
    sight = ("radar", "camera")
    for _ in range(12):  # from a side where an eye looks on
        angle = rng.uniform(0, 2 * np.pi)
        off = zone.radius_m + 500.0
        edge = (zone.x + off * float(np.cos(angle)), zone.y + off * float(np.sin(angle)))
        if p.scene.eyes.in_sight(edge, sight, "person"):
            break
    far = zone.radius_m + between(rng, [1500.0, 3000.0])
    begin = (zone.x + far * float(np.cos(angle)), zone.y + far * float(np.sin(angle)))
    turn = angle + float(rng.normal(0, 0.5))
    leave = (zone.x + far * float(np.cos(turn)), zone.y + far * float(np.sin(turn)))
    inside = (
        zone.x + float(rng.normal(0, zone.radius_m * 0.25)),
        zone.y + float(rng.normal(0, zone.radius_m * 0.25)),
    )
    walk = Walk(0.0, begin, rng)
    walk.hike(inside, speed, bend=0.06)
    stays = between(rng, [2.0, 16.0] if rng.random() < 0.6 else [65.0, 110.0]) * MINUTE
    walk.roam(inside, zone.radius_m * 0.3, walk.now + stays, 1.0 if not rides else 2.5)
    walk.hike(leave, speed, bend=0.06)
    t, x, y = walk.metres()
    fine = np.arange(t[0], t[-1], 2.0)
    within = shapely.contains_xy(shape, np.interp(fine, t, x), np.interp(fine, t, y))
    edges = np.flatnonzero(within[1:] != within[:-1])
    if len(edges) != 2:
        return None
    first, last = float(fine[edges[0] + 1]), float(fine[edges[1] + 1])
    if 48 * MINUTE < last - first < 72 * MINUTE:
        return None  # too near to what the zone allows for either answer to be right
    start = p.moment(rng, last - first + 1200.0, dark=bool(rng.random() < 0.5))
    if start is None:
        return None
    shift = start + 600.0 - first
    walk.shift(shift)
    first, last = first + shift, last + shift
    if not p.free(first, last, zone.x) or len(p.over(walk)):
        return None
    size: Size = "vehicle" if rides else "person" if rng.random() < 0.5 else "party"
    mover = p.mover("intruder", size, walk, rng)
    whole = (mover.serial,)
    events = [
        Event("picture.zone_entry", whole, first, last, zone.id, "It went in.", EYES),
        Event("picture.zone_exit", whole, last - 300.0, last + 600.0, zone.id, "It left.", EYES),
    ]
    if last - first > HOUR:
        events.append(
            Event("picture.zone_dwell", whole, first, last, zone.id, "It stayed too long.", EYES)
        )

    def told(heard: Heard, names: Names) -> bool:
        rows = eyes_only(heard.within(first - 900.0, last + 900.0, mover.serial), names)
        px, py = p.ground.to_metres(rows.lat, rows.lon)
        deep = shapely.contains_xy(shape.buffer(-60.0), px, py)
        out_before = int((rows.t < first - 30.0).sum())
        out_after = int((rows.t > last + 30.0).sum())
        _, count = np.unique(rows.subject, return_counts=True)
        quiet = Heard(eyes_only(heard.rows, names)).silence(first, last, mover.serial)
        return (
            int(deep.sum()) >= 5
            and out_before >= 3
            and out_after >= 3
            and int(named(count).sum()) == 1
            and quiet < 12 * MINUTE
        )

    return Plan([mover], events, told)
