"""`cordon picture`: positions in, findings out; with a node or on files alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cordon.kernel.access.model import Actor
from cordon.kernel.clock import parse_time
from cordon.kernel.console import Console, console, write_out
from cordon.kernel.errors import BadUsage, Conflict, CordonError
from cordon.kernel.findings import write_findings
from cordon.kernel.rejects import write_rejects
from cordon.picture.detect import detect as detect_in_files
from cordon.picture.model import Refusal
from cordon.picture.service import Picture

app = typer.Typer(no_args_is_help=True, help="Positions of vessels and vehicles, and behaviours.")
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
    rejects: Rejects = None,
    json: Json = False,
) -> None:
    """Run the detectors of behaviours over files, without a node."""
    c = console(ctx, json=json)
    refused: list[tuple[str, Refusal]] = []
    with c.progress("Reading") as progress:
        result = detect_in_files(
            positions,
            zones,
            on_refusal=(lambda path, r: refused.append((path.name, r))) if rejects else None,
            base_time=parse_time(base_time) if base_time else None,
            progress=lambda _what, rows: progress(rows, 0),
        )
    write_out(write_findings(result.findings), out)
    if rejects is not None:
        write_rejects(rejects, refused)
    told = [
        {"name": f.path.name, "form": f.form, "sha256": f.sha256, **asdict(f.counts)}
        for f in result.files
    ]
    words = "\n".join(
        f"{t['name']}: {t['read']:,} rows read, {t['kept']:,} kept, {t['repeated']:,} repeated, "
        f"{t['refused']:,} refused, {t['passed_over']:,} passed over."
        for t in told
    )
    words += f"\n{len(result.findings)} findings."
    if out is None:
        c.say(words)  # the findings stand on standard output
    else:
        c.answer({"files": told, "findings": len(result.findings)}, words)


@app.command("import")
def import_(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="AIS logs, CSV or Parquet files.")],
    json: Json = False,
) -> None:
    """Bring files of positions into the node."""
    c = console(ctx, json=json)
    actor = c.passes("picture.position.import")
    told, failed = _bring_in(c, actor, files)
    c.answer(
        {"files": told}, "\n".join(f"{t['name']}: {t['kept']:,} positions kept." for t in told)
    )
    if failed:
        raise CordonError(f"{failed} of {len(files)} files could not be brought in.")


def _bring_in(c: Console, actor: Actor, files: Sequence[Path]) -> tuple[list[Any], int]:
    """Import files one after another; return what was told of each, and how many failed."""
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
    return told, failed


@app.command("zones")
def put_zones(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="GeoJSON file of zones.")],
    json: Json = False,
) -> None:
    """Bring zones into the node; those of the same id are replaced."""
    c = console(ctx, json=json)
    actor = c.passes("picture.zone.change")
    count = c.node.room("picture").put_zones(actor, file.read_bytes())
    c.answer({"zones": count}, f"{count} zones.")


@app.command()
def watch(
    ctx: typer.Context,
    source: Annotated[
        list[str], typer.Argument(help="nmea+tcp://host:port, or a file; again for more.")
    ],
) -> None:
    """Read live feeds into the node until stopped, without pages; files are read once."""
    c = console(ctx)
    actor = c.passes("picture.feed.change")
    files = [Path(s) for s in source if "://" not in s]
    feeds = [s for s in source if "://" in s]
    if files:
        for told in _bring_in(c, actor, files)[0]:
            c.say(f"{told['name']}: {told['kept']:,} positions kept.")
    if feeds:
        room: Picture = c.node.room("picture")
        room.watch(actor, feeds, c.say)
