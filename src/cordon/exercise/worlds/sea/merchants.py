"""Merchant ships: through the area, and to its ports with pilots, tugs and days at anchor."""

from __future__ import annotations

from typing import Any

import numpy as np

from cordon.exercise.worlds.paths import Way, beside, near
from cordon.exercise.worlds.sea.afloat import Afloat, Boarding
from cordon.exercise.worlds.sea.craft import Craft
from cordon.exercise.worlds.sea.voyage import HOUR, Voyage, berth
from cordon.exercise.worlds.seeing.streams import Rng, between, times
from cordon.kernel.geo import bearing_deg, destination

Data = dict[str, Any]


class Ships:
    """Merchant ships: through the area, and to its ports."""

    def __init__(self, afloat: Afloat, data: Data) -> None:
        self.afloat, self.data = afloat, data
        self.lanes = {
            name: [(p[0], p[1]) for p in line] for name, line in afloat.chart.lanes.items()
        }

    def build(self) -> None:
        """Ships at all stages of their voyages."""
        afloat, data = self.afloat, self.data
        for name, lane, on_it, hours in (
            ("coastal", "L-COAST", data["lane"], 30.0),
            ("ocean", "L-HORMUZ", data["ocean"], 30.0),
        ):
            rng = afloat.streams.of(name)
            count = times(on_it * (afloat.span / HOUR + hours) / hours, afloat.scale, rng)
            for i in range(count):
                self._through(lane, hours, afloat.streams.of(name, i))
        rng = afloat.streams.of("calls")
        life = 90.0
        rate = data["calls_a_day"] / 24.0
        for i in range(times(rate * (afloat.span / HOUR + life), afloat.scale, rng)):
            self._call(life, afloat.streams.of("calls", i))
        for one in afloat.data["chart"]["anchorages"]:
            rng = afloat.streams.of(one["id"])
            waiting = rng.integers(one["ships"][0], one["ships"][1] + 1)
            for i in range(times(float(waiting), afloat.scale, rng)):
                self._at_anchor(one["id"], afloat.streams.of(one["id"], i))
        for port in afloat.data["chart"]["ports"]:
            rng = afloat.streams.of(port["id"])
            for i in range(times(port["ships"], afloat.scale, rng)):
                self._in_port(port["id"], afloat.streams.of(port["id"], i))

    def ship(self, way: Way, states: list[tuple[float, float, int]], what: str, rng: Rng) -> Craft:
        """A merchant ship on a way."""
        ais = self.afloat.register.set(what, "A", rng, foreign=0.8)
        return self.afloat.craft(what, "ship", way, rng, ais=ais, states=states)

    def kind(self, rng: Rng) -> tuple[str, float]:
        """A ship's trade and her speed (kn)."""
        what = str(rng.choice(["cargo", "tanker", "container"], p=[0.5, 0.28, 0.22]))
        return what, between(rng, self.data["speed_kn"][what])

    def _lane(self, name: str, rng: Rng, *, outward: bool) -> list[tuple[float, float]]:
        """The points of a lane on its right-hand side, a way of one's own; some keep to none."""
        line = self.lanes[name] if outward else self.lanes[name][::-1]
        off = abs(float(rng.normal(0.75, 0.55)))
        points = beside(line, off)
        if rng.random() < self.afloat.data["traffic"]["stray_ships"]:
            points = [points[0], *points[1:-1][:: int(rng.integers(2, 4))], points[-1]]
            return [near(rng, p, 6.0) for p in points]
        return [near(rng, p, 0.9) for p in points]

    def _through(self, name: str, hours: float, rng: Rng) -> None:
        what, speed = self.kind(rng)

        def make() -> Voyage:
            line = self._lane(name, rng, outward=bool(rng.random() < 0.5))
            start = float(rng.uniform(-hours * HOUR, self.afloat.span))
            voyage = self.afloat.voyage(start, line[0], rng)
            voyage.follow(line[1:], speed, uneven=0.03)
            return voyage

        voyage = self.afloat.innocent(make)
        self.afloat.add(self.ship(voyage.way(), voyage.states, what, rng))

    def _call(self, life: float, rng: Rng) -> None:
        """In from the sea, perhaps to anchor, with a pilot to a berth, and out again."""
        afloat = self.afloat
        what, speed = self.kind(rng)
        port = str(rng.choice(["P-KHI", "P-QAS", "P-GWD"], p=[0.5, 0.44, 0.06]))
        boards: list[tuple[float, bool]] = []

        def make() -> Voyage:
            boards.clear()
            way_in = self._approach(port, rng)
            start = float(rng.uniform(-life * HOUR, afloat.span))
            voyage = afloat.voyage(start, way_in[0], rng)
            voyage.follow(way_in[1:], speed, uneven=0.03)
            if rng.random() < 0.65:
                self._anchor(voyage, port, speed, rng)
            boards.append((self._pilotage(voyage, port, rng, inbound=True), True))
            voyage.go(afloat.out(port, rng), 7.0)
            voyage.go(berth(afloat.chart.places[port], afloat.chart, rng), 5.0)
            voyage.lie(between(rng, [10.0, 46.0]) * HOUR, 5)
            voyage.go(afloat.out(port, rng), 6.0)
            boards.append((self._pilotage(voyage, port, rng, inbound=False), False))
            away = self._approach(port, rng)[::-1]
            voyage.sail(away[0], speed)
            voyage.follow(away[1:], speed, uneven=0.03)
            return voyage

        voyage = afloat.innocent(make)
        way = voyage.way()
        afloat.add(self.ship(way, voyage.states, what, rng))
        afloat.boardings += [Boarding(t, port, way, inbound) for t, inbound in boards]
        afloat.anchored += [
            (a, b, (float(way.at(np.array([a]))[0][0]), float(way.at(np.array([a]))[1][0])))
            for a, b, status in voyage.states
            if status == 1
        ]

    def _approach(self, port: str, rng: Rng) -> list[tuple[float, float]]:
        """The lane from the sea towards a port."""
        if port == "P-GWD":
            line = self._lane("L-COAST", rng, outward=bool(rng.random() < 0.5))
            near_it = int(np.argmin([abs(p[1] - 62.5) for p in line]))
            return line[: near_it + 1]
        name = str(rng.choice(["L-COAST", "L-SW", "L-S"], p=[0.4, 0.35, 0.25]))
        return self._lane(name, rng, outward=False)

    def _anchor(self, voyage: Voyage, port: str, speed: float, rng: Rng) -> None:
        where = next(a["id"] for a in self.afloat.data["chart"]["anchorages"] if a["port"] == port)
        spot = self.afloat.chart.within(self.afloat.chart.places[where], rng)
        voyage.sail(near(rng, spot, 1.5), speed)
        voyage.go(spot, 4.5)
        voyage.lie(between(rng, self.afloat.data["traffic"]["waiting_h"]) * HOUR, 1)

    def _pilotage(self, voyage: Voyage, port: str, rng: Rng, *, inbound: bool) -> float:
        """Slow past the pilot station; returns when the pilot is alongside."""
        place = next(p for p in self.afloat.data["chart"]["pilotages"] if p["port"] == port)
        here = near(rng, (place["lat"], place["lon"]), place["radius_m"] / 1852.0 * 0.6)
        voyage.sail(here, 8.0)
        when = voyage.now
        out = self.afloat.chart.out[port]
        course = float(bearing_deg(*here, *out)) + (0.0 if inbound else 180.0)
        voyage.go(destination(*here, course, 1100.0), 6.5)
        return when

    def _at_anchor(self, where: str, rng: Rng) -> None:
        spot = self.afloat.chart.within(self.afloat.chart.places[where], rng)
        voyage = self.afloat.voyage(-HOUR, spot, rng)
        voyage.lie(self.afloat.span + 2 * HOUR, 1)
        what, _ = self.kind(rng)
        self.afloat.add(self.ship(voyage.way(), voyage.states, what, rng))
        self.afloat.anchored.append((-HOUR, self.afloat.span + HOUR, spot))

    def _in_port(self, port: str, rng: Rng) -> None:
        at = berth(self.afloat.chart.places[port], self.afloat.chart, rng)
        voyage = self.afloat.voyage(-HOUR, at, rng)
        voyage.lie(self.afloat.span + 2 * HOUR, 5)
        what, _ = self.kind(rng)
        self.afloat.add(self.ship(voyage.way(), voyage.states, what, rng))
