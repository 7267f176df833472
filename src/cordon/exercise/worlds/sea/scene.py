"""Who is afloat and who sees it: a world's craft, its stations and radars, slice by slice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from cordon.exercise.worlds.paths import Floats
from cordon.exercise.worlds.sea import own
from cordon.exercise.worlds.sea.afloat import Afloat
from cordon.exercise.worlds.sea.chart import Chart
from cordon.exercise.worlds.sea.craft import Craft
from cordon.exercise.worlds.sea.ears import Ears, jammings
from cordon.exercise.worlds.sea.radars import Radars, numbered
from cordon.exercise.worlds.sea.register import Register
from cordon.exercise.worlds.sea.sets import Sets
from cordon.exercise.worlds.sea.weather import Weather
from cordon.exercise.worlds.seeing.echoes import Tracker
from cordon.exercise.worlds.seeing.motion import motion
from cordon.exercise.worlds.seeing.rows import Names, Rows, Sayings
from cordon.exercise.worlds.seeing.streams import Streams, between
from cordon.exercise.worlds.seeing.sun import nights

Data = dict[str, Any]
_HOUR = 3600.0
_SLICE_S = 6 * _HOUR


@dataclass(frozen=True, slots=True)
class Seen:
    """What is reported of one craft in a slice: by all but radars, and by each radar."""

    rows: Rows
    radar: list[Rows]


class Scene:
    """One world while it is made.

    Args:
        data: the whole YAML. begins: aware UTC. span: s.
    """

    def __init__(self, data: Data, seed: int, begins: datetime, span: float, scale: float) -> None:
        local = begins.astimezone(ZoneInfo(data["zone"]))
        data = {**data, "local_h": local.hour + local.minute / 60.0}
        self.data, self.span, self.scale, self.begins = data, span, scale, begins
        self.streams = streams = Streams(seed)
        self.dark = nights(begins, span, 25.0, 65.0)
        self.chart = Chart(data["chart"], streams)
        self.weather = Weather(data, streams.of("weather"), self.dark)
        self.sources, self.subjects, self.sayings = Names(), Names(), Sayings()
        self.afloat = Afloat(
            data, self.chart, self.weather, Register(data, streams), streams, span, scale
        )
        ais, rng = data["ais"], streams.of("jamming")
        centres = [(p.lat, p.lon) for p in self.chart.of_kind("anchorage")]
        self.sets = Sets(ais, streams.of("sets"), jammings(ais["jamming"], rng, span, centres))
        self.ears = Ears(
            data, streams, span, self.weather, self.sources, self.subjects, self.sayings
        )
        self.radars = Radars(data["radar"], streams, span, self.chart, self.weather, self.sources)
        # the more craft, the shorter the slices: what is held at once stays the same
        step = _SLICE_S / max(1.0, scale)
        edges = np.append(np.arange(0.0, span, step), span)
        self.slices = [(float(a), float(b)) for a, b in pairwise(edges)]

    def look(self, craft: Craft, slice_: int, trackers: list[Tracker]) -> Seen | None:
        """What is reported of a craft in a slice; the same whenever it is asked for, as long as
        its slices are asked for in their order."""
        start, end = self.slices[slice_]
        moves = motion(craft.way, craft.handling, start, end, craft.tied)
        if moves is None:
            return None
        rng = self.streams.of("seen", craft.serial, slice_)
        parts: list[Rows] = []
        heard: Floats = np.empty(0)
        low, high = max(start, float(craft.way.t[0])), min(end, float(craft.way.t[-1]))
        if craft.set is not None:
            sent = self.sets.sent(craft, moves, low, high, rng)
            rows = self.ears.hear(craft, sent, rng)
            parts.append(rows)
            heard = np.sort(rows.t)
        if craft.unit:
            every = self.data["traffic"]["unit_report_s"]
            period = between(self.streams.of("unit period", craft.serial), every)
            names = (self.sources, self.subjects)
            rows = own.tracked(craft, moves, (low, high), period, rng, names)
            parts.append(rows)
            heard = np.sort(np.concatenate([heard, rows.t]))
        radar = self.radars.see(craft, moves, low, high, heard, trackers, rng)
        return Seen(Rows.joined(parts), radar)

    def seen_alone(self, crafts: list[Craft]) -> Rows:
        """All reports of some craft over the whole span, as if nobody else were there.

        The tracks of radars have numbers of their own here; everything else is as it will be.
        """
        subjects = Names()
        trackers = self.radars.trackers()
        whole: list[Rows] = []
        for slice_ in range(len(self.slices)):
            parts: list[list[Rows]] = [[] for _ in trackers]
            for craft in crafts:
                seen = self.look(craft, slice_, trackers)
                if seen is not None:
                    whole.append(seen.rows)
                    for own_parts, rows in zip(parts, seen.radar, strict=True):
                        own_parts.append(rows)
            made = numbered(parts, trackers, subjects)
            # apart from the codes of names that are already given
            whole.append(made.with_(subject=made.subject + 1_000_000))
        rows = Rows.joined(whole)
        return rows.take(rows.arrive <= self.span)
