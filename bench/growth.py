"""What a call costs `calls find` in files of some 5, 50 and 200 million; each is read once.

Apart from `rings`, because the worlds take an hour to make. Each is kept under `bench/out` once
it is made, for the same generator, so that a run that was cut short goes on where it was.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from bench.measuring import ROOT, Taken, row
from bench.rings import in_child
from cordon.exercise import world

GROWTH = (0.13, 1.3, 5.2)  # of 300,000 subscribers
SEED, DAYS = 1001, 30.0
KEPT = ROOT / "bench" / "out" / "growth"
SOURCES = ROOT / "src" / "cordon" / "exercise" / "worlds"


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows for the table of `make bench`."""
    worlds = [made(scale) for scale in ((0.01, 0.02) if quick else GROWTH)]
    rows: list[dict[str, Any]] = []
    first = 0.0
    for folder in worlds:
        calls = json.loads((folder / "rows.json").read_text())["calls"]
        taken, said = Taken(), in_child("find", folder)
        taken.add(said["wall"], said["cpu"])
        each = said["cpu"] / calls * 1e6
        first = first or each
        what = f"`calls find` on {calls:,} calls, a million of them ({each / first:.2f} times the "
        rows.append(
            row(f"{what}first; peak memory {said['peak_mb']:,.0f} MB)", round(each, 2), None,
                "CPU s", taken, goal="≤ 1.15 times")
        )  # fmt: skip
    return rows


def made(scale: float) -> Path:
    """The folder of a world of that scale, made where it is not there yet."""
    paths = sorted(SOURCES.rglob("*.[py][ya]*"))
    sources = hashlib.sha256(b"".join(p.read_bytes() for p in paths)).hexdigest()[:16]
    folder = KEPT / f"{sources}-{scale}"
    if not folder.exists():
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        rows = world("callcentre").generate(SEED, DAYS, scale, part).rows
        (part / "rows.json").write_text(json.dumps(rows))
        part.rename(folder)
    return folder


if __name__ == "__main__":
    for line in run("--quick" in sys.argv):
        print(json.dumps(line, ensure_ascii=False))
