"""States in which a craft at sea is expected to lie about: in port, at anchor, fishing, moored.

Zones name most of them. Where no zone is drawn, a mooring is known by those who lie there: after
Global Fishing Watch's anchorages (pipe-anchorages: places where many vessels have stayed), with
numbers for a day instead of years.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cordon.kernel.geo import distance_m
from cordon.picture import zones as geometry
from cordon.picture.model import Zone
from cordon.picture.shared.crafts import crafts_of
from cordon.picture.shared.doubles import same_hull_of
from cordon.picture.shared.nearness import near_between
from cordon.picture.shared.numbering import different_pairs
from cordon.picture.shared.samples import samples_of
from cordon.picture.tracks import Bools, Floats, Ints, Tracks

HAVENS = ("port", "anchorage")
GROUNDS = ("fishing_ground",)
PILOTAGE = ("pilotage",)

STILL_M = 370.0
"""Who has moved less in an hour lies still: 0.2 nm, what a ship at anchor swings."""
_HOUR = 6  # slots
MOORED_LEAST = 5
"""So many who lie still for an hour within a kilometre or so make a mooring."""
_CELL_DEG = 0.009  # 1 km of latitude


@dataclass(frozen=True, slots=True)
class States:
    """States of samples (`samples_of`), arrays over them.

    Attributes:
        haven: in or within the margin of a zone of kind port or anchorage. pilotage, ground:
            in a zone of kind pilotage or fishing_ground. still: moved no further than STILL_M
            in the hour around it. moored: lies still where many do.
        zones: those that this was made of.
    """

    haven: Bools
    pilotage: Bools
    ground: Bools
    still: Bools
    moored: Bools
    moorings: Floats
    zones: tuple[Zone, ...]

    def near_mooring(self, lat: Floats, lon: Floats, reach_m: float) -> Bools:
        """Whether places lie within reach (m) of where many lie."""
        found = np.zeros(len(lat), dtype=np.bool_)
        if len(lat) and len(self.moorings):
            one, two = np.zeros(len(lat), np.int64), np.zeros(len(self.moorings), np.int64)
            y, x = self.moorings.T
            a, _, _ = near_between(one, lat, lon, two, y, x, reach_m)
            found[a] = True
        return found


def states_of(tracks: Tracks, zones: Sequence[Zone], margin_m: float) -> States:
    """The states of these tracks' samples among these zones.

    Args:
        margin_m: how near a port or anchorage still counts as in it.
    """
    some = tuple(z for z in zones if z.kind in (*HAVENS, *GROUNDS, *PILOTAGE))
    # the value holds the zones, so that their ids stay theirs
    key = ("states", margin_m, *map(id, some))
    return tracks.once(key, lambda: _states(tracks, some, margin_m))


def _states(tracks: Tracks, zones: tuple[Zone, ...], margin_m: float) -> States:
    samples = samples_of(tracks)
    lat, lon = samples.lat, samples.lon
    still, moored, moorings = tracks.once(("states", "resting"), lambda: _resting(tracks))
    return States(
        within([z for z in zones if z.kind in HAVENS], lat, lon, margin_m),
        within([z for z in zones if z.kind in PILOTAGE], lat, lon, 0.0),
        within([z for z in zones if z.kind in GROUNDS], lat, lon, 0.0),
        still,
        moored,
        moorings,
        zones,
    )


def _resting(tracks: Tracks) -> tuple[Bools, Bools, Floats]:
    """Which samples lie still, which of them where many do, and where that is."""
    samples, crafts = samples_of(tracks), crafts_of(tracks)
    still = _still(samples.subject, samples.slot, samples.lat, samples.lon)
    hull = same_hull_of(tracks)
    others = (crafts.sea & ~crafts.own[hull])[samples.subject]
    moored, moorings = _moored(hull[samples.subject], samples.lat, samples.lon, still & others)
    return still, moored, moorings


def in_havens(zones: Sequence[Zone], lat: Floats, lon: Floats, margin_m: float) -> Bools:
    """Whether places lie in a port or anchorage or within a margin (m) of one."""
    return within([z for z in zones if z.kind in HAVENS], lat, lon, margin_m)


def within(zones: Sequence[Zone], lat: Floats, lon: Floats, margin_m: float) -> Bools:
    """Whether points lie in any of the zones, or within a margin (m) of it."""
    from cordon.picture.shared import pathkernel as kernel

    found = np.zeros(len(lat), dtype=np.bool_)
    for zone in zones:
        west, south, east, north = zone.geometry.bounds
        high = margin_m / geometry.METRES_PER_DEGREE
        wide = high / max(0.01, float(np.cos(np.radians(max(abs(south), abs(north))))))
        some = kernel.boxed(lat, lon, found, west - wide, south - high, east + wide, north + high)
        if not len(some):
            continue
        within = geometry.inside(zone, lat[some], lon[some])
        if margin_m > 0 and not within.all():
            out = np.flatnonzero(~within)
            within[out] = geometry.distance_to(zone, lat[some[out]], lon[some[out]]) <= margin_m
        found[some] = within
    return found


def _still(subject: Ints, slot: Ints, lat: Floats, lon: Floats) -> Bools:
    """Whether each sample lies in an hour of its mover's in which it did not move.

    The hour around it where there is one, else the hour after or before.
    """
    still = np.zeros(len(slot), dtype=np.bool_)
    if len(slot) <= _HOUR:
        return still
    n = np.arange(len(slot) - _HOUR)
    whole = (subject[n + _HOUR] == subject[n]) & (slot[n + _HOUR] - slot[n] == _HOUR)
    n = n[whole]
    stays = distance_m(lat[n], lon[n], lat[n + _HOUR], lon[n + _HOUR]) <= STILL_M
    # and at its middle too, so that nobody who went and came back counts
    half = n + _HOUR // 2
    stays &= distance_m(lat[n], lon[n], lat[half], lon[half]) <= STILL_M
    count = np.zeros(len(slot) + 1, dtype=np.int64)
    np.add.at(count, n[stays], 1)
    np.add.at(count, n[stays] + _HOUR + 1, -1)
    return np.cumsum(count)[:-1] > 0


def _moored(subject: Ints, lat: Floats, lon: Floats, still: Bools) -> tuple[Bools, Floats]:
    """Which samples lie still where at least MOORED_LEAST movers do, this one among them.

    And rows of latitude and longitude: a place in each such cell.
    """
    moored = np.zeros(len(lat), dtype=np.bool_)
    k = np.flatnonzero(still)
    if not len(k):
        return moored, np.empty((0, 2))
    # in rows of one width each, so that a cell is as wide as it is high
    y = np.floor((lat[k] + 90.0) / _CELL_DEG).astype(np.int64)
    shrink = np.cos(np.radians(np.round(lat[k])))
    x = np.floor((lon[k] + 180.0) * shrink / _CELL_DEG).astype(np.int64)
    wide = 1 << 20
    cell = y * wide + x
    pairs = different_pairs(cell, subject[k])
    # each counts in its own cell and the eight around it
    steps = [dy * wide + dx for dy in (-1, 0, 1) for dx in (-1, 0, 1)]
    around = np.concatenate([pairs[:, 0] + s for s in steps])
    spread = different_pairs(around, np.tile(pairs[:, 1], len(steps)))
    cells, many = np.unique(spread[:, 0], return_counts=True)
    crowded = cells[many >= MOORED_LEAST]
    moored[k] = np.isin(cell, crowded)
    held = np.intersect1d(np.unique(cell), crowded)
    first = np.searchsorted(np.sort(cell), held)
    middle = np.argsort(cell, kind="stable")[first]
    return moored, np.column_stack((lat[k[middle]], lon[k[middle]]))
