"""Pilot boats, harbour tugs and bunker barges: they meet ships all day, and it is their trade."""

from __future__ import annotations

from typing import Any

import numpy as np

from cordon.exercise.worlds.paths import near
from cordon.exercise.worlds.sea.afloat import Afloat, Boarding
from cordon.exercise.worlds.sea.voyage import HOUR, Voyage, berth
from cordon.exercise.worlds.seeing.streams import Rng, between, times

Data = dict[str, Any]
_TOWARDS_S = 25 * 60.0  # before a boarding a boat leaves its station
_TUG_S = 70 * 60.0  # a tug goes out to a ship, and with her to the berth


def build(afloat: Afloat) -> None:
    """All of them, by the ships that want them."""
    wanted = sorted(
        (b for b in afloat.boardings if -2 * HOUR < b.t < afloat.span + HOUR), key=lambda b: b.t
    )
    data = afloat.data["traffic"]
    for port in ("P-KHI", "P-QAS", "P-GWD"):
        here = [b for b in wanted if b.port == port]
        _boats(afloat, here, port, int(data["pilots"][port]))
        _tugs(afloat, here, port, int(data["tugs"][port]))
    for i in range(times(data["bunkering"]["barges"], afloat.scale, afloat.streams.of("barges"))):
        _barge(afloat, afloat.streams.of("barge", i))


def _boats(afloat: Afloat, wanted: list[Boarding], port: str, count: int) -> None:
    """Pilot boats: each ship is met by the one that has been free longest."""
    boats = [_at_berth(afloat, port, afloat.streams.of(f"pilots {port}", i)) for i in range(count)]
    homes = [b.here for b in boats]
    out = afloat.chart.out[port]
    for ship in wanted:
        i = min(range(count), key=lambda k: boats[k].now)
        boat = boats[i]
        if boat.now > ship.t - _TOWARDS_S:
            continue  # none is free: she takes her pilot later, and nobody sees how
        boat.lie(ship.t - _TOWARDS_S - boat.now, 5)
        boat.go(out, between(boat.rng, [11.0, 17.0]))
        lat, lon = ship.ship.at(np.array([ship.t]))
        boat.go((float(lat[0]), float(lon[0])), between(boat.rng, [11.0, 17.0]))
        boat.drift(ship.t - boat.now)
        boat.beside(ship.ship, ship.t + between(boat.rng, [5.0, 11.0]) * 60.0, 18.0)
        if boat.rng.random() < 0.4:
            boat.go(near(boat.rng, boat.here, 0.5), 6.0)
            boat.drift(between(boat.rng, [0.2, 1.0]) * HOUR)
        boat.go(out, between(boat.rng, [11.0, 17.0]))
        boat.go(homes[i], 8.0)
    for i, boat in enumerate(boats):
        boat.lie(afloat.span + HOUR - boat.now, 5)
        rng = afloat.streams.of(f"pilot {port}", i)
        ais = afloat.register.set("pilot", "A" if rng.random() < 0.5 else "B", rng)
        afloat.add(afloat.craft("pilot", "boat", boat.way(), rng, ais=ais, states=boat.states))


def _tugs(afloat: Afloat, wanted: list[Boarding], port: str, count: int) -> None:
    """Tugs: one or two go with a ship between the outer point and her berth."""
    tugs = [_at_berth(afloat, port, afloat.streams.of(f"tugs {port}", i)) for i in range(count)]
    homes = [t.here for t in tugs]
    for ship in wanted:
        for _ in range(2):
            i = min(range(count), key=lambda k: tugs[k].now)
            tug = tugs[i]
            meets = ship.t + 900.0 if ship.inbound else ship.t - 3600.0
            if tug.now > meets - 1800.0:
                break
            tug.lie(meets - 1800.0 - tug.now, 5)
            lat, lon = ship.ship.at(np.array([meets]))
            tug.go((float(lat[0]), float(lon[0])), 9.0)
            tug.stay(meets - tug.now)
            tug.beside(ship.ship, meets + between(tug.rng, [0.5, 0.9]) * _TUG_S, 55.0)
            tug.go(homes[i], 8.0)
            if tug.rng.random() < 0.4:
                break
    for i, tug in enumerate(tugs):
        tug.lie(afloat.span + HOUR - tug.now, 5)
        rng = afloat.streams.of(f"tug {port}", i)
        ais = afloat.register.set("tug", "A", rng)
        afloat.add(afloat.craft("tug", "dhow", tug.way(), rng, ais=ais, states=tug.states))


def _at_berth(afloat: Afloat, port: str, rng: Rng) -> Voyage:
    home = berth(afloat.chart.places[port], afloat.chart, rng)
    return afloat.voyage(-3 * HOUR, home, rng)


def _barge(afloat: Afloat, rng: Rng) -> None:
    """A bunker barge: hours beside one ship at anchor after another."""
    port = str(rng.choice(["P-KHI", "P-QAS"]))
    out = afloat.chart.out[port]
    boat = _at_berth(afloat, port, rng)
    home = boat.here
    while boat.now < afloat.span:
        boat.lie(between(rng, [0.5, 5.0]) * HOUR, 5)
        boat.go(out, 6.0)
        ships = [
            (end, at)
            for start, end, at in afloat.anchored
            if start < boat.now + HOUR and end > boat.now + 6 * HOUR
        ]
        if ships:
            end, at = ships[int(rng.integers(len(ships)))]
            boat.sail(at, 7.0)
            boat.go(near(rng, at, 0.03), 2.0)
            boat.stay(min(end - boat.now - HOUR, between(rng, [2.5, 5.5]) * HOUR))
        boat.sail(out, 7.0)
        boat.go(home, 6.0)
    ais = afloat.register.set("tanker", "A" if rng.random() < 0.7 else "B", rng)
    afloat.add(afloat.craft("barge", "dhow", boat.way(), rng, ais=ais, states=boat.states))
