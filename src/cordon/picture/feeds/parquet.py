"""Positions as Parquet, with the same columns as the CSV."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cordon.kernel.errors import BadInput
from cordon.picture.feeds.source import ROWS_A_BATCH, Gathering
from cordon.picture.feeds.table import KNOWN, Column, expect, take_rows
from cordon.picture.tracks import Batch


def read_parquet(path: Path, name: str, g: Gathering) -> Iterator[Batch]:
    """Batches of a Parquet file; `at` is a timestamp with a zone, or RFC 3339 text.

    Args:
        name: what errors call it.

    Raises:
        BadInput: not a whole Parquet file, a required column is missing, or `at` is a
            timestamp that names no zone.
    """
    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowException, OSError):
        raise BadInput(f"{name} is not a whole Parquet file.", advice="Write it anew.") from None
    schema = file.schema_arrow
    expect(schema.names, name)
    kind = schema.field("at").type
    stamped = pa.types.is_timestamp(kind)
    if stamped and kind.tz is None:
        raise BadInput(
            f"The column at of {name} is a time that names no zone.",
            advice="Write it as a timestamp in UTC, or as text with Z.",
        )
    row = 0
    try:
        for part in file.iter_batches(
            ROWS_A_BATCH, columns=[c for c in KNOWN if c in schema.names]
        ):
            rows = np.arange(row + 1, row + 1 + part.num_rows, dtype=np.int64)
            row += part.num_rows
            columns: dict[str, Column] = {
                c: ["" if v is None else str(v) for v in part.column(c).to_pylist()]
                for c in part.schema.names
                if not (stamped and c == "at")
            }
            t = None
            if stamped:
                micro = part.column("at").cast(pa.timestamp("us", tz="UTC"), safe=False)
                t = np.asarray(
                    micro.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False) / 1e6
                )
            yield take_rows(g, columns, rows, t)
    except (pa.ArrowException, OSError):
        g.breaks_off(row, "its data is damaged")
