"""One Parquet file of payments for a trace: named are only the payments that it may come to.

Every row is looked at as the quick way of `columnar` looks at it, and what is said of the file is
the same. Where the walk (`fewer`) comes to much of it, or only all names together tell which
accounts they are, all of them are numbered from the same pages.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls import Counts
from cordon.kernel.cycles import unsearched
from cordon.kernel.store.pages import TextPage, Unread
from cordon.money import keyed
from cordon.money.coding import NotHeld
from cordon.money.columnar import ENDS, Gathering, Progress, Step, accounts_of, joins
from cordon.money.fewer import Walk
from cordon.money.naming import seed
from cordon.money.numbering import EMPTY, FOREIGN, SPACED, hashes_of, kinds, packed
from cordon.money.parquet import PaymentFile
from cordon.money.payments import Payments
from cordon.money.reaching import Reach

Ints = NDArray[np.int64]
Hashes = NDArray[np.uint64]
_NONE = np.empty(0, np.int32)


def read_traced(
    path: Path, reach: Reach, progress: Progress | None = None
) -> tuple[Payments, Counts] | None:
    """The payments of a file that following it may need; None where it is read the general way.

    Args: as of `columnar.read_columns`.
    """
    try:
        with unsearched(), closing(PaymentFile(path)) as file, ThreadPoolExecutor(2) as threads:
            if not file.rows:
                return None
            gathering = _Traced(file, threads, progress)
            gathering.read()
            return gathering.few(reach) or gathering.all()
    except (NotHeld, Unread, pa.ArrowException, OSError, UnicodeDecodeError):
        return None


class _Traced(Gathering):
    """Columns of numbers, with hashes of names in place of their numbers until these are needed."""

    def __init__(
        self, file: PaymentFile, threads: Executor, progress: Progress | None = None
    ) -> None:
        super().__init__(file, threads, progress)
        self._seed = seed()
        self._keys = {name: np.empty(self.rows, np.uint64) for name in ENDS}
        self._kept: dict[tuple[str, int], list[TextPage]] = {}
        self._met = self._are = 0

    def read(self) -> None:
        """Read all columns, and of texts their hashes."""
        steps: list[Step] = [self._hashed]
        steps += [partial(self._numbers, part, groups) for part, groups in self._file.parts]
        for part, groups in self._file.parts:
            steps += [partial(self._keyed, part, groups, name) for name in ENDS]
            steps.append(partial(self._told_apart, part, groups))
        self._run(steps)

    def _keyed(self, part: slice, groups: list[int], name: str) -> int:
        pages = self._keep(part, groups, name)
        found = keys(pages, self._seed, self._keys[name][part])
        with self._lock:
            self._met |= found
        return int(part.stop - part.start)

    def _told_apart(self, part: slice, groups: list[int]) -> int:
        hashes, at = self._columns["hash"][part], 0
        for page in self._keep(part, groups, "payment_id"):
            codes, texts, end = page.codes, page.texts, at + page.rows
            if end > len(hashes):
                raise NotHeld
            found = hashes_of(
                texts.letters, texts.starts, _NONE if codes is None else codes, texts.apart,
                self._seed, hashes[at:end],
            )  # fmt: skip
            with self._lock:
                self._are |= found
            at = end
        if at != len(hashes) or self._are & (EMPTY | SPACED):
            raise NotHeld
        return int(at)

    def _keep(self, part: slice, groups: list[int], name: str) -> list[TextPage]:
        pages = list(self._file.texts(groups, name))
        with self._lock:
            self._kept[name, part.start] = pages
        return pages

    def _pages(self, part: slice, groups: list[int], name: str) -> Iterable[TextPage]:
        with self._lock:
            return self._kept.pop((name, part.start))

    def all(self) -> tuple[Payments, Counts]:
        """All payments, their names numbered from the pages that were kept."""
        self._keys.clear()
        steps: list[Step] = []
        for part, groups in self._file.parts:
            steps += [partial(self._names, part, groups, name) for name in ENDS]
            steps.append(partial(self._texts, part, groups))
        self._run(steps)
        return self.payments()

    def few(self, reach: Reach) -> tuple[Payments, Counts] | None:
        """Those that following it may need; None where that is faster told by all of them."""
        if not certain(self._met) or self._are & FOREIGN:
            return None
        known = self._columns["hash"]
        halves = self._twice(known)
        walk = Walk(
            self._keys[ENDS[0]],
            self._keys[ENDS[1]],
            self._columns["at"],
            self._columns["amount"],
            self._columns["channel"],
            self._threads,
        )
        rows = walk.rows(reach, self._seed)
        twice = np.concatenate([half.result() for half in halves])
        if rows is None:
            return None
        some = np.flatnonzero(np.isin(known, twice)) if len(twice) else np.zeros(0, np.int64)
        rows = np.union1d(rows, some)  # whether a payment is told twice its names tell as well
        names, ends = self._named(rows)
        if joins(names, kinds(names, self._threads)):
            return None
        codes, wrong, accounts = accounts_of(names, self._threads)
        currencies, digits = self._counted(self._alike())
        ids = pa.chunked_array([self._picked("payment_id", rows)])
        for name, column in self._columns.items():
            self._columns[name] = column[rows]
        for name, end in zip(ENDS, ends, strict=True):
            self._columns[name] = codes[end]
        at = np.searchsorted(rows, some)
        again, namesakes = self._repeated(at, ids.take(pa.array(at)))
        order = self._order(at[again])
        if order is not None:
            ids, rows = ids.take(pa.array(order)), rows[order]
            for name, column in self._columns.items():
                self._columns[name] = column[order]
        payments = self._told(accounts(), currencies, digits, ids, rows + 1)
        return self._noted(payments, int(again.sum()), namesakes, wrong)

    def _named(self, rows: Ints) -> tuple[pa.LargeStringArray, list[NDArray[np.int32]]]:
        """The different names of these rows, and the number of each row's two."""
        both = pa.chunked_array([self._picked(name, rows) for name in ENDS]).combine_chunks()
        coded = pc.dictionary_encode(both)
        codes = np.asarray(coded.indices.to_numpy(), np.int32)
        return coded.dictionary.cast(pa.large_string()), [codes[: len(rows)], codes[len(rows) :]]

    def _picked(self, name: str, rows: Ints) -> pa.StringArray:
        """A column's texts in these rows, ascending, from the pages that were kept."""
        parts = []
        for part, _ in self._file.parts:
            ahead = part.start
            for page in self._kept[name, part.start]:
                begin, end = np.searchsorted(rows, (ahead, ahead + page.rows)).tolist()
                if end > begin:
                    parts.append(_picked(page, rows[begin:end] - ahead, self._seed))
                ahead += page.rows
        return pa.concat_arrays(parts) if parts else pa.array([], pa.string())


def keys(pages: list[TextPage], by: Hashes, into: Hashes) -> int:
    """The hash that stands for the account in each row of some pages, and what names are met.

    Raises:
        NotHeld: rows are more or fewer than there is room for.
    """
    at = found = 0
    dictionary = None
    of_codes = np.empty(0, np.uint64)
    for page in pages:
        end, texts = at + page.rows, page.texts
        if end > len(into):
            raise NotHeld
        if page.codes is None:
            own = into[at:end]
            found |= keyed.keys_of(texts.letters, texts.starts, texts.apart, by, own)
        else:
            if texts is not dictionary:
                dictionary, of_codes = texts, np.empty(len(texts.starts) - 1, np.uint64)
                found |= keyed.keys_of(texts.letters, texts.starts, texts.apart, by, of_codes)
            into[at:end] = of_codes[page.codes]
        at = end
    if at != len(into) or found & keyed.EMPTY:
        raise NotHeld
    return found


def certain(found: int) -> bool:
    """Whether the names that were met can be told one by one which accounts they are."""
    if found & keyed.UNSURE:
        return False
    return not (found & keyed.IBANS and found & keyed.OTHERS)


def _picked(page: TextPage, rows: Ints, by: Hashes) -> pa.StringArray:
    texts = page.texts
    which = rows.astype(np.int32) if page.codes is None else page.codes[rows]
    sizes = np.diff(texts.starts)[which] - texts.apart
    letters = np.empty(int(sizes.sum(dtype=np.int64)), np.uint8)
    ends, hashes = np.zeros(len(which) + 1, np.int32), np.empty(len(which), np.uint64)
    packed(texts.letters, texts.starts, which, texts.apart, by, letters, ends, hashes)
    return pa.StringArray.from_buffers(len(which), pa.py_buffer(ends), pa.py_buffer(letters))
