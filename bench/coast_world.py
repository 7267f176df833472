"""The world `coast` beside real logs of vessels.

`python -m bench.coast_world` generates the world, reads its table as anybody would, draws
docs/img/world-coast-*.svg and writes the tables of docs/worlds-coast.md between its marks.
"""

from __future__ import annotations

import argparse
import csv
import re
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

from bench.measuring import ROOT
from bench.real_tracks import Log, of_world, real_logs
from bench.world import beyond
from bench.world_plots import Axis, Plot
from cordon.exercise import read_truths, world

PAGE = ROOT / "docs" / "worlds-coast.md"
IMAGES = ROOT / "docs" / "img"
SEED, DAYS, SCALE = 20260117, 1, 1.0
SHOWN = ("KHI", "ORM")  # stations of the world: one with a harbour, one with a lane before it
Rows = list[tuple[str, ...]]


def quantiles(values: np.ndarray, digits: int = 0) -> str:
    """10, 50, 90 and 99 of 100 are smaller."""
    if not len(values):
        return "–"
    return ", ".join(f"{q:.{digits}f}" for q in np.quantile(values, (0.1, 0.5, 0.9, 0.99)))


def gaps(logs: list[Log]) -> Rows:
    """Times between two reports of one vessel, under way and lying still."""
    plot = Plot(
        "Time between two reports of a vessel under way (above 3 kn)",
        Axis("seconds", 1, 20_000, log=True),
        Axis("share at least as long", 1e-3, 1, log=True),
    )
    rows: Rows = []
    for log in logs:
        moving = log.gaps(3, 200)
        rows.append((log.name, quantiles(moving), quantiles(log.gaps(0, 0.5))))
        if log.name in ("New York harbour", "Solent") or log.name.startswith(SHOWN):
            x, y = beyond(moving)
            plot.lines.append((log.name, x.tolist(), y.tolist(), log.name.startswith(SHOWN)))
    plot.write(IMAGES / "world-coast-gaps.svg")
    return rows


def speeds(logs: list[Log]) -> Rows:
    """Speeds under way, and the share that lies still."""
    plot = Plot(
        "Speed of vessels under way (0.5 kn and more)",
        Axis("knots", 0, 35),
        Axis("share at least as fast", 0, 1),
    )
    rows: Rows = []
    for log in logs:
        told = log.speed[~np.isnan(log.speed)]
        moving = told[(told >= 0.5) & (told < 60)]
        rows.append((log.name, quantiles(moving, 1), f"{(told < 0.5).mean():.0%}"))
        if log.name in ("New York harbour", "Solent") or log.name.startswith(SHOWN):
            x, y = beyond(np.round(moving, 1))
            plot.lines.append((log.name, x.tolist(), y.tolist(), log.name.startswith(SHOWN)))
    plot.write(IMAGES / "world-coast-speeds.svg")
    return rows


def headings(logs: list[Log]) -> Rows:
    """How far the course changes from report to report, and how often a place is told again."""
    plot = Plot(
        "Change of course in 50 to 130 s, under way (above 3 kn)",
        Axis("degrees", 0.1, 180, log=True),
        Axis("share at least as much", 1e-3, 1, log=True),
    )
    rows: Rows = []
    for log in logs:
        turns = log.turns(50, 130)
        again = (f"{v:.1%}" if v == v else "–" for v in (log.held(3, 200), log.held(0, 0.5)))
        rows.append((log.name, quantiles(turns, 1), *again))
        if len(turns) > 100 and (log.name == "New York harbour" or log.name.startswith(SHOWN)):
            x, y = beyond(np.maximum(turns, 0.1))
            plot.lines.append((log.name, x.tolist(), y.tolist(), log.name.startswith(SHOWN)))
    plot.write(IMAGES / "world-coast-turns.svg")
    return rows


def holds(folder: Path) -> Rows:
    """What is in the table: rows, subjects, and reports of each by type."""
    rows: Counter[str] = Counter()
    subjects: defaultdict[str, set[str]] = defaultdict(set)
    with (folder / "positions.csv").open(encoding="utf-8", newline="") as lines:
        for r in csv.DictReader(lines):
            type_ = r["subject"].partition(":")[0]
            rows[type_] += 1
            subjects[type_].add(r["subject"])
    return [(f"`{t}:`", f"{len(subjects[t]):,}", f"{n:,}") for t, n in rows.most_common() if n > 20]


def planted(folder: Path) -> Rows:
    """How many truths of each kind there are."""
    found = Counter(t.kind for t in read_truths(folder / "truth.jsonl"))
    return [(f"`{kind}`", str(n)) for kind, n in sorted(found.items())]


def table(head: tuple[str, ...], rows: Rows) -> str:
    """Rows as a Markdown table."""
    lines = [f"| {' | '.join(head)} |", f"| {' | '.join('---' for _ in head)} |"]
    return "\n".join(lines + [f"| {' | '.join(row)} |" for row in rows])


def put(page: Path, parts: dict[str, str]) -> None:
    """Write parts of a page between their marks, and show them."""
    text = page.read_text("utf-8") if page.exists() else ""
    for name, part in parts.items():
        print(f"{name}\n{part}\n")
        text = re.sub(
            rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
            lambda found, part=part: f"{found[1]}{part}\n{found[2]}",
            text,
            flags=re.S,
        )
    if text:
        page.write_text(text, "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.coast_world", description=__doc__)
    parser.add_argument("--folder", type=Path, help="a world that is there already")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = asked.folder or Path(made)
        if asked.folder is None:
            world("coast").generate(SEED, DAYS, SCALE, folder)
        logs = [*(of_world(folder, s) for s in (*SHOWN, "SON", "GWD")), *real_logs()]
        of = "10, 50, 90, 99 of 100"
        moves = ("", f"course changes in 50 to 130 s (°), {of}", "place again, under way", "still")
        parts = {
            "size": f"Seed {SEED}, {DAYS} day, scale {SCALE:g}.",
            "holds": table(("subjects", "different ones", "rows"), holds(folder)),
            "planted": table(("kind", "truths"), planted(folder)),
            "gaps": table(("", f"under way (s), {of}", f"lying still (s), {of}"), gaps(logs)),
            "speeds": table(
                ("", f"0.5 kn and more (kn), {of}", "reports below 0.5 kn"), speeds(logs)
            ),
            "headings": table(moves, headings(logs)),
        }
    put(PAGE, parts)


if __name__ == "__main__":
    main()
