"""Payments as columns, in the order of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cordon.kernel.findings import RecordRef
from cordon.money.currencies import places_of
from cordon.money.model import CHANNELS, EXITS

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Payments:
    """Payments by time, then file and row; each counts once.

    Attributes:
        accounts: names, sorted; a pot is an account in one currency: `pot = account *
            len(currencies) + currency`.
        currencies: codes, sorted. digits: decimal places that amounts of each are kept in.
        at: µs since the epoch. sender, receiver: index into accounts. amount: whole units of the
            smallest place of its currency, not below 0. currency: index into currencies.
        channel: index into CHANNELS, -1 where not told. ids: of the payments.
        file: index into files (SHA-256). row: in its file, from 1.
        left_out: sentences for the reader. repeated: payments told twice.
        opening: whole units that a statement says were in a pot before its first payment, by pot.
        given_back: pairs × 3: position of a payment, of the refund set against it, and units.
    """

    accounts: Sequence[str]
    currencies: list[str]
    digits: tuple[int, ...]
    at: Ints
    sender: NDArray[np.int32]
    receiver: NDArray[np.int32]
    amount: Ints
    currency: NDArray[np.int16]
    channel: NDArray[np.int8]
    ids: pa.ChunkedArray
    file: NDArray[np.int32]
    row: Ints
    files: list[str]
    repeated: int = 0
    left_out: tuple[str, ...] = field(default=())
    opening: Mapping[int, int] = field(default_factory=dict)
    given_back: Ints = field(default_factory=lambda: np.zeros((0, 3), np.int64))

    def __len__(self) -> int:
        return len(self.at)

    @property
    def exits(self) -> NDArray[np.bool_]:
        """Payments by which money leaves what can be frozen."""
        return self.leaving(slice(None))

    def leaving(self, of: Ints | slice) -> NDArray[np.bool_]:
        """Whether money leaves what can be frozen by each of these payments."""
        leaves = np.array([c in EXITS for c in CHANNELS] + [False])  # -1 is the last
        return np.asarray(leaves[self.channel[of]])

    def only(self, of: Ints) -> Payments:
        """These payments alone, of the same accounts; positions ascending."""
        names = ("at", "sender", "receiver", "amount", "currency", "channel", "file", "row")
        return replace(
            self,
            ids=self.ids_of(of),
            given_back=np.zeros((0, 3), np.int64),  # its positions are those of all payments
            **{name: getattr(self, name)[of] for name in names},
        )

    def ids_of(self, of: Ints) -> pa.ChunkedArray:
        """The ids of these payments, ascending."""
        ends = np.cumsum([0, *(len(chunk) for chunk in self.ids.chunks)])
        cuts = np.searchsorted(of, ends)
        # Arrow's own way through chunks takes 40 ms of ten million, however few are asked for
        parts = [
            chunk.take(pa.array(of[begin:end] - ahead))
            for chunk, ahead, begin, end in zip(
                self.ids.chunks, ends[:-1], cuts[:-1], cuts[1:], strict=True
            )
            if end > begin
        ]
        return pa.chunked_array(parts, self.ids.type)

    def pot(self, end: NDArray[np.int32]) -> Ints:
        """The pot of each payment's sender or receiver."""
        return end.astype(np.int64) * len(self.currencies) + self.currency

    def money(self, units: int, currency: int) -> Decimal:
        """Whole units as an exact amount."""
        return Decimal(self.written(units, currency))

    def written(self, units: int, currency: int) -> str:
        """Whole units as an exact amount in digits, with no more decimal places than its currency
        has, or than it needs itself."""
        digits = self.digits[currency]
        if not digits:
            return str(units)
        whole, rest = divmod(abs(units), 10**digits)
        places = f"{rest:0{digits}d}"
        own = places_of(self.currencies[currency])
        if digits > own:  # one row of many places is no reason to write them at all others
            places = places[:own] + places[own:].rstrip("0")
        sign = "-" if units < 0 else ""
        return f"{sign}{whole}.{places}" if places else f"{sign}{whole}"

    def record(self, k: int) -> RecordRef:
        """Where payment k stands in what came in."""
        return RecordRef(self.files[self.file[k]], int(self.row[k]))
