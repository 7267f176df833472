"""What accounts that pass money on have beside their sums: phones, holders, and when they pay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from cordon.money.detectors.apart import acquainted
from cordon.money.detectors.data import UNTOLD, MoneyData
from cordon.money.detectors.moves import Bools, Floats, Ints, surprise
from cordon.money.detectors.telling import DAY, HOUR

LINKS = ("phone", "holder")


@dataclass(frozen=True, slots=True)
class Shared:
    """Of each account, others that share its phone or its holder; one entry an account.

    Attributes:
        passing: of them, those that pass money on. chance: how many would, by what is usual.
    """

    passing: Ints
    chance: Floats

    @property
    def nats(self) -> Floats:
        """Log-likelihood ratio of so many against what is usual."""
        return surprise(self.passing, self.chance)


def shared(data: MoneyData, link: str, passes: Bools) -> Shared:
    """Accounts of the table of accounts that share a phone or a holder; nobody where it is none.

    What is usual is the more of two: of so many pairs of accounts of which so many share one, those
    of a pair that passes on; and of its own family, as many as pass on among all that share one.

    Args:
        link: of `LINKS`. passes: accounts that pass money on.
    """
    size = len(data.payments.accounts)
    at, of = _bound(data, link)
    count = int(of.max()) + 1 if len(of) else 0
    with_it = np.bincount(of, minlength=count)  # accounts, by phone
    passing = np.bincount(of, passes[at], minlength=count).astype(np.int64)
    mine = passes[at].astype(np.int64)
    others = with_it[of] - 1
    pairs = float(np.sum(with_it * (with_it - 1.0)))
    known = max(len(at), 2)
    share = float(passes[at].sum()) / known
    at_large = np.maximum(passes[at].sum() - mine, 0) * pairs / (known * (known - 1.0))
    found, chance = np.zeros(size, np.int64), np.zeros(size)
    found[at] = passing[of] - mine
    chance[at] = np.maximum(at_large, others * share)
    return Shared(found, chance)


def _bound(data: MoneyData, link: str) -> tuple[Ints, Ints]:
    """Positions of accounts whose phone or holder is known, each once, and a number for that."""
    none = np.zeros(0, np.int64)
    if data.accounts is None:
        return none, none
    if link == "phone":
        names, at = data.bound
    else:
        names, at = data.held
    if not len(names):
        return none, none
    at, first = np.unique(at, return_index=True)  # written in two ways it is one account
    codes = pc.dictionary_encode(names.take(pa.array(first))).indices
    return at, np.asarray(codes, np.int64)


@dataclass(frozen=True, slots=True)
class Life:
    """When the payments of each account fall; one entry an account.

    Attributes:
        payments: in and out. quiet: longest time without one, since it was opened or, of one
            opened before the payments begin, since they do; else since its first (µs).
        busy: from the end of that to its last payment (µs). after: payments from then on.
        nats: how seldom so many of so many payments, spread evenly, leave so long a gap.
        days: different days with a payment.
    """

    payments: Ints
    quiet: Ints
    busy: Ints
    after: Ints
    nats: Floats
    days: Ints


def life(account: Ints, at: Ints, opened: Ints) -> Life:
    """When the payments of all accounts fall.

    Args:
        account, at: one entry for each end of each payment (µs). opened: of each account (µs).
    """
    size = len(opened)
    order = np.lexsort((at, account))
    who, when = account[order], at[order]
    first = np.append(True, who[1:] != who[:-1])
    begins = when[np.minimum(np.searchsorted(who, np.arange(size)), len(who) - 1)]
    since = np.where(opened == UNTOLD, begins, np.maximum(opened, at.min()))
    gap = np.where(first, np.maximum(when - since[who], 0), np.diff(when, prepend=when[0]))
    longest = np.zeros(size, np.int64)
    np.maximum.at(longest, who, gap)
    last = np.full(size, at.min())
    np.maximum.at(last, who, when)
    count = np.bincount(who, minlength=size)
    # the first gap of that length: what is before it is quiet, what is after it busy
    place = np.flatnonzero(gap == longest[who])
    ends, which = np.unique(who[place], return_index=True)
    begun = np.zeros(size, np.int64)
    begun[ends] = place[which]
    until = np.cumsum(count)
    after = until - begun
    busy = last - when[np.minimum(begun, len(when) - 1)]
    whole = np.maximum(longest + busy, 1).astype(float)
    # all the payments after it might have fallen anywhere in both; an hour is the least told apart
    rate = np.minimum(np.maximum(busy, HOUR) / whole, 1.0)
    nats = -(after - 1) * np.log(rate) - np.log(np.maximum(count, 1))
    day = (when - at.min()) // DAY
    days = np.bincount(who[first | (day != np.roll(day, 1))], minlength=size)
    return Life(count, longest, busy, after, np.maximum(nats, 0.0), days)


def holders(data: MoneyData, a: Ints, b: Ints) -> Ints:
    """How many different holders paid each account; one whom nobody tells is one of his own.

    Args:
        a, b: accounts that pay and are paid, one entry a payment.
    """
    size = len(data.payments.accounts)
    at, of = _bound(data, "holder")
    whose = np.arange(size)
    whose[at] = size + of
    key = np.unique(b * (2 * size) + whose[a])
    return np.bincount(key // (2 * size), minlength=size)


@dataclass(frozen=True, slots=True)
class Around:
    """What each account has beside its sums; one entry an account.

    Attributes:
        life: when its payments fall. holders: that paid it. phone, holder: who shares them.
        payers: that do not pass on themselves. known: pairs of these that pay one another;
            chance: how many would by chance.
    """

    life: Life
    holders: Ints
    phone: Shared
    holder: Shared
    payers: Ints
    known: Ints
    chance: Floats


def around(data: MoneyData, passes: Bools) -> Around:
    """What accounts have beside their sums.

    Args:
        passes: accounts that pass money on; of others neither links nor payers are looked at.
    """
    m = data.moves
    told = np.flatnonzero(passes)
    pair = np.unique((m.b * m.size + m.a)[passes[m.b] & ~passes[m.a]])
    low, high = (np.searchsorted(pair, (told + n) * m.size) for n in (0, 1))
    groups = [pair[i:j] % m.size for i, j in zip(low.tolist(), high.tolist(), strict=True)]
    known, payers = np.zeros(m.size, np.int64), np.zeros(m.size, np.int64)
    chance = np.zeros(m.size)
    known[told], chance[told] = acquainted(m, groups)
    payers[told] = high - low
    return Around(
        life(np.concatenate([m.a, m.b]), np.tile(m.at, 2), data.opened),
        holders(data, m.a, m.b),
        shared(data, "phone", passes),
        shared(data, "holder", passes),
        payers, known, chance,
    )  # fmt: skip
