"""Patrol sectors and what their plans ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cordon.kernel.cards import Card
from cordon.kernel.errors import BadInput
from cordon.picture.cover.fields import sees
from cordon.picture.cover.model import Sees
from cordon.picture.model import Zone

KIND = "patrol_sector"
MEASURES = ("area", "line")


@dataclass(frozen=True, slots=True)
class Sector:
    """A zone of kind patrol_sector with its plan.

    Attributes:
        needs: what must be seen in it; none where the zone does not say, see `cover.needs_of`.
        on_line: its share is counted along the border's line inside it, not over its area.
        values: the card's parameters, with what the zone sets for itself.
    """

    zone: Zone
    needs: Sees
    on_line: bool
    values: Mapping[str, float]

    @property
    def plan_min(self) -> float:
        """How many minutes it may stay uncovered; 0 where it has no plan."""
        return self.values["max_uncovered_min"]

    @property
    def covered_share(self) -> float:
        """The share that its plan wants covered; 0 where it sets none."""
        return self.values["covered_share"]


def sectors_of(
    zones: Sequence[Zone], card: Card, values: Mapping[str, float], where: str = "The zones"
) -> list[Sector]:
    """The patrol sectors among zones, by id; BadInput names the zone that asks for nonsense."""
    found = []
    for number, zone in enumerate(zones, 1):
        if zone.kind == KIND:
            try:
                found.append(_sector(zone, card, values))
            except BadInput as wrong:
                raise BadInput(
                    f"{where}, feature {number} (“{zone.id[:60]}”): {wrong.message}",
                    advice=wrong.advice,
                ) from None
    return sorted(found, key=lambda sector: sector.zone.id)


def _sector(zone: Zone, card: Card, values: Mapping[str, float]) -> Sector:
    said = zone.parameters
    needs = sees(said, Sees(0), "needs")
    measure = said.get("measure") or "area"
    if measure not in MEASURES:
        raise BadInput(f"its measure is none of {', '.join(MEASURES)}.")
    return Sector(zone, needs, measure == "line", card.values({**values, **said}))
