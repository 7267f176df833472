"""One row of a kept file as text: what stands at the end of every walk back to the bytes."""

from __future__ import annotations

import gzip
import io
import zlib
from itertools import islice
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from cordon.kernel.errors import BadInput, NotFound

LONGEST = 20_000  # characters of a row that are shown
_GZIP, _ZSTD, _PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"


def row_text(path: Path, row: int, *, header: bool) -> str:
    """A row of a text file, packed or not, or of a Parquet file.

    Args:
        row: from 1. header: the first line names columns and does not count; the text then
            begins with it.

    Raises:
        NotFound: the file has fewer rows. BadInput: it cannot be read.
    """
    if row < 1:
        raise NotFound("Rows are counted from 1.")
    with path.open("rb") as raw:
        magic = raw.read(4)
        raw.seek(0)
        try:
            if magic == _PARQUET:
                return _parquet_row(path, row)
            lines = _unpacked(raw, magic)
            first = lines.readline() if header else b""
            line = next(islice(lines, row - 1, row), None)
        except (OSError, EOFError, zlib.error, pa.ArrowException) as wrong:
            raise BadInput(f"The file cannot be unpacked ({type(wrong).__name__}).") from None
    if line is None:
        raise NotFound("The file has fewer rows than that.")
    return (first + line).decode("utf-8", "replace").rstrip("\r\n")[:LONGEST]


def _unpacked(raw: IO[bytes], magic: bytes) -> IO[bytes]:
    if magic.startswith(_GZIP):
        return gzip.GzipFile(fileobj=raw)  # type: ignore[return-value]
    if magic == _ZSTD:
        return io.BufferedReader(pa.CompressedInputStream(raw, "zstd"))
    return raw


def _parquet_row(path: Path, row: int) -> str:
    with pq.ParquetFile(path) as file:
        before = 0
        for group in range(file.num_row_groups):
            held = file.metadata.row_group(group).num_rows
            if row <= before + held:
                table = file.read_row_group(group).slice(row - before - 1, 1)
                values = table.to_pylist()[0]
                return "\n".join(f"{k}: {v}" for k, v in values.items() if v is not None)[:LONGEST]
            before += held
    raise NotFound("The file has fewer rows than that.")
