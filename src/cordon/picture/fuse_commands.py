"""`cordon picture fuse`: reports of many sensors in, one track for each craft out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from cordon.kernel.clock import parse_time
from cordon.kernel.console import console, write_out
from cordon.kernel.errors import BadUsage
from cordon.kernel.rejects import write_rejects
from cordon.picture.model import Refusal

if TYPE_CHECKING:
    from cordon.picture.cover.model import Sensor as Described
    from cordon.picture.tracking import Fused, Sensor
    from cordon.picture.tracks import Tracks

app = typer.Typer()
_KINDS = {"ais_receiver": "ais", "radar": "radar", "camera": "camera", "ground_sensor": "ground"}
_ENDINGS = (".csv", ".parquet")
_LONGEST_TURN_S = 15.0  # an antenna that turns more slowly is none; then it is a heartbeat's time


@app.command()
def fuse(
    ctx: typer.Context,
    positions: Annotated[list[Path], typer.Argument(help="AIS logs, CSV or Parquet files.")],
    out: Annotated[
        Path | None, typer.Option(help="Write the tracks here (.csv or .parquet).")
    ] = None,
    sensors: Annotated[
        Path | None, typer.Option(help="CSV or GeoJSON file of sensors, for their errors.")
    ] = None,
    base_time: Annotated[
        str, typer.Option(help="When an AIS log without times begins (RFC 3339).")
    ] = "",
    rejects: Annotated[Path | None, typer.Option(help="Write refused rows here (CSV).")] = None,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Make one track of each craft from the reports of many sensors, without a node."""
    from cordon.picture import tracking
    from cordon.picture.commands import read_of, say_empty  # which wires this command
    from cordon.picture.cover.reading import read_means
    from cordon.picture.detect import read_files
    from cordon.picture.tracking import writing

    c = console(ctx, json=json)
    if out is not None and out.suffix.lower() not in _ENDINGS:
        raise BadUsage(f"{out.name} names no form.", advice="End it with .csv or .parquet.")
    known = sensors_of(read_means(sensors, None).sensors) if sensors is not None else []
    refused: list[tuple[str, Refusal]] = []
    try:
        with c.progress("Reading") as progress:
            tracks, files = read_files(
                positions,
                base_time=parse_time(base_time) if base_time else None,
                progress=lambda _what, rows: progress(rows, 0),
                on_refusal=(lambda path, r: refused.append((path.name, r))) if rejects else None,
            )
    finally:
        if rejects is not None:
            write_rejects(rejects, refused)
    with c.progress("Tracking"):
        fused = tracking.fuse(tracks, known)
    with c.progress("Writing"):
        if out is not None and out.suffix.lower() == ".parquet":
            writing.write_parquet(fused, tracks, out)
        else:
            write_out(writing.csv_of(fused, tracks), out)
    told = [{"name": f.path.name, "sha256": f.sha256, **asdict(f.counts)} for f in files]
    told = [one | {"broken": f.broken} for one, f in zip(told, files, strict=True)]
    say_empty(c, told)
    counts = {
        "subjects": len(tracks.subjects),
        "craft": len(fused.tracks.subjects),
        "fixes": len(fused.tracks),
        "of_several": of_several(fused, tracks),
        "left_out": fused.left_out,
        "refused": fused.refused,
    }
    words = (
        f"{read_of(told)}\n{counts['subjects']:,} subjects are {counts['craft']:,} craft, of which "
        f"{counts['of_several']:,} heard as several; {counts['fixes']:,} fixes, "
        f"{counts['left_out']:,} left out as never confirmed, "
        f"{counts['refused']:,} refused by tracking."
    )
    if out is None:
        c.say(words)  # the tracks stand on standard output
    else:
        c.answer({"files": told, **counts}, words)


def of_several(fused: Fused, came: Tracks) -> int:
    """How many craft were heard as several subjects."""
    craft, subject = fused.tracks.subject, came.subject[fused.came]
    pairs = np.unique(craft.astype(np.int64) * max(len(came.subjects), 1) + subject)
    each = np.bincount(pairs // max(len(came.subjects), 1))
    return int((each > 1).sum())


def sensors_of(described: Iterable[Described]) -> list[Sensor]:
    """What tracking goes by, of sensors as the agency describes them.

    A radar's place tells how its errors lie, unless several speak under one source. Drones and
    patrols move and report themselves; they are taken by kind.
    """
    from cordon.picture.tracking import Sensor

    some = [s for s in described if s.kind in _KINDS]
    times = Counter(s.source or s.id for s in some)
    found: dict[str, Sensor] = {}
    for one in some:
        source, radar = one.source or one.id, one.kind == "radar"
        placed = radar and times[source] == 1
        turns = radar and one.every_s is not None and 0 < one.every_s <= _LONGEST_TURN_S
        found[source] = Sensor(
            source,
            _KINDS[one.kind],
            lat=one.lat if placed else None,
            lon=one.lon if placed else None,
            revisit_s=one.every_s if turns else None,
        )
    return [*found.values()]
