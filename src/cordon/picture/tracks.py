"""Positions as columns: batches as readers yield them, and tracks as behaviours read them."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import astuple, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.findings import RecordRef
from cordon.picture.model import KINDS, Position, Static

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Made = TypeVar("Made")

_KIND_CODE = {kind: code for code, kind in enumerate(KINDS)}


def moment(seconds: float) -> datetime:
    """The aware UTC time of seconds since the epoch, to the millisecond."""
    return datetime.fromtimestamp(round(float(seconds), 3), UTC)


COLUMNS = (
    "subject",
    "source",
    "t",
    "lat",
    "lon",
    "speed",
    "course",
    "heading",
    "accuracy",
    "kind",
    "row",
)
"""The columns of a batch, in order."""


@dataclass(frozen=True, slots=True)
class Said:
    """What a subject said of itself at a moment: t in s since the epoch, its name, and what."""

    t: float
    subject: str
    static: Static


@dataclass(slots=True)
class Batch:
    """Some positions of one file as columns of equal length, in the order of the file.

    Attributes:
        sha256: of the file, hex; empty for positions that came over no file.
        subjects, sources: the distinct ones; `subject` and `source` index into them.
        t: seconds since the epoch. lat, lon: degrees. speed: kn. course, heading: degrees.
        accuracy: m. NaN where not told. kind: index into KINDS. row: see Refusal.row.
        static: what subjects said of themselves up to here, by name; not only of this batch.
        said: what they said in it that is other than before, in any order; a reader that knows
            no times of it leaves it empty.
    """

    sha256: str
    subjects: list[str]
    sources: list[str]
    subject: Ints
    source: Ints
    t: Floats
    lat: Floats
    lon: Floats
    speed: Floats
    course: Floats
    heading: Floats
    accuracy: Floats
    kind: Ints
    row: Ints
    static: dict[str, Static] = field(default_factory=dict)
    said: list[Said] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.t)

    def take(self, where: Bools) -> Batch:
        """The rows where the mask is true."""
        return replace(self, **{column: getattr(self, column)[where] for column in COLUMNS})

    def positions(self) -> Iterator[Position]:
        """The rows as typed values."""
        for i in range(len(self.t)):
            subject = self.subjects[self.subject[i]]
            static = self.static.get(subject, _NOTHING)
            yield Position(
                at=datetime.fromtimestamp(float(self.t[i]), UTC),
                source=self.sources[self.source[i]],
                subject=subject,
                lat=float(self.lat[i]),
                lon=float(self.lon[i]),
                speed_kn=_told(self.speed[i]),
                course_deg=_told(self.course[i]),
                heading_deg=_told(self.heading[i]),
                accuracy_m=_told(self.accuracy[i]),
                kind=KINDS[self.kind[i]],
                name=static.name,
                imo=static.imo,
                call_sign=static.call_sign,
                ship_type=static.ship_type,
                flag=static.flag,
                record=RecordRef(self.sha256, int(self.row[i])) if self.sha256 else None,
            )

    @classmethod
    def of(cls, positions: Iterable[Position]) -> list[Batch]:
        """Typed values as batches, one for each file they came from."""
        by_file: dict[str, list[Position]] = {}
        for p in positions:
            by_file.setdefault(p.record.sha256 if p.record else "", []).append(p)
        return [_batch(sha256, some) for sha256, some in by_file.items()]


_NOTHING = Static()


def _told(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _batch(sha256: str, some: list[Position]) -> Batch:
    subjects: dict[str, int] = {}
    sources: dict[str, int] = {}
    static: dict[str, Static] = {}
    told: list[Said] = []
    last: dict[str, Static] = {}
    for p in some:
        if p.name or p.imo or p.call_sign or p.ship_type or p.flag:
            said = Static(p.name, p.imo, p.call_sign, p.ship_type, p.flag)
            if last.get(p.subject) != said:
                told.append(Said(p.at.timestamp(), p.subject, said))
                last[p.subject] = said
                static[p.subject] = said.over(static.get(p.subject, _NOTHING))

    def floats(values: Iterable[float | None]) -> Floats:
        return np.array([np.nan if v is None else v for v in values], dtype=np.float64)

    def ints(values: Iterable[int]) -> Ints:
        return np.array(list(values), dtype=np.int64)

    subject = ints(subjects.setdefault(p.subject, len(subjects)) for p in some)
    source = ints(sources.setdefault(p.source, len(sources)) for p in some)
    return Batch(
        sha256=sha256,
        subjects=list(subjects),
        sources=list(sources),
        subject=subject,
        source=source,
        t=floats(p.at.timestamp() for p in some),
        lat=floats(p.lat for p in some),
        lon=floats(p.lon for p in some),
        speed=floats(p.speed_kn for p in some),
        course=floats(p.course_deg for p in some),
        heading=floats(p.heading_deg for p in some),
        accuracy=floats(p.accuracy_m for p in some),
        kind=ints(_KIND_CODE.get(p.kind, 0) for p in some),
        row=ints(p.record.row if p.record else 0 for p in some),
        static=static,
        said=told,
    )


def used_codes(codes: NDArray[np.integer[Any]]) -> Ints:
    """The different ones of codes from 0 on, in order, without sorting them."""
    if not len(codes):
        return np.empty(0, np.int64)
    there = np.zeros(int(codes.max()) + 1, np.bool_)
    there[codes] = True
    return np.flatnonzero(there)


def recoded(codes: NDArray[np.integer[Any]]) -> tuple[Ints, NDArray[np.int32]]:
    """The different ones of codes from 0 on, in order, and for each code its place among them."""
    used = used_codes(codes)
    place = np.zeros(int(used[-1]) + 1 if len(used) else 0, np.int32)
    place[used] = np.arange(len(used), dtype=np.int32)
    return used, place[codes]


@dataclass(frozen=True, slots=True)
class Tracks:
    """All fixes of all subjects as columns, sorted by subject, then time.

    Attributes:
        subjects: names, sorted. static: what each says of itself, in the same order.
        sources: names of receivers and feeds, sorted.
        files: SHA-256 of the files, sorted. starts: subject i holds the fixes
            starts[i] ≤ k < starts[i + 1].
        subject: index into subjects. t: s since the epoch. lat, lon: degrees. speed: kn,
            course: degrees, accuracy: m, NaN where not told. kind: index into KINDS. row: see
            Refusal.row. file: index into files. source: index into sources.
        said: for subjects (by index) that said different things of themselves, what and since
            when, by time; what is not said again holds on.

    What several behaviours need of the same tracks is computed once, see `once`.
    """

    subjects: tuple[str, ...]
    static: tuple[Static, ...]
    sources: tuple[str, ...]
    files: tuple[str, ...]
    starts: Ints
    subject: NDArray[np.int32]
    t: Floats
    lat: Floats
    lon: Floats
    speed: NDArray[np.float32]
    course: NDArray[np.float32]
    accuracy: NDArray[np.float32]
    kind: NDArray[np.int8]
    row: Ints
    file: NDArray[np.int32]
    source: NDArray[np.int32]
    said: dict[int, tuple[Said, ...]] = field(default_factory=dict)
    _made: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.t)

    def once(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """What `make` gives, computed at the first call with this key and kept with the tracks.

        The module that names a key owns what stands under it: it alone makes it, behind a
        function of its own (`sampled.samples_of(tracks)`), and nobody changes it after. A key
        begins with the module's name and holds whatever else the value depends on.
        """
        if key not in self._made:
            self._made[key] = make()
        made: Made = self._made[key]
        return made

    def of(self, i: int) -> slice:
        """The fixes of subject i."""
        return slice(int(self.starts[i]), int(self.starts[i + 1]))

    def record(self, k: int) -> RecordRef:
        """Where fix k stands in what came in."""
        return RecordRef(self.files[self.file[k]], int(self.row[k]))

    def records(self, rows: Sequence[int] | Ints) -> list[RecordRef]:
        """Where fixes stand in what came in."""
        some = np.asarray(rows, dtype=np.int64)
        file, row = self.file[some].tolist(), self.row[some].tolist()
        return [RecordRef(self.files[f], r) for f, r in zip(file, row, strict=True)]

    @classmethod
    def build(cls, some: Iterable[Batch] | Iterable[Position]) -> Tracks:
        """Tracks from batches or positions in any order; exact repeats are dropped.

        A repeat is the same subject, time (to the microsecond), latitude and longitude.
        The result depends only on what the records say, never on the order of the files.
        """
        batches: list[Batch] = []
        loose: list[Position] = []
        for one in some:
            if isinstance(one, Batch):
                batches.append(one)
            else:
                loose.append(one)
        batches += Batch.of(loose)
        batches = [b for b in batches if len(b)]
        names = sorted({b.subjects[i] for b in batches for i in used_codes(b.subject).tolist()})
        sources = sorted({b.sources[i] for b in batches for i in used_codes(b.source).tolist()})
        files = sorted({b.sha256 for b in batches})
        name_code = {name: i for i, name in enumerate(names)}
        file_code = {sha: i for i, sha in enumerate(files)}
        static = [_NOTHING] * len(names)
        for b in sorted(batches, key=lambda b: float(b.t[-1])):
            for name, said in b.static.items():
                if (i := name_code.get(name)) is not None:
                    static[i] = said.over(static[i])

        def joined(column: str) -> NDArray[np.float64]:
            parts = [getattr(b, column) for b in batches]
            return np.concatenate(parts) if parts else np.empty(0)

        subject = _recoded(names, [(b.subjects, b.subject) for b in batches])
        source = _recoded(sources, [(b.sources, b.source) for b in batches])
        file = np.repeat(
            np.array([file_code[b.sha256] for b in batches], dtype=np.int32),
            [len(b) for b in batches],
        )
        t = np.round(joined("t") * 1e6) / 1e6
        lat, lon, row = joined("lat"), joined("lon"), joined("row").astype(np.int64)
        order = np.lexsort((row, file, lon, lat, t, subject))
        subject, t, lat, lon = subject[order], t[order], lat[order], lon[order]
        new = np.ones(len(t), dtype=bool)
        if len(t) > 1:
            new[1:] = (
                (np.diff(subject) != 0)
                | (np.diff(t) != 0)
                | (np.diff(lat) != 0)
                | (np.diff(lon) != 0)
            )
        keep = order[new]
        subject = subject[new]
        return cls(
            subjects=tuple(names),
            static=tuple(static),
            sources=tuple(sources),
            files=tuple(files),
            starts=np.searchsorted(subject, np.arange(len(names) + 1)).astype(np.int64),
            subject=subject,
            t=t[new],
            lat=lat[new],
            lon=lon[new],
            speed=joined("speed")[keep].astype(np.float32),
            course=joined("course")[keep].astype(np.float32),
            accuracy=joined("accuracy")[keep].astype(np.float32),
            kind=joined("kind")[keep].astype(np.int8),
            row=row[keep],
            file=file[keep],
            source=source[keep],
            said=_histories(name_code, batches),
        )


def _histories(code: dict[str, int], batches: list[Batch]) -> dict[int, tuple[Said, ...]]:
    """What subjects said by time, of those that said more than one thing; each word holds on."""
    told: dict[int, list[Said]] = {}
    for b in batches:
        for said in b.said:
            if (i := code.get(said.subject)) is not None:
                told.setdefault(i, []).append(said)
    found = {}
    for i, some in told.items():
        some.sort(key=lambda s: (s.t, astuple(s.static)))
        kept: list[Said] = []
        for said in some:
            whole = said.static.over(kept[-1].static) if kept else said.static
            if not kept or whole != kept[-1].static:
                kept.append(Said(said.t, said.subject, whole))
        if len(kept) > 1:
            found[i] = tuple(kept)
    return found


def _recoded(names: list[str], parts: list[tuple[list[str], Ints]]) -> NDArray[np.int32]:
    """The codes of several batches as one column of indices into `names`."""
    code = {name: i for i, name in enumerate(names)}
    columns = [np.array([code.get(n, -1) for n in own])[column] for own, column in parts]
    return np.concatenate(columns).astype(np.int32) if columns else np.empty(0, np.int32)
