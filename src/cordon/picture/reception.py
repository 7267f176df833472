"""How well transponders are received where and when, learned from everybody's reports.

After Hammond and Peters 2012 (“Estimating AIS Coverage from Received Transmissions”, Journal of
Navigation 65): between two reports of a craft lie the places at which it was not heard; beside
those at which craft were heard they give the chance of reception for each cell of a grid, by a
binomial model. Here in steps of five minutes, for class A and other sets apart, with what the
cells around say as a prior, and for each hour against what is usual (a receiver that is out, a
night's ducting; Mazzarella et al. 2017, Expert Systems with Applications 78).

Misses come in rows: a set that was not heard for five minutes is likelier not to be heard for the
next five. How much likelier is learned too, so that the odds told of a silence are those of rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cordon.picture.shared.numbering import numbered
from cordon.picture.shared.samples import paths_of
from cordon.picture.tracks import Bools, Floats, Ints, Tracks

STEP_S = 300.0
_CELL = 10.0  # cells a degree: 6 nm of latitude
_CELL_BITS = 24  # (180 * _CELL * 4096 + 4095) * 2 + 1 is less than 2 to the 24th
_AREA = 1.6  # areas a degree, in which an hour is held against what is usual: 37 nm
_PRIOR = 12.0  # steps of one craft, an hour, that what is around a cell weighs
_USUAL = 2.0  # and what is usual weighs in an area's step
_FOLLOWED = 72  # steps, six hours: over a longer silence nobody knows where a craft was
_AGES = np.array([0, 12, 36])  # steps that a row of misses has lasted: less than 1 h, 3 h, more
_BUCKETS = 10
_STAYS_M = 926.0  # half a mile: who is heard again there may have lain in port with its set off
_OPEN = 12  # steps for which a craft that is heard no more is still counted as missed


@dataclass(frozen=True, slots=True)
class _Steps:
    """Steps of craft, heard or not; arrays of one length, by subject, then slot.

    Attributes:
        subject: index. slot: time in steps of STEP_S. lat, lon: degrees. heard: whether a
            report came in it. row: how many steps it was not heard before and with this one.
    """

    subject: Ints
    slot: Ints
    lat: Floats
    lon: Floats
    heard: Bools
    row: Ints


class Reception:
    """What was learned of reception; see the module.

    Args:
        who: over the tracks' subjects, those that carry a transponder and move by themselves.
    """

    def __init__(self, tracks: Tracks, who: Bools) -> None:
        self.good = np.array([bool(s.imo) for s in tracks.static], dtype=np.int64)
        steps = _steps(tracks, who)
        self._keys: list[Ints] = []
        self._heard: list[Floats] = []
        self._all: list[Floats] = []
        for size in (9, 3, 1):
            key = self._cells(steps.lat, steps.lon, self.good[steps.subject], size)
            keys, where = numbered(key)
            self._keys.append(keys)
            self._all.append(np.bincount(where, minlength=len(keys)).astype(np.float64))
            self._heard.append(
                np.bincount(where, steps.heard, minlength=len(keys)).astype(np.float64)
            )
        chance = self.usual(steps.lat, steps.lon, self.good[steps.subject])
        area = self._areas(steps.lat, steps.lon, steps.slot)
        self._area, where = numbered(area)
        wanted = np.bincount(where, chance, minlength=len(self._area))
        came = np.bincount(where, steps.heard, minlength=len(self._area))
        self._fair = np.minimum((came + _USUAL) / (wanted + _USUAL), 1.0)
        chance = chance * self._fair[where] if len(where) else chance
        count = len(tracks.subjects)
        self._wanted = np.bincount(steps.subject, chance, minlength=count)
        self._came = np.bincount(steps.subject, steps.heard, minlength=count).astype(np.float64)
        self._again = _rows(steps, chance * self._set(steps.subject))

    def usual(self, lat: Floats, lon: Floats, good: Ints, without: Floats | None = None) -> Floats:
        """The chance that a set is heard in a step at each place, at usual times.

        Args:
            good: 1 for class A, as it says its IMO number; else 0. without: for each place, how
                many steps that were not heard in its cell are left out.
        """
        chance = np.zeros(len(lat))  # where nobody ever was, nobody can say that one is heard
        for size, keys, came, every in zip(
            (9, 3, 1), self._keys, self._heard, self._all, strict=True
        ):
            if not len(keys):
                continue
            key = self._cells(lat, lon, good, size)
            n = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
            there = keys[n] == key
            some = np.where(there, every[n], 0.0)
            if without is not None:
                some = np.maximum(some - without, 0.0)
            chance = (np.where(there, came[n], 0.0) + _PRIOR * chance) / (some + _PRIOR)
        return np.minimum(chance, 1.0)

    def odds(
        self, subject: Ints, begin: Floats, end: Floats, lat: Floats, lon: Floats, lat1: Floats,
        lon1: Floats,
    ) -> Floats:  # fmt: skip
        """The odds (0 to 1) that a working set would have been heard during each silence.

        Args:
            subject: whose. begin, end: when (s). lat, lon, lat1, lon1: where at its begin and end;
                it is taken to go straight.
        """
        first = np.floor(begin / STEP_S).astype(np.int64) + 1
        count = np.clip(np.floor(end / STEP_S).astype(np.int64) - first, 0, _FOLLOWED)
        of = np.repeat(np.arange(len(subject)), count)
        n = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
        slot = first[of] + n
        mix = (slot * STEP_S + STEP_S / 2 - begin[of]) / np.maximum(end - begin, 1.0)[of]
        y, x = _between(lat[of], lon[of], lat1[of], lon1[of], np.clip(mix, 0.0, 1.0))
        good = self.good[subject[of]]
        # its own misses are what is asked about: they do not count against the cell
        cell = self._cells(y, x, good, 1)
        _, where = numbered(of << _CELL_BITS | cell)
        chance = self.usual(y, x, good, np.bincount(where)[where].astype(np.float64))
        chance = chance * self._fair_at(y, x, slot)
        without = np.bincount(of, chance, minlength=len(subject)).astype(np.float64)
        chance = chance * self._set(subject, without)[of]
        again = self._again[_age(n), _bucket(chance)]
        # where hardly anybody is heard, missing proves the less
        again = 1 - (1 - again) * np.minimum(chance * 2 * _BUCKETS, 1.0)
        missed = np.where(n == 0, 1 - chance, again)
        total = np.zeros(len(subject))
        np.add.at(total, of, np.log(np.maximum(missed, 1e-6)))
        return np.asarray(1.0 - np.exp(total))

    def _set(self, subject: Ints, without: Floats | float = 0.0) -> Floats:
        """How well each craft's own set is heard against its class, at most as well.

        Args:
            without: steps that are left out, by their chances.
        """
        wanted = np.maximum(self._wanted[subject] - without, 0.0)
        return np.asarray(np.minimum((self._came[subject] + _PRIOR) / (wanted + _PRIOR), 1.0))

    def _fair_at(self, lat: Floats, lon: Floats, slot: Ints) -> Floats:
        if not len(self._area):
            return np.ones(len(lat))
        key = self._areas(lat, lon, slot)
        n = np.minimum(np.searchsorted(self._area, key), len(self._area) - 1)
        return np.where(self._area[n] == key, self._fair[n], 1.0)

    @staticmethod
    def _cells(lat: Floats, lon: Floats, good: Ints, size: int) -> Ints:
        y = np.floor((lat + 90.0) * _CELL).astype(np.int64) // size
        x = np.floor((lon + 180.0) * _CELL).astype(np.int64) // size
        return np.asarray((y * 4096 + x) * 2 + good)

    @staticmethod
    def _areas(lat: Floats, lon: Floats, slot: Ints) -> Ints:
        y = np.floor((lat + 90.0) * _AREA).astype(np.int64)
        x = np.floor((lon + 180.0) * _AREA).astype(np.int64)
        return np.asarray((slot * 512 + y) * 1024 + x)


def _steps(tracks: Tracks, who: Bools) -> _Steps:
    # loads what is compiled
    from cordon.picture import trackkernel as kernel
    from cordon.picture.shared.pathkernel import heard_and_missed

    paths = paths_of(tracks)
    k, _ = kernel.firsts(paths.t, paths.subject, tracks.source, paths.fix[:0], who, STEP_S)
    slot = (paths.t[k] // STEP_S).astype(np.int64)
    subject, slots, y, x, row = heard_and_missed(
        paths.subject[k], slot, paths.lat[k], paths.lon[k], _FOLLOWED, _OPEN, _STAYS_M
    )
    return _Steps(subject, slots, y, x, row == 0, row)


def _between(
    lat0: Floats, lon0: Floats, lat1: Floats, lon1: Floats, mix: Floats
) -> tuple[Floats, Floats]:
    """Points on straight ways, the part `mix` (0 to 1) along; across the antimeridian too."""
    lon = lon0 + mix * ((lon1 - lon0 + 540.0) % 360.0 - 180.0)
    return lat0 + mix * (lat1 - lat0), np.where(
        np.abs(lon) > 180, (lon + 540.0) % 360.0 - 180.0, lon
    )


def _rows(steps: _Steps, chance: Floats) -> Floats:
    """The chance to be missed after a miss: by the chance of being heard, and by how long a craft
    has been missed already. Who has been missed for hours is rather one of those who cannot be
    heard there.

    Shape: (ages, tenths of the chance).
    """
    middle = (np.arange(_BUCKETS) + 0.5) / _BUCKETS
    prior = 1 - 0.7 * middle  # misses that come alone would leave 1 - middle
    rows = np.tile(prior, (len(_AGES), 1))
    if len(chance) < 2:
        return rows
    follows = (np.diff(steps.subject) == 0) & (np.diff(steps.slot) == 1) & ~steps.heard[:-1]
    bucket = _bucket(chance[1:][follows])
    missed, age = ~steps.heard[1:][follows], _age(steps.row[:-1][follows])
    for n in range(len(_AGES)):
        some = age == n
        every = np.bincount(bucket[some], minlength=_BUCKETS)
        lost = np.bincount(bucket[some], missed[some], minlength=_BUCKETS)
        # what is known of younger rows is what is expected of older ones
        expected = prior if n == 0 else rows[n - 1]
        rows[n] = (lost + _PRIOR * expected) / (every + _PRIOR)
    return rows


def _bucket(chance: Floats) -> Ints:
    return np.minimum((chance * _BUCKETS).astype(np.int64), _BUCKETS - 1)


def _age(row: Ints) -> Ints:
    """Which of _AGES a row of so many misses falls into."""
    return np.searchsorted(_AGES, row, side="right") - 1
