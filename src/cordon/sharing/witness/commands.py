"""`cordon sharing witness`: who has seen our ledger, and whose we have seen."""

from __future__ import annotations

import typer

from cordon.kernel.clock import format_time
from cordon.kernel.console import console
from cordon.sharing.options import Json

app = typer.Typer(no_args_is_help=True, help="Ledgers that watch each other.")


@app.command()
def key(ctx: typer.Context, json: Json = False) -> None:
    """Print the key by which this node cosigns, for whoever verifies another's export."""
    c = console(ctx, json=json)
    c.passes("sharing.witness.view")
    mine = str(c.node.room("sharing").witnesses.cosigner)
    c.answer({"key": mine}, mine)


@app.command("list")
def list_watched(ctx: typer.Context, json: Json = False) -> None:
    """List the nodes that witness one another with this one: up to which size, and when."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.witness.view")
    c.table(
        ("agency", "seen_here", "seen_at", "cosigned_ours", "cosigned_at", "open", "refused"),
        [
            (
                w.code, w.size, format_time(w.seen_at) if w.seen_at else None, w.given,
                format_time(w.given_at) if w.given_at else None, w.open, w.refused or None,
            )
            for w in c.node.room("sharing").witnesses.watched(actor)
        ],
    )  # fmt: skip


@app.command()
def evidence(ctx: typer.Context, json: Json = False) -> None:
    """List what speaks against other nodes' ledgers; --json gives both checkpoints of each."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.witness.view")
    found = c.node.room("sharing").witnesses.evidence(actor)
    shown = ("one", "other") if c.json else ()
    c.table(
        ("at", "agency", "wrong", "says", "told_by", "finding", *shown),
        [
            (
                format_time(e.at), e.code, e.wrong.value, e.says, e.told_by, e.finding,
                *(getattr(e, name) for name in shown),
            )
            for e in found
        ],
    )  # fmt: skip
