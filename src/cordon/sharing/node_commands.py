"""`cordon sharing nodes`: other agencies' nodes, which this one speaks with."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from cordon.kernel.clock import format_time
from cordon.kernel.console import console
from cordon.sharing.options import Agency, Json, Reason, text_of

app = typer.Typer(no_args_is_help=True, help="Other agencies' nodes.")


@app.command()
def card(
    ctx: typer.Context,
    name: Annotated[str, typer.Option(help="This agency's name, as others read it.")],
    address: Annotated[str, typer.Option(help="host:port by which others reach this node.")],
    json: Json = False,
) -> None:
    """Write this node's card, to be handed to another agency."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.node.view")
    text = c.node.room("sharing").nodes.card(actor, name, address)
    if c.json:
        c.answer({"card": text}, "")
    else:
        typer.echo(text, nl=False)


@app.command()
def add(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="The other node's card.")],
    json: Json = False,
) -> None:
    """Trust another agency's node by its card; then compare fingerprints by telephone."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.node.add")
    peer = c.node.room("sharing").nodes.add(actor, text_of(file))
    c.answer(
        {"agency": peer.code, "fingerprint": peer.fingerprint},
        f"Trusts {peer.code} with the key {peer.fingerprint}. Compare it by telephone.",
    )


@app.command("list")
def list_nodes(ctx: typer.Context, json: Json = False) -> None:
    """List the nodes that are known, and what waits for them."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.node.view")
    c.table(
        (
            "agency", "name", "address", "state", "fingerprint", "waiting", "heard", "heard_at",
            "clock_off_s", "next_fingerprint", "next_from",
        ),
        [
            (
                p.code, p.name, p.address, p.state.value, p.fingerprint, p.waiting, p.heard,
                format_time(p.heard_at) if p.heard_at else None,
                None if p.clock_off_s is None else round(p.clock_off_s, 3),
                p.next_fingerprint, format_time(p.next_from) if p.next_from else None,
            )
            for p in c.node.room("sharing").nodes.known(actor)
        ],
    )  # fmt: skip


@app.command("begin-anew")
def begin_anew(ctx: typer.Context, agency: Agency, reason: Reason, json: Json = False) -> None:
    """Number messages with a node anew, after one of the two lost its database; on both nodes."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.node.begin_anew")
    c.node.room("sharing").nodes.begin_anew(actor, agency, reason)
    c.answer({"agency": agency}, f"Begins anew with {agency} once it has run the same command.")


@app.command()
def rotate(
    ctx: typer.Context,
    reason: Reason,
    overlap_hours: Annotated[
        float, typer.Option(min=0.1, max=720, help="Hours until the new key is used.")
    ] = 72.0,
    json: Json = False,
) -> None:
    """Change this node's own key: peers are told now, and the new key is used after the overlap."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.node.rotate")
    overlap = timedelta(hours=overlap_hours)
    key, at = c.node.room("sharing").nodes.rotate(actor, overlap, reason)
    c.answer(
        {"fingerprint": key, "from": format_time(at)},
        f"The key {key} is used from {format_time(at)}. Peers that are not reached until then need "
        "the new card by hand.",
    )


@app.command("cut-off")
def cut_off(
    ctx: typer.Context,
    agency: Agency,
    reason: Reason,
    json: Json = False,
) -> None:
    """Speak no more with a node, at once; lists what it had received."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.node.cut_off")
    had = c.node.room("sharing").nodes.cut_off(actor, agency, reason)
    listed = ", ".join(f"{count} of {kind}" for kind, count in sorted(had.items())) or "nothing"
    c.answer({"cut_off": agency, "received": had}, f"Cut off {agency}. It had received: {listed}.")
