"""One Parquet file of payments of the right types to columns, on two threads.

Each thread takes columns of row groups, and makes numbers of texts. It is the quick way for a file
of which every row is in order; any other is read the general way of `reading`, which gives the same
columns and refuses rows by name.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls import Counts
from cordon.kernel.cycles import unsearched
from cordon.kernel.store.files import sha256_of
from cordon.kernel.store.pages import TextPage, Unread
from cordon.money.coding import (
    PLACES,
    NotHeld,
    in_smallest,
    repeats,
    resolved,
    said,
    units_of,
    wrong_ibans,
)
from cordon.money.counting import MOST_AMOUNT
from cordon.money.givenback import NOTED, SAYS, WAYS
from cordon.money.model import CHANNELS
from cordon.money.names import Names
from cordon.money.naming import Naming
from cordon.money.numbering import (
    EMPTY,
    FOREIGN,
    IBAN,
    ODD,
    PLAIN,
    SPACED,
    WRONG,
    halved,
    kinds,
    met,
    ordered,
    packed,
)
from cordon.money.parquet import PaymentFile
from cordon.money.payments import Payments

Ints = NDArray[np.int64]
Step = Callable[[], int]
_ENDS = ("from_account", "to_account")
_FIRST = int(datetime(1990, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_LAST = int(datetime(2100, 1, 1, tzinfo=UTC).timestamp()) * 1_000_000
_COLUMNS: dict[str, type[np.generic]] = {
    "at": np.int64,
    "amount": np.int64,
    "currency": np.int16,
    "channel": np.int8,
    "from_account": np.int32,
    "to_account": np.int32,
    "hash": np.uint64,
}


def read_columns(
    path: Path, progress: Callable[[int, int], None] | None = None
) -> tuple[Payments, Counts] | None:
    """The payments of a file; None where it is to be read the general way.

    Args:
        path: of the format's columns with the format's types.
        progress: told rows read and rows there are.
    """
    try:
        with unsearched(), closing(PaymentFile(path)) as file, ThreadPoolExecutor(2) as threads:
            if not file.rows:
                return None
            gathering = _Gathering(file, threads)
            gathering.read(progress)
            return gathering.payments()
    except (NotHeld, Unread, pa.ArrowException, OSError, UnicodeDecodeError):
        return None


class _Gathering:
    """Columns of numbers so far; every step raises NotHeld where a row is not in order."""

    def __init__(self, file: PaymentFile, threads: Executor) -> None:
        self._file, self._threads, self.rows = file, threads, file.rows
        self._lock, self._sha256 = Lock(), ""
        self._columns: dict[str, NDArray[Any]] = {
            name: np.empty(self.rows, kind) for name, kind in _COLUMNS.items()
        }
        self._naming = Naming(2 * self.rows)
        self._places: list[tuple[slice, int]] = []
        self._currencies: dict[str, int] = {}
        self._ids: dict[int, pa.StringArray] = {}

    def read(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Read all columns, in steps that two threads take from either end.

        One begins with texts, and with loading the compiled loops for them; the other one with what
        needs none.
        """
        steps: deque[Step] = deque([self._hashed])
        for part, groups in self._file.parts:
            steps.append(partial(self._numbers, part, groups))
        for part, groups in self._file.parts:
            steps += [partial(self._names, part, groups, name) for name in _ENDS]
            steps.append(partial(self._texts, part, groups))
        done: SimpleQueue[int | None] = SimpleQueue()

        def run(thread: int) -> None:
            try:
                while (step := _taken(steps, last=thread == 0)) is not None:
                    done.put(step())
            finally:
                done.put(None)

        both = [self._threads.submit(run, thread) for thread in (0, 1)]
        try:
            left, read = len(both), 0
            while left:
                rows = done.get()
                read += rows or 0
                if rows is None:
                    left -= 1
                elif progress is not None:
                    progress(read // (len(_ENDS) + 2), self.rows)
            for one in both:
                one.result()
        finally:
            steps.clear()

    def _hashed(self) -> int:
        self._sha256 = sha256_of(self._file.path)
        return 0

    def _names(self, part: slice, groups: list[int], name: str) -> int:
        self._naming.add(self._file.texts(groups, name), self._columns[name][part])
        return int(part.stop - part.start)

    def _texts(self, part: slice, groups: list[int]) -> int:
        rows = part.stop - part.start
        pages = deque(self._file.texts(groups, "payment_id"))
        size = sum(_size(page) for page in pages)
        if sum(page.rows for page in pages) != rows or size > np.iinfo(np.int32).max:
            raise NotHeld
        letters, ends = np.empty(size, np.uint8), np.zeros(rows + 1, np.int32)
        hashes, none = self._columns["hash"][part], np.empty(0, np.int32)
        at = found = 0
        while pages:
            page = pages.popleft()
            end = at + page.rows
            found |= packed(
                page.texts.letters, page.texts.starts, none if page.codes is None else page.codes,
                page.texts.apart, self._naming.seed, letters, ends[at : end + 1], hashes[at:end],
            )  # fmt: skip
            at = end
        if found & (EMPTY | SPACED):
            raise NotHeld
        ids = pa.StringArray.from_buffers(rows, pa.py_buffer(ends), pa.py_buffer(letters))
        if found & FOREIGN:
            ids.validate(full=True)
        self._ids[part.start] = ids
        return int(rows)

    def _numbers(self, part: slice, groups: list[int]) -> int:
        begin = part.start
        for batch in self._file.numbers(groups):
            self._add(batch, slice(begin, begin + len(batch)))
            begin += len(batch)
        return int(part.stop - part.start)

    def _add(self, batch: pa.RecordBatch, part: slice) -> None:
        if any(batch[n].null_count for n in ("at", "amount", "currency")):
            raise NotHeld
        columns = self._columns
        at = batch["at"].cast(pa.timestamp("us", batch["at"].type.tz)).cast(pa.int64()).to_numpy()
        if at.min(initial=_FIRST) < _FIRST or at.max(initial=_FIRST) >= _LAST:
            raise NotHeld
        columns["at"][part] = at
        columns["amount"][part], places = _amounts(batch["amount"])
        self._places.append((part, places))
        columns["currency"][part] = self._currency(batch["currency"])
        channel = batch["channel"] if "channel" in batch.schema.names else None
        codes = _channels(channel, len(batch))
        if channel is not None and "note" in batch.schema.names:
            gives = pc.fill_null(pc.match_substring_regex(batch["note"], SAYS), False)
            gives = gives.to_numpy(zero_copy_only=False)
            codes[gives & np.isin(codes, [-1, *map(CHANNELS.index, WAYS)])] = NOTED
        columns["channel"][part] = codes

    def _currency(self, column: pa.DictionaryArray) -> NDArray[np.int16]:
        known, own = self._currencies, []
        with self._lock:
            for name in column.dictionary.to_pylist():
                if not name or name.strip(" ") != name or len(known) > 10_000:
                    raise NotHeld
                own.append(known.setdefault(name, len(known)))
        return np.asarray(np.array(own, np.int16)[column.indices.to_numpy()])

    def payments(self) -> tuple[Payments, Counts]:
        """All of them, each id once, in the order of time, then of rows."""
        known = self._columns.pop("hash")
        sorted_ = np.empty_like(known)
        cut = halved(known, sorted_)
        halves = [self._threads.submit(_twice, half) for half in (sorted_[:cut], sorted_[cut:])]
        del sorted_
        ids = pa.chunked_array([self._ids[p.start] for p, _ in self._file.parts], pa.string())
        names = self._naming.numbered(self._threads)
        twice = np.concatenate([h.result() for h in halves])
        places = self._alike()
        codes, says, accounts = _accounts(names, self._threads)
        ended = self._naming.put(codes, self._threads)
        waits = True
        left_out, namesakes = np.zeros(0, np.int64), 0
        if len(twice):
            ended()
            waits = False
            left_out, namesakes = self._repeated(np.flatnonzero(np.isin(known, twice)), ids)
        del known
        order = self._order(left_out)
        row = np.arange(1, self.rows + 1)
        if order is not None:
            if waits:
                ended()
            waits = False
            for name, column in self._columns.items():
                self._columns[name] = column[order]
            ids, row = ids.take(pa.array(order)), row[order]
        c = self._columns
        told = list(self._currencies)
        there = met(c["currency"], len(told))
        currencies = sorted(n for n, is_there in zip(told, there, strict=True) if is_there)
        place = {n: i for i, n in enumerate(currencies)}
        currency = c["currency"]
        if told != currencies:
            currency = np.array([place.get(n, -1) for n in told], np.int16)[currency]
        digits = in_smallest(c["amount"], currency, len(currencies), places)
        payments = Payments(
            accounts(),
            currencies,
            digits,
            c["at"],
            c["from_account"],
            c["to_account"],
            c["amount"],
            currency,
            c["channel"],
            ids,
            np.zeros(len(row), np.int32),
            row,
            [self._sha256],
            len(left_out),
            said(namesakes, currencies, says),
        )
        if waits:
            ended()
        return payments, Counts(self.rows, len(row), len(left_out), 0)

    def _repeated(self, some: Ints, ids: pa.ChunkedArray) -> tuple[Ints, int]:
        """Which of these rows, ascending, tell again what stands before, as of `repeats`."""
        c = self._columns
        columns = (c[n][some] for n in (*_ENDS, "amount", "currency", "at"))
        again, namesakes = repeats(ids.take(pa.array(some)), *columns)
        return some[again], namesakes

    def _order(self, left_out: Ints) -> Ints | None:
        """The rows that count in the order of time, None where that is all as they stand."""
        order: Ints | None = None
        at = self._columns["at"]
        if len(left_out):
            order = np.delete(np.arange(self.rows), left_out)
        if _falls(at if order is None else at[order]):
            order = np.arange(self.rows) if order is None else order
            order = order[np.argsort(at[order], kind="stable")]
        return order

    def _alike(self) -> int:
        """Bring the amounts of all batches to units of one place, which it gives."""
        places, amount = max(p for _, p in self._places), self._columns["amount"]
        for part, of in self._places:
            if int(amount[part].max(initial=0)) > MOST_AMOUNT * 10**of:
                raise NotHeld
            if amount[part].max(initial=0) * 10.0 ** (places - of) >= 1 << 62:
                raise NotHeld
            if of < places:
                amount[part] *= 10 ** (places - of)
        return places


def _taken(steps: deque[Step], *, last: bool) -> Step | None:
    """A step from either end; None where the other thread took what was left."""
    try:
        return steps.pop() if last else steps.popleft()
    except IndexError:
        return None


def _size(page: TextPage) -> int:
    """Bytes of a page's texts."""
    sizes = np.diff(page.texts.starts)
    if page.codes is not None:
        sizes = sizes[page.codes]
    return int(sizes.sum(dtype=np.int64)) - page.texts.apart * len(sizes)


def _falls(at: Ints) -> bool:
    """Whether any of these is less than the one before it."""
    return bool((at[1:] < at[:-1]).any())


def _accounts(
    names: pa.LargeStringArray, threads: Executor
) -> tuple[NDArray[np.int32], str, Callable[[], Sequence[str]]]:
    """For each name which account it is, a sentence on wrong IBANs or nothing, and what gives the
    accounts, sorted."""
    kind = kinds(names, threads)
    if (kind == ODD).any() or _joins(names, kind):
        own, accounts, says = resolved(names.to_pylist())
        place = {a: i for i, a in enumerate(accounts)}
        return np.array([place[a] for a in own.values()], np.int32), says, lambda: accounts
    order = ordered(names, threads)
    codes = np.empty(len(names), np.int32)
    codes[order] = np.arange(len(order), dtype=np.int32)
    says = wrong_ibans(int((kind == WRONG).sum()), len(order))
    return codes, says, lambda: Names(names, order)


def _joins(names: pa.LargeStringArray, kind: NDArray[np.uint8]) -> bool:
    """True where a name may be another's without its country and check digits."""
    rest = pc.utf8_slice_codeunits(names.filter(pa.array((kind == IBAN) | (kind == WRONG))), 4)
    if not len(rest):
        return False
    others = pc.utf8_upper(names.filter(pa.array(kind == PLAIN)))
    known = rest.unique()
    # whose end another may be: rare beside IBANs, and then it is looked at with care
    if pc.any(pc.match_substring_regex(others, "^(?:[0-9A-Z]{3,11}/)?[0-9]{8,}$")).as_py():
        return True
    return len(known) < len(rest) or bool(pc.any(pc.is_in(others, value_set=known)).as_py())


def _twice(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Those that stand more than once; what is given is put in order."""
    hashes.sort()
    return np.unique(hashes[1:][hashes[1:] == hashes[:-1]])


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


def _channels(column: pa.DictionaryArray | None, rows: int) -> NDArray[np.int8]:
    if column is None:
        return np.full(rows, -1, np.int8)
    told = column.dictionary.to_pylist()
    if not set(told) <= set(CHANNELS):
        raise NotHeld
    codes = np.array([*(CHANNELS.index(name) for name in told), -1], np.int8)
    return np.asarray(codes[pc.fill_null(column.indices, len(told)).to_numpy()])
