"""The positions of the live window, held as tracks in columns; bounded in time and in number.

What comes is put to the tracks that are there in one pass, not sorted anew with them. Where
more is heard than may be held, the oldest fixes are thinned first and most: of each subject one
in so many seconds stays, and always its newest, and those that findings rest on.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cordon.picture.live import AHEAD
from cordon.picture.model import Position, Static
from cordon.picture.newest import Newest
from cordon.picture.tracks import Batch, Bools, Floats, Ints, Said, Tracks, recoded

_STEPS = (5, 10, 20, 30, 60, 120, 180, 300, 600)  # s, between two fixes that stay
_COARSER = ((6 * 3600, 5), (3600, 3))  # older than so much (s): so many steps between two
_OTHERS = ("subjects", "static", "sources", "files", "starts", "subject", "said")
_COLUMNS = tuple(f.name for f in fields(Tracks) if f.init and f.name not in _OTHERS)
_NOTHING = Static()
_MOST_FILES = 20_000  # named though nothing of them may be left
_MOST_WORDS = 50  # of one subject about itself
_MOST_KEY = 1 << 62


@dataclass(frozen=True, slots=True)
class Heard:
    """One batch as the window took it.

    Attributes:
        batch: as it came. names: who is in it. own: whose each report is (into `names`).
        order: the reports by subject and time.
        t, lat, lon: where each of `names` was heard before; NaN for who was not.
    """

    batch: Batch
    names: list[str]
    own: Ints
    order: Ints
    t: Floats
    lat: Floats
    lon: Floats


class Window:
    """Fixes of the last so many hours; every method may be called from any thread.

    Args:
        span: how far back. most: fixes held, some 60 bytes each.

    Attributes:
        latest: the newest time heard (s since the epoch), or -inf.
    """

    def __init__(self, span: timedelta, most: int) -> None:
        self._span = span.total_seconds()
        self._most = most
        self._lock = threading.Lock()
        self._merging = threading.Lock()
        self._held = Tracks.build(())
        self._new: list[Batch] = []
        self._joining: list[Batch] = []  # on their way from the new ones to those held
        self._newest = Newest()
        self._late: dict[str, float] = {}
        self._level = -1
        self.latest = -np.inf

    @property
    def step_s(self) -> float:
        """Seconds between two fixes of a subject that stay; 0 while all do."""
        return 0.0 if self._level < 0 else float(_STEPS[self._level])

    def __len__(self) -> int:
        return len(self._held) + sum(map(len, self._joining + self._new))

    @property
    def begin(self) -> float:
        """The moment before which nothing is held (s since the epoch)."""
        return float(self.latest - self._span)

    def take(
        self,
        some: Batch | Iterable[Position],
        now: datetime | None = None,
        whole: Collection[str] = (),
    ) -> list[Heard]:
        """Take new positions, in any order.

        Args:
            now: the node's time; a report from more than five minutes ahead of it is passed
                over, because one wrong clock would push everything else out of the window.
            whole: subjects of which every fix stays for now.
        """
        latest = np.inf if now is None else (now + AHEAD).timestamp()
        heard = []
        for one in [some] if isinstance(some, Batch) else Batch.of(some):
            batch = one.take(one.t <= latest) if (one.t > latest).any() else one
            if len(batch):
                heard.append(self._take(batch, whole))
        return heard

    def _take(self, batch: Batch, whole: Collection[str]) -> Heard:
        used, code = recoded(batch.subject)
        names = [batch.subjects[i] for i in used.tolist()]
        own = code.astype(np.int64)
        order = np.lexsort((batch.t, own))
        last = order[np.append(np.flatnonzero(np.diff(own[order])), len(own) - 1)]
        with self._lock:
            rows = self._newest.rows(names)
            t, lat, lon = self._newest.places(rows)
            late = batch.t < t[own]
            keep = np.ones(len(own), dtype=bool)
            if self._level >= 0:
                keep = self._firsts(batch, own, order, t) | late
                if whole:
                    keep |= np.array([n in whole for n in names])[own]
            for i in np.unique(own[late]).tolist():
                begin = float(batch.t[late & (own == i)].min())
                self._late[names[i]] = min(begin, self._late.get(names[i], begin))
            ahead = ~(batch.t[last] <= t)
            self._newest.set(rows[ahead], batch, last[ahead], ~keep[last[ahead]])
            self.latest = max(self.latest, float(batch.t.max()))
            if keep.any():
                self._new.append(_own(batch, keep, names))
        return Heard(batch, names, own, order, t, lat, lon)

    def _firsts(self, batch: Batch, own: Ints, order: Ints, before: Floats) -> Bools:
        """Which reports are the first of their subject in a step; `before` when it was heard."""
        o, turn = own[order], np.floor(batch.t[order] / self.step_s)
        new = ~(turn <= np.floor(before[o] / self.step_s))
        new[1:] &= (np.diff(o) != 0) | (np.diff(turn) > 0)
        keep = np.zeros(len(own), dtype=bool)
        keep[order[new]] = True
        return keep

    def late(self) -> dict[str, float]:
        """Subjects of which something came late since this was last asked, and since when (s)."""
        with self._lock:
            late, self._late = self._late, {}
            return late

    def tracks(self, keep: Iterable[tuple[str, int]] = ()) -> Tracks:
        """All that is held, as tracks.

        Args:
            keep: file (SHA-256) and row of fixes that stay however much is heard.
        """
        with self._merging:
            with self._lock:
                some, self._new = self._new + self._newest.tails(), []
                self._joining = some
            try:
                held = self._held
                if some:
                    held = joined(held, Tracks.build(some), self.begin)
                if len(held) > self._most:
                    held = self._thin(held, frozenset(keep))
                elif self._level >= 0 and len(held) < self._most / 4:
                    self._level -= 1
            except BaseException:
                with self._lock:
                    self._new, self._joining = some + self._new, []
                raise
            with self._lock:
                self._held, self._joining = held, []
                self._forget(held)
            return held

    def _forget(self, held: Tracks) -> None:
        if len(self._newest) > 2 * len(held.subjects) + 10_000:
            known = set(held.subjects).union(*(b.subjects for b in self._new))
            self._newest = self._newest.of(known)

    def _thin(self, held: Tracks, keep: frozenset[tuple[str, int]]) -> Tracks:
        """Fewer fixes than may be held, by some, so that it is not done each time."""
        kept = np.zeros(len(held), dtype=bool)
        if keep:
            rows = {row for _, row in keep}
            likely = np.flatnonzero(np.isin(held.row, np.fromiter(rows, dtype=np.int64)))
            wanted = [
                k for k in likely.tolist() if (held.files[held.file[k]], int(held.row[k])) in keep
            ]
            kept[wanted] = True
        ends = np.append(held.starts[1:] - 1, held.starts[:-1])
        kept[ends] = True
        level = max(self._level, 0)
        while True:
            stay = kept | _one_a_step(held, self.latest, _STEPS[level])
            if int(stay.sum()) <= 0.7 * self._most or level == len(_STEPS) - 1:
                break
            level += 1
        self._level = level
        count = int(stay.sum())
        if count > self._most:  # so many subjects that the oldest must go
            t = held.t[stay]
            stay &= held.t >= np.partition(t, count - self._most)[count - self._most]
        return taken(held, np.flatnonzero(stay))

    def some(self, subjects: Iterable[str]) -> Tracks:
        """All that is held of these subjects, as tracks."""
        wanted = set(subjects)
        with self._lock:
            held = self._held
            new = [*self._joining, *self._new, *self._newest.alone(wanted)]
        own = [i for i, name in enumerate(held.subjects) if name in wanted]
        parts = [np.arange(held.starts[i], held.starts[i + 1]) for i in own]
        base = taken(held, np.concatenate(parts) if parts else np.empty(0, dtype=np.int64))
        recent = []
        for batch in new:
            codes = [i for i, name in enumerate(batch.subjects) if name in wanted]
            mask = np.isin(batch.subject, codes) if codes else np.zeros(len(batch), dtype=bool)
            if mask.any():
                recent.append(batch.take(mask))
        return joined(base, Tracks.build(recent), self.begin) if recent else base


def _own(batch: Batch, keep: Bools, names: Iterable[str]) -> Batch:
    """These rows of a batch, with what its own subjects say of themselves alone."""
    said = {n: s for n in names if (s := batch.static.get(n)) is not None}
    return replace(batch if keep.all() else batch.take(keep), static=said)


def _one_a_step(held: Tracks, latest: float, step: float) -> Bools:
    """The first fix of each subject in each span of `step` s, of older ones in longer spans."""
    width = np.full(len(held), float(step))
    for age, times in _COARSER:
        old = held.t < latest - age
        width[old] = np.maximum(width[old], step * times)
    turn = np.floor(held.t / width)
    stay = np.ones(len(held), dtype=bool)
    stay[1:] = (np.diff(held.subject) != 0) | (np.diff(turn) != 0) | (np.diff(width) != 0)
    return stay


def taken(tracks: Tracks, some: Ints) -> Tracks:
    """The tracks with these fixes alone, in ascending order; names that nobody needs are left."""
    used, subject = recoded(tracks.subject[some])
    used_files, file = recoded(tracks.file[some])
    columns = {c: getattr(tracks, c)[some] for c in _COLUMNS}
    columns["file"] = file
    return Tracks(
        subjects=tuple(tracks.subjects[i] for i in used.tolist()),
        static=tuple(tracks.static[i] for i in used.tolist()),
        sources=tracks.sources,
        files=tuple(tracks.files[i] for i in used_files.tolist()),
        starts=np.searchsorted(subject, np.arange(len(used) + 1)).astype(np.int64),
        subject=subject,
        said={n: tracks.said[i] for n, i in enumerate(used.tolist()) if i in tracks.said},
        **columns,
    )


def joined(a: Tracks, b: Tracks, begin: float = -np.inf) -> Tracks:
    """The fixes of both from `begin` (s) on, repeats dropped, without sorting those of `a` anew."""
    if not len(a):
        return b if not len(b) or b.t.min() >= begin else taken(b, np.flatnonzero(b.t >= begin))
    names, code_a, code_b = _names(a.subjects, b.subjects)
    sources, source_a, source_b = _names(a.sources, b.sources)
    keep_a, keep_b = a.t >= begin, b.t >= begin
    sub_a, sub_b = code_a[a.subject], code_b[b.subject]
    if not keep_a.all():
        sub_a = sub_a[keep_a]
    if not keep_b.all():
        sub_b = sub_b[keep_b]
    # where each of b stands among all; those of a fill the other places in their order
    to_b = _places(sub_a, a.t[keep_a], sub_b, b.t[keep_b])
    from_a = np.ones(len(sub_a) + len(sub_b), dtype=bool)
    from_a[to_b] = False

    def column(of_a: NDArray[Any], of_b: NDArray[Any]) -> NDArray[Any]:
        out = np.empty(len(from_a), dtype=of_a.dtype)
        out[from_a] = of_a
        out[to_b] = of_b
        return out

    columns = {c: column(getattr(a, c)[keep_a], getattr(b, c)[keep_b]) for c in _COLUMNS}
    columns["file"] = column(a.file[keep_a], b.file[keep_b] + len(a.files))
    columns["source"] = column(source_a[a.source[keep_a]], source_b[b.source[keep_b]]).astype(
        np.int32
    )
    subject = column(sub_a, sub_b).astype(np.int32)
    static, said = _said(len(names), (a, code_a), (b, code_b))
    whole = Tracks(
        subjects=names,
        static=tuple(static),
        sources=sources,
        files=(*a.files, *b.files),
        starts=np.searchsorted(subject, np.arange(len(names) + 1)).astype(np.int64),
        subject=subject,
        said=said,
        **columns,
    )
    return _tidy(whole)


def _said(
    count: int, one: tuple[Tracks, Ints], other: tuple[Tracks, Ints]
) -> tuple[list[Static], dict[int, tuple[Said, ...]]]:
    """What subjects say of themselves, and said before, of two sets of tracks.

    Args:
        one, other: tracks, and the code of each subject among `count`; the second are newer.
    """
    (a, codes), (b, newer) = one, other
    static = [_NOTHING] * count
    for code, words in zip(codes.tolist(), a.static, strict=True):
        static[code] = words
    said = {int(codes[i]): told for i, told in a.said.items()}
    for i, code in enumerate(newer.tolist()):
        new, old = b.static[i], static[code]
        told = b.said.get(i, ())
        if not told and (new is old or new == _NOTHING):
            continue
        if old == _NOTHING:
            static[code] = new
            if told:
                said[code] = told
        elif told or new.over(old) != old:
            # since when a single word holds is not kept: since its subject was first heard
            before = said.get(code) or (Said(_first(a, code, codes), b.subjects[i], old),)
            told = told or (Said(_first(b, code, newer), b.subjects[i], new),)
            said[code] = _by_time(b.subjects[i], (*before, *told))
            static[code] = said[code][-1].static
    return static, said


def _first(tracks: Tracks, code: int, codes: Ints) -> float:
    i = int(np.flatnonzero(codes == code)[0])
    return float(tracks.t[tracks.starts[i]])


def _by_time(subject: str, told: Sequence[Said]) -> tuple[Said, ...]:
    """Words by time, each holding on where it is not said again; the last so many."""
    kept: list[Said] = []
    for word in sorted(told, key=lambda w: w.t):
        whole = word.static.over(kept[-1].static) if kept else word.static
        if not kept or whole != kept[-1].static:
            kept.append(Said(word.t, subject, whole))
    return tuple(kept[-_MOST_WORDS:])


def _tidy(tracks: Tracks) -> Tracks:
    """Without repeats, and without names of which nothing is left."""
    same = np.zeros(len(tracks), dtype=bool)
    if len(tracks) > 1:
        same[1:] = (
            (np.diff(tracks.subject) == 0)
            & (np.diff(tracks.t) == 0)
            & (np.diff(tracks.lat) == 0)
            & (np.diff(tracks.lon) == 0)
        )
    gone = len(tracks.subjects) > 0 and bool((np.diff(tracks.starts) == 0).any())
    files = len(tracks.files)
    if same.any() or gone or files > max(_MOST_FILES, len(tracks) // 100):
        return taken(tracks, np.flatnonzero(~same))
    return tracks


def _places(sub_a: Ints, t_a: Floats, sub_b: Ints, t_b: Floats) -> Ints:
    """Where the fixes of b stand among those of both, by subject, then time, a's before b's."""
    if not len(sub_b):
        return np.empty(0, dtype=np.int64)
    origin = min(float(t_a.min(initial=np.inf)), float(t_b.min()))
    span = max(float(t_a.max(initial=-np.inf)), float(t_b.max())) - origin
    wide = round(span * 1e6) + 1  # one whole number orders both, to the microsecond
    subjects = max(int(sub_a.max(initial=0)), int(sub_b.max())) + 1
    if subjects * wide < _MOST_KEY:
        key_a, key_b = (
            sub.astype(np.int64) * wide + np.round((t - origin) * 1e6).astype(np.int64)
            for sub, t in ((sub_a, t_a), (sub_b, t_b))
        )
        return np.searchsorted(key_a, key_b, side="right") + np.arange(len(key_b))
    order = np.lexsort((np.concatenate((t_a, t_b)), np.concatenate((sub_a, sub_b))))
    return np.flatnonzero(order >= len(sub_a))


def _names(
    a: tuple[str, ...], b: tuple[str, ...]
) -> tuple[tuple[str, ...], NDArray[np.int64], NDArray[np.int64]]:
    """Names of both, sorted, and the code of each of a's and of b's among them."""
    known = dict(zip(a, range(len(a)), strict=True))
    if all(name in known for name in b):
        whole = a
        code_a = np.arange(len(a))
    else:
        whole = tuple(sorted({*a, *b}))
        known = dict(zip(whole, range(len(whole)), strict=True))
        code_a = np.array([known[name] for name in a], dtype=np.int64)
    return whole, code_a, np.array([known[name] for name in b], dtype=np.int64)
