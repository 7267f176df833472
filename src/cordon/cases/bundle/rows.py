"""Whether a record file has the row that a finding points at; memory stays flat."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from cordon.cases.bundle.contents import RowUnit
from cordon.kernel.errors import BadInput

_CHUNK = 1 << 18
MOST_UNPACKED = 1 << 36
"""Bytes looked through in a packed file: a small file that unpacks to more is an attack."""


def has_row(path: Path, name: str, unit: RowUnit, row: int) -> bool:
    """True where the file has this row.

    Args:
        path: the file. name: its name when it came in; `.gz` and `.zst` are unpacked.
        row: from 1, or a byte offset from 0.

    Raises:
        BadInput: the file cannot be read as what its name and unit say.
    """
    if row < first_row(unit):
        return False
    if unit is RowUnit.PARQUET_ROW:
        return row <= _parquet_rows(path)
    try:
        with path.open("rb") as raw:
            chunks = _unpacked(raw, name)
            if unit is RowUnit.BYTE:
                return any(end > row for end in _ends(chunks))
            if unit is RowUnit.LINE:
                return any(lines >= row for lines in _lines(chunks))
            # one more line outside of quotes than rows: the header
            return any(lines >= row + 1 for lines in _csv_lines(chunks))
    except (OSError, EOFError, zlib.error) as wrong:
        raise BadInput(f"it cannot be unpacked ({type(wrong).__name__})") from None


def first_row(unit: RowUnit) -> int:
    """The least row that there can be: 0 for byte offsets, otherwise 1."""
    return 0 if unit is RowUnit.BYTE else 1


def _unpacked(raw: BinaryIO, name: str) -> Iterator[bytes]:
    source: BinaryIO = raw
    if name.endswith(".gz"):
        source = gzip.GzipFile(fileobj=raw)  # type: ignore[assignment]
    elif name.endswith(".zst"):
        import pyarrow as pa

        source = pa.CompressedInputStream(raw, "zstd")
    read = 0
    while chunk := source.read(_CHUNK):
        read += len(chunk)
        if source is not raw and read > MOST_UNPACKED:
            raise BadInput(f"it unpacks to more than {MOST_UNPACKED:,} bytes")
        yield bytes(chunk)


def _ends(chunks: Iterator[bytes]) -> Iterator[int]:
    end = 0
    for chunk in chunks:
        end += len(chunk)
        yield end


def _lines(chunks: Iterator[bytes]) -> Iterator[int]:
    """Lines so far; a last one without its newline counts."""
    lines, last = 0, b"\n"
    for chunk in chunks:
        lines += chunk.count(b"\n")
        last = chunk[-1:]
        yield lines
    yield lines + (last != b"\n")


def _csv_lines(chunks: Iterator[bytes]) -> Iterator[int]:
    """Rows so far with the header: newlines outside of quotes (RFC 4180 §2.6).

    A doubled quote turns the state twice, so it needs no case of its own.
    """
    rows, quoted, last = 0, False, b"\n"
    for chunk in chunks:
        for number, part in enumerate(chunk.split(b'"')):
            quoted ^= number > 0
            if not quoted:
                rows += part.count(b"\n")
        last = chunk[-1:]
        yield rows
    yield rows + (last != b"\n")


def _parquet_rows(path: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            return int(file.metadata.num_rows)
    except (pa.ArrowException, OSError, ValueError) as wrong:
        raise BadInput(f"it is no Parquet file ({type(wrong).__name__})") from None
