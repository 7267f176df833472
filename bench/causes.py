"""Patterns that world `callcentre` plants among honest people who do nearly the same."""

from __future__ import annotations

from collections.abc import Sequence

from cordon.exercise import Truth, score
from cordon.exercise.worlds.calling.causes import NOTES
from cordon.money.detectors import border_cash, charity_front, hawala_pair, many_donors
from cordon.money.detectors.data import MoneyData

DETECTORS = {
    "many_donors": many_donors,
    "charity_front": charity_front,
    "hawala_pair": hawala_pair,
    "border_cash": border_cash,
}


def tally(data: MoneyData, truths: Sequence[Truth]) -> dict[str, list[int]]:
    """By typology: planted, found, told falsely."""
    found = {}
    for typology, detector in DETECTORS.items():
        findings = list(detector.find(data))
        mine = [t for t in truths if t.kind == "money.pattern" and t.note == NOTES[typology]]
        kinds = [k for k in score(mine, findings).kinds if k.kind == "money.pattern"]
        found[typology] = [sum(n) for n in zip(*((k.truths, k.found, k.false) for k in kinds),
                                               strict=True)] or [0, 0, 0]  # fmt: skip
    return found
