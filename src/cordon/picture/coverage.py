"""Where and when others are heard: what tells a vessel's silence from a receiver's."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cordon.kernel.geo import distance_m
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE
from cordon.picture.shared.numbering import different, numbered
from cordon.picture.shared.samples import paths_of
from cordon.picture.tracks import Bools, Floats, Ints, Tracks

_CELL_DEG = 0.25  # 15 nm of latitude
_BIN_S = 600.0
_FINE_DEG = 0.1
_ROW = 100_000  # of fine cells: more than there are from west to east
_EDGE_S = 3600.0
_BESIDE_NM = 5.0
_SLICES = 12  # a silence is looked at in twelfths
_MOST_WITNESSES = 64
_STEADY = 0.5  # a receiver that hears somebody in so many of the steps listens all the time …
_SPELL = 6  # … as does one that hears somebody for an hour on end: a satellite passes in minutes
_MOST_BINS = 1 << 20  # as many as its bits in a key can tell apart; see coveragekernel.keys


@dataclass(frozen=True, slots=True)
class Heard:
    """What others bear witness to of a silence.

    Attributes:
        others: how many there were. share: the part of the silence in which they were heard.
        tier: 0 near the place, 1 in the wider area, 2 anywhere.
    """

    others: int
    share: float
    tier: int


class Coverage:
    """An index of who was heard where and when; built once over all tracks.

    `steady` says of each source whether it listens all the time: a satellite does not.

    Of the believed fixes of a subject only the first is looked at of those that one receiver
    heard within five minutes: enough to bear witness, and far fewer.

    Args:
        who: the subjects whose reports are looked at.

    Cost: one pass over the fixes, sorts of those that are looked at, and then some tens of
    binary searches for each silence.
    """

    def __init__(self, tracks: Tracks, who: Bools) -> None:
        # loads what is compiled
        from cordon.picture import coveragekernel as seen
        from cordon.picture import trackkernel as kernel

        self._tracks = tracks
        paths = paths_of(tracks)
        k, last = kernel.firsts(paths.t, paths.subject, tracks.source, paths.fix, who, _BIN_S / 2)
        self._subject, self._t = paths.subject[k], paths.t[k]
        self._source = tracks.source[paths.fix[k]].astype(np.int64)
        bins = (self._t * (1 / _BIN_S)).astype(np.int64)
        # ends are told to the last fix, not to the first of its five minutes
        begin, self.end = _span(self._t, paths.t[last], self._subject)
        self._lat, self._lon = paths.lat[k], paths.lon[k]
        # A bin is known by its rank among those that hold a fix: one wrong clock years away
        # would need more bits than there are
        self._bins, rank = numbered(bins)
        self._key = different(seen.keys(self._lat, self._lon, self._subject, rank, _CELL_DEG))
        self._cells_met: Ints | None = None
        some = np.flatnonzero(who & (np.diff(tracks.starts) > 0))
        first, last = tracks.starts[:-1][some], tracks.starts[1:][some] - 1
        # who is heard as the data begin or end does not begin or cease to be heard there
        begun = first[tracks.t[first] > begin + _EDGE_S]
        ceased = last[tracks.t[last] < self.end - _EDGE_S]
        self._termini = np.concatenate((begun, ceased))
        # by source, then the bin of time: nothing that is asked needs more
        order, self._source_starts = seen.by_source(
            self._source, rank, len(tracks.sources), len(self._bins)
        )
        self._t_by_source, self._subject_by_source = self._t[order], self._subject[order]
        self._source_first, self._source_last = seen.ends(self._t_by_source, self._source_starts)
        self.steady = _steady(bins[order], self._source_starts, self.end - begin)

    def termini(self, own: int, lat: float, lon: float, reach_m: float) -> int:
        """How many others begin or cease to be heard within reach of a place."""
        tracks, k = self._tracks, self._termini
        near = distance_m(lat, lon, tracks.lat[k], tracks.lon[k]) <= reach_m
        some = different(tracks.subject[k[near]])
        return int((some != own).sum())

    def witnesses(
        self, own: int, lat: Floats, lon: Floats, t0: float, t1: float, reach_m: float
    ) -> Ints:
        """Other subjects heard within reach of any of the places from t0 to t1; about."""
        ends = np.array([t0 // _BIN_S, t1 // _BIN_S + 1])
        b0, b1 = np.minimum(np.searchsorted(self._bins, ends), _MOST_BINS).tolist()
        found = []
        for cell in self._cells(lat, lon, reach_m):
            # b1 may be the first of the next cell
            lo, hi = np.searchsorted(
                self._key, ((cell << 42) + (b0 << 22), (cell << 42) + (b1 << 22))
            )
            found.append(self._key[lo:hi] & ((1 << 22) - 1))
        some = different(np.concatenate(found)) if found else np.empty(0, np.int64)
        return np.asarray(some[some != own], dtype=np.int64)

    def anyone(self, own: int, t0: float, t1: float) -> Ints:
        """Other subjects heard anywhere from t0 to t1."""
        some = different(self._subject[(self._t >= t0) & (self._t <= t1)])
        return np.asarray(some[some != own], dtype=np.int64)

    def _cells(self, lat: Floats, lon: Floats, reach_m: float) -> set[int]:
        cells = set()
        high = reach_m / 111_195.0
        for y, x in zip(lat, lon, strict=True):
            wide = high / max(0.1, float(np.cos(np.radians(y))))
            for cy in range(
                int((y - high + 90) // _CELL_DEG), int((y + high + 90) // _CELL_DEG) + 1
            ):
                for cx in range(
                    int((x - wide + 180) // _CELL_DEG), int((x + wide + 180) // _CELL_DEG) + 1
                ):
                    cells.add(cy * 1440 + cx % 1440)
        return cells

    def heard(
        self,
        own: int,
        lat: Floats,
        lon: Floats,
        t0: float,
        t1: float,
        *,
        near_nm: float,
        wide_nm: float,
        least_others: int,
    ) -> Heard | None:
        """How far others were heard while `own` was silent from t0 to t1.

        Those who bear witness were within `near_nm` of one of the places shortly before,
        during or shortly after; where they are fewer than `least_others`, within `wide_nm`;
        and at last anywhere. None where there are too few at all.
        """
        around = min(max(t1 - t0, 1800.0), 7200.0)
        wide_m = wide_nm * METRES_PER_NAUTICAL_MILE
        for tier, reach in enumerate((near_nm * METRES_PER_NAUTICAL_MILE, wide_m)):
            some = self.witnesses(own, lat, lon, t0 - around, t1 + around, reach)
            if len(some) >= least_others:
                return self._share(some, lat, lon, t0, t1, wide_m, tier)
        some = self.anyone(own, t0 - around, t1 + around)
        if len(some) >= least_others:
            return self._share(some, lat, lon, t0, t1, None, 2)
        return None

    def _share(
        self,
        some: Ints,
        lat: Floats,
        lon: Floats,
        t0: float,
        t1: float,
        reach_m: float | None,
        tier: int,
    ) -> Heard:
        from cordon.picture import coveragekernel as kernel

        tracks = self._tracks
        if len(some) > _MOST_WITNESSES:
            some = some[np.linspace(0, len(some) - 1, _MOST_WITNESSES).astype(int)]
        met = np.zeros(_SLICES, dtype=np.bool_)
        # heard far away, by another receiver, says nothing of this one
        places = np.column_stack((lat, lon))[: None if reach_m is not None else 0]
        kernel.heard_near(
            tracks.t, tracks.lat, tracks.lon, tracks.starts, some, places, reach_m or 0.0, t0, t1,
            met,
        )  # fmt: skip
        return Heard(len(some), float(met.mean()), tier)

    def received(self, own: int, sources: Ints, t0: float, t1: float) -> float:
        """The part of a span in which receivers heard others, 0 to 1.

        Where what one receiver heard comes under one name a file, each file's name begins
        when that of the file before has ended; such a name counts as the same receiver.

        Args:
            sources: the receivers, as indices into the tracks' sources.
        """
        from cordon.picture import coveragekernel as kernel

        met = np.zeros(_SLICES, dtype=np.bool_)
        for source in self._with_successors(sources):
            low, high = self._source_starts[source : source + 2]
            kernel.heard_by(
                self._t_by_source[low:high], self._subject_by_source[low:high], own, t0, t1,
                _BIN_S + 1.0, met,
            )  # fmt: skip
        return float(met.mean())

    def _with_successors(self, sources: Ints) -> Ints:
        first, last = self._source_first, self._source_last
        apart = (first[:, None] > last[sources]) | (last[:, None] < first[sources])
        return np.union1d(sources, np.flatnonzero(apart.any(axis=1)))

    def covers(self, own: int, lat: float, lon: float) -> bool:
        """Whether two others were ever heard within some 5 nm of a place.

        One alone may have told a wrong place.
        """
        if self._cells_met is None:
            self._fine_cells()
        assert self._cells_met is not None
        shrink = max(0.02, float(np.cos(np.radians(lat))))
        high, wide = _BESIDE_NM / 60, _BESIDE_NM / 60 / shrink
        x0, x1 = (int((lon + 180 + d) // _FINE_DEG) for d in (-wide, wide))
        found = [np.empty(0, np.int64)]
        for y in range(
            int((lat - high + 90) // _FINE_DEG), int((lat + high + 90) // _FINE_DEG) + 1
        ):
            row = y * _ROW
            lo, hi = np.searchsorted(self._cells_met, (row + x0, row + x1 + 1))
            west, south, east, north = self._reach[:, lo:hi]
            dx = np.maximum(np.maximum(west - lon, lon - east), 0.0) * shrink
            dy = np.maximum(np.maximum(south - lat, lat - north), 0.0)
            for cell in lo + np.flatnonzero(np.hypot(dx, dy) * 60 <= _BESIDE_NM):
                a, b = self._pair_starts[cell : cell + 2]
                found.append(self._pair_subject[a:b])
        some = different(np.concatenate(found))
        return int((some != own).sum()) >= 2

    def _fine_cells(self) -> None:
        from cordon.picture import coveragekernel as kernel

        # a craft stays in a cell for many reports on end
        pairs = kernel.pairs(self._lat, self._lon, self._subject, _FINE_DEG, _ROW)
        pairs = different(pairs)
        self._pair_subject = pairs & ((1 << 22) - 1)
        self._cells_met, starts = np.unique(pairs >> 22, return_index=True)
        self._pair_starts = np.append(starts, len(pairs))
        # the furthest places heard from in each cell: west, south, east, north
        self._reach = kernel.reaches(self._lat, self._lon, _FINE_DEG, _ROW, self._cells_met)


def _steady(part: Ints, starts: Ints, span_s: float) -> Bools:
    """Which sources listen all the time, by the bins of time of what each heard, in order."""
    source = np.repeat(np.arange(len(starts) - 1), np.diff(starts))
    new = np.append(True, (np.diff(part) != 0) | (np.diff(source) != 0))[: len(part)]
    part, source = part[new], source[new]
    met = np.bincount(source, minlength=len(starts) - 1)
    begin = np.append(True, (np.diff(part) != 1) | (np.diff(source) != 0))[: len(part)]
    length = np.bincount(np.cumsum(begin) - 1) if len(part) else part
    spells = np.zeros(len(starts) - 1, dtype=np.int64)
    np.maximum.at(spells, source[begin], length)
    return np.asarray((met >= _STEADY * max(span_s / _BIN_S, 1.0)) | (spells >= _SPELL))


def _span(first: Floats, last: Floats, subject: Ints) -> tuple[float, float]:
    """When the data begin and end (s): the first and last hour in which two were heard.

    One alone may have a wrong clock, and would have everybody else silent until then.

    Args:
        first, last: times (s) of the ends of each run of fixes, which lies within an hour.
        subject: whose each is.
    """
    if not len(first):
        return 0.0, 0.0
    hours = (first * (1 / _EDGE_S)).astype(np.int64)
    new = np.append(True, (np.diff(hours) != 0) | (np.diff(subject) != 0))
    pairs = np.unique(hours[new] << 31 | subject[new])
    met, count = np.unique(pairs >> 31, return_counts=True)
    among = met[count >= 2]
    if not len(among):
        return float(first.min()), float(last.max())
    return float(first[hours == among[0]].min()), float(last[hours == among[-1]].max())
