"""Who goes on from whom: numbers that fell silent against numbers that first spoke after.

Each sign is a log-likelihood ratio (nats) of “one person” against “two”. A shared contact says
the more, the fewer people know it; a contact of every day that is not called again speaks
against; where one rests is compared with where everybody does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cordon.calls.rings.uses import Uses
from cordon.calls.survey.distinct import distinct

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_DAY = 86_400_000_000
_OVERLAP = 1  # days that both may speak
_HUB = 150  # more people than one person keeps up with (Dunbar 1992): says nothing of a circle
_CONTACT = 6.0  # nats that one contact may say
_OFTEN = 3.0  # calls from which on a contact is one of every day
_MISSED = (-3.0, -8.0)  # one contact that is not called again, and all of them
_PLACE = (-4.0, 5.0)
_HANDSET, _ANOTHER = 9.0, -0.7  # the same handset; another one, as half of those who change have
_SIM = 9.0
_KNOW = -6.0  # the two called each other
_WAIT = 2.0  # days after which half of the chance to take up again is gone, about


@dataclass(frozen=True, slots=True)
class Claim:
    """One number going on from another.

    Attributes:
        old, new: places in the lists. nats: evidence. odds: against the next best.
        shared: contacts that both have. contacts: of the old one. place, handset, sim, gap_days:
            what they say (nats), and days between.
    """

    old: int
    new: int
    nats: float
    odds: float
    shared: int
    contacts: int
    place: float
    handset: bool
    sim: bool
    gap_days: float


@dataclass(frozen=True, slots=True)
class Lives:
    """Numbers that ended or began.

    Attributes:
        at: positions in `Near.numbers`. uses: of them. first, last: µs.
    """

    at: Ints
    uses: Uses
    first: Ints
    last: Ints


def successions(
    old: Lives,
    new: Lives,
    degree: Floats,
    population: int,
    cells: Floats,
    values: Mapping[str, float],
) -> list[Claim]:
    """Claims whose odds are at least `values["odds"]`, each number once on either side.

    Args:
        degree: for each of `Near.numbers`, with how many people it deals.
        population: numbers in the calls. cells: share of everybody's calls by cell.
    """
    if not len(old.at) or not len(new.at):
        return []
    from cordon.calls.rings.pairing import holds, missed, products

    width = len(degree)
    a, b = _table(old, old.uses.other, width), _table(new, new.uses.other, width)
    quiet = degree <= _HUB
    i, j = _candidates(a, b, quiet, old, new, values["gap_most"])
    if not len(i):
        return []
    one, two = _ones(a), _ones(b)
    shared = products(*_parts(one), *_parts(two), quiet.astype(float), i, j)
    spread = np.maximum(degree, 2) * values["near_by"] / max(population, 1)
    worth = np.clip(np.log(values["kept"] / np.minimum(spread, values["kept"])), 0, _CONTACT)
    worth = np.where(quiet, worth, 0.0)
    gap = (new.first[j] - old.last[i]) / _DAY
    place = _place(old, new, i, j, cells)
    handset, known = _same(old, new, "imei", i, j)
    sim, _ = _same(old, new, "imsi", i, j)
    knew = holds(a.indptr, a.indices, i, new.at[j]) | holds(b.indptr, b.indices, j, old.at[i])
    nats = (
        products(*_parts(one), *_parts(two), worth, i, j)
        + place
        + np.where(handset, _HANDSET, np.where(known, _ANOTHER, 0.0))
        + np.where(sim, _SIM, 0.0)
        + np.where(knew, _KNOW, 0.0)
        - np.maximum(gap, 0.0) / _WAIT * np.log(2) / 2
        - np.where(gap < 0, 2.0, 0.0)
    )
    nobody = float(np.log(max(min(len(old.at), len(new.at)), 1)))
    close = np.flatnonzero(nats >= nobody)  # what is still to come only speaks against
    spoken = np.asarray(b.sum(axis=1)).ravel()
    i, j = i[close], j[close]
    # where neither place nor equipment speaks, two contacts may be one circle that both belong to
    alone = (place[close] <= 0) & ~handset[close] & ~sim[close]
    few = alone & (shared[close] < values["contacts_alone"])
    against = missed(
        *_parts(a), b.indptr, b.indices, spoken, quiet, _OFTEN, values["kept"], _MISSED[0], i, j
    )
    contacts = np.diff(a.indptr)
    scored = [
        Claim(
            int(i[n]), int(j[n]), float(nats[k]) + max(float(against[n]), _MISSED[1]), 0.0,
            int(shared[k]), int(contacts[i[n]]), float(place[k]), bool(handset[k]), bool(sim[k]),
            float(gap[k]),
        )
        for n, k in enumerate(close.tolist())
        if not few[n]
    ]  # fmt: skip
    return _chosen(scored, nobody, values["odds"])


def _table(lives: Lives, column: Ints, width: int) -> sparse.csr_matrix:
    """How often each number stands beside each value of a column of its uses."""
    held = column >= 0
    made = sparse.coo_matrix(
        (np.ones(int(held.sum())), (lives.uses.of[held], column[held])),
        shape=(len(lives.at), max(width, 1)),
    ).tocsr()
    made.sum_duplicates()
    made.sort_indices()
    return made


def _ones(table: sparse.csr_matrix) -> sparse.csr_matrix:
    made = table.copy()
    made.data = np.ones_like(made.data)
    return made


def _parts(table: sparse.csr_matrix) -> tuple[Any, Any, Floats]:
    return table.indptr, table.indices, table.data


def _candidates(
    a: sparse.csr_matrix,
    b: sparse.csr_matrix,
    quiet: NDArray[np.bool_],
    old: Lives,
    new: Lives,
    most_days: float,
) -> tuple[Ints, Ints]:
    """Pairs with a contact, a handset or a SIM in common, and times that fit; by i, then j."""
    from cordon.calls.rings.pairing import in_common

    tables = [(a, b, quiet)]
    for name in ("imei", "imsi"):
        one, two = (getattr(x.uses, name) for x in (old, new))
        width = int(max(one.max(initial=-1), two.max(initial=-1))) + 1
        tables.append(
            (_table(old, one, width), _table(new, two, width), np.ones(max(width, 1), bool))
        )
    window = -_OVERLAP * _DAY, int(most_days * _DAY)
    count = len(new.at)
    found = []
    for mine, theirs, counted in tables:
        by_value = theirs.tocsc()
        i, j = in_common(
            mine.indptr, mine.indices, by_value.indptr, by_value.indices, counted,
            old.last, new.first, *window,
        )  # fmt: skip
        found.append(i * count + j)
    pairs = distinct(np.concatenate(found))
    i, j = pairs // count, pairs % count
    apart = old.at[i] != new.at[j]
    return i[apart], j[apart]


def _place(old: Lives, new: Lives, i: Ints, j: Ints, cells: Floats) -> Floats:
    """Calls of the two from one cell, against what the new one would share with anybody."""
    from cordon.calls.rings.pairing import products

    shares = []
    for lives in (old, new):
        table = _table(lives, lives.uses.cell, len(cells))
        total = np.maximum(np.asarray(table.sum(axis=1)).ravel(), 1)
        share = (sparse.diags(1 / total) @ table).tocsr()
        share.sort_indices()
        shares.append(share)
    same = products(*_parts(shares[0]), *_parts(shares[1]), np.ones(max(len(cells), 1)), i, j)
    chance = np.asarray(shares[0] @ cells).ravel()[i] + 1e-9
    nats = np.clip(np.log((0.8 * same + 0.02 * chance) / chance), *_PLACE)
    told = (np.diff(shares[0].indptr)[i] > 0) & (np.diff(shares[1].indptr)[j] > 0)
    return np.where(told, nats, 0.0)


def _same(
    old: Lives, new: Lives, name: str, i: Ints, j: Ints
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether the two share a value of a column, and whether both have any."""
    from cordon.calls.rings.pairing import products

    one, two = (getattr(x.uses, name) for x in (old, new))
    width = int(max(one.max(initial=-1), two.max(initial=-1))) + 1
    tables = _table(old, one, width), _table(new, two, width)
    one, two = (_parts(_ones(t)) for t in tables)
    same = products(*one, *two, np.ones(max(width, 1)), i, j) > 0
    held = (np.diff(tables[0].indptr)[i] > 0) & (np.diff(tables[1].indptr)[j] > 0)
    return same, held


def _chosen(scored: list[Claim], nobody: float, odds: float) -> list[Claim]:
    """The best first, each number once on a side; odds against the next best of either."""
    by_old: dict[int, list[float]] = {}
    by_new: dict[int, list[float]] = {}
    for claim in scored:
        by_old.setdefault(claim.old, []).append(claim.nats)
        by_new.setdefault(claim.new, []).append(claim.nats)
    claims = []
    used_old: set[int] = set()
    used_new: set[int] = set()
    for claim in sorted(scored, key=lambda c: (-c.nats, c.old, c.new)):
        if claim.old in used_old or claim.new in used_new:
            continue
        others = sorted([*by_old[claim.old], *by_new[claim.new]], reverse=True)[2:]
        beside = max([nobody, *others[:1]])
        against = float(np.exp(min(claim.nats - beside, 20.0)))
        if against < odds:
            continue
        used_old.add(claim.old)
        used_new.add(claim.new)
        claims.append(replace(claim, odds=against))
    return claims
