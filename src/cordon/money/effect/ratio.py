"""The effect of a disruption on counts, with an interval: pure functions over arrays.

What would have come without the disruption is told by the ring's own weeks before it and by rings
that were left alone over the same weeks (difference in differences, on the scale of rates): what
all rings have in common, a season, a holiday, a new tariff, cancels out. How far rings drift apart
by themselves is read off those left alone, and so is by how much counts scatter more than a Poisson
count would. The interval holds every ratio under which the count seen would not have been a
surprise; it is exact for few events, where a normal approximation is not.

Source: decision 0019, which tells how often it holds the truth in simulations.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LEVEL = 0.95
FEWEST_RINGS = 3  # left alone: with fewer nobody can tell how far rings drift by themselves
FEWEST_BEFORE = 10  # events before, of the ring; of one left alone half of it
FEWEST_WEEKS = (3, 1)  # whole ones before and after
_WEEK = 7
_NODES = (np.arange(64) + 0.5) / 64  # quantiles at which the spread of the mean is read
_WIDEST = 12.0  # nats: beyond this a ratio is told as none, or as without a bound


@dataclass(frozen=True, slots=True)
class Effect:
    """How many events came, for each one expected without the disruption.

    Attributes:
        ratio: 1 where nothing changed, 0.2 where a fifth came. low, high: of the interval.
        level: how often such an interval holds the truth, 0 to 1.
        came: events after. expected: without the disruption. before: events of the weeks before.
        weeks: whole ones before and after. rings: those left alone that it was held against.
        scatter: variance of a week's count for each event of its mean (1 for a Poisson count).
        drift: standard deviation of how far rings drift apart by themselves (nats).
    """

    ratio: float
    low: float
    high: float
    level: float
    came: int
    expected: float
    before: int
    weeks: tuple[int, int]
    rings: int
    scatter: float
    drift: float
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One reading of the scatter: variance of the expected mean's logarithm, and of the count.

    Attributes:
        spread: variance of the logarithm of what was expected. shared: of it, what comes from the
            rings left alone, and so is common to disruptions held against the same ones.
        scatter: as of `Effect`. freedom: degrees of freedom of the spread.
    """

    spread: float
    shared: float
    scatter: float
    freedom: float


@dataclass(frozen=True, slots=True)
class Untold:
    """No figure can be given; `why` is a sentence for the reader."""

    why: str


def effect(
    treated: Ints, alone: Ints, at: int, *, level: float = LEVEL, weeks: int | None = None
) -> Effect | Untold:
    """The effect of a disruption on one ring's counts.

    Args:
        treated: events a day of the ring and of what followed it, shape (days,).
        alone: events a day of rings that were left alone, shape (rings, days).
        at: the first day that counts as after.
        weeks: whole weeks after that count; all there are where None.

    Returns:
        The effect; or why there is none: too few weeks, events or rings.

    Raises:
        ValueError: the shapes do not fit, or a count is below 0.
    """
    treated, alone = np.asarray(treated, np.int64), np.asarray(alone, np.int64)
    if alone.ndim != 2 or alone.shape[1] != len(treated) or not 0 <= at <= len(treated):
        raise ValueError("counts of all rings must cover the same days, the disruption among them")
    if (treated < 0).any() or (alone < 0).any():
        raise ValueError("a count lies below 0")
    many = at // _WEEK, (len(treated) - at) // _WEEK
    if weeks is not None:
        many = many[0], min(many[1], weeks)
    if many[0] < FEWEST_WEEKS[0] or many[1] < FEWEST_WEEKS[1]:
        return Untold(
            f"There are {many[0]} whole weeks before and {many[1]} after; it takes "
            f"{FEWEST_WEEKS[0]} and {FEWEST_WEEKS[1]}."
        )
    # whole weeks: what weekday it is plays no part
    own, others = _weekly(treated[None], at, many), _weekly(alone, at, many)
    keep = others[0].sum(axis=1) >= FEWEST_BEFORE / 2
    others = others[0][keep], others[1][keep]
    before, came = int(own[0].sum()), int(own[1].sum())
    if before < FEWEST_BEFORE:
        return Untold(f"There were {before} events before; it takes {FEWEST_BEFORE}.")
    rings = len(others[0])
    if rings < FEWEST_RINGS:
        return Untold(
            f"{rings} other rings were at work and left alone over the same weeks; it takes "
            f"{FEWEST_RINGS} to tell how far rings drift by themselves."
        )
    scatter = _scatter((np.concatenate([own[0], others[0]]), others[1]))
    change, parts, drift = _common(others, before, sorted({1.0, scatter}))
    expected = before * float(np.exp(change))
    low, high = _both(came, expected, parts, level)
    return Effect(
        came / expected, low, high, level, came, expected, before, many, rings, scatter, drift,
        tuple(parts),
    )  # fmt: skip


def pooled(effects: Sequence[Effect], *, level: float = LEVEL) -> Effect | Untold:
    """The effect of a kind of disruption: what came of all that was expected, over several.

    What the same rings left alone say is taken to be wrong for all of them at once. Where the
    effects differ more than their scatter explains, the interval is as much wider.
    """
    if not effects:
        return Untold("No disruption of this kind has a figure.")
    if len(effects) == 1:
        return effects[0]
    expected = np.array([e.expected for e in effects])
    came = np.array([e.came for e in effects])
    share = expected / expected.sum()
    parts = []
    for place in range(max(len(e.parts) for e in effects)):
        those = [e.parts[min(place, len(e.parts) - 1)] for e in effects]
        own = np.array([p.spread - p.shared for p in those])
        shared = np.array([p.shared for p in those])
        scatter = float(share @ np.array([p.scatter for p in those]))
        spread = float(share**2 @ own) + float(share @ np.sqrt(shared)) ** 2
        # how much more the effects differ than they would by chance: a kind has no one effect
        mean = max(came.sum(), 1) / expected.sum() * expected
        beyond = (came - mean) ** 2 / (scatter * mean + (own + shared) * mean**2)
        differ = max(float(beyond.sum()) / (len(effects) - 1), 1.0)
        # Satterthwaite: how sure a sum of variances is that are themselves only estimates
        weighty = share**2 * (own + shared)
        free = np.array([p.freedom for p in those])
        freedom = float(weighty.sum() ** 2 / (weighty**2 / free).sum())
        parts.append(
            Part(
                spread * differ + (differ - 1) * scatter / float(mean.sum()),
                float(share @ np.sqrt(shared)) ** 2,
                scatter,
                freedom,
            )
        )
    low, high = _both(int(came.sum()), float(expected.sum()), parts, level)
    return Effect(
        float(came.sum() / expected.sum()),
        low,
        high,
        level,
        int(came.sum()),
        float(expected.sum()),
        sum(e.before for e in effects),
        (sum(e.weeks[0] for e in effects), sum(e.weeks[1] for e in effects)),
        max(e.rings for e in effects),
        float(share @ np.array([e.scatter for e in effects])),
        float(share @ np.array([e.drift for e in effects])),
        tuple(parts),
    )


def expected_days(treated: Ints, alone: Ints, at: int) -> Floats:
    """What would have been expected each day: the ring's own level before, shaped by the rings
    left alone; for a chart. Shape (days,)."""
    others = np.asarray(alone, np.float64).sum(axis=0)
    begin = at % _WEEK
    mine = float(np.asarray(treated)[begin:at].sum())
    base = others[begin:at].sum()
    if not base:
        return np.full(len(treated), mine / max(at - begin, 1))
    return np.asarray(others * (mine / base), np.float64)


def _weekly(days: Ints, at: int, many: tuple[int, int]) -> tuple[Ints, Ints]:
    """Counts by whole weeks before and after, shapes (rings, weeks)."""
    rings = len(days)
    before = days[:, at - many[0] * _WEEK : at].reshape(rings, many[0], _WEEK).sum(axis=2)
    after = days[:, at : at + many[1] * _WEEK].reshape(rings, many[1], _WEEK).sum(axis=2)
    return before, after


def _scatter(spans: Sequence[Ints]) -> float:
    """Variance of a week's count for each event of its mean: Pearson's, rings by weeks; ≥ 1."""
    beyond, freedom = 0.0, 0
    for counts in spans:
        rows = counts[counts.sum(axis=1) > 0]
        columns = rows.sum(axis=0)
        rows = rows[:, columns > 0]
        if rows.shape[0] < 2 or rows.shape[1] < 2:
            continue
        mean = rows.sum(axis=1, keepdims=True) * rows.sum(axis=0, keepdims=True) / rows.sum()
        beyond += float(((rows - mean) ** 2 / mean).sum())
        freedom += (rows.shape[0] - 1) * (rows.shape[1] - 1)
    return max(beyond / freedom, 1.0) if freedom else 1.0


def _common(
    others: tuple[Ints, Ints], before: int, scatters: Sequence[float]
) -> tuple[float, list[Part], float]:
    """The change that rings left alone have in common (nats), and how sure that is.

    What scatter of weeks does not explain is drift of rings. Whether weeks scatter in proportion
    to the mean or to its square cannot be told from few events: both readings are kept.
    """
    first, then = others[0].sum(axis=1) + 0.5, others[1].sum(axis=1) + 0.5
    moved = np.log(then / first)
    rings = len(moved)
    parts, changes, drifts = [], [], []
    for scatter in scatters:
        by_chance = scatter * (1 / first + 1 / then)
        drift = max(float(moved.var(ddof=1)) - float(by_chance.mean()), 0.0)
        weight = 1 / (drift + by_chance)
        weight /= weight.sum()
        change = float(weight @ moved)
        # Hartung and Knapp's variance: that of the mean as the rings themselves show it
        seen = float(weight @ (moved - change) ** 2) / (rings - 1)
        shared = max(seen, float((weight**2) @ (drift + by_chance)))
        parts.append(Part(drift + scatter / before + shared, shared, scatter, rings - 1.0))
        changes.append(change)
        drifts.append(drift)
    return changes[-1], parts, float(np.sqrt(max(drifts)))


def _both(came: int, expected: float, parts: Sequence[Part], level: float) -> tuple[float, float]:
    """The interval under each reading of the scatter; the widest of both."""
    bounds = [_interval(came, expected, part, level) for part in parts]
    return min(low for low, _ in bounds), max(high for _, high in bounds)


def _interval(came: int, expected: float, part: Part, level: float) -> tuple[float, float]:
    # not scipy.stats, which takes as long to load as all else that a command needs
    from scipy.special import betainc, pdtr, stdtrit

    tail = (1 - level) / 2
    away = np.sqrt(part.spread) * stdtrit(part.freedom, _NODES)
    # the outermost nodes stand for all beyond them; a mean beyond e^40 counts as that
    means = expected * np.exp(np.clip(away, -40, 40))

    def at_most(count: int, shift: float) -> float:
        mean = means * np.exp(shift)
        if part.scatter <= 1 + 1e-9:
            return float(pdtr(count, mean).mean())
        size = mean / (part.scatter - 1)
        # of a negative binomial of this mean, and a variance of `scatter` times it
        return float(betainc(size, count + 1, 1 / part.scatter).mean())

    middle = float(np.log((came + 0.5) / expected))
    high = _where(lambda shift: at_most(came, shift) - tail, middle)
    low = -np.inf if came == 0 else _where(lambda s: at_most(came - 1, s) - (1 - tail), middle)
    return (
        0.0 if low < middle - _WIDEST else float(np.exp(low)),
        float("inf") if high > middle + _WIDEST else float(np.exp(high)),
    )


def _where(falls: Callable[[float], float], middle: float) -> float:
    """Where a falling function is 0, by halving."""
    below, above = middle - _WIDEST - 1, middle + _WIDEST + 1
    for _ in range(60):
        half = (below + above) / 2
        if falls(half) > 0:
            below = half
        else:
            above = half
    return (below + above) / 2
