"""Tracks resampled to a common grid of times, so that movers can be held against one another.

After Global Fishing Watch's pipe-encounters (Resample): every ten minutes, aligned to the hour,
straight between two reports that lie at most an hour apart, and nothing beyond the last report.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cordon.kernel.units import KNOTS_PER_MS
from cordon.picture.shared.chains import chains_of
from cordon.picture.shared.nearness import plane_m
from cordon.picture.shared.parted import parted_of
from cordon.picture.tracks import Bools, Floats, Ints, Tracks

STEP_S = 600.0
LONGEST_S = 3600.0
"""Over a longer silence nobody knows where a mover was (pipe-encounters: max_gap_s)."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Where movers were at times on the grid, by subject, then time; noise is left out.

    Attributes:
        subject: index into the tracks' subjects, as in `followed_of`. slot: the time, in steps
            of STEP_S since the epoch. lat, lon: degrees. way_m: distance to the subject's next
            sample, NaN where the next slot has none. starts: subject i holds
            starts[i] ≤ n < starts[i + 1].
    """

    subject: Ints
    slot: Ints
    lat: Floats
    lon: Floats
    way_m: Floats
    starts: Ints

    def __len__(self) -> int:
        return len(self.slot)

    def t(self, some: Ints | slice) -> Floats:
        """Times of some of them, s since the epoch."""
        return np.asarray(self.slot[some] * STEP_S, dtype=np.float64)

    @property
    def linked(self) -> Bools:
        """Whether the subject's next slot has a sample too."""
        return np.isfinite(self.way_m)

    def speed_kn(self) -> Floats:
        """Speed made good around each sample: the faster of the steps before and after it."""
        step = self.way_m / STEP_S * KNOTS_PER_MS
        before = np.full(len(self), np.nan)
        before[1:] = np.where(self.linked[:-1], step[:-1], np.nan)
        return np.asarray(np.fmax(step, before))

    def spans(self, subject: Ints, begin: Floats, end: Floats) -> tuple[Ints, Ints]:
        """The samples a ≤ n < b of each subject between two times (s)."""
        low = int(self.slot.min()) - 2 if len(self) else 0
        wide = (int(self.slot.max()) - low + 4) if len(self) else 4
        key = self.subject * wide + (self.slot - low)
        first = np.clip(np.ceil(begin / STEP_S).astype(np.int64) - low, 0, wide - 1)
        last = np.clip(np.floor(end / STEP_S).astype(np.int64) - low, 0, wide - 1)
        a = np.searchsorted(key, subject * wide + first)
        return a, np.maximum(np.searchsorted(key, subject * wide + last, side="right"), a)

    def find(self, subject: Ints, slot: Ints) -> Ints:
        """Index of the sample of each (subject, slot), -1 where there is none."""
        if not len(self):
            return np.full(len(subject), -1)
        low = int(min(self.slot.min(), slot.min() if len(slot) else self.slot.min()))
        wide = int(max(self.slot.max(), slot.max() if len(slot) else 0)) - low + 1
        key = self.subject * wide + (self.slot - low)
        sought = subject * wide + (slot - low)
        n = np.minimum(np.searchsorted(key, sought), len(key) - 1)
        return np.where(key[n] == sought, n, -1)


class Paths:
    """Where each mover was at any moment, straight between believed fixes.

    Args:
        chain: for each subject, the one whose path its fixes are of; each its own where absent.

    Attributes:
        fix: indices of the believed fixes in the tracks. subject: whose path each is of. t: s,
            lat, lon: degrees. starts: as in Tracks, of `fix`.
    """

    fix: Ints
    subject: Ints
    t: Floats
    lat: Floats
    lon: Floats
    starts: Ints

    def __init__(self, tracks: Tracks, chain: Ints | None = None) -> None:
        from cordon.picture.shared import pathkernel as kernel

        count = len(tracks.subjects)
        order = np.arange(count)
        if chain is None:
            chain = order
        else:
            # subjects of one path follow one another in time; the rest lie as they lay
            begin = np.append(tracks.t, np.inf)[np.minimum(tracks.starts[:-1], len(tracks))]
            order = np.lexsort((begin, chain))
        label = parted_of(tracks).label
        self.fix, self.subject, self.t, self.lat, self.lon, self.starts = kernel.gathered(
            label, tracks.starts, order, chain.astype(np.int64), tracks.t, tracks.lat, tracks.lon
        )

    def after(self, subject: Ints, t: Floats) -> Ints:
        """Place in `fix` of the first fix of each subject at or after a time; where there is none
        its end, at which the next one's begin."""
        from cordon.picture.shared import pathkernel as kernel

        found: Ints = kernel.after(self.t, self.starts, subject, t)
        return found

    def at(self, subject: Ints, t: Floats) -> tuple[Floats, Floats]:
        """Latitude and longitude at each moment, NaN where it is not known.

        Known is what lies between two fixes at most LONGEST_S apart, and a fix's own moment.
        """
        from cordon.picture.shared import pathkernel as kernel

        lat, lon = kernel.places(self.t, self.lat, self.lon, self.starts, subject, t, LONGEST_S)
        return lat, lon


def paths_of(tracks: Tracks) -> Paths:
    """The paths of these tracks' subjects."""
    return tracks.once(("paths",), lambda: Paths(tracks))


def followed_of(tracks: Tracks) -> Paths:
    """The paths of hulls, a radar's tracks of one hull put together (`chains.py`).

    A subject here is the first of a hull's; the others have no path.
    """

    def make() -> Paths:
        chain = chains_of(tracks)
        alone = bool(np.all(chain == np.arange(len(chain))))
        return paths_of(tracks) if alone else Paths(tracks, chain)

    return tracks.once(("paths", "followed"), make)


def speeds_of(tracks: Tracks) -> Floats:
    """Speed (kn) at each believed fix (place in `followed_of`): as it was told, else by the way
    from the fix before; NaN where neither is known."""
    return tracks.once(("samples", "speeds"), lambda: _speeds(tracks, followed_of(tracks)))


def _speeds(tracks: Tracks, paths: Paths) -> Floats:
    speed = tracks.speed[paths.fix].astype(np.float64)
    n = np.flatnonzero(np.isnan(speed[1:]) & (paths.subject[1:] == paths.subject[:-1]))
    dt = paths.t[n + 1] - paths.t[n]
    near = (dt > 0) & (dt <= LONGEST_S)
    n, dt = n[near], dt[near]
    way = plane_m(paths.lat[n], paths.lon[n], paths.lat[n + 1], paths.lon[n + 1])
    speed[n + 1] = way / dt * KNOTS_PER_MS
    return speed


def samples_of(tracks: Tracks) -> Samples:
    """The paths of hulls (`followed_of`) on the common grid."""
    return tracks.once(("samples",), lambda: _sampled(followed_of(tracks)))


def _sampled(paths: Paths) -> Samples:
    from cordon.picture.shared import pathkernel as kernel

    return Samples(
        *kernel.on_the_grid(paths.t, paths.lat, paths.lon, paths.starts, STEP_S, LONGEST_S)
    )
