"""Where the money that an account paid out came from: the same rules, turned about in time.

First in first out pairs each unit out with one unit in, so that read from the end it pairs them
alike, once all is balanced: what a pot paid beyond what was seen to come in is given back to it as
money of nobody knows where, and what stays in the end stands first. Haircut goes back by weights:
what share of a unit in a pot is in the asked payments in the end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.errors import BadInput
from cordon.money.model import CHANNELS, ENTRIES, Method
from cordon.money.payments import Payments
from cordon.money.tracing.forward import HOPS, where
from cordon.money.tracing.kernels import balances, fifo, mixed, weighed
from cordon.money.tracing.reach import reached_back

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
UNTOLD = -2  # a hop


@dataclass(frozen=True, slots=True)
class Origins:
    """What one method says of where money came from.

    Attributes:
        of: payments that brought it. units: of each, in whole units (floats for haircut).
        hop: payments before the asked one; 0 for it itself, AGAIN for
            what is asked of too and begins anew there, UNTOLD for haircut.
        unknown: pots that paid from what nobody told of, and how much of the asked money is that.
    """

    method: Method
    of: Ints
    units: Floats
    hop: Ints
    unknown_pot: Ints
    unknown: Floats


@dataclass(frozen=True, slots=True)
class Backward:
    """A trace back from an account.

    Attributes:
        account: as it is known. sinks: payments that it made within the span, in order.
        hops: followed, at most (first in first out, and poison). methods: what each says.
    """

    payments: Payments
    account: str
    sinks: Ints
    hops: int
    methods: tuple[Origins, ...]


def entries(p: Payments, of: Ints | slice = slice(None)) -> NDArray[np.bool_]:
    """Payments before which there is nothing to follow: cash, coins, hawala, from abroad."""
    return np.asarray(_comes()[p.channel[of]])


def _comes() -> NDArray[np.bool_]:
    """Channels by which money enters, by their codes; the last is for none."""
    return np.array([c in ENTRIES for c in CHANNELS] + [False])


def backward(
    payments: Payments,
    account: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    hops: int = HOPS,
) -> Backward:
    """Follow back what an account paid out.

    Args:
        since, until: payments by it that are asked of lie in [since, until), where given.
        hops: payments before them that are followed, at most.

    Raises:
        BadInput: no payment names the account, or it made none in the span.
    """
    p = payments
    at = where(p, account)
    chosen = (p.sender == at) & (p.receiver != at) & (p.amount > 0)
    for bound, after in ((since, True), (until, False)):
        if bound is not None:
            us = int(bound.timestamp() * 1_000_000)
            chosen &= p.at >= us if after else p.at < us
    sinks = np.flatnonzero(chosen)
    if not len(sinks):
        raise BadInput(f"{account[:64]} paid nothing in that span.", advice="Widen the span.")
    seen = reached_back(payments, sinks, _comes())
    p = payments.only(seen)
    asked = np.searchsorted(seen, sinks)
    sender, receiver = p.pot(p.sender), p.pot(p.receiver)
    pots = len(p.accounts) * len(p.currencies)
    leaves = p.exits
    before, lacking, left = balances(sender, receiver, p.amount, leaves, pots)
    told = (
        _turned(p, asked, sender, receiver, leaves, lacking, left, hops, poison=False),
        _weighed(p, asked, sender, receiver, leaves, before, lacking, pots),
        _turned(p, asked, sender, receiver, leaves, lacking, left, hops, poison=True),
    )
    made = tuple(replace(o, of=seen[o.of]) for o in told)
    return Backward(payments, p.accounts[at], sinks, hops, made)


def _turned(
    p: Payments,
    sinks: Ints,
    sender: Ints,
    receiver: Ints,
    leaves: NDArray[np.bool_],
    lacking: Ints,
    left: Ints,
    hops: int,
    *,
    poison: bool,
) -> Origins:
    """First in first out, or poison, over payments from the last to the first."""
    size, nobody = len(p), len(left)
    short = np.flatnonzero(lacking)
    # money of nobody knows where comes in just before the payment that it is lacking for
    order = np.lexsort(
        (
            np.concatenate([np.ones(size), np.zeros(len(short))]),
            np.concatenate([np.arange(size), short]),
        )
    )[::-1]
    of = np.concatenate([np.arange(size), short])[order]
    real = order < size
    pays = np.where(real, np.where(leaves[of], nobody, receiver[of]), sender[of])
    takes = np.where(real, sender[of], nobody)
    amount = np.where(real, p.amount[of], lacking[of])
    ends = ~real | (entries(p)[of])
    source = np.zeros(len(of), np.int64)
    place = np.full(size, -1)
    place[sinks] = np.arange(1, len(sinks) + 1)
    source[real] = np.maximum(place[of[real]], 0)
    ends &= source == 0
    opening = np.concatenate([left, [0]])
    if poison:
        parts, _, _, _ = mixed(pays, takes, amount, ends, source, opening, hops, True)
    else:
        parts, _ = fifo(pays, takes, amount, ends, source, opening, hops)
    seen = real[parts[:, 0]]
    lost = parts[~seen]
    pots, which = np.unique(pays[lost[:, 0]], return_inverse=True)
    return Origins(
        Method.POISON if poison else Method.FIFO,
        of[parts[seen, 0]],
        parts[seen, 2].astype(float),
        parts[seen, 3],
        pots,
        np.bincount(which, lost[:, 2], minlength=len(pots)).astype(float),
    )


def _weighed(
    p: Payments,
    sinks: Ints,
    sender: Ints,
    receiver: Ints,
    leaves: NDArray[np.bool_],
    before: Ints,
    lacking: Ints,
    pots: int,
) -> Origins:
    asked = np.zeros(len(p), bool)
    asked[sinks] = True
    units, unknown = weighed(
        sender, receiver, p.amount, leaves, asked, entries(p), before, lacking, pots
    )
    of = np.flatnonzero((units >= 0.5) | asked)
    held = np.flatnonzero(unknown >= 0.5)
    return Origins(
        Method.HAIRCUT, of, units[of], np.where(asked[of], 0, UNTOLD), held, unknown[held]
    )
