"""Plans of craft that go where they must not."""

# mypy: disable-error-code="no-untyped-call"
# Shapely has no types of its own.
from __future__ import annotations

import numpy as np
import shapely
from shapely.geometry import LineString

from cordon.exercise.worlds.paths import Point, Way, near
from cordon.exercise.worlds.sea.chart import Place
from cordon.exercise.worlds.sea.craft import Craft, Span
from cordon.exercise.worlds.sea.planner import Plan, Planner
from cordon.exercise.worlds.sea.voyage import HOUR
from cordon.exercise.worlds.seeing.streams import Rng, between
from cordon.exercise.worlds.seeing.telling import Event, Heard, named
from cordon.kernel.geo import destination

MINUTE = 60.0


def _within(way: Way, zone: Place, span: float) -> list[Span]:
    """Spans (s) in which a way lies in a zone, to a few seconds."""
    t = np.arange(max(0.0, way.t[0]), min(span, way.t[-1]), 5.0)
    if not len(t):
        return []
    lat, lon = way.at(t)
    inside = shapely.contains_xy(zone.shape, lon, lat)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    return [(float(t[a]), float(t[min(b, len(t)) - 1])) for a, b in edges.reshape(-1, 2)]


def _visit(p: Planner, rng: Rng, zone: Place, stays: float, start: float) -> Craft:
    """A craft that goes into a zone, stays about there, and goes home."""
    points: list[Point]
    inside = near(rng, zone.at, zone.radius_nm * 0.5)
    ship = rng.random() < 0.25
    if ship:
        what, speed, ais = p.ship(rng)
        size = "ship"
        points = [p.offing(rng), *p.chart.route(p.offing(rng), destination(*inside, 180.0, 30e3))]
    else:
        what, size, made = p.small(rng, 0.75)
        speed, ais = between(rng, [6.0, 14.0]), made  # type: ignore[assignment]
        points = p.from_port(rng, destination(*inside, 180.0, 15e3))
    points.append(inside)
    voyage = p.arriving(points, speed, start, rng)
    while voyage.now < start + stays:
        if rng.random() < 0.5:
            voyage.drift(min(between(rng, [8.0, 30.0]) * MINUTE, start + stays - voyage.now + 60.0))
        else:
            voyage.go(near(rng, inside, zone.radius_nm * 0.35), between(rng, [1.5, 5.0]))
    voyage.go(points[-2], speed)
    if ship:
        voyage.sail(p.offing(rng), speed)
    else:
        p.home(voyage, speed, rng)
    return p.craft(what, size, voyage, rng, ais=ais)  # type: ignore[arg-type]


def _only(p: Planner, craft: Craft, zone: Place) -> list[Span] | None:
    """The visits of a craft to a zone; None where it comes into another closed one too."""
    for other in p.chart.of_kind("restricted"):
        if other.id != zone.id and _within(craft.way, other, p.span):
            return None
    return _within(craft.way, zone, p.span)


def entry(p: Planner, rng: Rng) -> Plan | None:
    """Into a closed zone, there for a while, and out again."""
    zone = p.chart.places[str(rng.choice(["R-RANGE", "R-NAVAL", "R-TERMINAL"], p=[0.5, 0.3, 0.2]))]
    stays = between(rng, [0.2, 0.5] if rng.random() < 0.5 else [1.3, 2.2]) * HOUR
    start = p.moment(rng, stays + HOUR)
    if start is None:
        return None
    craft = _visit(p, rng, zone, stays, start)
    visits = _only(p, craft, zone)
    if visits is None or len(visits) != 1:
        return None
    first, last = visits[0]
    whole = (craft.serial,)
    events = [
        Event("picture.zone_entry", whole, first, last, zone.id, "It went in and stayed."),
        Event("picture.zone_exit", whole, last - 600.0, last + 1200.0, zone.id, "It left again."),
    ]
    if 50 * MINUTE < last - first < 75 * MINUTE:
        return None  # too near to what the zone allows for either answer to be right
    if last - first > HOUR:
        events.append(
            Event("picture.zone_dwell", whole, first, last, zone.id, "It stayed too long.")
        )

    def told(heard: Heard) -> bool:
        rows = heard.within(first, last, craft.serial)
        deep = zone.shape.buffer(-0.0015)
        sure = shapely.contains_xy(deep, rows.lon, rows.lat)
        outside = heard.within(first - HOUR, first, craft.serial)
        after = heard.within(last, last + 0.5 * HOUR, craft.serial)
        ids = heard.subjects(first - 600.0, last + 1200.0, craft.serial)
        seen = int(sure.sum()) >= 6 and len(outside) >= 4 and len(after) >= 4
        alone = int(named(np.array([n for *_, n in ids])).sum()) == 1
        return seen and alone and heard.silence(first, last, craft.serial) < 20 * MINUTE

    return Plan([craft], events, told)


def crossing(p: Planner, rng: Rng) -> Plan | None:
    """Straight through a small closed zone at speed, with no report while it is inside."""
    zone = p.chart.places["R-TERMINAL"]
    speed = between(rng, [19.0, 30.0])
    start = p.moment(rng, 1.5 * HOUR)
    if start is None:
        return None
    through = near(rng, zone.at, zone.radius_nm * 0.3)
    course = between(rng, [230.0, 300.0])
    before = destination(*through, course + 180.0, 9_000.0)
    after = destination(*through, course, 9_000.0)
    points = [*p.from_port(rng, before, ports=["P-KHI", "P-IBR"]), through, after]
    voyage = p.arriving(points, speed, start + HOUR, rng)
    p.home(voyage, speed, rng)
    ais = p.afloat.register.set("fast", "B", rng)
    craft = p.craft("go-fast", "skiff", voyage, rng, ais=ais)
    visits = _only(p, craft, zone)
    if visits is None or len(visits) != 1:
        return None
    first, last = visits[0]
    ais.off.append((first - 70.0, last + 70.0))
    events = [
        Event(
            kind,
            (craft.serial,),
            first,
            last,
            zone.id,
            "It crossed between two reports.",
            only=("mmsi",),
            until_heard=True,
        )
        for kind in ("picture.zone_entry", "picture.zone_exit")
    ]

    def told(heard: Heard) -> bool:
        rows = heard.within(first - 400.0, last + 400.0, craft.serial)
        if shapely.contains_xy(zone.shape.buffer(0.002), rows.lon, rows.lat).any():
            return False
        rows = rows.take(rows.message > 0)
        before_, after_ = rows.take(rows.t < first), rows.take(rows.t > last)
        if not len(before_) or not len(after_):
            return False
        line = LineString([(before_.lon[-1], before_.lat[-1]), (after_.lon[0], after_.lat[0])])
        return bool(line.intersection(zone.shape).length > 0.012)

    return Plan([craft], events, told)


def dweller(p: Planner, rng: Rng) -> Plan | None:
    """In a zone where one may pass and must not stay, for longer than it allows."""
    zone = p.chart.places["R-CABLE"]
    stays = between(rng, [1.1, 3.0]) * HOUR
    start = p.moment(rng, stays + HOUR)
    if start is None:
        return None
    craft = _visit(p, rng, zone, stays, start)
    visits = _only(p, craft, zone)
    if visits is None or len(visits) != 1:
        return None
    first, last = visits[0]
    event = Event(
        "picture.zone_dwell",
        (craft.serial,),
        first,
        last,
        zone.id,
        "It stayed where one may only pass.",
    )

    def told(heard: Heard) -> bool:
        return (
            heard.silence(first, last, craft.serial) < 15 * MINUTE
            and heard.followed(first, last, craft.serial) > 0.8
            and heard.plain(event) >= 0.5
        )

    return Plan([craft], [event], told)
