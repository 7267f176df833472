"""One plain file of payments to columns, batch by batch: texts become numbers as they are read.

What stays of a batch is some 60 bytes a payment instead of its texts. It is the quick way for the
common case; what it cannot hold exactly is left to the general way of `reading`, which gives the
same columns.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.money.accounts import checks, is_iban, joined, written
from cordon.money.currencies import unknown
from cordon.money.givenback import marked
from cordon.money.model import CHANNELS
from cordon.money.numbering import hashes_of, laid_out
from cordon.money.once import DAY_US, of_one_id
from cordon.money.payments import Payments

Ints = NDArray[np.int64]
PLACES = 6
"""Decimal places that are held here; amounts with more are read the general way."""
_MOST = 1 << 62


class NotHeld(Exception):
    """An amount or a sum that does not fit: the file is to be read the general way."""


class Codes:
    """Texts as numbers from 0, in the order in which they first came."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}

    def of(self, column: pa.Array | pa.ChunkedArray) -> NDArray[np.int32]:
        """The number of each text."""
        whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        coded = pc.dictionary_encode(whole)
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.combine_chunks()
        known = self._known
        own = [known.setdefault(name, len(known)) for name in coded.dictionary.to_pylist()]
        return np.asarray(np.asarray(own, np.int32)[coded.indices.to_numpy()], np.int32)

    def names(self) -> list[str]:
        """The texts, by their number."""
        return list(self._known)


def resolved(names: Iterable[str]) -> tuple[dict[str, str], list[str], str]:
    """How accounts are written in the end, all of them sorted, and a sentence on wrong IBANs.

    The sentence is empty where none is wrong.
    """
    own = {n: written(n) for n in names}
    same = joined(sorted(set(own.values())))
    own = {n: same.get(w, w) for n, w in own.items()}
    accounts = sorted(set(own.values()))
    wrong = sum(is_iban(a) and not checks(a) for a in accounts)
    return own, accounts, wrong_ibans(wrong, len(accounts))


def wrong_ibans(wrong: int, of: int) -> str:
    """A sentence on accounts whose check digits do not fit; empty where there is none."""
    if not wrong:
        return ""
    return (
        f"{wrong:,} of {of:,} accounts have the form of an IBAN and check digits "
        "that do not fit; they were taken as they are."
    )


def in_smallest(
    amount: Ints, currency: NDArray[np.int16], currencies: int, held: int = PLACES
) -> tuple[int, ...]:
    """Turn amounts, in place, into units of the smallest place that each currency uses.

    Args:
        held: decimal places that the amounts are in.

    Returns:
        Decimal places of each currency.

    Raises:
        NotHeld: a currency whose sum does not fit.
    """
    digits = []
    for code in range(currencies):
        mine = slice(None) if currencies == 1 else np.flatnonzero(currency == code)
        units, places = amount[mine], held
        if float(units.sum(dtype=np.float64)) >= _MOST / 2:
            raise NotHeld
        unit = 1
        while places and not (units % (unit * 10)).any():
            unit, places = unit * 10, places - 1
        if unit > 1:
            amount[mine] = units // unit
        digits.append(places)
    return tuple(digits)


def repeats(
    ids: pa.ChunkedArray,
    sender: NDArray[np.int32],
    receiver: NDArray[np.int32],
    amount: Ints,
    currency: NDArray[np.int16],
    at: Ints,
) -> tuple[NDArray[np.bool_], int]:
    """Of payments in the order of their rows, which tell again what one before them tells.

    That is one with the same id, accounts, amount, currency and day (UTC).

    Args:
        ids and the rest: of each; at: µs since the epoch.

    Returns:
        Of each whether it is one, and how many of the others carry the id of one before them.
    """
    id_ = pc.dictionary_encode(ids.combine_chunks()).indices.to_numpy()
    columns = (at // DAY_US, currency, amount, receiver, sender, id_)
    order = np.lexsort(columns)  # stable: of equal ones the first leads
    same = np.ones(max(len(order) - 1, 0), bool)
    for column in columns:
        sorted_ = column[order]
        same &= sorted_[1:] == sorted_[:-1]
    again = np.zeros(len(order), bool)
    again[order[1:][same]] = True
    return again, int((~again).sum()) - len(np.unique(id_[~again]))


def said(namesakes: int, currencies: Sequence[str], wrong: str) -> tuple[str, ...]:
    """Sentences on payments that carry another's id, codes that nobody knows, and wrong IBANs."""
    found = [of_one_id(namesakes)] if namesakes else []
    return (*found, *unknown(currencies), *([wrong] if wrong else []))


class Coding:
    """Gathers batches of one file whose rows are each a payment of its own."""

    def __init__(self) -> None:
        self._accounts, self._currencies = Codes(), Codes()
        self._parts: dict[str, list[NDArray[np.generic]]] = {
            n: []
            for n in ("at", "sender", "receiver", "amount", "currency", "channel", "row", "hash")
        }
        self._ids: list[pa.Array] = []
        self._seed = np.array([secrets.randbits(64) | 1 for _ in range(2)], np.uint64)

    def add(self, table: pa.Table) -> None:
        """Rows of the format `payments`; raises NotHeld."""
        if not len(table):
            return
        table = marked(table)
        channel = pc.index_in(table["channel"], value_set=pa.array(CHANNELS, pa.string()))
        parts = {
            "at": table["at"].cast(pa.int64()).to_numpy(),
            "sender": self._accounts.of(table["from_account"]),
            "receiver": self._accounts.of(table["to_account"]),
            "amount": units_of(table["amount"]),
            "currency": self._currencies.of(table["currency"]).astype(np.int16),
            "channel": pc.fill_null(channel, -1).to_numpy().astype(np.int8),
            "row": table["row"].to_numpy(),
        }
        for name, part in parts.items():
            self._parts[name].append(part)
        for chunk in table["payment_id"].chunks:
            self._ids.append(chunk)
            self._parts["hash"].append(self._hashed(chunk))

    def _hashed(self, ids: pa.StringArray) -> NDArray[np.uint64]:
        letters, starts = laid_out(ids)
        hashes, none = np.empty(len(ids), np.uint64), np.empty(0, np.int32)
        hashes_of(letters, starts.astype(np.int32), none, 0, self._seed, hashes)
        return hashes

    def _again(
        self, ids: pa.ChunkedArray, **columns: NDArray[Any]
    ) -> tuple[NDArray[np.bool_], int]:
        """As of `repeats`, of all rows; only those whose ids stand twice are compared."""
        known = self._whole("hash", np.uint64)
        sorted_ = np.sort(known)
        twice = np.unique(sorted_[1:][sorted_[1:] == sorted_[:-1]])
        again = np.zeros(len(known), bool)
        if not len(twice):
            return again, 0
        some = np.flatnonzero(np.isin(known, twice))
        of = {name: column[some] for name, column in columns.items()}
        again[some], namesakes = repeats(ids.take(pa.array(some)), **of)
        return again, namesakes

    def payments(self, sha256: str, left_out: Sequence[str]) -> Payments:
        """All of them in the order of time, then of rows; raises NotHeld."""
        row = self._whole("row", np.int64)
        at = self._whole("at", np.int64)
        own, accounts, says = resolved(self._accounts.names())
        place = {a: i for i, a in enumerate(accounts)}
        account = np.array([place[a] for a in own.values()], np.int32)
        told = self._currencies.names()
        currencies = sorted(told)
        code = np.array([currencies.index(c) for c in told], np.int16)
        currency = code[self._whole("currency", np.int16)] if told else np.zeros(0, np.int16)
        amount = self._whole("amount", np.int64)
        ids = pa.chunked_array(self._ids, pa.string())
        sender, receiver = (account[self._whole(n, np.int32)] for n in ("sender", "receiver"))
        again, namesakes = self._again(
            ids, sender=sender, receiver=receiver, amount=amount, currency=currency, at=at
        )
        digits = in_smallest(amount, currency, len(currencies))
        order = np.lexsort((row, at))
        order = order[~again[order]]
        return Payments(
            accounts,
            currencies,
            digits,
            at[order],
            sender[order],
            receiver[order],
            amount[order],
            currency[order],
            self._whole("channel", np.int8)[order],
            ids.take(pa.array(order)),
            np.zeros(len(order), np.int32),
            row[order],
            [sha256],
            int(again.sum()),
            (*left_out, *said(namesakes, currencies, says)),
        )

    def _whole(self, name: str, kind: type) -> NDArray[Any]:
        """A column of all batches; its parts are let go."""
        parts = self._parts.pop(name)
        return np.concatenate(parts) if parts else np.zeros(0, kind)


def units_of(amounts: pa.ChunkedArray, places: int = PLACES) -> Ints:
    """Exact amounts in units of a decimal place, as numbers of 64 bits; raises NotHeld."""
    whole = amounts.combine_chunks() if isinstance(amounts, pa.ChunkedArray) else amounts
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks)
    try:
        held = whole.cast(pa.decimal128(38, places))  # refuses what would lose digits
    except pa.ArrowInvalid as lost:
        raise NotHeld from lost
    words = np.frombuffer(held.buffers()[1], np.int64).reshape(-1, 2)
    words = words[held.offset : held.offset + len(held)]
    if (words[:, 1] != 0).any() or (words[:, 0] < 0).any():
        raise NotHeld
    return words[:, 0].copy()
