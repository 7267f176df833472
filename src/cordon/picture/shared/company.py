"""Pairs that belong to one another put together: the same two again, or several at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cordon.picture.tracks import Floats, Ints

_BAND = 4
"""So many that are together at once are told as one: pairs of them would be many and say less."""


@dataclass(frozen=True, slots=True)
class Bands:
    """Some meetings that are told together.

    Attributes:
        members: hulls, sorted. rows: places of the meetings, by begin.
    """

    members: tuple[int, ...]
    rows: Ints


def bands(one: Ints, two: Ints, begin: Floats, end: Floats, again_s: float) -> list[Bands]:
    """Meetings put together, in order of begin.

    Those of the same two that are less than `again_s` apart are one. Where at least _BAND craft
    hang together by meetings that overlap in time, they are one band.
    """
    order = np.lexsort((begin, two, one))
    single: list[list[int]] = []
    for n in order.tolist():
        last = single[-1] if single else None
        if (
            last is not None
            and (one[last[0]], two[last[0]]) == (one[n], two[n])
            and begin[n] - max(end[k] for k in last) <= again_s
        ):
            last.append(n)
        else:
            single.append([n])
    spans = [(min(begin[k] for k in g), max(end[k] for k in g)) for g in single]
    groups = _together([(int(one[g[0]]), int(two[g[0]])) for g in single], spans)
    found = []
    for group in groups:
        members = sorted({int(v[single[g][0]]) for g in group for v in (one, two)})
        if len(members) >= _BAND:
            found.append(
                Bands(tuple(members), np.array(sorted(k for g in group for k in single[g])))
            )
        else:
            found += [
                Bands((int(one[single[g][0]]), int(two[single[g][0]])), np.array(single[g]))
                for g in group
            ]
    return sorted(found, key=lambda b: (float(begin[b.rows].min()), b.members))


def _together(pairs: list[tuple[int, int]], spans: list[tuple[float, float]]) -> list[list[int]]:
    """Pairs that share a craft while both last, as groups of places in `pairs`."""
    parent = list(range(len(pairs)))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = parent[parent[n]]
            n = parent[n]
        return n

    of: dict[int, list[int]] = {}
    for n, pair in enumerate(pairs):
        for craft in pair:
            for m in of.get(craft, ()):
                if spans[m][0] <= spans[n][1] and spans[n][0] <= spans[m][1]:
                    parent[root(n)] = root(m)
            of.setdefault(craft, []).append(n)
    groups: dict[int, list[int]] = {}
    for n in range(len(pairs)):
        groups.setdefault(root(n), []).append(n)
    return list(groups.values())
