"""A craft: its way, what its set says of it, and how a radar sees it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from cordon.exercise.worlds.paths import Floats, Way
from cordon.exercise.worlds.seeing.motion import METRES_PER_DEGREE, Handling
from cordon.exercise.worlds.seeing.rows import Said
from cordon.kernel.units import MS_PER_KNOT

Span = tuple[float, float]
Size = Literal["ship", "dhow", "boat", "skiff"]


@dataclass(frozen=True, slots=True)
class Lie:
    """A span in which a set tells another place than the true one.

    Attributes:
        kind: `moved` by metres north and east; `frozen` at the place where it began; `circle`
            round a place at a speed; `at` a place, with the noise of a set that lies still.
        north, east: metres (moved). lat, lon: degrees. radius_m, speed_kn: of a circle.
    """

    kind: Literal["moved", "frozen", "circle", "at"]
    start: float
    end: float
    north: float = 0.0
    east: float = 0.0
    lat: float = 0.0
    lon: float = 0.0
    radius_m: float = 0.0
    speed_kn: float = 0.0

    def told(
        self, t: Floats, lat: Floats, lon: Floats, speed: Floats, course: Floats
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """What is told in place of the truth, at times within the span."""
        if self.kind == "moved":
            shrink = np.cos(np.radians(lat))
            return (
                lat + self.north / METRES_PER_DEGREE,
                lon + self.east / METRES_PER_DEGREE / shrink,
                speed,
                course,
            )
        if self.kind == "frozen":
            return np.full(len(t), self.lat), np.full(len(t), self.lon), speed, course
        if self.kind == "at":
            still = np.zeros(len(t))
            return np.full(len(t), self.lat), np.full(len(t), self.lon), still, course
        angle = (t - self.start) * self.speed_kn * MS_PER_KNOT / self.radius_m
        north, east = self.radius_m * np.cos(angle), self.radius_m * np.sin(angle)
        return (
            self.lat + north / METRES_PER_DEGREE,
            self.lon + east / METRES_PER_DEGREE / np.cos(np.radians(self.lat)),
            np.full(len(t), self.speed_kn),
            np.degrees(angle + np.pi / 2) % 360.0,
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """What a set says its vessel is, from a moment on (s)."""

    since: float
    mmsi: str
    said: Said


@dataclass(slots=True)
class Transponder:
    """A craft's AIS set.

    Attributes:
        kind: class `A`, class `B` (carrier sense) or `S` (self-organising class B).
        identities: rising by `since`. off: spans (s) in which it is switched off.
        lies: spans in which it tells another place. anchored, moored, fishing, adrift: spans in
            which its crew has set that navigational status (1, 5, 7, 2).
        power: factor on its reach, of an antenna badly placed.
    """

    kind: Literal["A", "B", "S"]
    identities: list[Identity]
    off: list[Span] = field(default_factory=list)
    lies: list[Lie] = field(default_factory=list)
    states: list[tuple[float, float, int]] = field(default_factory=list)
    power: float = 1.0

    def status(self, t: Floats) -> Floats:
        """Navigational status at times (s); 0 where nothing else was set."""
        made = np.zeros(len(t))
        for start, end, code in self.states:
            made[(t >= start) & (t < end)] = code
        return made


@dataclass(slots=True)
class Craft:
    """One craft.

    Attributes:
        serial: its number in the world. what: its trade. size: as a radar sees it. way: where it
            is. set: its AIS, or None. unit: id of an own unit, or empty. leak: its radar track is
            passed on although it has AIS. dim: spans in which a radar sees it less, and by what
            factor. tied: spans in which it is made fast. planted: it belongs to something planted.
    """

    serial: int
    what: str
    size: Size
    way: Way
    handling: Handling
    set: Transponder | None = None
    unit: str = ""
    leak: bool = False
    dim: list[tuple[float, float, float]] = field(default_factory=list)
    tied: list[Span] = field(default_factory=list)
    planted: bool = False
