"""Whether the balances that a statement tells run with its amounts; where they first do not.

Each row leads from a balance to the one that it tells. In whichever order the rows stand, of one
day or of all, each balance that a row begins with is one that another row ends with, but for the
first: so what begins nowhere tells a row that is missing or was changed, and no order of rows is
mistaken for one. Amounts are whole numbers of a smallest unit.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
_MOST = 10_000
"""Balances that begin nowhere, of one statement: with more, its column is none that runs."""
NOT_RUNNING = "its balance does not run with the amounts of its statement; it was not checked"


@dataclass(slots=True)
class _Row:
    """A row whose balance before it is told nowhere so far; `beside` is the balance told by the
    row before it and, of rows in reverse order, by the row after it."""

    row: int
    balance: int
    change: int
    beside: tuple[int | None, int | None]
    at_gap: tuple[bool, bool]

    def follows(self, reverse: bool) -> bool:
        """Whether it follows from its neighbour."""
        beside = self.beside[reverse]
        return beside is not None and beside + self.change == self.balance


@dataclass(slots=True)
class _Statement:
    """Rows of one account and currency, one below another."""

    rows: int = 0
    gaps: int = 0
    onward: int = 0  # rows whose balance follows from that of the row before
    back: int = 0  # rows whose balance follows from that of the row after
    net: Counter[int] = field(default_factory=Counter)  # ends less beginnings of each balance
    open: dict[int, list[_Row]] = field(default_factory=dict)
    first: int = 0
    last: int = 0
    ended: tuple[int, int, bool] | None = None  # the last row's balance and change; or a gap


class Balances:
    """Takes the rows of statements in the order of their file.

    Args:
        places: decimal places that amounts are in.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._of: dict[object, _Statement] = {}

    def add(
        self, key: object, rows: Ints, change: Ints, balance: Ints, told: NDArray[np.bool_]
    ) -> None:
        """Rows of one statement.

        Args:
            key: names the statement. rows: their numbers. change: by how much each changes what
                the account holds. balance: that each tells. told: False for a row that tells no
                balance or could not be read, after which nothing is held against what was before.
        """
        of = self._of.setdefault(key, _Statement())
        if not len(rows) or len(of.open) > _MOST:
            return
        if not of.rows:
            of.first = int(rows[0])
        of.last = int(rows[-1])
        of.rows += int(told.sum())
        of.gaps += int((~told).sum())
        before = balance - change
        _linked(of, change, balance, told)
        values, counts = np.unique(
            np.concatenate([balance[told], before[told]]), return_inverse=True
        )
        half = int(told.sum())
        net = np.bincount(counts[:half], minlength=len(values)) - np.bincount(
            counts[half:], minlength=len(values)
        )
        odd = values[net < 0]
        for k in np.flatnonzero(told & np.isin(before, odd)).tolist():
            one = _Row(int(rows[k]), int(balance[k]), int(change[k]),
                       *_beside(of, balance, told, k))  # fmt: skip
            of.open.setdefault(int(before[k]), []).append(one)
        for value, much in zip(values[net != 0].tolist(), net[net != 0].tolist(), strict=True):
            of.net[value] += much
            if of.net[value] >= 0:
                of.open.pop(value, None)
            if not of.net[value]:
                del of.net[value]
        of.ended = (int(balance[-1]), int(change[-1]), bool(told[-1]))

    def sentences(self) -> list[str]:
        """One for each statement whose balances break off."""
        said = []
        for of in self._of.values():
            begins = -sum(n for n in of.net.values() if n < 0)
            if of.rows < 2 or begins <= 1 + of.gaps:
                continue
            if len(of.open) > _MOST or 2 * (begins - 1 - of.gaps) > of.rows - 1:
                said.append(f"Row {of.first:,} to {of.last:,}: {NOT_RUNNING}.")
                continue
            said += self._breaks(of, begins)
        return said

    def _breaks(self, of: _Statement, begins: int) -> list[str]:
        reverse = of.back > of.onward
        start = of.last if reverse else of.first
        found = sorted(
            (one for those in of.open.values() for one in those
             if one.row != start and not one.at_gap[reverse]),
            key=lambda one: one.row,
        )  # fmt: skip
        # of several rows that begin with one balance, those that follow from their neighbour do
        found = [one for one in found if not one.follows(reverse)] or found
        if not found:
            return []
        one, beside = found[0], found[0].beside[reverse]
        where = "after" if reverse else "before"
        should = "" if beside is None else (
            f", and by the balance of the row {where} it and its own amount it should be "
            f"{self._written(beside + one.change)}"
        )  # fmt: skip
        more = begins - of.gaps - 2
        also = f" {more:,} more such {'place' if more == 1 else 'places'} follow." if more else ""
        return [
            f"Row {one.row:,}: its balance is {self._written(one.balance)}{should}: a row is "
            f"missing there, or one was changed.{also}"
        ]

    def _written(self, units: int) -> str:
        return written(units, self._places)


def written(units: int, places: int) -> str:
    """Whole units as an amount with its point, and at least two places."""
    text = f"{Decimal(units).scaleb(-places):f}"
    whole, _, part = text.partition(".")
    return f"{whole}.{part.rstrip('0').ljust(2, '0')}"


def _linked(of: _Statement, change: Ints, balance: Ints, told: NDArray[np.bool_]) -> None:
    """Count the rows that follow from their neighbours, in either order."""
    both = told[1:] & told[:-1]
    of.onward += int((both & (balance[1:] - change[1:] == balance[:-1])).sum())
    of.back += int((both & (balance[:-1] - change[:-1] == balance[1:])).sum())


def _beside(
    of: _Statement, balance: Ints, told: NDArray[np.bool_], k: int
) -> tuple[tuple[int | None, int | None], tuple[bool, bool]]:
    """Balances of the rows before and after row k, and whether a gap lies between."""
    ahead = of.ended if k == 0 else (int(balance[k - 1]), 0, bool(told[k - 1]))
    after = k + 1 < len(balance)
    before = ahead[0] if ahead is not None and ahead[2] else None
    behind = int(balance[k + 1]) if after and told[k + 1] else None
    return (before, behind), (ahead is not None and not ahead[2], after and not told[k + 1])
