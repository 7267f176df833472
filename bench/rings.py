"""Call centres in a nation's calls: what `calls find` costs beside a bare scan.

The cost is that of the command, end to end, in a process of its own, on one Parquet file of a
generated world `callcentre`, beside DuckDB summing six columns of the same file; by turns.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

from bench.calls import SCAN, peak_mb
from bench.measuring import ROOT, Taken, row
from cordon.calls import find
from cordon.exercise import world
from cordon.kernel.findings import Finding
from cordon.kernel.store.columns import connect

COST_SCALE = 1.0  # of 300,000 subscribers
ROUNDS = 3


def searched(folder: Path, **span: Any) -> list[Finding]:
    """What the search finds in a world's folder."""
    beside = {name: folder / f"{name}.csv" for name in ("cells", "complaints", "payments")}
    result = find([folder / "calls.parquet"], folder / "subscribers.csv", **beside, **span)
    return list(result.findings)


def cost(*, quick: bool) -> list[dict[str, Any]]:
    """Seconds and memory of the command, beside a bare scan of the same file."""
    folder = Path(tempfile.mkdtemp(prefix="cordon-bench-"))
    try:
        made = world("callcentre").generate(1000, 30.0, 0.02 if quick else COST_SCALE, folder)
        calls = made.rows["calls"]
        taken = {name: Taken() for name in ("find", "scan")}
        peaks: dict[str, list[float]] = {name: [] for name in taken}
        for _ in range(1 if quick else ROUNDS):
            for name, one in taken.items():
                said = in_child(name, folder)
                one.add(said["wall"], said["cpu"])
                peaks[name].append(said["peak_mb"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    what = f"`calls find` on {calls:,} calls in one Parquet file, end to end"
    peer = "peer: DuckDB, a bare scan that sums six columns"
    times = taken["find"].wall / taken["scan"].wall
    return [
        row(f"{what} ({peer}; {times:.1f} times)", round(taken["find"].wall, 2),
            round(taken["scan"].wall, 2), "s", taken["find"], goal="≤ 4 ×"),
        row(f"{what}, peak memory ({peer})", round(statistics.median(peaks["find"])),
            round(statistics.median(peaks["scan"])), "MB", taken["find"], goal="≤ 3,000"),
    ]  # fmt: skip


class _Missing(MetaPathFinder):
    """Hides pandas, which peers of other parts bring and an installation does not have.

    PyArrow imports it where it is there, at the cost of a second or two a process.
    """

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == "pandas":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def in_child(name: str, folder: Path) -> dict[str, float]:
    """A search or a scan of a world's calls in a process of its own."""
    # as where Cordon is installed, Python may keep what it compiled
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-m", "bench.rings", name, str(folder)],
        cwd=ROOT,
        env=env,
        check=True,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    return dict(json.loads(done.stdout))


def child(name: str, folder: Path) -> dict[str, float]:
    """One search or scan in this process."""
    sys.meta_path.insert(0, _Missing())
    wall, cpu = time.perf_counter(), time.process_time()
    if name == "find":
        searched(folder)
    else:
        with connect(memory_mb=2048, threads=2) as db:
            db.read_parquet(str(folder / "calls.parquet"), file_row_number=True).create_view("raw")
            db.execute("CREATE VIEW calls AS SELECT *, file_row_number AS row FROM raw")
            db.execute(SCAN).fetchall()
    return {
        "wall": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "peak_mb": peak_mb(),
    }


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows for the table of `make bench`."""
    return cost(quick=quick)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(child(sys.argv[1], Path(sys.argv[2]))))
    else:
        for line in run("--quick" in sys.argv):
            print(json.dumps(line, ensure_ascii=False))
