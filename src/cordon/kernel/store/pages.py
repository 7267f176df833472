"""Parquet files read page by page, for a pass that needs less than their columns as they stand.

A column of texts comes as its dictionary and as bytes with the place of each text. So what knows
the texts already, or wants few of them, pays for none to be made. Read is what writers make of
plain columns; of anything else `Unread` says so, and DuckDB or PyArrow reads the file.

The layout is that of https://github.com/apache/parquet-format (README, Encodings.md,
parquet.thrift).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from cordon.kernel.store import bits

Bytes = NDArray[np.uint8]
_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3  # enum PageType
_PLAIN, _BY_CODE = 0, (2, 8)  # enum Encoding: PLAIN, PLAIN_DICTIONARY and RLE_DICTIONARY
_RLE = 3
_CODECS = ("UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD")
_ENCODINGS = {"PLAIN", "PLAIN_DICTIONARY", "RLE_DICTIONARY", "RLE", "BIT_PACKED"}
_NUMBERS: dict[str, type[np.generic]] = {
    "INT32": np.int32,
    "INT64": np.int64,
    "FLOAT": np.float32,
    "DOUBLE": np.float64,
}
_MOST = 1 << 30  # bytes of a page: its texts are told by 31 bits


class Unread(Exception):
    """The file is laid out as is not read here, or was cut; another reader tells which."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts in the bytes that hold them.

    Attributes:
        letters: the bytes. starts: where each text begins, and one more. apart: bytes between the
            end of each text and the begin of the next.
    """

    letters: Bytes
    starts: NDArray[np.int32]
    apart: int = 4  # the length of the next


@dataclass(frozen=True, slots=True)
class TextPage:
    """Some of a column's texts.

    Attributes:
        rows: how many rows it tells of. there: which of them have a text; None where all do.
        codes: of each row that has one, its place in the dictionary; None where they stand in
            `texts` themselves.
        texts: the dictionary, which is the same for all pages that have codes, or the texts.
    """

    rows: int
    there: NDArray[np.bool_] | None
    codes: NDArray[np.int32] | None
    texts: Texts


@dataclass(frozen=True, slots=True)
class PickedPage:
    """Texts of some of the rows of a page.

    Attributes:
        part: which of the wanted rows. where: of each, the place of its text; -1 for none.
        by_code: True where `texts` is the dictionary, which is the same for all such pages.
    """

    part: slice
    where: NDArray[np.int32]
    by_code: bool
    texts: Texts


@dataclass(frozen=True, slots=True)
class _Page:
    """A page; of a dictionary `rows` is -1 and less. `levels`: None where no row lacks a value."""

    rows: int
    levels: Bytes | None
    by_code: bool
    values: Bytes

    def there(self) -> NDArray[np.bool_] | None:
        """Which rows have a value; None where all do."""
        return None if self.levels is None else _there(self.levels, self.rows)


class Pages:
    """A Parquet file without nesting, opened; any thread may read from it.

    Attributes:
        groups: rows of each of its row groups.

    Raises:
        Unread: it has columns within columns.
    """

    def __init__(self, path: Path) -> None:
        file = pq.ParquetFile(path)
        self._meta, schema = file.metadata, file.schema
        file.close()
        columns = [schema.column(i) for i in range(len(schema))]
        if any(c.max_repetition_level or c.max_definition_level > 1 for c in columns):
            raise Unread
        self._at = {c.path: i for i, c in enumerate(columns)}
        self._columns = columns
        self.groups = [self._meta.row_group(g).num_rows for g in range(self._meta.num_row_groups)]
        self._file = path.open("rb", buffering=0)
        self._size = os.fstat(self._file.fileno()).st_size

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def has(self, name: str) -> bool:
        """Whether it has a column of that name."""
        return name in self._at

    def reads(self, name: str) -> bool:
        """Whether a column of texts is packed and told as is read here, by what the file says."""
        at = self._at.get(name)
        if at is None:
            return False
        chunks = [self._meta.row_group(g).column(at) for g in range(len(self.groups))]
        return self._columns[at].physical_type == "BYTE_ARRAY" and all(
            c.compression in _CODECS and _ENCODINGS.issuperset(c.encodings) for c in chunks
        )

    def is_timestamp(self, name: str, unit: str) -> bool:
        """Whether a column holds moments in this unit (`microseconds`, `milliseconds`)."""
        said = self._columns[self._at[name]].logical_type.to_json()
        return '"Timestamp"' in said and f'"{unit}"' in said

    def numbers(
        self, group: int, name: str
    ) -> tuple[NDArray[np.generic], NDArray[np.bool_] | None]:
        """A column's numbers in a row group, 0 where there is none; and where there is one.

        Raises:
            Unread: it holds no plain numbers with a sign.
        """
        column = self._columns[self._at[name]]
        said = column.logical_type.to_json()
        kind = _NUMBERS.get(column.physical_type)
        if kind is None or '"isSigned": false' in said or '"isSigned":false' in said:
            raise Unread
        whole = np.zeros(self.groups[group], kind)
        every = np.ones(len(whole), bool)
        known = np.empty(0, kind)
        ahead = 0
        for page in self._pages(group, name):
            if page.rows < 0:
                known = _numbers(page.values, kind, -1)
                continue
            there = page.there()
            count = page.rows if there is None else int(there.sum())
            if page.by_code:
                values = known[_codes(page.values, count, len(known))]
            else:
                values = _numbers(page.values, kind, count)
            part = slice(ahead, ahead + page.rows)
            if there is None:
                whole[part] = values
            else:
                every[part] = there
                whole[part][there] = values
            ahead += page.rows
        return whole, None if every.all() else every

    def texts(self, group: int, name: str) -> Iterator[TextPage]:
        """A column's texts in a row group, page after page.

        Raises:
            Unread: it holds no texts.
        """
        if self._columns[self._at[name]].physical_type != "BYTE_ARRAY":
            raise Unread
        known = Texts(np.empty(0, np.uint8), np.full(1, 4, np.int32))
        for page in self._pages(group, name):
            if page.rows < 0:
                known = _texts(page.values, -page.rows - 1)
                continue
            there = page.there()
            count = page.rows if there is None else int(there.sum())
            if page.by_code:
                codes = _codes(page.values, count, len(known.starts) - 1)
                yield TextPage(page.rows, there, codes, known)
            else:
                yield TextPage(page.rows, there, None, _texts(page.values, count))

    def picked(self, group: int, name: str, wanted: NDArray[np.int64]) -> Iterator[PickedPage]:
        """Texts of some rows of a row group, page after page.

        Args:
            wanted: the rows, ascending.

        Raises:
            Unread: it holds no texts.
        """
        if self._columns[self._at[name]].physical_type != "BYTE_ARRAY":
            raise Unread
        known, ahead, begin = Texts(np.empty(0, np.uint8), np.full(1, 4, np.int32)), 0, 0
        for page in self._pages(group, name):
            if page.rows < 0:
                known = _texts(page.values, -page.rows - 1)
                continue
            end = int(np.searchsorted(wanted, ahead + page.rows))
            rows, part = wanted[begin:end] - ahead, slice(begin, end)
            begin, ahead = end, ahead + page.rows
            if not len(rows):
                continue
            count = page.rows
            if page.levels is not None:
                places = np.empty(len(rows), np.int64)
                count = bits.present(page.levels, page.rows, rows, places)
                if count < 0:
                    raise Unread
                rows = places
            if page.by_code:
                where = _picked(page.values, count, len(known.starts) - 1, rows)
                yield PickedPage(part, where, True, known)
            else:
                texts = _texts(page.values, count)
                yield PickedPage(part, rows.astype(np.int32), False, texts)

    def _pages(self, group: int, name: str) -> Iterator[_Page]:
        """Pages of a column in a row group; a dictionary has -1 and less rows."""
        chunk = self._meta.row_group(group).column(self._at[name])
        optional = self._columns[self._at[name]].max_definition_level > 0
        if chunk.compression not in _CODECS:
            raise Unread
        codec = None
        if chunk.compression != "UNCOMPRESSED":
            codec = pa.Codec(chunk.compression.lower())
        first = chunk.data_page_offset
        if chunk.has_dictionary_page and chunk.dictionary_page_offset:
            first = min(first, chunk.dictionary_page_offset)
        data = self._read(first, chunk.total_compressed_size)
        at, left, begun = 0, self.groups[group], False
        while left > 0:
            fields = np.full((bits.FIELDS, bits.FIELDS), -1)
            at = bits.header(data, at, fields)
            kind, size, packed = (int(n) for n in fields[0, 1:4])
            if at < 0 or not 0 <= packed <= len(data) - at or not 0 <= size < _MOST:
                raise Unread
            page = _opened(data[at : at + packed], kind, size, fields, codec, left, optional)
            if page.rows < 0 and begun:  # the codes before would be of another dictionary
                raise Unread
            at, begun = at + packed, True
            left -= max(page.rows, 0)
            yield page

    def _read(self, at: int, size: int) -> Bytes:
        if at < 0 or not 0 <= size <= self._size - at:  # no room is made for more than there is
            raise Unread
        parts, left = [], size
        while left > 0:  # the system gives no more than 2 GB at a time
            part = os.pread(self._file.fileno(), left, at)
            if not part:
                raise Unread
            parts.append(part)
            at, left = at + len(part), left - len(part)
        return np.frombuffer(parts[0] if len(parts) == 1 else b"".join(parts), np.uint8)


def _opened(
    data: Bytes,
    kind: int,
    size: int,
    fields: NDArray[np.int64],
    codec: pa.Codec | None,
    most: int,
    optional: bool,
) -> _Page:
    """A page's values; `most`: rows of the row group that are left."""
    if kind == _DICTIONARY:
        count, encoding = int(fields[7, 1]), int(fields[7, 2])
        if count < 0 or encoding not in (_PLAIN, *_BY_CODE):
            raise Unread
        return _Page(-count - 1, None, False, _unpacked(data, size, codec))
    if kind == _DATA:
        rows, encoding, how = (int(n) for n in fields[5, 1:4])
        values = _unpacked(data, size, codec)
        levels = values[:0]
        if optional:
            if len(values) < 4 or how != _RLE:
                raise Unread
            many = int.from_bytes(values[:4].tobytes(), "little")
            levels, values = values[4 : 4 + many], values[4 + many :]
    elif kind == _DATA_2:
        rows, encoding, many, repeated = (int(fields[8, n]) for n in (1, 4, 5, 6))
        if repeated > 0 or not 0 <= many <= min(len(data), size):
            raise Unread
        levels, values = data[:many], data[many:]
        if fields[8, 7] != 0:  # packed unless it says otherwise
            values = _unpacked(values, size - many, codec)
    else:
        raise Unread
    if not 0 <= rows <= most or (encoding != _PLAIN and encoding not in _BY_CODE):
        raise Unread
    told = levels if optional and not _all_there(levels, rows) else None
    return _Page(rows, told, encoding != _PLAIN, values)


def _unpacked(data: Bytes, size: int, codec: pa.Codec | None) -> Bytes:
    if codec is None or not size:
        return data
    try:
        unpacked = codec.decompress(pa.py_buffer(data), size)
    except (pa.ArrowException, OSError) as fault:
        raise Unread from fault
    values = np.frombuffer(unpacked, np.uint8)
    values.flags.writeable = False  # as what was not packed is, so that one compiled loop does
    return values


def _all_there(levels: Bytes, rows: int) -> bool:
    """Whether one run says of all rows that they have a value, as most pages have it."""
    head, shift, at = 0, 0, 0
    for byte in levels[:6].tobytes():
        head, shift, at = head | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return not head & 1 and head >> 1 >= rows and levels[at : at + 1].tobytes() == b"\x01"
    return False


def _there(levels: Bytes, rows: int) -> NDArray[np.bool_] | None:
    told = np.empty(rows, np.int32)
    if not bits.hybrid(levels, 0, 1, 2, told):
        raise Unread
    return None if told.all() else told > 0


def _codes(values: Bytes, count: int, known: int) -> NDArray[np.int32]:
    codes = np.empty(count, np.int32)
    if not count:
        return codes
    if (
        not len(values)
        or values[0] > 31
        or not bits.hybrid(values, 1, int(values[0]), known, codes)
    ):
        raise Unread
    return codes


def _picked(values: Bytes, count: int, known: int, places: NDArray[np.int64]) -> NDArray[np.int32]:
    """Codes at some places; -1 where the place is."""
    where = np.full(len(places), -1, np.int32)
    if count and (
        not len(values)
        or values[0] > 31
        or not bits.picked(values, 1, int(values[0]), known, count, places, where)
    ):
        raise Unread
    return where


def _numbers(values: Bytes, kind: type[np.generic], count: int) -> NDArray[np.generic]:
    size = np.dtype(kind).itemsize
    count = len(values) // size if count < 0 else count
    if count * size > len(values):
        raise Unread
    return values[: count * size].view(kind)


def _texts(values: Bytes, count: int) -> Texts:
    if 4 * count > len(values):  # each has its length before it
        raise Unread
    starts = np.empty(count + 1, np.int32)
    if not bits.texts(values, starts):
        raise Unread
    return Texts(values, starts)
