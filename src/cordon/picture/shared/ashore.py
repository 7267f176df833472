"""Spells of craft of the sea on land, where no water is that a map may lack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cordon.kernel.geo import distance_m
from cordon.picture.model import Zone
from cordon.picture.shared.crafts import crafts_of
from cordon.picture.shared.hulls import Hulls, hulls_of
from cordon.picture.shared.numbering import different_pairs
from cordon.picture.shared.parted import parted_of
from cordon.picture.tracks import Floats, Ints, Tracks
from cordon.picture.zonegrid import grid_of

_WATER = ("port", "anchorage", "pilotage", "lane")
_CELL_DEG = 0.02  # some 2 km: a river's bends
_STILL_M = 300.0


@dataclass(frozen=True, slots=True)
class Ashore:
    """A spell of one hull on land.

    Attributes:
        subject: index into the tracks' subjects. fixes: on land, in order of time; inland_m:
            how far from the outline each lies.
        others: how many other craft came there by water.
        jumped: the hull's other parts lie where no craft could have come from in time.
    """

    subject: int
    fixes: Ints
    inland_m: Floats
    others: int
    jumped: bool


def ashore_of(
    tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]
) -> Iterator[Ashore]:
    """Spells on land; none where no land is drawn.

    Args:
        values: `inland_m` (so far inside the outline is on land for certain), `inland_fixes`
            and `inland_min` (a spell has so many and lasts so long), `inland_others` (where so
            many other craft come by water, there is water).
    """
    land = [z for z in zones if z.kind == "land"]
    h = hulls_of(tracks)
    if not land or not len(h):
        return
    crafts = crafts_of(tracks)
    sea = np.flatnonzero((crafts.sea & ~crafts.own)[h.subject])
    _, at = grid_of(land).points(h.lat[sea], h.lon[sea])
    ashore = np.zeros(len(h), dtype=np.bool_)
    ashore[sea[at]] = True
    on = np.flatnonzero(ashore)
    water = [z for z in zones if z.kind in _WATER]
    if water and len(on):
        wet = np.zeros(len(on), dtype=np.bool_)
        wet[grid_of(water).points(h.lat[on], h.lon[on])[1]] = True
        on = on[~wet]
    # most lie at a quay: how near exactly matters of those alone that are far from it
    on = on[_depths(land, h, on, values["inland_m"]) > values["inland_m"]]
    if not len(on):
        return
    others = _came_by_water(h, on, ashore)
    new = (np.diff(on) > 1) | (np.diff(h.hull[on]) != 0)
    for some in np.split(on, np.flatnonzero(new) + 1) if len(on) else ():
        spell = _spell(tracks, h, some, land, others, values)
        if spell is not None:
            yield spell


def _depths(land: Sequence[Zone], h: Hulls, some: Ints, enough: float = 0.0) -> Floats:
    """How far (m) inside the outline of the land each of some entries lies.

    Args:
        enough: what lies farther is infinitely far; 0 for the true distance.
    """
    grid = grid_of(land)
    inland = np.zeros(len(some))
    zone, at = grid.points(h.lat[some], h.lon[some])
    for z in np.unique(zone):
        k = at[zone == z]
        far = grid.distance(int(z), h.lat[some[k]], h.lon[some[k]], enough)
        inland[k] = np.maximum(inland[k], far)
    return inland


def _came_by_water(h: Hulls, on: Ints, ashore: np.ndarray) -> dict[int, set[int]]:
    """For each cell, the subjects that came into it from the water without a jump."""
    floats = np.zeros(len(h.starts) - 1, dtype=np.bool_)
    floats[h.hull[np.flatnonzero(~ashore)]] = True
    some = on[floats[h.hull[on]]]
    found: dict[int, set[int]] = {}
    cells = _cells(h, some)
    pairs = different_pairs(cells, h.subject[some])
    for cell, subject in pairs.tolist():
        found.setdefault(cell, set()).add(subject)
    return found


def _cells(h: Hulls, some: Ints) -> Ints:
    y = np.floor((h.lat[some] + 90.0) / _CELL_DEG).astype(np.int64)
    x = np.floor((h.lon[some] + 180.0) / _CELL_DEG).astype(np.int64)
    return np.asarray(y * 100_000 + x)


def _spell(
    tracks: Tracks,
    h: Hulls,
    some: Ints,
    land: Sequence[Zone],
    water: Mapping[int, set[int]],
    values: Mapping[str, float],
) -> Ashore | None:
    if len(some) < values["inland_fixes"]:
        return None
    if h.t[some[-1]] - h.t[some[0]] < values["inland_min"] * 60:
        return None
    subject = int(h.subject[some[0]])
    seen = [len(water.get(c, set()) - {subject}) for c in _cells(h, some).tolist()]
    others = int(np.median(seen))
    if others >= values["inland_others"]:
        return None
    jumped = subject in parted_of(tracks).broken
    # whoever came by water went up a creek that the outline lacks, or lies drawn up ashore, unless
    # it is far from any
    inland = _depths(land, h, some)
    if not jumped and inland.max() < values["inland_alone_m"]:
        return None
    reach = distance_m(h.lat[some[0]], h.lon[some[0]], h.lat[some], h.lon[some]).max()
    if reach < _STILL_M and not jumped:
        return None  # carried there, with its set left on
    return Ashore(subject, h.fix[some], inland, others, jumped)
