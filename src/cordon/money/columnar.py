"""One Parquet file of payments of the right types to columns, batch by batch, on two threads.

Texts become numbers as they are read. It is the quick way for a file of which every row is in
order; any other is read the general way of `reading`, which gives the same columns and refuses rows
by name.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cordon.calls import Counts, hashes
from cordon.money.coding import PLACES, NotHeld, in_smallest, resolved, units_of, wrong_ibans
from cordon.money.givenback import REFUND, SAYS, WAYS
from cordon.money.model import CHANNELS
from cordon.money.numbering import (
    EMPTY,
    FOREIGN,
    IBAN,
    ODD,
    PLAIN,
    SPACED,
    WRONG,
    Hashes,
    flaws,
    kinds,
    laid_out,
    numbered,
    ordered,
    replaced,
)
from cordon.money.payments import Payments

Ints = NDArray[np.int64]
_BATCH = 1 << 20
_NEEDED = ("payment_id", "at", "from_account", "to_account", "amount", "currency")
_FEW = ("currency", "channel")  # columns of few different texts
_FIRST = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_LAST = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000


def read_columns(
    path: Path, sha256: str, progress: Callable[[int, int], None] | None = None
) -> tuple[Payments, Counts] | None:
    """The payments of a file; None where it is to be read the general way.

    Args:
        path: of the format's columns with the format's types. sha256: of it.
        progress: told rows read and rows there are.
    """
    try:
        few = [name for name in _FEW if name in pq.read_schema(path).names]
        with (
            pq.ParquetFile(path, read_dictionary=few) as file,
            ThreadPoolExecutor(2) as threads,
        ):
            gathering = _Gathering(threads)
            every = file.metadata.num_rows
            for batch in _ahead(file):
                gathering.add(batch)
                if progress is not None:
                    progress(gathering.rows, every)
            return gathering.payments(sha256) if gathering.rows else None
    except (NotHeld, pa.ArrowException, UnicodeDecodeError):
        return None


def _ahead(file: pq.ParquetFile) -> Iterator[pa.RecordBatch]:
    """The file's batches, the next of them read while one is worked at."""
    columns = [n for n in (*_NEEDED, "channel", "note") if n in file.schema_arrow.names]
    batches = file.iter_batches(_BATCH, columns=columns)
    with ThreadPoolExecutor(1) as reader:
        coming: Future[Any] = reader.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield batch


class _Gathering:
    """Columns of numbers so far; every step raises NotHeld where a row is not in order."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads, self.rows = threads, 0
        self._key = np.array([secrets.randbits(64), secrets.randbits(64)], np.uint64)
        self._tables: list[Hashes] = [np.zeros((1 << 12, 2), np.uint64) for _ in range(2)]
        self._used, self._names = [0, 0], (list[pa.Array](), list[pa.Array]())
        self._currencies: dict[str, int] = {}
        self._parts: dict[str, list[NDArray[Any]]] = {
            n: [] for n in ("at", "sender", "receiver", "currency", "channel", "hash")
        }
        self._amounts: list[tuple[Ints, int]] = []
        self._ids: list[pa.Array] = []

    def add(self, batch: pa.RecordBatch) -> None:
        """Rows of the file, in its order."""
        if any(batch[n].null_count for n in _NEEDED):
            raise NotHeld
        sender, receiver = _text(batch["from_account"]), _text(batch["to_account"])
        ids = _text(batch["payment_id"])
        both = [self._threads.submit(self._hashed, t, EMPTY) for t in (sender, receiver)]
        parts, codes = self._parts, [np.empty(len(ids), np.int32) for _ in both]
        known = [f.result() for f in both]
        halves = [
            self._threads.submit(self._numbered, half, (sender, receiver), known, codes)
            for half in (0, 1)
        ]
        at = batch["at"].cast(pa.timestamp("us", batch["at"].type.tz)).cast(pa.int64()).to_numpy()
        if not len(at) or at.min() < _FIRST or at.max() >= _LAST:
            raise NotHeld
        parts["at"].append(at)
        self._amounts.append(_amounts(batch["amount"]))
        parts["currency"].append(self._currency(batch["currency"]))
        channel = batch["channel"] if "channel" in batch.schema.names else None
        codes_ = _channels(channel, len(ids))
        if channel is not None and "note" in batch.schema.names:
            gives = pc.fill_null(pc.match_substring_regex(batch["note"], SAYS), False)
            gives = gives.to_numpy(zero_copy_only=False)
            codes_[gives & np.isin(codes_, [-1, *map(CHANNELS.index, WAYS)])] = REFUND
        parts["channel"].append(codes_)
        for half in halves:
            half.result()
        # a copy: what is a view of the rest would hold all of it
        parts["hash"].append(self._hashed(ids, EMPTY | SPACED)[:, 0].copy())
        parts["sender"].append(codes[0])
        parts["receiver"].append(codes[1])
        self._ids.append(ids)
        self.rows += len(ids)

    def _hashed(self, texts: pa.StringArray, refused: int) -> Hashes:
        letters, offsets = laid_out(texts)
        found = flaws(letters, offsets)
        if found & refused:
            raise NotHeld
        if found & FOREIGN:
            texts.validate(full=True)
        return hashes(letters, offsets, self._key)

    def _numbered(
        self,
        half: int,
        ends: tuple[pa.StringArray, ...],
        known: list[Hashes],
        codes: list[NDArray[np.int32]],
    ) -> None:
        for texts, names, into in zip(ends, known, codes, strict=True):
            fresh = np.empty(len(names), np.int64)
            self._tables[half], self._used[half], new = numbered(
                names, half, self._tables[half], self._used[half], into, fresh
            )
            self._names[half].append(texts.take(pa.array(fresh[:new])))

    def _currency(self, column: pa.DictionaryArray) -> NDArray[np.int16]:
        known = self._currencies
        own = []
        for name in column.dictionary.to_pylist():
            if not name or name.strip(" ") != name or len(known) > 10_000:
                raise NotHeld
            own.append(known.setdefault(name, len(known)))
        return np.asarray(np.array(own, np.int16)[column.indices.to_numpy()])

    def payments(self, sha256: str) -> tuple[Payments, Counts]:
        """All of them, each id once, in the order of time, then of rows."""
        ids = pa.chunked_array(self._ids, pa.string())
        repeats = self._threads.submit(_repeated, self._whole("hash"), ids)
        sender, receiver = self._whole("sender"), self._whole("receiver")
        at, (amount, places) = self._whole("at"), _alike(self._amounts)
        currency, channel = self._whole("currency"), self._whole("channel")
        names = [pa.concat_arrays(part) for part in self._names]
        left_out = repeats.result()
        order: Ints | None = None
        if len(left_out):
            order = np.delete(np.arange(self.rows), left_out)
        if (np.diff(at if order is None else at[order]) < 0).any():
            order = np.arange(self.rows) if order is None else order
            order = order[np.argsort(at[order], kind="stable")]
        row = np.arange(1, self.rows + 1)
        if order is not None:
            at, sender, receiver, amount = (c[order] for c in (at, sender, receiver, amount))
            currency, channel, row = (c[order] for c in (currency, channel, row))
            ids = ids.take(pa.array(order))
        used = None
        if len(left_out):
            used = np.zeros(2 * max(self._used), bool)
            used[sender] = used[receiver] = True
        accounts, codes, says = _accounts(names, used)
        list(self._threads.map(replaced, (sender, receiver), (codes, codes)))
        told = list(self._currencies)
        there = np.bincount(currency, minlength=len(told)) > 0
        currencies = sorted(c for c, is_there in zip(told, there, strict=True) if is_there)
        place = {c: i for i, c in enumerate(currencies)}
        currency = np.array([place.get(c, -1) for c in told], np.int16)[currency]
        payments = Payments(
            accounts,
            currencies,
            in_smallest(amount, currency, len(currencies), places),
            at,
            sender,
            receiver,
            amount,
            currency,
            channel,
            ids,
            np.zeros(len(at), np.int32),
            row,
            [sha256],
            len(left_out),
            (says,) if says else (),
        )
        return payments, Counts(self.rows, len(at), len(left_out), 0)

    def _whole(self, name: str) -> NDArray[Any]:
        return np.concatenate(self._parts.pop(name))


def _accounts(
    names: list[pa.StringArray], used: NDArray[np.bool_] | None
) -> tuple[list[str], NDArray[np.int32], str]:
    """Accounts sorted, for each number (twice its place in its half, plus the half) which it is,
    and a sentence on wrong IBANs or nothing.

    Args:
        names: of both halves. used: by number, where some are not.
    """
    halves = [np.arange(len(half)) * 2 + at for at, half in enumerate(names)]
    number = np.concatenate(halves)
    every = pa.concat_arrays(names)
    if used is not None:
        every, number = every.filter(pa.array(used[number])), number[used[number]]
    codes = np.zeros(int(number.max()) + 1, np.int32)
    kind = kinds(*laid_out(every))
    if (kind == ODD).any() or _joins(every, kind):
        own, accounts, says = resolved(every.to_pylist())
        place = {a: i for i, a in enumerate(accounts)}
        codes[number] = np.array([place[a] for a in own.values()], np.int32)
        return accounts, codes, says
    order = ordered(every)
    codes[number[order]] = np.arange(len(order), dtype=np.int32)
    wrong = int((kind == WRONG).sum())
    return every.take(pa.array(order)).to_pylist(), codes, wrong_ibans(wrong, len(order))


def _joins(names: pa.StringArray, kind: NDArray[np.uint8]) -> bool:
    """True where a name may be another's without its country and check digits."""
    rest = pc.utf8_slice_codeunits(names.filter(pa.array((kind == IBAN) | (kind == WRONG))), 4)
    if not len(rest):
        return False
    others = pc.utf8_upper(names.filter(pa.array(kind == PLAIN)))
    known = rest.unique()
    return len(known) < len(rest) or bool(pc.any(pc.is_in(others, value_set=known)).as_py())


def _repeated(known: Hashes, ids: pa.ChunkedArray) -> Ints:
    """Rows whose id stands in a row before, ascending."""
    order = np.sort(known)
    twice = np.unique(order[1:][order[1:] == order[:-1]])
    if not len(twice):
        return np.zeros(0, np.int64)
    rows = np.flatnonzero(np.isin(known, twice))
    seen: set[str] = set()
    found = []
    for row, name in zip(rows.tolist(), ids.take(pa.array(rows)).to_pylist(), strict=True):
        if name in seen:
            found.append(row)
        seen.add(name)
    return np.array(found, np.int64)


def _text(column: pa.Array) -> pa.StringArray:
    return column if pa.types.is_string(column.type) else column.cast(pa.string())


def _amounts(column: pa.Array) -> tuple[Ints, int]:
    """Exact amounts in units of a decimal place, and which place that is."""
    if pa.types.is_decimal(column.type):
        places = min(max(column.type.scale, 0), PLACES)
        return units_of(pa.chunked_array([column]), places), places
    if not pa.types.is_floating(column.type):
        whole = column.cast(pa.int64()).to_numpy()
        if (whole < 0).any():
            raise NotHeld
        return np.asarray(whole), 0
    given = column.cast(pa.float64()).to_numpy()
    # a decimal of fifteen digits is the shortest that is its float; of more another may be
    if column.type != pa.float64() or not (given < 1e9).all() or (given < 0).any():
        raise NotHeld
    for places in range(PLACES + 1):
        units = np.rint(given * 10**places)
        if (units / 10**places == given).all():
            return units.astype(np.int64), places
    raise NotHeld


def _alike(parts: list[tuple[Ints, int]]) -> tuple[Ints, int]:
    """The amounts of all batches in units of one place."""
    places = max(p for _, p in parts)
    for units, of in parts:
        if units.max(initial=0) * 10.0 ** (places - of) >= 1 << 62:
            raise NotHeld
    return np.concatenate([units * 10 ** (places - of) for units, of in parts]), places


def _channels(column: pa.DictionaryArray | None, rows: int) -> NDArray[np.int8]:
    if column is None:
        return np.full(rows, -1, np.int8)
    told = column.dictionary.to_pylist()
    if not set(told) <= set(CHANNELS):
        raise NotHeld
    codes = np.array([*(CHANNELS.index(name) for name in told), -1], np.int8)
    return np.asarray(codes[pc.fill_null(column.indices, len(told)).to_numpy()])
