"""Rules that send units where no officer does, to hold the ranking against plain ones."""

from __future__ import annotations

from collections.abc import Collection

from cordon.exercise.crews.model import Rule
from cordon.kernel import geo
from cordon.operations import Position, Ranking, Unit


def chosen(rule: Rule, ranking: Ranking, among: Collection[str]) -> str | None:
    """The unit that a rule sends; None where it has none to send.

    No rule knows more than the node does: where units were reported last, their usual speed, and
    who declined.

    Args:
        among: ids of the units of the play.
    """
    ready = [c for c in ranking.choices if c.unit.id in among and not c.declined]
    place = ranking.alert.place
    if rule is Rule.FIRST:
        return next((c.unit.id for c in ready if not c.cannot), None)
    if place is None or rule is Rule.PEOPLE:
        return None
    told = [c.unit for c in ready if c.unit.position is not None]
    return min(told, key=lambda u: (_cost(rule, u, place), u.code)).id if told else None


def _cost(rule: Rule, unit: Unit, place: Position) -> float:
    assert unit.position is not None
    metres = float(geo.distance_m(unit.position.lat, unit.position.lon, place.lat, place.lon))
    return metres / max(unit.speed_kn, 1e-6) if rule is Rule.STRAIGHT else metres
