"""`cordon picture cover` and `cordon picture sensors`: what the agency sees with, and of what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from cordon.kernel.clock import format_time, parse_time
from cordon.kernel.console import console, write_out
from cordon.kernel.errors import BadUsage
from cordon.kernel.findings import write_findings

if TYPE_CHECKING:
    from cordon.picture.cover.view import SectorNow
    from cordon.picture.service import Picture

app = typer.Typer()
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@app.command()
def cover(
    ctx: typer.Context,
    positions: Annotated[list[Path], typer.Argument(help="AIS logs, CSV or Parquet files.")],
    zones: Annotated[Path, typer.Option(help="GeoJSON file of zones with patrol sectors.")],
    sensors: Annotated[Path | None, typer.Option(help="CSV or GeoJSON file of sensors.")] = None,
    patrols: Annotated[Path | None, typer.Option(help="CSV file of planned patrols.")] = None,
    at: Annotated[
        str, typer.Option(help="As it was at this moment (RFC 3339); else as the data end.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Write the cover here (GeoJSON).")] = None,
    findings: Annotated[
        Path | None, typer.Option(help="Write findings of uncovered sectors here (JSON Lines).")
    ] = None,
    base_time: Annotated[
        str, typer.Option(help="When an AIS log without times begins (RFC 3339).")
    ] = "",
    json: Json = False,
) -> None:
    """Tell what is seen of each patrol sector, and since when too little, without a node."""
    from cordon.picture.cover.files import cover_of_files
    from cordon.picture.cover.layer import layer_of
    from cordon.picture.cover.reading import read_means
    from cordon.picture.cover.view import now_of

    c = console(ctx, json=json)
    means = read_means(sensors, patrols)
    with c.progress("Reading"):
        made = cover_of_files(
            positions,
            zones,
            means,
            at=parse_time(at) if at else None,
            base_time=parse_time(base_time) if base_time else None,
        )
    now = now_of(made.cover)
    write_out(iter([orjson.dumps(layer_of(made.cover), option=orjson.OPT_APPEND_NEWLINE)]), out)
    if findings is not None:
        write_out(write_findings(made.findings), findings)
    words = "\n".join(
        [f"Cover at {format_time(now.at)}.", *(_line(s) for s in now.sectors)]
        + [f"{s.name}: {'; '.join(s.notes)}." for s in now.sensors if s.described and s.notes]
        + [f"{len(made.findings)} findings."]
    )
    told = {
        "at": format_time(now.at),
        "sectors": [s.to_dict() for s in now.sectors],
        "findings": len(made.findings),
    }
    if out is None:
        c.say(words)  # the cover stands on standard output
    else:
        c.answer(told, words)


def _line(sector: SectorNow) -> str:
    """One sector in a line."""
    if not sector.known:
        return f"{sector.name}: nothing is known that could see it."
    state = f"{sector.share:.0%} of it seen"
    if sector.by:
        state += f" by {', '.join(sector.by[:6])}" + (" and others" if len(sector.by) > 6 else "")
    if sector.since is not None:
        state += f"; uncovered since {format_time(sector.since)}, {sector.minutes:.0f} min"
        state += f" of {sector.plan_min:g}" if sector.plan_min else ", no plan"
    if sector.due is not None:
        state += f"; next patrol {format_time(sector.due.start)}"
    return f"{sector.name}: {state}."


@app.command()
def sensors(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="CSV or GeoJSON file of sensors.")] = None,
    remove: Annotated[
        list[str] | None, typer.Option(help="Take out the sensor of this id; again for more.")
    ] = None,
    json: Json = False,
) -> None:
    """Bring sensors into the node, where those of the same id are replaced, or take some out."""
    c = console(ctx, json=json)
    if file is None and not remove:
        raise BadUsage("Nothing to do.", advice="Give a file of sensors, or --remove ID.")
    actor = c.passes("picture.sensor.change")
    room: Picture = c.node.room("picture")
    for one in remove or ():
        room.cover.remove_sensor(actor, one)
    count = 0
    if file is not None:
        try:
            data = file.read_bytes()
        except OSError as wrong:
            raise BadUsage(f"{file} cannot be read: {wrong.strerror}.") from None
        count = room.cover.put_sensors(actor, data, file.name)
    gone = len(remove or ())
    words = [f"{count} sensors."] if file is not None else []
    words += [f"{gone} taken out."] if gone else []
    c.answer({"sensors": count, "removed": gone}, " ".join(words))
