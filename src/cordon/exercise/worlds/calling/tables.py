"""CSV as the formats have it: a header, UTF-8, commas."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from cordon.exercise.worlds.calling.drawing import Floats


class Appends(Protocol):
    """Takes one table of rows after another."""

    def __call__(self, table: pa.Table) -> None: ...


@contextmanager
def csv_writer(path: Path, schema: pa.Schema, *, quoted: bool = False) -> Iterator[Appends]:
    """A CSV file that takes tables of these columns.

    Args:
        quoted: texts stand in quotes; without them a text that needs them is an error.
    """
    with path.open("wb") as out:
        out.write((",".join(schema.names) + "\n").encode())
        options = pacsv.WriteOptions(
            include_header=False, quoting_style="needed" if quoted else "none"
        )
        with pacsv.CSVWriter(out, schema, write_options=options) as writer:

            def put(table: pa.Table) -> None:
                writer.write_table(table.select(schema.names).cast(schema))

            yield put


def write_csv(path: Path, table: pa.Table, *, quoted: bool = False) -> None:
    """Write one table; `quoted` as for `csv_writer`."""
    with csv_writer(path, table.schema, quoted=quoted) as put:
        put(table)


def times(midnight: datetime, seconds: Floats) -> pa.Array:
    """Moments in RFC 3339, UTC, from seconds after the first midnight."""
    whole = np.floor(seconds).astype(np.int64) + int(midnight.timestamp())
    return pc.strftime(pa.array(whole).cast(pa.timestamp("s")), format="%Y-%m-%dT%H:%M:%SZ")
