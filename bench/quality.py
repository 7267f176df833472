"""What `calls find` finds of call centres, on worlds that nobody looked at while building.

Each centre by its third day of work (with what had been received by then), how much of it, whom it
names falsely, whether the 90 % region holds the site, and who is said to go on from whom. A seed
takes minutes: each is kept as it is done, for the same sources, so that a run that was cut short
goes on where it was.
"""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from bench.measuring import ROOT, Taken, row
from bench.rings import searched
from cordon.exercise import read_truths, score, world
from cordon.exercise.model import Truth
from cordon.exercise.score import overlap
from cordon.kernel.findings import Finding
from cordon.kernel.geo import distance_m

SEEDS = range(1001, 1011)
DAYS = 30.0
SCALE = 1.0  # 300,000 subscribers
KEPT = ROOT / "bench" / "out" / "quality.jsonl"
SOURCES = ("src/cordon/calls", "src/cordon/exercise/worlds/calling")
CENTRE = "calls.call_centre"
Note = Callable[[str, float], None]
Notes = dict[str, list[float]]


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows for the table of `make bench`."""
    seeds, scale = (list(SEEDS)[:1], 0.02) if quick else (list(SEEDS), SCALE)
    sources, known = _sources(), {} if quick else _known()
    taken, tally = Taken(), Notes()
    for seed in seeds:
        notes = known.get((seed, scale, sources))
        if notes is None:
            notes = _of_seed(seed, scale)
            if not quick:
                _keep({"seed": seed, "scale": scale, "sources": sources, "notes": notes})
        print(f"  seed {seed}: {json.dumps(notes)}", flush=True)
        for name, values in notes.items():
            tally.setdefault(name, []).extend(values)
    for wall, cpu in zip(tally["wall"], tally["cpu"], strict=True):
        taken.add(wall, cpu)
    people = f"{round(scale * 300_000):,} subscribers"
    what = f"{len(seeds)} seeds of `callcentre`, {DAYS:.0f} days, {people}"
    early, jaccard, held = tally["by the third day"], tally["jaccard"], tally["held"]
    told = [
        (f"centres found by their third day of work, of {len(early)}", statistics.mean(early), "1"),
        (f"centres found in the end, of {len(jaccard)}",
         statistics.mean(j >= 0.5 for j in jaccard), "1"),
        ("Jaccard overlap of a centre's numbers, least", min(jaccard), "≥ 0.8"),
        ("Jaccard overlap of a centre's numbers, median", statistics.median(jaccard), "≥ 0.8"),
        ("false numbers a million subscribers",
         1e6 * sum(tally["false"]) / sum(tally["subscribers"]), "≤ 20"),
        (f"90 % regions that hold the site, of {len(held)}", statistics.mean(held), "≥ 0.9"),
        ("successions right, of those said", sum(tally["right"]) / sum(tally["said"]), "≥ 0.9"),
        ("successions said and right, of those there are",
         sum(tally["right"]) / sum(tally["there"]), None),
        (f"SIM boxes found, of {len(tally['box'])}", statistics.mean(tally["box"]), None),
    ]  # fmt: skip
    return [row(f"{what}: {n}", value, None, "1", taken, goal=goal) for n, value, goal in told]


def _of_seed(seed: int, scale: float) -> Notes:
    """What was counted on one world."""
    folder = Path(tempfile.mkdtemp(prefix="cordon-bench-"))
    notes = Notes()

    def note(name: str, value: float) -> None:
        notes.setdefault(name, []).append(float(value))

    try:
        made = world("callcentre").generate(seed, DAYS, scale, folder)
        truths = list(read_truths(folder / "truth.jsonl"))
        wall, cpu = time.perf_counter(), time.process_time()
        found = searched(folder)
        note("wall", round(time.perf_counter() - wall, 1))
        note("cpu", round(time.process_time() - cpu, 1))
        _count(truths, found, made.rows["subscribers"], note)
        for truth in truths:
            if truth.kind == CENTRE:
                # the third day of work ends three days after the first call
                until = truth.start + timedelta(days=3)
                early = searched(_known_by(folder, until), until=until)
                note("by the third day", _share_of(truth, early) >= 0.5)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return notes


def _known_by(folder: Path, until: datetime) -> Path:
    """The world as it was known then: complaints that were received, payments that were made."""
    known = folder / "known"
    shutil.rmtree(known, ignore_errors=True)
    known.mkdir()
    for name in ("calls.parquet", "subscribers.csv", "cells.csv"):
        (known / name).symlink_to(folder / name)
    for name, column in (("complaints.csv", "received"), ("payments.csv", "at")):
        with (folder / name).open(newline="") as every, (known / name).open("w") as some:
            rows = csv.DictReader(every)
            made = csv.DictWriter(some, rows.fieldnames or ())
            made.writeheader()
            made.writerows(r for r in rows if datetime.fromisoformat(r[column]) < until)
    return known


def _sources() -> str:
    """Changes whenever what is measured does."""
    every = (p for s in SOURCES for p in (ROOT / s).rglob("*"))
    paths = [*sorted(p for p in every if p.suffix in (".py", ".yaml")), Path(__file__)]
    return hashlib.sha256(b"".join(p.read_bytes() for p in paths)).hexdigest()[:16]


def _known() -> dict[tuple[int, float, str], Notes]:
    if not KEPT.exists():
        return {}
    lines = [json.loads(line) for line in KEPT.read_text().splitlines()]
    return {(k["seed"], k["scale"], k["sources"]): k["notes"] for k in lines}


def _keep(line: dict[str, Any]) -> None:
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    with KEPT.open("a") as kept:
        kept.write(json.dumps(line) + "\n")


def _best(truth: Truth, found: Iterable[Finding]) -> tuple[float, Finding | None]:
    """The best overlap among findings of its kind."""
    those = [(overlap(truth, f), f) for f in found if f.kind == truth.kind]
    return max(those, key=lambda o: o[0], default=(0.0, None))


def _share_of(truth: Truth, early: Iterable[Finding]) -> float:
    """How much of a finding is the centre's: numbers that begin later cannot be told yet."""
    names = set(truth.subjects)
    shares = [
        len(names & set(f.subjects)) / max(sum(s.startswith("number:") for s in f.subjects), 1)
        for f in early
        if f.kind == truth.kind
    ]
    return max(shares, default=0.0)


def _count(truths: list[Truth], found: list[Finding], subscribers: int, note: Note) -> None:
    guilty = {s for t in truths for s in t.subjects if t.kind.startswith("calls.")}
    false = 0
    for finding in found:
        if finding.kind == CENTRE:
            false += sum(s.startswith("number:") and s not in guilty for s in finding.subjects)
    note("false", false)
    note("subscribers", subscribers)
    for truth in truths:
        if truth.kind not in (CENTRE, "calls.simbox"):
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
