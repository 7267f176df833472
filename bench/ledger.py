"""The ledger beside pymerkle's SQLite tree: durable appends a second, and verifying a million.

Both write to the same disk in the same run, by turns. pymerkle is told to keep what it
commits through a power cut (`synchronous=FULL`, its default), as the ledger does.
"""

from __future__ import annotations

import json
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cordon.kernel.clock import SystemClock
from cordon.kernel.ledger import Ledger, NewEntry, export, load_key, verify_export, verify_rows
from cordon.kernel.store.rows import Base, Rows

ORIGIN = "bench.example/ledger"
THREADS = 64


def entry(n: int) -> NewEntry:
    return NewEntry(
        act="operations.alert.acknowledge",
        outcome="done",
        actor=f"0199aaaa-0000-7000-8000-{n % 50:012d}",
        unit=f"KHI-{n % 9}",
        thing=f"alert:0199bbbb-0000-7000-8000-{n % 1000:012d}",
        mark="TLP:AMBER",
        authority=f"0199cccc-0000-7000-8000-{n % 7:012d}",
        detail={"n": n},
    )


def open_ledger(folder: Path) -> Ledger:
    rows = Rows(f"sqlite:///{folder / 'node.db'}")
    Base.metadata.create_all(rows.engine)
    return Ledger(
        rows,
        SystemClock(),
        agency="bench",
        origin=ORIGIN,
        key=load_key(folder / "keys", ORIGIN),
        folder=folder / "ledger",
    )


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def from_threads(append: Callable[[int], object], count: int) -> None:
    each = count // THREADS

    def work(thread: int) -> None:
        for n in range(each):
            append(thread * each + n)

    threads = [threading.Thread(target=work, args=(t,)) for t in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def one_by_one(append: Callable[[int], object], count: int) -> None:
    for n in range(count):
        append(n)


def appends(folder: Path, *, quick: bool) -> list[dict[str, Any]]:
    try:
        from pymerkle import SqliteTree
    except ImportError:  # the bench group brings it
        SqliteTree = None
    ledger = open_ledger(folder)
    tree = SqliteTree(str(folder / "peer.db")) if SqliteTree else None

    def ours(n: int) -> object:
        return ledger.append(entry(n))

    def theirs(n: int) -> object:
        assert tree is not None
        return tree.append_entry(entry(n).leaf(n, "2026-03-06T12:00:00.000000Z", "bench"))

    cases = [
        (
            f"durable appends, {THREADS} threads",
            from_threads,
            64 * (40 if quick else 200),
            256,
            5000,
        ),
        ("durable appends, one at a time", one_by_one, 300 if quick else 1000, 150, None),
    ]
    table = []
    for what, way, our_count, their_count, goal in cases:
        rates: dict[str, list[float]] = {"ours": [], "peer": []}
        wall = cpu = 0.0
        for _ in range(2 if quick else 5):
            our_wall, our_cpu = timed(lambda w=way, c=our_count: w(ours, c))
            rates["ours"].append(our_count / our_wall)
            wall, cpu = wall + our_wall, cpu + our_cpu
            if tree is not None:
                their_wall, _ = timed(lambda w=way, c=their_count: w(theirs, c))
                rates["peer"].append(their_count / their_wall)
        table.append(
            {
                "what": what,
                "ours": round(statistics.median(rates["ours"])),
                "peer": round(statistics.median(rates["peer"])) if rates["peer"] else None,
                "unit": "1/s",
                "goal": None if goal is None else f"≥ {goal}",
                "cpu_s": round(cpu, 2),
                "wall_s": round(wall, 2),
            }
        )
    ledger.close()
    ledger.rows.close()
    if tree is not None:
        tree.close()
    return table


def verifying(folder: Path, *, quick: bool) -> list[dict[str, Any]]:
    ledger = open_ledger(folder)
    count = 50_000 if quick else 1_000_000
    batch = [entry(n) for n in range(10_000)]
    while ledger.size() < count:
        ledger.append_many(batch)
    export(ledger, folder / "export")
    table = []
    for what, work in (
        ("an export", lambda: verify_export(folder / "export", ledger.verifier).require()),
        ("the database", lambda: verify_rows(ledger).require()),
    ):
        wall, cpu = timed(work)
        table.append(
            {
                "what": f"verify {what} of {count:,} entries",
                "ours": round(wall, 2),
                "peer": None,
                "unit": "s",
                "goal": None if quick else "≤ 10",
                "cpu_s": round(cpu, 2),
                "wall_s": round(wall, 2),
            }
        )
    ledger.close()
    ledger.rows.close()
    return table


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows for the table of `make bench`; goals are the project's own."""
    table = []
    for part in (appends, verifying):
        folder = Path(tempfile.mkdtemp(prefix="cordon-bench-"))
        try:
            table += part(folder, quick=quick)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return table


if __name__ == "__main__":
    for line in run():
        print(json.dumps(line, ensure_ascii=False))
