"""Files or segments of calls in, findings out: with a node or without one."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from cordon.calls.checking import SCHEMA
from cordon.calls.detectors import all_detectors, cards
from cordon.calls.detectors.data import CallData
from cordon.calls.importing import write_segment
from cordon.calls.model import Counts, Refusal
from cordon.calls.reading import read_calls
from cordon.calls.registers import read_register
from cordon.countries import codes, country
from cordon.kernel.errors import BadInput
from cordon.kernel.findings import Finding
from cordon.kernel.store.columns import connect

__all__ = ["FindResult", "cards", "find", "find_in_segments"]

Progress = Callable[[str, float], None]
"""Told what is being done, and the share of it that is done (0 to 1)."""


# A hash of eight bytes a call first: only calls whose hash stands twice are compared whole.
_EACH_ONCE = (
    """CREATE VIEW raw AS SELECT * FROM raw_all
       WHERE start >= getvariable('low') AND start < getvariable('high')""",
    """CREATE TEMP TABLE twice AS
       SELECT hash(start, caller, callee, duration_s, kind) AS h FROM raw
       GROUP BY h HAVING count(*) > 1""",
    """CREATE TEMP TABLE repeated AS
       SELECT filename, row FROM raw
       WHERE hash(start, caller, callee, duration_s, kind) IN (SELECT h FROM twice)
       QUALIFY row_number() OVER (
           PARTITION BY start, caller, callee, duration_s, kind ORDER BY filename, row) > 1""",
    "DROP TABLE twice",
)
_CALLS = """
CREATE VIEW calls AS SELECT * EXCLUDE (start, filename), epoch_us(start) AS us FROM raw
"""
_CALLS_ONCE = """
CREATE VIEW calls AS SELECT * EXCLUDE (start, filename), epoch_us(start) AS us FROM raw
WHERE NOT EXISTS (
    SELECT 1 FROM repeated r WHERE r.filename = raw.filename AND r.row = raw.row)
"""


@dataclass(frozen=True, slots=True)
class FindResult:
    """What came of a search.

    Attributes:
        findings: ordered by kind, start and subject.
        counts: over all files. refusals: file's name and row, in order.
        left_out: sentences for the reader: what could not be used, and what was passed over.
    """

    findings: tuple[Finding, ...]
    counts: Counts
    refusals: tuple[tuple[str, Refusal], ...]
    left_out: tuple[str, ...]


def find(
    calls: Sequence[Path],
    subscribers: Path | None = None,
    progress: Progress | None = None,
    *,
    memory_mb: int = 2048,
    threads: int = 2,
    region: str = "PK",
    given: Mapping[str, Any] | None = None,
    scratch: Path | None = None,
) -> FindResult:
    """Search files of calls, on nothing but those files.

    Args:
        calls: files of the format `calls`, or segments of an import; a call that stands in
            several counts once.
        subscribers: a file of the format `subscribers`, or None.
        memory_mb: bound of the database's memory; beyond it works on the disk in `scratch`.
        region: ISO 3166 code of the country whose numbering plan and time zone apply.
        given: parameters over the cards' defaults.
        scratch: folder for temporary files; the machine's own where absent.

    Raises:
        BadInput: a file of which nothing can be read, or a parameter out of bounds.
    """
    if not calls:
        raise BadInput("No file of calls was given.")
    say = progress or (lambda _what, _share: None)
    holders: dict[str, str] | None = None
    if subscribers is not None:
        register = read_register(subscribers, region)
        holders = register.holders
    counts = Counts()
    refusals: list[tuple[str, Refusal]] = []
    left_out: list[str] = []
    if subscribers is not None and register.refusals:
        refusals += [(subscribers.name, r) for r in register.refusals]
        left_out.append(
            f"{register.counts.refused:,} of the {register.counts.read:,} rows of "
            f"{subscribers.name} could not be read: their holders are not known."
        )
    with tempfile.TemporaryDirectory(prefix="cordon-calls-", dir=scratch) as folder:
        segments: list[Path] = []
        for at, path in enumerate(calls):

            def told(done: int, total: int, at: int = at, name: str = path.name) -> None:
                say(f"reading {name}", (at + done / max(1, total)) / len(calls))

            if _is_segment(path):
                segments.append(path)
                rows = pq.read_metadata(path).num_rows
                counts += Counts(rows, rows, 0, 0)
                continue
            reading = read_calls(path, region, told)
            for batch in reading:
                refusals += [(path.name, r) for r in batch.refusals]
                if len(batch.table):
                    where = Path(folder) / f"{at:04d}"
                    kept = write_segment(where, reading.sha256, batch.number, batch.table)
                    segments.append(kept.path)
            counts += reading.counts
            if reading.broken:
                left_out.append(reading.broken + " What stands before it was used.")
        result = find_in_segments(
            segments,
            holders,
            say,
            memory_mb=memory_mb,
            threads=threads,
            region=region,
            given=given,
            scratch=Path(folder),
        )
    repeated = result.counts.repeated
    counts = Counts(counts.read, counts.kept - repeated, repeated, counts.refused)
    return FindResult(result.findings, counts, tuple(refusals), (*left_out, *result.left_out))


def find_in_segments(
    segments: Sequence[Path],
    subscribers: Mapping[str, str] | None = None,
    progress: Progress | None = None,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    memory_mb: int = 2048,
    threads: int = 2,
    region: str = "PK",
    given: Mapping[str, Any] | None = None,
    scratch: Path | None = None,
) -> FindResult:
    """Search segments that `write_segment` wrote.

    Args:
        subscribers: kind of holder by number in E.164, or None where nothing is known of them.
        since, until: only calls that start in [since, until), where given.
    """
    say = progress or (lambda _what, _share: None)
    left_out: list[str] = []
    if subscribers is None:
        left_out.append(
            "No subscribers file was given: registered call centres, government lines and "
            "emergency lines cannot be told from others."
        )
    if not segments:
        return FindResult((), Counts(), (), tuple(left_out))
    with connect(memory_mb=memory_mb, threads=threads, spill=scratch) as db:
        counts = _calls(db, segments, since, until)
        _holders(db, subscribers or {})
        middle = _middle(db)
        if middle is None:
            return FindResult((), counts, (), tuple(left_out))
        offset = _zone(region).utcoffset(middle) or timedelta(0)
        data = CallData(db, int(offset.total_seconds()), given or {}, left_out, say)
        found: list[Finding] = []
        for detector in all_detectors():
            with _tidy(db):
                found += detector.find(data, detector.CARD)
    found.sort(key=lambda f: (f.kind, f.start, f.subjects))
    return FindResult(tuple(found), counts, (), tuple(left_out))


def _calls(
    db: duckdb.DuckDBPyConnection,
    segments: Sequence[Path],
    since: datetime | None,
    until: datetime | None,
) -> Counts:
    """Make the relation `calls`, each call once: of equal ones the first by file and row."""
    raw = db.read_parquet([str(p) for p in segments], filename=True)
    raw.create_view("raw_all")
    low = "-infinity" if since is None else since.isoformat()
    high = "infinity" if until is None else until.isoformat()
    db.execute("SET VARIABLE low = CAST(? AS TIMESTAMPTZ)", [low])
    db.execute("SET VARIABLE high = CAST(? AS TIMESTAMPTZ)", [high])
    for step in _EACH_ONCE:
        db.execute(step)
    total = db.execute("SELECT count(*) FROM raw").fetchone()
    again = db.execute("SELECT count(*) FROM repeated").fetchone()
    read, repeated = (total or (0,))[0], (again or (0,))[0]
    # without repeats the plain view spares every pass a join
    db.execute(_CALLS_ONCE if repeated else _CALLS)
    return Counts(read, read - repeated, repeated, 0)


def _middle(db: duckdb.DuckDBPyConnection) -> datetime | None:
    row = db.execute("SELECT (min(us) + max(us)) // 2 FROM calls").fetchone()
    if row is None or row[0] is None:
        return None
    return datetime.fromtimestamp(row[0] / 1e6, UTC)


def _holders(db: duckdb.DuckDBPyConnection, subscribers: Mapping[str, str]) -> None:
    table = pa.table(
        {
            "number": pa.array(list(subscribers), pa.string()),
            "kind": pa.array(list(subscribers.values()), pa.string()),
        }
    )
    db.register("holders", table)
    db.execute("CREATE TEMP TABLE subscribers AS SELECT * FROM holders")
    db.unregister("holders")


def _zone(region: str) -> tzinfo:
    code = region.lower()
    return country(code).zone if code in codes() else UTC


def _is_segment(path: Path) -> bool:
    """True for a file that `write_segment` wrote: its rows were checked, and know their file."""
    try:
        return bool(pq.read_schema(path).equals(SCHEMA))
    except (pa.ArrowException, OSError):
        return False


@contextmanager
def _tidy(db: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Drop what a detector leaves behind, so that the next one has the memory and the names."""
    before = _tables(db)
    try:
        yield
    finally:
        for name in _tables(db) - before:
            db.execute(f'DROP TABLE IF EXISTS "{name}"')


def _tables(db: duckdb.DuckDBPyConnection) -> set[str]:
    rows = db.execute("SELECT table_name FROM duckdb_tables() WHERE temporary").fetchall()
    return {row[0] for row in rows}
