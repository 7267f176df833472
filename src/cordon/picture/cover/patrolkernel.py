"""The loop over what patrols see of cells, compiled by Numba; imported where it is needed."""

from __future__ import annotations

from typing import Any

import numpy as np

from cordon.kernel.compiled import compiled

Array = Any


@compiled
def sweep(
    step: Array,
    x: Array,
    y: Array,
    far: Array,
    cell_x: Array,
    cell_y: Array,
    times: Array,
    revisit_s: float,
    standing: Array,
    pattern: Array,
) -> Array:
    """For each time the share of cells that patrols see, or saw just before, and sensors do not.

    Args:
        step, x, y, far: where patrols were (m), at which time (ascending) and how far they saw
            (m). standing: the part of each cell that is seen anyway, shape (patterns, cells);
            pattern: its row at each time.
    """
    count = len(cell_x)
    last = np.full(count, -np.inf)
    more = np.zeros(len(times))
    latest = -np.inf
    row = 0
    for t in range(len(times)):
        now = times[t]
        while row < len(step) and step[row] == t:
            square = far[row] * far[row]
            for c in range(count):
                dx = x[row] - cell_x[c]
                dy = y[row] - cell_y[c]
                if dx * dx + dy * dy <= square:
                    last[c] = now
            latest = now
            row += 1
        if now - latest <= revisit_s:
            total = 0.0
            for c in range(count):
                if now - last[c] <= revisit_s:
                    total += 1.0 - standing[pattern[t], c]
            more[t] = total / count
    return more
