"""`cordon match`: ask other agencies whether they hold a value, without telling which."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cordon.kernel.clock import format_time
from cordon.kernel.console import Console, console
from cordon.sharing.match.model import LOOKS_A_DAY, Kind, Purpose, Terms
from cordon.sharing.match.reading import lines, refused_lines
from cordon.sharing.match.standing import commands
from cordon.sharing.options import Json, Under

if TYPE_CHECKING:
    from cordon.sharing.match.asking import Outcome

app = typer.Typer(no_args_is_help=True, help="Does another agency know this one?")

app.add_typer(commands.app)  # without a name: its commands are this one's

Peer = Annotated[str, typer.Option(help="Code of the other agency.")]
KindOf = Annotated[Kind, typer.Argument(help="What the values are.")]
Authority = Annotated[str, typer.Option(help="Reference of the legal authority.")]
File = Annotated[
    Path | None, typer.Option("--file", help="Values, one a line; standard input where absent.")
]


@app.command("ask")
def ask(
    ctx: typer.Context,
    kind: KindOf,
    peer: Peer,
    authority: Authority,
    why: Annotated[str, typer.Option(help="For whoever reads the ledger.")],
    file: File = None,
    purpose: Annotated[Purpose, typer.Option(help="What for.")] = Purpose.INVESTIGATION,
    json: Json = False,
) -> None:
    """Ask whether an agency holds these values, which come from a file or standard input."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.match.ask", authority)
    room = c.node.room("sharing").match
    _told(c, room.asking.ask(actor, peer, kind, lines(file), purpose, why))


@app.command("fetch")
def fetch(
    ctx: typer.Context,
    question: Annotated[str, typer.Argument(help="Id of a question that waits.")],
    authority: Authority,
    json: Json = False,
) -> None:
    """Fetch the answer to a question that was to wait, or whose answer was lost."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.match.ask", authority)
    _told(c, c.node.room("sharing").match.asking.fetch(actor, question))


@app.command("hits")
def list_hits(
    ctx: typer.Context,
    authority: Under = None,
    json: Json = False,
) -> None:
    """List hits, and whom to ring; values that no authority covers are masked."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.match.view", authority)
    c.table(
        ("hit", "at", "agency", "kind", "value", "contact", "rung_at", "note"),
        [
            (
                h.id, format_time(h.at), h.peer, h.kind.value, h.shown, h.contact,
                format_time(h.rung_at) if h.rung_at else None, h.note,
            )
            for h in c.node.room("sharing").match.hits(actor)
        ],
    )  # fmt: skip


@app.command("list")
def list_questions(ctx: typer.Context, json: Json = False) -> None:
    """List this agency's questions, and what came of them."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.match.view")
    c.table(
        ("question", "at", "agency", "kind", "count", "authority", "hits", "due_at", "refused"),
        [
            (
                q.id, format_time(q.at), q.peer, q.kind.value, q.count, q.authority, q.hits,
                format_time(q.due_at) if q.due_at else None, q.refused,
            )
            for q in c.node.room("sharing").match.questions(actor)
        ],
    )  # fmt: skip


@app.command("asked")
def list_asked(ctx: typer.Context, json: Json = False) -> None:
    """List what other agencies asked here: how many values, and under what."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.match.view")
    c.table(
        ("agency", "at", "kind", "count", "authority", "purpose", "answered_at", "refused"),
        [
            (
                a.peer, format_time(a.at), a.kind, a.count, a.authority, a.purpose,
                format_time(a.answered_at) if a.answered_at else None, a.refused,
            )
            for a in c.node.room("sharing").match.asked(actor)
        ],
    )  # fmt: skip


@app.command("terms")
def terms(
    ctx: typer.Context,
    peer: Annotated[
        str | None, typer.Option(help="Agency whose terms are set; without it they are listed.")
    ] = None,
    kind: Annotated[
        list[Kind] | None, typer.Option(help="What it may ask; may be repeated. None: nothing.")
    ] = None,
    purpose: Annotated[
        list[Purpose] | None, typer.Option(help="What for; may be repeated.")
    ] = None,
    contact: Annotated[str, typer.Option(help="Whom to ring on a hit.")] = "",
    batch: Annotated[int, typer.Option(help="Values of a question at most.")] = 100,
    daily: Annotated[int, typer.Option(help="Values in 24 hours at most.")] = 500,
    delay: Annotated[int, typer.Option(help="Seconds from a question to its answer.")] = 0,
    agreement: Annotated[str, typer.Option(help="What this rests on.")] = "",
    standing: Annotated[
        int, typer.Option(help="Standing questions that it may keep here at one time.")
    ] = 0,
    looks: Annotated[
        int,
        typer.Option(help="Values in 24 hours that it may look for in standing questions of ours."),
    ] = LOOKS_A_DAY,
    json: Json = False,
) -> None:
    """Say what another agency may ask here, or list the terms with all."""
    c = console(ctx, json=json)
    if peer is None:
        actor = c.passes("sharing.match.view")
        c.table(
            ("agency", "way", "kinds", "purposes", "contact", "batch", "daily", "delay_s",
             "agreement", "standing", "looks"),
            [
                (p, way, ", ".join(t.kinds), ", ".join(t.purposes), t.contact, t.batch, t.daily,
                 t.delay_s, t.agreement, t.standing, t.looks)
                for p, way, t in c.node.room("sharing").match.terms(actor)
            ],
        )  # fmt: skip
        return
    actor = c.passes("sharing.match.terms")
    given = Terms(
        tuple(dict.fromkeys(kind or ())), tuple(dict.fromkeys(purpose or ())), contact, batch,
        daily, delay, agreement, standing, looks,
    )  # fmt: skip
    c.node.room("sharing").match.set_terms(actor, peer, given)
    c.answer(
        {"agency": peer, **given.to_json()},
        f"{peer} may ask: {', '.join(given.kinds) or 'nothing'}. Now run cordon match prepare.",
    )


@app.command("hold")
def hold(
    ctx: typer.Context,
    kind: KindOf,
    source: Annotated[str, typer.Option(help="Where the values come from, one line.")],
    file: File = None,
    json: Json = False,
) -> None:
    """Bring in values that questions are answered from, beside what findings name."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.match.hold")
    new, refused = c.node.room("sharing").match.hold(actor, kind, lines(file), source)
    refused_lines(c, refused)
    c.answer(
        {"new": new, "refused": [{"row": r.row, "reason": r.reason} for r in refused]},
        f"{new} new. Now run cordon match prepare.",
    )


@app.command("prepare")
def prepare(
    ctx: typer.Context,
    peer: Annotated[str | None, typer.Option(help="For one agency only.")] = None,
    whole: Annotated[bool, typer.Option(help="Send the whole sets, not what changed.")] = False,
    anew: Annotated[bool, typer.Option(help="Under new keys.")] = False,
    json: Json = False,
) -> None:
    """Bring what others can ask against up to date, and send them the changes."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.match.prepare")
    with c.progress("evaluating") as progress:
        made = c.node.room("sharing").match.prepare(
            actor, peer, whole=whole, anew=anew, progress=progress
        )
    c.table(
        ("agency", "kind", "held", "new", "gone", "size", "whole"),
        [(p.peer, p.kind.value, p.held, p.new, p.gone, p.size, p.whole) for p in made],
    )


def _told(c: Console, outcome: Outcome) -> None:
    question = outcome.question
    refused_lines(c, list(outcome.refused))
    if question.refused:
        words = f"{question.peer} does not answer: {question.refused}"
    elif question.answered_at is None:
        due = format_time(question.due_at) if question.due_at else "later"
        words = f"Answered from {due} on: cordon match fetch {question.id}"
    else:
        words = f"{question.peer} holds {len(outcome.held)}." + (
            f" Ring {outcome.contact}. See cordon match hits." if outcome.held else ""
        )
    c.answer(
        {
            "question": question.id, "agency": question.peer, "count": question.count,
            "hits": question.hits, "held": list(outcome.held), "contact": outcome.contact,
            "due_at": format_time(question.due_at) if question.due_at else None,
            "not_answered": question.refused,
            "refused": [{"row": r.row, "reason": r.reason} for r in outcome.refused],
        },
        words,
    )  # fmt: skip
