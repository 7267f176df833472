"""What an AIS set sends, and when (ITU-R M.1371-5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from cordon.exercise.worlds.paths import Floats
from cordon.exercise.worlds.sea.craft import Craft, Transponder
from cordon.exercise.worlds.seeing.motion import METRES_PER_DEGREE, Motion
from cordon.exercise.worlds.seeing.streams import Rng, between

Data = dict[str, Any]
_STILL_KN = 0.25
_TURNING_DEG_S = 0.15  # about 5 degrees off the mean of the last 30 s (ITU-R M.1371-5, 4.3.3)


@dataclass(frozen=True, slots=True)
class Sent:
    """What a set sent in a slice, as columns: see `rows.Rows`. `true_lat`, `true_lon`: where its
    antenna was."""

    t: Floats
    true_lat: Floats
    true_lon: Floats
    lat: Floats
    lon: Floats
    speed: Floats
    course: Floats
    heading: Floats
    status: Floats

    def __len__(self) -> int:
        return len(self.t)


@dataclass(frozen=True, slots=True)
class Jamming:
    """A time and place in which satellite navigation fails: error of fixes (m, 1 sigma)."""

    start: float
    end: float
    lat: float
    lon: float
    radius_m: float
    error_m: float


class Sets:
    """How the sets of a world send.

    Args:
        data: the part `ais` of the world's YAML. jamming: when and where fixes are wrong.
    """

    def __init__(self, data: Data, rng: Rng, jamming: list[Jamming]) -> None:
        self._error_m = data["position_m"]
        self._wrong = between(rng, data["wrong_fix"])
        self._stale = between(rng, data["stale"])
        self._jamming = jamming

    def sent(self, craft: Craft, motion: Motion, start: float, end: float, rng: Rng) -> Sent:
        """All that a craft's set sends from `start` to `end` (s), heard or not."""
        ais = craft.set
        assert ais is not None
        t = _moments(ais, motion, start, end, rng)
        for off, on in ais.off:
            t = t[(t < off) | (t > on)]
        lat, lon, speed, course = motion.at(t)
        true = lat, lon
        state = ais.status(t)
        still = speed < _STILL_KN
        heading = course + 3 * np.sin(t / 700.0 + craft.handling.phase * 6)
        heading = np.where(still, 360 * craft.handling.phase + 20 * np.sin(t / 4000.0), heading)
        # a course is told from small differences: the slower, and the smaller the hull, the worse
        yaw = (0.8 + 5.0 / np.maximum(speed, 0.5)) * (0.6 if craft.size == "ship" else 1.3)
        course = np.where(
            still, rng.uniform(0, 360, len(t)), course + rng.normal(0, 1, len(t)) * yaw
        )
        for lie in ais.lies:
            here = (t >= lie.start) & (t < lie.end)
            if here.any():
                values = (v.copy() for v in (lat, lon, speed, course))
                lat, lon, speed, course = values
                lat[here], lon[here], speed[here], course[here] = lie.told(
                    t[here], lat[here], lon[here], speed[here], course[here]
                )
                heading[here] = np.where(lie.kind == "circle", course[here], heading[here])
        lat, lon = self._measured(craft, t, lat, lon, still, rng)
        for lie in ais.lies:
            here = (t >= lie.start) & (t < lie.end)
            if lie.kind == "frozen" and here.any():
                lat[here], lon[here] = lie.lat, lie.lon
        speed = np.where(still & (speed < 0.5), np.abs(rng.normal(0, 0.06, len(t))), speed)
        speed = np.abs(speed + rng.normal(0, 0.08, len(t)) * (speed > 0.3))
        heading = heading % 360 if ais.kind == "A" else np.full(len(t), np.nan)
        return Sent(t, *true, lat, lon, speed, course % 360, heading, state)

    def _measured(
        self, craft: Craft, t: Floats, lat: Floats, lon: Floats, still: Any, rng: Rng
    ) -> tuple[Floats, Floats]:
        """Places with the errors of satellite navigation, of jamming, and of single bits."""
        phase = craft.handling.phase
        sigma = self._error_m[0] + (self._error_m[1] - self._error_m[0]) * phase
        slow = np.array([np.sin(t / 510.0 + 40 * phase), np.cos(t / 730.0 + 70 * phase)])
        err = 0.9 * sigma * slow + 0.35 * sigma * rng.standard_normal((2, len(t)))
        if phase < 0.4:  # many sets hold their place while they lie still
            err = np.where(still, 0.9 * sigma * slow[:, :1], err)
        for jam in self._jamming:
            off = np.hypot(
                (lat - jam.lat) * METRES_PER_DEGREE,
                (lon - jam.lon) * METRES_PER_DEGREE * np.cos(np.radians(jam.lat)),
            )
            here = (t >= jam.start) & (t < jam.end) & (off < jam.radius_m)
            err = np.where(here, err + rng.normal(0, jam.error_m, (2, len(t))), err)
        lat = lat + err[0] / METRES_PER_DEGREE
        lon = lon + err[1] / METRES_PER_DEGREE / np.cos(np.radians(lat))
        again = 1 + np.flatnonzero(rng.random(max(0, len(t) - 1)) < self._stale)
        lat[again], lon[again] = lat[again - 1], lon[again - 1]
        for i in np.flatnonzero(rng.random(len(t)) < self._wrong):
            # one bit of 1/600 000 degree that flips on the way (M.1371-5, message 1)
            flip = 2.0 ** float(rng.integers(12, 25)) / 600_000.0 * float(rng.choice((-1, 1)))
            if rng.random() < 0.5:
                lat[i] = np.clip(lat[i] + flip, -89.0, 89.0)
            else:
                lon[i] = np.clip(lon[i] + flip, -179.0, 179.0)
        return lat, lon


def _moments(ais: Transponder, motion: Motion, start: float, end: float, rng: Rng) -> Floats:
    """When it sends: intervals by class, state, speed and turn."""
    speed = motion.speed
    if ais.kind == "A":
        turns = motion.turning() > _TURNING_DEG_S
        every = np.where(turns, 10 / 3, 10.0)
        every = np.where(speed > 14, np.where(turns, 2.0, 6.0), every)
        every = np.where(speed > 23, 2.0, every)
        state = ais.status(motion.t)
        every = np.where(((state == 1) | (state == 5)) & (speed < 3), 180.0, every)
    elif ais.kind == "S":
        every = np.select([speed > 23, speed > 14, speed > 2], [5.0, 15.0, 30.0], 180.0)
    else:
        every = np.where(speed > 2, 30.0, 180.0)
    count = np.cumsum(motion.step / every) + rng.random()
    within = (motion.t >= start) & (motion.t <= end)
    if within.sum() < 2:
        return np.empty(0)
    first, last = count[within][0], count[within][-1]
    number = np.arange(np.ceil(first), last)
    t = np.interp(number, count, motion.t)
    # slots are chosen about the nominal time (M.1371-5, 3.3.2: up to a tenth either way)
    t = t + rng.uniform(-0.1, 0.1, len(t)) * np.interp(t, motion.t, every)
    return np.asarray(np.clip(t, start, end))
