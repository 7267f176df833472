"""`cordon deconflict`: planned acts, checked with other agencies before they begin."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from cordon.kernel.clock import format_time
from cordon.kernel.console import console
from cordon.sharing.options import Json

app = typer.Typer(no_args_is_help=True, help="Planned acts, checked with other agencies.")

Act = Annotated[str, typer.Argument(help="Id of the planned act.")]
ConflictId = Annotated[str, typer.Argument(help="Id of the conflict.")]
Reason = Annotated[str, typer.Option(help="In ten characters at least; the other side reads it.")]
Commander = Annotated[str, typer.Option(help="Name of the commander who decides.")]


@app.command()
def add(
    ctx: typer.Context,
    kind: Annotated[str, typer.Argument(help="raid, arrest, surveillance, … (settable).")],
    lat: Annotated[str, typer.Option(help="Latitude: 25.104, or 25°06.24′N.")],
    lon: Annotated[str, typer.Option(help="Longitude.")],
    ring: Annotated[str, typer.Option(help="Whom the other agency rings: a duty telephone.")],
    commander: Annotated[str, typer.Option(help="Who commands it.")],
    start: Annotated[
        str, typer.Option(help="Begins at, like 2026-01-17T08:30Z; now if empty.")
    ] = "",
    hours: Annotated[str, typer.Option(help="How long; as usual for the kind if empty.")] = "",
    title: Annotated[str, typer.Option(help="The agency's own name for it; stays here.")] = "",
    radius: Annotated[str, typer.Option(help="Metres around it; as usual if empty.")] = "",
    buffer: Annotated[str, typer.Option(help="Minutes before and after; as usual if empty.")] = "",
    days: Annotated[str, typer.Option(help="Days for the same subject; as usual if empty.")] = "",
    subject: Annotated[
        list[str] | None, typer.Option(help="type:identifier; may be repeated.")
    ] = None,
    joint: Annotated[str, typer.Option(help="Name agreed for a joint act.")] = "",
    mark: Annotated[str, typer.Option(help="Handling mark.")] = "TLP:AMBER",
    json: Json = False,
) -> None:
    """Enter a planned act and check it with every agency."""
    from cordon.sharing.deconfliction.entering import entered

    c = console(ctx, json=json)
    actor = c.passes("sharing.planned_act.add")
    desk = c.node.room("sharing").deconfliction
    said = entered(
        {
            "kind": kind, "lat": lat, "lon": lon, "ring": ring, "commander": commander,
            "starts": start or format_time(c.node.kernel.clock.now() + timedelta(minutes=1)),
            "hours": hours, "title": title, "radius_m": radius, "buffer_min": buffer,
            "subject_days": days, "subjects": "\n".join(subject or ()), "joint": joint,
            "mark": mark,
        },
        desk.kind(kind), desk.zone,
    )  # fmt: skip
    _tell(ctx, desk.show(actor, desk.add(actor, said)))


@app.command()
def check(ctx: typer.Context, act: Act, json: Json = False) -> None:
    """Ask every agency again about a planned act."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.planned_act.check")
    desk = c.node.room("sharing").deconfliction
    desk.recheck(actor, act)
    _tell(ctx, desk.show(actor, act))


@app.command("list")
def list_acts(
    ctx: typer.Context,
    conflicts: Annotated[
        bool, typer.Option("--conflicts", help="The conflicts that stand.")
    ] = False,
    ended: Annotated[bool, typer.Option("--ended", help="Those that are over.")] = False,
    json: Json = False,
) -> None:
    """List planned acts, or the conflicts that stand."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.planned_act.view")
    desk = c.node.room("sharing").deconfliction
    if conflicts:
        c.table(
            ("id", "act", "agency", "ring", "basis", "state", "theirs", "blocks", "opened_at"),
            [
                (
                    f.id, f.act, f.party, f.ring, "+".join(f.basis), f.state.value,
                    f.theirs.value, f.blocks, format_time(f.opened_at),
                )
                for f in desk.conflicts(actor)
            ],
        )  # fmt: skip
        return
    c.table(
        ("id", "kind", "title", "state", "start", "end", "unchecked", "conflicts"),
        [
            (
                s.act.id, s.act.draft.kind, s.act.draft.title, s.act.state.value,
                format_time(s.act.draft.start), format_time(s.act.draft.end),
                " ".join(k.party for k in s.unchecked), len(s.blocking),
            )
            for s in desk.planned(actor, ended=ended)
        ],
    )  # fmt: skip


@app.command()
def own(ctx: typer.Context, conflict: ConflictId, json: Json = False) -> None:
    """Take a conflict upon oneself."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.conflict.own")
    c.node.room("sharing").deconfliction.own(actor, conflict)
    c.answer({"owned": conflict}, "It is yours until it is solved.")


@app.command()
def solve(ctx: typer.Context, conflict: ConflictId, how: Reason, json: Json = False) -> None:
    """Say how a conflict was solved; the act may go once the other side says so too."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.conflict.solve")
    c.node.room("sharing").deconfliction.solve(actor, conflict, how)
    c.answer({"solved": conflict}, "Solved on this side.")


@app.command()
def override(
    ctx: typer.Context,
    what: Annotated[str, typer.Argument(help="Id of a conflict, or of an act with --unchecked.")],
    reason: Reason,
    commander: Commander,
    unchecked: Annotated[
        bool, typer.Option("--unchecked", help="Over agencies that could not be asked.")
    ] = False,
    json: Json = False,
) -> None:
    """Go ahead over a conflict, or over agencies that could not be asked."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.conflict.override")
    desk = c.node.room("sharing").deconfliction
    if unchecked:
        over = desk.override_checks(actor, what, reason, commander)
        c.answer({"act": what, "over": over}, f"Goes ahead without {', '.join(over)}.")
        return
    desk.override(actor, what, reason, commander)
    c.answer({"overridden": what}, "Goes ahead; the other side is told.")


@app.command()
def go(ctx: typer.Context, act: Act, json: Json = False) -> None:
    """Let a planned act begin; refused while a conflict or a check is open."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.planned_act.go")
    c.node.room("sharing").deconfliction.go(actor, act)
    c.answer({"go": act}, "It may begin.")


@app.command()
def end(
    ctx: typer.Context,
    act: Act,
    reason: Reason,
    cancelled: Annotated[bool, typer.Option("--cancelled", help="It will not take place.")] = False,
    json: Json = False,
) -> None:
    """Say that a planned act is over, or will not be."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.planned_act.end")
    c.node.room("sharing").deconfliction.end(actor, act, reason, cancelled=cancelled)
    c.answer({"ended": act}, "Ended; its conflicts are gone on both sides.")


def _tell(ctx: typer.Context, shown: object) -> None:
    """An act with what came of its check."""
    from cordon.sharing.deconfliction.model import Shown
    from cordon.sharing.deconfliction.routes import as_json

    assert isinstance(shown, Shown)
    c = console(ctx)
    said = [f"{k.party}: not checked yet. {k.problem}" for k in shown.unchecked]
    said += [
        f"{code}: not asked, for nothing is agreed with it. Ring it." for code in shown.unagreed
    ]
    said += [f"{f.party}: in conflict. Ring {f.ring}. ({f.id})" for f in shown.blocking]
    c.answer(as_json(shown), f"{shown.act.id}\n" + ("\n".join(said) or "Nobody is in the way."))
