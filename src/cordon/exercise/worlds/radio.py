"""What receivers hear of vessels, and how it is written: positions and AIS sentences."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import xor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyais.encode import encode_dict

from cordon.exercise.worlds.harbour import Data, Vessel, moved
from cordon.exercise.worlds.paths import Floats
from cordon.kernel.clock import format_time
from cordon.kernel.geo import distance_m
from cordon.kernel.store.files import written_whole
from cordon.kernel.units import METRES_PER_NAUTICAL_MILE

Told = str | int | float | bytes | bool
_STILL_KN = 0.3
COLUMNS = (
    "at",
    "source",
    "subject",
    "lat",
    "lon",
    "speed_kn",
    "course_deg",
    "heading_deg",
    "accuracy_m",
    "kind",
    "name",
    "imo",
    "call_sign",
    "ship_type",
    "flag",
)
"""Of a table of positions, as formats name them."""


@dataclass(frozen=True, slots=True)
class Heard:
    """Reports of one vessel that were received, by time.

    Attributes:
        t: whole seconds from the start. lat, lon, speed (kn), course: as they were told.
        receiver: index of the one that heard it.
    """

    vessel: Vessel
    t: Floats
    lat: Floats
    lon: Floats
    speed: Floats
    course: Floats
    receiver: NDArray[np.int64]


class Receivers:
    """The chain of receivers along a coast.

    Args:
        data: the part `coast` of a world's YAML. span: seconds of the exercise.
    """

    def __init__(self, data: Data, rng: np.random.Generator, span: float) -> None:
        self.data, self.rng, self.span = data, rng, span
        self.names = [r["id"] for r in data["receivers"]]
        hours = float(data["outage"]["hours"]) * 3600
        start = float(rng.uniform(0.2, 0.8)) * max(0.0, span - hours)
        self.outage = (self.names.index(data["outage"]["receiver"]), start, start + hours)

    def hear(self, vessel: Vessel) -> Heard:
        """The reports of a vessel that reach the chain."""
        t = self._times(vessel)
        lat, lon = vessel.way.at(t)
        speed, course = vessel.way.motion(t)
        for start, end, north, east in vessel.elsewhere:
            there = (t >= start) & (t <= end)
            lat[there], lon[there] = moved(lat[there], lon[there], north, east)
        on = np.ones(len(t), bool)
        for start, end in vessel.silent:
            on &= (t < start) | (t > end)
        on &= ~self._dropped(t)
        receiver, heard = self._received(t, lat, lon)
        on &= heard
        t, lat, lon, speed, course = (v[on] for v in (t, lat, lon, speed, course))
        noise = self.data["position_noise_m"] / 111_195.0
        lat = lat + self.rng.normal(0, noise, len(t))
        lon = lon + self.rng.normal(0, noise, len(t)) / np.cos(np.radians(lat))
        moving = speed > _STILL_KN
        speed = np.where(moving, np.abs(speed + self.rng.normal(0, 0.1, len(t))), 0.0)
        course = np.where(
            moving, course + self.rng.normal(0, 1.0, len(t)), self.rng.uniform(0, 360, len(t))
        )
        return Heard(vessel, t, lat, lon, speed, course % 360, receiver[on])

    def _times(self, vessel: Vessel) -> Floats:
        """When its set sends, each time a little off, in whole seconds as tag blocks have them."""
        every = self.data["report_s"]
        first, last = max(0.0, vessel.way.t[0]), min(self.span, vessel.way.t[-1])
        step = float(every["class_b"] if vessel.class_b else every["moving"])
        t = np.arange(first + self.rng.uniform(0, step), last, step)
        if not len(t):
            return t
        speed, _ = vessel.way.motion(t)
        seldom = max(1, round(every["still"] / step))
        t = t[(speed > _STILL_KN) | (np.arange(len(t)) % seldom == 0)]
        t = t + self.rng.uniform(-0.15, 0.15, len(t)) * step
        return np.unique(np.round(np.clip(t, first, last)))

    def _dropped(self, t: Floats) -> NDArray[np.bool_]:
        """Short silences that mean nothing: masts, waves, full slots."""
        share, longest = self.data["dropout"]["share"], self.data["dropout"]["longest_min"] * 60.0
        drop = np.zeros(len(t), bool)
        for _ in range(int(self.rng.poisson(share * self.span / (longest / 2)))):
            start = self.rng.uniform(0, self.span)
            drop |= (t >= start) & (t <= start + self.rng.uniform(0.1, 1.0) * longest)
        return drop

    def _received(
        self, t: Floats, lat: Floats, lon: Floats
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The nearest receiver that works, and whether it hears: surely up to 0.8 of its range."""
        best = np.full(len(t), np.inf)
        which = np.zeros(len(t), np.int64)
        for i, receiver in enumerate(self.data["receivers"]):
            reach = receiver["range_nm"] * METRES_PER_NAUTICAL_MILE
            far = distance_m(lat, lon, receiver["at"][0], receiver["at"][1]) / reach
            off, start, end = self.outage
            if i == off:
                far = np.where((t >= start) & (t <= end), np.inf, far)
            nearer = far < best
            best, which = np.where(nearer, far, best), np.where(nearer, i, which)
        chance = np.clip((1.0 - best) / 0.2, 0.0, 1.0) * 0.985
        return which, self.rng.random(len(t)) < chance


def write_positions(
    path: Path, heard: Sequence[Heard], names: Sequence[str], start: datetime
) -> int:
    """Write `positions.csv`, by time; return its rows."""
    order = _order(heard)
    with written_whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out, lineterminator="\n")
        rows.writerow(COLUMNS)
        for v, i in order:
            h = heard[v]
            rows.writerow(
                (
                    format_time(start + timedelta(seconds=float(h.t[i]))),
                    names[h.receiver[i]],
                    f"mmsi:{h.vessel.mmsi}",
                    f"{h.lat[i]:.6f}",
                    f"{h.lon[i]:.6f}",
                    f"{h.speed[i]:.1f}",
                    f"{h.course[i]:.1f}",
                    "" if h.vessel.class_b else round(h.course[i]) % 360,
                    10,
                    "vessel",
                    h.vessel.name,
                    h.vessel.imo,
                    h.vessel.call_sign,
                    h.vessel.ship_type,
                    h.vessel.flag,
                )
            )
    return len(order)


def write_ais(
    path: Path,
    heard: Sequence[Heard],
    names: Sequence[str],
    start: datetime,
    data: Data,
    rng: np.random.Generator,
) -> int:
    """Write `ais.nmea`, by time, each line with a tag block; return its lines."""
    written = 0
    static_due = [float(rng.uniform(0, data["static_s"])) for _ in heard]
    with written_whole(path) as partial, partial.open("w", newline="", encoding="ascii") as out:
        for v, i in _order(heard):
            h = heard[v]
            t = float(h.t[i])
            stamp = int((start + timedelta(seconds=t)).timestamp())
            sentences = [_position(h, i, stamp)]
            if t >= static_due[v]:
                static_due[v] = t + data["static_s"]
                sentences.append(_static(h.vessel, written))
            for sentence in (s for parts in sentences for s in parts):
                line = _tagged(sentence, names[h.receiver[i]], stamp)
                if rng.random() < data["broken_lines"]:
                    line = line[: int(rng.integers(5, len(line) - 1))]
                out.write(line + "\r\n")
                written += 1
    return written


def _order(heard: Sequence[Heard]) -> list[tuple[int, int]]:
    """(vessel, report) of all reports by time."""
    t = np.concatenate([h.t for h in heard])
    vessel = np.concatenate([np.full(len(h.t), v) for v, h in enumerate(heard)])
    index = np.concatenate([np.arange(len(h.t)) for h in heard])
    order = np.lexsort((vessel, t))
    return list(zip(vessel[order].tolist(), index[order].tolist(), strict=True))


def _position(h: Heard, i: int, stamp: int) -> list[str]:
    told: dict[str, Told] = {
        "msg_type": 18 if h.vessel.class_b else 1,
        "mmsi": h.vessel.mmsi,
        "lat": round(float(h.lat[i]), 6),
        "lon": round(float(h.lon[i]), 6),
        "speed": round(float(h.speed[i]), 1),
        "course": round(float(h.course[i]), 1) % 360,
        "heading": 511 if h.vessel.class_b else round(float(h.course[i])) % 360,
        "second": stamp % 60,
        "accuracy": 1,
    }
    if not h.vessel.class_b:
        told["status"] = 0 if h.speed[i] > 0 else 1
    return _sentences(told)


def _static(vessel: Vessel, sequence: int) -> list[str]:
    if vessel.class_b:
        common: dict[str, Told] = {"msg_type": 24, "mmsi": vessel.mmsi}
        return [
            *_sentences({**common, "partno": 0, "shipname": vessel.name[:20]}),
            *_sentences(
                {**common, "partno": 1, "ship_type": vessel.ship_type, "callsign": vessel.call_sign}
            ),
        ]
    return _sentences(
        {
            "msg_type": 5,
            "mmsi": vessel.mmsi,
            "shipname": vessel.name[:20],
            "callsign": vessel.call_sign,
            "imo": int(vessel.imo or 0),
            "ship_type": vessel.ship_type,
        },
        sequence % 10,
    )


def _sentences(told: dict[str, Told], sequence: int = 0) -> list[str]:
    return encode_dict(told, talker_id="AI", sentence_type="VDM", seq_id=sequence)


def _tagged(sentence: str, source: str, stamp: int) -> str:
    """A sentence with its tag block: source and receiver's time (NMEA 0183 4.0, annex on tags)."""
    tag = f"s:{source},c:{stamp}"
    return f"\\{tag}*{reduce(xor, tag.encode()):02X}\\{sentence}"


def tag_time(line: str) -> int | None:
    """Receiver's time (s since the epoch) of a line with a tag block, or None."""
    if not line.startswith("\\"):
        return None
    for part in line[1:].partition("\\")[0].partition("*")[0].split(","):
        if part.startswith("c:") and part[2:].isdecimal():
            return int(part[2:])
    return None


def reports_around(heard: Iterator[Heard], start: float, end: float) -> tuple[float, float]:
    """Last report before a span and first one after it (s), the span itself where there is none."""
    t = np.sort(np.concatenate([h.t for h in heard]))
    before, after = t[t <= start], t[t >= end]
    return (float(before[-1]) if len(before) else start, float(after[0]) if len(after) else end)
