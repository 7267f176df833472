"""Fixes that are believed, one hull after another; who of the subjects moves by itself."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cordon.picture.model import KINDS
from cordon.picture.shared.parted import parted_of
from cordon.picture.tracks import Bools, Floats, Ints, Tracks

_OWN = ("unit:", "sensor:")
_AIRCRAFT = KINDS.index("aircraft")


@dataclass(frozen=True, slots=True)
class Hulls:
    """Fixes without noise, sorted by subject, hull and time; a way joins two of one hull.

    Attributes:
        fix: index into the tracks. hull: number of the hull, from 0. starts: hull i holds the
            entries starts[i] ≤ k < starts[i + 1]. subject, t (s), lat, lon (degrees): of each.
        linked: whether the next entry is of the same hull.
    """

    fix: Ints
    hull: Ints
    starts: Ints
    subject: Ints
    t: Floats
    lat: Floats
    lon: Floats
    linked: Bools

    def __len__(self) -> int:
        return len(self.fix)


def hulls_of(tracks: Tracks) -> Hulls:
    """All hulls of the tracks; the way between two hulls of one identity is nobody's."""
    return tracks.once(("hulls",), lambda: _hulls(tracks))


def _hulls(tracks: Tracks) -> Hulls:
    from cordon.picture.shared import pathkernel as kernel

    label = parted_of(tracks).label
    fix, hull, subject, t, lat, lon, linked, starts = kernel.as_hulls(
        label, tracks.starts, tracks.t, tracks.lat, tracks.lon
    )
    return Hulls(fix, hull, starts, subject, t, lat, lon, linked)


def movers_of(tracks: Tracks) -> Bools:
    """For each subject, whether it is somebody else's that moves: no own unit and no sensor."""
    return tracks.once(
        ("hulls.movers",), lambda: np.array([not s.startswith(_OWN) for s in tracks.subjects], bool)
    )


def fliers_of(tracks: Tracks) -> Bools:
    """For each subject, whether it flies: an aircraft by any of its reports, or a drone."""

    def flies() -> Bools:
        if not len(tracks):
            return np.zeros(0, dtype=np.bool_)
        said = np.maximum.reduceat(tracks.kind == _AIRCRAFT, tracks.starts[:-1])
        return np.array(
            [bool(a) or s.startswith("drone:") for a, s in zip(said, tracks.subjects, strict=True)],
            bool,
        )

    return tracks.once(("hulls.fliers",), flies)
