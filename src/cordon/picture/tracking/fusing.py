"""Over files: the tracks of subjects in, one track for each craft out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from cordon.picture.model import Static
from cordon.picture.tracking import storage
from cordon.picture.tracking.held import in_order
from cordon.picture.tracking.intake import Intake
from cordon.picture.tracking.layout import GREW, JOINED, NAME, Array
from cordon.picture.tracking.model import subject_of
from cordon.picture.tracking.scanning import desk, scan
from cordon.picture.tracking.tuning import Sensor, tuning
from cordon.picture.tracks import Batch, Floats, Ints, Tracks

_AT_ONCE = 262_144  # reports taken from the columns at a time
_PLOTS = 0.9  # share of a source's numbers that come once, from which they are plots' numbers
_FEW = 20


@dataclass(frozen=True, slots=True)
class Fused:
    """Tracks of craft, and how they came about.

    Attributes:
        tracks: the fixes by craft. A subject is the craft's name where it has one (`mmsi:…`), or
            `track:…` where it has none, or where another craft has a better claim to the name.
        of: (n,) for each fix of the tracks that came in, the craft's index in `tracks.subjects`;
            -1 for what is left out.
        came: (m,) for each fix of `tracks`, its index in the tracks that came in.
        names: for each craft, the names it was heard under and the fixes under each, most first.
        left_out: fixes of nameless tracks that were never confirmed: clutter, most of them.
        refused: fixes that cannot be tracked (near a pole, a time that is none).
    """

    tracks: Tracks
    of: Ints
    came: Ints
    names: tuple[tuple[tuple[str, int], ...], ...]
    left_out: int
    refused: int


def fuse(
    tracks: Tracks,
    sensors: Iterable[Sensor] = (),
    *,
    values: Mapping[str, float] | None = None,
    craft: Mapping[str, Mapping[str, float]] | None = None,
    most_tracks: int = 1_000_000,
) -> Fused:
    """Make one track of each craft from tracks of subjects.

    The same fixes give the same tracks, whatever files they came in. A radar's or camera's
    numbers of which nearly all come once are taken for numbers of plots, which name nobody.

    Args:
        sensors, values, craft: as for `Tracker`. `resolution_s` is read off the times unless given.
        most_tracks: that live at once; beyond them no track begins.

    Raises:
        BadInput: a parameter or sensor is none, or out of bounds.
    """
    given = {"resolution_s": resolution_of(tracks.t), **(values or {})}
    told = [*sensors]
    told += _plotters(tracks, {s.source for s in told})
    intake = Intake(tuning(given, told, craft))
    track, confirmed, refused = _scanned(tracks, intake, most_tracks)
    label = _names_of(tracks, intake)
    named = np.array([intake.sort[k] == NAME for k in label], dtype=bool)
    kept = (track > 0) & (np.isin(track, confirmed) | named)
    subject, names = _subjects(tracks, np.where(kept, track, 0), np.where(named, label, -1), intake)
    fused, of, came = _regrouped(tracks, subject)
    return Fused(
        fused,
        of,
        came,
        tuple(tuple(names[s]) for s in fused.subjects),
        int(((track > 0) & ~kept).sum()),
        refused,
    )


def resolution_of(t: Floats) -> float:
    """How coarsely times are told: 60, 1 or 0.001 s."""
    if not len(t) or not np.isfinite(t).all():
        return 1.0
    return next((step for step in (60.0, 1.0) if (t % step == 0.0).all()), 0.001)


def _plotters(tracks: Tracks, known: set[str]) -> list[Sensor]:
    """Sources whose numbers are of plots: they hardly ever come again."""
    found = []
    begins = [s.partition(":")[0] in ("radar", "camera", "track") for s in tracks.subjects]
    numbered = np.array(begins, dtype=bool)
    if not numbered.any():
        return []
    for n, source in enumerate(tracks.sources):
        at = (tracks.source == n) & numbered[tracks.subject]
        each = np.bincount(tracks.subject[at], minlength=1)
        each = each[each > 0]
        if source not in known and len(each) >= _FEW and (each == 1).mean() >= _PLOTS:
            kind = tracks.subjects[int(tracks.subject[at][0])].partition(":")[0]
            found.append(Sensor(source, "camera" if kind == "camera" else "radar", plots=True))
    return found


def _slices(tracks: Tracks, order: Ints, intake: Intake) -> Iterator[tuple[Array, int]]:
    """The fixes in order of time as sorted reports, and how many of them were refused.

    A report's `row` is the fix's index. No moment is cut in two.
    """
    frame_s = intake.tuning.p["frame_s"][0]
    first = 0
    while first < len(order):
        last = min(first + _AT_ONCE, len(order))
        if last < len(order):
            moment = np.floor(tracks.t[order[last - 1]] / frame_s + 0.5)
            end = (moment + 0.5) * frame_s
            last += int(np.searchsorted(tracks.t[order[last:]], end))
        k = order[first:last]
        refused = [0]

        def refuse(_row: int, _reason: str, refused: list[int] = refused) -> None:
            refused[0] += 1

        batch = Batch(
            sha256="",
            subjects=list(tracks.subjects),
            sources=list(tracks.sources),
            subject=tracks.subject[k].astype(np.int64),
            source=tracks.source[k].astype(np.int64),
            t=tracks.t[k],
            lat=tracks.lat[k],
            lon=tracks.lon[k],
            speed=tracks.speed[k].astype(np.float64),
            course=tracks.course[k].astype(np.float64),
            heading=np.full(len(k), np.nan),
            accuracy=tracks.accuracy[k].astype(np.float64),
            kind=tracks.kind[k].astype(np.int64),
            row=k,
        )
        yield in_order(intake.reports(batch, refuse)), refused[0]
        first = last


def _scanned(tracks: Tracks, intake: Intake, most: int) -> tuple[Ints, Ints, int]:
    """The track of each fix (0 for none), the tracks that were confirmed, and fixes refused."""
    track = np.zeros(len(tracks), dtype=np.int64)
    order = np.argsort(tracks.t, kind="stable")
    book = storage.empty_book(intake.tuning, journal=False)
    table = desk(len(book.tracks), 64)
    into: dict[int, int] = {}
    confirmed: list[Array] = []
    refused = 0
    for reports, bad in _slices(tracks, order, intake):
        refused += bad
        book = storage.with_labels(book, intake.space, intake.sort)
        first = 0
        while first < len(reports):
            first = scan(book, table, reports, first, len(reports))
            events = storage.drained(book)
            for event in events[events["what"] == JOINED]:
                into[int(event["track"])] = int(event["other"])
            confirmed.append(events["track"][events["what"] == GREW])
            if first < len(reports):
                n = int(np.searchsorted(reports["frame"], reports["frame"][first], "right")) - first
                book = storage.with_room(book, n, most)
                if len(book.tracks) > len(table.table.seat) or n > len(table.order):
                    table = desk(len(book.tracks), max(n, len(table.order)))
        track[reports["row"]] = reports["track"]
    grown = np.concatenate(confirmed) if confirmed else np.empty(0, np.int64)
    for gone, end in into.items():
        last = end
        while last in into:
            last = into[last]
        into[gone] = last
    ids, which = np.unique(track, return_inverse=True)
    ids = np.array([into.get(i, i) for i in ids.tolist()], dtype=np.int64)
    return ids[which], np.unique([into.get(i, i) for i in grown.tolist()]), refused


def _names_of(tracks: Tracks, intake: Intake) -> Ints:
    """The label of each fix."""
    wide = max(len(tracks.sources), 1)
    pairs, which = np.unique(
        tracks.subject.astype(np.int64) * wide + tracks.source, return_inverse=True
    )
    label = [
        intake.label(tracks.subjects[p // wide], tracks.sources[p % wide]) for p in pairs.tolist()
    ]
    return np.array(label, dtype=np.int64)[which] if label else np.empty(0, np.int64)


def _subjects(
    tracks: Tracks, track: Ints, label: Ints, intake: Intake
) -> tuple[list[str], dict[str, list[tuple[str, int]]]]:
    """The craft of each fix, empty for none, and what names each craft was heard under.

    A name goes to the track with the most fixes under it, and to others under it that lived
    before or after that one.
    """
    ids, which = np.unique(track, return_inverse=True)
    heard: list[dict[str, int]] = [{} for _ in ids]
    pairs, count = np.unique(np.stack((which, label)), axis=1, return_counts=True)
    for (one, code), n in zip(pairs.T.tolist(), count.tolist(), strict=True):
        if code >= 0:
            heard[one][intake.subject(code)] = n
    begins, ends = np.full(len(ids), np.inf), np.full(len(ids), -np.inf)
    np.minimum.at(begins, which, tracks.t)
    np.maximum.at(ends, which, tracks.t)
    best = [max(h, key=lambda name: (h[name], name)) if h else "" for h in heard]
    taken: dict[str, list[tuple[float, float]]] = defaultdict(list)
    called = [subject_of(int(i)) if i else "" for i in ids]
    size = [heard[k].get(best[k], 0) for k in range(len(ids))]
    for k in sorted(range(len(ids)), key=lambda k: (-size[k], int(ids[k]))):
        spans = taken[best[k]]
        free = all(ends[k] < a or begins[k] > b for a, b in spans)
        if best[k] and ids[k] and free:
            spans.append((begins[k], ends[k]))
            called[k] = best[k]
    names: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for k, own in enumerate(heard):
        for name, n in own.items():
            names[called[k]][name] += n
    ranked = {
        craft: sorted(own.items(), key=lambda pair: (-pair[1], pair[0]))
        for craft, own in names.items()
    }
    return [called[k] for k in which], defaultdict(list, ranked)


def _regrouped(tracks: Tracks, subject: list[str]) -> tuple[Tracks, Ints, Ints]:
    """The tracks with each fix under another subject, or under none.

    Returns:
        them; the subject of each fix that came in; and which of those each fix of them is.
    """
    names = sorted({name for name in subject if name})
    code = {name: n for n, name in enumerate(names)}
    of = np.array([code.get(name, -1) for name in subject], dtype=np.int64)
    kept = np.flatnonzero(of >= 0)
    order = kept[np.lexsort((tracks.row[kept], tracks.file[kept], tracks.t[kept], of[kept]))]
    columns: dict[str, Any] = {}
    for one in fields(tracks):
        column = getattr(tracks, one.name)
        if one.init and isinstance(column, np.ndarray) and len(column) == len(tracks):
            columns[one.name] = column[order]
    columns["subject"] = of[order].astype(np.int32)
    were = {name: n for n, name in enumerate(tracks.subjects)}
    static, said = [], {}
    for n, name in enumerate(names):
        static.append(tracks.static[were[name]] if name in were else Static())
        if name in were and were[name] in tracks.said:
            said[n] = tracks.said[were[name]]
    fused = replace(
        tracks,
        subjects=tuple(names),
        static=tuple(static),
        starts=np.searchsorted(columns["subject"], np.arange(len(names) + 1)).astype(np.int64),
        said=said,
        **columns,
    )
    return fused, of, order
