"""The tracker: reports in, in any order within a lag; tracks out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from cordon.kernel.errors import BadInput
from cordon.kernel.findings import RecordRef
from cordon.picture.model import Position, Refusal
from cordon.picture.tracking import storage
from cordon.picture.tracking.fixes import FixLog
from cordon.picture.tracking.held import Held
from cordon.picture.tracking.intake import Intake
from cordon.picture.tracking.journal import roll_back
from cordon.picture.tracking.layout import JOINED, NAMED, NONE, Array, Record
from cordon.picture.tracking.model import (
    HAPPENINGS,
    Fix,
    Happening,
    Taken,
    TrackState,
    id_of,
    subject_of,
)
from cordon.picture.tracking.scanning import advance_to, desk, scan
from cordon.picture.tracking.states import States, states_of
from cordon.picture.tracking.tuning import Sensor, tuning
from cordon.picture.tracks import Batch, Ints, moment

_REFUSALS_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Turn:
    """What a tick brought.

    Attributes:
        done: reports taken in. redone: those of them taken in before, and again because a late
            one came before them. ids: the tracks that reports moved.
        events: of tracks, settled by this tick, as EVENT, oldest first. names: by label, the
            names that they speak of.
        doubled: reports that only said again what another had said, since the tracker began;
            crowded: those that began no track because there was no room for one.
        lag_s: how late a report may come now: shorter than asked for when too many are held.
    """

    done: int
    redone: int
    ids: Ints
    events: Array
    names: Mapping[int, str]
    doubled: int
    crowded: int
    lag_s: float

    @property
    def changed(self) -> list[str]:
        """The tracks that reports moved, as `track:…`."""
        return [subject_of(int(id_)) for id_ in self.ids]

    @property
    def happenings(self) -> list[Happening]:
        """What happened to tracks and is settled by this tick, oldest first."""
        return [
            Happening(
                HAPPENINGS[event["what"]],
                moment(event["t"]),
                subject_of(int(event["track"])),
                subject_of(int(event["other"]))
                if event["what"] == JOINED
                else self.names.get(int(event["other"]), ""),
            )
            for event in self.events
        ]


class Tracker:
    """Reports of many sensors become one track each.

    Reports may come in any order. One that is later than others by no more than the lag gives
    the same tracks as if it had come in order: the moments after it are undone and done again.
    One that is later still is refused and told as late. Not safe to call from two threads at once.

    Args:
        sensors: what is known of sensors by their source; others are taken by kind.
        values: parameters by name, see `tuning.yaml`. craft: numbers of kinds of craft, likewise.
        lag_s: how late a report may come. hold_s: how long reports wait for later ones before
            they are taken in; with 0 tracks are newest, and late reports cost more.
        most_tracks, most_held, most_fixes: bounds of what is kept: living tracks, reports within
            the lag (with more, the lag gets shorter), settled fixes.

    Raises:
        BadInput: a parameter or sensor is none, or out of bounds.
    """

    def __init__(
        self,
        sensors: Iterable[Sensor] = (),
        *,
        values: Mapping[str, float] | None = None,
        craft: Mapping[str, Mapping[str, float]] | None = None,
        lag_s: float = 60.0,
        hold_s: float = 0.0,
        most_tracks: int = 200_000,
        most_held: int = 500_000,
        most_fixes: int = 1_000_000,
    ) -> None:
        if not (lag_s >= 0.0 and 0.0 <= hold_s <= max(lag_s, 0.0)):
            raise BadInput("The lag of tracking is 0 s or more, and what is held is no longer.")
        self._tuning = tuning(values, sensors, craft)
        self._frame_s = float(self._tuning.p["frame_s"][0])
        self._intake = Intake(self._tuning)
        self._book = storage.empty_book(self._tuning)
        self._desk = desk(len(self._book.tracks), 64)
        self._held = Held()
        self._fixes = FixLog(most_fixes)
        self._lag_s, self._hold_s = lag_s, hold_s
        self._most_tracks, self._most_held = most_tracks, most_held
        self._settled = storage.NEVER  # moments before this one are settled
        self._dirty = -storage.NEVER  # the first moment with reports that are not taken in
        self._front = -math.inf  # s: the newest report, or the tick's own time

    @property
    def _c(self) -> Any:
        return storage.counts(self._book)

    def __len__(self) -> int:
        """Living tracks."""
        return int(self._c["live"])

    def take(
        self, some: Iterable[Batch] | Iterable[Position], now: datetime | None = None
    ) -> Taken:
        """Take batches or positions, in any order; they move tracks at the next tick.

        Args:
            now: the node's time; a report from more than five minutes ahead of it is refused,
                because one wrong clock would make every other report late.
        """
        taken = Taken()

        def refuse(row: int, reason: str) -> None:
            taken.refused += 1
            if len(taken.refusals) < _REFUSALS_KEPT:
                taken.refusals.append(Refusal(row, reason))

        for batch in _batches(some):
            reports = self._intake.reports(batch, refuse, now.timestamp() if now else None)
            late = reports["frame"] < self._settled
            if late.any():
                for row in reports["row"][late]:
                    refuse(int(row), f"it came later than the lag of {self._lag_s:g} s")
                taken.late += int(late.sum())
                reports = reports[~late]
            if len(reports):
                self._dirty = min(self._dirty, int(reports["frame"].min()))
                self._front = max(self._front, float(reports["t"].max()))
                again = self._held.put(reports)
                taken.repeated += again
                taken.kept += len(reports) - again
        self._book = storage.with_labels(self._book, self._intake.space, self._intake.sort)
        return taken

    def tick(self, now: datetime | None = None) -> Turn:
        """Take in what was taken, and let time go on to `now`, or to the newest report."""
        front = max(self._front, now.timestamp()) if now else self._front
        if front == -math.inf:
            return Turn(0, 0, np.empty(0, np.int64), self._book.events[:0], {}, 0, 0, self._lag_s)
        self._front = front
        redone = 0
        until = self._frame(front - self._hold_s)
        if self._dirty <= self._c["frame"]:
            done_to = int(self._c["frame"])
            roll_back(self._book, self._dirty)
            redone = self._held.before(done_to + 1) - self._held.before(self._dirty)
        first, last = self._held.before(int(self._c["frame"]) + 1), self._held.before(until + 1)
        self._scan(first, last)
        waiting = self._held.reports["frame"][last : last + 1]
        self._dirty = int(waiting[0]) if len(waiting) else -storage.NEVER
        self._go_on(until)
        ids = np.unique(self._held.reports["track"][first:last])
        events = self._settle(front)
        spoken = events["other"][(events["what"] == NAMED) & (events["other"] != NONE)].tolist()
        turn = Turn(
            done=last - first,
            redone=redone,
            ids=ids[ids > 0],
            events=events,
            names={label: self._intake.labels.names[label] for label in spoken},
            doubled=int(self._c["doubled"]),
            crowded=int(self._c["crowded"]),
            lag_s=max(0.0, front - self._settled * self._frame_s),
        )
        self._forget()
        return turn

    def states(self, at: datetime | None = None, *, tentative: bool = False) -> States:
        """All living tracks as columns, at a moment.

        Args:
            at: each track is carried on to this moment; absent, the newest report's or tick's.
            tentative: those not yet confirmed as well.
        """
        t = at.timestamp() if at else self._front
        return states_of(self._book, self._intake, t, tentative)

    def state(self, subject: str, at: datetime | None = None) -> TrackState | None:
        """One living track, tentative or not; None where there is none."""
        return self.states(at, tentative=True).of(subject)

    def fixes(self, subject: str) -> list[Fix]:
        """The reports that made a track, oldest first, as far back as is kept."""
        try:
            id_ = id_of(subject)
        except ValueError:
            return []
        log, reports = self._fixes, self._held.reports
        found = [self._fix(log.all[k], settled=True) for k in log.rows_of(id_)]
        ids = [id_, *(gone for gone, into in self._joined().items() if into == id_)]
        found += [
            self._fix(reports[k], settled=False)
            for k in np.flatnonzero(np.isin(reports["track"], ids))
        ]
        return sorted(found, key=lambda fix: fix.at)

    def _fix(self, one: Record, *, settled: bool) -> Fix:
        sha256 = self._intake.files.names[one["file"]]
        return Fix(
            at=moment(one["t"]),
            lat=float(one["lat"]),
            lon=float(one["lon"]),
            source=self._intake.sources.names[one["source"]],
            subject=self._intake.subject(int(one["label"])),
            record=RecordRef(sha256, int(one["row"])) if sha256 else None,
            settled=settled,
        )

    def _frame(self, t: float) -> int:
        """The last moment that has ended by t."""
        return math.floor(t / self._frame_s + 0.5)

    def _scan(self, first: int, last: int) -> None:
        reports = self._held.reports
        while first < last:
            first = scan(self._book, self._desk, reports, first, last)
            if first < last:
                n = self._held.before(int(reports["frame"][first]) + 1) - first
                self._make_room(n)

    def _make_room(self, reports: int) -> None:
        self._book = storage.with_room(self._book, reports, self._most_tracks)
        rows, most = len(self._book.tracks), len(self._desk.order)
        if rows > len(self._desk.table.seat) or reports > most:
            self._desk = desk(rows, max(most, reports))

    def _go_on(self, frame: int) -> None:
        """Let time go on to a moment of which there may be no report."""
        if frame > self._c["frame"]:
            self._make_room(1)
            advance_to(self._book, frame)

    def _settle(self, front: float) -> Array:
        """Settle what lies before the lag, or what is more than may be held; its events."""
        settled = self._frame(front - self._lag_s)
        if len(self._held) > self._most_held:
            settled = max(settled, int(self._held.reports["frame"][-self._most_held]))
        # what was not taken in yet waits for the tick that does it
        settled = max(min(settled, int(self._c["frame"]) + 1), self._settled)
        self._settled = settled
        events = storage.settle(self._book, settled)
        n = self._held.before(settled)
        self._fixes.put(self._held.reports[:n])
        self._held.drop(n)
        for event in events[events["what"] == JOINED]:
            self._fixes.join(int(event["track"]), int(event["other"]))
        return events

    def _joined(self) -> dict[int, int]:
        """Tracks that went into others and whose merging is not settled: which they are now."""
        joined: dict[int, int] = {}
        for event in self._book.events[self._c["settled_events"] : self._c["events"]]:
            if event["what"] == JOINED:
                gone, into = int(event["track"]), int(event["other"])
                joined = {a: into if b == gone else b for a, b in joined.items()}
                joined[gone] = into
        return joined

    def _forget(self) -> None:
        """Give back the memory of names that nothing speaks of any more."""
        kept, reports = self._fixes.kept, self._held.reports
        if self._intake.files.crowded:
            new = self._intake.files.compact(np.concatenate((kept["file"], reports["file"])))
            kept["file"], reports["file"] = new[kept["file"]], new[reports["file"]]
        if self._intake.labels.crowded:
            used = (kept["label"], reports["label"], storage.labels_in(self._book))
            new = self._intake.compact_labels(np.concatenate(used))
            kept["label"], reports["label"] = new[kept["label"]], new[reports["label"]]
            self._book = storage.relabelled(self._book, new, self._intake.space, self._intake.sort)


def _batches(some: Iterable[Batch] | Iterable[Position]) -> list[Batch]:
    batches: list[Batch] = []
    loose: list[Position] = []
    for one in some:
        if isinstance(one, Batch):
            batches.append(one)
        else:
            loose.append(one)
    return batches + Batch.of(loose)
