"""What the parts share: work timed by turns, medians of rounds, and rows of the table."""

from __future__ import annotations

import gc
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@dataclass(slots=True)
class Taken:
    """Wall and processor seconds of each round of one piece of work."""

    walls: list[float] = field(default_factory=list)
    cpus: list[float] = field(default_factory=list)

    def add(self, wall: float, cpu: float) -> None:
        self.walls.append(wall)
        self.cpus.append(cpu)

    @property
    def wall(self) -> float:
        """Median seconds."""
        return statistics.median(self.walls)

    def rate(self, count: float) -> float:
        """How many of `count` in a second, on the median round."""
        return count / self.wall


def by_turns(rounds: int, **works: Callable[[], object]) -> dict[str, Taken]:
    """Run each piece of work once a round, one after another, so that a slow moment hits all."""
    taken = {name: Taken() for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            work()
            taken[name].add(time.perf_counter() - wall, time.process_time() - cpu)
    return taken


def row(
    what: str,
    ours: object,
    peer: object,
    unit: str,
    taken: Taken,
    *,
    goal: str | None = None,
    **more: object,
) -> dict[str, Any]:
    """A row of the table; processor and wall seconds are Cordon's own, over all rounds."""
    return {
        "what": what,
        "ours": ours,
        "peer": peer,
        "unit": unit,
        "goal": goal,
        "cpu_s": round(sum(taken.cpus), 2),
        "wall_s": round(sum(taken.walls), 2),
        **more,
    }


def real_data() -> Path | None:
    """The folder of real data, or None where there is none on this machine."""
    path = Path(os.environ.get("CORDON_REAL_DATA", ROOT / ".." / "shared" / "data"))
    return path.resolve() if path.is_dir() else None
