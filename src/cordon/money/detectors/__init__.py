"""Detectors over payments: one module each, beside its card.

A detector has `CARD` and `find(data, card) -> Iterator[Finding]`. Others come in by the
entry-point group `cordon` and the hook `money_detectors`, as these do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Protocol

from cordon.kernel.cards import Card
from cordon.kernel.findings import Finding
from cordon.kernel.hooks import gathered, hook, plugin_manager
from cordon.money.detectors import call_then_pay, mule
from cordon.money.detectors.data import MoneyData


class Detector(Protocol):
    """What a module of a detector offers."""

    CARD: Card

    def find(self, data: MoneyData, card: Card) -> Iterator[Finding]:
        """Its findings over the payments, in any order."""
        ...


@hook
def money_detectors() -> list[Any]:
    """The built-in detectors."""
    return [call_then_pay, mule]


def all_detectors() -> list[Detector]:
    """All detectors, built-in ones and those of installed packages, each once, by name."""
    manager = plugin_manager([sys.modules[__name__]])
    found = {d.CARD.name: d for d in gathered(manager.hook.money_detectors())}
    return [found[name] for name in sorted(found)]


def cards() -> dict[str, Card]:
    """The card of each detector, by the kind of finding that it returns."""
    return {d.CARD.kind: d.CARD for d in all_detectors()}
