"""Legal authorities from the node's own machine: recording one from its document, and the list."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import typer

from cordon.bootstrap import Node
from cordon.kernel.access.authorities import Draft
from cordon.kernel.access.model import Scope
from cordon.kernel.clock import format_time, parse_time
from cordon.kernel.console import console
from cordon.kernel.errors import BadUsage

authorities = typer.Typer(no_args_is_help=True, help="Legal authorities to read personal data.")
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@authorities.command("record")
def record(
    ctx: typer.Context,
    reference: Annotated[str, typer.Option(help="The issuer's own number for it.")],
    issuer: Annotated[str, typer.Option(help="Who issued it.")],
    basis: Annotated[str, typer.Option(help="Id of the country's legal basis.")],
    until: Annotated[str, typer.Option(help="When it ends (RFC 3339).")],
    document: Annotated[
        Path | None,
        typer.Argument(help="The document; kept with its SHA-256. Some legal bases need none."),
    ] = None,
    since: Annotated[str, typer.Option(help="When it begins; now where absent.")] = "",
    data: Annotated[str, typer.Option(help="Kinds of data, with commas between.")] = "calls",
    subject: Annotated[
        list[str] | None, typer.Option(help="Whom it covers (number:+92…); again for more.")
    ] = None,
    data_since: Annotated[
        str, typer.Option(help="Covers data from then on (RFC 3339); open where absent.")
    ] = "",
    data_until: Annotated[
        str, typer.Option(help="Covers data before then (RFC 3339); open where absent.")
    ] = "",
    json: Json = False,
) -> None:
    """Record a legal authority, so that data may be read under it."""
    c = console(ctx, json=json)
    actor = c.passes("access.authority.record")
    node = cast("Node", c.node)
    draft = Draft(
        basis=basis,
        reference=reference,
        issuer=issuer,
        scope=Scope(
            frozenset(d.strip() for d in data.split(",") if d.strip()),
            frozenset(subject) if subject else None,
            parse_time(data_since) if data_since else None,
            parse_time(data_until) if data_until else None,
        ),
        valid_from=parse_time(since) if since else node.kernel.clock.now(),
        valid_until=parse_time(until),
    )
    with _opened(document) as source:
        made = node.authorities.record(actor, draft, source)
    c.answer({"id": made.id, "reference": made.reference}, f"Recorded {made.reference}.")


@authorities.command("list")
def list_authorities(ctx: typer.Context, json: Json = False) -> None:
    """Show the legal authorities that are recorded."""
    c = console(ctx, json=json)
    actor = c.passes("access.authority.view")
    node = cast("Node", c.node)
    now = node.kernel.clock.now()
    c.table(
        ("reference", "kind", "data", "until", "state"),
        [
            (
                a.reference,
                str(a.kind),
                ", ".join(sorted(a.scope.data)),
                format_time(a.valid_until),
                str(a.state(now)),
            )
            for a in node.authorities.recorded(actor)
        ],
    )


def _opened(document: Path | None) -> AbstractContextManager[BinaryIO | None]:
    if document is None:
        return nullcontext()
    try:
        return document.open("rb")
    except OSError as wrong:
        raise BadUsage(f"{document} cannot be read: {wrong.strerror}.") from None
