"""`cordon money`: payments in, findings and traces out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import orjson
import typer

from cordon.kernel.clock import parse_time
from cordon.kernel.console import console, write_out
from cordon.kernel.errors import BadUsage
from cordon.kernel.findings import write_findings
from cordon.kernel.rejects import write_rejects
from cordon.money.find import find as find_in_files
from cordon.money.model import Method
from cordon.money.reading import read_payments
from cordon.money.tracing.backward import backward
from cordon.money.tracing.forward import HOPS, forward
from cordon.money.tracing.telling import told, told_back

app = typer.Typer(no_args_is_help=True, help="Payments: follow money from account to account.")
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@app.command()
def find(
    ctx: typer.Context,
    payments: Annotated[
        list[Path] | None, typer.Option(help="A file of payments; again for more.")
    ] = None,
    accounts: Annotated[Path | None, typer.Option(help="Whose the accounts are.")] = None,
    complaints: Annotated[Path | None, typer.Option(help="Complaints of victims.")] = None,
    calls: Annotated[
        list[Path] | None, typer.Option(help="A file of calls; again for more.")
    ] = None,
    cells: Annotated[Path | None, typer.Option(help="Where the cells are.")] = None,
    subscribers: Annotated[Path | None, typer.Option(help="A register of subscribers.")] = None,
    engine: Annotated[
        str,
        typer.Option(envvar="CORDON_COLUMNS_ENGINE", help="duckdb, local[N] or spark://HOST:PORT."),
    ] = "duckdb",
    rejects: Annotated[Path | None, typer.Option(help="Write refused rows here (CSV).")] = None,
    out: Annotated[Path | None, typer.Option(help="Write findings here (JSON Lines).")] = None,
    json: Json = False,
) -> None:
    """Look for mules, and for accounts paid soon after calls of suspected numbers, in files."""
    c = console(ctx, json=json)
    if not payments:
        raise BadUsage("Nothing to search.", advice="Give --payments FILE.")
    with c.progress("Searching") as progress:
        result = find_in_files(
            payments,
            lambda _what, share: progress(int(share * 1000), 1000),
            accounts=accounts,
            complaints=complaints,
            calls=calls or (),
            cells=cells,
            subscribers=subscribers,
            engine=engine,
        )
    write_out(write_findings(result.findings), out)
    if rejects is not None:
        write_rejects(rejects, result.refusals)
    for sentence in result.left_out:
        c.say(sentence)
    n = result.counts
    words = (
        f"{n.read:,} payments read, {n.kept:,} kept, {n.repeated:,} repeated, "
        f"{n.refused:,} refused.\n{len(result.findings)} findings."
    )
    if out is None:
        c.say(words)  # the findings stand on standard output
    else:
        c.answer({"counts": asdict(n), "findings": len(result.findings)}, words)


@app.command()
def trace(
    ctx: typer.Context,
    account: Annotated[str, typer.Argument(help="The account whose money is followed.")],
    payments: Annotated[list[Path], typer.Option(help="Files of payments; again for more.")],
    since: Annotated[str, typer.Option(help="Follow what came in from then on (RFC 3339).")] = "",
    until: Annotated[str, typer.Option(help="Follow what came in before then (RFC 3339).")] = "",
    hops: Annotated[int, typer.Option(help="Payments that are followed, at most.")] = HOPS,
    back: Annotated[
        bool, typer.Option("--back", help="Follow back what it paid out, to where it came from.")
    ] = False,
    rejects: Annotated[Path | None, typer.Option(help="Write refused rows here (CSV).")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the trace here (JSON).")] = None,
    json: Json = False,
) -> None:
    """Follow the money of an account, by FIFO, haircut and poison side by side."""
    c = console(ctx, json=json)
    if not 1 <= hops <= 100:
        raise BadUsage("--hops must lie between 1 and 100.")
    with c.progress("Reading") as progress:
        read = read_payments(payments, progress=progress)
    if rejects is not None:
        write_rejects(rejects, read.refusals)
    begin = parse_time(since) if since else None
    end = parse_time(until) if until else None
    found = (
        told_back(backward(read.payments, account, since=begin, until=end, hops=hops))
        if back
        else told(forward(read.payments, account, since=begin, until=end, hops=hops))
    )
    write_out(
        iter([orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)]), out
    )
    lines = [
        f"{read.counts.read:,} payments read, {read.counts.kept:,} kept, "
        f"{read.counts.repeated:,} repeated, {read.counts.refused:,} refused.",
        f"{found['sinks']:,} payments were made by {found['account']}."
        if back
        else f"{found['sources']:,} payments came into {found['account']}.",
    ]
    for method in Method if back else ():
        for s in found["methods"][method.value]["sums"]:
            came = ", ".join(f"{v} by {k.replace('_', ' ')}" for k, v in s["entered"].items())
            lines.append(
                f"{method.value}: of {s['paid_out']} {s['currency']} {s['unknown']} came from what "
                f"nobody told of, entered: {came or 'nothing'}; beyond {found['hops']} payments: "
                f"{s['beyond']}."
            )
    for method in () if back else Method:
        for s in found["methods"][method.value]["sums"]:
            left = ", ".join(f"{v} by {k.replace('_', ' ')}" for k, v in s["left"].items())
            mixed = f" (with {s['mixed_in']} that was mixed in)" if s["mixed_in"] != "0" else ""
            lines.append(
                f"{method.value}: of {s['came_in']} {s['currency']}{mixed} {s['stays']} stays, "
                f"left: {left or 'nothing'}; beyond {found['hops']} hops: {s['beyond']}."
            )
    lines += found["left_out"]
    if out is None:
        c.say("\n".join(lines))
    else:
        c.answer(
            {"traced": found["sinks" if back else "sources"], "read": read.counts.read},
            "\n".join(lines),
        )
