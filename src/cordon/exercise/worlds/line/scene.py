"""Who moves along a frontier and what sees them, slice by slice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from cordon.exercise.worlds.line import patrols, roads
from cordon.exercise.worlds.line.crowd import Crowd
from cordon.exercise.worlds.line.eyes import Eyes
from cordon.exercise.worlds.line.ground import Ground
from cordon.exercise.worlds.line.mover import Mover
from cordon.exercise.worlds.line.sensors import Sensors
from cordon.exercise.worlds.paths import Floats
from cordon.exercise.worlds.seeing.echoes import Tracker, renamed
from cordon.exercise.worlds.seeing.motion import motion
from cordon.exercise.worlds.seeing.rows import Names, Rows, Sayings
from cordon.exercise.worlds.seeing.streams import Streams, between, times
from cordon.exercise.worlds.seeing.sun import nights

Data = dict[str, Any]
_HOUR = 3600.0
_SLICE_S = 6 * _HOUR
TRACKERS = "BFT"


@dataclass(frozen=True, slots=True)
class Seen:
    """What is reported of one mover in a slice: by its tracker and ground sensors, and by each
    eye (its number and rows)."""

    rows: list[Rows]
    eyes: list[tuple[int, Rows]]


class Scene:
    """One world while it is made.

    Args:
        data: the whole YAML. begins: aware UTC. span: s.
    """

    def __init__(self, data: Data, seed: int, begins: datetime, span: float, scale: float) -> None:
        local = begins.astimezone(ZoneInfo(data["zone"]))
        self.data, self.span, self.scale, self.begins = data, span, scale, begins
        self.streams = streams = Streams(seed)
        self.ground = Ground(data["ground"], streams)
        local_h = local.hour + local.minute / 60.0
        self.crowd = Crowd(data, self.ground, streams, span, scale, local_h)
        self.dark = nights(begins, span, self.ground.lat0, self.ground.lon0 + 1.5)
        self.sources, self.subjects, self.sayings = Names(), Names(), Sayings()
        count = int(data["ground"]["sectors"])
        edges = np.linspace(0.0, self.ground.length, count + 1).tolist()
        self.sectors = list(pairwise(edges))
        self.bare = self._left_bare()
        off = [
            (self.sectors[n][0] - 9_000.0, self.sectors[n][1] + 9_000.0, s, e)
            for n, s, e in self.bare
        ]
        flown = [(*self.sectors[b[0]], b) for b in self.bare]
        uavs = patrols.flights(data["eyes"]["uav"], streams, self.ground, span, flown)
        self.flights = uavs
        self.eyes = Eyes(data, streams, span, self.ground, self.sources, off, uavs)
        names = (self.sources, self.subjects)
        self.sensors = Sensors(data["sensors"], streams, span, self.ground, names, off, self.dark)
        patrols.build(self.crowd, self.sectors, self.bare)
        step = _SLICE_S / max(1.0, scale)
        cuts = np.append(np.arange(0.0, span, step), span)
        self.slices = [(float(a), float(b)) for a, b in pairwise(cuts)]

    def _left_bare(self) -> list[tuple[int, float, float]]:
        """Sectors that lie uncovered for longer than their plan: a mast fails, a patrol is called
        off. No two at one time side by side."""
        rng = self.streams.of("uncovered")
        longest = self.data["ground"]["max_uncovered_min"] * 60.0
        made: list[tuple[int, float, float]] = []
        wanted = times(self.data["planted"]["uncovered"], self.span / 86400.0, rng, least=1)
        for _ in range(wanted):
            for _ in range(20):
                lasts = longest * between(rng, [1.35, 2.2])
                if lasts + 3600.0 > self.span:
                    break
                start = between(rng, [1800.0, self.span - lasts - 1200.0])
                n = int(rng.integers(len(self.sectors)))
                if all(abs(n - m) > 1 or start > e or start + lasts < s for m, s, e in made):
                    made.append((n, start, start + lasts))
                    break
        return made

    def look(self, mover: Mover, slice_: int, trackers: list[Tracker]) -> Seen | None:
        """What is reported of a mover in a slice; the same whenever it is asked for, as long as
        its slices are asked for in their order."""
        span = self.slices[slice_]
        moves = motion(mover.way, mover.handling, *span)
        if moves is None:
            return None
        low, high = max(span[0], float(mover.way.t[0])), min(span[1], float(mover.way.t[-1]))
        rng = self.streams.of("seen", mover.serial, slice_)
        rows: list[Rows] = []
        heard: Floats = np.empty(0)
        if mover.unit:
            every = self.data["traffic"]["unit_report_s"]
            period = between(self.streams.of("unit period", mover.serial), every)
            own = mover.unit.startswith("unit:")
            told = roads.tracked(
                mover,
                moves,
                (low, high),
                period if own else period * 3,
                rng,
                (self.sources, self.subjects),
                source=TRACKERS if own else roads.BONDED,
                kind="vehicle" if mover.size in ("vehicle", "truck") else "person",
            )
            rows.append(told)
            heard = np.sort(told.t) if own else heard
        tripped = self.sensors.tripped(mover, moves, (low, high), rng)
        if tripped is not None:
            rows.append(tripped)
        eyes = self.eyes.see(mover, moves, (low, high), heard, trackers, rng)
        return Seen(rows, eyes) if rows or eyes else None

    def seen_alone(self, movers: list[Mover]) -> tuple[Rows, Names]:
        """All reports of some movers over the whole span, as if nobody else were there, and the
        names of their subjects: tracks have numbers of their own here."""
        subjects = Names()
        trackers = self.eyes.trackers()
        whole: list[Rows] = []
        for slice_ in range(len(self.slices)):
            parts: dict[int, list[Rows]] = {}
            for mover in movers:
                seen = self.look(mover, slice_, trackers)
                if seen is not None:
                    for rows in seen.rows:  # sensors, whose names are given already
                        codes = [subjects.code(self.subjects.texts[c]) for c in rows.subject]
                        whole.append(rows.with_(subject=np.array(codes)))
                    for i, rows in seen.eyes:
                        parts.setdefault(i, []).append(rows)
            whole.append(self.numbered(parts, trackers, subjects))
        rows = Rows.joined(whole)
        return rows.take(rows.arrive <= self.span), subjects

    @staticmethod
    def numbered(parts: dict[int, list[Rows]], trackers: list[Tracker], names: Names) -> Rows:
        """Everything that eyes report in a slice, its new tracks numbered."""
        made = []
        for i, tracker in enumerate(trackers):
            codes = tracker.numbered(names)
            if i in parts:
                made.append(renamed(Rows.joined(parts[i]), codes))
        return Rows.joined(made)

    def uav_rows(self, span: tuple[float, float]) -> Rows:
        """Where own drones are, by their own word."""
        made = []
        for n, (name, way) in enumerate(self.flights):
            t = np.arange(max(span[0], way.t[0]), min(span[1], way.t[-1]), 10.0)
            if not len(t):
                continue
            rng = self.streams.of("uav told", n, int(span[0]))
            lat, lon = way.at(t)
            made.append(
                Rows.of(
                    np.rint(t),
                    arrive=t + rng.exponential(2.0, len(t)),
                    source=self.sources.code(TRACKERS),
                    subject=self.subjects.code(f"unit:{name}"),
                    lat=lat,
                    lon=lon,
                    speed=np.full(len(t), 42.0) + rng.normal(0, 2.0, len(t)),
                    accuracy=10,
                    kind=4,
                )
            )
        return Rows.joined(made)
