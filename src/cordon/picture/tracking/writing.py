"""Tracks of craft as rows of positions, each with where it came from."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from cordon.kernel.store.files import written_whole
from cordon.picture.model import KINDS
from cordon.picture.tracking.fusing import Fused
from cordon.picture.tracks import Tracks

COLUMNS = (
    *("at", "source", "subject", "lat", "lon", "speed_kn", "course_deg", "accuracy_m", "kind"),
    *("name", "imo", "call_sign", "ship_type", "flag", "heard_as", "sha256", "row"),
)
"""Those of the format `positions`; then the subject that a fix came under, its file and its row."""

_AT_ONCE = 50_000  # rows
_SAID = ("name", "imo", "call_sign", "ship_type", "flag")
_PLACES, _TENTHS = 7, 2  # decimals of degrees (1 cm), and of speeds, courses and errors


def write_parquet(fused: Fused, came: Tracks, path: Path) -> None:
    """Write the fixes by craft and time as Parquet, whole or not at all.

    Args:
        came: the tracks that `fused` was made of.
    """
    with written_whole(path) as partial, pq.ParquetWriter(partial, _SCHEMA) as out:
        for table in _tables(fused, came):
            out.write_table(table)


def csv_of(fused: Fused, came: Tracks) -> Iterator[bytes]:
    """The same as CSV, a piece at a time."""
    yield (",".join(COLUMNS) + "\n").encode()
    for table in _tables(fused, came):
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        columns = [table.column(name).to_pylist() for name in COLUMNS]
        columns[0] = [_time(at) for at in columns[0]]
        rows.writerows(zip(*columns, strict=True))
        yield text.getvalue().encode()


_SCHEMA = pa.schema(
    [
        ("at", pa.timestamp("ms", tz="UTC")),
        *((name, pa.string()) for name in ("source", "subject")),
        *((name, pa.float64()) for name in COLUMNS[3:8]),
        *((name, pa.string()) for name in COLUMNS[8:16]),
        ("row", pa.int64()),
    ]
)


def _tables(fused: Fused, came: Tracks) -> Iterator[pa.Table]:
    tracks = fused.tracks
    for first in range(0, len(tracks), _AT_ONCE):
        k = np.arange(first, min(first + _AT_ONCE, len(tracks)))
        who = tracks.subject[k].tolist()
        values: dict[str, object] = {
            "at": np.round(tracks.t[k] * 1e3).astype("datetime64[ms]"),
            "source": [tracks.sources[n] for n in tracks.source[k].tolist()],
            "subject": [tracks.subjects[n] for n in who],
            "lat": np.round(tracks.lat[k], _PLACES),
            "lon": np.round(tracks.lon[k], _PLACES),
            "kind": [KINDS[n] for n in tracks.kind[k].tolist()],
            "heard_as": [came.subjects[n] for n in came.subject[fused.came[k]].tolist()],
            "sha256": [tracks.files[n] for n in tracks.file[k].tolist()],
            "row": tracks.row[k],
        }
        for name, column in (
            ("speed_kn", tracks.speed),
            ("course_deg", tracks.course),
            ("accuracy_m", tracks.accuracy),
        ):
            told = np.round(column[k].astype(np.float64), _TENTHS)
            values[name] = pa.array(told, from_pandas=True)  # NaN is not told
        for name in _SAID:
            values[name] = [getattr(tracks.static[n], name) for n in who]
        columns = [pa.array(values[f.name]).cast(f.type) for f in _SCHEMA]
        yield pa.Table.from_arrays(columns, schema=_SCHEMA)


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (
        f".{at.microsecond // 1000:03d}Z" if at.microsecond else "Z"
    )
