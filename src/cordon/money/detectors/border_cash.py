"""Finds cash that goes in here and out abroad, or the other way: see the card beside this file."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cordon.kernel.cards import Card, load_card
from cordon.kernel.findings import Finding
from cordon.money.detectors.data import MoneyData
from cordon.money.detectors.moves import Bools, Ints, Moves, rarity
from cordon.money.detectors.telling import HOUR, MOST, Sign, amounts, pattern, spent
from cordon.money.model import Channel

CARD = load_card(__file__)


def find(data: MoneyData, card: Card = CARD) -> Iterator[Finding]:
    """Findings over the payments, one an account.

    Args:
        data: the payments and what is known beside them. card: the parameters' defaults.
    """
    values = card.values(data.given)
    m = data.moves
    within = int(values["within_h"] * HOUR)
    abroad, cash_in, cash_out = (
        m.by(Channel.FOREIGN), m.by(Channel.CASH_IN), m.by(Channel.CASH_OUT)
    )  # fmt: skip
    # either way: what came first, and the moves that followed it soon
    after_cash = abroad & _soon(m, m.a, cash_in, within)
    after_abroad = cash_out & _soon(m, m.a, abroad, within)
    crossed = after_cash | after_abroad
    times = np.bincount(m.a, crossed, minlength=m.size)
    mover = m.total(m.a, crossed)
    far = np.zeros(m.size, np.int64)
    for own, end in ((m.a, m.b), (m.b, m.a)):
        far = np.maximum(far, m.ends(own, end, abroad))
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nan_to_num(mover / m.total(m.a))
        through = np.nan_to_num(mover / m.total(m.b, cash_in | abroad))
    looked = (np.bincount(m.a, abroad | cash_out, minlength=m.size) > 0) & ~data.by_trade
    if not looked.any():
        return
    often, much = rarity(times.astype(float), looked, MOST), rarity(mover, looked, MOST)
    ends = rarity(far.astype(float), looked, MOST)
    evidence = often + much + ends - float(np.log(looked.sum()))
    told = looked & (evidence >= values["evidence"]) & (share >= values["share"])
    told &= (times >= values["times"]) & (far >= values["far"]) & (through >= values["through"])
    for account in np.flatnonzero(told).tolist():
        went = np.flatnonzero(crossed & (m.a == account))
        came = np.flatnonzero((m.b == account) & (cash_in | abroad))
        yield pattern(
            data, card, [account], np.concatenate([went, came]), float(evidence[account]),
            values["evidence"],
            [
                Sign(
                    "times", float(times[account]), "1", values["times"],
                    f"{times[account]:.0f} payments of {amounts(m, went)} within "
                    f"{spent(m, went)} crossed the border within {values['within_h']:g} h of the "
                    "cash, in and out", float(often[account]),
                ),
                Sign(
                    "far", float(far[account]), "1", values["far"],
                    f"{far[account]} accounts abroad are at the other end", float(ends[account]),
                ),
                Sign(
                    "through", float(through[account]), "1", values["through"],
                    f"{through[account]:.0%} of the cash and money from abroad that came in "
                    "crossed so; it kept the rest", 0.0,
                ),
                Sign(
                    "share", float(share[account]), "1", values["share"],
                    f"{share[account]:.0%} of all that it paid went so", float(much[account]),
                ),
            ],
        )  # fmt: skip


def _soon(m: Moves, end: Ints, before: Bools, within: int) -> Bools:
    """Moves whose payer took in one of those before them within so long."""
    width = m.span + within + 2
    at = m.at - (m.at[0] if len(m) else 0)
    taken = np.sort(m.b[before].astype(float) * width + at[before])
    key = end.astype(float) * width + at
    there = np.searchsorted(taken, key, side="right")
    return np.asarray(there > np.searchsorted(taken, key - within))
