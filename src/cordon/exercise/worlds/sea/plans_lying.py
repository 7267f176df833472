"""Plans of vessels that go dark, and that lie about where and who they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from cordon.exercise.worlds.paths import beside
from cordon.exercise.worlds.sea.craft import Craft, Identity, Lie
from cordon.exercise.worlds.sea.planner import Plan, Planner
from cordon.exercise.worlds.sea.voyage import HOUR, Voyage
from cordon.exercise.worlds.seeing.rows import Said
from cordon.exercise.worlds.seeing.streams import Rng, between
from cordon.exercise.worlds.seeing.telling import Event, Heard
from cordon.kernel.geo import destination, distance_m
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE, MS_PER_KNOT

MINUTE = 60.0
NO_HULL_KN = 60.0  # faster than any ship that reports itself at sea
_FAR_NM = 6.0  # a place told so far from the true one cannot be taken for it


def _passage(p: Planner, rng: Rng, middle: float) -> tuple[Voyage, str, float]:
    """A ship on a coastal lane that is well within reach at a time (s)."""
    lane = "L-COAST" if rng.random() < 0.75 else str(rng.choice(["L-SW", "L-S"]))
    line = [(q[0], q[1]) for q in p.chart.lanes[lane]]
    out = bool(rng.random() < 0.5)
    course = beside(line if out else line[::-1], between(rng, [0.2, 1.4]))
    if lane == "L-COAST":
        lon = between(rng, [62.0, 66.6])
    else:
        lon = between(
            rng, [line[0][1] - 0.55, line[0][1]] if line[-1][1] < line[0][1] else [66.4, 66.9]
        )
    what, speed, _ = p.ship(rng)
    voyage = p.afloat.voyage(0.0, course[0], rng)
    voyage.follow(course[1:], speed, uneven=0.03)
    if not out:  # it goes on to a port, and lies there
        p.home(voyage, speed, rng)
    way = voyage.way()
    shift = middle - way.time_at_lon(lon)
    moved = p.afloat.voyage(shift, course[0], rng)
    for t, lat, lon_ in zip(way.t[1:].tolist(), way.lat[1:], way.lon[1:], strict=True):
        moved.put(t + shift - moved.now, float(lat), float(lon_))
    moved.states = [(a + shift, max(b + shift, p.span + HOUR), s) for a, b, s in voyage.states]
    if not out:
        moved.stay(max(0.0, p.span + HOUR - moved.now))
    return moved, what, speed


def _ship(p: Planner, rng: Rng, voyage: Voyage, what: str) -> Craft:
    ais = p.afloat.register.set(what, "A", rng, foreign=0.8)
    return p.craft(what, "ship", voyage, rng, ais=ais)


def gap(p: Planner, rng: Rng) -> Plan | None:
    """A set is switched off under way where it would have been heard all along."""
    lasts = between(rng, [1.6, 8.0]) * HOUR
    open_end = rng.random() < 0.2
    start = p.moment(rng, (0.5 if open_end else 1.0) * lasts + 0.7 * HOUR)
    if start is None:
        return None
    voyage, what, _ = _passage(p, rng, start)
    small = rng.random() < 0.3
    craft = (
        p.craft("fishing", "dhow", voyage, rng, ais=p.afloat.register.set("fishing", "B", rng))
        if small
        else _ship(p, rng, voyage, what)
    )
    assert craft.set is not None
    end = start + lasts
    on = Heard.of(p.scene.seen_alone([craft]))
    until = min(end, p.span)
    bins = np.arange(start, until, 600.0)
    t = on.within(start, until, craft.serial)
    ais = t.take(t.message > 0).t
    told_bins = len(np.unique(np.searchsorted(bins, ais))) / max(1, len(bins))
    quiet = float(np.diff(np.concatenate([[start], np.sort(ais), [until]])).max())
    # it moves while it is dark: who lies still has other reasons
    place = voyage.way().at(np.array([start, until]))
    moves = float(distance_m(place[0][0], place[1][0], place[0][1], place[1][1]))
    fits = told_bins > 0.85 and quiet < 20 * MINUTE and moves > 8 * METRES_PER_NAUTICAL_MILE
    if not fits or until - start < 1.3 * HOUR:
        return None
    craft.set.off.append((start, end))
    event = Event(
        "picture.gap",
        (craft.serial,),
        start,
        until,
        note="Its set was off while it went on.",
        only=("mmsi",),
        until_heard=True,
    )

    def told(heard: Heard) -> bool:
        before = heard.within(start - 2 * HOUR, start, craft.serial)
        return int((before.message > 0).sum()) >= 12

    return Plan([craft], [event], told)


def changed(p: Planner, rng: Rng) -> Plan | None:
    """A vessel at sea becomes another: its set goes on under another identity."""
    dark = between(rng, [1.0, 35.0]) * MINUTE
    at = p.moment(rng, dark + 1.2 * HOUR)
    if at is None:
        return None
    at += 0.5 * HOUR
    voyage, what, _ = _passage(p, rng, at)
    craft = _ship(p, rng, voyage, what)
    assert craft.set is not None
    mmsi, said = p.afloat.register.identity(what, rng, foreign=0.9)
    craft.set.identities.append(Identity(at + dark / 2, mmsi, said))
    craft.set.off.append((at, at + dark))
    event = Event(
        "picture.identity_change",
        (craft.serial,),
        at,
        at + dark,
        note="One vessel went on under another identity.",
        only=("mmsi",),
        margin_s=0.8 * HOUR,
    )
    return Plan([craft], [event], _around(craft, at, at + dark))


def renamed(p: Planner, rng: Rng) -> Plan | None:
    """A vessel at sea takes another name, call sign and IMO number, and keeps its MMSI."""
    at = p.moment(rng, 1.5 * HOUR)
    if at is None:
        return None
    at += 0.6 * HOUR
    voyage, what, _ = _passage(p, rng, at)
    craft = _ship(p, rng, voyage, what)
    assert craft.set is not None
    first = craft.set.identities[0]
    _, other = p.afloat.register.identity(what, rng, foreign=0.9)
    said = Said(other.name, other.imo, other.call_sign, first.said.ship_type, first.said.flag)
    if said.name == first.said.name or not said.imo or said.imo == first.said.imo:
        return None
    craft.set.identities.append(replace(first, since=at, said=said))
    event = Event(
        "picture.identity_change",
        (craft.serial,),
        at - 10 * MINUTE,
        at + 10 * MINUTE,
        note="A vessel took another name and number under way.",
        only=("mmsi",),
    )
    return Plan([craft], [event], _around(craft, at, at))


def _around(craft: Craft, start: float, end: float) -> Callable[[Heard], bool]:
    def told(heard: Heard) -> bool:
        before = heard.within(start - 0.8 * HOUR, start, craft.serial)
        after = heard.within(end, end + 0.8 * HOUR, craft.serial)
        return int((before.message > 0).sum()) >= 8 and int((after.message > 0).sum()) >= 8

    return told


def shared(p: Planner, rng: Rng) -> Plan | None:
    """Two hulls far apart report under one identity at the same time."""
    lasts = between(rng, [2.0, 7.0]) * HOUR
    start = p.moment(rng, lasts)
    if start is None:
        return None
    one, what, _ = _passage(p, rng, start + lasts / 2)
    real = _ship(p, rng, one, what)
    assert real.set is not None
    for _ in range(30):
        other, _, _ = _passage(p, rng, start + lasts / 2)
        a, b = (v.way().at(np.array([start + lasts / 2])) for v in (one, other))
        if float(distance_m(a[0][0], a[1][0], b[0][0], b[1][0])) > 60 * METRES_PER_NAUTICAL_MILE:
            break
    else:
        return None
    # the second is heard while the plan lasts, and silent before and after
    ais = replace(real.set, identities=list(real.set.identities), off=[], lies=[], states=[])
    ais.off += [(-1e12, start), (start + lasts, 1e12)]
    twin = p.craft(what, "ship", other, rng, ais=ais)
    both = (real.serial, twin.serial)
    note = "Two hulls far apart reported under one identity."
    events = [
        Event(kind, both, start, start + lasts, note=note, only=("mmsi",))
        for kind in ("picture.shared_identity", "picture.impossible_move")
    ]

    def told(heard: Heard) -> bool:
        enough = all(len(heard.within(start, start + lasts, c)) >= 20 for c in both)
        return enough and _apart(heard, start, start + lasts)

    return Plan([real, twin], events, told)


def _apart(heard: Heard, start: float, end: float) -> bool:
    """Whether two reports in a row lie too far apart for any hull."""
    rows = heard.within(start, end)
    rows = rows.take(rows.message > 0)
    if len(rows) < 2:
        return False
    seconds = np.maximum(np.diff(rows.t), 1.0)
    way = distance_m(rows.lat[:-1], rows.lon[:-1], rows.lat[1:], rows.lon[1:])
    far = way > _FAR_NM * METRES_PER_NAUTICAL_MILE / 2
    return int(((way / seconds / MS_PER_KNOT > NO_HULL_KN) & far).sum()) >= 1


def jump(p: Planner, rng: Rng) -> Plan | None:
    """A set tells a place dozens of miles away for half an hour and more."""
    lasts = between(rng, [0.4, 1.0]) * HOUR
    away = between(rng, [14.0, 45.0]) * METRES_PER_NAUTICAL_MILE
    course = between(rng, [140.0, 260.0])
    north, east = away * np.cos(np.radians(course)), away * np.sin(np.radians(course))
    return _lying(
        p,
        rng,
        lasts,
        lambda at, voyage: Lie("moved", at, at + lasts, north=float(north), east=float(east)),
        "",
        "Its set told a place that it could not have come to.",
    )


def circle(p: Planner, rng: Rng) -> Plan | None:
    """A set tells that its vessel goes round and round."""
    lasts = between(rng, [0.9, 3.0]) * HOUR
    radius, speed = between(rng, [350.0, 2600.0]), between(rng, [4.0, 20.0])
    away = between(rng, [15.0, 60.0]) * METRES_PER_NAUTICAL_MILE
    course = between(rng, [130.0, 250.0])

    def lie(at: float, voyage: Voyage) -> Lie:
        lat, lon = voyage.way().at(np.array([at]))
        centre = destination(float(lat[0]), float(lon[0]), course, away)
        return Lie(
            "circle",
            at,
            at + lasts,
            lat=centre[0],
            lon=centre[1],
            radius_m=radius,
            speed_kn=speed,
        )

    note = "Its set told that it went round in circles."
    return _lying(p, rng, lasts, lie, "picture.false_position", note)


_INLAND_DEG = 0.02  # some 2 km: an error of the chart or of a set does not reach so far


def on_land(p: Planner, rng: Rng) -> Plan | None:
    """A set tells a place on land."""
    lasts = between(rng, [0.6, 3.0]) * HOUR

    def lie(at: float, voyage: Voyage) -> Lie:
        lat, lon = voyage.way().at(np.array([at]))
        shore = p.chart.shore_near((float(lat[0]), float(lon[0])))
        for _ in range(60):  # beyond a cape lies the next bay
            way = between(rng, [9e3, 45e3])
            inland = destination(*shore, between(rng, [-50.0, 50.0]) % 360, way)
            if p.chart.on_land(inland, deep_deg=_INLAND_DEG):
                break
        return Lie("at", at, at + lasts, lat=inland[0], lon=inland[1])

    note = "Its set told a place on land."
    return _lying(p, rng, lasts, lie, "picture.false_position", note)


def frozen(p: Planner, rng: Rng) -> Plan | None:
    """A set tells the same place again and again while it says that its vessel is under way."""
    lasts = between(rng, [1.2, 4.0]) * HOUR

    def lie(at: float, voyage: Voyage) -> Lie:
        lat, lon = (float(v[0]) for v in voyage.way().at(np.array([at])))
        # the very same digits each time, as the sentence holds them
        lat, lon = round(lat * 600_000) / 600_000, round(lon * 600_000) / 600_000
        return Lie("frozen", at, at + lasts, lat=lat, lon=lon)

    note = "Its set told one place again and again while it was under way."
    return _lying(p, rng, lasts, lie, "picture.false_position", note)


def _lying(
    p: Planner,
    rng: Rng,
    lasts: float,
    lie_of: Callable[[float, Voyage], Lie],
    kind: str,
    note: str,
) -> Plan | None:
    """A ship under way whose set lies for a time: told as a kind, where one is given, and as an
    impossible move, for it begins or ends with a jump."""
    start = p.moment(rng, lasts + 0.8 * HOUR)
    if start is None:
        return None
    start += 0.4 * HOUR
    voyage, what, _ = _passage(p, rng, start + lasts / 2)
    craft = _ship(p, rng, voyage, what)
    assert craft.set is not None
    lie = lie_of(start, voyage)
    craft.set.lies.append(lie)
    end = start + lasts
    way = voyage.way()
    lat, lon = (v[0] for v in way.at(np.array([end])))
    t = np.array([end - 1.0])
    told_at = lie.told(t, np.array([lat]), np.array([lon]), t * 0, t * 0)
    off = float(distance_m(lat, lon, told_at[0][0], told_at[1][0])) / METRES_PER_NAUTICAL_MILE
    if off < _FAR_NM:
        return None
    place = (float(told_at[0][0]), float(told_at[1][0]))
    kinds = [kind] if kind else []
    events = [
        Event(k, (craft.serial,), start, end, note=note, only=("mmsi",), place=place) for k in kinds
    ]
    events.append(
        Event(
            "picture.impossible_move",
            (craft.serial,),
            start,
            end,
            note=note,
            only=("mmsi",),
            until_heard=True,
            place=place,
        )
    )

    def told(heard: Heard) -> bool:
        rows = heard.within(start, end, craft.serial)
        inside = int((rows.message > 0).sum())
        before = heard.within(start - HOUR, start, craft.serial)
        after = heard.within(end, end + HOUR, craft.serial)
        sound = (before.message > 0).sum() >= 5 and (after.message > 0).sum() >= 5
        return inside >= 20 and bool(sound) and _apart(heard, start - 0.3 * HOUR, end + 0.3 * HOUR)

    return Plan([craft], events, told)
