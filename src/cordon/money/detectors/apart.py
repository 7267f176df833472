"""How far a gathering stands apart from all that gather alike sums in the same payments.

Guests, members and sharers of a sacrifice gather sums too, so that chance is not what a gathering
has to be told from. Each sign is held against everybody, and against the other gatherings.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincc

from cordon.money.detectors.data import UNTOLD
from cordon.money.detectors.moves import Floats, Ints, Moves, surprise
from cordon.money.detectors.telling import DAY, HOUR, MOST

_LONG = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Gathering:
    """Alike sums in one account, and what went on.

    Attributes:
        hub: account. mine, on: moves in, and moves on to the one whom it paid most.
        payers: accounts that paid in, each once.
    """

    hub: int
    mine: Ints
    on: Ints
    payers: Ints


@dataclass(frozen=True, slots=True)
class Apart:
    """What sets each gathering apart, one entry each.

    Attributes:
        to: other accounts that pay whom the money went on to. other: moves of the account beside
            the gathering. soon: hours from the last payment in to what went on. age: days since
            the account was opened, at the first payment in. known: pairs of payers who pay one
            another too. chance: pairs who would, by how many others each pays or is paid by.
        usual: share of everybody, or of the other gatherings where that is more, that has as
            little of each sign, by its name; NaN where nobody tells. nats: of all signs together.
        honest: of those that stand out as far, the share that would by chance.
    """

    to: Ints
    other: Ints
    soon: Floats
    age: Floats
    known: Ints
    chance: Floats
    usual: dict[str, Floats]
    nats: Floats
    honest: Floats


def apart(m: Moves, some: Sequence[Gathering], opened: Ints) -> Apart:
    """What sets these gatherings apart; they are all that there are in the payments.

    Args:
        opened: when each account was opened (µs), `UNTOLD` where nobody tells.
    """
    paid_by = m.ends(m.b, m.a)
    moves = np.bincount(m.a, minlength=m.size) + np.bincount(m.b, minlength=m.size)
    to = np.array([paid_by[m.b[g.on[0]]] - 1 if len(g.on) else _LONG for g in some], np.int64)
    other = np.array([moves[g.hub] - len(g.mine) - len(g.on) for g in some], np.int64)
    soon = np.array([_wait(m, g) for g in some], np.int64)
    usual = {
        "to": _as_little(to, paid_by[m.b] - 1),
        "other": _as_little(other, moves[moves > 0]),
        "soon": _as_little(soon, _waits(m)),
    }
    age, ages = _ages(m, some, opened)
    if len(ages):
        # of an account whose age nobody tells it says nothing
        usual["age"] = np.where(age == UNTOLD, np.nan, _as_little(age, ages))
    known, chance = acquainted(m, [g.payers for g in some])
    # several shares together say what a sum of so many exponential waits says (Fisher)
    shares = np.stack(list(usual.values()))
    total = np.nansum(-np.log(np.maximum(shares, np.exp(-MOST))), axis=0)
    share = gammaincc((~np.isnan(shares)).sum(axis=0), total)
    nats = -np.log(np.maximum(share, 1e-300)) - surprise(known, chance)
    return Apart(to, other, soon / HOUR, age / DAY, known, chance, usual, nats, _honest(nats))


def _ages(m: Moves, some: Sequence[Gathering], opened: Ints) -> tuple[Ints, Ints]:
    """Of each gathering's account at its first payment in, and of everybody midway (µs)."""
    first = np.array([m.at[g.mine].min() for g in some], np.int64)
    since = opened[np.array([g.hub for g in some], np.int64)]
    ages = m.at[0] + m.span // 2 - opened[opened != UNTOLD]
    return np.where(since == UNTOLD, UNTOLD, np.maximum(first - since, 0)), np.maximum(ages, 0)


def _honest(nats: Floats) -> Floats:
    """Share of those that stand out as far that chance makes (Benjamini and Hochberg, 1995)."""
    order = np.argsort(-nats, kind="stable")
    share = np.exp(-nats[order]) * len(nats) / np.arange(1, len(nats) + 1)
    found = np.empty(len(nats))
    found[order] = np.minimum(np.minimum.accumulate(share[::-1])[::-1], 1.0)
    return found


def _as_little(value: Ints, everybody: Ints) -> Floats:
    """Share of everybody that has as little, or of the others of them where that is more.

    Of those that have the same one half counts (mid-p: Lancaster, 1961).
    """
    if not len(value) or not len(everybody):
        return np.ones(len(value))

    def share(among: Ints, less: int) -> Floats:
        ordered = np.sort(among)
        until, begin = (np.searchsorted(ordered, value, side=s) for s in ("right", "left"))
        return np.asarray((until + begin - less) / 2 / len(among))

    return np.maximum(share(everybody, 0), share(value, 1))


def _wait(m: Moves, g: Gathering) -> int:
    """From the last payment in before what went on, to that (µs)."""
    if not len(g.on):
        return int(_LONG)
    gone = m.at[g.on[-1]]
    before = m.at[g.mine][m.at[g.mine] <= gone]
    return int(gone - before.max()) if len(before) else int(_LONG)


def _waits(m: Moves) -> Ints:
    """From each payment in to the next one that its payee makes (µs)."""
    count = len(m)
    out = np.repeat([False, True], count)
    order = np.lexsort((out, np.tile(m.at, 2), np.concatenate([m.b, m.a])))
    # of each, the next payment out in this order, which may be another account's
    after = np.where(out[order], np.arange(2 * count), 2 * count - 1)
    after = order[np.minimum.accumulate(after[::-1])[::-1]]
    into = ~out[order]
    mine, after = order[into], after[into] - count
    found = (after >= 0) & (m.a[np.maximum(after, 0)] == m.b[mine])
    return np.asarray(np.where(found, m.at[np.maximum(after, 0)] - m.at[mine], _LONG))


def acquainted(m: Moves, groups: Sequence[Ints]) -> tuple[Ints, Floats]:
    """Pairs of each group of accounts that pay one another, and how many would by chance.

    The chance goes by how many others each of them pays or is paid by. Of a group of more than
    512 those are looked at, the first ones.
    """
    low, high = np.minimum(m.a, m.b), np.maximum(m.a, m.b)
    pairs = np.unique(low * m.size + high)
    others = np.bincount(
        np.concatenate([pairs // m.size, pairs % m.size]), minlength=m.size
    ).astype(float)
    known, chance = np.zeros(len(groups), np.int64), np.zeros(len(groups))
    for n, whole in enumerate(groups):
        group = whole[:512]
        one, two = np.triu_indices(len(group), 1)
        key = group[one] * m.size + group[two]
        at = np.minimum(np.searchsorted(pairs, key), len(pairs) - 1)
        known[n] = int((pairs[at] == key).sum())
        of: NDArray[np.float64] = others[group]
        chance[n] = (of.sum() ** 2 - (of**2).sum()) / 2 / (2 * len(pairs))
    return known, chance
