"""What the behaviours find on coasts and borders that nobody looked at while building.

Ten seeds of each of the worlds `coast` and `frontier`, a day each, at full size; recall, and false
findings a watch of eight hours a sector, beside the published rule where there is one. Each seed
is kept as it is done, for the same sources, so that a run that was cut short goes on.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.measuring import ROOT, Taken, row
from bench.published import RULES
from cordon.exercise import read_truths, score, world
from cordon.exercise.model import Truth
from cordon.kernel.findings import Finding
from cordon.picture.cover.reading import read_means
from cordon.picture.detect import find
from cordon.picture.feeds.readers import open_positions
from cordon.picture.tracks import Tracks
from cordon.picture.zones import read_zones

SEEDS = range(9001, 9011)
DAYS, SCALE = 1.0, 1.0
WATCHES = 3 * DAYS
KEPT = ROOT / "bench" / "out" / "lookout.jsonl"
SOURCES = ("src/cordon/picture", "src/cordon/exercise/worlds", "src/cordon/kernel/geo.py")
EITHER = {"picture.shared_identity": ("picture.impossible_move",),
          "picture.false_position": ("picture.impossible_move",)}  # fmt: skip
"""Kinds that are right, too, of what is planted as another: docs/worlds-coast.md."""


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows for the table of `make bench`."""
    seeds, scale = (list(SEEDS)[:1], 0.2) if quick else (list(SEEDS), SCALE)
    sources, known = _sources(), {} if quick else _known()
    rows = []
    for name in ("coast", "frontier"):
        taken, sums = Taken(), defaultdict(lambda: [0, 0, 0])
        sectors, positions = 0, 0
        for seed in seeds:
            notes = known.get((name, seed, scale, sources))
            if notes is None:
                notes = _of_seed(name, seed, scale)
                line = {"world": name, "seed": seed, "scale": scale, "sources": sources}
                if not quick:
                    _keep({**line, "notes": notes})
            print(f"  {name} {seed}: {json.dumps(notes)}", flush=True)
            taken.add(notes["wall"], notes["cpu"])
            sectors, positions = sectors + notes["sectors"], positions + notes["positions"]
            for key, counts in notes["kinds"].items():
                sums[key] = [a + b for a, b in zip(sums[key], counts, strict=True)]
        what = f"{len(seeds)} seeds of `{name}`, a day, {positions:,} positions"
        rows += _rows(what, sums, sectors * WATCHES, taken)
    return rows


def _rows(what: str, sums: dict[str, list[int]], watches: float, taken: Taken) -> list[Any]:
    """A row for recall and one for false findings of each kind; sums: truths, found, false."""
    rows = []
    for kind in sorted(k for k in sums if "/" not in k):
        truths, found, false = sums[kind]
        peer = sums.get(f"{kind}/published")
        by = f"; peer: {RULES[kind][0]}" if peer else ""
        name = kind.removeprefix("picture.")
        if truths:
            rows.append(
                row(f"{what}: {name}, recall of {truths}{by}", found / truths,
                    peer[1] / peer[0] if peer else None, "1", taken, goal="≥ 0.95")
            )  # fmt: skip
        rows.append(
            row(f"{what}: {name}, false findings a watch a sector{by}", false / watches,
                peer[2] / watches if peer else None, "1", taken, goal="≤ 2")
        )  # fmt: skip
    return rows


def _of_seed(name: str, seed: int, scale: float) -> dict[str, Any]:
    """What was counted on one world."""
    folder = Path(tempfile.mkdtemp(prefix="cordon-bench-"))
    try:
        world(name).generate(seed, DAYS, scale, folder)
        truths = list(read_truths(folder / "truth.jsonl"))
        zones = read_zones(folder / "zones.geojson")
        tracks = Tracks.build(open_positions(folder / "positions.csv").batches())
        wall, cpu = time.perf_counter(), time.process_time()
        found = find(tracks, zones, _chosen(folder))
        notes: dict[str, Any] = {
            "wall": round(time.perf_counter() - wall, 2),
            "cpu": round(time.process_time() - cpu, 2),
            "positions": len(tracks),
            "sectors": sum(z.kind == "patrol_sector" for z in zones),
            "kinds": counted(truths, found),
        }
        published = [f for _, rule in RULES.values() for f in rule(tracks, zones)]
        for kind, counts in counted(truths, published).items():
            if kind in RULES:
                notes["kinds"][f"{kind}/published"] = counts
        return notes
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _chosen(folder: Path) -> Sequence[Any]:
    """All behaviours, with the world's own list of sensors."""
    from cordon.picture.behaviours import behaviours
    from cordon.picture.cover import uncovered

    means = read_means(folder / "sensors.csv", None)
    return [uncovered.with_means(means) if b is uncovered else b for b in behaviours()]


def counted(truths: Sequence[Truth], found: Sequence[Finding]) -> dict[str, list[int]]:
    """Truths, found and false of each kind.

    Where two kinds are right of one episode, a finding of either tells it, and is not false.
    """
    told = score(truths, found, days=DAYS)
    used = {b for _, b in told.answers}
    counts = {k.kind: [k.truths, k.found, k.false] for k in told.kinds}
    answered = {a for a, _ in told.answers}
    for n, truth in enumerate(truths):
        # the same episode is planted under both kinds, and one finding tells it
        twins = [
            m
            for m, t in enumerate(truths)
            if truth.kind in EITHER.get(t.kind, ()) and t.subjects == truth.subjects
            and t.start == truth.start
        ]  # fmt: skip
        if n not in answered and answered & set(twins):
            counts[truth.kind][1] += 1
    for planted, others in EITHER.items():
        for other in others:
            left = [n for n, f in enumerate(found) if n not in used and f.kind == other]
            also = [t for t in truths if t.kind == planted]
            for n in left:
                f = found[n]
                if any(
                    set(t.subjects) & set(f.subjects) and t.start <= f.end and f.start <= t.end
                    for t in also
                ):
                    counts[other][2] -= 1
    return counts


def _sources() -> str:
    """Changes whenever what is measured does."""
    paths = sorted(
        p
        for s in SOURCES
        for p in ((ROOT / s).rglob("*.[py][ya]*") if (ROOT / s).is_dir() else [ROOT / s])
    )
    return hashlib.sha256(b"".join(p.read_bytes() for p in paths)).hexdigest()[:16]


def _known() -> dict[tuple[str, int, float, str], dict[str, Any]]:
    if not KEPT.exists():
        return {}
    lines = [json.loads(line) for line in KEPT.read_text().splitlines()]
    return {(k["world"], k["seed"], k["scale"], k["sources"]): k["notes"] for k in lines}


def _keep(line: dict[str, Any]) -> None:
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    with KEPT.open("a") as kept:
        kept.write(json.dumps(line) + "\n")
