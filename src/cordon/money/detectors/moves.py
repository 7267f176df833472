"""Payments that move something, and what is usual among them: what patterns are told against."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cordon.money.model import CHANNELS, EXITS, Channel
from cordon.money.payments import Payments

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Counts = NDArray[np.int64] | NDArray[np.floating]
Bools = NDArray[np.bool_]


class Moves:
    """Payments above nothing between two accounts, in the order of time.

    Attributes:
        k: position of each in the payments. a, b: accounts that pay and are paid. at: µs.
        units: whole units of the currency. currency, channel: codes as in the payments.
        size: accounts that there are.
    """

    def __init__(self, payments: Payments) -> None:
        p = payments
        self.payments, self.size = p, len(p.accounts)
        self.k = np.flatnonzero((p.amount > 0) & (p.sender != p.receiver))
        self.a, self.b = p.sender[self.k].astype(np.int64), p.receiver[self.k].astype(np.int64)
        self.at, self.units = p.at[self.k], p.amount[self.k]
        self.currency = p.currency[self.k].astype(np.int64)
        self.channel = p.channel[self.k].astype(np.int64)

    def __len__(self) -> int:
        return len(self.k)

    @cached_property
    def span(self) -> int:
        """From the first to the last (µs), 1 at least."""
        return int(max(self.at[-1] - self.at[0], 1)) if len(self) else 1

    @cached_property
    def pair(self) -> Ints:
        """One number for each (payer, payee, currency)."""
        many = len(self.payments.currencies)
        return np.asarray((self.a * self.size + self.b) * many + self.currency)

    @cached_property
    def worth(self) -> Floats:
        """Each amount in middle payments of its currency: what sums over currencies stand on."""
        found = np.zeros(len(self))
        for currency in np.unique(self.currency).tolist():
            of = self.currency == currency
            found[of] = self.units[of] / np.median(self.units[of])
        return found

    def by(self, *channels: Channel) -> Bools:
        """Moves that went by any of the channels."""
        wanted = np.array([c in channels for c in CHANNELS] + [False])  # -1, untold, is the last
        return np.asarray(wanted[self.channel])

    @cached_property
    def leaves(self) -> Bools:
        """Moves by cash, hawala, coins or abroad: after them nobody here sees the money."""
        return self.by(*(EXITS - {Channel.CARD}))

    def total(self, end: Ints, of: Bools | None = None) -> Floats:
        """Sum of each account's moves, in middle payments.

        Args:
            end: `a` for what was paid, `b` for what was taken. of: these moves alone.
        """
        weight = self.worth if of is None else self.worth * of
        return np.bincount(end, weight, minlength=self.size).astype(float)

    def ends(self, end: Ints, other: Ints, of: Bools | None = None) -> Ints:
        """How many different others each account has."""
        key = end * self.size + other
        return np.bincount(np.unique(key if of is None else key[of]) // self.size,
                           minlength=self.size)  # fmt: skip

    def commonness(self, low: float, high: float) -> Floats:
        """For each move, the share of its currency's payments of low to high times its amount."""
        found = np.zeros(len(self))
        for currency in np.unique(self.currency).tolist():
            of = np.flatnonzero(self.currency == currency)
            units = self.units[of].astype(float)
            ordered = np.sort(units)
            until = np.searchsorted(ordered, units * high, side="right")
            found[of] = (until - np.searchsorted(ordered, units * low)) / len(of)
        return found


def rarity(value: Floats, looked: Bools, most: float) -> Floats:
    """Nats of a trait: minus the logarithm of the share of those looked at that have as much.

    Half of them have less than the median, and for these it says so much against.

    Args:
        most: nats that one sign says at most: a rank in a sample says no more.
    """
    ordered = np.sort(value[looked])
    if not len(ordered):
        return np.zeros(len(value))
    share = 1.0 - np.searchsorted(ordered, value, side="left") / len(ordered)
    nats = -np.log(np.maximum(share, 0.5 / len(ordered))) - np.log(2)
    return np.where(looked, np.clip(nats, -np.log(2), most), 0.0)


def surprise(observed: Counts | float, expected: Counts | float) -> Floats:
    """Log-likelihood ratio of as many as observed against as many as expected (Poisson)."""
    least = np.maximum(expected, 1e-3)  # a chance below one in a thousand is not known so well
    with np.errstate(divide="ignore", invalid="ignore"):
        nats = observed * np.log(observed / least) - observed + least
    return np.asarray(np.where(observed > least, nats, 0.0))
