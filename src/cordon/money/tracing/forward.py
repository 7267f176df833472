"""Where the money that an account took in went: by each method, to the last unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.errors import BadInput
from cordon.money.accounts import placed
from cordon.money.model import Method
from cordon.money.payments import Payments
from cordon.money.tracing.kernels import AGAIN, HOP, OF, SOURCE, UNITS, by_source, fifo, mixed
from cordon.money.tracing.reach import reached

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
HOPS = 6
_DENSE = 50_000_000  # pots × sources that haircut is told apart by; beyond, only its sums are told


@dataclass(frozen=True, slots=True)
class Followed:
    """What one method says, in whole units of each currency.

    Attributes:
        parts: of payments: payment, source (0 where not told apart), units, hop; a hop beyond the
            last is told and not followed; AGAIN is what went into a source and begins anew there.
        stays: pot, source (or 0), units, hop of what is still there.
        mixed: clean units that poison made traced, by pot; nothing elsewhere.
        of_parts, of_stays: for haircut, units by source (parts × sources, stays × sources), or
            None where there are too many.
    """

    method: Method
    parts: Ints
    stays: Ints
    mixed: Ints
    of_parts: Floats | None = None
    of_stays: Floats | None = None


@dataclass(frozen=True, slots=True)
class Forward:
    """A trace forward from an account.

    Attributes:
        account: as it is known. sources: payments that it took in within the span, in order.
        hops: followed, at most. methods: what each says.
    """

    payments: Payments
    account: str
    sources: Ints
    hops: int
    methods: tuple[Followed, ...]

    def ended(self, parts: Ints) -> NDArray[np.bool_]:
        """Parts that are followed no further: gone, beyond the last hop, or begun anew."""
        gone = self.payments.leaving(parts[:, OF])
        return np.asarray(gone | (parts[:, HOP] > self.hops) | (parts[:, HOP] == AGAIN))


def forward(
    payments: Payments,
    account: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    hops: int = HOPS,
    methods: Sequence[Method] = tuple(Method),
    opening: Ints | None = None,
) -> Forward:
    """Follow what an account took in.

    Args:
        since, until: payments into it that count as sources lie in [since, until), where given.
        hops: payments after a source that are followed, at most.
        opening: clean units in each pot before the first payment. Where absent: what statements
            say, and nothing in every other pot: then old money is taken for new the sooner.

    Raises:
        BadInput: no payment names the account, or none came into it in the span.
    """
    at = where(payments, account)
    chosen = payments.receiver == at
    chosen &= payments.sender != at
    for bound, after in ((since, True), (until, False)):
        if bound is not None:
            us = int(bound.timestamp() * 1_000_000)
            chosen &= payments.at >= us if after else payments.at < us
    sources = np.flatnonzero(chosen)
    if not len(sources):
        raise BadInput(
            f"No payment came into {account[:64]} in that span.", advice="Widen the span."
        )
    return follow(payments, payments.accounts[at], sources, hops, methods, opening)


def follow(
    payments: Payments,
    about: str,
    sources: Ints,
    hops: int = HOPS,
    methods: Sequence[Method] = tuple(Method),
    opening: Ints | None = None,
) -> Forward:
    """Follow what was paid by these payments, into whatever accounts they go.

    Args:
        about: whose money it is, for the reader. sources: positions, ascending.
        hops, methods, opening: as of `forward`.
    """
    seen = reached(payments, sources, hops)
    p = payments.only(seen)
    source = np.zeros(len(p), np.int64)
    source[np.searchsorted(seen, sources)] = np.arange(1, len(sources) + 1)
    pots = len(payments.accounts) * len(payments.currencies)
    sender, receiver, amount = p.pot(p.sender), p.pot(p.receiver), p.amount
    # of millions of pots the loops keep those alone that are paid from or into
    met = np.zeros(pots, bool)
    met[sender] = met[receiver] = True
    pot_of = np.flatnonzero(met)
    place = np.cumsum(met) - 1
    sender, receiver = place[sender], place[receiver]
    leaves = p.exits
    leaves[source > 0] = False  # what is paid into the account is in it, however it was paid
    start = np.zeros(len(pot_of), np.int64) if opening is None else opening[pot_of]
    if opening is None:
        for pot, units in payments.opening.items():
            if met[pot]:
                start[place[pot]] = units
    told = []
    for method in methods:
        if method is Method.FIFO:
            parts, stays = fifo(sender, receiver, amount, leaves, source, start, hops)
            parts[:, OF], stays[:, OF] = seen[parts[:, OF]], pot_of[stays[:, OF]]
            told.append(Followed(method, parts, stays, np.zeros(0, np.int64)))
            continue
        poison = method is Method.POISON
        parts, traced, hop_of, tainted = mixed(
            sender, receiver, amount, leaves, source, start, hops, poison
        )
        held = np.flatnonzero(traced)
        stays = np.stack([pot_of[held], np.zeros_like(held), traced[held], hop_of[held]], axis=1)
        of_parts = of_stays = None
        near = np.flatnonzero(hop_of <= hops)
        if not poison and len(near) * len(sources) <= _DENSE:
            row = np.full(len(pot_of), -1)
            row[near] = np.arange(len(near))
            of_parts, left = by_source(
                parts, sender, receiver, leaves, source, row, len(near), len(sources), hops
            )
            of_stays = left[row[held]]
        parts[:, OF] = seen[parts[:, OF]]
        clean = np.zeros(pots, np.int64)
        clean[pot_of] = tainted
        told.append(Followed(method, parts, stays, clean, of_parts, of_stays))
    return Forward(payments, about, sources, hops, tuple(told))


def where(payments: Payments, account: str) -> int:
    """The account's position, however it is written.

    Raises:
        BadInput: no payment names it.
    """
    return placed(payments.accounts, account)


def shared_out(weights: Floats, total: int) -> Ints:
    """Whole units in proportion to weights, that add up to the total (largest remainders)."""
    if not len(weights) or weights.sum() <= 0:
        return np.zeros(len(weights), np.int64)
    exact = weights * (total / weights.sum())
    units = np.floor(exact).astype(np.int64)
    order = np.argsort(units - exact, kind="stable")  # the largest remainder first
    units[order[: max(int(total - units.sum()), 0)]] += 1
    return np.asarray(units)


__all__ = ["AGAIN", "HOPS", "SOURCE", "UNITS", "Followed", "Forward", "follow", "forward", "where"]
