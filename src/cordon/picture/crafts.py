"""Which craft are heard now, and under which names: the tracker beside the live picture.

What is shown is given to it as well, at the price of a reference: everything else is done some
seconds later, in the thread of the steps. Of a subject that is heard all the time one report in
`EVERY_S` is enough to tell who is who and where, so that the cost goes with the craft that are
heard and not with how often they speak.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from cordon.kernel.clock import format_time
from cordon.picture.model import Position
from cordon.picture.tracks import Batch, Bools, Floats, moment

if TYPE_CHECKING:
    from cordon.picture.tracking import Evidence, States, Tracker, TrackState

log = logging.getLogger(__name__)

EVERY_S = 5.0  # seconds between two passes, and between two reports of a subject that are taken
LAG_S = 60.0  # a report that is later than this moves no track
HOLD_S = 10.0  # so long reports wait for others, as taking them in again costs more
BACK = timedelta(minutes=30)  # of what is read back at a start
NOW = timedelta(minutes=10)  # a name that was not heard for longer is none of now
MOST_WAITING = 300_000  # reports that wait for a pass
MOST_A_PASS = 25_000  # reports of a pass: some tenths of a second of one core
MOST_TRACKS = 100_000
_NOBODY = ("sensor:", "plot:")  # two reports under such a subject are not of one craft


@dataclass(frozen=True, slots=True)
class Craft:
    """A craft as it is tracked now.

    Attributes:
        state: its track. names: what it was heard as in the last minutes, the likeliest first.
        accuracy_m: the longer half axis of the ellipse of one standard deviation.
    """

    state: TrackState
    names: tuple[Evidence, ...]

    @property
    def accuracy_m(self) -> float:
        """How well its place is known."""
        return self.state.major_m

    def others(self, subject: str) -> tuple[Evidence, ...]:
        """What it was heard as beside this."""
        return tuple(e for e in self.names if e.subject != subject)

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        s = self.state
        return {
            "craft": s.subject,
            "at": format_time(s.at),
            "lat": round(s.lat, 6),
            "lon": round(s.lon, 6),
            "speed_kn": round(s.speed_kn, 2),
            "course_deg": round(s.course_deg, 1),
            "accuracy_m": round(self.accuracy_m, 1),
            "kind": s.kind,
            "life": s.life,
            "heard_as": [
                {
                    "subject": e.subject,
                    "odds": round(e.odds, 1),
                    "first": format_time(e.first),
                    "last": format_time(e.last),
                }
                for e in self.names
            ],
            "sources": list(s.sources),
        }


class Crafts:
    """Craft that are heard now; `take` and what asks may be called from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # of what waits
        self._waiting: deque[Batch] = deque()
        self._rows = 0
        self._tracker: Tracker | None = None
        self._warming: threading.Thread | None = None
        self._ticked: datetime | None = None
        self._codes: dict[tuple[str, str], int] = {}  # of subjects and sources
        # the last step in which a report of each was taken
        self._last: Floats = np.full(1024, -np.inf)
        self._now: _Now | None = None
        self.left_out = 0  # reports for which there was no room, since the start

    def take(self, batch: Batch) -> None:
        """Listen to positions as they are shown."""
        with self._lock:
            self._waiting.append(batch)
            self._rows += len(batch)
            while self._rows > MOST_WAITING and len(self._waiting) > 1:
                gone = len(self._waiting.popleft())
                self._rows -= gone
                self.left_out += gone

    def warm(self) -> None:
        """Load what is compiled, which takes seconds; until then nothing is tracked."""
        from cordon.picture.tracking import Tracker

        tracker = Tracker(lag_s=LAG_S, hold_s=0.0)
        tracker.take([Position(datetime.fromtimestamp(1.7e9, UTC), "-", "plot:1", 0.0, 0.0)])
        tracker.tick()
        tracker.states()
        self._tracker = _tracker()

    def tick(self, now: datetime) -> None:
        """Take in what waits, where some seconds have passed."""
        if self._ticked is None:  # what comes in the first seconds of a start is taken together
            self._ticked = now if self._waiting else None
            return
        if timedelta(0) <= now - self._ticked < timedelta(seconds=EVERY_S):
            return
        if self._tracker is None:
            if self._warming is None and self._waiting:
                self._warming = threading.Thread(
                    target=self._warm, name="picture-crafts", daemon=True
                )
                self._warming.start()
            return
        since = now - (timedelta(seconds=LAG_S) if self._now is not None else BACK)
        with self._lock:
            some, self._waiting, self._rows = list(self._waiting), deque(), 0
        try:
            self._tracker.take(self._thinned(some, since.timestamp(), now.timestamp()), now)
            self._tracker.tick(now)
            self._now = _Now(self._tracker.states())
        except Exception:
            self._tracker, self._now = _tracker(), None  # its tracks may be half changed
            self._forget()
            raise
        finally:
            self._ticked = now

    def _warm(self) -> None:
        try:
            self.warm()
        except Exception:
            log.exception("the tracker could not be loaded; no craft are told")

    def _thinned(self, some: list[Batch], since: float, now: float) -> list[Batch]:
        """Of each subject one report in EVERY_S, none that is late; at most MOST_A_PASS of all."""
        if len(self._codes) > 4 * MOST_TRACKS:
            self._forget()
        out, room = [], MOST_A_PASS
        for batch in some:
            keep = (batch.t >= since) & (batch.t <= now + LAG_S)
            if keep.any():
                keep &= self._new(batch, keep)
                out.append(batch.take(keep))
        for n in range(len(out) - 1, -1, -1):  # where there is no room for all, the newest stay
            many = len(out[n])
            if many > room:
                self.left_out += many - room
                out[n] = out[n].take(np.arange(many) >= many - room)
            room -= len(out[n])
        return [batch for batch in out if len(batch)]

    def _new(self, batch: Batch, sound: Bools) -> Bools:
        """Which reports are taken: the first of a subject and source in each step of EVERY_S.

        Two sensors may give one number to two craft.
        """
        wide = max(len(batch.sources), 1)
        k = np.flatnonzero(sound)
        order = np.lexsort((batch.t[k], batch.subject[k] * wide + batch.source[k]))
        k = k[order]
        pairs, which = np.unique(batch.subject[k] * wide + batch.source[k], return_inverse=True)
        names = [(batch.subjects[p // wide], batch.sources[p % wide]) for p in pairs.tolist()]
        code = np.array([self._codes.setdefault(name, len(self._codes)) for name in names])
        while len(self._last) < len(self._codes):
            self._last = np.concatenate((self._last, np.full(len(self._last), -np.inf)))
        step = np.floor(batch.t[k] / EVERY_S)
        first = step != self._last[code[which]]
        first[1:] &= (np.diff(which) != 0) | (np.diff(step) != 0)
        first |= np.array([name.startswith(_NOBODY) for name, _ in names])[which]
        np.maximum.at(self._last, code[which], step)
        new = np.zeros(len(batch), dtype=bool)
        new[k[first]] = True
        return new

    def _forget(self) -> None:
        self._codes, self._last = {}, np.full(1024, -np.inf)

    # what is asked

    def of(self, subject: str) -> tuple[Craft, ...]:
        """The craft that are heard as this now, the one heard last first; none where none is."""
        now = self._now
        return now.of(subject) if now is not None else ()

    def others(self) -> Mapping[str, tuple[str, ...]]:
        """For each subject whose craft is heard as others too, which; the likeliest first."""
        now = self._now
        return now.others() if now is not None else {}

    def of_several(self) -> list[Craft]:
        """All craft that are heard under more than one name now."""
        now = self._now
        return now.of_several() if now is not None else []


def _tracker() -> Tracker:
    from cordon.picture.tracking import Tracker

    return Tracker(
        lag_s=LAG_S, hold_s=HOLD_S, most_tracks=MOST_TRACKS, most_held=MOST_WAITING, most_fixes=1
    )


class _Now:
    """The tracks of one pass, and what is heard under which name; looked up when first asked."""

    def __init__(self, states: States) -> None:
        self._states = states
        self._lock = threading.Lock()
        self._by: dict[str, list[int]] | None = None
        self._several: list[Craft] = []
        self._others: dict[str, tuple[str, ...]] = {}

    def of(self, subject: str) -> tuple[Craft, ...]:
        self._look()
        by = self._by or {}
        found = [self._craft(k) for k in by.get(subject, ())]
        return tuple(sorted(found, key=lambda c: c.state.seen, reverse=True))

    def others(self) -> Mapping[str, tuple[str, ...]]:
        self._look()
        return self._others

    def of_several(self) -> list[Craft]:
        self._look()
        return self._several

    def _craft(self, k: int) -> Craft:
        state = self._states.state(k)
        oldest = moment(self._states.t) - NOW
        return Craft(state, tuple(e for e in state.evidence if e.last >= oldest))

    def _look(self) -> None:
        with self._lock:
            if self._by is not None:
                return
            by: dict[str, list[int]] = {}
            s = self._states
            told = s.told(s.t - NOW.total_seconds())
            for k, j in zip(*(side.tolist() for side in np.nonzero(told)), strict=True):
                by.setdefault(s.names.subject(int(s.label[k, j])), []).append(k)
            several = np.flatnonzero(told.sum(axis=1) > 1).tolist()
            found = [self._craft(k) for k in several]
            others: dict[str, tuple[str, ...]] = {}
            for craft in found:
                for one in craft.names:
                    also = tuple(e.subject for e in craft.others(one.subject))
                    if also:
                        others[one.subject] = (*others.get(one.subject, ()), *also)
            self._several, self._others = found, others
            self._by = by  # last: it says that the rest is there
