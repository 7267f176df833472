"""Detectors over calls: each a module beside its card, found by the hook like any other."""

from __future__ import annotations

import sys
from typing import Any

from cordon.kernel.cards import Card
from cordon.kernel.hooks import gathered, hook, plugin_manager


@hook
def calls_detectors() -> list[Any]:
    """The built-in detectors."""
    from cordon.calls.detectors import call_centre, fan, number_succession, simbox

    return [call_centre, simbox, fan, number_succession]  # fan: lines of no ring, so after them


def all_detectors() -> list[Any]:
    """The built-in detectors and those that installed packages offer."""
    manager = plugin_manager([sys.modules[__name__]])
    return gathered(manager.hook.calls_detectors())


def cards() -> dict[str, Card]:
    """The card of each detector, by the kind of finding that it returns."""
    return {detector.CARD.kind: detector.CARD for detector in all_detectors()}
