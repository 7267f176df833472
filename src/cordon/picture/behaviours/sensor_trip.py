"""Trips of ground sensors that no own unit explains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cordon.kernel.cards import load_card
from cordon.kernel.clock import format_time
from cordon.kernel.findings import Finding, Reason
from cordon.kernel.geo import point
from cordon.picture.model import KINDS, Zone
from cordon.picture.shared.sun import is_night
from cordon.picture.shared.trips import Chains, Events, chains_of, events_of, units_near
from cordon.picture.tracks import Bools, Ints, Tracks, moment

CARD = load_card(__file__)
_MOST_RECORDS = 50
_SURE = 4
_MOST_NAMES = 20


def find(tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]) -> Iterator[Finding]:
    """A finding for each event of each sensor that somebody made and no own unit explains."""
    events = events_of(tracks, values["pause_min"] * 60)
    if not len(events.start):
        return
    near = units_near(tracks, events, values["unit_min"] * 60, values["walk_ms"], values["unit_m"])
    chains = chains_of(events, values)
    dark = is_night(events.start, events.lat, events.lon)
    alone = ~np.isfinite(near)
    # a neighbour's trip at the pace of a mover, or the sensor's own word, unless it trips on and on
    calm = events.restless <= values["most_restless"]
    usual = _usual(events, alone, dark)
    # four sensors in order are somebody, wherever they lie
    alone &= (usual <= values["most_usual"]) | (chains.sensors >= _SURE)
    tells = (chains.sensors > 1) | ((events.believed > 0) & calm)
    for n in np.flatnonzero(alone & tells):
        found = _finding(tracks, events, chains, int(n), bool(dark[n]), int(usual[n]), values)
        passing = _passing(tracks, events, chains, int(n))
        yield replace(found, extra={"passing": passing}) if passing else found


def _passing(tracks: Tracks, e: Events, chains: Chains, n: int) -> list[dict[str, str]]:
    """The events of the passing that an event belongs to, by time; none where it stands alone.

    Each sensor's trip stays a finding of its own, under its id, however far the party comes; by
    this the alerts of one party are known for one.
    """
    some = np.flatnonzero(chains.passing == chains.passing[n])
    if len(some) < 2:
        return []
    return [
        {
            "subject": tracks.subjects[int(e.sensor[k])],
            "start": format_time(moment(float(e.start[k]))),
            "end": format_time(moment(float(e.end[k]))),
        }
        for k in some.tolist()
    ]


def _names(tracks: Tracks, e: Events, chains: Chains, n: int) -> str:
    """The sensors of a passing, in order."""
    some = np.flatnonzero(chains.passing == chains.passing[n])
    names = [tracks.subjects[int(k)].partition(":")[2] for k in e.sensor[some]]
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _usual(events: Events, alone: Bools, dark: Bools) -> Ints:
    """For each event, how many others its sensor has in the same light, within a day.

    Of those that no unit explains; those within some minutes may be the same party's.
    """
    found = np.zeros(len(events.start), dtype=np.int64)
    for sensor in np.unique(events.sensor):
        own = np.flatnonzero((events.sensor == sensor) & alone)
        apart = np.abs(events.start[own, None] - events.start[own])
        same = (dark[own, None] == dark[own]) & (apart > 1200.0) & (apart <= 86_400.0)
        found[own] = same.sum(axis=1)
    return found


def _finding(
    tracks: Tracks,
    e: Events,
    chains: Chains,
    n: int,
    dark: bool,
    usual: int,
    values: Mapping[str, float],
) -> Finding:
    name = tracks.subjects[int(e.sensor[n])]
    what = KINDS[int(e.kind[n])] if e.kind[n] else "something"
    sensors, trips = int(chains.sensors[n]), int(e.trips[n])
    reasons = [
        Reason(
            "unit_m",
            round(values["unit_m"]),
            "m",
            values["unit_m"],
            f"{name} tripped {trips} {'time' if trips == 1 else 'times'} by {what}; no own unit "
            f"was within this distance within {values['unit_min']:.0f} min.",
        ),
        Reason(
            "believed",
            int(e.believed[n]),
            "1",
            None,
            "So many of the trips the sensor takes for a person or a vehicle.",
        ),
        Reason(
            "most_restless",
            int(e.restless[n]),
            "1",
            values["most_restless"],
            "So often did it trip otherwise in the hour before and after.",
        ),
        Reason(
            "most_usual",
            usual,
            "1",
            values["most_usual"],
            f"So many other events it had within a day, by {'night' if dark else 'day'}, "
            "that no unit explains.",
        ),
        Reason("night", int(dark), "1", None, "It was dark." if dark else "It was day."),
    ]
    if sensors > 1:
        reasons.insert(
            0,
            Reason(
                "chain",
                sensors,
                "1",
                2,
                f"{sensors} sensors tripped one after the other, as by somebody who goes "
                f"{chains.speed_ms[n] * 3.6:.1f} km/h: {_names(tracks, e, chains, n)}.",
            ),
        )
    sure = 0.35 + 0.1 * min(sensors - 1, 3) + 0.15 * bool(e.believed[n]) + 0.1 * dark
    sure += 0.05 * min(trips - 1, 2)
    rows = np.arange(e.first[n], e.last[n] + 1)[:_MOST_RECORDS]
    return Finding.make(
        kind=CARD.kind,
        subjects=[name],
        start=moment(float(e.start[n])),
        end=moment(float(e.end[n])),
        place=point(float(e.lat[n]), float(e.lon[n])),
        radius_m=None,
        confidence=float(min(0.95, sure)),
        reasons=reasons,
        records=tracks.records(rows),
        detector=CARD.name,
        version=CARD.version,
    )
