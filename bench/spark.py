"""Spark beside DuckDB: the same search over the same calls, to the same bytes.

A standalone master and two workers of one core each run on loopback, from the scripts of the
PySpark package; DuckDB has two threads. Each search runs in a process of its own, by turns, and
the findings of every run must be the same bytes. Memory is the most that all processes of a
search had at a time together, pages that they share counted in each.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from bench.measuring import ROOT, Taken, row
from cordon.calls import forms
from cordon.calls.detectors import all_detectors
from cordon.calls.detectors.data import CallData
from cordon.calls.plain import read_plain
from cordon.calls.registers import read_register
from cordon.calls.survey import Sources, count_everybody, engine_over, gather
from cordon.exercise import world
from cordon.kernel.errors import Unavailable
from cordon.kernel.findings import write_findings

WORKERS, MEMORY_MB = 2, 1536
MOST_S = 1_200  # a process that is still there then is ended
DAYS, SCALE = 30, 0.13  # some 5 million calls
QUICK_DAYS, QUICK_SCALE = 6, 0.02
PAGE = os.sysconf("SC_PAGE_SIZE")


@contextmanager
def cluster(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """A master and its workers; its address and their process ids. Ended with the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"spark://127.0.0.1:{port}"
    of = "org.apache.spark.deploy"
    loopback = ("--host", "127.0.0.1", "--webui-port", "0")
    begun: list[subprocess.Popen[bytes]] = []
    try:
        begun.append(
            _begun(folder / "master", f"{of}.master.Master", *loopback, "--port", str(port))
        )
        _wait_for(folder / "master", "I have been elected leader", begun[0])
        for number in range(WORKERS):
            home = folder / f"worker-{number}"
            given = ("--cores", "1", "--memory", f"{MEMORY_MB}m", "--work-dir", str(home))
            begun.append(_begun(home, f"{of}.worker.Worker", *loopback, *given, address))
        for number, worker in enumerate(begun[1:]):
            _wait_for(folder / f"worker-{number}", "Successfully registered", worker)
        yield address, [p.pid for p in begun]
    finally:
        for process in reversed(begun):
            process.terminate()
        for process in begun:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _begun(home: Path, name: str, *given: str) -> subprocess.Popen[bytes]:
    import pyspark

    script = Path(pyspark.__file__).parent / "bin" / "spark-class"
    home.mkdir(parents=True)
    with (home / "log").open("wb") as log:
        return subprocess.Popen(
            ["timeout", str(MOST_S), str(script), name, *given],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            # the first, so that its own pages listen on loopback too
            env={**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "384m"},
        )


def _wait_for(home: Path, words: str, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 120
    while words not in (said := (home / "log").read_text("utf-8", "replace")):
        if process.poll() is not None or time.monotonic() > until:
            raise Unavailable(f"Spark did not begin: {said.strip().splitlines()[-1:]}")
        time.sleep(0.2)


def running(folder: Path, *, quick: bool) -> list[dict[str, Any]]:
    days, scale = (QUICK_DAYS, QUICK_SCALE) if quick else (DAYS, SCALE)
    files = folder / "files"
    world("callcentre").generate(seed=11, days=days, scale=scale, out=files)
    rows = pq.read_metadata(files / "calls.parquet").num_rows
    taken = {name: Taken() for name in ("duckdb", "spark")}
    told: dict[str, list[dict[str, Any]]] = {name: [] for name in taken}
    with cluster(folder / "cluster") as (address, daemons):
        for _ in range(1 if quick else 3):
            for name, one in taken.items():
                theirs = daemons if name == "spark" else []
                said = in_child(address if name == "spark" else name, files, theirs)
                told[name].append(said)
                one.add(said["wall"], said["cpu"])
    said = [s for those in told.values() for s in those]
    if len({s["sha256"] for s in said}) != 1:
        raise AssertionError("Spark's findings are other bytes than DuckDB's")
    if not said[0]["found"]:
        raise AssertionError("nothing was found: equal bytes would say nothing")

    def middle(name: str, what: str) -> float:
        return round(statistics.median(s[what] for s in told[name]), 2)

    what = (
        f"search for call centres over {rows:,} calls, Spark's master and {WORKERS} workers of "
        f"one core (peer: DuckDB, {WORKERS} threads; {said[0]['found']} findings, the same bytes)"
    )
    lines = (
        (what, "wall", "s"),
        ("of it: until the engine is ready", "ready", "s"),
        ("of it: the passes over all calls", "passes", "s"),
        ("of it: what is left, in this process", "rest", "s"),
        ("peak memory of all its processes", "peak_mb", "MB"),
    )
    return [
        row(words, middle("spark", key), middle("duckdb", key), unit, taken["spark"])
        for words, key, unit in lines
    ]


def in_child(name: str, files: Path, daemons: Sequence[int]) -> dict[str, Any]:
    """One search in a process of its own, and the memory of it and of the daemons' processes."""
    done = subprocess.Popen(
        [sys.executable, "-m", "bench.spark", name, str(files)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    peak = 0
    over = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not over.wait(0.25):
            peak = max(peak, resident([done.pid, *daemons]))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        words, _ = done.communicate(timeout=MOST_S)
    except subprocess.TimeoutExpired:
        done.kill()
        done.wait()
        raise
    finally:
        over.set()
        watcher.join()
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, done.args)
    return {**json.loads(words), "peak_mb": peak / 1e6}


def resident(roots: Sequence[int]) -> int:
    """Bytes that these processes and all that they began have in memory."""
    children: dict[int, list[int]] = {}
    pages: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # the name in brackets may hold anything
            values = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(stat.parent.name)
        children.setdefault(int(values[1]), []).append(pid)
        pages[pid] = int(values[21])
    left, total = list(roots), 0
    while left:
        pid = left.pop()
        total += pages.get(pid, 0)
        left += children.get(pid, [])
    return total * PAGE


def child(name: str, files: Path) -> dict[str, Any]:
    """One search in this process: seconds of its parts, and what it found."""
    moments = [time.perf_counter()]
    cpu = time.process_time()
    sources = Sources(raw=(files / "calls.parquet",))
    complaints = read_plain(files / "complaints.csv", forms.COMPLAINTS).table
    with engine_over(
        sources, name, memory_mb=2048 if name == "duckdb" else 1024, threads=WORKERS
    ) as engine:
        engine.table("SELECT 1 AS one")
        moments.append(time.perf_counter())
        engine.each_once()
        census = count_everybody(engine)
        assert census is not None
        named = [n for n in complaints["suspect_number"].to_pylist() if n]
        data = CallData(
            engine,
            census,
            gather(engine, census, named),
            read_register(files / "subscribers.csv", "PK").holders,
            cells=read_plain(files / "cells.csv", forms.CELLS).table,
            complaints=complaints,
            region="PK",
            utc_offset_s=18_000,
        )
        moments.append(time.perf_counter())
        found = list(write_findings(f for d in all_detectors() for f in d.find(data)))
        moments.append(time.perf_counter())
    moments.append(time.perf_counter())
    ready, passes, rest, _ = (b - a for a, b in pairwise(moments))
    return {
        "wall": moments[-1] - moments[0],
        "cpu": time.process_time() - cpu,
        "ready": ready,
        "passes": passes,
        "rest": rest,
        "found": len(found),
        "sha256": hashlib.sha256(b"".join(found)).hexdigest(),
    }


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows for the table of `make bench`."""
    folder = Path(tempfile.mkdtemp(prefix="cordon-bench-"))
    try:
        return running(folder, quick=quick)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        print(json.dumps(child(sys.argv[1], Path(sys.argv[2]))))
    else:
        for line in run(quick="--quick" in sys.argv):
            print(json.dumps(line, ensure_ascii=False))
