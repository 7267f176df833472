"""A pattern of payments as a finding: its typology, its signs in nats, its payments as records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.cards import Card
from cordon.kernel.findings import Finding, Reason
from cordon.money.detectors.data import MoneyData
from cordon.money.detectors.moves import Moves

Ints = NDArray[np.int64]
HOUR = 3_600_000_000  # µs
DAY = 24 * HOUR
MOST = 6.0  # nats at most that one rank in a sample says
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RECORDS = 500


class Sign(NamedTuple):
    """One number that speaks for a pattern.

    Attributes: as of `Reason`; nats: what it is worth, None for what only describes.
    """

    name: str
    value: float
    unit: str
    threshold: float | None
    says: str
    nats: float | None = None


def pattern(
    data: MoneyData,
    card: Card,
    accounts: Iterable[int],
    moves: Ints,
    evidence: float,
    asked: float,
    signs: Sequence[Sign],
) -> Finding:
    """A finding of kind `money.pattern`.

    Args:
        accounts: positions of its subjects. moves: positions in `data.moves`.
        evidence: nats in all, above what the most striking of those looked at reaches by chance.
        asked: nats that the card asks for.
    """
    m = data.moves
    moves = np.unique(moves)
    reasons = [
        Reason(
            "evidence", round(evidence, 1), "nat", asked,
            f"{card.title.lower()}: {evidence:.1f} nats more than the most striking of all that "
            "were looked at by chance",
        )
    ]  # fmt: skip
    for s in sorted(signs, key=lambda s: -(s.nats or 0.0)):
        worth = "" if s.nats is None else f" ({s.nats:+.1f} nats)"
        reasons.append(Reason(s.name, round(s.value, 3), s.unit, s.threshold, s.says + worth))
    made = Finding.make(
        kind=card.kind,
        subjects=[f"account:{m.payments.accounts[a]}" for a in accounts],
        start=_EPOCH + timedelta(microseconds=int(m.at[moves].min())),
        end=_EPOCH + timedelta(microseconds=int(m.at[moves].max())),
        confidence=float(1 - 0.6 * np.exp(-max(evidence, 0.0) / 6)),
        reasons=reasons,
        records=[m.payments.record(int(m.k[i])) for i in moves[:_RECORDS]],
        detector=card.name,
        version=card.version,
    )
    made.extra["typology"] = card.name.rpartition(".")[2]
    made.extra["payments"] = len(moves)
    return made


def amounts(m: Moves, moves: Ints) -> str:
    """From what to what the amounts of some moves go, in words."""
    units, currency = m.units[moves], int(m.currency[moves[0]])
    low, high = (m.payments.money(int(v), currency) for v in (units.min(), units.max()))
    name = m.payments.currencies[currency]
    return f"{low:,} {name}" if low == high else f"{low:,} to {high:,} {name}"


def spent(m: Moves, moves: Ints) -> str:
    """From the first to the last of some moves, in words."""
    hours = float(m.at[moves].max() - m.at[moves].min()) / HOUR
    return f"{hours:.1f} h" if hours < 72 else f"{hours / 24:.0f} days"


__all__ = ["DAY", "HOUR", "MOST", "Sign", "amounts", "pattern", "spent"]
