"""Where each unit would meet a target that keeps its course and speed, held against the land."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np

from cordon.kernel import geo
from cordon.kernel.units import MS_PER_KNOT
from cordon.operations.model import Choice, Meeting, Position, UnitKind
from cordon.operations.ranking import rank
from cordon.operations.ranking.intercept import intercept
from cordon.operations.triage.score import Target

LONGEST = timedelta(hours=12)  # beyond it no target keeps its course
STRAIGHT = (UnitKind.BOAT, UnitKind.AIRCRAFT)  # the others follow roads


def meetings(choices: Sequence[Choice], target: Target | None, now: datetime) -> list[Choice]:
    """The choices, each with where its unit would meet the target; None where it cannot, within
    12 hours, or where it moves on land."""
    if target is None:
        return list(choices)
    since = (now - target.at).total_seconds()
    here = geo.destination(
        target.lat, target.lon, target.course_deg, target.speed_ms * max(0.0, since)
    )
    return [replace(c, meets=_meeting(c, target, here)) for c in choices]


def _meeting(choice: Choice, target: Target, here: tuple[float, float]) -> Meeting | None:
    unit = choice.unit
    if unit.position is None or unit.kind not in STRAIGHT:
        return None
    start = (unit.position.lat, unit.position.lon)
    found = intercept(start, unit.speed_kn * MS_PER_KNOT, here, target.course_deg, target.speed_ms)
    if found is None or found.seconds > LONGEST.total_seconds():
        return None
    end = (found.lat, found.lon)
    return Meeting(
        course_deg=found.course_deg,
        takes=timedelta(seconds=found.seconds),
        place=Position(*end),
        clear=None if unit.kind is UnitKind.AIRCRAFT else _clear([start, here], end),
    )


def _clear(starts: Sequence[tuple[float, float]], end: tuple[float, float]) -> bool | None:
    """Whether the straight legs of unit and target cross no land of the map; None where the map
    does not reach that far, or there is none."""
    seas = rank.seas()
    if seas is None:
        return None
    sea = seas.about(*end)
    if not all(sea.covers(*place) for place in (*starts, end)):
        return None
    return bool(sea.clear(np.array(starts), np.array([end])).all())
