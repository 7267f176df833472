"""`cordon exercise crews`: play the crews of units, and see how they were dispatched."""

from __future__ import annotations

from typing import Annotated

import typer

from cordon.exercise.crews.model import Rule
from cordon.kernel.clock import format_time
from cordon.kernel.console import console
from cordon.kernel.errors import NotFound

app = typer.Typer(no_args_is_help=True, help="Units that the exercise plays, and their score.")
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
WHICH = typer.Argument(help="Id of a play; without it the newest.")


@app.command()
def play(
    ctx: typer.Context,
    units: Annotated[list[str], typer.Argument(help="Codes of the units that are played.")],
    seed: Annotated[int, typer.Option(help="Seed of all that they are.", min=0)] = 1,
    rule: Annotated[Rule, typer.Option(help="Who sends them.")] = Rule.PEOPLE,
    json: Json = False,
) -> None:
    """Let the exercise play units' crews from now on; the node plays them while it is served."""
    c = console(ctx, json=json)
    actor = c.passes("exercise.crews.play")
    id_ = c.node.room("crews").start(actor, units, seed=seed, rule=rule)
    c.answer({"play": id_}, f"Play {id_} has begun.")


@app.command()
def stop(ctx: typer.Context, id_: Annotated[str, WHICH] = "", json: Json = False) -> None:
    """Let the crews say nothing more, until they go on."""
    c = console(ctx, json=json)
    actor = c.passes("exercise.crews.stop")
    desk = c.node.room("crews")
    which = id_ or _newest(desk.plays(actor))
    desk.stop(actor, which)
    c.answer({"play": which}, f"Play {which} is stopped.")


@app.command()
def go_on(ctx: typer.Context, id_: Annotated[str, WHICH] = "", json: Json = False) -> None:
    """Let a stopped play go on; what its crews did meanwhile comes late."""
    c = console(ctx, json=json)
    actor = c.passes("exercise.crews.play")
    desk = c.node.room("crews")
    which = id_ or _newest(desk.plays(actor))
    desk.go_on(actor, which)
    c.answer({"play": which}, f"Play {which} goes on.")


@app.command()
def score(ctx: typer.Context, id_: Annotated[str, WHICH] = "", json: Json = False) -> None:
    """Hold each sending against the unit that would have been on scene first."""
    # it loads the web, which no other command of the room needs
    from cordon.exercise.crews.routes import play_json

    c = console(ctx, json=json)
    actor = c.passes("exercise.crews.view")
    plays = c.node.room("crews").plays(actor)
    which = id_ or _newest(plays)
    found = next((p for p in plays if p.id == which), None)
    if found is None:
        raise NotFound("There is no such play of crews.")
    if json:
        c.answer(play_json(found), "")
        return
    told = found.score
    c.table(
        ("sent_at", "kind", "sent", "made_by", "made_s", "best", "best_s", "first", "first_s",
         "ratio", "lost_s"),
        [
            (format_time(a.sent_at), a.kind, a.sent, a.made_by, a.made_s, a.best, a.best_s,
             a.first, a.first_s, a.ratio, a.lost_s)
            for a in found.answers
        ],
    )  # fmt: skip
    c.say(
        f"{told.answered} answered, {told.reached} on scene, {told.waits} on the way, "
        f"{told.never} where nobody came, {told.hopeless} where nobody could. Time over the best: "
        f"median {_said(told.median)}, 90th percentile {_said(told.ninth)}; by the ranking's first "
        f"choice {_said(told.first_median)} and {_said(told.first_ninth)}. "
        f"Lost: {told.lost_s / 60:.0f} min."
    )


def _said(number: float | None) -> str:
    return "–" if number is None else f"{number:.2f}"


def _newest(plays: list[object]) -> str:
    if not plays:
        raise NotFound(
            "No crews were played here.", advice="Begin with cordon exercise crews play."
        )
    return str(plays[0].id)  # type: ignore[attr-defined]
