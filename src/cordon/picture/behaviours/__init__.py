"""Behaviours over positions: one module each, beside its card.

A behaviour has `CARD` and `find(tracks, zones, values) -> Iterator[Finding]`, where `values`
are its card's parameters (`CARD.values(...)`). Others come in by the entry-point group
`cordon` and the hook `picture_behaviours`, as these do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from cordon.kernel.cards import Card
from cordon.kernel.errors import BadInput
from cordon.kernel.findings import Finding
from cordon.kernel.hooks import gathered, hook, plugin_manager
from cordon.picture.behaviours import (
    border_crossing,
    convoy,
    drone_crossing,
    encounter,
    false_position,
    gap,
    identity_change,
    impossible_move,
    landing,
    loitering,
    repeated_crossing,
    sensor_trip,
    shared_identity,
    shore_transfer,
    zone_dwell,
    zone_entry,
    zone_exit,
)
from cordon.picture.cover import uncovered
from cordon.picture.model import Zone
from cordon.picture.tracks import Tracks


class Behaviour(Protocol):
    """What a module of a behaviour offers."""

    CARD: Card

    def find(
        self, tracks: Tracks, zones: Sequence[Zone], values: Mapping[str, float]
    ) -> Iterator[Finding]:
        """Its findings over the tracks, in any order."""
        ...


@hook
def picture_behaviours() -> list[Any]:
    """The built-in behaviours."""
    return [
        border_crossing,
        convoy,
        drone_crossing,
        encounter,
        false_position,
        gap,
        identity_change,
        impossible_move,
        landing,
        loitering,
        repeated_crossing,
        sensor_trip,
        shared_identity,
        shore_transfer,
        uncovered,
        zone_dwell,
        zone_entry,
        zone_exit,
    ]


def behaviours() -> list[Behaviour]:
    """All behaviours, built-in ones and those of installed packages, each once, by name.

    The built-in ones are there also where the package's own entry points are not installed.
    """
    manager = plugin_manager([sys.modules[__name__]])
    found = {b.CARD.name: b for b in gathered(manager.hook.picture_behaviours())}
    return [found[name] for name in sorted(found)]


def streamed() -> list[Behaviour]:
    """Those that run over a live window; others a node reckons itself, by what it alone knows."""
    return [b for b in behaviours() if getattr(b, "STREAMED", True)]


def fit_behaviours(zones: Sequence[Zone], where: str) -> None:
    """Refuse zones that set a behaviour's parameter to what it does not take.

    Raises:
        BadInput: names the feature (from 1, in the order given), its zone and the parameter.
    """
    some = behaviours()
    cards = [b.CARD for b in some]
    for one in some:
        if hasattr(one, "fit_zones"):
            one.fit_zones(zones, where)
    for number, zone in enumerate(zones, 1):
        for card in cards:
            try:
                card.values(zone.parameters)
            except BadInput as wrong:
                raise BadInput(
                    f"{where}, feature {number} (“{zone.id[:60]}”): {wrong.message}"
                ) from None
