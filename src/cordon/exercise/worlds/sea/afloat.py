"""What is afloat in a world, and how one more craft is put there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from cordon.exercise.worlds.paths import Way, near
from cordon.exercise.worlds.sea.chart import Chart
from cordon.exercise.worlds.sea.craft import Craft, Size, Transponder
from cordon.exercise.worlds.sea.register import Register
from cordon.exercise.worlds.sea.voyage import Voyage
from cordon.exercise.worlds.sea.weather import Weather
from cordon.exercise.worlds.seeing.motion import Handling
from cordon.exercise.worlds.seeing.streams import Rng, Streams, between

Data = dict[str, Any]
_ROUND = {"ship": (70.0, 150.0), "dhow": (40.0, 80.0), "boat": (20.0, 40.0), "skiff": (15.0, 25.0)}
_WANDER = {"ship": (10.0, 35.0), "dhow": (20.0, 60.0), "boat": (10.0, 40.0), "skiff": (8.0, 25.0)}
_MOST_TRIES = 12


@dataclass(frozen=True, slots=True)
class Boarding:
    """A ship that takes or lands a pilot: when (s), in which port's pilotage, on what way."""

    t: float
    port: str
    ship: Way
    inbound: bool


@dataclass(slots=True)
class Afloat:
    """What is afloat in a world so far, and the ground it is made on.

    Attributes:
        span: s of the exercise. boardings: what pilots and tugs are wanted for. anchored: ships
            at anchor: (start, end, place). leak: share of craft whose radar tracks are passed on
            although they have AIS.
    """

    data: Data
    chart: Chart
    weather: Weather
    register: Register
    streams: Streams
    span: float
    scale: float
    crafts: list[Craft] = field(default_factory=list)
    boardings: list[Boarding] = field(default_factory=list)
    anchored: list[tuple[float, float, tuple[float, float]]] = field(default_factory=list)
    serial: int = 0
    leak: float = 0.0

    def craft(
        self,
        what: str,
        size: Size,
        way: Way,
        rng: Rng,
        *,
        ais: Transponder | None = None,
        states: list[tuple[float, float, int]] | None = None,
        **more: Any,
    ) -> Craft:
        """A craft that is not yet among the others; its states go to its set, unless forgotten."""
        if ais is not None and ais.kind == "A" and states and rng.random() > 0.15:
            ais.states += states
        handling = Handling(
            round_s=between(rng, list(_ROUND[size])),
            wander_m=between(rng, list(_WANDER[size])),
            swing_m=between(rng, [120.0, 330.0]) if size == "ship" else 15.0,
            phase=float(rng.random()),
        )
        leak = bool(rng.random() < self.leak)
        self.serial += 1
        tied = [(a, b) for a, b, status in states or () if status == 5]
        return Craft(self.serial, what, size, way, handling, ais, leak=leak, tied=tied, **more)

    def add(self, craft: Craft) -> Craft:
        """Put a craft among the others."""
        self.crafts.append(craft)
        return craft

    def out(self, port: str, rng: Rng) -> tuple[float, float]:
        """A place outside a port: no two craft turn at the very same one."""
        return near(rng, self.chart.out[port], 0.7)

    def voyage(self, start: float, at: tuple[float, float], rng: Rng) -> Voyage:
        """A voyage that begins somewhere."""
        return Voyage(start, at, self.chart, self.weather, rng)

    def innocent(self, make: Callable[[], Voyage]) -> Voyage:
        """A voyage that keeps out of restricted zones; the last one tried where none does."""
        for _ in range(_MOST_TRIES):
            made = make()
            way = made.way()
            if self.chart.clear(way.lat, way.lon):
                break
        return made
