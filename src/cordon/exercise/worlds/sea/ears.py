"""What stations ashore and satellites hear of AIS: ranges, weather, outages, clocks, late data."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import Any

import numpy as np

from cordon.exercise.worlds.paths import Floats, near
from cordon.exercise.worlds.sea.craft import Craft, Span
from cordon.exercise.worlds.sea.sets import Jamming, Sent
from cordon.exercise.worlds.sea.weather import Weather
from cordon.exercise.worlds.seeing.motion import METRES_PER_DEGREE
from cordon.exercise.worlds.seeing.rows import Names, Rows, Sayings
from cordon.exercise.worlds.seeing.streams import Rng, Streams, between, times
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE

Data = dict[str, Any]
_DAY, _HOUR = 86400.0, 3600.0
_HORIZON = 4120.0  # m for the root of each antenna's height (m): ITU-R P.310, 4/3 earth
_VESSEL = 1
_MESSAGE = {"A": 1, "B": 18, "S": 18}


@dataclass(frozen=True, slots=True)
class Station:
    """One station ashore; see the YAML's `stations`."""

    id: str
    lat: float
    lon: float
    height_m: float
    pass_on_s: float
    clock_s: float
    shadow: tuple[float, float, float]  # bearing, half its width (degrees), what is left of reach
    off: tuple[Span, ...]
    cut: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Pass:
    """A satellite overhead."""

    start: float
    end: float
    id: str
    class_a: float
    class_b: float


class Ears:
    """Everything that hears AIS in one world.

    Args:
        data: the whole YAML. span: s of the exercise.
    """

    def __init__(
        self,
        data: Data,
        streams: Streams,
        span: float,
        weather: Weather,
        sources: Names,
        subjects: Names,
        sayings: Sayings,
    ) -> None:
        ais = data["ais"]
        rng = streams.of("ears")
        self.span, self._weather = span, weather
        self._sources, self._subjects, self._sayings = sources, subjects, sayings
        self._edge = between(rng, ais["edge"])
        self._lost, self._busy = between(rng, ais["lost"]), between(rng, ais["busy"])
        self._class_b = between(rng, ais["class_b_reach"])
        self._antenna = ais["ship_antenna_m"]
        self._latency = float(ais["latency_s"][0]), float(ais["latency_s"][1])
        self._late = ais["satellites"]["late_min"]
        self.stations = _stations(ais, rng, span)
        self.passes = _passes(ais["satellites"], rng, span)

    def hear(self, craft: Craft, sent: Sent, rng: Rng) -> Rows:
        """The reports of a craft that come in."""
        if not len(sent):
            return Rows.joined([])
        parts = [self._at_station(s, craft, sent, rng) for s in self.stations]
        parts += [self._overhead(p, craft, sent, rng) for p in self.passes]
        return Rows.joined([p for p in parts if p is not None])

    def _at_station(self, station: Station, craft: Craft, sent: Sent, rng: Rng) -> Rows | None:
        ais = craft.set
        assert ais is not None
        low, high = self._antenna["ship" if craft.size == "ship" else "boat"]
        antenna = low + (high - low) * craft.handling.phase
        reach = _HORIZON * (np.sqrt(station.height_m) + np.sqrt(antenna)) * ais.power
        reach *= 1.0 if ais.kind == "A" else self._class_b
        north = (sent.true_lat - station.lat) * METRES_PER_DEGREE
        east = (sent.true_lon - station.lon) * METRES_PER_DEGREE * np.cos(np.radians(station.lat))
        away = np.hypot(north, east)
        if away.min() > reach * 2.6:
            return None
        reaches = reach * self._weather.reach(sent.t)
        bearing, half, left = station.shadow
        if half:
            off = (np.degrees(np.arctan2(east, north)) - bearing + 180) % 360 - 180
            reaches = np.where(np.abs(off) < half, reaches * left, reaches)
        day = 0.5 - 0.5 * np.cos(2 * np.pi * (sent.t - 4 * _HOUR) / _DAY)
        through = 1 - self._lost - self._busy * day
        ratio = np.clip((away / reaches - 1) / self._edge, -40, 40)
        heard = rng.random(len(sent)) < through / (1 + np.exp(ratio))
        for start, end in station.off:
            heard &= (sent.t < start) | (sent.t > end)
        at = np.flatnonzero(heard)
        if not len(at):
            return None
        at = at[_thinned(sent.t[at], station.pass_on_s, between(rng, [0, station.pass_on_s]))]
        arrive = sent.t[at] + rng.uniform(*self._latency, len(at))
        for start, end in station.cut:
            late = (sent.t[at] >= start) & (sent.t[at] < end)
            share = (sent.t[at] - start) / max(1.0, end - start)
            arrive = np.where(late, end + 90.0 * share, arrive)
        return self._rows(craft, sent, at, station.id, sent.t[at] + station.clock_s, arrive)

    def _overhead(self, over: Pass, craft: Craft, sent: Sent, rng: Rng) -> Rows | None:
        ais = craft.set
        assert ais is not None
        low, high = np.searchsorted(sent.t, (over.start, over.end))
        if low == high:
            return None
        chance = over.class_a if ais.kind == "A" else over.class_b
        at = low + np.flatnonzero(rng.random(high - low) < chance)
        if not len(at):
            return None
        late = between(rng, self._late) * 60.0
        return self._rows(craft, sent, at, over.id, sent.t[at], sent.t[at] + late)

    def _rows(
        self, craft: Craft, sent: Sent, at: Any, source: str, told: Floats, arrive: Floats
    ) -> Rows:
        ais = craft.set
        assert ais is not None
        since = np.array([i.since for i in ais.identities])
        which = np.maximum(np.searchsorted(since, sent.t[at], side="right") - 1, 0)
        subject = np.array([self._subjects.code(f"mmsi:{i.mmsi}") for i in ais.identities])
        said = np.array([self._sayings.code(i.said) for i in ais.identities])
        # AIS places are told in 1/10 000 minute (ITU-R M.1371-5, message 1)
        lat, lon = (np.rint(v[at] * 600_000.0) / 600_000.0 for v in (sent.lat, sent.lon))
        return Rows.of(
            np.rint(told),
            arrive=arrive,
            source=self._sources.code(source),
            subject=subject[which],
            lat=lat,
            lon=lon,
            speed=np.minimum(np.round(sent.speed[at], 1), 102.2),
            course=np.round(sent.course[at], 1) % 360.0,
            heading=np.round(sent.heading[at]) % 360.0,
            accuracy=10.0 if craft.handling.phase < 0.6 else np.nan,
            kind=_VESSEL,
            said=said[which],
            message=_MESSAGE[ais.kind],
            status=sent.status[at] if ais.kind == "A" else 15,
            who=craft.serial,
        )


def spans(a_day: float, hours: list[float], rng: Rng, span: float) -> list[Span]:
    """Spans (s) at random: so many a day, each so long."""
    made = []
    for _ in range(times(a_day, span / _DAY, rng)):
        length = between(rng, hours) * _HOUR
        start = float(rng.uniform(0, max(1.0, span - length / 2)))
        made.append((start, start + length))
    return sorted(made)


def _thinned(t: Floats, gap: float, first: float) -> list[int]:
    """Indices of reports that a station passes on: no two nearer in time than `gap` (s)."""
    kept, moments, at = [], t.tolist(), 0
    due = moments[0] + first
    while (at := bisect_left(moments, due, at)) < len(moments):
        kept.append(at)
        due = moments[at] + gap
    return kept


def _stations(ais: Data, rng: Rng, span: float) -> list[Station]:
    listed = ais["stations"]
    outages = spans(between(rng, ais["outage"]["a_day"]), ais["outage"]["hours"], rng, span)
    cuts = spans(between(rng, ais["backhaul"]["a_day"]), ais["backhaul"]["hours"], rng, span)
    hit = rng.integers(0, len(listed), len(outages))
    cut = rng.integers(0, len(listed), len(cuts))
    clock = ais["clock_s"]
    wrong = set(rng.choice(len(listed), clock["wrong_stations"], replace=False).tolist())
    made = []
    for i, one in enumerate(listed):
        error = between(rng, clock["wrong"]) * float(rng.choice((-1, 1)))
        shade = ais["shadow"]
        has = rng.random() < shade["share"]
        half = between(rng, shade["wide_deg"]) / 2 if has else 0.0
        made.append(
            Station(
                one["id"],
                one["lat"],
                one["lon"],
                between(rng, one["height_m"]),
                between(rng, one["pass_on_s"]),
                round(error if i in wrong else between(rng, clock["right"])),
                (between(rng, [100.0, 260.0]), half, between(rng, shade["left"])),
                tuple(s for s, at in zip(outages, hit, strict=True) if at == i),
                tuple(s for s, at in zip(cuts, cut, strict=True) if at == i),
            )
        )
    return made


def _passes(data: Data, rng: Rng, span: float) -> list[Pass]:
    made = []
    for _ in range(times(between(rng, data["passes_a_day"]), span / _DAY, rng)):
        start = float(rng.uniform(0, span))
        made.append(
            Pass(
                start,
                start + between(rng, data["minutes"]) * 60.0,
                f"SAT-{int(rng.integers(1, 5))}",
                between(rng, data["class_a"]),
                between(rng, data["class_b"]),
            )
        )
    return sorted(made, key=lambda p: p.start)


def jammings(
    data: Data, rng: Rng, span: float, centres: list[tuple[float, float]]
) -> list[Jamming]:
    """Where and when satellite navigation is jammed."""
    made = []
    for start, end in spans(data["a_day"], [m / 60 for m in data["minutes"]], rng, span):
        lat, lon = near(rng, centres[int(rng.integers(len(centres)))], 12.0)
        reach = between(rng, data["radius_nm"]) * METRES_PER_NAUTICAL_MILE
        made.append(Jamming(start, end, lat, lon, reach, between(rng, data["error_m"])))
    return made
