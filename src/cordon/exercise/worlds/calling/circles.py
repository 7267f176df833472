"""Who knows whom: households, workplaces, clans and everybody else, the nearest first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cordon.exercise.worlds.calling.drawing import Data, Ints, Longs, Rng
from cordon.exercise.worlds.calling.people import People


@dataclass(frozen=True, slots=True)
class Circles:
    """Contacts of each person or kin abroad, those called most first.

    Attributes:
        first: where each one's contacts begin in `known` (one more at the end). known: who.
    """

    first: Longs
    known: Ints

    def sizes(self, who: Ints) -> Longs:
        """Contacts of each."""
        return self.first[who + 1] - self.first[who]

    def one_of(self, who: Ints, u: np.ndarray, steep: float) -> Ints:
        """A contact of each (themselves where they have none); the first far more often.

        Args:
            u: numbers from 0 to 1. steep: 1 takes all alike, 3 nearly always the first.
        """
        size = self.sizes(who)
        at = self.first[who] + (size * u**steep).astype(np.int64)
        found = self.known[np.minimum(at, len(self.known) - 1)]
        return np.where(size > 0, found, who)


def build_circles(
    data: Data, people: People, kin: tuple[Ints, Ints], teams: list[Ints], rng: Rng
) -> Circles:
    """Make the circles.

    Ties within a group are drawn by joining loose ends at random inside it (Molloy and Reed
    1995), so that degrees keep their heavy tail and friends of friends are friends.

    Args:
        data: the part `circles` of the YAML, drawn. kin: pairs of person and kin abroad.
        teams: persons who work together besides their workplaces.
    """
    n = people.persons
    wanted = np.minimum(rng.lognormal(np.log(data["ties"]), data["ties_sigma"], n), data["most"])
    # who calls much knows many
    wanted *= np.clip(people.rate[:n] / people.rate[:n].mean(), 0.3, 4.0) ** data["busy_know_more"]
    pairs, weights = [], []

    def join(one: Ints, two: Ints, weight: float) -> None:
        pairs.append(np.stack([one, two]).astype(np.int64))
        weights.append(np.full(len(one), weight))

    for step in range(1, 35):
        near = np.flatnonzero(people.household[step:] == people.household[:-step])
        keep = near[rng.random(len(near)) < (0.95 if step < 8 else 0.7)]
        join(keep, keep + step, data["weight"]["household"])
    neighbourhood = people.region[:n] * 10_000_000 + people.home[:n] // 6
    groups = (
        ("work", people.workplace),
        ("clan", people.clan),
        ("neighbours", neighbourhood.astype(np.int64)),
        ("region", people.region[:n]),
        ("anybody", np.zeros(n, np.int32)),
    )
    for name, group in groups:
        inside = np.flatnonzero(group >= 0)
        ends = rng.poisson(wanted[inside] * data["share"][name])
        join(*_joined(inside, group[inside], ends, rng), data["weight"][name])
    for team in teams:
        ends = np.full(len(team), min(6, len(team) - 1))
        join(*_joined(team, np.zeros(len(team)), ends, rng), data["weight"]["work"])
    join(*kin, data["weight"]["kin"])
    one, two = np.concatenate(pairs, 1)
    weight = np.concatenate(weights) * rng.lognormal(0, data["weight_sigma"], len(one))
    apart = one != two
    one, two, weight = one[apart], two[apart], weight[apart]
    low, high = np.minimum(one, two), np.maximum(one, two)
    _, single = np.unique(low * len(people) + high, return_index=True)
    low, high, weight = low[single], high[single], weight[single]
    source, known = np.concatenate([low, high]), np.concatenate([high, low])
    # a tie is not as strong for one as for the other
    weight = np.concatenate([weight, weight]) * rng.lognormal(0, 0.35, len(source))
    order = np.lexsort((-weight, source))
    first = np.zeros(len(people) + 1, np.int64)
    first[1:] = np.cumsum(np.bincount(source, minlength=len(people)))
    return Circles(first, known[order].astype(np.int32))


def _joined(who: Ints, group: np.ndarray, ends: np.ndarray, rng: Rng) -> tuple[Ints, Ints]:
    """Pairs of loose ends of the same group."""
    one = np.repeat(who, ends)
    of = np.repeat(group, ends)
    order = np.lexsort((rng.random(len(one)), of))
    one, of = one[order], of[order]
    even = len(one) // 2 * 2
    same = of[0:even:2] == of[1:even:2]
    return one[0:even:2][same], one[1:even:2][same]
