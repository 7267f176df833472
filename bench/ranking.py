"""Ranking 300 units for an alert by sea routes, beside the same by plain great circles.

How good the first choice is: against routes over a grid of half the step, over places and boats
drawn at random within a degree of a cape. That truth is by the same method, only finer.
"""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from bench.measuring import Taken, by_turns, row
from cordon.kernel import geo
from cordon.kernel.access.model import Mark
from cordon.kernel.units import MS_PER_KNOT
from cordon.operations.model import Position, Unit, UnitKind, UnitState
from cordon.operations.ranking import ranked
from cordon.operations.ranking.land import land
from cordon.operations.ranking.rank import seas
from cordon.operations.ranking.roads import RoadNet, Roads
from cordon.operations.ranking.sea import STEP, Sea

SEED, UNITS, BOATS = 20261129, 300, 8
CAPE = (26, 56)  # Musandam: sea on both sides of mountains
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def run(quick: bool) -> list[dict[str, Any]]:
    """The rows of this part."""
    began, cpu = time.perf_counter(), time.process_time()
    known, all_seas = land(), seas()
    if known is None or all_seas is None:
        return []
    sea = all_seas.about(*CAPE)
    first = Taken()
    first.add(time.perf_counter() - began, time.process_time() - cpu)
    rng = np.random.default_rng(SEED)
    at, speeds = sea.sample(rng, UNITS), rng.uniform(12, 40, UNITS)
    place = sea.sample(rng, 1)[0]
    units = [_unit(i, at[i, 0], at[i, 1], float(speeds[i])) for i in range(UNITS)]

    def ours() -> None:
        ranked(units, Position(*place), now=NOW)

    def plain() -> None:
        np.argsort(geo.distance_m(at[:, 0], at[:, 1], *place) / speeds)

    taken = by_turns(5 if quick else 40, ours=ours, plain=plain)
    roads, drivers, end = _roads(rng, 60 if quick else 300)

    def by_road() -> None:
        ranked(drivers, end, now=NOW, roads=roads)

    began, cpu = time.perf_counter(), time.process_time()
    by_road()
    begun = Taken()
    begun.add(time.perf_counter() - began, time.process_time() - cpu)
    driven = by_turns(5 if quick else 20, ours=by_road)["ours"]
    good, good_plain, cases, spent = _choices(sea, Sea(known, *CAPE, step=STEP / 2), rng, quick)
    return [
        row(
            f"ranking: {UNITS} units for an alert, sea routes",
            round(taken["ours"].wall * 1000, 1), round(taken["plain"].wall * 1000, 2), "ms",
            taken["ours"], goal="≤ 150",
        ),
        row(
            f"ranking: {UNITS} vehicles for an alert, by {len(roads.net.begin):,} ways of a "
            "made-up net of roads",
            round(driven.wall * 1000, 1), None, "ms", driven, goal="≤ 150",
        ),
        row(
            "ranking: the first of these in a square degree",
            round(begun.wall * 1000), None, "ms", begun,
        ),
        row(
            "ranking: the first of a process, which reads the map",
            round(first.wall * 1000), None, "ms", first,
        ),
        row(
            f"ranking: first of {BOATS} boats within 5 % of the best on a finer grid, "
            f"{cases} cases",
            round(good, 3), round(good_plain, 3), "share", spent, goal="≥ 0.9",
        ),
    ]  # fmt: skip


def _choices(
    sea: Sea, finer: Sea, rng: np.random.Generator, quick: bool
) -> tuple[float, float, int, Taken]:
    """Share of good first choices by sea routes, by great circles; cases; time of ours."""
    hits, plain, spent = [], [], Taken()
    for _ in range(25 if quick else 400):
        boats, place = sea.sample(rng, BOATS, 1.0), sea.sample(rng, 1, 1.0)[0]
        speeds = rng.uniform(12, 40, BOATS) * MS_PER_KNOT
        best = finer.distances(place[0], place[1], boats) / speeds
        straight = geo.distance_m(boats[:, 0], boats[:, 1], *place)
        if not np.isfinite(best).any() or np.allclose(best * speeds, straight):
            continue  # no land in the way of any
        began, cpu = time.perf_counter(), time.process_time()
        first = int((sea.distances(place[0], place[1], boats) / speeds).argmin())
        spent.add(time.perf_counter() - began, time.process_time() - cpu)
        hits.append(best[first] <= best.min() * 1.05)
        plain.append(best[int((straight / speeds).argmin())] <= best.min() * 1.05)
    return float(np.mean(hits)), float(np.mean(plain)), len(hits), spent


def _roads(rng: np.random.Generator, side: int) -> tuple[Roads, list[Unit], Position]:
    """Roads of five degrees, crossing all over the land about Kalat, and vehicles beside them."""
    lat, lon = np.meshgrid(np.linspace(26.5, 31.5, side), np.linspace(64.0, 69.0, side))
    lat = lat.ravel() + rng.normal(0, 0.002, side * side)
    lon = lon.ravel() + rng.normal(0, 0.002, side * side)
    here = np.arange(side * side).reshape(side, side)
    begin = np.concatenate([here[:-1].ravel(), here[:, :-1].ravel()])
    end = np.concatenate([here[1:].ravel(), here[:, 1:].ravel()])
    metres = geo.distance_m(lat[begin], lon[begin], lat[end], lon[end]) * 1.1
    seconds = metres / rng.choice([4.0, 7.0, 15.0, 24.0], len(begin))
    both = np.concatenate([begin, end]), np.concatenate([end, begin])
    net = RoadNet(lat, lon, both[0].astype(np.int32), both[1].astype(np.int32),
                  np.tile(metres, 2).astype(np.float32),
                  np.tile(seconds, 2).astype(np.float32))  # fmt: skip
    at = rng.uniform([27.5, 65.0], [30.5, 68.0], (UNITS, 2))
    speeds = rng.choice([30.0, 40.0, 50.0, 60.0], UNITS)
    units = [
        replace(_unit(i, at[i, 0], at[i, 1], float(speeds[i])), kind=UnitKind.VEHICLE)
        for i in range(UNITS)
    ]
    return Roads(net), units, Position(29.0, 66.6)


def _unit(number: int, lat: float, lon: float, speed: float) -> Unit:
    code = f"PB-{number:03}"
    return Unit(code, "bench", Mark.GREEN, code, code, UnitKind.BOAT, "Cape", UnitState.READY,
                speed, "VHF 16", Position(float(lat), float(lon)), NOW)  # fmt: skip
