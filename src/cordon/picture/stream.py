"""Behaviours over positions as they come: what is telling at once, and the whole window in turn.

Two passes share what was told. The whole pass (`tick`) runs every behaviour over everything the
window holds; it is the one that counts. The pass at once (`tick_at_once`) runs the behaviours
that speak of one craft alone over those few whose last step is telling: it met the outline of a
zone, is faster than a craft goes, or is a sensor's trip. What it tells, the whole pass confirms,
says more of, or takes back.
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from cordon.kernel.findings import Finding
from cordon.kernel.geo import distance_m
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE, MS_PER_KNOT
from cordon.picture import apart
from cordon.picture.apart import Apart, Found
from cordon.picture.behaviours import Behaviour, streamed
from cordon.picture.model import KINDS, Position, Zone
from cordon.picture.telling import Told, Withdrawal
from cordon.picture.tracks import Batch, Floats, Ints, Tracks
from cordon.picture.window import Heard, Window
from cordon.picture.zonegrid import grid_of

log = logging.getLogger(__name__)

MOST_FIXES = 3_000_000
_AT_ONCE = frozenset(
    (
        "picture.zone_entry",
        "picture.zone_exit",
        "picture.border_crossing",
        "picture.drone_crossing",
        "picture.impossible_move",
        "picture.sensor_trip",
    )
)
"""Kinds that need one craft's own fixes and those of own units, and nothing of others."""

_QUIET = frozenset(("port", "anchorage", "lane", "official_crossing", "pilotage", "fishing_ground"))
"""Kinds of zones whose outlines are met all day; nothing is told of that at once."""

_MOST_AT_ONCE = 1_000  # subjects of one pass at once; the others wait for the whole pass
_WHOLE_FOR_S = 1_800.0  # so long every fix of one whose step was telling stays
_LONGEST_STEP_S = 8 * 3600.0
# faster than any craft, by more than its position and its clock may be wrong; cf. the card of
# impossible_move, which then looks at the whole track
_FAST_KN, _FLYING_KN, _SLACK_NM, _TIME_ERROR_S = 110.0, 1_200.0, 1.0, 10.0
_AIRCRAFT = KINDS.index("aircraft")


@dataclass(frozen=True, slots=True)
class Taken:
    """What was noticed of positions as they came.

    Attributes:
        telling: `tick_at_once` has something to look at; so is the value's truth.
        impossible: reports that no craft could follow from the one before.
    """

    telling: bool
    impossible: int = 0

    def __bool__(self) -> bool:
        return self.telling


class StreamDetector:
    """Behaviours over a rolling window; every method may be called from any thread.

    Cost of a whole pass: a merge, some 0.4 s a million fixes, and the behaviours over them.
    Memory: some 60 bytes a fix, twice while a pass lasts, bounded by `most`.

    Args:
        window: how far back is looked. most: fixes held; beyond it older ones are thinned.
        beside: the process in which a pass over many runs; here where absent.
    """

    def __init__(
        self,
        zones: Sequence[Zone] = (),
        *,
        chosen: Sequence[Behaviour] | None = None,
        values: Mapping[str, Mapping[str, float]] | None = None,
        window: timedelta = timedelta(hours=24),
        most: int = MOST_FIXES,
        beside: Apart | None = None,
    ) -> None:
        self.zones = list(zones)
        self._apart, self._closed = beside, False
        self._behaviours = list(streamed() if chosen is None else chosen)
        self._values = {
            b.CARD.name: b.CARD.values((values or {}).get(b.CARD.name)) for b in self._behaviours
        }
        self.window = Window(window, most)
        self._told = Told(window)
        self._lock = threading.Lock()
        self._telling: OrderedDict[str, None] = OrderedDict()
        self._whole: dict[str, float] = {}  # subjects of which every fix stays, until when (s)
        self._units: set[str] = set()
        self._sensors: set[str] = set()
        self._changed = False

    def take(self, some: Batch | Iterable[Position], now: datetime | None = None) -> Taken:
        """Take new positions, in any order.

        Args:
            now: the node's time; a report from more than five minutes ahead of it is passed
                over, because one wrong clock would push everything else out of the window.
        """
        impossible = 0
        for heard in self.window.take(some, now, self._whole):
            self._changed = True
            telling, fast = self._steps(heard)
            impossible += fast
            end = self.window.latest + _WHOLE_FOR_S
            with self._lock:
                for name in telling:
                    self._whole[name] = end
                    if len(self._telling) < _MOST_AT_ONCE:
                        self._telling[name] = None
        return Taken(bool(self._telling), impossible)

    def _steps(self, heard: Heard) -> tuple[set[str], int]:
        """Who made a telling step in what was heard, and how many steps no craft can make."""
        b, order, own = heard.batch, heard.order, heard.own[heard.order]
        t, lat, lon = b.t[order], b.lat[order], b.lon[order]
        first = np.append(True, np.diff(own) != 0)
        pairs = ((heard.t, t), (heard.lat, lat), (heard.lon, lon))
        before = [np.where(first, of[own], np.roll(now, 1)) for of, now in pairs]
        dt = t - before[0]
        step = np.flatnonzero((dt >= 0) & (dt <= _LONGEST_STEP_S))
        way = distance_m(before[1][step], before[2][step], lat[step], lon[step])
        flies = b.kind[order[step]] == _AIRCRAFT
        limit = np.where(flies, _FLYING_KN, _FAST_KN) * MS_PER_KNOT
        reach = limit * (dt[step] + _TIME_ERROR_S) + _SLACK_NM * METRES_PER_NAUTICAL_MILE
        fast = way > reach
        for i in np.flatnonzero(np.isnan(heard.t)).tolist():  # who was never heard before
            name = heard.names[i]
            if name.startswith("sensor:"):
                self._sensors.add(name)
            elif name.startswith("unit:"):
                self._units.add(name)
        found = []
        if self._sensors:
            found = [i for i, name in enumerate(heard.names) if name in self._sensors]
        found += own[step[fast]].tolist()
        zones = [z for z in self.zones if z.kind not in _QUIET]
        if zones:
            found += self._met(zones, own, before, lat, lon, step[dt[step] > 0])
        return {heard.names[i] for i in found}, int(fast.sum())

    def _met(
        self,
        zones: Sequence[Zone],
        own: Ints,
        before: Sequence[Floats],
        lat: Floats,
        lon: Floats,
        step: Ints,
    ) -> list[int]:
        """Who met a zone's outline, or was first heard inside one."""
        grid = grid_of(zones)
        found: list[int] = []
        if len(step):
            y = np.concatenate((before[1][step], lat[step]))
            x = np.concatenate((before[2][step], lon[step]))
            n = np.arange(len(step))
            _, ways = grid.meets(y, x, n, n + len(step))
            found += own[step[ways]].tolist()
        new = np.flatnonzero(np.isnan(before[0]))
        if len(new):
            _, points = grid.points(lat[new], lon[new])
            found += own[new[points]].tolist()
        return found

    def warm(self) -> None:
        """Load what is compiled for steps over zones, so that no feed waits for it."""
        far = np.array([0.0, 0.001])
        zones = [z for z in self.zones if z.kind not in _QUIET]
        if zones:
            grid_of(zones).meets(far, far, np.array([0]), np.array([1]))
            grid_of(zones).points(far, far)

    def held(self, subject: str) -> list[Position]:
        """Positions of a subject in the window, oldest first."""
        tracks = self.window.some([subject])
        return list(_positions(tracks))

    def remember(self, findings: Iterable[Finding]) -> None:
        """These were told before, so that they are not told again as new."""
        self._told.remember(findings)

    def tick_at_once(self) -> list[Finding]:
        """Findings, new or saying more, of those whose last step was telling."""
        with self._lock:
            names, self._telling = list(self._telling), OrderedDict()
            units = list(self._units)
        if not names:
            return []
        wanted = set(names)
        tracks = self.window.some([*names, *units])
        chosen = [
            b for b in self._behaviours if b.CARD.kind in _AT_ONCE or getattr(b, "AT_ONCE", False)
        ]
        found, _ = apart.look(chosen, tracks, list(self.zones), self._values)
        return self._told.new(
            [f for f in found if not wanted.isdisjoint(f.subjects)], self.window.begin
        )

    def tick(self) -> list[Finding]:
        """Findings that are new since the last pass, or say more than when last told.

        Ids are as `detect` gives them over the same positions. A visit or episode whose begin
        the window has passed, or whose begin a late report has moved, keeps the id under which
        it was first told. What no longer holds is given by `withdrawn`.
        """
        if not self._changed:
            return []
        self._changed = False
        late = self.window.late()
        tracks = self.window.tracks(keep=self._told.records())
        begin = self.window.begin
        found, sound = self._whole_pass(tracks)
        with self._lock:
            self._whole = {n: t for n, t in self._whole.items() if t > self.window.latest}
        given = self._told.new(found, begin)
        self._told.compare(found, sound, late, begin, thinned=self.window.step_s > 0)
        return given

    def look_again(self) -> list[Finding]:
        """A whole pass although nothing came: where nothing more will come, what is no longer
        found needs its second look all the same."""
        self._changed = True
        return self.tick()

    def withdrawn(self) -> list[Withdrawal]:
        """Findings that were told and no longer hold, each once."""
        return self._told.withdrawn()

    def doubts(self) -> bool:
        """True where something told was missed by the last pass, and not taken back yet."""
        return self._told.doubts()

    def untold(self, findings: Iterable[Finding], back: Iterable[Withdrawal] = ()) -> None:
        """These could not be passed on: they are given again, the findings where they still hold.

        Args:
            back: what `withdrawn` gave.
        """
        self._told.untold(findings, back)
        self._changed = True

    def spoken_of(self) -> set[str]:
        """Subjects of which something was told that holds."""
        return self._told.subjects()

    def _whole_pass(self, tracks: Tracks) -> Found:
        """All behaviours over all that is held, in a process apart where that is much."""
        zones = list(self.zones)
        if self._apart is not None and len(tracks) >= apart.LEAST_FIXES:
            try:
                names = [b.CARD.name for b in self._behaviours]
                return self._apart.look(names, tracks, zones, self._values)
            except Exception:
                if self._closed:
                    return [], frozenset()
                log.exception("the process of the behaviours failed; they run here this once")
        return apart.look(self._behaviours, tracks, zones, self._values)

    def close(self) -> None:
        """End what runs beside."""
        self._closed = True
        if self._apart is not None:
            self._apart.close()


def _positions(tracks: Tracks) -> Iterable[Position]:
    """The fixes of tracks as typed values."""
    from cordon.picture.tracks import moment

    for k in range(len(tracks)):
        static = tracks.static[tracks.subject[k]]
        speed, course, accuracy = (
            None if np.isnan(v) else float(v)
            for v in (tracks.speed[k], tracks.course[k], tracks.accuracy[k])
        )
        yield Position(
            moment(tracks.t[k]),
            tracks.sources[tracks.source[k]],
            tracks.subjects[tracks.subject[k]],
            float(tracks.lat[k]),
            float(tracks.lon[k]),
            speed,
            course,
            None,
            accuracy,
            KINDS[tracks.kind[k]],
            static.name,
            static.imo,
            static.call_sign,
            static.ship_type,
            static.flag,
            tracks.record(k) if tracks.files[tracks.file[k]] else None,
        )
