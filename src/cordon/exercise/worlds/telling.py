"""Which of what was planted the received reports can tell: nothing else is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cordon.exercise.worlds.harbour import Planted
from cordon.exercise.worlds.radio import Heard
from cordon.kernel.geo import distance_m
from cordon.kernel.units import MS_PER_KNOT

LEAST_REPORTS = 2  # within an event's span: one report alone may be an error of the radio's
NO_HULL_KN = 60.0  # faster than any craft that reports itself at sea


def tellable(
    planted: Sequence[Planted], heard: Sequence[Heard]
) -> tuple[list[Planted], list[Heard]]:
    """What was planted and can be told, and the reports with the rest of it gone.

    A stray report of what is not asked for would make whoever tells it wrong, so it is taken
    away: the receivers missed the event altogether.
    """
    told: list[Planted] = []
    left = list(heard)
    for event in planted:
        at = [i for i, h in enumerate(left) if h.vessel.mmsi == event.mmsi]
        if at and _told(event, [left[i] for i in at]):
            told.append(event)
        elif at and event.told_by == "inside":
            # of two hulls under one identity the second is the one that should not be there
            left[at[-1]] = _without(left[at[-1]], event)
    return told, left


def _told(event: Planted, own: Sequence[Heard]) -> bool:
    """Whether reports of the hulls under its identity can tell an event.

    By two reports of each hull within its span; a silence by two before it; what happens
    between two reports by one on each side.
    """
    if event.end <= event.start:
        return False
    if event.told_by == "inside":
        enough = all(_inside(h, event).sum() >= LEAST_REPORTS for h in own)
        return enough and (not event.apart or _apart(event, own))
    t = np.concatenate([h.t for h in own])
    before, after = int((t <= event.start).sum()), int((t >= event.end).sum())
    if event.told_by == "before":
        return before >= LEAST_REPORTS
    return before > 0 and after > 0


def _inside(heard: Heard, event: Planted) -> NDArray[np.bool_]:
    within: NDArray[np.bool_] = (heard.t >= event.start) & (heard.t <= event.end)
    return within


def _apart(event: Planted, own: Sequence[Heard]) -> bool:
    """Whether two reports in a row, one at least within the span, lie too far apart to sail."""
    t, lat, lon = (
        np.concatenate(parts)
        for parts in ([h.t for h in own], [h.lat for h in own], [h.lon for h in own])
    )
    order = np.argsort(t, kind="stable")
    t, lat, lon = t[order], lat[order], lon[order]
    within = (t >= event.start) & (t <= event.end)
    seconds = np.maximum(np.diff(t), 1.0)
    speed = distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:]) / seconds / MS_PER_KNOT
    return bool(np.any((speed > NO_HULL_KN) & (within[:-1] | within[1:])))


def _without(heard: Heard, event: Planted) -> Heard:
    keep = ~_inside(heard, event)
    return replace(
        heard,
        **{
            name: getattr(heard, name)[keep]
            for name in ("t", "lat", "lon", "speed", "course", "receiver")
        },
    )
