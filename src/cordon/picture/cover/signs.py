"""Signs of life: what was heard from each sensor and when, and where our own units were.

A sign is known by the source of the reports, and for a ground sensor by its own name
(`sensor:…`) too. Reports of our own units' trackers are no sign of a sensor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.findings import RecordRef
from cordon.picture.cover.model import ON_LAND, Sees
from cordon.picture.model import KINDS
from cordon.picture.tracks import Bools, Floats, Ints, Tracks

MINUTE = 60.0
THIN_S = 600.0
"""Of a vessel that a receiver hears, one place in ten minutes is kept: ways are learned from
them, not speeds."""

_APART_S = 86_400.0
_MOST_SLOTS = 4_000_000  # signs times minutes that are held in a table; 100 MB
_TYPES = ("mmsi", "unit", "sensor", "vehicle", "person", "track", "drone", "other")
_TELL_THEMSELVES = ("unit", "vehicle")
"""Subjects whose own trackers report them: that they are heard means that nobody saw them."""
_UNIT = _TYPES.index("unit")


def _meant() -> NDArray[np.uint8]:
    """What a report is a sight of, by the type of its subject and its kind; 0 for none."""
    by_kind = {
        "vessel": Sees.VESSEL_WITHOUT_AIS,
        "vehicle": Sees.VEHICLE,
        "person": Sees.PERSON,
        "aircraft": Sees.AIRCRAFT,
    }
    unknown = {
        "mmsi": Sees.VESSEL,
        "sensor": ON_LAND,
        "person": Sees.PERSON,
        "track": ON_LAND,
        "drone": Sees.AIRCRAFT,
        "other": Sees.PERSON | Sees.VESSEL_WITHOUT_AIS,  # a plot of which nobody knows what it is
    }
    table = np.zeros((len(_TYPES), len(KINDS)), dtype=np.uint8)
    for i, type_ in enumerate(_TYPES):
        for k, kind in enumerate(KINDS):
            seen = by_kind.get(kind, unknown.get(type_, Sees(0)))
            if type_ == "mmsi" and kind in ("vessel", "unknown"):
                seen = Sees.VESSEL
            table[i, k] = 0 if type_ in _TELL_THEMSELVES else int(seen)
    return table


_MEANT = _meant()


class Heard(NamedTuple):
    """From which sign something was heard, a row for each minute: columns of one length.

    `sign` is a code; first, last: s since the epoch; file (code) and row: one record of it.
    """

    sign: Ints
    first: Floats
    last: Floats
    file: Ints
    row: Ints


class Fixes(NamedTuple):
    """Places that signs told of others, thinned: columns of one length.

    `subject` is a code, t: s since the epoch, lat, lon: degrees, sees: bits of `Sees`.
    """

    sign: Ints
    subject: Ints
    t: Floats
    lat: Floats
    lon: Floats
    sees: Ints


class Ways(NamedTuple):
    """Places of our own units; `unit` is a code of the subjects, kind an index into KINDS."""

    unit: Ints
    t: Floats
    lat: Floats
    lon: Floats
    kind: Ints
    file: Ints
    row: Ints


class Columns(NamedTuple):
    """Reports as columns, whatever they came in; codes are whole numbers of any width."""

    subjects: Sequence[str]
    sources: Sequence[str]
    subject: NDArray[Any]
    source: NDArray[Any]
    t: Floats
    lat: Floats
    lon: Floats
    kind: NDArray[Any]
    file: NDArray[Any]
    row: Ints


@dataclass(frozen=True, slots=True)
class Signs:
    """What was heard over a span.

    Attributes:
        names: of signs (sources, and `sensor:…`), by code; subjects, files: by code.
        begin, end: the span (s since the epoch).
        heard: sorted by sign, then time; sign i has the rows heard_at[i] to heard_at[i + 1].
        fixes: sorted by sign, subject, time. ways: sorted by unit, then time.
        blind: spans (s) in which nothing was listened to: a silence in them is nobody's.
    """

    names: tuple[str, ...]
    subjects: tuple[str, ...]
    files: tuple[str, ...]
    begin: float
    end: float
    heard: Heard
    heard_at: Ints
    fixes: Fixes
    ways: Ways
    blind: tuple[tuple[float, float], ...] = ()

    def code(self, *names: str) -> int | None:
        """The code of the first of these names that was heard, or None."""
        for name in names:
            if name in self.names:
                return self.names.index(name)
        return None

    def of(self, sign: int) -> slice:
        """The rows of `heard` of one sign."""
        return slice(int(self.heard_at[sign]), int(self.heard_at[sign + 1]))

    def record(self, row: int) -> RecordRef | None:
        """A record of one row of `heard`; None where it came over no file."""
        sha256 = self.files[int(self.heard.file[row])]
        return RecordRef(sha256, int(self.heard.row[row])) if sha256 else None

    def way_record(self, row: int) -> RecordRef | None:
        """The record of one row of `ways`."""
        sha256 = self.files[int(self.ways.file[row])]
        return RecordRef(sha256, int(self.ways.row[row])) if sha256 else None

    @classmethod
    def of_tracks(cls, tracks: Tracks, until: float | None = None) -> Signs:
        """What the tracks tell, computed once for them."""
        made = tracks.once(("cover.signs",), lambda: _of_tracks(tracks))
        return made if until is None else made.until(until)

    def with_blind(self, blind: Sequence[tuple[float, float]]) -> Signs:
        """The same, with spans in which nothing was listened to."""
        return replace(self, blind=tuple((a, b) for a, b in blind if b > a))

    def until(self, moment: float) -> Signs:
        """As it was known at a moment: without what was heard after it."""
        heard = self.heard
        early = heard.first <= moment
        kept = Heard._make(column[early] for column in heard)
        kept = kept._replace(last=np.minimum(kept.last, moment))
        ways = Ways._make(column[self.ways.t <= moment] for column in self.ways)
        fixes = Fixes._make(column[self.fixes.t <= moment] for column in self.fixes)
        return Signs(
            self.names, self.subjects, self.files, min(self.begin, moment), moment, kept,
            _starts(kept.sign, len(self.names)), fixes, ways,
        )  # fmt: skip


def _of_tracks(tracks: Tracks) -> Signs:
    columns = Columns(
        tracks.subjects,
        tracks.sources,
        tracks.subject,
        tracks.source,
        tracks.t,
        tracks.lat,
        tracks.lon,
        tracks.kind,
        tracks.file,
        tracks.row,
    )
    trips = [s for s in tracks.subjects if s.startswith("sensor:")]
    code = {name: len(tracks.sources) + i for i, name in enumerate(trips)}
    trip_of = np.array([code.get(s, -1) for s in tracks.subjects], dtype=np.int64)
    heard, fixes, ways = gleaned(columns, trip_of)
    begin, end = span_of(heard, fixes, ways)
    names = (*tracks.sources, *trips)
    return joined(names, tracks.subjects, tracks.files, begin, end, heard, fixes, ways)


def joined(
    names: Sequence[str],
    subjects: Sequence[str],
    files: Sequence[str],
    begin: float,
    end: float,
    heard: Heard,
    fixes: Fixes,
    ways: Ways,
) -> Signs:
    """Signs of columns that are sorted already."""
    return Signs(
        tuple(names), tuple(subjects), tuple(files) or ("",), begin, end, heard,
        _starts(heard.sign, len(names)), fixes, ways,
    )  # fmt: skip


def gleaned(c: Columns, trip_of: Ints) -> tuple[Heard, Fixes, Ways]:
    """What matters of reports: sources a minute, places of others thinned, our units' ways.

    Args:
        trip_of: for each subject that is a ground sensor its code as a sign of its own.
    """
    types = np.array([_type(s) for s in c.subjects], dtype=np.int64)
    mine = np.flatnonzero((types == _UNIT)[c.subject]) if len(c.t) else np.empty(0, np.int64)
    mine = mine[np.lexsort((c.t[mine], c.subject[mine]))]
    ways = Ways(
        c.subject[mine].astype(np.int64), c.t[mine], c.lat[mine], c.lon[mine],
        c.kind[mine].astype(np.int64), c.file[mine].astype(np.int64), c.row[mine],
    )  # fmt: skip
    return _heard(c, types, trip_of), _fixes(c, types, trip_of), ways


def _heard(c: Columns, types: Ints, trip_of: Ints) -> Heard:
    """One row for each sign and minute, sorted by both."""
    own = types == _UNIT
    low, high = (int(c.t.min() // MINUTE), int(c.t.max() // MINUTE)) if len(c.t) else (0, 0)
    wide = high - low + 1
    signs = len(c.sources) + int((trip_of >= 0).sum())
    if signs * wide > _MOST_SLOTS:
        told = ~own[c.subject]
        trip = np.flatnonzero(trip_of[c.subject] >= 0)
        both = np.concatenate((np.flatnonzero(told), trip))
        sign = np.concatenate((c.source[told], trip_of[c.subject[trip]])).astype(np.int64)
        file = c.file[both].astype(np.int64)
        return by_minute(Heard(sign, c.t[both], c.t[both], file, c.row[both]))
    # loads what is compiled
    from cordon.picture.cover import signkernel as kernel

    row, begin, end = kernel.by_minute(
        c.subject, c.source, c.t, own, trip_of, low, wide, signs * wide
    )
    met = np.flatnonzero(row >= 0)
    some = row[met]
    return Heard(met // wide, begin[met], end[met], c.file[some].astype(np.int64), c.row[some])


def _fixes(c: Columns, types: Ints, trip_of: Ints) -> Fixes:
    """Sights of others, thinned."""
    from cordon.picture.cover import signkernel as kernel

    meant = _MEANT[types]
    signs = len(c.sources) + int((trip_of >= 0).sum())
    ordered = kernel.in_order(c.subject, c.t)
    if ordered:
        some, sign = kernel.places(c.subject, c.source, c.t, c.kind, meant, trip_of, signs, THIN_S)
    else:
        some = np.flatnonzero(meant[c.subject, c.kind])
        trip = trip_of[c.subject[some]]
        sign = np.where(trip >= 0, trip, c.source[some]).astype(np.int64)
    subject = c.subject[some].astype(np.int64)
    sees = meant[subject, c.kind[some]].astype(np.int64)
    found = Fixes(sign, subject, c.t[some], c.lat[some], c.lon[some], sees)
    return found if ordered else thinned(found)


def by_minute(heard: Heard) -> Heard:
    """One row for each sign and minute, sorted by both."""
    if not len(heard.sign):
        return heard
    minute = (heard.last // MINUTE).astype(np.int64)
    low = int(minute.min())
    wide = int(minute.max()) - low + 1
    size = (int(heard.sign.max()) + 1) * wide
    if size <= _MOST_SLOTS:
        from cordon.picture.cover import signkernel as kernel

        slot = heard.sign * wide + (minute - low)
        row, begin, end = kernel.by_slot(slot, heard.first, heard.last, size)
        met = np.flatnonzero(row >= 0)
        some = row[met]
        return Heard(heard.sign[some], begin[met], end[met], heard.file[some], heard.row[some])
    # one wrong clock years away would need more slots than there is room
    key = heard.sign << 40 | minute
    order = np.argsort(key, kind="stable")
    first = np.flatnonzero(_new(key[order]))
    last = np.append(first[1:], len(order)) - 1
    return Heard(
        heard.sign[order[first]],
        np.minimum.reduceat(heard.first[order], first),
        np.maximum.reduceat(heard.last[order], first),
        heard.file[order[last]],
        heard.row[order[last]],
    )


def thinned(fixes: Fixes) -> Fixes:
    """One place for each sign, subject and ten minutes, sorted by all three.

    Of each run without a longer pause the last place is kept too: there the subject was lost.
    """
    if not len(fixes.sign):
        return fixes
    order = _by_sign(fixes)
    sign, subject, t = fixes.sign[order], fixes.subject[order], fixes.t[order]
    new = _new(sign) | _new(subject)
    paused = np.append(new[1:] | (np.diff(t) > THIN_S), True)
    kept = order[new | _new((t // THIN_S).astype(np.int64)) | paused]
    return Fixes._make(column[kept] for column in fixes)


def _by_sign(fixes: Fixes) -> Ints:
    """The order by sign, subject and time; fast where they are by subject and time already."""
    follows = fixes.subject[1:] == fixes.subject[:-1]
    ordered = (fixes.subject[1:] > fixes.subject[:-1]) | (follows & (np.diff(fixes.t) >= 0))
    if bool(ordered.all()) and int(fixes.sign.max()) < 1 << 15:
        # NumPy sorts numbers of 16 bits by radix
        return np.argsort(fixes.sign.astype(np.int16), kind="stable")
    return np.lexsort((fixes.t, fixes.subject, fixes.sign))


def span_of(heard: Heard, fixes: Fixes, ways: Ways) -> tuple[float, float]:
    """When the data begin and end (s).

    A report that stands more than a day apart from all others has a wrong clock, and would have
    everybody silent until then; what several subjects say so far apart is another day's data.
    """
    t = np.concatenate((heard.first, heard.last, ways.t))
    if not len(t):
        return 0.0, 0.0
    order = np.sort(t)
    edges = np.flatnonzero(np.diff(order) > _APART_S) + 1
    if not len(edges):
        return float(order[0]), float(order[-1])
    begins, ends = order[np.append(0, edges)], order[np.append(edges - 1, len(order) - 1)]
    size = np.diff(np.concatenate(([0], edges, [len(order)])))
    told = np.concatenate((fixes.t, ways.t)), np.concatenate((fixes.subject, ways.unit))
    kept = [
        i
        for i, (a, b) in enumerate(zip(begins, ends, strict=True))
        if size[i] == size.max() or len(np.unique(told[1][(told[0] >= a) & (told[0] <= b)])) > 1
    ]
    return float(begins[kept[0]]), float(ends[kept[-1]])


def _type(subject: str) -> int:
    type_ = subject.partition(":")[0]
    return _TYPES.index(type_ if type_ in _TYPES else "other")


def _new(values: Ints) -> Bools:
    fresh = np.ones(len(values), dtype=np.bool_)
    fresh[1:] = values[1:] != values[:-1]
    return fresh


def _starts(sign: Ints, count: int) -> Ints:
    return np.searchsorted(sign, np.arange(count + 1)).astype(np.int64)
