"""Dispatch by the ranking's first choice, beside plain rules, over units with a truth of their own.

Nights without people: boats about Musandam, alerts at sea, and crews that the
exercise plays (`exercise/crews`). For each seed the same night is dispatched by each rule, on a
node's own way of sending, with a clock that is stepped. What is told is the time to scene over
the least that any ready unit would have made, had it been sent at that moment: a truth that no
rule knows. Ways are measured on a grid twice as fine as the ranking's.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from bench.measuring import Taken, row
from cordon.bootstrap import Node, open_node
from cordon.exercise.crews.model import Answered, Rule, scored
from cordon.kernel import geo, leads
from cordon.kernel.access.model import Mark
from cordon.kernel.clock import SetClock
from cordon.kernel.findings import Finding, Reason, RecordRef
from cordon.operations.model import Position
from cordon.operations.ranking.rank import seas
from cordon.settings import load

CAPE = (26, 56)  # Musandam: sea on both sides of mountains
NOW = datetime(2026, 3, 6, 12, tzinfo=UTC)
BOATS, WITHIN = 6, 1.0  # degrees about the cape
STEP = timedelta(minutes=6)
EVERY = timedelta(minutes=30)  # between two alerts
AFTER = timedelta(hours=4)  # for the last ones
RULES = (Rule.FIRST, Rule.STRAIGHT, Rule.NEAREST)
PEERS = {Rule.STRAIGHT: "great circle over usual speed", Rule.NEAREST: "great circle"}
KIND = "picture.zone_entry"


def night(seed: int, rule: Rule, alerts: int) -> list[Answered]:
    """One night, dispatched by a rule."""
    rng = np.random.default_rng(seed)
    known = seas()
    assert known is not None
    sea = known.about(*CAPE)
    at, places = sea.sample(rng, BOATS, WITHIN), sea.sample(rng, alerts, WITHIN)
    speeds = rng.uniform(15, 35, BOATS)
    with tempfile.TemporaryDirectory(prefix="cordon-bench-dispatch-") as folder:
        clock = SetClock(NOW)
        node = open_node(load(data=Path(folder), agency="pk-bench", log_level="error"), clock)
        try:
            console, codes = node.console_actor(None), []
            for i, (lat, lon) in enumerate(at):
                codes.append(f"U-{i:02}")
                node.operations.add_unit(
                    console, code=codes[-1], name=codes[-1],
                    kind="boat", sector="Cape", speed_kn=float(speeds[i]), contact="VHF 16",
                    position=Position(float(lat), float(lon)),
                )  # fmt: skip
            node.crews.start(console, codes, seed=seed, rule=rule)
            _play(node, clock, places)
            return list(node.crews.plays(console)[0].answers)
        finally:
            node.close()


def _play(node: Node, clock: SetClock, places: Any) -> None:
    """Raise the alerts in their time, and step the clock until all can be over."""
    for n in range(int((len(places) * EVERY + AFTER) / STEP)):
        due, rest = divmod(n, EVERY // STEP)
        if rest == 0 and due < len(places):
            _raise(node, clock.now(), due, *map(float, places[due]))
        clock.advance(STEP)
        node.crews.tick()


def _raise(node: Node, now: datetime, number: int, lat: float, lon: float) -> None:
    finding = Finding.make(
        kind=KIND, subjects=[f"mmsi:{463000000 + number}"], start=now, end=now, confidence=0.9,
        reasons=[Reason("inside", 1.0, "min", 0.0, "Bench.")],
        records=[RecordRef(hashlib.sha256(b"bench").hexdigest(), 1)], detector=KIND, version="1",
        place=geo.point(lat, lon), radius_m=200.0,
    )  # fmt: skip
    with node.kernel.work(node.kernel.node) as work:
        leads.keep(work, [finding], node.cards, mark=Mark.GREEN)
    node.kernel.dispatcher.run_pending()


def run(quick: bool) -> list[dict[str, Any]]:
    """The rows of this part."""
    if seas() is None:
        return []
    seeds, alerts = (1, 3) if quick else (4, 12)
    answers: dict[Rule, list[Answered]] = {rule: [] for rule in RULES}
    taken = Taken()
    for seed in range(1, seeds + 1):
        for rule in RULES:
            began, cpu = time.perf_counter(), time.process_time()
            answers[rule] += night(seed, rule, alerts)
            taken.add(time.perf_counter() - began, time.process_time() - cpu)
    told = {rule: scored(found) for rule, found in answers.items()}
    what = f"dispatch: {told[Rule.FIRST].answered} alerts in {seeds} nights"
    figures: list[tuple[str, Callable[[Rule], object], str, str | None]] = [
        ("within 5 % of the best in hindsight", lambda r: _good(answers[r]), "share", "≥ 0.9"),
        ("time over the best, median", lambda r: _rounded(told[r].median), "×", None),
        ("time over the best, 90th percentile", lambda r: _rounded(told[r].ninth), "×", None),
        ("lost to the best in all", lambda r: round(told[r].lost_s / 60), "min", None),
        ("that nobody came to", lambda r: told[r].never, "alerts", "0"),
    ]  # fmt: skip
    return [
        row(
            f"{what}, {name} (peer: {PEERS[peer]})",
            of(Rule.FIRST),
            of(peer),
            unit,
            taken,
            goal=goal,
        )
        for peer in PEERS
        for name, of, unit, goal in figures
    ]


def _good(answers: list[Answered]) -> float:
    """Share within 5 % of the best, of those that somebody could have come to."""
    ratios = [a.ratio for a in answers if a.best_s is not None]
    return round(sum(r is not None and r <= 1.05 for r in ratios) / len(ratios), 3)


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, 2)
