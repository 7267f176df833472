"""Which eyes there are: sensors that are described, and those known by their reports alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from cordon.picture.cover import horizon, learned
from cordon.picture.cover.eye import Eye
from cordon.picture.cover.fields import whole
from cordon.picture.cover.model import Fault, Limit, Sees, Sensor
from cordon.picture.cover.signs import Signs
from cordon.picture.cover.silence import Down, silences

_DAY, _HOUR = 86_400.0, 3_600.0
_MOST_LEARNED = 200  # sources that nobody described
NEVER = "nothing was ever heard from it"
NO_PLACE = "where it stands is not known"
NO_RANGE = "its range is not known"
UNPROVEN = "nobody can tell whether it works: too little was heard from it"
AWAY = "nothing comes from it just now"
LEARNED = "it is known by its reports alone"


def eyes_of(
    sensors: Sequence[Sensor],
    signs: Signs,
    values: Mapping[str, float],
    faults: Iterable[Fault] = (),
) -> list[Eye]:
    """Eyes that stand: those described, and those known by their reports alone."""
    by_source = {fault.source: fault for fault in faults}
    eyes, claimed = [], set()
    for sensor in sensors:
        sign = sign_of(sensor, signs)
        if sign is not None:
            claimed.add(sign)
        if not sensor.unit:
            eyes.append(_described(sensor, sign, signs, values, by_source))
    seen = np.bincount(signs.fixes.sign, minlength=len(signs.names))
    left = [i for i in np.argsort(-seen, kind="stable").tolist() if seen[i] and i not in claimed]
    for sign in left[:_MOST_LEARNED]:
        eye = _learned(sign, signs, values, by_source)
        if eye is not None:
            eyes.append(eye)
    return eyes


def sign_of(sensor: Sensor, signs: Signs) -> int | None:
    """The sign by which a sensor is heard, or None where it never was."""
    names = [sensor.source, sensor.id]
    if sensor.kind == "ground_sensor":
        names = [f"sensor:{sensor.id.removeprefix('sensor:')}", *names]
    return signs.code(*names)


def _described(
    sensor: Sensor,
    sign: int | None,
    signs: Signs,
    values: Mapping[str, float],
    faults: Mapping[str, Fault],
) -> Eye:
    eye = Eye(sensor)
    if sign is not None:
        eye.downs, eye.proven = silences(signs, sign, sensor.every_s, values)
    elif (
        sensor.every_s is not None
        and signs.end - signs.begin > sensor.every_s * values["missed_beats"]
    ):
        eye.downs, eye.proven = [Down(signs.begin, signs.end, NEVER, open=True, silence=True)], True
    _feed(eye, signs, sign, faults.get(sensor.feed or sensor.source))
    eye.downs += limited(sensor.limits, signs) + off_duty(sensor.duty, signs)
    if sign is not None and sensor.kind in ("ais_receiver", "radar"):
        fixes = learned.lately(signs, sign, signs.end)
        if sensor.lat is not None and sensor.lon is not None:
            eye.reach = learned.reach_by_bearing(
                fixes, sensor.lat, sensor.lon, signs.end, eye.downs
            )
            if not np.isfinite(eye.reach).any():
                eye.reach = np.empty(0)
        else:
            eye.area = learned.outline(fixes)
    if eye.area is not None:
        eye.notes.append(LEARNED)
    elif not sensor.stands:
        eye.notes.append(NO_PLACE)
    elif not len(eye.reach) and not any(
        horizon.range_m(sensor, one) for one in Sees if one & sensor.sees
    ):
        eye.notes.append(NO_RANGE)
    if not eye.proven:
        eye.notes.append(UNPROVEN if sign is not None else NEVER)
    return eye


def _feed(eye: Eye, signs: Signs, sign: int | None, fault: Fault | None) -> None:
    """What the node knows of the feed that a sensor comes over.

    A feed may still send what cannot be read: it gives nothing since the last report of it.
    """
    if fault is not None:
        since = signs.begin if fault.since is None else fault.since
        if sign is not None and (last := signs.heard.last[signs.of(sign)]).size:
            since = min(since, float(last[-1]))
        if since < signs.end:
            eye.downs.append(Down(since, signs.end, fault.why, open=True))
        eye.proven = True


def _learned(
    sign: int, signs: Signs, values: Mapping[str, float], faults: Mapping[str, Fault]
) -> Eye | None:
    """A source that nobody described, as far as its reports tell."""
    name = signs.names[sign]
    fixes = learned.lately(signs, sign, signs.end)
    if not len(fixes.t):
        return None
    bits, count = np.unique(fixes.sees, return_counts=True)
    seen = Sees(0)
    for bit, n in zip(bits.tolist(), count.tolist(), strict=True):
        if n >= max(3, 0.02 * len(fixes.t)):
            seen |= Sees(bit)
    seen = whole(seen) | (Sees.VESSEL_CLASS_B if seen & Sees.VESSEL else Sees(0))
    if name.startswith("sensor:"):
        here = float(np.median(fixes.lat)), float(np.median(fixes.lon))
        sensor = Sensor(
            name.removeprefix("sensor:"), "ground_sensor", Sees.PERSON | Sees.VEHICLE,
            source=name, lat=here[0], lon=here[1], range_m=values["ground_sensor_m"],
        )  # fmt: skip
        eye = Eye(sensor, described=False, notes=[LEARNED])
    else:
        kind = (
            "ais_receiver" if seen & Sees.VESSEL and not seen & Sees.VESSEL_WITHOUT_AIS else "radar"
        )
        area = learned.outline(fixes)
        if area is None:
            return None
        eye = Eye(Sensor(name, kind, seen, source=name), described=False, notes=[LEARNED])
        eye.area = area
    eye.steady = name.startswith("sensor:") or _steady(signs, sign)
    # what comes and goes, as a satellite or a drone does, sees while something comes from it
    every = None if eye.steady else values["silent_least_min"] * 60 / values["missed_beats"]
    eye.downs, eye.proven = silences(signs, sign, every, values)
    if not eye.steady:
        eye.downs = [replace(down, why=AWAY) for down in eye.downs]
    _feed(eye, signs, sign, faults.get(name))
    if not eye.proven:
        eye.notes.append(UNPROVEN)
    return eye


def _steady(signs: Signs, sign: int) -> bool:
    """Whether something came from a sign in at least half of the hours."""
    heard = signs.heard.last[signs.of(sign)]
    met = len(np.unique(heard // _HOUR))
    return met >= 0.5 * (signs.end - signs.begin) / _HOUR


def limited(limits: Iterable[Limit], signs: Signs) -> list[Down]:
    """Outages that are known of, and weather, as far as they fall into the span."""
    found = []
    for limit in limits:
        start = limit.start.timestamp()
        end = limit.end.timestamp() if limit.end is not None else math.inf
        if start < signs.end and end > signs.begin:
            found.append(
                Down(
                    max(start, signs.begin), min(end, signs.end), limit.why or "it is out of order",
                    reach=limit.reach, open=end > signs.end,
                )
            )  # fmt: skip
    return found


def off_duty(duty: Sequence[tuple[int, int]], signs: Signs) -> list[Down]:
    """When nobody mans it: what the spans of its duty leave of each day."""
    if not duty:
        return []
    manned = np.zeros(1440, dtype=np.bool_)
    for begin, end in duty:
        if begin < end:
            manned[begin:end] = True
        else:
            manned[begin:] = manned[:end] = True
    edges = np.flatnonzero(np.diff(np.concatenate(([True], manned, [True])).astype(np.int8)))
    found = []
    day = math.floor(signs.begin / _DAY) * _DAY
    while day < signs.end:
        for begin, end in edges.reshape(-1, 2).tolist():
            start, stop = max(day + begin * 60, signs.begin), min(day + end * 60, signs.end)
            if start < stop:
                found.append(Down(start, stop, "it is off duty", open=stop >= signs.end))
        day += _DAY
    return found
