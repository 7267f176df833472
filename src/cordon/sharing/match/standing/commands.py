"""`cordon match stand` and what belongs to it: questions that another agency keeps unread."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cordon.kernel.clock import format_time, parse_time
from cordon.kernel.console import console
from cordon.kernel.errors import BadInput
from cordon.sharing.match.model import Kind, Purpose
from cordon.sharing.match.reading import lines, refused_lines
from cordon.sharing.options import Json, Under

if TYPE_CHECKING:
    from cordon.sharing.match.standing.model import Meeting


app = typer.Typer()


@app.command("stand")
def stand(
    ctx: typer.Context,
    kind: Annotated[Kind, typer.Argument(help="What the values are.")],
    peer: Annotated[str, typer.Option(help="Code of the agency that is to look out.")],
    authority: Annotated[str, typer.Option(help="Reference of the legal authority.")],
    why: Annotated[str, typer.Option(help="For whoever reads the ledger.")],
    contact: Annotated[str, typer.Option(help="Whom the other agency rings.")],
    file: Annotated[
        Path | None,
        typer.Option("--file", help="Values, one a line; standard input where absent."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Until when (RFC 3339); 90 days from now where absent.")
    ] = None,
    purpose: Annotated[Purpose, typer.Option(help="What for.")] = Purpose.INVESTIGATION,
    json: Json = False,
) -> None:
    """Ask an agency to tell when it meets one of these values, without telling it which."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.match.stand", authority)
    asking = c.node.room("sharing").match.standing.asking
    now = c.node.kernel.clock.now()
    made, refused = asking.stand(
        actor, peer, kind, lines(file), purpose, why, end_of(until, now), contact
    )
    refused_lines(c, refused)
    c.answer(
        {"questions": made, "refused": [{"row": r.row, "reason": r.reason} for r in refused]},
        f"{len(made)} asked. What {peer} holds already: cordon match ask.",
    )


def end_of(until: str | None, now: datetime) -> datetime:
    """When a question ends, as it was typed; BadInput where that is no time."""
    if until is None:
        return now + timedelta(days=90)
    try:
        return parse_time(until)
    except ValueError:
        raise BadInput(
            "The end of a standing question is no time.", advice="Write 2026-06-30T18:00:00Z."
        ) from None


@app.command("withdraw")
def withdraw(
    ctx: typer.Context,
    question: Annotated[str, typer.Argument(help="Id of the question.")],
    why: Annotated[str, typer.Option(help="For whoever reads the ledger.")],
    json: Json = False,
) -> None:
    """Take a standing question back; the other agency forgets it."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.match.withdraw")
    c.node.room("sharing").match.standing.asking.withdraw(actor, question, why)
    c.answer({"withdrawn": question}, "Withdrawn.")


@app.command("standing")
def standing(
    ctx: typer.Context,
    authority: Under = None,
    theirs: Annotated[
        bool, typer.Option("--theirs", help="Those of other agencies that are kept here.")
    ] = False,
    json: Json = False,
) -> None:
    """List standing questions; values that no authority covers are masked."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.match.view", authority)
    desk = c.node.room("sharing").match.standing
    if theirs:
        c.table(
            ("agency", "at", "kind", "purpose", "authority", "contact", "until", "looked_at",
             "met"),
            [
                (
                    q.peer, format_time(q.at), q.kind.value, q.purpose, q.authority, q.contact,
                    format_time(q.until), _time(q.looked_at), q.met,
                )
                for q in desk.theirs(actor)
            ],
        )  # fmt: skip
        return
    c.table(
        ("question", "at", "agency", "kind", "value", "authority", "until", "state", "said",
         "looked_at", "met"),
        [
            (
                q.id, format_time(q.at), q.peer, q.kind.value, q.shown, q.authority,
                format_time(q.until), q.state.value, q.said, _time(q.looked_at), q.met,
            )
            for q in desk.ours(actor)
        ],
    )  # fmt: skip


@app.command("look")
def look(ctx: typer.Context, json: Json = False) -> None:
    """Look now whether anything new here is what other agencies asked about."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.match.look")
    found = c.node.room("sharing").match.standing.keeping.look(actor)
    c.table(
        ("agency", "kind", "looked", "met", "problem"),
        [(f.peer, f.kind.value, f.looked, f.met, f.problem) for f in found],
    )


@app.command("met")
def met(
    ctx: typer.Context,
    authority: Under = None,
    json: Json = False,
) -> None:
    """List standing questions that were met, and whom to ring."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.match.view", authority)
    found: list[Meeting] = c.node.room("sharing").match.standing.met(actor)
    c.table(
        ("hit", "at", "asked_by", "agency", "kind", "value", "contact", "rung_at", "note"),
        [
            (
                m.id, format_time(m.at), "this agency" if m.ours else m.peer, m.peer, m.kind.value,
                m.shown, m.contact, _time(m.rung_at), m.note,
            )
            for m in found
        ],
    )  # fmt: skip


def _time(at: datetime | None) -> str | None:
    return format_time(at) if at else None
