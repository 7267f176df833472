"""Call records beside their peers: reading a file, and the search for fans over segments.

The file is made here, the same on each run. pyarrow.csv parses it and checks nothing; we check
each value, bring numbers into E.164 and refuse rows by their number. The detector of fans is the
room's first and only one, so this is what one thin detector costs beside a bare scan of the same
segments, and beside the plain GROUP BY with distincts that would count the same. Each of these
runs in a process of its own, by turns; its memory is the peak of that process, imports included.
"""

from __future__ import annotations

import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from bench.measuring import ROOT, Taken, by_turns, row
from cordon.calls.checking import COLUMNS, SCHEMA
from cordon.calls.find import find_in_segments
from cordon.calls.forms import SESSIONS
from cordon.calls.importing import write_segment
from cordon.calls.plain import PlainReading
from cordon.calls.reading import read_calls
from cordon.kernel.clock import parse_time
from cordon.kernel.store.columns import connect

FANS, FEWER_FANS = 40, 10  # numbers that call out in a fan; fewer where it must be quick
DAYS = 8
SEGMENT_ROWS = 250_000
MEMORY_MB, THREADS = 2048, 2
BEGIN = parse_time("2026-03-02T00:00:00Z")

SCAN = """
SELECT sum(epoch_us(start) // 1000000), sum(duration_s), sum(row), sum(strlen(caller)),
       sum(strlen(callee)), sum(strlen(caller_cell)) FROM calls
"""
DISTINCTS = """
SELECT count(*) FILTER (people > 200) FROM (
    SELECT caller, count(*) AS calls, count(DISTINCT callee) AS people,
           count(DISTINCT caller_cell) AS cells,
           count(DISTINCT epoch_us(start) // 86400000000) AS days, median(duration_s) AS duration
    FROM calls GROUP BY caller)
"""


def numbers(of: np.ndarray) -> pa.Array:
    """Mobile numbers in E.164 from small whole numbers."""
    known, at = np.unique(of, return_inverse=True)
    names = pa.array([f"+92300{n:07d}" for n in known.tolist()])
    return names.take(pa.array(at))


def made(rows: int, seed: int, of_all: int, fans: int = FANS) -> pa.Table:
    """Calls of people who call the same few, and of lines that call out in a fan.

    Every seed draws other calls among the same people; `of_all` is how many rows all have.
    """
    rng = np.random.default_rng(seed)
    people = 60_000
    fan = rng.random(rows) < fans * DAYS * 100 / of_all  # each calls a hundred a day
    caller = np.where(fan, rng.integers(0, fans, rows), rng.integers(fans, people, rows))
    # of some twenty people, the first ones far more often
    rank = np.minimum(rng.geometric(0.15, rows), 20)
    friend = fans + (caller * 7919 + rank * 104_729) % (people - fans)
    stranger = rng.integers(people, people + 2_000_000, rows)
    callee = np.where(fan, stranger, friend)
    second = rng.integers(0, DAYS * 9 * 3600, rows)  # nine hours of each day
    moment = second // (9 * 3600) * 86_400 + 4 * 3600 + second % (9 * 3600)
    micros = int(BEGIN.timestamp() * 1e6) + moment * 1_000_000 + rng.integers(0, 10**6, rows)
    cell = np.where(fan, caller, (caller * 31 + rng.integers(0, 6, rows)) % 4_000)
    cells = pa.array([f"410-01-{n:05d}" for n in range(4_000)])
    nothing = pa.nulls(rows, pa.string())
    return pa.table(
        {
            "sha256": pa.repeat(pa.scalar(f"{seed:064x}"), rows),
            "row": pa.array(np.arange(1, rows + 1)),
            "start": pa.array(micros).cast(pa.timestamp("us", "UTC")),
            "duration_s": pa.array(np.round(rng.gamma(2.0, 40.0, rows))),
            "kind": pa.array(np.where(rng.random(rows) < 0.9, "voice", "sms")),
            "caller": numbers(caller),
            "callee": numbers(callee),
            "caller_imsi": nothing,
            "caller_imei": nothing,
            "caller_cell": cells.take(pa.array(cell)),
            "callee_imsi": nothing,
            "callee_imei": nothing,
            "callee_cell": nothing,
            "trunk_in": nothing,
            "trunk_out": nothing,
        },
        schema=SCHEMA,
    )


def reading(folder: Path, *, quick: bool) -> list[dict[str, Any]]:
    """The plain format, an operator's statement and its internet records, each beside a parser."""
    rows = 100_000 if quick else 1_000_000
    table = made(rows, 1, rows)
    plain = table.select(list(COLUMNS))
    start = pc.strftime(plain["start"], format="%Y-%m-%dT%H:%M:%SZ")
    files = {
        "a CSV of {} calls": plain.set_column(0, "start", start),
        "a statement of {} calls of an operator (airtel)": statement(table),
        "{} internet records of an operator (IPDR)": sessions(table),
    }
    told = []
    for number, (what, written) in enumerate(files.items()):
        path = folder / f"{number}.csv"
        pacsv.write_csv(written, path)
        told.append(read_beside_a_parser(path, rows, what.format(f"{rows:,}"), quick=quick))
    return told


def read_beside_a_parser(path: Path, rows: int, what: str, *, quick: bool) -> dict[str, Any]:
    read: list[int] = []

    def ours() -> None:
        if "internet" in what:
            kept = (len(b.table) for b in PlainReading(path, SESSIONS, "IN").batches())
        else:
            kept = (len(b.table) for b in read_calls(path))
        read.append(sum(kept))

    taken = by_turns(2 if quick else 5, ours=ours, peer=lambda: pacsv.read_csv(path))
    if read[0] != rows:
        raise AssertionError(f"{rows - read[0]} of the rows were refused")
    return row(
        f"read and check {what} ({path.stat().st_size / 1e6:.0f} MB; peer: pyarrow.csv, parsing "
        "alone)",
        round(taken["ours"].rate(rows)),
        round(taken["peer"].rate(rows)),
        "rows/s",
        taken["ours"],
        goal="≥ 300,000",
    )


def statement(table: pa.Table) -> pa.Table:
    """The same calls as a statement in the layout `airtel`."""
    rows = len(table)
    told = {
        "Target No": indian(table["caller"]),
        "Call Type": pa.repeat("OUT", rows),
        "B Party No": indian(table["callee"]),
        "Date": pc.strftime(table["start"], format="%d/%m/%Y"),
        "Time": clock(table["start"]),
        "Dur(s)": table["duration_s"].cast(pa.int64()),
        "First CGI": table["caller_cell"],
        "Last CGI": table["caller_cell"],
        "Service Type": pa.repeat("Voice", rows),
        "IMEI": pa.repeat("353098852648366", rows),
        "IMSI": pa.repeat("410010123456789", rows),
    }
    return pa.table(told)


def indian(numbers: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers of the country of these layouts, as its operators write them."""
    return pc.replace_substring(numbers, "+92300", "91982")


def clock(moments: pa.ChunkedArray) -> pa.ChunkedArray:
    """Times of day in whole seconds, as switches write them."""
    return pc.strftime(
        pc.floor_temporal(moments, unit="second").cast(pa.timestamp("s")), "%H:%M:%S"
    )


def sessions(table: pa.Table) -> pa.Table:
    """As many sessions of the same subscribers, as operators in India list them."""
    rng = np.random.default_rng(2)
    rows = len(table)
    day = pc.strftime(table["start"], format="%d/%m/%Y")
    end = pc.add(table["start"], pa.scalar(timedelta(minutes=5)))
    reached = pa.array([f"142.250.{n >> 8}.{n & 255}" for n in range(1 << 16)])
    told = {
        "MSISDN": indian(table["caller"]),
        "Source IP Address": pa.repeat("10.1.2.3", rows),
        "Translated IP Address": pa.repeat("106.1.2.3", rows),
        "Translated Port": rng.integers(1024, 65_536, rows),
        "Destination IP Address": reached.take(pa.array(rng.integers(0, 1 << 16, rows))),
        "Destination Port": pa.repeat(443, rows),
        "Start Date (dd/mm/yyyy)": day,
        "Start Time": clock(table["start"]),
        "End Date": day,
        "End Time": clock(end),
        "Data volume up": rng.integers(0, 10**6, rows),
        "Data volume down": rng.integers(0, 10**7, rows),
        "First Cell ID": table["caller_cell"],
    }
    return pa.table(told)


def searching(folder: Path, *, quick: bool) -> list[dict[str, Any]]:
    rows, fans = (250_000, FEWER_FANS) if quick else (5_000_000, FANS)
    for number in range(rows // SEGMENT_ROWS):
        write_segment(
            folder, f"{number + 1:064x}", number, made(SEGMENT_ROWS, number + 1, rows, fans)
        )
    taken = {name: Taken() for name in ("find", "scan", "distincts")}
    told: dict[str, list[dict[str, float]]] = {name: [] for name in taken}
    for _ in range(1 if quick else 3):
        for name, one in taken.items():
            said = in_child(name, folder)
            told[name].append(said)
            one.add(said["wall"], said["cpu"])
    found = int(told["find"][0]["found"])
    peak = {
        name: round(statistics.median(s["peak_mb"] for s in those)) for name, those in told.items()
    }
    what = f"the search for fans over {rows:,} calls in {rows // SEGMENT_ROWS} segments"
    seconds = round(taken["find"].wall, 2)
    peers = {
        "scan": "DuckDB, a bare scan that sums six columns",
        "distincts": "DuckDB, one GROUP BY with distincts",
    }
    return [
        *(
            row(
                f"{what} ({found} of {fans} planted found; peer: {says})",
                seconds,
                round(taken[name].wall, 2),
                "s",
                taken["find"],
            )
            for name, says in peers.items()
        ),
        *(
            row(
                f"{what}, peak memory (peer: {says})",
                peak["find"],
                peak[name],
                "MB",
                taken["find"],
            )
            for name, says in peers.items()
        ),
    ]


def in_child(name: str, folder: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.calls", name, str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
    )
    return dict(json.loads(done.stdout))


def child(name: str, folder: Path) -> dict[str, float]:
    """One search or peer in this process: seconds, its peak memory, and what it found."""
    segments = sorted(folder.rglob("*.parquet"))
    wall, cpu = time.perf_counter(), time.process_time()
    if name == "find":
        result = find_in_segments(
            segments,
            since=BEGIN,
            until=BEGIN + timedelta(days=DAYS),
            memory_mb=MEMORY_MB,
            threads=THREADS,
            scratch=folder,
        )
        found = len(result.findings)
    else:
        with connect(memory_mb=MEMORY_MB, threads=THREADS, spill=folder) as db:
            db.read_parquet([str(p) for p in segments]).create_view("calls")
            answer = db.execute(SCAN if name == "scan" else DISTINCTS).fetchone()
        found = 0 if name == "scan" or answer is None else int(answer[0])
    return {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "peak_mb": peak_mb(),
        "found": found,
    }


def peak_mb() -> float:
    """Most memory that this process had at a time (10^6 bytes)."""
    status = Path("/proc/self/status")
    if status.is_file():
        # not ru_maxrss: on Linux a child's begins at what its parent had when it was started
        line = next(s for s in status.read_text().splitlines() if s.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows for the table of `make bench`."""
    table = []
    for part in (reading, searching):
        folder = Path(tempfile.mkdtemp(prefix="cordon-bench-"))
        try:
            table += part(folder, quick=quick)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return table


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(child(sys.argv[1], Path(sys.argv[2]))))
    else:
        for line in run():
            print(json.dumps(line, ensure_ascii=False))
