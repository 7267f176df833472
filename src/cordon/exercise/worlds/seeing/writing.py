"""Positions written slice by slice, in the order they came in, with the faults of feeds."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
from pyarrow import csv

from cordon.exercise.worlds.radio import COLUMNS
from cordon.exercise.worlds.seeing.rows import KINDS, Names, Rows, Sayings
from cordon.exercise.worlds.seeing.streams import Rng
from cordon.kernel.store.files import written_whole

_ENDS = csv.WriteOptions(include_header=False, delimiter=",", quoting_style="needed")


class Arrivals:
    """Puts reports into the order in which they come in, across slices.

    Args:
        rng: of repeats and garbage. repeated: share of reports that come twice.
        end: s; what would come in later never does.
    """

    def __init__(self, rng: Rng, *, repeated: float, end: float) -> None:
        self._rng, self._repeated, self._end = rng, repeated, end
        self._held = Rows.joined([])

    def of_slice(self, rows: Rows, until: float) -> Rows:
        """What has come in before `until` (s) and was not given yet, in order."""
        again = np.flatnonzero(self._rng.random(len(rows)) < self._repeated)
        twice = rows.take(again)
        twice = twice.with_(arrive=twice.arrive + self._rng.exponential(20.0, len(again)))
        whole = Rows.joined([self._held, rows, twice])
        whole = whole.take(whole.arrive <= self._end)
        order = np.lexsort((whole.subject, whole.source, whole.t, whole.arrive))
        whole = whole.take(order)
        now = int(np.searchsorted(whole.arrive, until))
        self._held = whole.take(np.arange(now, len(whole)))
        return whole.take(np.arange(now))


class Sheet:
    """`positions.csv` while it is written.

    Args:
        begins: aware UTC. garbage: share of rows that a real table has broken.
    """

    def __init__(
        self,
        out: BinaryIO,
        names: tuple[Names, Names],
        sayings: Sayings,
        begins: datetime,
        rng: Rng,
        *,
        garbage: float,
    ) -> None:
        self._out, (self._sources, self._subjects) = out, names
        self._sayings, self._rng, self._garbage = sayings, rng, garbage
        self._begins = np.datetime64(begins.replace(tzinfo=None), "s")
        self.count = 0
        out.write((",".join(COLUMNS) + "\n").encode())

    def write(self, rows: Rows) -> None:
        """Add rows in their order."""
        if not len(rows):
            return
        said = [(s.name, s.imo, s.call_sign, s.ship_type, s.flag) for s in self._sayings.all]
        columns: list[pa.Array] = [
            self._moments(rows),
            _texts(self._sources.texts, rows.source),
            _texts(self._subjects.texts, rows.subject),
            _array(np.round(rows.lat, 6)),
            _array(np.round(rows.lon, 6)),
            _numbers(rows.speed, 1),
            _numbers(rows.course, 1),
            _numbers(rows.heading, 0),
            _numbers(rows.accuracy, 0),
            _texts(KINDS, rows.kind),
            *(_texts([s[i] for s in said], rows.said) for i in range(5)),
        ]
        table = pa.table(dict(zip(COLUMNS, columns, strict=True)))
        csv.write_csv(self._broken(table), self._out, _ENDS)
        self.count += len(rows)

    def _moments(self, rows: Rows) -> pa.Array:
        moments = self._begins + np.rint(rows.t).astype("timedelta64[s]")
        texts = np.datetime_as_string(moments, unit="s").astype("S20")
        texts.view("S1").reshape(len(texts), 20)[:, 19] = b"Z"
        fixed = pa.Array.from_buffers(
            pa.binary(20), len(texts), [None, pa.py_buffer(texts.tobytes())]
        )
        return fixed.cast(pa.binary()).cast(pa.string())

    def _broken(self, table: pa.Table) -> pa.Table:
        """Here and there a row that cannot be: no time, no place, a clock that was never set."""
        bad = np.flatnonzero(self._rng.random(len(table)) < self._garbage)
        if not len(bad):
            return table
        rows: list[dict[str, Any]] = table.take(bad).to_pylist()
        for row in rows:
            kind = int(self._rng.integers(4))
            if kind == 0:
                row["at"] = ""
            elif kind == 1:
                row["lat"], row["lon"] = 91.0, 181.0
            elif kind == 2:
                row["at"] = "1970-01-01T00:00:" + row["at"][-3:]
            else:
                row["subject"] = row["subject"].replace(":", "")
        parts, at = [], 0
        for i, row in zip(bad.tolist(), rows, strict=True):
            parts += [table.slice(at, i - at), pa.Table.from_pylist([row], schema=table.schema)]
            at = i + 1
        return pa.concat_tables([*parts, table.slice(at)])


def _texts(texts: Any, codes: Any) -> pa.Array:
    return pa.array(list(texts), pa.string()).take(_array(np.asarray(codes, np.int32)))


def _numbers(values: Any, digits: int) -> pa.Array:
    told = ~np.isnan(values)
    rounded = np.round(np.where(told, values, 0.0), digits)
    return _array(rounded if digits else rounded.astype(np.int32), told)


def _array(values: Any, told: Any = None) -> pa.Array:
    """A column as it lies in memory; what is not told is empty."""
    kept = None if told is None else pa.py_buffer(np.packbits(told, bitorder="little").tobytes())
    whole = np.ascontiguousarray(values)
    kind = pa.from_numpy_dtype(whole.dtype)
    return pa.Array.from_buffers(kind, len(whole), [kept, pa.py_buffer(whole.tobytes())])


@contextmanager
def sheet(
    path: Path,
    names: tuple[Names, Names],
    sayings: Sayings,
    begins: datetime,
    rng: Rng,
    *,
    garbage: float,
) -> Iterator[Sheet]:
    """Open `positions.csv`; it stands at its place once the block is done.

    Args:
        names: of sources and of subjects; both may grow while it is written.
    """
    with written_whole(path) as partial, partial.open("wb") as out:
        yield Sheet(out, names, sayings, begins, rng, garbage=garbage)
