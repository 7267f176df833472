"""Which files of calls can be searched where they are."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cordon.calls.checking import REQUIRED, SCHEMA


def is_segment(path: Path) -> bool:
    """True for a file that `write_segment` wrote: its rows were checked, and know their file."""
    try:
        return bool(pq.read_schema(path).equals(SCHEMA))
    except (pa.ArrowException, OSError):
        return False


def is_typed(path: Path) -> bool:
    """True for a Parquet file of the format `calls` whose columns have the format's types."""
    try:
        schema = pq.read_schema(path)
    except (pa.ArrowException, OSError):
        return False
    if any(schema.names.count(n) != 1 for n in REQUIRED):
        return False
    for one in schema:
        if one.name not in SCHEMA.names or one.name in ("sha256", "row"):
            continue
        right = (
            pa.types.is_timestamp(one.type)
            and one.type.tz in (None, "UTC")
            and one.type.unit != "ns"  # a whole second more or less is what engines round apart
            if one.name == "start"
            else pa.types.is_floating(one.type) or pa.types.is_integer(one.type)
            if one.name == "duration_s"
            else pa.types.is_string(one.type) or pa.types.is_large_string(one.type)
        )
        if not right or schema.names.count(one.name) != 1:
            return False
    return True
