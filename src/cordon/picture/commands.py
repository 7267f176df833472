"""`cordon picture`: positions in, findings out; with a node or on files alone."""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from cordon.kernel.access.model import Actor
from cordon.kernel.clock import parse_time
from cordon.kernel.console import Console, console, write_out
from cordon.kernel.errors import BadUsage, Conflict, CordonError
from cordon.kernel.findings import write_findings
from cordon.kernel.rejects import write_rejects
from cordon.picture import cover_commands, fuse_commands, watch_commands
from cordon.picture.cover.reading import read_means
from cordon.picture.detect import detect as detect_in_files
from cordon.picture.detect import remarks_on
from cordon.picture.model import Refusal
from cordon.picture.service import Picture
from cordon.picture.zones import zones_of

app = typer.Typer(no_args_is_help=True, help="Positions of vessels and vehicles, and behaviours.")
app.add_typer(cover_commands.app)  # without a name: its commands are this one's
app.add_typer(fuse_commands.app)
app.add_typer(watch_commands.app)
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Rejects = Annotated[Path | None, typer.Option(help="Write refused rows here (CSV).")]


@app.command()
def detect(
    ctx: typer.Context,
    positions: Annotated[list[Path], typer.Argument(help="AIS logs, CSV or Parquet files.")],
    zones: Annotated[Path | None, typer.Option(help="GeoJSON file of zones.")] = None,
    out: Annotated[Path | None, typer.Option(help="Write findings here (JSON Lines).")] = None,
    base_time: Annotated[
        str, typer.Option(help="When an AIS log without times begins (RFC 3339).")
    ] = "",
    sensors: Annotated[
        Path | None, typer.Option(help="CSV or GeoJSON file of sensors, for uncovered sectors.")
    ] = None,
    patrols: Annotated[
        Path | None, typer.Option(help="CSV file of planned patrols, for uncovered sectors.")
    ] = None,
    rejects: Rejects = None,
    json: Json = False,
) -> None:
    """Run the detectors of behaviours over files, without a node."""
    c = console(ctx, json=json)
    means = read_means(sensors, patrols) if sensors or patrols else None
    refused: list[tuple[str, Refusal]] = []
    try:
        with c.progress("Reading") as progress:
            result = detect_in_files(
                positions,
                zones,
                on_refusal=(lambda path, r: refused.append((path.name, r))) if rejects else None,
                base_time=parse_time(base_time) if base_time else None,
                progress=lambda _what, rows: progress(rows, 0),
                means=means,
            )
    finally:
        # also where nothing could be read: then the reasons are wanted most
        if rejects is not None:
            write_rejects(rejects, refused)
    write_out(write_findings(result.findings), out)
    told = [
        {
            "name": f.path.name,
            "form": f.form,
            "sha256": f.sha256,
            **asdict(f.counts),
            "broken": f.broken,
        }
        for f in result.files
    ]
    words = f"{read_of(told)}\n{len(result.findings)} findings."
    say_empty(c, told)
    for remark in result.remarks:
        c.say(remark)
    if out is None:
        c.say(words)  # the findings stand on standard output
    else:
        data = {"files": told, "findings": len(result.findings), "remarks": list(result.remarks)}
        c.answer(data, words)


@app.command("import")
def import_(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="AIS logs, CSV or Parquet files.")],
    rejects: Rejects = None,
    json: Json = False,
) -> None:
    """Bring files of positions into the node."""
    c = console(ctx, json=json)
    actor = c.passes("picture.position.import")
    refused: list[tuple[str, Refusal]] = []
    try:
        told, failed = bring_in(c, actor, files, refused)
    finally:
        if rejects is not None:
            write_rejects(rejects, refused)
    say_empty(c, told)
    c.answer({"files": told}, read_of(told))
    if failed:
        raise CordonError(f"{failed} of {len(files)} files could not be brought in.")


def read_of(told: Sequence[Mapping[str, Any]]) -> str:
    """A line for each file: its counts, and where it breaks off."""
    return "\n".join(
        f"{t['name']}: {t['read']:,} rows read, {t['kept']:,} kept, {t['repeated']:,} repeated, "
        f"{t['refused']:,} refused, {t['passed_over']:,} passed over."
        + (f" {t['broken']} What stands before it was taken." if t["broken"] else "")
        for t in told
    )


def say_empty(c: Console, told: Sequence[Mapping[str, Any]]) -> None:
    """Warn of files that are whole and hold no row, on standard error whatever is asked for."""
    for t in told:
        if not (t["read"] or t["broken"]):
            c.say(f"{t['name']} holds no position: no row stands after its header.")


def bring_in(
    c: Console, actor: Actor, files: Sequence[Path], refused: list[tuple[str, Refusal]]
) -> tuple[list[Any], int]:
    """Import files one after another; return what was told of each, and how many failed.

    Args:
        refused: what was refused is put here, the first 500 rows of each file.
    """
    room: Picture = c.node.room("picture")
    told: list[Any] = []
    failed = 0
    for path in files:
        try:
            with path.open("rb") as source:
                job = room.ask_import(actor, source, path.name)
        except OSError as wrong:
            raise BadUsage(f"{path} cannot be read: {wrong.strerror}.") from None
        except Conflict as known:
            c.say(f"{path.name}: {known}")
            continue
        with c.progress(f"Reading {path.name}") as progress:
            ended = c.node.run_job(job, progress)
        if ended.state != "done":
            failed += 1
            c.say(f"{path.name}: {ended.error or ended.state}")
        told += ended.report.get("files", [])
        refused += [
            (path.name, Refusal(r["row"], r["reason"])) for r in ended.report.get("refusals", [])
        ]
    return told, failed


@app.command("zones")
def put_zones(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="GeoJSON file of zones.")] = None,
    remove: Annotated[
        list[str] | None, typer.Option(help="Take out the zone of this id; again for more.")
    ] = None,
    json: Json = False,
) -> None:
    """Bring zones into the node, where those of the same id are replaced, or take zones out."""
    c = console(ctx, json=json)
    if file is None and not remove:
        raise BadUsage("Nothing to do.", advice="Give a file of zones, or --remove ID.")
    actor = c.passes("picture.zone.change")
    room: Picture = c.node.room("picture")
    for zone in remove or ():
        room.remove_zone(actor, zone)
    data = file.read_bytes() if file is not None else b""
    count = room.put_zones(actor, data) if file is not None else 0
    remarks = remarks_on(zones_of(orjson.loads(data.removeprefix(BOM_UTF8)))) if count else ()
    gone = len(remove or ())
    words = [f"{count} zones."] if file is not None else []
    words += [f"{gone} taken out."] if gone else []
    for remark in remarks:
        c.say(remark)
    told = {"zones": count, "removed": gone, "remarks": list(remarks)}
    c.answer(told, " ".join(words))
