"""What a call costs `calls find` in files of some 5, 50 and 200 million; each is read once.

Apart from `rings`, because the worlds take an hour to make.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.measuring import Taken, row
from bench.rings import in_child
from cordon.exercise import world

GROWTH = (0.13, 1.3, 5.2)  # of 300,000 subscribers


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows for the table of `make bench`."""
    rows: list[dict[str, Any]] = []
    first = 0.0
    for scale in (0.01, 0.02) if quick else GROWTH:
        folder = Path(tempfile.mkdtemp(prefix="cordon-bench-"))
        try:
            made = world("callcentre").generate(1001, 30.0, scale, folder)
            taken, said = Taken(), in_child("find", folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        taken.add(said["wall"], said["cpu"])
        calls = made.rows["calls"]
        each = said["cpu"] / calls * 1e6
        first = first or each
        what = f"`calls find` on {calls:,} calls, a million of them ({each / first:.2f} times the "
        rows.append(
            row(f"{what}first; peak memory {said['peak_mb']:,.0f} MB)", round(each, 2), None,
                "CPU s", taken, goal="≤ 1.15 times")
        )  # fmt: skip
    return rows


if __name__ == "__main__":
    for line in run("--quick" in sys.argv):
        print(json.dumps(line, ensure_ascii=False))
