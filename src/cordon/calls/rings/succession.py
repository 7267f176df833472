"""Who goes on from whom: numbers that fell silent against numbers that first spoke after.

Each sign is a log-likelihood ratio (nats) of “one person” against “two”. A shared contact says
the more, the fewer people know it; a contact of every day that is not called again speaks
against; where one rests is compared with where everybody does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from cordon.calls.rings.uses import Uses

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
_DAY = 86_400_000_000
_OVERLAP = 1  # days that both may speak
_HUB = 150  # more people than one person keeps up with (Dunbar 1992): says nothing of a circle
_CONTACT = 6.0  # nats that one contact may say
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
    width = len(degree)
    a, b = _table(old, old.uses.other, width), _table(new, new.uses.other, width)
    quiet = degree <= _HUB
    i, j, shared = _candidates(a, b, quiet, old, new, values["gap_most"])
    if not len(i):
        return []
    spread = np.maximum(degree, 2) * values["near_by"] / max(population, 1)
    worth = np.clip(np.log(values["kept"] / np.minimum(spread, values["kept"])), 0, _CONTACT)
    worth = np.where(quiet, worth, 0.0)
    gap = (new.first[j] - old.last[i]) / _DAY
    place = _place(old, new, i, j, cells)
    handset, known = _same(old, new, "imei", i, j)
    sim, _ = _same(old, new, "imsi", i, j)
    knew = _at(_ones(a), i, new.at[j]) + _at(_ones(b), j, old.at[i]) > 0
    nats = (
        _at(_ones(a) @ sparse.diags(worth) @ _ones(b).T, i, j)
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
    scored = []
    for k in close.tolist():
        one, two = int(i[k]), int(j[k])
        mine = slice(a.indptr[one], a.indptr[one + 1])
        theirs = b.indices[b.indptr[two] : b.indptr[two + 1]]
        missed = _missed(
            a.indices[mine], a.data[mine], theirs, float(spoken[two]), values["kept"], quiet
        )
        scored.append(
            Claim(
                one, two, float(nats[k]) + missed, 0.0, int(shared[k]),
                int(mine.stop - mine.start), float(place[k]), bool(handset[k]), bool(sim[k]),
                float(gap[k]),
            )
        )  # fmt: skip
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


def _at(table: sparse.spmatrix, i: Ints, j: Ints) -> Floats:
    """Entries of a sparse table, 0 where it has none; its own indexing searches each row."""
    entries = table.tocoo()
    entries.sum_duplicates()
    width = table.shape[1]
    keys = entries.row.astype(np.int64) * width + entries.col
    order = np.argsort(keys, kind="stable")
    keys, values = keys[order], entries.data[order]
    asked = i * width + j
    at = np.minimum(np.searchsorted(keys, asked), max(len(keys) - 1, 0))
    if not len(keys):
        return np.zeros(len(asked))
    return np.where(keys[at] == asked, values[at], 0.0)


def _candidates(
    a: sparse.csr_matrix,
    b: sparse.csr_matrix,
    quiet: NDArray[np.bool_],
    old: Lives,
    new: Lives,
    most_days: float,
) -> tuple[Ints, Ints, Ints]:
    """Pairs with a contact, a handset or a SIM in common, and times that fit; shared contacts."""
    keep = sparse.diags(quiet.astype(float))
    both = (_ones(a) @ keep @ _ones(b).T).tocsr()
    found = both
    for name in ("imei", "imsi"):
        one, two = (getattr(x.uses, name) for x in (old, new))
        width = int(max(one.max(initial=-1), two.max(initial=-1))) + 1
        found = found + _ones(_table(old, one, width)) @ _ones(_table(new, two, width)).T
    found = found.tocoo()
    i, j = found.row.astype(np.int64), found.col.astype(np.int64)
    gap = (new.first[j] - old.last[i]) / _DAY
    fits = (gap >= -_OVERLAP) & (gap <= most_days) & (old.at[i] != new.at[j])
    i, j = i[fits], j[fits]
    order = np.lexsort((j, i))
    i, j = i[order], j[order]
    shared = _at(both, i, j) if len(i) else np.zeros(0)
    return i, j, shared.astype(np.int64)


def _missed(
    mine: Ints, often: Floats, theirs: Ints, calls: float, kept: float, quiet: NDArray[np.bool_]
) -> float:
    """Contacts of every day that the new number never met though it spoke enough."""
    gone = ~np.isin(mine, theirs, assume_unique=True) & quiet[mine] & (often >= 3)
    each = np.log((1 - kept) + kept * np.exp(-often[gone] / often.sum() * calls))
    return float(max(np.maximum(each, _MISSED[0]).sum(), _MISSED[1]))


def _place(old: Lives, new: Lives, i: Ints, j: Ints, cells: Floats) -> Floats:
    """Calls of the two from one cell, against what the new one would share with anybody."""
    shares = []
    for lives in (old, new):
        table = _table(lives, lives.uses.cell, len(cells))
        total = np.maximum(np.asarray(table.sum(axis=1)).ravel(), 1)
        shares.append((sparse.diags(1 / total) @ table).tocsr())
    same = _at(shares[0] @ shares[1].T, i, j)
    chance = np.asarray(shares[0] @ cells).ravel()[i] + 1e-9
    nats = np.clip(np.log((0.8 * same + 0.02 * chance) / chance), *_PLACE)
    told = (np.diff(shares[0].indptr)[i] > 0) & (np.diff(shares[1].indptr)[j] > 0)
    return np.where(told, nats, 0.0)


def _same(
    old: Lives, new: Lives, name: str, i: Ints, j: Ints
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Whether the two share a value of a column, and whether both have any."""
    one, two = (getattr(x.uses, name) for x in (old, new))
    width = int(max(one.max(initial=-1), two.max(initial=-1))) + 1
    tables = _table(old, one, width), _table(new, two, width)
    same = _at(_ones(tables[0]) @ _ones(tables[1]).T, i, j) > 0
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
