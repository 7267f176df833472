"""Who lost money to which centre, when, and by which number."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from cordon.exercise.worlds.calling.centres import Centre
from cordon.exercise.worlds.calling.drawing import Floats, Ints, Rng
from cordon.exercise.worlds.calling.events import Events


@dataclass(slots=True)
class Victims:
    """Columns of victims, gathered while the days go by.

    Attributes:
        centre: index. who: person (or phone abroad). line: SIM card that called them, or that
            they called. t: seconds of the call. lost: amount (PKR).
    """

    centre: list[Ints] = field(default_factory=list)
    who: list[Ints] = field(default_factory=list)
    line: list[Ints] = field(default_factory=list)
    t: list[Floats] = field(default_factory=list)
    lost: list[Floats] = field(default_factory=list)

    def add(self, centre: Centre, bitten: Events, rng: Rng) -> None:
        """Add callees of these calls."""
        n = len(bitten)
        self.centre.append(np.full(n, centre.index, np.int32))
        self.who.append(bitten.b)
        self.line.append(bitten.a_line)
        self.t.append(bitten.t + np.nan_to_num(bitten.lasts))
        amount = centre.own["loss"] * np.exp(rng.normal(0, 1.1, n))
        self.lost.append(np.maximum(500.0, np.round(amount / 100.0) * 100.0))

    def columns(self) -> tuple[Ints, Ints, Ints, Floats, Floats]:
        """centre, who, line, t, lost in order of time."""
        if not self.t:
            empty = np.empty(0, np.int32)
            return empty, empty, empty, np.empty(0), np.empty(0)
        centre, who, line = (np.concatenate(c) for c in (self.centre, self.who, self.line))
        t, lost = np.concatenate(self.t), np.concatenate(self.lost)
        order = np.lexsort((who, t))
        return centre[order], who[order], line[order], t[order], lost[order]
