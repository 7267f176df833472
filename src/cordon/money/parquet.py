"""A Parquet file of payments as its columns are read: texts by page where its pages are plain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cordon.kernel.store.pages import Pages, TextPage, Texts, Unread
from cordon.money.coding import NotHeld
from cordon.money.numbering import laid_out

BATCH = 1 << 20
LEAST = 1 << 16  # rows that are worth a step of their own
TEXTS = ("from_account", "to_account", "payment_id")
_NUMBERS = ("at", "amount", "currency", "channel", "note")
_FEW = ("currency", "channel")  # columns of few different texts


class PaymentFile:
    """A Parquet file of the format's columns, opened; any thread may read from it.

    Attributes:
        parts: of its rows: where each begins and ends, and which row groups it is.
        rows: how many there are.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with pq.ParquetFile(path) as file:
            have, self._meta = file.schema_arrow.names, file.metadata
        self._few = [n for n in _FEW if n in have]
        self._numbers = [n for n in _NUMBERS if n in have]
        self.parts: list[tuple[slice, list[int]]] = []
        begin, end, groups = 0, 0, list[int]()
        for group in range(self._meta.num_row_groups):
            groups.append(group)
            end += self._meta.row_group(group).num_rows
            if end - begin >= LEAST or group + 1 == self._meta.num_row_groups:
                self.parts.append((slice(begin, end), groups))
                begin, groups = end, []
        self.rows = end
        self._pages: Pages | None = None
        self._by_page = set[str]()
        try:
            self._pages = Pages(path)
            self._by_page = {n for n in TEXTS if self._pages.reads(n)}
        except Unread:  # another column has columns of its own: Arrow reads all of them
            pass

    def close(self) -> None:
        """Let go of the file."""
        if self._pages is not None:
            self._pages.close()

    def texts(self, groups: list[int], name: str) -> Iterator[TextPage]:
        """A column's texts in row groups of one part; those that have codes have one dictionary.

        Raises:
            NotHeld: a row has none.
            Unread: the file is not what it says of itself.
        """
        if len(groups) == 1 and self._pages is not None and name in self._by_page:
            pages = self._pages.texts(groups[0], name)
        else:
            pages = self._told(groups, name)
        for page in pages:
            if page.there is not None:
                raise NotHeld
            yield page

    def _told(self, groups: list[int], name: str) -> Iterator[TextPage]:
        for batch in self._batches(groups, [name]):
            column = batch[name]
            if column.null_count:
                raise NotHeld
            letters, starts = laid_out(column.cast(pa.string()))
            yield TextPage(len(column), None, None, Texts(letters, starts.astype(np.int32), 0))

    def numbers(self, groups: list[int]) -> Iterator[pa.RecordBatch]:
        """All other columns of the format, batch by batch; texts as codes of a dictionary."""
        return self._batches(groups, self._numbers)

    def _batches(self, groups: list[int], names: list[str]) -> Iterator[pa.RecordBatch]:
        # each thread opens it for itself: what Arrow opened is for one
        with pq.ParquetFile(self.path, metadata=self._meta, read_dictionary=self._few) as file:
            yield from file.iter_batches(BATCH, row_groups=groups, columns=names, use_threads=False)
