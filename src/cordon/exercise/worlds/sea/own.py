"""The coast guard's own craft: patrols through their sectors, and what their trackers tell."""

from __future__ import annotations

from typing import Any

import numpy as np

from cordon.exercise.worlds.sea.afloat import Afloat
from cordon.exercise.worlds.sea.craft import Craft
from cordon.exercise.worlds.sea.voyage import HOUR, Voyage, berth
from cordon.exercise.worlds.seeing.motion import Motion
from cordon.exercise.worlds.seeing.rows import Names, Rows
from cordon.exercise.worlds.seeing.streams import Rng, between
from cordon.kernel.geo import destination

Data = dict[str, Any]
SOURCE = "FLEET"
_VESSEL = 1


def build(afloat: Afloat) -> None:
    """Every unit of the YAML, whatever the scale: sectors do not scale either."""
    for i, one in enumerate(afloat.data["traffic"]["units"]):
        _unit(afloat, one, afloat.streams.of("unit", i))


def _unit(afloat: Afloat, one: Data, rng: Rng) -> None:
    speed = between(rng, [9.0, 15.0] if one["kind"] == "cutter" else [12.0, 20.0])
    sectors = {s["id"]: s for s in afloat.data["chart"]["sectors"]}
    voyage = _patrol(afloat, one, sectors, speed, rng)
    ais = afloat.register.set("cutter", "A", rng) if one["ais"] else None
    if ais is not None:  # a patrol that does not want to be seen coming switches its set off
        for start, end, status in voyage.states:
            if status == 0:
                ais.off.append((start, end))
    size = "ship" if one["kind"] == "cutter" else "boat"
    craft = afloat.craft(
        one["kind"],
        size,  # type: ignore[arg-type]
        voyage.way(),
        rng,
        ais=ais,
        states=[s for s in voyage.states if s[2]],
        unit=one["id"],
    )
    afloat.add(craft)


def _patrol(afloat: Afloat, one: Data, sectors: Data, speed: float, rng: Rng) -> Voyage:
    """Out, to and fro through its sectors for hours, a look at a boat now and then, and home.

    Units may go into restricted zones; their ways are not kept out.
    """
    port = afloat.chart.places[one["home"]]
    out = afloat.out(one["home"], rng)
    home = berth(port, afloat.chart, rng)
    voyage = afloat.voyage(-between(rng, [1.0, 10.0]) * HOUR, home, rng)
    while voyage.now < afloat.span:
        voyage.go(out, 8.0)
        until = voyage.now + between(rng, [7.0, 14.0]) * HOUR
        begins, dark = voyage.now, rng.random() < 0.4
        while voyage.now < until:
            sector = sectors[str(rng.choice(one["sectors"]))]
            lon = between(rng, [sector["west"], sector["east"]])
            shore = afloat.chart.shore_near((25.0, lon))
            place = destination(*shore, 180.0, between(rng, [4.0, 26.0]) * 1852.0)
            if afloat.chart.at_sea(place, off_deg=0.03):
                voyage.sail(place, speed)
                if rng.random() < 0.35:
                    voyage.drift(between(rng, [0.2, 0.7]) * HOUR)
        voyage.sail(out, speed)
        if dark:
            voyage.states.append((begins, voyage.now, 0))
        voyage.go(home, 7.0)
        voyage.lie(between(rng, [1.0, 4.0]) * HOUR, 5)
    return voyage


def tracked(
    craft: Craft,
    motion: Motion,
    span: tuple[float, float],
    every: float,
    rng: Rng,
    names: tuple[Names, Names],
) -> Rows:
    """What the unit's own tracker tells, every so many seconds, with pauses out of coverage."""
    start, end = max(span[0], motion.t[0]), min(span[1], float(motion.t[-1]))
    t = np.arange(np.ceil(start / every) * every, end, every)
    t = t[rng.random(len(t)) < 0.97]
    lat, lon, speed, course = motion.at(t)
    sources, subjects = names
    return Rows.of(
        np.rint(t),
        arrive=t + rng.exponential(8.0, len(t)) + 1.0,
        source=sources.code(SOURCE),
        subject=subjects.code(f"unit:{craft.unit}"),
        lat=lat + rng.normal(0, 4e-5, len(t)),
        lon=lon + rng.normal(0, 4e-5, len(t)),
        speed=speed,
        course=course,
        accuracy=8,
        kind=_VESSEL,
        who=craft.serial,
    )
