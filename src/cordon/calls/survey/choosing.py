"""The engine that a setting names, ready for use."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cordon.calls.survey.engine import DuckEngine, Sources
from cordon.calls.survey.spark import SparkEngine
from cordon.kernel.store.columns import connect


@contextmanager
def engine_over(
    sources: Sources,
    name: str = "duckdb",
    *,
    memory_mb: int = 2048,
    threads: int = 2,
    scratch: Path | None = None,
) -> Iterator[DuckEngine | SparkEngine]:
    """An engine over files of calls, ended at the end of the block.

    Args:
        name: `duckdb`, or the address of a Spark master; see the setting `columns_engine`.
        memory_mb: of DuckDB, or of Spark's driver and each executor (MB). threads: of DuckDB;
            a master's address says how many Spark has.
        scratch: folder for what does not fit; the machine's own where absent.

    Raises:
        Unavailable: the engine is not installed, does not answer, or has too little memory.
    """
    if name == "duckdb":
        with connect(memory_mb=memory_mb, threads=threads, spill=scratch) as db:
            yield DuckEngine(db, sources, threads)
    else:
        with SparkEngine(sources, master=name, memory_mb=memory_mb, scratch=scratch) as engine:
            yield engine
