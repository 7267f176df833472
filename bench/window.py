"""The live window: what a report costs from bytes to it, without disk and network."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from bench.aisout import sentences
from bench.measuring import Taken, row
from cordon.picture.feeds.bulk import warm
from cordon.picture.feeds.seen import Seen
from cordon.picture.live import LivePicture
from cordon.picture.moments import MomentDecoder
from cordon.picture.stream import StreamDetector

EVERY_S = 2.0  # a fast class A set
MOST = 15_000  # reports of a moment: 0.3 s of 50,000 a second


def run(quick: bool = False) -> list[dict[str, Any]]:
    """Rows for the table of `make bench`: a report's cost by how many vessels are live.

    Of a thousand a moment holds a thousand reports, and what a moment costs whatever it holds
    tells the most.
    """
    counts = (200, 2_000) if quick else (1_000, 10_000, 100_000)
    warm()  # as a node does before its first moment
    cost(counts[0], 0)  # the first run compiles
    rows = []
    for vessels in counts:
        taken, per_report = cost(vessels, 100_000 if quick else 1_000_000)
        rows.append(
            row(
                f"from bytes to the live window, {vessels:,} live vessels, each every 2 s",
                round(per_report * 1e6, 2),
                None,
                "µs a report",
                taken,
                goal="flat",
            )
        )
    return rows


def cost(vessels: int, reports: int) -> tuple[Taken, float]:
    """Seconds of the processor for each report: decoded, on the map, in the window.

    Each vessel speaks every two seconds, however many there are, and once in a moment: what says
    nothing new costs less, so that few vessels that say everything often would seem cheap.
    """
    rng = np.random.default_rng(1)
    lat, lon = rng.uniform(-60, 60, vessels), rng.uniform(-170, 170, vessels)
    course, speed = rng.uniform(0, 359, vessels), rng.uniform(0, 20, vessels)
    decoder = MomentDecoder("bench", "nmea", Seen(most=2_000_000))
    picture, stream = LivePicture(), StreamDetector(chosen=[], window=timedelta(hours=24))
    count = min(MOST, vessels)
    moment_s = EVERY_S * count / vessels
    begin = datetime(2026, 3, 6, 12, 0, tzinfo=UTC).timestamp()
    turns = max(4, reports // count)
    data = []
    for turn in range(turns):
        some = (turn * count + np.arange(count)) % vessels
        lat[some] += 1e-5
        data.append(
            sentences(
                200_000_000 + some,
                lat[some],
                lon[some],
                speed[some],
                course[some],
                int(turn * moment_s) % 60,
            )
        )
    warm = max(2, -(-vessels // count))
    taken, told = Taken(), 0
    for turn, some in enumerate(data * 2 if warm >= turns else data):
        at = round(begin + turn * moment_s, 3)
        now = datetime.fromtimestamp(at, UTC)
        wall, cpu = time.perf_counter(), time.process_time()
        got = decoder.take("0" * 64, some, at, 0.0)
        picture.take(got.batch, now)
        stream.take(got.batch, now)
        if turn >= warm:
            taken.add(time.perf_counter() - wall, time.process_time() - cpu)
            told += count  # those that say nothing new were decoded and looked at too
        if turn % 50 == 49:
            stream.window.tracks()
    return taken, sum(taken.cpus) / told
