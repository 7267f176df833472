"""What a detector over payments is given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.money.accounts import written
from cordon.money.detectors.moves import Moves
from cordon.money.payments import Payments

Ints = NDArray[np.int64]
UNTOLD = np.iinfo(np.int64).max
_BY_TRADE = ("agent", "exchange")  # kinds of account whose trade it is to pass money on


@dataclass
class MoneyData:
    """One set of payments, and what is known beside them.

    Attributes:
        accounts: table of the format `accounts`, or None. complaints: of `complaints`, or None.
        contacts: who was in touch with suspected numbers (`cordon.calls.CONTACTS`), or None where
            no calls were given.
        rings: name of the ring that each suspected number belongs to; a number of none is absent.
        given: parameters set by the reader, over the cards' defaults.
        left_out: the detector adds a sentence for each thing that it could not use.
    """

    payments: Payments
    accounts: pa.Table | None = None
    complaints: pa.Table | None = None
    contacts: pa.Table | None = None
    given: Mapping[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)
    rings: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def at(self) -> Mapping[str, int]:
        """Position of each account in the payments."""
        return {name: i for i, name in enumerate(self.payments.accounts)}

    def position(self, account: str | None) -> int:
        """Position of an account however it is written; -1 where no payment names it."""
        return -1 if account is None else self.at.get(written(account), self.at.get(account, -1))

    def positions(self, accounts: pa.ChunkedArray) -> Ints:
        """Position of each of these accounts; -1 where no payment names it."""
        names = pa.array(self.payments.accounts, pa.string())

        def stand(these: pa.Array | pa.ChunkedArray) -> Ints:
            found = pc.index_in(these, value_set=names).fill_null(-1)
            return np.array(found.to_numpy(zero_copy_only=False), np.int64)

        at = stand(accounts)  # names as payments have them are found at once
        others = np.flatnonzero(at < 0)
        told = [(n, n and written(n)) for n in accounts.take(others).to_pylist()]
        anew = [(k, own) for k, (n, own) in zip(others, told, strict=True) if own != n]
        if anew:
            at[[k for k, _ in anew]] = stand(pa.array([own for _, own in anew], pa.string()))
        return at

    @cached_property
    def _told(self) -> Ints:
        """Position of each account of the table of accounts; -1 where no payment names it."""
        assert self.accounts is not None
        return self.positions(self.accounts["account"])

    @cached_property
    def bound(self) -> tuple[pa.Array, Ints]:
        """Numbers that accounts are bound to, and the position of each account, one a binding."""
        if self.accounts is None:
            return pa.array([], pa.string()), np.zeros(0, np.int64)
        phone = self.accounts["phone"].combine_chunks()
        known = np.asarray(pc.fill_null(pc.not_equal(phone, ""), False)) & (self._told >= 0)
        return phone.filter(pa.array(known)), self._told[known]

    @cached_property
    def held(self) -> tuple[pa.Array, Ints]:
        """Holders (their identity document, else their name), and the position of each account."""
        if self.accounts is None:
            return pa.array([], pa.string()), np.zeros(0, np.int64)
        empty = pa.nulls(len(self.accounts), pa.string())
        told = [
            pc.if_else(pc.not_equal(c, ""), c, None)
            for c in (
                self.accounts[name].combine_chunks()
                if name in self.accounts.column_names
                else empty
                for name in ("holder_id", "holder_name")
            )
        ]
        holder = pc.coalesce(*told)
        known = np.asarray(pc.is_valid(holder)) & (self._told >= 0)
        return holder.filter(pa.array(known)), self._told[known]

    @cached_property
    def opened(self) -> Ints:
        """When each account was opened (µs); `UNTOLD` where nobody tells."""
        found = np.full(len(self.payments.accounts), UNTOLD)
        if self.accounts is not None and "opened" in self.accounts.column_names:
            days = self.accounts["opened"].combine_chunks().cast(pa.timestamp("us"))
            known = np.asarray(pc.is_valid(days)) & (self._told >= 0)
            found[self._told[known]] = np.asarray(days.filter(pa.array(known)), np.int64)
        return found

    @cached_property
    def moves(self) -> Moves:
        """The payments that move something."""
        return Moves(self.payments)

    @cached_property
    def by_trade(self) -> NDArray[np.bool_]:
        """Accounts whose kind says that they pass money on by trade."""
        found = np.zeros(len(self.payments.accounts), bool)
        if self.accounts is not None:
            trade = np.asarray(pc.is_in(self.accounts["kind"], value_set=pa.array(_BY_TRADE)))
            found[self._told[trade & (self._told >= 0)]] = True
        return found

    @cached_property
    def complained(self) -> Mapping[int, tuple[str, ...]]:
        """Complaints that name each account, by its position."""
        found: dict[int, list[str]] = {}
        if self.complaints is not None:
            for name, account in zip(
                self.complaints["complaint_id"].to_pylist(),
                self.complaints["suspect_account"].to_pylist(),
                strict=True,
            ):
                at = self.position(account)
                if at >= 0:
                    found.setdefault(at, []).append(name)
        return {at: tuple(sorted(set(names))) for at, names in found.items()}
