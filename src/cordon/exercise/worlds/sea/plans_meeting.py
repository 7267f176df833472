"""Plans of craft that meet, wait, keep company, and land."""

from __future__ import annotations

import numpy as np

from cordon.exercise.worlds.paths import Way, near
from cordon.exercise.worlds.sea.craft import Craft, Size
from cordon.exercise.worlds.sea.planner import Plan, Planner, followed
from cordon.exercise.worlds.sea.voyage import HOUR, Voyage
from cordon.exercise.worlds.seeing.motion import METRES_PER_DEGREE
from cordon.exercise.worlds.seeing.streams import Rng, between
from cordon.exercise.worlds.seeing.telling import Event, Heard
from cordon.kernel.geo import bearing_deg, destination, distance_m
from cordon.kernel.units import MS_PER_KNOT

MINUTE = 60.0
_ONE_EACH = 0.6  # a finding that names one subject of each craft must be right


def encounter(p: Planner, rng: Rng) -> Plan | None:
    """Two vessels lie together for hours, far from any port, ground or anchorage."""
    lasts = between(rng, [2.3, 5.0]) * HOUR
    start = p.moment(rng, lasts + 0.5 * HOUR)
    place = p.open_water(rng, (9.0, 24.0), clear_nm=6.5)
    if start is None or place is None:
        return None
    what, speed, ais = p.ship(rng)
    one = p.arriving(p.over_water(p.offing(rng), place), speed, start, rng)
    one.drift(lasts)
    one.sail(p.offing(rng), speed)
    other = _comer(p, rng, place, one.way(), start, lasts, between(rng, [60.0, 330.0]))
    first = p.craft(what, "ship", one, rng, ais=ais)
    event = Event(
        "picture.encounter",
        (first.serial, other.serial),
        start,
        start + lasts,
        note="Two vessels lay together where nobody has business to.",
        place=place,
    )

    def told(heard: Heard) -> bool:
        return (
            followed(heard, event, silence_s=35 * MINUTE, share=0.85)
            and heard.plain(event) >= _ONE_EACH
        )

    return Plan([first, other], [event], told)


def _comer(
    p: Planner,
    rng: Rng,
    place: tuple[float, float],
    other: Way,
    start: float,
    lasts: float,
    metres: float,
) -> Craft:
    """The one that waits at a place, lies beside the other while it lasts, and goes home."""
    what, size, ais = p.small(rng, 0.5)
    ship = rng.random() < 0.35
    if ship:
        what, _, ais = p.ship(rng)
        size = "ship"
    speed = between(rng, [6.5, 9.5])
    waits = between(rng, [0.1, 0.7]) * HOUR
    lat, lon = other.at(np.array([start]))
    spot = destination(float(lat[0]), float(lon[0]), between(rng, [0, 360]), 900.0)
    points = p.over_water(p.offing(rng), spot) if ship else p.from_port(rng, spot)
    voyage = p.arriving(points, speed, start - waits, rng)
    voyage.drift(waits - 200.0)
    voyage.beside(other, start + lasts, metres, side_deg=between(rng, [60, 120]))
    if ship:
        voyage.sail(p.offing(rng), speed)
    else:
        p.home(voyage, speed, rng)
    dim = [(start, start + lasts, between(rng, [0.6, 0.95]))]
    return p.craft(what, size, voyage, rng, ais=ais, dim=dim)


def handover(p: Planner, rng: Rng) -> Plan | None:
    """Two small craft come alongside near the coast, for a quarter of an hour or little more."""
    lasts = between(rng, [13.0, 42.0]) * MINUTE
    start = p.moment(rng, lasts + 0.5 * HOUR, dark=bool(rng.random() < 0.4))
    place = p.open_water(rng, (3.5, 10.0), clear_nm=1.2, radar_nm=13.0)
    if start is None or place is None:
        return None
    ais = p.afloat.register.set(str(rng.choice(["cargo", "fishing"])), "B", rng)
    speed = between(rng, [7.0, 10.0])
    one = p.arriving(p.from_port(rng, place), speed, start, rng)
    one.drift(lasts)
    p.home(one, speed, rng)
    way = one.way()
    what, size, other_ais = p.small(rng, 0.65)
    fast = between(rng, [9.0, 16.0])
    lat, lon = way.at(np.array([start]))
    spot = destination(float(lat[0]), float(lon[0]), between(rng, [0, 360]), 400.0)
    other = p.arriving(p.from_port(rng, spot), fast, start - 60.0, rng)
    other.beside(way, start + lasts, between(rng, [12.0, 40.0]), side_deg=between(rng, [60, 120]))
    p.home(other, fast, rng)
    dim = [(start, start + lasts, between(rng, [0.7, 1.0]))]
    crafts = [
        p.craft("coaster", "dhow", one, rng, ais=ais),
        p.craft(what, size, other, rng, ais=other_ais, dim=dim),
    ]
    event = Event(
        "picture.encounter",
        (crafts[0].serial, crafts[1].serial),
        start,
        start + lasts,
        note="Two craft came alongside for a short time near the coast.",
        place=place,
    )

    def told(heard: Heard) -> bool:
        return (
            followed(heard, event, silence_s=max(5 * MINUTE, lasts / 3), share=0.6)
            and heard.plain(event) >= _ONE_EACH
            and all(len(heard.within(start, start + lasts, c.serial)) >= 4 for c in crafts)
        )

    return Plan(crafts, [event], told)


def loiterer(p: Planner, rng: Rng) -> Plan | None:
    """A vessel leaves its way and drifts for hours in open water, waiting for nobody comes."""
    lasts = between(rng, [3.3, 9.0]) * HOUR
    start = p.moment(rng, lasts)
    ship = rng.random() < 0.65
    place = p.open_water(rng, (5.0, 26.0), clear_nm=4.0, radar_nm=0.0 if ship else 11.0)
    if start is None or place is None:
        return None
    if ship:
        what, speed, ais = p.ship(rng)
        size: Size = "ship"
        voyage = p.arriving(p.over_water(p.offing(rng), place), speed, start, rng)
    else:
        what, size, ais_or = p.small(rng, 0.4)
        speed = between(rng, [6.0, 9.0])
        voyage = p.arriving(p.from_port(rng, place), speed, start, rng)
    made_ais = ais if ship else ais_or
    while voyage.now < start + lasts:
        voyage.drift(min(start + lasts - voyage.now, between(rng, [0.8, 2.5]) * HOUR), windage=0.8)
        if (
            rng.random() < 0.6 and voyage.now < start + lasts - 900.0
        ):  # back to where it wants to be
            lat, lon = voyage.here
            if float(distance_m(lat, lon, *place)) > 1500.0:
                voyage.go(near(rng, place, 0.4), between(rng, [1.2, 1.9]))
    end = voyage.now
    if ship:
        voyage.sail(p.offing(rng), speed)
    else:
        p.home(voyage, speed, rng)
    craft = p.craft(what, size, voyage, rng, ais=made_ais)
    event = Event(
        "picture.loitering",
        (craft.serial,),
        start,
        end,
        note="It lay in open water for hours, and no anchorage is near.",
        place=place,
    )

    def told(heard: Heard) -> bool:
        return (
            followed(heard, event, silence_s=35 * MINUTE, share=0.8) and heard.plain(event) >= 0.5
        )

    return Plan([craft], [event], told)


def convoy(p: Planner, rng: Rng) -> Plan | None:
    """Some boats keep company for hours, away from lanes and fleets; where some have no AIS it
    is before a radar, for else nobody could tell them all."""
    count = int(rng.integers(3, 6))
    dark = bool(rng.random() < 0.5)
    speed = between(rng, [6.5, 10.0] if dark else [8.0, 15.0])
    lasts = between(rng, [1.5, 2.1] if dark else [1.8, 3.6]) * HOUR
    start = p.moment(rng, lasts, dark=bool(rng.random() < 0.7))
    off = (4.0, 8.0) if dark else (5.0, 13.0)
    middle = p.open_water(rng, off, clear_nm=0.6, radar_nm=8.5 if dark else 20.0)
    if start is None or middle is None:
        return None
    side = float(rng.choice((80.0, 265.0))) + between(rng, [-12.0, 12.0])
    step = lasts * speed * MS_PER_KNOT / 3
    begin = destination(*middle, side + 180.0, 1.5 * step)
    points = [begin]
    for _ in range(3):
        points.append(destination(*points[-1], side + between(rng, [-8, 8]), step))
    if not all(p.chart.at_sea(q, off_deg=0.03) for q in points):
        return None
    # they come from the open sea one by one, and part again: only the middle is together
    ahead = destination(*begin, side + 180.0, 9000.0)
    last = destination(*points[-1], side, 9000.0)
    route = [ahead, *points, last]
    lead = p.arriving(route[:2], speed, start, rng)
    lead.follow(points[1:], speed, uneven=0.02)
    end = lead.now
    lead.follow([last], speed)
    if not p.chart.clear(np.array([q[0] for q in route]), np.array([q[1] for q in route])):
        return None
    way = lead.way()
    crafts = []
    for i in range(count):
        if i == 0:
            mate = way
        else:
            delay = i * between(rng, [250.0, 700.0]) / (speed * MS_PER_KNOT)
            mate = _aside(way, between(rng, [-400.0, 400.0]), delay, rng)
        what, size, ais = p.small(rng, 0.4 if dark else 1.0)
        voyage = _to_and_from(p, mate, speed, rng, ais is not None)
        crafts.append(p.craft(what, size, voyage, rng, ais=ais))
    event = Event(
        "picture.convoy",
        tuple(c.serial for c in crafts),
        start + 600.0,
        end - 600.0,
        note="Boats kept company at sea for hours.",
        place=begin,
    )

    def told(heard: Heard) -> bool:
        return (
            followed(heard, event, silence_s=20 * MINUTE, share=0.7)
            and heard.plain(event) >= _ONE_EACH
        )

    return Plan(crafts, [event], told)


def _to_and_from(p: Planner, way: Way, speed: float, rng: Rng, ais: bool) -> Voyage | Way:
    """A boat with AIS comes from a port of its own and goes to one; the others from anywhere."""
    if not ais:
        return way
    first = (float(way.lat[0]), float(way.lon[0]))
    points = p.from_port(rng, first)
    voyage = p.arriving(points, speed * between(rng, [0.6, 0.9]), float(way.t[0]), rng)
    for t, lat, lon in zip(way.t[1:].tolist(), way.lat[1:], way.lon[1:], strict=True):
        voyage.put(t - voyage.now, float(lat), float(lon))
    p.home(voyage, speed, rng)
    return voyage


def _aside(way: Way, metres: float, delay: float, rng: Rng) -> Way:
    """A way beside another and behind it, never quite the same."""
    t = np.arange(way.t[0], way.t[-1], 300.0)
    lat, lon = way.at(t)
    ahead = way.at(np.minimum(t + 60.0, way.t[-1]))
    behind = way.at(np.maximum(t - 60.0, way.t[0]))
    course = np.radians(bearing_deg(*behind, *ahead))
    off = metres + 60.0 * np.sin(t / 1700.0 + rng.uniform(0, 6))
    lat = lat - off * np.sin(course) / METRES_PER_DEGREE
    lon = lon + off * np.cos(course) / METRES_PER_DEGREE / np.cos(np.radians(lat))
    return Way(t + delay + 20.0 * np.sin(t / 2100.0), lat, lon)


def transfer(p: Planner, rng: Rng) -> Plan | None:
    """A fast boat from an open beach meets a slow one outside by night, and goes back."""
    lasts = (
        between(rng, [10.0, 18.0]) if rng.random() < 0.5 else between(rng, [32.0, 45.0])
    ) * MINUTE
    beach = p.beach(rng, 9.0)
    if beach is None:
        return None
    place = destination(*beach, between(rng, [150.0, 210.0]), between(rng, [5.0, 9.5]) * 1852.0)
    fast = between(rng, [20.0, 32.0])
    run = p.leg_s([beach, place], fast)
    start = p.moment(rng, 2 * run + lasts + 900.0, dark=True)
    if start is None or not p.chart.at_sea(place, off_deg=0.03) or p.radar_away(place) > 11.0:
        return None
    if p.chart.known(*place, margin_nm=0.8) or not _seaway(p, beach, place):
        return None
    meets = start + run + 300.0
    what, size, ais = p.small(rng, 0.3)
    slow_kn = between(rng, [5.0, 8.0])
    if rng.random() < 0.35:
        what, slow_kn, ais = p.ship(rng)
        size = "ship"
    slow = p.arriving(
        p.over_water(near(rng, p.offing(rng), 3.0), place), slow_kn, meets - 600.0, rng
    )
    slow.drift(lasts + 900.0)
    slow.sail(p.offing(rng), slow_kn)
    way = slow.way()
    quick_ais = p.afloat.register.set("fast", "B", rng) if rng.random() < 0.25 else None
    boat = p.afloat.voyage(meets - run - 3600.0, beach, rng)
    boat.stay(3600.0)
    lat, lon = way.at(np.array([meets]))
    boat.follow([(float(lat[0]), float(lon[0]))], fast, uneven=0.0)
    boat.beside(way, boat.now + lasts, between(rng, [12.0, 35.0]))
    done = boat.now
    back = beach if rng.random() < 0.6 else (p.beach(rng, 9.0) or beach)
    if not _seaway(p, place, back):
        back = beach
    boat.follow([back], fast)
    home = boat.now
    if not any(a <= start and home <= b for a, b in p.scene.dark):
        return None  # the other beach was so far that it would land by day
    boat.stay(3 * HOUR)
    crafts = [
        p.craft("go-fast", "boat", boat, rng, ais=quick_ais, dim=[(meets, done, 0.85)]),
        p.craft(what, size, slow, rng, ais=ais),
    ]
    both = (crafts[0].serial, crafts[1].serial)
    note = "A fast boat from the shore met a slow one outside, and went back."
    events = [Event("picture.shore_transfer", both, meets - run, home, note=note, place=place)]
    if back != beach:
        events.append(
            Event(
                "picture.landing",
                (crafts[0].serial,),
                home - 0.5 * run,
                home + 0.5 * HOUR,
                note=note,
                place=back,
            )
        )
    if done - meets > 31 * MINUTE:
        events.append(Event("picture.encounter", both, meets, done, note=note, place=place))

    def told(heard: Heard) -> bool:
        quick = crafts[0].serial
        out = heard.within(meets - run, meets, quick)
        home_rows = heard.within(done, home, quick)
        return (
            all(heard.silence(meets, done, c) < max(4 * MINUTE, lasts / 3) for c in both)
            and len(out) >= 5
            and len(home_rows) >= 5
            and heard.followed(meets - run * 0.8, home - run * 0.2, quick) >= 0.8
            and all(heard.plain(e) >= _ONE_EACH for e in events)
        )

    return Plan(crafts, events, told)


def landing(p: Planner, rng: Rng) -> Plan | None:
    """A craft comes in from the sea by night, lies at an open beach for a while, and leaves."""
    beach = p.beach(rng, 8.0)
    stays = between(rng, [12.0, 55.0]) * MINUTE
    speed = between(rng, [6.0, 18.0])
    if beach is None:
        return None
    outside = destination(*beach, between(rng, [150.0, 210.0]), between(rng, [8.0, 13.0]) * 1852.0)
    run = p.leg_s([outside, beach], speed)
    start = p.moment(rng, min(run, 1.5 * HOUR) + stays + 0.4 * HOUR, dark=True)
    if start is None or not p.chart.at_sea(outside, off_deg=0.03) or not _seaway(p, outside, beach):
        return None
    arrives = start + min(run, 1.5 * HOUR)
    far = destination(*outside, 180.0, 25_000.0)
    voyage = p.arriving([far, outside, beach], speed, arrives, rng)
    begins = arrives - min(run, 1.0 * HOUR)
    while voyage.now < arrives + stays:
        voyage.go(near(rng, beach, 0.02), 0.6)
        voyage.stay(min(between(rng, [3.0, 9.0]) * MINUTE, max(1.0, arrives + stays - voyage.now)))
    leaves = voyage.now
    voyage.follow([outside, far], speed)
    size: Size = "dhow" if speed < 10 else "boat"
    craft = p.craft("lander", size, voyage, rng)
    event = Event(
        "picture.landing",
        (craft.serial,),
        begins,
        leaves + 0.5 * HOUR,
        note="A craft came in to an open beach by night and left again.",
        place=beach,
    )

    def told(heard: Heard) -> bool:
        serial = craft.serial
        rows = heard.within(arrives - 600.0, leaves + 600.0, serial)
        if not len(rows):
            return False
        away = distance_m(rows.lat, rows.lon, *beach)
        close = rows.t[(away < 500.0)]
        ids = heard.subjects(begins, leaves + 0.4 * HOUR, serial)
        return (
            len(close) >= 3
            and float(close[-1] - close[0]) > 0.6 * stays
            and len(heard.within(begins, arrives, serial)) >= 8
            and len(heard.within(leaves + 120.0, leaves + 0.5 * HOUR, serial)) >= 4
            and len(ids) <= 2
            and heard.followed(begins, leaves + 0.3 * HOUR, serial) >= 0.75
        )

    return Plan([craft], [event], told)


def _seaway(p: Planner, a: tuple[float, float], b: tuple[float, float]) -> bool:
    """Whether the straight way between two places stays on the water and out of closed zones."""
    share = np.linspace(0.03, 0.97, 60)
    lat = a[0] + (b[0] - a[0]) * share
    lon = a[1] + (b[1] - a[1]) * share
    dry = any(not p.chart.at_sea((la, lo)) for la, lo in zip(lat, lon, strict=True))
    return not dry and p.chart.clear(lat, lon)
