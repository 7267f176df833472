"""Positions as Parquet segments: how batches are written, and read back for a span."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from sqlalchemy import select

from cordon.kernel.ids import new_id
from cordon.kernel.store import Columns
from cordon.kernel.store.columns import SegmentRow
from cordon.kernel.work import View, Work
from cordon.picture.model import Static
from cordon.picture.tracks import Batch, moment, recoded

DATASET = "positions"
_SAID = ("name", "imo", "call_sign", "ship_type", "flag")  # of Static
_FLOATS = ("t", "lat", "lon", "speed", "course", "heading", "accuracy")
_NOTHING = Static()


def table_of(batches: Sequence[Batch]) -> pa.Table:
    """Batches as one Arrow table: one row a position, names as dictionaries.

    Where there are several, a column says of which file each position is.
    """
    subjects, sources = dict[str, int](), dict[str, int]()
    words, numbers = list[Static](), dict[int, int]()
    coded: dict[str, list[NDArray[np.int32]]] = {"subject": [], "source": [], "said": []}
    for batch in batches:
        used, own = recoded(batch.subject)
        names = [batch.subjects[i] for i in used.tolist()]
        said = [batch.static.get(name, _NOTHING) for name in names]
        for one in said:  # a decoder says the same words by the same object
            if id(one) not in numbers:
                numbers[id(one)] = len(words)
                words.append(one)
        coded["subject"].append(_codes(names, subjects)[own])
        coded["source"].append(_codes(batch.sources, sources)[batch.source])
        coded["said"].append(np.array([numbers[id(one)] for one in said], np.int32)[own])
    subject, source, word = (_joined(parts, np.int32) for parts in coded.values())
    columns: dict[str, Any] = {
        "subject": pa.DictionaryArray.from_arrays(subject, pa.array(list(subjects), pa.string())),
        "source": pa.DictionaryArray.from_arrays(source, pa.array(list(sources), pa.string())),
    }
    for name in _SAID:
        texts: dict[str, int] = {}
        place = _codes([getattr(one, name) for one in words], texts)
        columns[name] = pa.DictionaryArray.from_arrays(
            place[word], pa.array(list(texts), pa.string())
        )
    columns |= {n: _joined([getattr(b, n) for b in batches], np.float64) for n in _FLOATS}
    columns["kind"] = _joined([b.kind for b in batches], np.int8)
    columns["row"] = _joined([b.row for b in batches], np.int64)
    if len(batches) > 1:
        file = np.repeat(np.arange(len(batches), dtype=np.int32), [len(b) for b in batches])
        files = pa.array([b.sha256 for b in batches], pa.string())
        columns["file"] = pa.DictionaryArray.from_arrays(file, files)
    return pa.table(columns)


def _codes(texts: Sequence[str], known: dict[str, int]) -> NDArray[np.int32]:
    """The number of each text; those that are not known get one."""
    return np.array([known.setdefault(text, len(known)) for text in texts], np.int32)


def _joined(parts: Sequence[NDArray[Any]], form: type) -> NDArray[Any]:
    return np.concatenate([np.asarray(part, form) for part in parts])


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment whose file is written; without its row nobody reads it.

    Attributes:
        source: SHA-256 of the file that its positions are from, or of the hashes of several.
        starts, ends: of its positions, or None where there are none. path: below the columns.
    """

    source: str
    part: int
    rows: int
    starts: datetime | None
    ends: datetime | None
    path: str


def write(columns: Columns, batch: Batch, part: int) -> Segment:
    """Write one batch as a segment."""
    return _written(columns, batch.sha256, part, table_of([batch]))


def write_together(columns: Columns, batches: Sequence[Batch]) -> Segment:
    """Write batches of several files as one segment, which then holds the file of each position.

    Args:
        batches: one at least.
    """
    if len(batches) == 1:
        return write(columns, batches[0], 1)
    source = hashlib.sha256("".join(b.sha256 for b in batches).encode()).hexdigest()
    return _written(columns, source, 1, table_of(batches))


def _written(columns: Columns, source: str, part: int, table: pa.Table) -> Segment:
    path = columns.write(DATASET, source, part, table)
    t = table["t"].to_numpy()
    starts, ends = (moment(float(t.min())), moment(float(t.max()))) if len(t) else (None, None)
    return Segment(source, part, table.num_rows, starts, ends, path)


def keep(work: Work, segment: Segment, *, mark: str) -> None:
    """Put a segment's row into the caller's transaction, from which on it is read."""
    work.session.add(
        SegmentRow(
            id=new_id(),
            agency=work.kernel.agency,
            mark=mark,
            created_at=work.now,
            dataset=DATASET,
            source=segment.source,
            part=segment.part,
            rows=segment.rows,
            starts=segment.starts,
            ends=segment.ends,
            path=segment.path,
        )
    )


def read(
    view: View,
    columns: Columns,
    since: datetime,
    until: datetime,
    *,
    file: str = "",
    but: str = "",
) -> Iterator[Batch]:
    """Stored positions of a span [since, until), one batch a segment.

    Args:
        file: SHA-256 of the only one wanted; all where it is empty.
        but: SHA-256 of a file that is not wanted.
    """
    query = (
        select(SegmentRow.source, SegmentRow.path)
        .where(SegmentRow.dataset == DATASET)
        .where(SegmentRow.ends >= since, SegmentRow.starts < until)
        .order_by(SegmentRow.source, SegmentRow.part)
    )
    if file:
        query = query.where(SegmentRow.source == file)
    if but:
        query = query.where(SegmentRow.source != but)
    rows = view.session.execute(query).all()
    with columns.connect() as connection:
        for source, path in rows:
            table = connection.sql(
                "SELECT * FROM read_parquet($path) WHERE t >= $since AND t < $until",
                params={
                    "path": str(columns.root / path),
                    "since": since.timestamp(),
                    "until": until.timestamp(),
                },
            ).to_arrow_table()
            if table.num_rows and "file" in table.column_names:
                yield from _by_file(table)
            elif table.num_rows:
                yield batch_of(source, table)


def _by_file(table: pa.Table) -> Iterator[Batch]:
    """The batches of a segment of several files."""
    file, names = _coded(table["file"])
    for code in np.unique(file).tolist():
        yield batch_of(names[code], table.filter(pa.array(file == code)))


def batch_of(sha256: str, table: pa.Table) -> Batch:
    """A stored table as a batch again."""
    subject, subjects = _coded(table["subject"])
    source, sources = _coded(table["source"])
    said = [table[name].to_pylist() for name in _SAID]
    static = {
        subjects[code]: Static(**{n: v or "" for n, v in zip(_SAID, parts, strict=True)})
        for code, *parts in zip(subject, *said, strict=True)
        if any(parts)
    }
    t, lat, lon, speed, course, heading, accuracy = (
        np.asarray(table[name].to_numpy(), dtype=np.float64) for name in _FLOATS
    )
    return Batch(
        sha256=sha256,
        subjects=subjects,
        sources=sources,
        subject=subject,
        source=source,
        t=t,
        lat=lat,
        lon=lon,
        speed=speed,
        course=course,
        heading=heading,
        accuracy=accuracy,
        kind=np.asarray(table["kind"].to_numpy(), dtype=np.int64),
        row=np.asarray(table["row"].to_numpy(), dtype=np.int64),
        static=static,
    )


def _coded(column: Any) -> tuple[np.ndarray[Any, np.dtype[np.int64]], list[str]]:
    encoded = column.combine_chunks()
    if not pa.types.is_dictionary(encoded.type):
        encoded = encoded.dictionary_encode()
    return (
        np.asarray(encoded.indices.to_numpy(zero_copy_only=False), dtype=np.int64),
        encoded.dictionary.to_pylist(),
    )
