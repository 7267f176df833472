"""Fishing fleets: they stop, drift, meet and keep company all day, and nothing is behind it."""

from __future__ import annotations

from typing import Any

import numpy as np

from cordon.exercise.worlds.paths import Way, near
from cordon.exercise.worlds.sea.afloat import Afloat
from cordon.exercise.worlds.sea.chart import Place
from cordon.exercise.worlds.sea.craft import Craft, Size
from cordon.exercise.worlds.sea.voyage import HOUR, Voyage, berth
from cordon.exercise.worlds.seeing.streams import Rng, between, times
from cordon.kernel.geo import destination

Data = dict[str, Any]
DAY = 24 * HOUR


def build(afloat: Afloat) -> None:
    """The fleets of every ground, and the boats that collect their catch."""
    data = afloat.data["traffic"]["fishing"]
    for one in afloat.data["chart"]["grounds"]:
        ground = afloat.chart.places[one["id"]]
        rng = afloat.streams.of("fleet", *one["id"].encode())
        fleet = _Fleet(afloat, data, one, ground, rng)
        for i in range(times(one["boats"], afloat.scale, rng, least=2)):
            fleet.boat(afloat.streams.of("boat", i, *one["id"].encode()))
    rng = afloat.streams.of("collectors")
    grounds = afloat.data["chart"]["grounds"]
    for i in range(times(data["collectors"], afloat.scale, rng)):
        one = grounds[int(rng.integers(len(grounds)))]
        _collector(afloat, one, afloat.streams.of("collector", i))


class _Fleet:
    """The boats of one ground.

    Most boats of a fleet leave at the same hours: for the night's tide, and before dawn.
    """

    def __init__(self, afloat: Afloat, data: Data, one: Data, ground: Place, rng: Rng) -> None:
        self.afloat, self.data, self.one, self.ground = afloat, data, one, ground
        self.hours = rng.uniform([3.0, 15.0], [6.0, 18.0])
        self.ais = between(rng, data["with_ais"])
        self.boats: list[Craft] = []

    def boat(self, rng: Rng) -> None:
        """A boat's trips; some go in pairs with one net between them."""
        afloat = self.afloat
        home = str(rng.choice(self.one["from"]))
        drifts = bool(rng.random() < self.data["drifters"])
        away = bool(rng.random() < self.data["strays"])
        pair = bool(rng.random() < self.data["pairs"]) and not drifts
        has_ais = bool(rng.random() < self.ais)
        size: Size = "dhow" if has_ais or rng.random() < 0.4 else "boat"

        def make() -> Voyage:
            return self._trips(home, rng, drifts=drifts, away=away)

        voyage = afloat.innocent(make)
        way = voyage.way()
        crafts = [self._craft(way, voyage, size, rng, has_ais=has_ais)]
        if pair:
            # the mate steers some hundred metres abeam; its knots are the first one's, moved
            lat, lon = _abeam(way, between(rng, [180.0, 420.0]))
            mate = Way(way.t + between(rng, [5.0, 40.0]), lat, lon)
            crafts.append(self._craft(mate, voyage, size, rng, has_ais=rng.random() < self.ais))
        self.boats += crafts
        for craft in crafts:
            afloat.add(craft)

    def _craft(self, way: Way, voyage: Voyage, size: Size, rng: Rng, *, has_ais: bool) -> Craft:
        ais = None
        if has_ais:
            ais = self.afloat.register.set("fishing", "B", rng)
            if rng.random() < 0.6:  # the battery is kept for the sea
                ais.off += [
                    (a + 900.0, b - 600.0) for a, b, s in voyage.states if s == 5 and b - a > HOUR
                ]
        return self.afloat.craft("fishing", size, way, rng, ais=ais, states=voyage.states)

    def _trips(self, home: str, rng: Rng, *, drifts: bool, away: bool) -> Voyage:
        afloat, data = self.afloat, self.data
        port = afloat.chart.places[home]
        out = afloat.out(home, rng)
        start = float(rng.uniform(-2.0 * DAY, -0.5 * DAY))
        voyage = afloat.voyage(start, berth(port, afloat.chart, rng), rng)
        while voyage.now < afloat.span:
            voyage.lie(self._until_sailing(voyage.now, rng), 5)
            voyage.go(out, between(rng, [5.0, 7.0]))
            ground = self.ground
            where = afloat.chart.within(ground, rng)
            if away:
                where = near(rng, where, ground.radius_nm * 1.4)
                if not afloat.chart.at_sea(where, off_deg=0.03):
                    where = afloat.chart.within(ground, rng)
            voyage.sail(where, between(rng, [6.0, 9.0]))
            until = voyage.now + between(rng, data["trip_h"]) * HOUR
            (voyage.set_net if drifts else voyage.trawl)(ground, until)
            voyage.sail(out, between(rng, [6.0, 9.0]))
            voyage.go(berth(port, afloat.chart, rng), 5.0)
        return voyage

    def _until_sailing(self, now: float, rng: Rng) -> float:
        """How long a boat lies: some hours, and then until its fleet sails."""
        rest = now + between(rng, [5.0, 16.0]) * HOUR
        hour = float(rng.choice(self.hours)) + float(rng.normal(0, 0.6))
        local = (rest / HOUR + self.afloat.data["local_h"]) % 24
        return float(rest - now + ((hour - local) % 24) * HOUR * (rng.random() < 0.8))


def _collector(afloat: Afloat, one: Data, rng: Rng) -> None:
    """A boat that goes from fisher to fisher, lies alongside each, and takes the catch home."""
    ground = afloat.chart.places[one["id"]]
    home = str(rng.choice(one["from"]))
    boats = [c for c in afloat.crafts if c.what == "fishing"]

    def make() -> Voyage:
        start = float(rng.uniform(-6 * HOUR, 0))
        out = afloat.out(home, rng)
        voyage = afloat.voyage(start, berth(afloat.chart.places[home], afloat.chart, rng), rng)
        while voyage.now < afloat.span:
            voyage.lie(between(rng, [0.5, 5.0]) * HOUR, 5)
            voyage.go(out, 6.0)
            voyage.sail(afloat.chart.within(ground, rng), 8.5)
            for _ in range(int(rng.integers(3, 8))):
                mate = _nearest(boats, voyage, ground)
                if mate is None:
                    voyage.drift(0.5 * HOUR)
                    continue
                lat, lon = mate.at(np.array([voyage.now + 600.0]))
                voyage.go((float(lat[0]), float(lon[0])), 8.0)
                until = voyage.now + between(rng, [0.25, 0.9]) * HOUR
                voyage.beside(mate, until, between(rng, [25.0, 60.0]))
                voyage.go(destination(*voyage.here, between(rng, [0, 360]), 900.0), 6.0)
            voyage.sail(out, 8.5)
            voyage.go(berth(afloat.chart.places[home], afloat.chart, rng), 5.0)
        return voyage

    voyage = afloat.innocent(make)
    ais = afloat.register.set("fishing", "B", rng) if rng.random() < 0.6 else None
    afloat.add(afloat.craft("collector", "dhow", voyage.way(), rng, ais=ais, states=voyage.states))


def _nearest(boats: list[Craft], voyage: Voyage, ground: Place) -> Way | None:
    """A boat on the ground that will be near in ten minutes; one at random of the nearest five."""
    t = voyage.now + 600.0
    found = []
    for boat in boats:
        if boat.way.t[0] < t - HOUR and boat.way.t[-1] > t + 2 * HOUR:
            lat, lon = (float(v[0]) for v in boat.way.at(np.array([t])))
            if abs(lat - ground.lat) < 0.2 and abs(lon - ground.lon) < 0.25:
                away = (lat - voyage.here[0]) ** 2 + (lon - voyage.here[1]) ** 2
                found.append((away, boat.serial, boat.way))
    if not found:
        return None
    found.sort(key=lambda f: f[:2])
    return found[int(voyage.rng.integers(min(5, len(found))))][2]


def _abeam(way: Way, metres: float) -> tuple[Any, Any]:
    """A way moved to the right of its course at each knot."""
    north = np.gradient(way.lat)
    east = np.gradient(way.lon) * np.cos(np.radians(way.lat))
    size = np.maximum(np.hypot(north, east), 1e-12)
    lat = way.lat - metres / 111_195.0 * east / size
    lon = way.lon + metres / 111_195.0 * north / size / np.cos(np.radians(way.lat))
    return lat, lon
