"""The world “coast”: a day's traffic off a coast as its agencies see it, and what is planted."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from cordon.exercise.model import PLAYED, Inputs, Played, write_truths
from cordon.exercise.worlds.folder import written_together
from cordon.exercise.worlds.sea import fishing, harbour_craft, own, plans, traffic, zones
from cordon.exercise.worlds.sea.radars import numbered
from cordon.exercise.worlds.sea.scene import Scene
from cordon.exercise.worlds.sea.sentences import Log
from cordon.exercise.worlds.seeing.rows import Rows
from cordon.exercise.worlds.seeing.streams import between
from cordon.exercise.worlds.seeing.telling import Record
from cordon.exercise.worlds.seeing.writing import Arrivals, sheet
from cordon.kernel.clock import as_utc, parse_time
from cordon.kernel.errors import BadInput
from cordon.kernel.store.files import written_whole

NAME = "coast"
SAYS = (
    "A coast with its real traffic: merchants, fleets that stop and meet all day, dhows that only "
    "radars see, patrols; receivers with holes, faults and wrong clocks; and among them vessels "
    "that go dark, meet, loiter, lie about who and where they are, and land at night."
)
MOST_PLAYED = 2.0  # days at size 1 that a page plays: it takes half a minute for each
_FILES = {
    "positions": "positions.csv",
    "ais": "ais.nmea",
    "zones": "zones.geojson",
    "sensors": "sensors.csv",
    "world": PLAYED,
    "truth": "truth.jsonl",
}


def generate(
    seed: int, days: float, scale: float, out: Path, *, start: datetime | None = None
) -> Inputs:
    """Write the world's inputs and truth into a folder; see `model.World`.

    Rows are made and written a slice of some hours at a time.
    """
    data: dict[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    begins = as_utc(start) if start is not None else parse_time(data["start"])
    begins = begins.replace(microsecond=0)
    _check(seed, days, scale, begins)
    span = days * 86400.0
    ends = begins + timedelta(seconds=span)
    scene = Scene(data, seed, begins, span, scale)
    for part in (traffic, fishing, harbour_craft, own):
        part.build(scene.afloat)
    events = plans.build(scene)
    record = Record({c.serial for c in scene.afloat.crafts if c.planted})
    with written_together(out) as made:
        files = {name: made / file for name, file in _FILES.items()}
        rows = _written(scene, files, record)
        truths = record.truths(events, scene.subjects, begins)
        rows |= {
            "zones": zones.write(files["zones"], scene),
            "sensors": zones.write_sensors(files["sensors"], scene),
            "truth": len(truths),
        }
        with written_whole(files["world"]) as partial:
            partial.write_bytes(Played(NAME, seed, days, scale, begins, ends).to_bytes())
        with written_whole(files["truth"]) as partial:
            partial.write_bytes(b"".join(write_truths(truths)))
    return Inputs(out, {name: out / file for name, file in _FILES.items()}, rows, begins, ends)


def _written(scene: Scene, files: dict[str, Path], record: Record) -> dict[str, int]:
    """Look at everybody slice by slice, and write what was reported."""
    faults, rng = scene.data["faults"], scene.streams.of("faults")
    repeated, garbage, broken = (
        between(rng, faults[k]) for k in ("repeated", "garbage", "broken_lines")
    )
    arrivals = Arrivals(rng, repeated=repeated, end=scene.span)
    names = scene.sources, scene.subjects
    static_s = between(rng, scene.data["ais"]["static_s"])
    trackers = scene.radars.trackers()
    with (
        sheet(
            files["positions"], names, scene.sayings, scene.begins, rng, garbage=garbage
        ) as table,
        written_whole(files["ais"]) as partial,
        partial.open("w", encoding="ascii", newline="") as out,
    ):
        log = Log(
            out,
            names,
            scene.sayings,
            scene.begins,
            scene.streams.of("sentences"),
            static_s=static_s,
            broken=broken,
        )
        for slice_, (start, end) in enumerate(scene.slices):
            whole: list[Rows] = []
            parts = [[rows] for rows in scene.radars.nothing(start, end, slice_, trackers)]
            for craft in scene.afloat.crafts:
                seen = scene.look(craft, slice_, trackers)
                if seen is not None:
                    whole.append(seen.rows)
                    for own_rows, rows in zip(parts, seen.radar, strict=True):
                        if len(rows):
                            own_rows.append(rows)
            rows = Rows.joined([*whole, numbered(parts, trackers, scene.subjects)])
            last = slice_ == len(scene.slices) - 1
            arrived = arrivals.of_slice(rows, np.inf if last else end)
            record.note(arrived)
            table.write(arrived)
            log.write(arrived)
    return {"positions": table.count, "ais": log.count}


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
