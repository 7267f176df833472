"""The world `frontier` measured, beside what was published of walkers, flocks and ground sensors.

`python -m bench.frontier_world` generates the world, reads its table as anybody would, draws
docs/img/world-frontier-*.svg and writes the tables of docs/worlds-frontier.md between its marks.
There is no public log of a land border; speeds on foot and shares of false trips are published.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from collections import defaultdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from bench.coast_world import Rows, holds, planted, put, quantiles, table
from bench.measuring import ROOT
from bench.world import beyond
from bench.world_plots import Axis, Plot
from cordon.exercise import read_truths, world

PAGE = ROOT / "docs" / "worlds-frontier.md"
IMAGES = ROOT / "docs" / "img"
SEED, DAYS, SCALE = 20260306, 1, 1.0
_LOCAL_H = 5
Reports = dict[str, list[tuple[float, float, str]]]


def read(folder: Path) -> Reports:
    """Of each subject: time (s since the epoch), speed (kn) and kind of its reports, by time."""
    found: Reports = defaultdict(list)
    with (folder / "positions.csv").open(encoding="utf-8", newline="") as lines:
        for r in csv.DictReader(lines):
            if r["at"].startswith("20"):
                t = datetime.fromisoformat(r["at"]).timestamp()
                found[r["subject"]].append((t, float(r["speed_kn"] or "nan"), r["kind"]))
    return {subject: sorted(some) for subject, some in found.items()}


def speeds(reports: Reports) -> Rows:
    """Speeds of tracks by what the sensor takes them for (m/s)."""
    by: defaultdict[str, list[float]] = defaultdict(list)
    for subject, some in reports.items():
        if subject.startswith(("radar:", "track:")) and len(some) >= 6:
            kinds = [k for *_, k in some]
            kind = max(set(kinds), key=kinds.count)
            by[kind].append(float(np.median([v for _, v, _ in some])) * 0.5144)
    plot = Plot(
        "Median speed of a track, by kind", Axis("m/s", 0, 15), Axis("share at least as fast", 0, 1)
    )
    for kind in ("person", "unknown", "vehicle"):
        x, y = beyond(np.round(np.array(by[kind]), 2))
        plot.lines.append((kind, x.tolist(), y.tolist(), False))
    plot.write(IMAGES / "world-frontier-speeds.svg")
    says = {
        "person": "slow 0.82, usual 1.31, fast 1.72 (Murtagh et al. 2021)",
        "vehicle": "–",
        "unknown": "animals, flocks, bushes: no figure found",
    }
    return [
        (kind, f"{len(by[kind]):,}", quantiles(np.array(by[kind]), 2), says[kind])
        for kind in ("person", "unknown", "vehicle")
    ]


def lasting(reports: Reports) -> Rows:
    """How long tracks last, and how often they are reported."""
    rows: Rows = []
    plot = Plot(
        "How long a track lasts",
        Axis("minutes", 0.1, 1000, log=True),
        Axis("share at least as long", 1e-3, 1, log=True),
    )
    for type_ in ("radar", "track", "unit", "vehicle", "drone"):
        lasts, gaps = [], []
        for subject, some in reports.items():
            if subject.startswith(f"{type_}:") and len(some) > 1:
                t = np.array([m for m, *_ in some])
                lasts.append((t[-1] - t[0]) / 60)
                gaps += np.diff(t).tolist()
        if lasts:
            gap = np.array(gaps)
            rows.append((f"`{type_}:`", quantiles(np.array(lasts), 1), quantiles(gap[gap > 0])))
            if type_ in ("radar", "track"):
                x, y = beyond(np.round(np.array(lasts), 1))
                plot.lines.append((type_, x.tolist(), y.tolist(), False))
    plot.write(IMAGES / "world-frontier-lasts.svg")
    return rows


def trips(folder: Path, reports: Reports) -> Rows:
    """Trips of ground sensors: how many are a planted party's, and when they come."""
    spans = [
        (t.subjects[0], t.start.timestamp(), t.end.timestamp())
        for t in read_truths(folder / "truth.jsonl")
        if t.kind == "picture.sensor_trip"
    ]
    all_ = [(s, m, k) for s, some in reports.items() if s.startswith("sensor:") for m, _, k in some]
    true = [(s, m) for s, m, _ in all_ if any(s == o and a - 1 <= m <= b + 1 for o, a, b in spans)]
    hours = np.zeros(24)
    for _, m, _ in all_:
        hours[(datetime.fromtimestamp(m, UTC).hour + _LOCAL_H) % 24] += 1
    plot = Plot(
        "Trips of all ground sensors by local hour",
        Axis("hour", 0, 24, ticks=[(h, str(h)) for h in range(0, 25, 4)]),
        Axis("share of the day", 0, 0.2),
        [("world", (np.arange(24) + 0.5).tolist(), (hours / hours.sum()).tolist(), False)],
    )
    plot.write(IMAGES / "world-frontier-trips.svg")
    person = sum(k == "person" for *_, k in all_) / max(1, len(all_))
    sensors = len({s for s, *_ in all_})
    false = 1 - len(true) / max(1, len(all_))
    return [
        ("Trips", f"{len(all_):,} of {sensors} sensors", "–"),
        (
            "Not a planted party's",
            f"{false:.1%}",
            "more than 90% of the responses were false alarms (OIG-06-15)",
        ),
        ("Taken for a person", f"{person:.0%}", "–"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.frontier_world", description=__doc__)
    parser.add_argument("--folder", type=Path, help="a world that is there already")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = asked.folder or Path(made)
        if asked.folder is None:
            world("frontier").generate(SEED, DAYS, SCALE, folder)
        reports = read(folder)
        of = "10, 50, 90, 99 of 100"
        parts = {
            "size": f"Seed {SEED}, {DAYS} day, scale {SCALE:g}.",
            "holds": table(("subjects", "different ones", "rows"), holds(folder)),
            "planted": table(("kind", "truths"), planted(folder)),
            "speeds": table(
                ("taken for", "tracks", f"median speed (m/s), {of}", "published"), speeds(reports)
            ),
            "lasting": table(
                ("subjects", f"how long (min), {of}", f"between reports (s), {of}"),
                lasting(reports),
            ),
            "trips": table(("", "this world", "published"), trips(folder, reports)),
        }
    put(PAGE, parts)


if __name__ == "__main__":
    main()
