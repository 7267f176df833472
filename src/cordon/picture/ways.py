"""Ways between fixes as straight pieces, which zones are held against.

Between two fixes a mover is taken to go the shortest way over the sphere. Zones are drawn in the
plane of longitude and latitude (RFC 7946 §3.1.1: an edge is straight there), so that a long way
is followed in pieces short enough to be straight in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cordon.picture.tracks import Floats, Ints

_PIECE_DEG = 0.45
"""Some 50 km: over so much the two kinds of straight part by some 10 m at 25° and 90 m at 60°,
which is less than a way between two reports is known by."""
SHORT_DEG = 0.3
"""A way of less along both axes is straight enough as it stands: less than a piece across."""


@dataclass(frozen=True, slots=True)
class Ways:
    """Ways as straight pieces in the plane of longitude and latitude.

    Attributes:
        line: rows x0, y0, x1, y1 (degrees). owner: which way a piece belongs to, ascending.
        begin, end: the part of the way (0 to 1) that is gone at the piece's ends.
    """

    line: Floats
    owner: Ints
    begin: Floats
    end: Floats


def is_short(lat: Sequence[float], lon: Sequence[float]) -> bool:
    """Whether the way between two fixes (degrees) is straight in the plane as it stands."""
    return abs(lat[1] - lat[0]) < SHORT_DEG and abs(lon[1] - lon[0]) < SHORT_DEG


def ways_between(lat: Floats, lon: Floats, a: Ints, b: Ints) -> Ways:
    """The ways from fix a[n] to fix b[n]; shapes (n,) each, way n is `owner` n.

    A piece across the antimeridian comes twice, once from each side; what lies beyond ±180 there
    meets no zone, because zones are cut at it.
    """
    line = np.column_stack((lon[a], lat[a], lon[b], lat[b]))
    owner = np.arange(len(line))
    begin, end = np.zeros(len(line)), np.ones(len(line))
    east = np.abs(line[:, 2] - line[:, 0])
    east = np.minimum(east, 360.0 - east) * np.cos(np.radians(line[:, [1, 3]].min(axis=1)))
    long = np.hypot(east, line[:, 3] - line[:, 1]) > _PIECE_DEG
    if long.any():
        pieces, whose, first, last = _great_circles(line[long])
        line = np.concatenate((line[~long], pieces))
        owner = np.concatenate((owner[~long], np.flatnonzero(long)[whose]))
        begin = np.concatenate((begin[~long], first))
        end = np.concatenate((end[~long], last))
    wraps = np.abs(line[:, 2] - line[:, 0]) > 180.0
    if wraps.any():
        turn = -360.0 * np.sign(line[wraps, 2] - line[wraps, 0])
        again = line[wraps].copy()
        line[wraps, 2] += turn
        again[:, 0] -= turn
        line = np.concatenate((line, again))
        owner = np.concatenate((owner, owner[wraps]))
        begin, end = (np.concatenate((v, v[wraps])) for v in (begin, end))
    if long.any() or wraps.any():
        order = np.lexsort((begin, owner))
        line, owner, begin, end = line[order], owner[order], begin[order], end[order]
    return Ways(np.ascontiguousarray(line), owner, begin, end)


def _great_circles(line: Floats) -> tuple[Floats, Ints, Floats, Floats]:
    """Pieces of great circles: lines, which row each is of, and the parts of it at its ends."""
    x0, y0, x1, y1 = np.radians(line).T
    p = np.stack((np.cos(y0) * np.cos(x0), np.cos(y0) * np.sin(x0), np.sin(y0)))
    q = np.stack((np.cos(y1) * np.cos(x1), np.cos(y1) * np.sin(x1), np.sin(y1)))
    angle = np.arctan2(np.linalg.norm(np.cross(p, q, axis=0), axis=0), (p * q).sum(axis=0))
    count = np.maximum(1, np.ceil(np.degrees(angle) / _PIECE_DEG)).astype(np.int64)
    whose = np.repeat(np.arange(len(line)), count)
    n = np.arange(len(whose)) - np.repeat(np.cumsum(count) - count, count)
    first, last = n / count[whose], (n + 1) / count[whose]

    def at(share: Floats) -> tuple[Floats, Floats]:
        own = angle[whose]
        scale = np.maximum(np.sin(own), 1e-12)  # nothing leads one way between antipodes
        v = p[:, whose] * (np.sin((1 - share) * own) / scale) + q[:, whose] * (
            np.sin(share * own) / scale
        )
        return np.degrees(np.arctan2(v[1], v[0])), np.degrees(
            np.arctan2(v[2], np.hypot(v[0], v[1]))
        )

    xa, ya = at(first)
    xb, yb = at(last)
    # the ends are the fixes themselves, to the last bit
    xa, ya = np.where(n == 0, line[whose, 0], xa), np.where(n == 0, line[whose, 1], ya)
    ends = n == count[whose] - 1
    xb, yb = np.where(ends, line[whose, 2], xb), np.where(ends, line[whose, 3], yb)
    return np.column_stack((xa, ya, xb, yb)), whose, first, last
