"""How often the interval of a disruption's effect holds the truth, in simulations.

Each trial draws all that the method does not know anew (`money.effect.simulate`). The peer is what
one would do first: the ring's own rate after over its rate before, with the interval of two Poisson
counts.
"""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from bench.measuring import Taken, row
from cordon.money.effect import Effect, effect, pooled
from cordon.money.effect.simulate import RATIOS, Trial, trial

SEED = 20261128
_NORMAL = 1.959964  # of 95 %


def run(quick: bool) -> list[dict[str, Any]]:
    """The rows of this part."""
    rng = np.random.default_rng(SEED)
    rounds = 200 if quick else 2000
    began, cpu = time.perf_counter(), time.process_time()
    held, plain, width, untold = [], [], [], 0
    none = [0, 0]
    for _ in range(rounds):
        one = trial(rng)
        told = effect(one.treated, one.alone, one.at)
        if not isinstance(told, Effect):
            untold += 1
            continue
        held.append(told.low <= one.ratio <= told.high)
        low, high = _plain(one)
        plain.append(low <= one.ratio <= high)
        width.append(math.log(min(told.high, 1e4) / max(told.low, 1e-4)))
        if one.ratio == 1.0:
            none[0] += not told.low <= 1.0 <= told.high
            none[1] += 1
    taken = Taken()
    taken.add(time.perf_counter() - began, time.process_time() - cpu)
    nothing = none[0] / max(none[1], 1)
    return [
        row(
            f"effect: the truth in the 95 % interval, {len(held):,} simulated disruptions, "
            f"{untold} without a figure",
            round(float(np.mean(held)), 3), round(float(np.mean(plain)), 3), "share", taken,
            goal="≥ 0.9",
        ),
        row(
            f"effect: told where nothing was done, of {none[1]:,}",
            round(nothing, 3), None, "share", Taken(), goal="≤ 0.1",
        ),
        row(
            "effect: upper bound over lower bound, median",
            round(math.exp(float(np.median(width))), 1), None, "times", Taken(),
        ),
        _kinds(rng, rounds // 5),
    ]  # fmt: skip


def _kinds(rng: np.random.Generator, rounds: int) -> dict[str, Any]:
    """Kinds of disruption, two to six of each, all with the kind's effect."""
    held = []
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(rounds):
        ratio = float(rng.choice(RATIOS))
        some = [trial(rng, ratio=ratio) for _ in range(int(rng.integers(2, 7)))]
        told = [effect(t.treated, t.alone, t.at) for t in some]
        those = [t for t in told if isinstance(t, Effect)]
        together = pooled(those)
        if len(those) > 1 and isinstance(together, Effect):
            held.append(together.low <= ratio <= together.high)
    taken = Taken()
    taken.add(time.perf_counter() - began, time.process_time() - cpu)
    return row(
        f"effect by kind: the truth in the 95 % interval, {len(held):,} kinds, 2 to 6 of each",
        round(float(np.mean(held)), 3), None, "share", taken, goal="≥ 0.9",
    )  # fmt: skip


def _plain(one: Trial) -> tuple[float, float]:
    """Rate after over rate before, of two Poisson counts."""
    before, after = int(one.treated[: one.at].sum()), int(one.treated[one.at :].sum())
    days = len(one.treated)
    ratio = (after + 0.5) / (before + 0.5) * one.at / (days - one.at)
    away = _NORMAL * math.sqrt(1 / (after + 0.5) + 1 / (before + 0.5))
    return ratio * math.exp(-away), ratio * math.exp(away)
