"""The world “frontier”: a land border, who lives and works along it, and what is planted there."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from cordon.exercise.model import PLAYED, Inputs, Played, write_truths
from cordon.exercise.worlds.folder import written_together
from cordon.exercise.worlds.line import people, plans, roads, truths, zones
from cordon.exercise.worlds.line.scene import Scene
from cordon.exercise.worlds.seeing.rows import Rows
from cordon.exercise.worlds.seeing.streams import between
from cordon.exercise.worlds.seeing.telling import Record
from cordon.exercise.worlds.seeing.writing import Arrivals, sheet
from cordon.kernel.clock import as_utc, parse_time
from cordon.kernel.errors import BadInput
from cordon.kernel.store.files import written_whole

NAME = "frontier"
SAYS = (
    "A land border of some hundred kilometres: villages, herders, market days, queues of trucks, "
    "patrols; radars with hills before them, cameras, ground sensors that wind and animals trip; "
    "and among them crossings by night, convoys, scouts, drones, and sectors left uncovered."
)
MOST_PLAYED = 2.0  # days at size 1 that a page plays: it takes half a minute for each
_FILES = {
    "positions": "positions.csv",
    "zones": "zones.geojson",
    "sensors": "sensors.csv",
    "world": PLAYED,
    "truth": "truth.jsonl",
}


def generate(
    seed: int, days: float, scale: float, out: Path, *, start: datetime | None = None
) -> Inputs:
    """Write the world's inputs and truth into a folder; see `model.World`.

    Rows are made and written a slice of some hours at a time. Patrols, sensors and sectors do
    not go with the scale; people do.
    """
    data: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    begins = as_utc(start) if start is not None else parse_time(data["start"])
    begins = begins.replace(microsecond=0)
    _check(seed, days, scale, begins)
    span = days * 86400.0
    ends = begins + timedelta(seconds=span)
    scene = Scene(data, seed, begins, span, scale)
    people.build(scene.crowd)
    roads.build(scene.crowd)
    laid = plans.build(scene)
    record = Record({m.serial for m in scene.crowd.movers if m.planted})
    own = Record({m.serial for m in scene.crowd.movers if m.unit.startswith("unit:")})
    with written_together(out) as made:
        files = {name: made / file for name, file in _FILES.items()}
        rows = _written(scene, files["positions"], (record, own))
        told = [
            *record.truths(laid.events, scene.subjects, begins),
            *truths.trips(scene, laid.parties, record, own, begins),
            *truths.uncovered(scene, begins),
        ]
        told.sort(key=lambda t: (t.start, t.kind, t.subjects))
        counts = {
            "positions": rows,
            "zones": zones.write(files["zones"], scene),
            "sensors": zones.write_sensors(files["sensors"], scene),
            "truth": len(told),
        }
        with written_whole(files["world"]) as partial:
            partial.write_bytes(Played(NAME, seed, days, scale, begins, ends).to_bytes())
        with written_whole(files["truth"]) as partial:
            partial.write_bytes(b"".join(write_truths(told)))
    return Inputs(out, {name: out / file for name, file in _FILES.items()}, counts, begins, ends)


def _written(scene: Scene, path: Path, records: tuple[Record, Record]) -> int:
    """Look at everybody slice by slice, and write what was reported."""
    faults, rng = scene.data["faults"], scene.streams.of("faults")
    repeated, garbage = (between(rng, faults[k]) for k in ("repeated", "garbage"))
    arrivals = Arrivals(rng, repeated=repeated, end=scene.span)
    trackers = scene.eyes.trackers()
    names = scene.sources, scene.subjects
    with sheet(path, names, scene.sayings, scene.begins, rng, garbage=garbage) as table:
        for slice_, span in enumerate(scene.slices):
            whole = [scene.sensors.nothing(span, slice_), scene.uav_rows(span)]
            parts: dict[int, list[Rows]] = {}
            for i, some in scene.eyes.nothing(span, slice_, trackers):
                parts.setdefault(i, []).append(some)
            for mover in scene.crowd.movers:
                seen = scene.look(mover, slice_, trackers)
                if seen is not None:
                    whole += seen.rows
                    for i, some in seen.eyes:
                        parts.setdefault(i, []).append(some)
            whole.append(scene.numbered(parts, trackers, scene.subjects))
            last = slice_ == len(scene.slices) - 1
            arrived = arrivals.of_slice(Rows.joined(whole), np.inf if last else span[1])
            for record in records:
                record.note(arrived)
            table.write(arrived)
    return table.count


def _check(seed: int, days: float, scale: float, begins: datetime) -> None:
    if not 0.05 <= days <= 366 or not 0.01 <= scale <= 50:
        raise BadInput(
            f"The world {NAME} got {days:g} days at scale {scale:g}.",
            advice="It takes 0.05 to 366 days and a scale from 0.01 to 50.",
        )
    if not 0 <= seed < 2**63:
        raise BadInput(
            f"The world {NAME} got the seed {seed}.", advice="It takes a whole number from 0 up."
        )
    if not 1970 <= begins.year < 2200:
        raise BadInput(
            f"The world {NAME} got the year {begins.year}.", advice="It takes 1970 to 2199."
        )


__all__ = ["NAME", "SAYS", "generate"]
