"""Everyday traffic beside merchants: coasters, ferries, dhows, yachts, tows, launches, rafts."""

from __future__ import annotations

from typing import Any

from cordon.exercise.worlds.paths import Way, beside, near
from cordon.exercise.worlds.sea.afloat import Afloat
from cordon.exercise.worlds.sea.chart import Chart
from cordon.exercise.worlds.sea.craft import Transponder
from cordon.exercise.worlds.sea.merchants import Ships
from cordon.exercise.worlds.sea.voyage import HOUR, Voyage, berth
from cordon.exercise.worlds.seeing.streams import Rng, between, times
from cordon.kernel.geo import destination

Data = dict[str, Any]
DAY = 24 * HOUR


def build(afloat: Afloat) -> None:
    """All everyday traffic but fishing, pilots, tugs and own units."""
    data, streams = afloat.data["traffic"], afloat.streams
    afloat.leak = between(streams.of("leak"), afloat.data["radar"]["leak"])
    ships = Ships(afloat, data["merchants"])
    ships.build()
    for name, make in (
        ("coasters", _coaster),
        ("dhows", _dhow),
        ("yachts", _yacht),
        ("tows", _tow),
        ("surveys", _survey),
        ("rafts", _raft),
        ("regattas", _regatta),
        ("night_liners", _night_liner),
        ("launches", _launch),
        ("broken_down", _broken_down),
    ):
        rng = streams.of(name)
        for i in range(times(data[name], afloat.scale, rng)):
            make(afloat, streams.of(name, i))
    for n, line in enumerate(data["ferries"]):
        for i in range(times(line["boats"], max(1.0, min(afloat.scale, 2.0)), streams.of("ferry"))):
            _ferry(afloat, line, streams.of("ferry", n, i))


def _ends(rng: Rng, chart: Chart) -> tuple[str, str]:
    """Two ports."""
    ports = [p.id for p in chart.of_kind("port") if p.id != "P-ORM"]
    picked = rng.choice(ports, 2, replace=False)
    return str(picked[0]), str(picked[1])


def _coaster(afloat: Afloat, rng: Rng) -> None:
    """A small cargo ship between the ports of the coast."""
    speed = between(rng, [7.0, 10.0])

    def make() -> Voyage:
        here, there = _ends(rng, afloat.chart)
        start = float(rng.uniform(-1.5 * DAY, afloat.span * 0.6))
        voyage = afloat.voyage(start, berth(afloat.chart.places[here], afloat.chart, rng), rng)
        while voyage.now < afloat.span:
            voyage.go(afloat.out(here, rng), 5.0)
            voyage.sail(afloat.out(there, rng), speed)
            voyage.go(berth(afloat.chart.places[there], afloat.chart, rng), 5.0)
            voyage.lie(between(rng, [6.0, 30.0]) * HOUR, 5)
            here, there = there, _ends(rng, afloat.chart)[0]
            if here == there:
                there = "P-KHI" if here != "P-KHI" else "P-GWD"
        return voyage

    voyage = afloat.innocent(make)
    ais = afloat.register.set("cargo", "A", rng, foreign=0.1)
    afloat.add(afloat.craft("coaster", "ship", voyage.way(), rng, ais=ais, states=voyage.states))


def _dhow(afloat: Afloat, rng: Rng) -> None:
    """A cargo dhow along the coast; it has no AIS."""

    def make() -> Voyage:
        far = bool(rng.random() < 0.5)
        ports = ["P-KHI", "P-GWD", "P-PSN", "P-JWN", "P-SON"]
        here = str(rng.choice(ports))
        start = float(rng.uniform(-1.5 * DAY, afloat.span * 0.7))
        voyage = afloat.voyage(start, berth(afloat.chart.places[here], afloat.chart, rng), rng)
        speed = between(rng, [5.5, 8.5])
        voyage.go(afloat.out(here, rng), 4.0)
        offing = near(rng, (24.9, 60.95) if far else (22.9, 68.0), 9.0)
        voyage.sail(offing, speed, uneven=0.1)
        return voyage

    voyage = afloat.innocent(make)
    way = voyage.way()
    if rng.random() < 0.5:  # the other way round
        way = Way(way.t[0] + way.t[-1] - way.t[::-1], way.lat[::-1], way.lon[::-1])
    afloat.add(afloat.craft("dhow", "dhow", way, rng))


def _yacht(afloat: Afloat, rng: Rng) -> None:
    """A yacht that tacks about off Karachi by day; some sail together."""

    def make() -> Voyage:
        port = afloat.chart.places["P-KHI"]
        home = berth(port, afloat.chart, rng)
        voyage = afloat.voyage(-HOUR, home, rng)
        while voyage.now < afloat.span:
            voyage.lie(between(rng, [2.0, 30.0]) * HOUR, 5)
            voyage.go(afloat.out("P-KHI", rng), 4.5)
            until = voyage.now + between(rng, [2.0, 6.0]) * HOUR
            while voyage.now < until:
                voyage.sail(near(rng, (24.71, 66.80), 6.0), between(rng, [3.5, 6.5]))
            voyage.sail(afloat.out("P-KHI", rng), 5.0)
            voyage.go(home, 4.5)
        return voyage

    voyage = afloat.innocent(make)
    ais = afloat.register.set("yacht", "B", rng)
    _switched_off_at_home(ais, voyage, rng)
    afloat.add(afloat.craft("yacht", "boat", voyage.way(), rng, ais=ais, states=voyage.states))


def _regatta(afloat: Afloat, rng: Rng) -> None:
    """Yachts that sail one course together, by day."""
    start = float(rng.uniform(0, afloat.span * 0.8))
    marks = [near(rng, (24.68, 66.78), 5.0) for _ in range(5)]
    for _ in range(int(rng.integers(4, 8))):
        port = afloat.chart.places["P-KHI"]
        home = berth(port, afloat.chart, rng)
        voyage = afloat.voyage(-HOUR, home, rng)
        voyage.lie(max(0.0, start - voyage.now + between(rng, [0.0, 900.0])), 5)
        voyage.sail(afloat.out("P-KHI", rng), 4.5)
        speed = between(rng, [4.6, 5.4])
        for mark in marks:
            voyage.sail(near(rng, mark, 0.1), speed)
        voyage.sail(afloat.out("P-KHI", rng), 5.0)
        voyage.go(home, 4.5)
        voyage.lie(max(0.0, afloat.span + HOUR - voyage.now), 5)
        ais = afloat.register.set("yacht", "B", rng)
        _switched_off_at_home(ais, voyage, rng)
        afloat.add(afloat.craft("yacht", "boat", voyage.way(), rng, ais=ais, states=voyage.states))


def _night_liner(afloat: Afloat, rng: Rng) -> None:
    """A small boat that lies close off an open beach by night with its lines out."""
    ports = [p for p in afloat.chart.of_kind("port") if "Landing" in p.name or "Fish" in p.name]
    port = ports[int(rng.integers(len(ports)))]
    out = afloat.out(port.id, rng)

    def make() -> Voyage:
        home = berth(port, afloat.chart, rng)
        voyage = afloat.voyage(-HOUR, home, rng)
        while voyage.now < afloat.span:
            hour = (voyage.now / HOUR + afloat.data["local_h"]) % 24
            voyage.lie(((between(rng, [18.0, 22.0]) - hour) % 24) * HOUR, 5)
            voyage.go(out, 6.0)
            shore = afloat.chart.shore_near(near(rng, out, 9.0))
            spot = destination(*shore, between(rng, [150.0, 210.0]), between(rng, [350.0, 1200.0]))
            if afloat.chart.at_sea(spot):
                voyage.sail(spot, between(rng, [5.0, 8.0]))
                voyage.drift(between(rng, [1.0, 4.5]) * HOUR, windage=0.3)
            voyage.sail(out, 7.0)
            voyage.go(home, 6.0)
        return voyage

    voyage = afloat.innocent(make)
    afloat.add(afloat.craft("liner", "skiff", voyage.way(), rng, states=voyage.states))


def _launch(afloat: Afloat, rng: Rng) -> None:
    """A launch that brings crews and stores to ships at anchor, at any hour, and fast."""
    port = afloat.chart.places["P-KHI"]
    home = berth(port, afloat.chart, rng)
    voyage = afloat.voyage(-HOUR, home, rng)
    speed = between(rng, [14.0, 24.0])
    while voyage.now < afloat.span:
        voyage.lie(between(rng, [0.5, 7.0]) * HOUR, 5)
        voyage.go(afloat.out("P-KHI", rng), speed)
        ships = [at for a, b, at in afloat.anchored if a < voyage.now < b - 2 * HOUR]
        for _ in range(min(len(ships), int(rng.integers(1, 4)))):
            voyage.sail(near(rng, ships[int(rng.integers(len(ships)))], 0.04), speed)
            voyage.stay(between(rng, [8.0, 40.0]) * 60.0)
        voyage.sail(afloat.out("P-KHI", rng), speed)
        voyage.go(home, 8.0)
    ais = afloat.register.set("service", "B", rng) if rng.random() < 0.5 else None
    afloat.add(afloat.craft("launch", "boat", voyage.way(), rng, ais=ais, states=voyage.states))


def _switched_off_at_home(ais: Transponder, voyage: Voyage, rng: Rng) -> None:
    """Who leaves a small boat in harbour often switches all of it off."""
    if rng.random() < 0.7:
        ais.off += [
            (a + 600.0, b - 300.0) for a, b, s in voyage.states if s == 5 and b - a > 3600.0
        ]


def _tow(afloat: Afloat, rng: Rng) -> None:
    """A tug with a barge on a long wire, for a day and more."""

    def make() -> Voyage:
        here, there = _ends(rng, afloat.chart)
        start = float(rng.uniform(-DAY, afloat.span * 0.7))
        voyage = afloat.voyage(start, afloat.out(here, rng), rng)
        voyage.sail(afloat.out(there, rng), between(rng, [3.8, 5.8]), uneven=0.03)
        voyage.go(berth(afloat.chart.places[there], afloat.chart, rng), 4.0)
        voyage.lie(max(0.0, afloat.span + HOUR - voyage.now), 5)
        return voyage

    voyage = afloat.innocent(make)
    way = voyage.way()
    ais = afloat.register.set("tow", "A", rng)
    afloat.add(afloat.craft("tug", "ship", way, rng, ais=ais))
    late = between(rng, [130.0, 260.0])  # of wire, at 4 to 6 kn: some 300 to 700 m
    towed = Way(way.t + late, way.lat, way.lon)
    lit = afloat.register.set("service", "B", rng) if rng.random() < 0.5 else None
    afloat.add(afloat.craft("barge", "dhow", towed, rng, ais=lit))


def _survey(afloat: Afloat, rng: Rng) -> None:
    """A survey ship that goes up and down its lines."""

    def make() -> Voyage:
        centre = (between(rng, [24.2, 24.5]), between(rng, [64.3, 65.3]))
        voyage = afloat.voyage(-3 * HOUR, destination(*centre, 270.0, 9000.0), rng)
        heading, line = 90.0, 0
        while voyage.now < afloat.span:
            to = destination(*voyage.here, heading, 18_000.0)
            voyage.go(to, 4.4)
            voyage.go(destination(*voyage.here, 180.0 if line < 12 else 0.0, 700.0), 3.5)
            heading, line = heading + 180.0, (line + 1) % 24
        return voyage

    voyage = afloat.innocent(make)
    ais = afloat.register.set("survey", "A", rng, foreign=0.5)
    afloat.add(afloat.craft("survey", "ship", voyage.way(), rng, ais=ais, states=voyage.states))


def _raft(afloat: Afloat, rng: Rng) -> None:
    """A small boat that works off its beach by day: lines, traps, trips."""
    ports = [p for p in afloat.chart.of_kind("port") if "Landing" in p.name or "Fish" in p.name]
    port = ports[int(rng.integers(len(ports)))]

    def make() -> Voyage:
        home = berth(port, afloat.chart, rng)
        voyage = afloat.voyage(-HOUR, home, rng)
        while voyage.now < afloat.span:
            voyage.lie(between(rng, [4.0, 20.0]) * HOUR, 5)
            out = afloat.out(port.id, rng)
            voyage.go(out, between(rng, [6.0, 9.0]))
            for _ in range(int(rng.integers(2, 6))):
                voyage.sail(near(rng, out, 3.5), between(rng, [5.0, 8.0]))
                voyage.drift(between(rng, [0.3, 1.3]) * HOUR)
            voyage.sail(out, 7.0)
            voyage.go(home, 6.0)
        return voyage

    voyage = afloat.innocent(make)
    afloat.add(afloat.craft("raft", "skiff", voyage.way(), rng, states=voyage.states))


def _broken_down(afloat: Afloat, rng: Rng) -> None:
    """A vessel whose engine fails: it drifts for hours where it is, and nothing is behind it."""

    def make() -> Voyage:
        line = beside(afloat.chart.lanes[str(rng.choice(["L-COAST", "L-S"]))], 1.0)
        start = float(rng.uniform(-10 * HOUR, max(1.0, afloat.span - 12 * HOUR)))
        voyage = afloat.voyage(start, line[0], rng)
        voyage.follow(line[1:3], 9.0)
        voyage.drift(between(rng, [3.0, 7.0]) * HOUR, status=2)
        voyage.follow(line[3:], 6.0)
        return voyage

    voyage = afloat.innocent(make)
    ais = afloat.register.set("cargo", "A", rng, foreign=0.5)
    afloat.add(afloat.craft("broken", "ship", voyage.way(), rng, ais=ais, states=voyage.states))


def _ferry(afloat: Afloat, line: Data, rng: Rng) -> None:
    speed, every = between(rng, line["speed_kn"]), between(rng, line["every_h"]) * HOUR

    def make() -> Voyage:
        here, there = (tuple(line[k]) for k in ("here", "there"))
        voyage = afloat.voyage(-between(rng, [0.5, 1.0]) * every, here, rng)
        while voyage.now < afloat.span:
            voyage.lie(between(rng, [0.1, 0.5]) * every, 5)
            voyage.go(afloat.out("P-KHI", rng) if here == tuple(line["here"]) else there, speed)
            voyage.sail(there, speed)
            here, there = there, here
        return voyage

    voyage = afloat.innocent(make)
    ais = afloat.register.set("ferry", "A", rng)
    afloat.add(afloat.craft("ferry", "ship", voyage.way(), rng, ais=ais, states=voyage.states))
