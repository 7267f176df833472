"""Call centres in a nation's calls: what `calls find` costs beside a bare scan, and what it finds.

The cost is that of the command, end to end, in a process of its own, on one Parquet file of a
generated world `callcentre`, beside DuckDB summing six columns of the same file; by turns. What
it finds is counted on seeds that nobody looked at while building: each centre by its third day
of work, how much of it, whom it names falsely, whether the 90 % region holds the site, and who
is said to go on from whom.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.calls import SCAN, peak_mb
from bench.measuring import ROOT, Taken, row
from cordon.calls import find
from cordon.exercise import read_truths, score, world
from cordon.exercise.model import Truth
from cordon.exercise.score import overlap
from cordon.kernel.findings import Finding
from cordon.kernel.geo import distance_m
from cordon.kernel.store.columns import connect

SEEDS = range(1001, 1011)
SCALE = 0.1  # of 300,000 subscribers; each seed has two centres or more and their raids
COST_SCALE = 1.0
ROUNDS = 3


def searched(folder: Path, **span: Any) -> list[Finding]:
    """What the search finds in a world's folder."""
    beside = {name: folder / f"{name}.csv" for name in ("cells", "complaints", "payments")}
    result = find([folder / "calls.parquet"], folder / "subscribers.csv", **beside, **span)
    return list(result.findings)


def quality(*, quick: bool) -> list[dict[str, Any]]:
    """Counts over all seeds."""
    seeds = list(SEEDS)[: 1 if quick else None]
    tally: dict[str, list[float]] = {}

    def note(name: str, value: float) -> None:
        tally.setdefault(name, []).append(value)

    taken = Taken()
    for seed in seeds:
        folder = Path(tempfile.mkdtemp(prefix="cordon-bench-"))
        try:
            scale = 0.02 if quick else SCALE
            made = world("callcentre").generate(seed, 30.0, scale, folder)
            truths = list(read_truths(folder / "truth.jsonl"))
            wall, cpu = time.perf_counter(), time.process_time()
            found = searched(folder)
            taken.add(time.perf_counter() - wall, time.process_time() - cpu)
            _count(truths, found, made.rows["subscribers"], note)
            centres = [t for t in truths if t.kind == "calls.call_centre"]
            for truth in centres:
                # the third day of work ends three days after the first call
                early = searched(folder, until=truth.start + timedelta(days=3))
                note("by the third day", _best(truth, early, until=3)[0] >= 0.5)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    what = f"{len(seeds)} seeds of `callcentre`, 30 days, {round(scale * 300_000):,} subscribers"
    rows = [
        (f"{what}: centres found by their third day of work, of {len(tally['by the third day'])}",
         statistics.mean(tally["by the third day"]), "1", "1"),
        (f"{what}: Jaccard overlap of a centre's numbers, least", min(tally["jaccard"]), "1",
         "≥ 0.8"),
        (f"{what}: Jaccard overlap of a centre's numbers, median",
         statistics.median(tally["jaccard"]), "1", "≥ 0.8"),
        (f"{what}: false numbers a million subscribers",
         1e6 * sum(tally["false"]) / sum(tally["subscribers"]), "1", "≤ 20"),
        (f"{what}: 90 % regions that hold the site, of {len(tally['held'])}",
         statistics.mean(tally["held"]), "1", "≥ 0.9"),
        (f"{what}: successions right, of those said", sum(tally["right"]) / sum(tally["said"]), "1",
         "≥ 0.9"),
        (f"{what}: successions said and right, of those there are",
         sum(tally["right"]) / sum(tally["there"]), "1", None),
        (f"{what}: SIM boxes found, of {len(tally['box'])}", statistics.mean(tally["box"]), "1",
         None),
    ]  # fmt: skip
    return [row(says, value, None, unit, taken, goal=goal) for says, value, unit, goal in rows]


def _best(
    truth: Truth, found: list[Finding], until: float | None = None
) -> tuple[float, Finding | None]:
    """The best overlap among findings of its kind; of an early search, of what had worked."""
    those = [(overlap(truth, f), f) for f in found if f.kind == truth.kind]
    if until is not None:
        # numbers that begin later cannot be told yet: how much of the finding is the centre's
        names = set(truth.subjects)
        those = [
            (
                len(names & set(f.subjects))
                / max(sum(s.startswith("number:") for s in f.subjects), 1),
                f,
            )
            for f in found
            if f.kind == truth.kind
        ]
    return max(those, key=lambda o: o[0], default=(0.0, None))


def _count(truths: list[Truth], found: list[Finding], subscribers: int, note: Any) -> None:
    guilty = {s for t in truths for s in t.subjects if t.kind.startswith("calls.")}
    false = 0
    for finding in found:
        if finding.kind == "calls.call_centre":
            false += sum(s.startswith("number:") and s not in guilty for s in finding.subjects)
    note("false", false)
    note("subscribers", subscribers)
    for truth in truths:
        if truth.kind == "calls.number_succession":
            continue
        share, finding = _best(truth, found)
        if truth.kind == "calls.simbox":
            note("box", share >= 0.5)
            continue
        note("jaccard", share)
        if finding is not None and share >= 0.5 and finding.place and truth.place:
            lon, lat = truth.place["coordinates"]
            east, north = finding.place["coordinates"]
            away = float(distance_m(lat, lon, north, east))
            note("held", away <= (finding.radius_m or 0))
    told = score(truths, found)
    (one,) = [k for k in told.kinds if k.kind == "calls.number_succession"]
    note("right", one.found)
    note("said", one.found + one.false)
    note("there", one.truths)


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
                said = _in_child(name, folder)
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


def _in_child(name: str, folder: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.rings", name, str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
        timeout=1800,
    )
    return dict(json.loads(done.stdout))


def child(name: str, folder: Path) -> dict[str, float]:
    """One search or scan in this process."""
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
    return [*cost(quick=quick), *quality(quick=quick)]


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(child(sys.argv[1], Path(sys.argv[2]))))
    else:
        for line in run("--quick" in sys.argv):
            print(json.dumps(line, ensure_ascii=False))
