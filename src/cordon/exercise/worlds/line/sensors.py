"""Ground sensors: strings along trails, what trips them, and what only seems to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cordon.exercise.worlds.line.ground import Ground
from cordon.exercise.worlds.line.mover import Mover
from cordon.exercise.worlds.paths import Floats
from cordon.exercise.worlds.seeing.motion import Motion
from cordon.exercise.worlds.seeing.rows import KINDS, Names, Rows
from cordon.exercise.worlds.seeing.streams import Rng, Streams, between

Data = dict[str, Any]
_PERSON, _VEHICLE, _UNKNOWN = (KINDS.index(k) for k in ("person", "vehicle", "unknown"))


@dataclass(frozen=True, slots=True)
class Sensor:
    """One sensor: its name, string, spot (m), place (degrees), pause after a trip (s), when its
    battery is at an end (s), and spans in which its gateway is cut off."""

    id: str
    string: int
    x: float
    y: float
    lat: float
    lon: float
    pause_s: float
    dead_s: float
    off: tuple[tuple[float, float], ...]

    def works(self, t: Floats) -> Any:
        """At which moments its trips come in."""
        on = t < self.dead_s
        for start, end in self.off:
            on &= (t < start) | (t > end)
        return on


class Sensors:
    """The ground sensors of a world.

    Args:
        data: the part `sensors` of its YAML. off: spans in which all of a stretch are cut off:
            (west, east, start, end). dark: spans (s) of night.
    """

    def __init__(
        self,
        data: Data,
        streams: Streams,
        span: float,
        ground: Ground,
        names: tuple[Names, Names],
        off: list[tuple[float, float, float, float]],
        dark: list[tuple[float, float]],
    ) -> None:
        self.data, self.span, self._dark = data, span, dark
        self._latency = float(data["latency_s"][0]), float(data["latency_s"][1])
        self._streams, self.ground = streams, ground
        self._sources, self._subjects = names
        rng = streams.of("sensors")
        self._notices = between(rng, data["notices"])
        self._reach = {k: between(rng, v) for k, v in data["reach_m"].items()}
        self.all: list[Sensor] = []
        self._lay(rng, off)
        self._x = np.array([s.x for s in self.all])
        self._y = np.array([s.y for s in self.all])
        self._gusts = self._storms(streams.of("gusts"))

    def _lay(self, rng: Rng, off: list[tuple[float, float, float, float]]) -> None:
        """A string along each of some trails, on the own side, from the line inwards."""
        trails = self.ground.paths[:]
        order = rng.permutation(len(trails))[: int(self.ground.data["paths"]["with_sensors"])]
        dying = {int(i) for i in rng.choice(len(order) * 5, int(self.data["dying"]))}
        for n, which in enumerate(sorted(order.tolist())):
            trail = np.array(trails[which])
            steps = np.hypot(*np.diff(trail, axis=0).T)
            along = np.concatenate([[0.0], np.cumsum(steps)])
            beyond = self.ground.beyond(trail[:, 0], trail[:, 1])
            start = float(np.interp(0.0, -beyond, along)) + between(rng, [120.0, 500.0])
            count = int(rng.integers(self.data["a_string"][0], self.data["a_string"][1] + 1))
            for i in range(count):
                at = start + i * between(rng, self.data["apart_m"])
                x = float(np.interp(at, along, trail[:, 0])) + float(rng.normal(0, 8.0))
                y = float(np.interp(at, along, trail[:, 1])) + float(rng.normal(0, 8.0))
                lat, lon = self.ground.degrees((x, y))
                dead = np.inf
                if rng.random() < between(rng, self.data["dead"]):
                    dead = -1.0
                elif len(self.all) in dying:
                    dead = float(rng.uniform(0.2, 0.9)) * self.span
                cut = tuple((s, e) for west, east, s, e in off if west <= x < east)
                self.all.append(
                    Sensor(
                        f"S{n + 1}-{i + 1:02d}", n, x, y, lat, lon,
                        between(rng, self.data["pause_s"]), dead, cut,
                    )
                )  # fmt: skip

    def _storms(self, rng: Rng) -> list[tuple[float, float, int, float]]:
        """Spells of wind: start, end (s), string, trips an hour of each of its sensors."""
        made = []
        strings = max((s.string for s in self.all), default=0) + 1
        for _ in range(
            int(rng.poisson(between(rng, self.data["gusts_a_day"]) * self.span / 86400))
        ):
            start = float(rng.uniform(0, self.span))
            gust = self.data["gust"]
            end = start + between(rng, gust["minutes"]) * 60.0
            first = int(rng.integers(strings))
            for string in range(first, min(strings, first + int(rng.integers(1, 3)))):
                made.append((start, end, string, between(rng, gust["trips_a_hour"])))
        return made

    def tripped(
        self, mover: Mover, moves: Motion, span: tuple[float, float], rng: Rng
    ) -> Rows | None:
        """The trips that a mover makes in a slice."""
        reach = self._reach.get(mover.size)
        if reach is None or not len(self.all):
            return None
        x, y = self.ground.to_metres(moves.lat, moves.lon)
        margin = reach + 120.0
        near = np.flatnonzero(
            (self._x > x.min() - margin)
            & (self._x < x.max() + margin)
            & (self._y > y.min() - margin)
            & (self._y < y.max() + margin)
        )
        if not len(near):
            return None
        t = np.arange(max(span[0], moves.t[0]), min(span[1], float(moves.t[-1])), 2.0)
        if not len(t):
            return None
        fx, fy = np.interp(t, moves.t, x), np.interp(t, moves.t, y)
        moving = np.interp(t, moves.t, np.hypot(moves.north, moves.east)) > 0.25
        made = []
        for i in near.tolist():
            sensor = self.all[i]
            inside = (np.hypot(fx - sensor.x, fy - sensor.y) < reach) & moving
            at = t[inside]
            if len(at):
                kept = _paused(at, sensor.pause_s)
                kept = kept[rng.random(len(kept)) < self._notices]
                kept = kept[sensor.works(kept)]
                if len(kept):
                    made.append(self._rows(i, kept, mover.size, mover.serial, rng))
        return Rows.joined(made) if made else None

    def nothing(self, span: tuple[float, float], slice_: int) -> Rows:
        """Trips by animals that nothing else sees, by wind, and by batteries that run out."""
        made = []
        for i, sensor in enumerate(self.all):
            rng = self._streams.of("false trips", i, slice_)
            a_day = between(self._streams.of("animals", i), self.data["animals_a_day"])
            t = rng.uniform(*span, int(rng.poisson(a_day * 2.2 * (span[1] - span[0]) / 86400.0)))
            night = np.zeros(len(t), bool)
            for start, end in self._dark:
                night |= (t > start - 2700.0) & (t < end + 2700.0)
            t = t[night | (rng.random(len(t)) < 0.2)]
            # an animal stays for a while: some trips come by twos and threes
            more = t[rng.random(len(t)) < 0.3] + sensor.pause_s * rng.uniform(1.1, 4.0)
            made.append(self._false(i, np.concatenate([t, more]), "animal", span, rng))
            for start, end, string, a_hour in self._gusts:
                if string == sensor.string:
                    low, high = max(start, span[0]), min(end, span[1])
                    if high > low:
                        n = int(rng.poisson(a_hour * (high - low) / 3600.0))
                        made.append(self._false(i, rng.uniform(low, high, n), "wind", span, rng))
            if 0 < sensor.dead_s < np.inf:
                low, high = max(sensor.dead_s - 5400.0, span[0]), min(sensor.dead_s, span[1])
                if high > low:
                    n = int(rng.poisson((high - low) / 240.0))
                    made.append(self._false(i, rng.uniform(low, high, n), "battery", span, rng))
        return Rows.joined([m for m in made if len(m)])

    def _false(self, i: int, t: Floats, what: str, span: tuple[float, float], rng: Rng) -> Rows:
        sensor = self.all[i]
        t = np.sort(t[(t >= span[0]) & (t < span[1])])
        return self._rows(i, t[sensor.works(t)], what, -1, rng)

    def _rows(self, i: int, t: Floats, size: str, who: int, rng: Rng) -> Rows:
        sensor = self.all[i]
        person, vehicle = _BELIEVED.get(size, (0.1, 0.02))
        draw = rng.random(len(t))
        kind = np.where(
            draw < person, _PERSON, np.where(draw < person + vehicle, _VEHICLE, _UNKNOWN)
        )
        return Rows.of(
            np.rint(t),
            arrive=t + rng.uniform(*self._latency, len(t)),
            source=self._sources.code(f"UGS-{sensor.string + 1}"),
            subject=self._subjects.code(f"sensor:{sensor.id}"),
            lat=sensor.lat,
            lon=sensor.lon,
            accuracy=15,
            kind=kind,
            who=who,
        )


# what a sensor believes: shares of person and of vehicle, the rest is unknown
_BELIEVED = {
    "person": (0.75, 0.02),
    "party": (0.85, 0.03),
    "train": (0.6, 0.08),
    "flock": (0.25, 0.02),
    "animal": (0.18, 0.01),
    "vehicle": (0.05, 0.85),
    "truck": (0.02, 0.93),
    "wind": (0.08, 0.04),
    "battery": (0.1, 0.1),
}


def _paused(t: Floats, pause: float) -> Floats:
    """Moments that are no nearer than a pause."""
    kept, last = [], -np.inf
    for moment in t.tolist():
        if moment - last >= pause:
            kept.append(moment)
            last = moment
    return np.array(kept)
