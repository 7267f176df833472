"""Columns: Parquet segments that DuckDB reads, with its memory bound by a setting.

A segment counts only once its row in `segments` is committed. A file that a crash left
behind has no row, is not read, and is written over when the work is done again.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import BigInteger, Index, Integer, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from cordon.kernel.errors import BadInput, Unavailable
from cordon.kernel.store.files import sweep, written_whole
from cordon.kernel.store.rows import Base, Owned, UtcTime


class SegmentRow(Owned, Base):
    """One Parquet file of a data set.

    Columns:
        dataset: `calls`, `positions`, … source: names what it came from: the SHA-256 (hex) of its
            file, or of the file and the authority that it came in under.
        part: its number within the source. rows: how many it holds.
        starts, ends: the span of its records. path: under the columns folder.
        authority: id of the legal authority it was brought in under, or null.
    """

    __tablename__ = "segments"
    __table_args__ = (
        Index("uq_segments_part", "dataset", "source", "part", unique=True),
        Index("ix_segments_span", "dataset", "starts", "ends"),
    )

    dataset: Mapped[str] = mapped_column(String(40))
    source: Mapped[str] = mapped_column(String(64))
    part: Mapped[int] = mapped_column(Integer)
    rows: Mapped[int] = mapped_column(BigInteger)
    starts: Mapped[datetime | None] = mapped_column(UtcTime())
    ends: Mapped[datetime | None] = mapped_column(UtcTime())
    path: Mapped[str] = mapped_column(String(200))
    authority: Mapped[str | None] = mapped_column(String(36))


class Columns:
    """The node's column store.

    Args:
        root: folder of the Parquet files.
        memory_mb: DuckDB's memory bound (MB); beyond it DuckDB spills into `root/spill`.
        threads: DuckDB's threads.
        engine: what runs the heaviest passes: `duckdb`, or the address of a Spark master.
    """

    def __init__(
        self, root: Path, *, memory_mb: int = 2048, threads: int = 2, engine: str = "duckdb"
    ) -> None:
        self.root = root
        self.engine = engine
        self.memory_mb = memory_mb
        self.threads = threads
        self._lock = threading.Lock()
        root.mkdir(parents=True, exist_ok=True)

    def write(
        self, dataset: str, source: str, part: int, table: pa.Table, sought: Sequence[str] = ()
    ) -> str:
        """Write one segment's file and return its path under the root; its row is the caller's.

        Args:
            sought: columns of which single values are looked for later. A Bloom filter of each
                stands in the file (some 3 % of it), so that a segment without the value is not
                read for it.
        """
        relative = self.relative(dataset, source, part)
        path = self.root / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(path) as partial:
            pq.write_table(
                table,
                partial,
                compression="zstd",
                row_group_size=1 << 17,
                bloom_filter_options={c: {"ndv": max(len(table), 1)} for c in sought} or None,
            )
        return str(relative)

    def relative(self, dataset: str, source: str, part: int) -> Path:
        """Where a segment's file stands under the root."""
        return Path(dataset) / source[:2] / f"{source[:32]}-{part:06d}.parquet"

    def paths(
        self,
        session: Session,
        dataset: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        authorities: Sequence[str] | None = None,
    ) -> list[Path]:
        """Files of a data set whose span touches [since, until), oldest source first.

        Args:
            authorities: only segments brought in under one of these ids, where given.
        """
        query = select(SegmentRow.path).where(SegmentRow.dataset == dataset)
        if since is not None:
            query = query.where((SegmentRow.ends.is_(None)) | (SegmentRow.ends >= since))
        if until is not None:
            query = query.where((SegmentRow.starts.is_(None)) | (SegmentRow.starts < until))
        if authorities is not None:
            query = query.where(SegmentRow.authority.in_(authorities))
        return [
            self.root / p
            for p in session.scalars(query.order_by(SegmentRow.created_at, SegmentRow.id))
        ]

    def sweep(self) -> int:
        """Remove what a crash left half-written; called when a node starts."""
        return sweep(self.root.glob("*/??/.*.partial"))

    @contextmanager
    def connect(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A DuckDB connection under the node's bounds, closed at the end of the block."""
        with connect(
            memory_mb=self.memory_mb, threads=self.threads, spill=self.root / "spill"
        ) as c:
            yield c


@contextmanager
def connect(
    *, memory_mb: int = 2048, threads: int = 2, spill: Path | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """An in-process DuckDB with bounded memory (MB) that loads no extension from outside."""
    config: Mapping[str, Any] = {
        "memory_limit": f"{memory_mb}MB",
        "threads": threads,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "preserve_insertion_order": False,
    }
    if spill is not None:
        config = {**config, "temp_directory": str(spill)}
    connection = duckdb.connect(":memory:", config=dict(config))
    try:
        yield connection
    except duckdb.OutOfMemoryException as fault:
        raise Unavailable(
            f"The query needs more than its {memory_mb} MB of memory.",
            advice="Ask for a shorter span, or raise CORDON_COLUMNS_MEMORY_MB.",
        ) from fault
    except duckdb.IOException as fault:
        if "No space left" in str(fault):
            raise Unavailable(
                "The disk that holds the node's columns is full.", advice="Free space on it."
            ) from fault
        raise BadInput(f"A Parquet file cannot be read: {type(fault).__name__}.") from fault
    except duckdb.InvalidInputException as fault:
        if "parquet" not in str(fault).lower():
            raise  # a mistake in the query, not a file that was cut
        raise BadInput(
            "A Parquet file cannot be read: it was cut or changed.",
            advice="Restore it from the backup, or bring its source in again.",
        ) from fault
    finally:
        connection.close()
