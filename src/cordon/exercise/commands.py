"""`cordon exercise`: generate a world with known truth, and score findings against it."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from math import inf
from pathlib import Path
from typing import Annotated

import typer

from cordon.exercise.crews.commands import app as crews_app
from cordon.exercise.model import read_played, read_truths
from cordon.exercise.score import score as score_findings
from cordon.exercise.worlds import world, worlds
from cordon.kernel.clock import format_time, parse_time
from cordon.kernel.console import console
from cordon.kernel.errors import BadInput, BadUsage
from cordon.kernel.findings import read_findings

app = typer.Typer(no_args_is_help=True, help="Worlds with known truth, and scores.")
app.add_typer(crews_app, name="crews")
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@app.command("worlds")
def list_worlds(ctx: typer.Context, json: Json = False) -> None:
    """Show the worlds that can be generated."""
    console(ctx, json=json).table(
        ("world", "says"), [(name, made.SAYS) for name, made in sorted(worlds().items())]
    )


@app.command()
def generate(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The world.")],
    out: Annotated[Path, typer.Option(help="Folder to write inputs and truth into.")],
    seed: Annotated[int, typer.Option(help="Seed of every random choice.", min=0)] = 1,
    days: Annotated[float, typer.Option(help="Length of the span.", min=0.01)] = 1.0,
    scale: Annotated[float, typer.Option(help="1 is the world's own size.", min=0.01)] = 1.0,
    start: Annotated[str, typer.Option(help="First moment (RFC 3339).")] = "",
    sessions: Annotated[
        bool, typer.Option("--sessions", help="Internet sessions too (world callcentre).")
    ] = False,
    json: Json = False,
) -> None:
    """Write a world's inputs, and the truth that was planted in them."""
    c = console(ctx, json=json)
    chosen = world(name)
    if sessions and chosen.NAME != "callcentre":
        raise BadUsage(
            f"The world {name} has no internet sessions.", advice="Leave --sessions out."
        )
    try:
        begins = parse_time(start) if start else None
        if sessions:
            from cordon.exercise.worlds import callcentre  # no other world has that argument

            made = callcentre.generate(seed, days, scale, out, start=begins, sessions=True)
        else:
            made = chosen.generate(seed, days, scale, out, start=begins)
    except BadInput as wrong:  # nothing but what was asked for can be wrong here
        raise BadUsage(wrong.message, advice=wrong.advice) from None
    c.answer(
        {
            "folder": str(made.folder),
            "files": {k: str(v) for k, v in made.files.items()},
            "rows": dict(made.rows),
            "start": format_time(made.start),
            "end": format_time(made.end),
        },
        "\n".join(f"{made.files[k]}: {n:,} rows" for k, n in made.rows.items()),
    )


@app.command()
def score(
    ctx: typer.Context,
    truth: Annotated[Path, typer.Argument(help="truth.jsonl of the world.")],
    findings: Annotated[Path, typer.Argument(help="Findings as JSON Lines.")],
    days: Annotated[
        float | None,
        typer.Option(help="Length of the exercise; without it that of world.json beside TRUTH."),
    ] = None,
    json: Json = False,
) -> None:
    """Hold findings against the truth, by kind."""
    c = console(ctx, json=json)
    if days is not None and not 0 < days < inf:
        raise BadUsage(f"An exercise of {days:g} days has no score.")
    if days is None and (played := read_played(truth)) is not None:
        days = (played.end - played.start) / timedelta(days=1)
    result = score_findings(list(read_truths(truth)), read_findings(findings), days=days)
    if c.json:
        c.answer(result.to_dict(), "")
        return
    rows = [asdict(k) for k in result.kinds]
    c.table(tuple(rows[0]) if rows else (), [tuple(r.values()) for r in rows])
