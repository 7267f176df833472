"""`cordon sharing requests`: what agencies ask each other for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from cordon.kernel.clock import format_time
from cordon.kernel.console import console
from cordon.kernel.errors import BadUsage
from cordon.sharing.options import Agency, Json, one_of

if TYPE_CHECKING:
    from cordon.sharing.requests.model import Request

app = typer.Typer(no_args_is_help=True, help="Requests between agencies.")


@app.command("list")
def list_requests(ctx: typer.Context, json: Json = False) -> None:
    """List what is asked and owed: open ones first, the one that is due first before."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.request.view")
    rows = [_plain(one) for one in c.node.room("sharing").requests.list(actor)]
    columns = (
        "id", "way", "peer", "kind", "urgency", "state", "due_at", "escalated_at", "mark", "text",
        "basis", "ground", "said",
    )  # fmt: skip
    c.table(columns, [[row[name] for name in columns] for row in rows])


@app.command()
def ask(
    ctx: typer.Context,
    to: Agency,
    text: Annotated[str, typer.Option(help="What is asked; it names no number.")],
    basis: Annotated[str, typer.Option(help="Law or order that it rests on.")],
    kind: Annotated[str, typer.Option(help="information, action or preservation.")] = "information",
    urgency: Annotated[str, typer.Option(help="flash, urgent or routine.")] = "routine",
    mark: Annotated[str, typer.Option(help="Handling mark.")] = "TLP:AMBER",
    json: Json = False,
) -> None:
    """Ask another agency for information, an act or preservation."""
    from cordon.kernel.access.model import Mark
    from cordon.sharing.requests.model import RequestKind, Urgency

    c = console(ctx, json=json)
    actor = c.passes("sharing.request.ask")
    one = c.node.room("sharing").requests.ask(
        actor, to, one_of(RequestKind, kind), one_of(Urgency, urgency), text, basis,
        one_of(Mark, mark),
    )  # fmt: skip
    c.answer(_plain(one), f"Asked {to}: {one.id}. An answer is due at {format_time(one.due_at)}.")


@app.command()
def answer(
    ctx: typer.Context,
    request: Annotated[str, typer.Argument(help="Id of the request.")],
    said: Annotated[str, typer.Option(help="The answer, or what is added to a refusal.")] = "",
    refuse: Annotated[
        str | None, typer.Option(help="Refuse on this ground, for example not_held.")
    ] = None,
    json: Json = False,
) -> None:
    """Answer another agency's request, or refuse it with a ground."""
    from cordon.sharing.requests.model import Ground

    c = console(ctx, json=json)
    actor = c.passes("sharing.request.answer")
    desk = c.node.room("sharing").requests
    if refuse is not None:
        one = desk.refuse(actor, request, one_of(Ground, refuse), said)
    elif said:
        one = desk.answer(actor, request, said)
    else:
        raise BadUsage("There is no answer.", advice="Give --said, or --refuse with a ground.")
    c.answer(_plain(one), f"{one.id} is {one.state.value}; {one.peer} is told.")


def _plain(one: Request) -> dict[str, Any]:
    return {
        "id": one.id, "way": one.way.value, "peer": one.peer, "kind": one.kind.value,
        "urgency": one.urgency.value, "state": one.state.value, "mark": one.mark.value,
        "text": one.text, "basis": one.basis, "at": format_time(one.at),
        "due_at": format_time(one.due_at),
        "escalated_at": format_time(one.escalated_at) if one.escalated_at else None,
        "ended_at": format_time(one.ended_at) if one.ended_at else None,
        "ground": one.ground.value if one.ground else None, "said": one.said or None,
    }  # fmt: skip
