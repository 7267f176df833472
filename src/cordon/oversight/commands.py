"""Commands of the room: `cordon ledger …` and `cordon oversight report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cordon.kernel.console import Console, console, write_out
from cordon.kernel.errors import BadInput, BadUsage
from cordon.kernel.ledger.report import Report

ledger = typer.Typer(no_args_is_help=True, help="The ledger: verify it, take it out, read it.")
app = typer.Typer(no_args_is_help=True, help="What an overseer looks at.")


@app.callback()
def oversight() -> None:
    """What an overseer looks at."""


Json = Annotated[bool, typer.Option("--json", help="Answer in JSON on standard output.")]
MOST_NOTE = 1 << 20  # bytes of a key or checkpoint file: each is a few lines


@app.command()
def report(
    ctx: typer.Context,
    unit: Annotated[str | None, typer.Option(help="Only what this unit asked to close.")] = None,
    part: Annotated[str, typer.Option(help="Part to page through: overdue, answered, …")] = "",
    offset: Annotated[int, typer.Option(min=0, help="Rows of that part to leave out.")] = 0,
    json: Json = False,
) -> None:
    """Count what an overseer looks at first; --json gives the first page of each part."""
    from cordon.oversight.answered import ANSWERED_FOR
    from cordon.oversight.jsoning import report_json
    from cordon.oversight.report import A_PAGE, LAPSED_FOR

    c = _console(ctx, json)
    if part and part not in A_PAGE:
        raise BadUsage(
            f"“{part[:40]}” is no part of the report.", advice=f"Use one of {', '.join(A_PAGE)}."
        )
    actor = c.passes("oversight.report.view", None)
    found = c.node.room("oversight").report(actor, unit=unit, part=part, offset=offset)
    if c.json:
        c.answer(report_json(found), "")
        return
    c.table(
        ("what", "count"),
        [
            ("leads unanswered past their time", found.totals["overdue"]),
            (f"answered and not closed for {ANSWERED_FOR.days} days", found.totals["answered"]),
            ("wishes to close that wait", found.totals["waiting"]),
            ("emergency authorities that wait to be confirmed", found.totals["emergencies"]),
            (
                f"emergency authorities lapsed unconfirmed in {LAPSED_FOR.days} days",
                found.totals["lapsed"],
            ),
            ("refused attempts", found.totals["refused"]),
            ("closed for want of means", found.totals["no_means"]),
            ("closed for any other reason", found.totals["closed"]),
            ("failing subscribers", len(found.failing)),
        ],
    )


@ledger.command()
def verify(
    ctx: typer.Context,
    export: Annotated[
        Path | None,
        typer.Option("--export", help="An exported folder; the node's own database without it."),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option("--key", help="File with the agency's public key, got by another way."),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", help="An older checkpoint that must be the beginning."),
    ] = None,
    since: Annotated[
        int | None,
        typer.Option("--since", min=0, help="The export begins at this entry, and not at 0."),
    ] = None,
    chosen: Annotated[
        bool, typer.Option("--slice", help="The export is a slice: chosen entries, with proofs.")
    ] = False,
    witness: Annotated[
        list[Path] | None,
        typer.Option("--witness", help="File with a witness's key, got from it; may be repeated."),
    ] = None,
    json: Json = False,
) -> None:
    """Check that the ledger is whole and unchanged. With --export it needs no node."""
    c = _console(ctx, json)
    if export is None and (key is not None or since is not None or chosen or witness):
        raise BadUsage(
            "--key, --since, --slice and --witness speak of an export; the node's own database is "
            "whole, and is checked with the node's own key.",
            advice="Give --export FOLDER too.",
        )
    if chosen and since is not None:
        raise BadUsage(
            "A slice holds chosen entries and does not begin anywhere.",
            advice="Give --since or --slice.",
        )
    older = None if against is None else _read(against, "checkpoint")
    if export is not None:
        from cordon.kernel.ledger.verify import verify_export

        verifier = None if key is None else _read(key, "public key").strip()
        with c.progress("verifying") as tell:
            found = verify_export(
                export,
                verifier,
                since=since or 0,
                slice_=chosen,
                against=older,
                witnesses=[_read(w, "witness's key").strip() for w in witness or ()],
                progress=tell,
            )
    else:
        actor = c.passes("ledger.verify", None)
        with c.progress("verifying") as tell:
            found = c.node.room("oversight").verify(actor, against=older, progress=tell)
    _tell(c, found)


@ledger.command()
def export(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder to write; it must not hold anything.")],
    since: Annotated[int, typer.Option(min=0, help="Index of the first entry.")] = 0,
    json: Json = False,
) -> None:
    """Write the ledger into files that anybody can verify."""
    c = _console(ctx, json)
    actor = c.passes("ledger.export", None)
    room = c.node.room("oversight")
    with c.progress("exporting") as tell:
        count = room.export(actor, folder, since=since, progress=tell)
    verifier = room.kernel.ledger.verifier
    c.answer(
        {"folder": str(folder), "entries": count, "since": since, "verifier": str(verifier)},
        f"Wrote {count:,} entries to {folder}.\nFingerprint {verifier.fingerprint}",
    )


@ledger.command()
def show(
    ctx: typer.Context,
    index: Annotated[int | None, typer.Argument(help="Index of one entry, with proof.")] = None,
    actor: Annotated[str | None, typer.Option(help="Who acted: an id.")] = None,
    act: Annotated[str | None, typer.Option(help="An act, or all below it (calls.).")] = None,
    thing: Annotated[str | None, typer.Option(help="What was acted on, type:id.")] = None,
    authority: Annotated[str | None, typer.Option(help="Reference or id of one.")] = None,
    outcome: Annotated[str | None, typer.Option(help="done, read or refused.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Entries at most.")] = 50,
    json: Json = False,
) -> None:
    """Show the newest entries, or one entry with its proof."""
    from cordon.kernel.clock import format_time
    from cordon.kernel.ledger.model import OUTCOMES
    from cordon.oversight.jsoning import proof_json
    from cordon.oversight.model import Span

    c = _console(ctx, json)
    if outcome is not None and outcome not in OUTCOMES:
        raise BadUsage(
            f"“{outcome[:40]}” is no outcome.", advice=f"Use one of {', '.join(OUTCOMES)}."
        )
    who = c.passes("ledger.entry.view", None)
    room = c.node.room("oversight")
    if index is not None:
        proof = room.prove(who, index)
        if c.json:
            c.answer(proof_json(proof), "")
        else:
            write_out(iter([f"{proof.leaf}\n\n{proof.checkpoint}".encode()]), None)
        return
    span = Span(actor=actor, act=act, thing=thing, authority=authority, outcome=outcome)
    found = room.entries(who, span, at_most=limit)
    c.table(
        ("index", "at", "act", "outcome", "actor", "thing", "authority"),
        [
            (
                e.index,
                format_time(e.at),
                e.act,
                e.outcome,
                e.actor,
                e.thing,
                found.references.get(e.authority, e.authority) if e.authority else None,
            )
            for e in found.entries
        ],
    )


@ledger.command()
def checkpoint(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option("--out", help="File to write it to.")] = None,
    json: Json = False,
) -> None:
    """Print the signed checkpoint: what the ledger is now, to be kept elsewhere."""
    c = _console(ctx, json)
    actor = c.passes("ledger.entry.view", None)
    note = c.node.room("oversight").checkpoint(actor)
    if out is not None or not c.json:
        write_out(iter([note.encode()]), out)
    if c.json:
        c.answer({"checkpoint": note, "out": None if out is None else str(out)}, "")


def _tell(c: Console, found: Report) -> None:
    if c.json:
        c.answer(found.to_dict(), "")
        if not found.ok:
            raise typer.Exit(1)
        return
    for remark in found.remarks():
        c.say(remark)
    found.require()
    c.say(
        f"It verifies: {found.checked:,} entries of {found.origin}, checkpoint {found.size:,}, "
        f"root {found.root}, in {found.seconds:.1f} s."
    )


def _read(path: Path, what: str) -> str:
    try:
        if path.stat().st_size > MOST_NOTE:
            raise BadInput(f"{path.name} is too large to be a {what}.")
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadInput(f"{path.name} cannot be read.", advice=f"Name a {what} file.") from None


def _console(ctx: typer.Context, json: bool) -> Console:
    c = console(ctx)
    c.json = c.json or json
    return c
