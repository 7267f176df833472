"""What was planted, who reported it, and the truth that is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cordon.exercise.model import Truth
from cordon.exercise.worlds.paths import Floats
from cordon.exercise.worlds.seeing.rows import Names, Rows
from cordon.kernel.geo import point

LEAST_REPORTS = 3  # of a subject within an event's span, for it to stand in the truth
LEAST_SHARE = 0.1  # of the reports of the one with most: less is a glimpse by another sensor


@dataclass(frozen=True, slots=True)
class Event:
    """Something planted.

    Attributes:
        kind: of the finding that should tell it. crafts: serials of those who did it.
        start, end: s, true time. zone: id, or empty. note: a sentence.
        only: types of subject that it is told of (`mmsi`); all where empty.
        until_heard: the true span is from the last report before to the first one after.
        margin_s: subjects that report within so long before and after belong to it too.
        windows: of each craft the span (s) in which its subjects belong to it; the event's own
            where empty.
        place: latitude and longitude (degrees), or None.
    """

    kind: str
    crafts: tuple[int, ...]
    start: float
    end: float
    zone: str = ""
    note: str = ""
    only: tuple[str, ...] = ()
    until_heard: bool = False
    margin_s: float = 0.0
    windows: tuple[tuple[float, float], ...] = ()
    place: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """Reports of some craft, by time.

    Attributes:
        rows: sorted by `t`.
    """

    rows: Rows

    @classmethod
    def of(cls, rows: Rows) -> Heard:
        return cls(rows.take(np.argsort(rows.t, kind="stable")))

    def within(self, start: float, end: float, *crafts: int) -> Rows:
        """Reports of craft from `start` to `end` (s)."""
        low, high = np.searchsorted(self.rows.t, (start, end))
        some = self.rows.take(np.arange(low, high))
        return some.take(np.isin(some.who, crafts)) if crafts else some

    def silence(self, start: float, end: float, craft: int) -> float:
        """The longest time (s) of a span without a report of a craft."""
        t = self.within(start, end, craft).t
        return float(np.diff(np.concatenate([[start], t, [end]])).max())

    def subjects(self, start: float, end: float, craft: int) -> list[tuple[int, float, float, int]]:
        """Of each subject that a craft had: code, first and last report (s), their number; the
        one with most reports first."""
        rows = self.within(start, end, craft)
        made = []
        for code in np.unique(rows.subject):
            t = rows.t[rows.subject == code]
            made.append((int(code), float(t[0]), float(t[-1]), len(t)))
        return sorted(made, key=lambda m: (-m[3], m[0]))

    def followed(self, start: float, end: float, craft: int) -> float:
        """The share of a span through which one subject alone follows a craft."""
        some = self.subjects(start, end, craft)
        return max((b - a for _, a, b, _ in some), default=0.0) / max(1.0, end - start)

    def plain(self, event: Event) -> float:
        """Jaccard overlap with the truth of a finding that names one subject of each craft."""
        told = 0
        span = event.start - event.margin_s, event.end + event.margin_s
        for craft in event.crafts:
            count = np.array([n for *_, n in self.subjects(*span, craft)])
            told += max(1, int(named(count).sum()))
        return len(event.crafts) / told


@dataclass(slots=True)
class Record:
    """What was reported of those who belong to something planted, while a world is written.

    Args:
        crafts: their serials.
    """

    crafts: set[int]
    _parts: list[Rows] = field(default_factory=list)

    def note(self, rows: Rows) -> None:
        """Keep what concerns them."""
        self._parts.append(rows.take(np.isin(rows.who, list(self.crafts))))

    def heard(self) -> Heard:
        """What was noted so far, by time."""
        return Heard.of(Rows.joined(self._parts))

    def truths(self, events: Sequence[Event], subjects: Names, begins: datetime) -> list[Truth]:
        """The truth of each event, by time.

        Subjects are all under which its craft were reported within its span. Spans are those
        of the exercise's own clock; where an event is a silence, those of the reports about it.
        """
        heard = self.heard()
        truths = [t for e in events if (t := _truth(e, heard, subjects, begins)) is not None]
        return sorted(truths, key=lambda t: (t.start, t.kind, t.subjects))


def _truth(event: Event, heard: Heard, names: Names, begins: datetime) -> Truth | None:
    start, end = event.start, event.end
    rows = heard.within(start - event.margin_s, end + event.margin_s + 1, *event.crafts)
    if event.until_heard:
        around = heard.within(-np.inf, np.inf, *event.crafts)
        around = around.take(_of_types(around, event.only, names))
        before, after = around.t[around.t <= start], around.t[around.t >= end]
        start = float(before[-1]) if len(before) else start
        end = float(after[0]) if len(after) else end
        rows = around.take((around.t >= start - 1) & (around.t <= end + 1))
    rows = rows.take(_of_types(rows, event.only, names))
    told = []
    for i, craft in enumerate(event.crafts):
        mine = rows.who == craft
        if event.windows:
            mine &= (rows.t >= event.windows[i][0]) & (rows.t <= event.windows[i][1])
        own = rows.subject[mine]
        codes, count = np.unique(own, return_counts=True)
        which = named(count)
        told += [names.texts[c] for c in codes[which if which.any() else count > 0]]
    told = sorted(set(told))
    if not told:
        return None
    zone = [f"zone:{event.zone}"] if event.zone else []
    place: dict[str, Any] | None = None
    if event.place is not None:
        place = point(*event.place)
    elif len(rows):
        place = point(float(rows.lat[0]), float(rows.lon[0]))
    return Truth(
        event.kind,
        tuple(sorted([*told, *zone])),
        begins + timedelta(seconds=round(start)),
        begins + timedelta(seconds=max(round(start) + 1, round(end))),
        place,
        event.note,
    )


def named(count: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which subjects of one craft stand in a truth, by how many reports each has."""
    return np.asarray(count >= max(LEAST_REPORTS, LEAST_SHARE * count.max(initial=0)))


def _of_types(rows: Rows, types: tuple[str, ...], names: Names) -> NDArray[np.bool_]:
    if not types:
        return np.ones(len(rows), bool)
    wanted = [i for i, text in enumerate(names.texts) if text.partition(":")[0] in types]
    return np.isin(rows.subject, wanted)


def longest(t: Floats) -> float:
    """The longest time between two of some moments (s); 0 where there are fewer."""
    return float(np.diff(np.sort(t)).max()) if len(t) > 1 else 0.0
