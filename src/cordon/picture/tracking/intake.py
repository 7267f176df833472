"""Positions as reports that tracking reads: checked, with their errors, labels and keys.

The type of a subject says what it is evidence of. `mmsi:`, `unit:`, `vehicle:`, `drone:` and any
other type are names, one space for each type. `radar:`, `camera:` and `track:` are numbers that a
sensor gave, a space for each source. `sensor:` and `plot:` name nobody: what they report may be
of anyone.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy

import numpy as np

from cordon.kernel.units import MS_PER_KNOT
from cordon.picture.tracking.layout import ANONYMOUS, NAME, NUMBER, REPORT, Array
from cordon.picture.tracking.names import Names, stable
from cordon.picture.tracking.plane import FARTHEST_LAT
from cordon.picture.tracking.tuning import Tuning
from cordon.picture.tracks import Batch, Bools, Floats, Ints

_SENSORS = {"mmsi": "ais", "radar": "radar", "track": "radar", "plot": "radar", "camera": "camera"}
_SENSORS |= {"sensor": "ground", "unit": "own", "drone": "own"}
_NUMBERS = ("radar", "camera", "track")
_NOBODY = ("sensor", "plot")
_MOST_SOURCES, _OTHERS = 65_536, "others"  # a feed may write any source into its tag blocks
_MOST_KNOWN = 500_000  # pairs of subject and source that are remembered
_FASTEST_MS = 1000.0  # a told speed beyond this is none
_FIRST_S, _LAST_S = 315_532_800.0, 4_102_444_800.0  # 1980 to 2100

Refuse = Callable[[int, str], None]
"""Called with a row and the reason why it is not taken."""


class Intake:
    """Makes reports of batches, and keeps the codes of names in them.

    Attributes:
        sources, labels, files: names by code. space, sort: of each label; see `Book`.
    """

    def __init__(self, tuning: Tuning) -> None:
        self.tuning = tuning
        self.sources, self.labels, self.files = Names(), Names(), Names()
        self.space: list[int] = []
        self.sort: list[int] = []
        self._known: dict[str, dict[str, int]] = {}  # by source and subject: a row of `_told`
        self._told = np.empty((0, 5), dtype=np.int64)
        self._rows = 0

    def label(self, subject: str, source: str) -> int:
        """The code of the label that a subject of a source stands for."""
        type_ = subject.partition(":")[0]
        told = self.tuning.told.get(source)
        if type_ in _NOBODY or (told is not None and told.plots and type_ in _NUMBERS):
            name = subject if type_ == "sensor" else f"source:{source}"
            space, sort = f"source {name}", ANONYMOUS
        elif type_ in _NUMBERS:
            name, space, sort = f"{subject} {source}", f"numbers {source}", NUMBER
        else:
            name, space, sort = subject, f"names {type_}", NAME
        code = self.labels.code(name)
        if code == len(self.space):
            self.space.append(stable(space))
            self.sort.append(sort)
        return code

    def subject(self, label: int) -> str:
        """The subject that a label stands for, as a position told it; empty where it is nobody."""
        name = self.labels.names[label]
        if self.sort[label] == ANONYMOUS:
            return name if name.startswith("sensor:") else ""
        return name.partition(" ")[0] if self.sort[label] == NUMBER else name

    def compact_labels(self, used: Ints) -> Ints:
        """Forget labels that are not used; the new code of each old one."""
        new = self.labels.compact(used)
        kept = np.flatnonzero(new >= 0)
        self.space = [self.space[k] for k in kept]
        self.sort = [self.sort[k] for k in kept]
        self._known, self._rows = {}, 0
        return new

    def still(self) -> Intake:
        """The names as they are now, for readers: lists only grow, or give way to new ones."""
        still = copy(self)
        still.sources, still.labels = copy(self.sources), copy(self.labels)
        return still

    def _source(self, source: str) -> int:
        names = self.sources.names
        return self.sources.code(source if len(names) < _MOST_SOURCES else _OTHERS)

    def _sensor(self, subject: str, source: str) -> int:
        row = self.tuning.row.get(f"source:{source}")
        if row is None:
            row = self.tuning.row[_SENSORS.get(subject.partition(":")[0], "other")]
        return row

    def reports(self, batch: Batch, refuse: Refuse, now: float | None = None) -> Array:
        """A batch's rows as REPORT, not sorted; those that are none are refused.

        Args:
            now: s; a report from more than five minutes ahead of it is refused.
        """
        keep = _sound(batch, refuse, now)
        if not keep.all():
            batch = batch.take(keep)
        out = np.zeros(len(batch), REPORT)
        out["t"], out["lat"], out["row"], out["kind"] = batch.t, batch.lat, batch.row, batch.kind
        out["lon"] = np.where(batch.lon == 180.0, -180.0, batch.lon)
        out["frame"] = np.floor(batch.t / self.tuning.p["frame_s"] + 0.5)
        out["file"] = self.files.code(batch.sha256)
        table, which = self._pairs(batch)
        for n, name in enumerate(("source", "label", "sensor", "order")):
            out[name] = table[which, n]
        out["key"] = _keys(out, table[which, 4])
        self._velocities(batch, out)
        self._errors(batch, out)
        return out

    def _pairs(self, batch: Batch) -> tuple[Ints, Ints]:
        """What belongs to each pair of subject and source, a row each; and the pair of each row."""
        wide = max(len(batch.sources), 1)
        pairs, which = np.unique(batch.subject * wide + batch.source, return_inverse=True)
        if self._rows > _MOST_KNOWN:
            self._known, self._rows = {}, 0
        known = [self._known.setdefault(source, {}) for source in batch.sources]
        rows = []
        for n, m in zip((pairs // wide).tolist(), (pairs % wide).tolist(), strict=True):
            row = known[m].get(batch.subjects[n])
            if row is None:
                row = known[m][batch.subjects[n]] = self._learn(batch.subjects[n], batch.sources[m])
            rows.append(row)
        return self._told[rows], which

    def _learn(self, subject: str, source: str) -> int:
        """Keep what belongs to a pair of subject and source; its row of `_told`."""
        if self._rows == len(self._told):
            more = np.empty((max(self._rows, 1024), 5), dtype=np.int64)
            self._told = np.concatenate((self._told, more))
        self._told[self._rows] = (
            self._source(source),
            self.label(subject, source),
            self._sensor(subject, source),
            # each ground sensor looks by itself, whoever passes its trips on
            stable(subject if subject.startswith("sensor:") else source),
            stable(subject),
        )
        self._rows += 1
        return self._rows - 1

    def _velocities(self, batch: Batch, out: Array) -> None:
        speed, course = batch.speed * MS_PER_KNOT, np.radians(batch.course)
        still = (batch.speed >= 0.0) & (batch.speed < 0.05)
        course = np.where(still & ~np.isfinite(course), 0.0, course)
        told = np.isfinite(speed) & np.isfinite(course) & (speed >= 0.0) & (speed <= _FASTEST_MS)
        speed, course = np.where(told, speed, 0.0), np.where(told, course, 0.0)
        out["ve"], out["vn"] = speed * np.sin(course), speed * np.cos(course)
        out["vv"] = np.where(told, self.tuning.p["velocity_error_ms"] ** 2, 0.0)

    def _errors(self, batch: Batch, out: Array) -> None:
        """Covariances of places, and what they lose by how coarsely times are told."""
        told = np.isfinite(batch.accuracy) & (batch.accuracy > 0.0)
        usual = self.tuning.accuracy[out["sensor"]]
        error = np.clip(np.where(told, batch.accuracy, usual), 0.1, 1e5)
        ee, en, nn = error**2, np.zeros(len(out)), error**2
        for n, name in enumerate(batch.sources):
            sensor = self.tuning.told.get(name)
            if sensor is not None and sensor.lat is not None and sensor.lon is not None:
                at = (batch.source == n) & ~told
                ee[at], en[at], nn[at] = polar_covariance(
                    sensor.lat,
                    sensor.lon,
                    batch.lat[at],
                    batch.lon[at],
                    sensor.range_error_m,
                    sensor.bearing_error_deg,
                )
        # a time cut off evenly within its step
        way = np.hypot(out["ve"], out["vn"]) * self.tuning.p["resolution_s"]
        out["ee"], out["en"], out["nn"] = ee + way**2 / 12.0, en, nn + way**2 / 12.0


def polar_covariance(
    lat0: float, lon0: float, lat: Floats, lon: Floats, range_m: float, bearing_deg: float
) -> tuple[Floats, Floats, Floats]:
    """Errors of range and bearing as a covariance east and north: EE, EN, NN (m²).

    To the first order, which holds while the error across the beam is small beside the range
    (Bar-Shalom, Li and Kirubarajan 2001, 10.4.3: below some 0.4 times it, and so at 1° always).

    Args:
        lat0, lon0: where the sensor stands. lat, lon: what it saw, degrees, shape (n,).
    """
    north = (lat - lat0) * 111_195.0
    east = ((lon - lon0 + 540.0) % 360.0 - 180.0) * 111_195.0 * np.cos(np.radians(lat))
    reach = np.maximum(np.hypot(east, north), 1.0)
    sin, cos = east / reach, north / reach
    along, across = range_m**2, (reach * np.radians(bearing_deg)) ** 2
    return (
        along * sin**2 + across * cos**2,
        (along - across) * sin * cos,
        along * cos**2 + across * sin**2,
    )


def _sound(batch: Batch, refuse: Refuse, now: float | None) -> Bools:
    t, lat, lon = batch.t, batch.lat, batch.lon
    good = np.ones(len(batch), dtype=bool)
    with np.errstate(invalid="ignore"):
        checks = [
            (
                np.isfinite(t) & np.isfinite(lat) & np.isfinite(lon),
                "its place or time is no number",
            ),
            ((np.abs(lat) <= 90.0) & (np.abs(lon) <= 180.0), "its place is not on the globe"),
            (np.abs(lat) <= FARTHEST_LAT, "it lies too near a pole to be tracked"),
            ((t >= _FIRST_S) & (t <= _LAST_S), "its time lies outside 1980 to 2100"),
        ]
        if now is not None:
            checks.append((t <= now + AHEAD_S, "its time lies more than five minutes ahead"))
    for passed, reason in checks:
        for k in np.flatnonzero(good & ~passed):
            refuse(int(batch.row[k]), reason)
        good &= passed
    return good


AHEAD_S = 300.0


def _keys(out: Array, subject: Ints) -> Ints:
    """What a report says as a number of 60 bits, never 0: the same report, the same number."""
    with np.errstate(over="ignore"):
        x = out["order"].astype(np.uint64) ^ (subject.astype(np.uint64) << np.uint64(1))
        for column in ("t", "lat", "lon"):
            # a zero is written in two ways, which are one place
            x = _mixed(x + (out[column] + 0.0).view(np.uint64))
    keys: Ints = np.maximum((x >> np.uint64(4)).astype(np.int64), 1)
    return keys


def _mixed(x: Array) -> Array:
    """SplitMix64's finisher (Steele, Lea and Flood 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))
