"""Detectors over payments: one module each, beside its card.

A detector has `CARD` and `find(data, card) -> Iterator[Finding]`. Others come in by the
entry-point group `cordon` and the hook `money_detectors`, as these do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from cordon.kernel.cards import Card
from cordon.kernel.findings import Finding
from cordon.kernel.hooks import gathered, hook, plugin_manager
from cordon.money.detectors import (
    border_cash,
    call_then_pay,
    chain,
    charity_front,
    cycle,
    gathering,
    hawala_pair,
    many_donors,
    mule,
    scatter_gather,
    split,
)
from cordon.money.detectors.data import MoneyData

PATTERN = "money.pattern"
PATTERNS = "Patterns of payments"  # the title of all of them together; `web/i18n.py` knows it


class Detector(Protocol):
    """What a module of a detector offers."""

    CARD: Card

    def find(self, data: MoneyData, card: Card) -> Iterator[Finding]:
        """Its findings over the payments, in any order."""
        ...


@hook
def money_detectors() -> list[Any]:
    """The built-in detectors."""
    return [
        call_then_pay, mule, split, gathering, scatter_gather, cycle, chain,
        many_donors, charity_front, hawala_pair, border_cash,
    ]  # fmt: skip


def all_detectors() -> list[Detector]:
    """All detectors, built-in ones and those of installed packages, each once, by name."""
    manager = plugin_manager([sys.modules[__name__]])
    found = {d.CARD.name: d for d in gathered(manager.hook.money_detectors())}
    return [found[name] for name in sorted(found)]


def cards() -> dict[str, Card]:
    """The card of each detector, by its name: several return findings of one kind."""
    return {d.CARD.name: d.CARD for d in all_detectors()}


def kinds(some: Iterable[Card]) -> dict[str, str]:
    """Each kind of finding with its title; several detectors return patterns."""
    return {c.kind: PATTERNS if c.kind == PATTERN else c.title for c in some}
