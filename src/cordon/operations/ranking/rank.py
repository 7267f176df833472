"""Units in the order in which they can be at a place, with the numbers that say why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cordon.kernel import geo
from cordon.kernel.findings import Reason
from cordon.kernel.units import MS_PER_KNOT
from cordon.operations.model import Choice, Position, Statement, Unit, UnitKind, Way
from cordon.operations.ranking.factors import Factors, factors
from cordon.operations.ranking.land import land
from cordon.operations.ranking.means import weighed
from cordon.operations.ranking.roads import Roads
from cordon.operations.ranking.sea import Sea, Seas

Floats = NDArray[np.float64]
_ON_LAND = (UnitKind.VEHICLE, UnitKind.FOOT)


@cache
def seas() -> Seas | None:
    """Seas of the node's map; None where it has no map."""
    known = land()
    return None if known is None else Seas(known)


@dataclass(frozen=True, slots=True)
class _Route:
    """A unit's way (m): infinite where there is none, and then why (`why`, metres `off_m`).

    `seconds` is how long it takes where that does not hang on the unit's speed alone.
    """

    metres: float
    by: Way
    why: str = ""
    off_m: float = 0.0
    seconds: float | None = None


def ranked(
    units: Sequence[Unit],
    place: Position | None,
    declined: set[str] | frozenset[str] = frozenset(),
    *,
    now: datetime | None = None,
    radius_m: float = 0.0,
    said: Mapping[str, Statement] | None = None,
    asks: Sequence[str] = (),
    roads: Roads | None = None,
) -> list[Choice]:
    """Units for a place, the soonest there first.

    In this order: by time to reach plus what marks a unit down; then those whose position is
    not known; then those that cannot reach it; those that declined last. It ranks, it
    promises no time.

    Args:
        declined: ids of units that declined. now: for the age of positions; None asks no age.
        radius_m: uncertainty of the place. said: what units said of themselves, by id; None asks
            nothing of it. asks: acts that the alert asks for. roads: those that the node knows.
    """
    told = [u for u in units if u.position is not None]
    routes = {} if place is None else _routes(told, place, radius_m)
    if place is not None and roads is not None:
        routes |= _by_road([u for u in told if np.isfinite(routes[u.id].metres)], place, roads)
    covers = _covers(told)
    choices = [
        _choice(u, place, u.id in declined, routes.get(u.id), covers.get(u.id), now) for u in units
    ]
    if said is not None and now is not None:
        choices = [_with_means(c, said.get(c.unit.id), asks, now) for c in choices]
    last = timedelta.max
    return sorted(
        choices,
        key=lambda c: (
            c.declined, c.cannot, last if c.takes is None else c.takes + c.added, c.unit.code
        ),
    )  # fmt: skip


def _routes(units: Sequence[Unit], place: Position, radius_m: float) -> dict[str, _Route]:
    """Way of each unit with a position, by its id."""
    if not units:
        return {}
    use, at = factors(), _places(units)
    straight = geo.distance_m(at[:, 0], at[:, 1], place.lat, place.lon)
    known = seas()
    if known is None:  # no map: the straight line for all, and `_way` says so
        return {
            u.id: _Route(float(straight[i]) * use.way[u.kind], _by(u.kind))
            for i, u in enumerate(units)
        }
    sea = known.about(place.lat, place.lon)
    off = sea.off_m(place.lat, place.lon)  # below zero: on land
    reach = use.near_land_m + radius_m
    boats = [i for i, u in enumerate(units) if u.kind is UnitKind.BOAT]
    routes = sea.distances(place.lat, place.lon, at[boats]) if boats else np.empty(0)
    by_sea = dict(zip(boats, routes.tolist(), strict=True))
    found = {}
    for i, unit in enumerate(units):
        if unit.kind in _ON_LAND and off > reach:
            found[unit.id] = _Route(np.inf, Way.LINE, "off_land", off)
        elif unit.kind is UnitKind.BOAT and off < -reach:
            found[unit.id] = _Route(np.inf, Way.SEA, "inland", -off)
        elif i in by_sea:
            found[unit.id] = _by_sea(sea, unit, float(straight[i]), by_sea[i])
        else:
            way = float(straight[i]) * use.way[unit.kind]
            found[unit.id] = _Route(way, _by(unit.kind))
    return found


def _by_road(units: Sequence[Unit], place: Position, roads: Roads) -> dict[str, _Route]:
    """Ways of those on land that a road leads to the place; the others keep the straight line."""
    told = [u for u in units if u.kind in _ON_LAND]
    speeds = np.array([u.speed_kn * MS_PER_KNOT for u in told])
    foot = np.array([u.kind is UnitKind.FOOT for u in told], bool)
    seconds, metres = roads.ways(place.lat, place.lon, _places(told).reshape(-1, 2), speeds, foot)
    return {
        u.id: _Route(float(metres[i]), Way.ROAD, seconds=float(seconds[i]))
        for i, u in enumerate(told)
        if np.isfinite(seconds[i])
    }


def _by_sea(sea: Sea, unit: Unit, straight: float, route: float) -> _Route:
    assert unit.position is not None
    if np.isfinite(route):
        return _Route(route, Way.SEA)
    if sea.covers(unit.position.lat, unit.position.lon):
        return _Route(np.inf, Way.SEA, "no_sea_route", straight)
    return _Route(straight, Way.LINE)  # past the grid: hundreds of miles away


def _by(kind: UnitKind) -> Way:
    return Way.CIRCLE if kind is UnitKind.AIRCRAFT else Way.LINE


def _places(units: Sequence[Unit]) -> Floats:
    return np.array([(u.position.lat, u.position.lon) for u in units if u.position])


def _covers(units: Sequence[Unit]) -> dict[str, tuple[Unit, float] | None]:
    """For each unit: the other that would be soonest where it stands now, and its minutes.

    By the straight line and the factors. Only those count that can serve there: the same
    element (boats at sea; vehicles and foot on land), and aircraft everywhere.
    """
    if not units:
        return {}
    use, at = factors(), _places(units)
    factor = np.array([use.way[u.kind] / (u.speed_kn * MS_PER_KNOT * 60) for u in units])
    metres = geo.distance_m(at[:, None, 0], at[:, None, 1], at[None, :, 0], at[None, :, 1])
    minutes = metres * factor[None, :]  # of the column's unit to the row's place
    element = np.array([_element(u.kind) for u in units])
    serves = (element[:, None] == element[None, :]) | (element == "air")[None, :]
    np.fill_diagonal(serves, False)
    minutes = np.where(serves, minutes, np.inf)
    soonest = minutes.argmin(axis=1)
    return {
        u.id: (units[j], float(minutes[i, j])) if np.isfinite(minutes[i, j]) else None
        for i, (u, j) in enumerate(zip(units, soonest.tolist(), strict=True))
    }


def _element(kind: UnitKind) -> str:
    return {UnitKind.BOAT: "sea", UnitKind.AIRCRAFT: "air"}.get(kind, "land")


def _choice(
    unit: Unit,
    place: Position | None,
    declined: bool,
    route: _Route | None,
    cover: tuple[Unit, float] | None,
    now: datetime | None,
) -> Choice:
    if place is None or unit.position is None or route is None:
        return Choice(unit, None, None, None, declined)
    here = (unit.position.lat, unit.position.lon)
    bearing = float(geo.bearing_deg(*here, place.lat, place.lon))
    if not np.isfinite(route.metres):
        why = Reason(route.why, round(route.off_m / 1000, 1), "km", None, _WHY[route.why])
        return Choice(unit, None, bearing, None, declined, route.by, (why,), cannot=True)
    seconds = route.seconds
    if seconds is None:
        seconds = route.metres / (unit.speed_kn * MS_PER_KNOT)
    reasons = [
        Reason("way", round(route.metres / 1000, 1), "km", None, _way(unit, route.by)),
        Reason("speed", unit.speed_kn, "kn", None, "Its usual speed."),
    ]
    use, added = factors(), 0.0
    if now is not None and unit.position_at is not None:
        age = (now - unit.position_at).total_seconds() / 60
        if age > use.old_after_min:
            more = _more(age - use.old_after_min, use.old_share, use)
            added += more
            says = f"Its position is old: {more:.0f} min are added."
            reasons.append(Reason("position_age", round(age), "min", use.old_after_min, says))
    added += _uncovered(unit, cover, use, reasons)
    return Choice(
        unit, route.metres, bearing, timedelta(seconds=seconds), declined, route.by,
        tuple(reasons), timedelta(minutes=added),
    )  # fmt: skip


def _with_means(
    choice: Choice, said: Statement | None, asks: Sequence[str], now: datetime
) -> Choice:
    """The choice with what the unit says it can do; barred, or marked down, by it."""
    found = weighed(said, asks, choice.distance_m, now)
    return replace(
        choice,
        said=said,
        reasons=(*choice.reasons, *found.reasons),
        added=choice.added + timedelta(minutes=found.added_min),
        cannot=choice.cannot or found.out,
    )


def covers(units: Sequence[Unit]) -> dict[str, tuple[Unit, float] | None]:
    """What each unit would leave behind: the other that is soonest where it stands, and its
    minutes; None where no other could serve there. Units without a position are left out."""
    return _covers([u for u in units if u.position is not None])


def _way(unit: Unit, by: Way) -> str:
    if unit.kind is UnitKind.BOAT and by is Way.LINE:  # no map here, or past its grid
        return "Way by the straight line: the sea between is not looked at, land may lie in it."
    return _WAYS[by]


def _uncovered(
    unit: Unit, cover: tuple[Unit, float] | None, use: Factors, reasons: list[Reason]
) -> float:
    """Say what the unit leaves behind; give the minutes that this adds."""
    if cover is None:
        says = f"No other ready unit could serve in {unit.sector}."
        says += f" {use.most_added_min:.0f} min are added."
        reasons.append(Reason("cover_left", 0, "1", None, says))
        return use.most_added_min
    other, minutes = cover
    says = f"The next nearest to {unit.sector}, which it leaves, is {other.code}."
    more = 0.0
    if minutes > use.cover_after_min:
        more = _more(minutes - use.cover_after_min, use.cover_share, use)
        says += f" {more:.0f} min are added."
    reasons.append(Reason("cover_left", round(minutes), "min", None, says))
    return more


def _more(beyond: float, share: float, use: Factors) -> float:
    return min(beyond * share, use.most_added_min)


_WHY = {
    "off_land": "The place lies at sea, this far from land: it cannot be reached on land.",
    "inland": "The place lies inland, this far from the sea: no boat can reach it.",
    "no_sea_route": "No sea route to the place is known; the straight line has this length.",
}
_WAYS = {
    Way.SEA: "Way by sea, around land.",
    Way.ROAD: "Way by road, at the speed of the road or its own, whichever is less "
    "(© OpenStreetMap contributors).",
    Way.LINE: "Way by the straight line, with the factor for its kind.",
    Way.CIRCLE: "Way by the great circle.",
}
