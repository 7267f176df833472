"""How many points an alert has, part by part, and until when one can act on it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import shapely
from shapely.geometry.base import BaseGeometry

from cordon.kernel import geo
from cordon.operations.model import UNANSWERED
from cordon.operations.tables import AlertRow
from cordon.operations.triage.rules import KindRule, TriageRules

_shapes: Any = shapely  # these functions of it have no types
MOST = 200.0
"""Above any score: rows are kept by how far they stay behind it, so that they sort upwards."""

FIRST = 40.0
"""Points of a kind that stands first: more than any other has that was escalated twice."""
PARTS = (
    "seriousness", "kind", "confidence", "time", "place", "escalated", "answered", "withdrawn",
)  # fmt: skip
SLOWEST_MS = 0.5  # m/s: below it a course says nothing


@dataclass(frozen=True, slots=True)
class Target:
    """A subject as it was heard last: degrees, course (deg), speed (m/s), and when (UTC)."""

    subject: str
    lat: float
    lon: float
    course_deg: float
    speed_ms: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Area:
    """A zone that a finding names: its id, kind, and outline (degrees, longitude first)."""

    id: str
    kind: str
    outline: BaseGeometry


class Seen(Protocol):
    """What the queue needs of the picture."""

    def target(self, subject: str) -> Target | None:
        """A subject as it was heard last; None where it was not, or no course of it is known."""
        ...

    def area(self, zone: str) -> Area | None:
        """A zone by its id."""
        ...

    def land(self, west: float, south: float, east: float, north: float) -> BaseGeometry | None:
        """Land inside a box (degrees); None where the node has no map."""
        ...


class Blind:
    """A node without a picture: nothing is heard, no zone is known."""

    def target(self, subject: str) -> Target | None:
        """Nothing."""
        return None

    def area(self, zone: str) -> Area | None:
        """Nothing."""
        return None

    def land(self, west: float, south: float, east: float, north: float) -> BaseGeometry | None:
        """Nothing."""
        return None


@dataclass(frozen=True, slots=True)
class ActBy:
    """Until when one can act on a behaviour, and because of what: `kind`, `zone` or `land`."""

    at: datetime
    because: str


def act_by(
    seen: Seen,
    rules: TriageRules,
    rule: KindRule,
    subjects: Iterable[str],
    ends: datetime,
    now: datetime,
) -> ActBy:
    """Until its subject leaves the zone or lands, where its course tells that; else by its kind.

    Args:
        subjects: of the finding. ends: when the behaviour was seen last.
    """
    usual = ActBy(ends + rule.act_within, "kind")
    if not rule.until:
        return usual
    named = sorted(subjects)
    targets = [t for s in named if (t := seen.target(s)) is not None and fresh(t, rules, now)]
    zones = [s[5:] for s in named if s.startswith("zone:")]
    found: list[timedelta] = []
    for target in targets:
        if rule.until == "zone":
            areas = [a for z in zones if (a := seen.area(z)) is not None]
            left = [until_left(target, a.outline, rules.ahead) for a in areas]
        else:
            left = [_until_land(seen, target, rules.ahead)]
        found += [t + (target.at - now) for t in left if t is not None]
    return ActBy(now + max(min(found), timedelta(0)), rule.until) if found else usual


def fresh(target: Target, rules: TriageRules, now: datetime) -> bool:
    """True where a course is young enough, and quick enough, to tell where its way goes."""
    return abs(now - target.at) <= rules.fresh and target.speed_ms >= SLOWEST_MS


def until_left(target: Target, outline: BaseGeometry, ahead: timedelta) -> timedelta | None:
    """How long a target that keeps its course stays in an area; None where it is not in it, or
    does not leave it within `ahead`."""
    if not _shapes.contains_xy(outline, target.lon, target.lat):
        return None
    return _meets(target, outline.boundary, ahead)


def _until_land(seen: Seen, target: Target, ahead: timedelta) -> timedelta | None:
    way = _way(target, ahead)
    west, south, east, north = way.bounds
    land = seen.land(west - 0.01, south - 0.01, east + 0.01, north + 0.01)
    if land is None or land.is_empty or _shapes.contains_xy(land, target.lon, target.lat):
        return None
    return _meets(target, land, ahead)


def _meets(target: Target, edge: BaseGeometry, ahead: timedelta) -> timedelta | None:
    """How long until its way first touches something."""
    touched = shapely.get_coordinates(_way(target, ahead).intersection(edge))
    if not len(touched):
        return None
    metres = geo.distance_m(target.lat, target.lon, touched[:, 1], touched[:, 0])
    return timedelta(seconds=float(metres.min()) / target.speed_ms)


def _way(target: Target, ahead: timedelta) -> BaseGeometry:
    """Its way on the great circle as a line, cut where it would pass the date line."""
    metres, steps = target.speed_ms * ahead.total_seconds(), 24
    points = [(target.lon, target.lat)]
    for n in range(1, steps + 1):
        lat, lon = geo.destination(target.lat, target.lon, target.course_deg, metres * n / steps)
        if abs(lon - points[-1][0]) > 180:
            break
        points.append((lon, lat))
    line: BaseGeometry = _shapes.linestrings(points if len(points) > 1 else points * 2)
    return line


def weight(seen: Seen, rules: TriageRules, subjects: Iterable[str]) -> tuple[float, str]:
    """Weight of the place (0 to 1) and the kind of zone that it is from, empty for elsewhere.

    Of several zones the heaviest counts.
    """
    best = (rules.elsewhere, "")
    known = False
    for subject in sorted(subjects):
        if not subject.startswith("zone:"):
            continue
        id_ = subject[5:]
        area = seen.area(id_)
        kind = "" if area is None else area.kind
        value = rules.zones.get(id_, rules.zone_kinds.get(kind))
        if value is not None and (not known or value > best[0]):
            best, known = (value, kind or id_), True
    return best


def time_points(
    rules: TriageRules, until: datetime, now: datetime
) -> tuple[float, datetime | None]:
    """Points for the time that is left, and when they change next; None for never again."""
    left = until - now
    if left <= timedelta(0):
        return rules.past_points, None
    points, turns = 0.0, until
    for span, given in rules.bands:
        if left <= span:
            points = given
            break
        turns = until - span  # the last one passed: where the next shorter band begins
    return points, turns


def taken_back(row: AlertRow) -> bool:
    """True where its detector took it back, and no other alert stands under it in the queue."""
    return row.withdrawn_at is not None and not row.alike


def rescore(row: AlertRow, rules: TriageRules, now: datetime) -> None:
    """Write an alert's points anew: `parts`, `behind`, and when they change next.

    What a place weighs and why its time ends stand in `parts` already (`placed`).
    """
    held: Mapping[str, Any] = row.parts or {}
    rule = rules.of(row.kind, row.seriousness)
    unanswered, gone = row.state in UNANSWERED, taken_back(row)
    waits = unanswered and not gone
    until = row.act_by or row.due_at
    time, turns = time_points(rules, until, now) if waits else (0.0, None)
    points = {
        "seriousness": rules.seriousness[row.seriousness],
        "kind": rule.more + (FIRST if rule.first and waits else 0.0),
        "confidence": rules.confidence_most * row.confidence,
        "time": time,
        "place": rules.place_most * float(held.get("weight", rules.elsewhere)),
        "escalated": rules.escalated_more * row.level,
        "answered": 0.0 if unanswered else -rules.answered_less,
    }
    if unanswered and gone:  # nothing is due any more but a word of an officer
        points["withdrawn"] = -rules.answered_less
    row.parts = {**held, "points": {name: round(value, 1) for name, value in points.items()}}
    row.behind = MOST - round(math.fsum(row.parts["points"].values()), 1)
    row.turns_at = turns


def placed(
    row: AlertRow, seen: Seen, rules: TriageRules, subjects: Iterable[str], now: datetime
) -> None:
    """Write until when one can act, why, and what the place weighs; then the points."""
    named = tuple(subjects)
    until = act_by(seen, rules, rules.of(row.kind, row.seriousness), named, row.ends, now)
    heavy, where = weight(seen, rules, named)
    row.act_by = until.at
    row.parts = {"because": until.because, "weight": heavy, "where": where}
    rescore(row, rules, now)
