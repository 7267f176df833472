"""`cordon operations`: alerts, units and taskings from the command line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from cordon.kernel.cards import SERIOUSNESS
from cordon.kernel.clock import format_time
from cordon.kernel.console import console, write_out
from cordon.kernel.errors import BadInput, BadUsage
from cordon.operations.base import one_of
from cordon.operations.model import AlertState, Position, TaskingState, UnitKind
from cordon.operations.queue import Filters

app = typer.Typer(no_args_is_help=True, help="Alerts, units and taskings.")
units_app = typer.Typer(no_args_is_help=True, help="The units that can be sent.")
app.add_typer(units_app, name="units")

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@app.command()
def alerts(
    ctx: typer.Context,
    state: Annotated[str, typer.Option(help="open, acknowledged, assigned, …, closed.")] = "",
    seriousness: Annotated[str, typer.Option(help="notice, serious or grave.")] = "",
    kind: Annotated[str, typer.Option(help="Kind of finding, or a room's prefix: picture.")] = "",
    limit: Annotated[int, typer.Option(help="Alerts at most.", min=1, max=200)] = 50,
    json: Json = False,
) -> None:
    """List alerts, the gravest first, then those due first."""
    c = console(ctx, json=json)
    _known(AlertState, state, "state of an alert")
    _known(SERIOUSNESS, seriousness, "seriousness")
    actor = c.passes("operations.alert.view")
    room = c.node.room("operations")
    filters = Filters(state=state, seriousness=seriousness, kind=kind)
    found = room.queue(actor, filters, at_most=limit)
    c.table(
        ("id", "seriousness", "title", "kind", "state", "due_at", "taken_back_at",
         "alike", "assignee"),
        [
            (a.id, a.seriousness, a.title, a.kind, a.state.value,
             None if a.taken_back else format_time(a.due_at),
             a.withdrawn_at and format_time(a.withdrawn_at), a.alike, a.assignee)
            for a in found.alerts
        ],
    )  # fmt: skip
    if found.after is not None:
        c.say(f"There are more than {limit}.")


@app.command()
def taskings(
    ctx: typer.Context,
    state: Annotated[str, typer.Option(help="sent, acknowledged, moving, on_scene, done, …")] = "",
    unit: Annotated[str, typer.Option(help="Code of a unit.")] = "",
    limit: Annotated[int, typer.Option(help="Taskings at most.", min=1, max=200)] = 50,
    json: Json = False,
) -> None:
    """List taskings, the newest first."""
    c = console(ctx, json=json)
    _known(TaskingState, state, "state of a tasking")
    actor = c.passes("operations.tasking.view")
    wanted = [TaskingState(state)] if state else []
    found = c.node.room("operations").taskings(actor, states=wanted, unit=unit, at_most=limit)
    c.table(
        ("id", "unit", "state", "alert", "sent_at", "last_at"),
        [
            (t.id, t.unit_code, t.state.value, t.alert, format_time(t.sent_at),
             format_time(t.steps[-1].at))
            for t in found
        ],
    )  # fmt: skip


@app.command()
def measures(
    ctx: typer.Context,
    since: Annotated[str, typer.Option(help="Alerts raised from this day or time on.")] = "",
    until: Annotated[str, typer.Option(help="And before this one.")] = "",
    before_after: Annotated[str, typer.Option(help="Compare before and after this one.")] = "",
    week: Annotated[str, typer.Option(help="With --out: the week to print, like 2026-W10.")] = "",
    out: Annotated[Path | None, typer.Option(help="Print a week as PDF to this file.")] = None,
    json: Json = False,
) -> None:
    """Tell how long responses take: medians and 90th percentiles, who waits among them."""
    # they load NumPy, which no other command of the room needs
    from cordon.operations.measures.desk import as_json
    from cordon.operations.measures.telling import STEPS, duration, interval

    c = console(ctx, json=json)
    if week and out is None:
        raise BadUsage("A week is printed to a file.", advice="Name the file with --out.")
    if out is not None and (since or until or before_after):
        raise BadUsage("The PDF is of a week.", advice="Give --week, or no span at all.")
    actor = c.passes("operations.measures.view")
    desk = c.node.room("measures")
    if out is not None:
        name, made = desk.week_pdf(actor, desk.week(week))
        write_out(iter([made]), out)
        c.answer({"file": str(out), "bytes": len(made)}, f"{name} stands in {out}.")
        return
    report = desk.report(actor, *(desk.moment(text) for text in (since, until, before_after)))
    if json:
        c.answer(as_json(report), "")
        return
    c.say(f"{report.alerts:,} alerts; {report.alike:,} more alike are not counted.")
    c.say(f"{report.escalated:,} were escalated: nobody had seen them in their time.")
    shown = [("all", "", report.figures)]
    shown += [(by, name, f) for by, group in report.groups.items() for name, _, f in group]
    c.table(
        ("by", "name", "step", "median", "p90", "came", "waiting", "ended"),
        [
            (by, name, STEPS[f.step], duration(f.median_s), duration(f.high_s), f.done, f.waiting,
             f.ended)
            for by, name, figures in shown
            for f in figures
        ],
    )  # fmt: skip
    for change in report.changes:
        c.say(
            f"{STEPS[change.step]}: {duration(change.before.median_s)} before, "
            f"{duration(change.after.median_s)} after; difference "
            f"{duration(change.difference_s)} (95%: {interval(change)})."
        )


@units_app.command("list")
def list_units(ctx: typer.Context, json: Json = False) -> None:
    """List the units, where they are and whether they are ready."""
    c = console(ctx, json=json)
    actor = c.passes("operations.unit.view")
    c.table(
        ("code", "name", "kind", "sector", "state", "speed_kn", "lat", "lon", "position_at"),
        [
            (u.code, u.name, u.kind.value, u.sector, u.state.value, u.speed_kn,
             u.position and u.position.lat, u.position and u.position.lon,
             u.position_at and format_time(u.position_at))
            for u in c.node.room("operations").units(actor)
        ],
    )  # fmt: skip


@units_app.command("add")
def add_unit(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(help="Its code, like PB-07.")],
    name: Annotated[str, typer.Option(help="Its name.")],
    kind: Annotated[UnitKind, typer.Option(help="How it moves.")],
    sector: Annotated[str, typer.Option(help="Where it serves.")],
    speed: Annotated[float, typer.Option(help="Usual speed on the way to a call (kn).")],
    contact: Annotated[str, typer.Option(help="How it is reached: a channel, a duty telephone.")],
    lat: Annotated[float | None, typer.Option(help="Where it is: latitude (degrees).")] = None,
    lon: Annotated[float | None, typer.Option(help="Where it is: longitude (degrees).")] = None,
    json: Json = False,
) -> None:
    """Add a unit, ready to be sent."""
    c = console(ctx, json=json)
    if (lat is None) != (lon is None):
        raise BadUsage("A position has two halves.", advice="Give --lat and --lon, or neither.")
    actor = c.passes("operations.unit.add")
    unit = c.node.room("operations").add_unit(
        actor, code=code, name=name, kind=kind.value, sector=sector, speed_kn=speed,
        contact=contact, position=None if lat is None or lon is None else Position(lat, lon),
    )  # fmt: skip
    c.answer({"id": unit.id, "code": unit.code}, f"{unit.code} is ready.")


@app.command()
def roads(
    ctx: typer.Context,
    extract: Annotated[Path, typer.Argument(help="Extract of OpenStreetMap: .osm.pbf or .osm.")],
    json: Json = False,
) -> None:
    """Give the node the roads by which units on land are ranked; those known before go."""
    c = console(ctx, json=json)
    actor = c.passes("operations.roads.take")
    with c.progress(f"Reading {extract.name}") as progress:
        told = c.node.room("operations").take_roads(actor, extract, lambda n: progress(n, 0))
    c.answer(told, f"{told['points']:,} points and {told['ways']:,} ways are known.")


def _known(values: Iterable[str], text: str, what: str) -> None:
    """Raise BadUsage that lists the values where one was given that is none of them."""
    try:
        if text:
            one_of(values, text, what)
    except BadInput as wrong:
        raise BadUsage(wrong.message, advice=wrong.advice) from None
