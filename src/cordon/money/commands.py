"""`cordon money`: payments in, findings and traces out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from cordon.kernel.clock import parse_time
from cordon.kernel.console import Console, console, write_out
from cordon.kernel.errors import AuthorityRefused, BadUsage, CordonError
from cordon.kernel.findings import write_findings
from cordon.kernel.rejects import Refused, write_rejects
from cordon.money.find import find as find_in_files
from cordon.money.given import told_with
from cordon.money.intake import FORMS, layout_names
from cordon.money.layouts import commands as layout_commands
from cordon.money.layouts import own_text
from cordon.money.model import Method
from cordon.money.reaching import Reach
from cordon.money.reading import read_payments
from cordon.money.reporting import commands as reporting_commands
from cordon.money.tracebook import ask_account, row_of
from cordon.money.tracing.backward import backward
from cordon.money.tracing.forward import HOPS, forward
from cordon.money.tracing.telling import told, told_back

if TYPE_CHECKING:
    from cordon.money.service import Money

app = typer.Typer(no_args_is_help=True, help="Payments: follow money from account to account.")
app.add_typer(reporting_commands.app)
app.add_typer(layout_commands.app, name="layout")
EngineName = Annotated[
    str,
    typer.Option(envvar="CORDON_COLUMNS_ENGINE", help="duckdb, local[N] or spark://HOST:PORT."),
]
Whose = Annotated[
    str,
    typer.Option("--account", help="Whose statement it is, where the file does not tell it."),
]
Currency = Annotated[
    str,
    typer.Option("--currency", help="Of its amounts (ISO 4217), where the file does not tell it."),
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@app.command("import")
def import_(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Files, all of one kind.")],
    authority: Annotated[str, typer.Option(help="Reference of the legal authority.")],
    layout: Annotated[
        str,
        typer.Option(
            help=f"{', '.join(layout_names())}; `auto` tells it from each file; or OWN.yaml."
        ),
    ] = "auto",
    rejects: Annotated[Path | None, typer.Option(help="Write refused rows here (CSV).")] = None,
    kind: Annotated[
        str, typer.Option(help=f"What the files hold: {', '.join(FORMS)}.", metavar="KIND")
    ] = "payments",
    whose: Whose = "",
    currency: Currency = "",
    json: Json = False,
) -> None:
    """Bring files into the node, under a legal authority: payments, accounts, complaints."""
    c = console(ctx, json=json)
    if kind not in FORMS:
        raise BadUsage(f"There is no kind {kind[:40]}.", advice=f"Take: {', '.join(FORMS)}.")
    own = own_text(layout) if layout.endswith((".yaml", ".yml")) else ""
    actor = c.passes("money.record.import", authority)
    room: Money = c.node.room("money")
    if not own and layout not in room.brings.layouts():
        names = ", ".join(room.brings.layouts())
        raise BadUsage("There is no such layout.", advice=f"Take: {names}; or OWN.yaml.")
    given = told_with(whose, currency)
    told: list[dict[str, Any]] = []
    refused: list[tuple[str, Refused]] = []
    failed = False
    for at, path in enumerate(files):
        try:
            with path.open("rb") as source:
                job = room.ask_import(
                    actor, source, path.name, kind=kind, layout=layout, own=own, given=given
                )
        except OSError as wrong:
            raise BadUsage(f"{path} cannot be read: {wrong.strerror}.") from None
        except AuthorityRefused as wrong:  # it ran out between two files
            if not at:
                raise
            left = ", ".join(p.name for p in files[at:])
            c.say(f"{wrong} Not read: {left}.")
            failed = True
            break
        with c.progress(f"Reading {path.name}") as progress:
            ended = c.node.run_job(job, progress)
        if ended.state != "done":
            failed = True
            c.say(f"{path.name}: {ended.error or ended.state}")
        told += ended.report.get("files", [])
        for note in (n for f in ended.report.get("files", []) for n in f.get("notes", [])):
            c.say(f"{path.name}: {note}")
        if rejects is not None and ended.state == "done":
            # the job keeps the first of many; all of them are read from the file once more
            every = room.brings.refused(actor, path, layout, kind, own=own, given=given)
            refused += [(path.name, r) for r in every]
    if rejects is not None:
        write_rejects(rejects, refused)
    words = "\n".join(
        f"{f['name']}: {f['read']:,} rows read, {f['kept']:,} kept, {f['repeated']:,} repeated, "
        f"{f['refused']:,} refused."
        for f in told
    )
    c.answer({"files": told}, words)
    if failed:
        raise CordonError("Not every file was brought in; what was is kept.")


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
    whose: Whose = "",
    currency: Currency = "",
    engine: EngineName = "duckdb",
    rejects: Annotated[Path | None, typer.Option(help="Write refused rows here (CSV).")] = None,
    out: Annotated[Path | None, typer.Option(help="Write findings here (JSON Lines).")] = None,
    authority: Annotated[
        str, typer.Option(help="Search the node's own payments under this authority.")
    ] = "",
    json: Json = False,
) -> None:
    """Look for mules, patterns, and accounts paid after calls: in files, else on the node."""
    c = console(ctx, json=json)
    if not payments:
        if not authority:
            raise BadUsage("Nothing to search.", advice="Give --payments FILE, or --authority REF.")
        if accounts or complaints or calls or cells or subscribers or rejects:
            raise BadUsage(
                "The node's own payments are searched with its own files beside them.",
                advice="Bring them in: cordon money import FILE --kind KIND --authority REF.",
            )
        _find_on_node(c, authority, out)
        return
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
            told=told_with(whose, currency),
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


def _find_on_node(c: Console, authority: str, out: Path | None) -> None:
    actor = c.passes("money.record.search", authority)
    room: Money = c.node.room("money")
    with c.progress("Searching") as progress:
        ended = c.node.run_job(room.ask_find(actor), progress)
    if ended.state != "done":
        raise CordonError(ended.error or f"The search was {ended.state}.")
    for sentence in ended.report.get("left_out", []):
        c.say(sentence)
    if out is not None:
        write_out(write_findings(k.finding for k in room.findings(actor)), out)
    c.answer(ended.report, f"{ended.report['findings']} findings, {ended.report['new']} new.")


@app.command()
def trace(
    ctx: typer.Context,
    account: Annotated[str, typer.Argument(help="The account whose money is followed.")],
    payments: Annotated[
        list[Path] | None, typer.Option(help="Files of payments; again for more.")
    ] = None,
    since: Annotated[str, typer.Option(help="Follow what came in from then on (RFC 3339).")] = "",
    until: Annotated[str, typer.Option(help="Follow what came in before then (RFC 3339).")] = "",
    hops: Annotated[int, typer.Option(help="Payments that are followed, at most.")] = HOPS,
    back: Annotated[
        bool, typer.Option("--back", help="Follow back what it paid out, to where it came from.")
    ] = False,
    whose: Whose = "",
    currency: Currency = "",
    engine: EngineName = "duckdb",
    rejects: Annotated[Path | None, typer.Option(help="Write refused rows here (CSV).")] = None,
    out: Annotated[Path | None, typer.Option(help="Write the trace here (JSON).")] = None,
    authority: Annotated[
        str, typer.Option(help="Follow it through the node's payments under this authority.")
    ] = "",
    json: Json = False,
) -> None:
    """Follow the money of an account, by FIFO, haircut and poison side by side."""
    c = console(ctx, json=json)
    if not 1 <= hops <= 100:
        raise BadUsage("--hops must lie between 1 and 100.")
    begin = parse_time(since) if since else None
    end = parse_time(until) if until else None
    if not payments:
        if not authority or rejects:
            raise BadUsage(
                "Nothing to follow it through.", advice="Give --payments FILE, or --authority REF."
            )
        way = "back" if back else "forward"
        _trace_on_node(
            c, authority, out, account=account, way=way, since=begin, until=end, hops=hops
        )
        return
    with c.progress("Reading") as progress:
        reach = Reach([account], back, hops, begin, end)
        told_of = told_with(whose, currency)
        read = read_payments(payments, progress=progress, engine=engine, reach=reach, told=told_of)
    if rejects is not None:
        write_rejects(rejects, read.refusals)
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


def _trace_on_node(
    c: Console, authority: str, out: Path | None, *, account: str, **asked: Any
) -> None:
    """Follow it on the node, where the trace stays and has a page."""
    actor = c.passes("money.trace.make", authority)
    room: Money = c.node.room("money")
    id_, job = ask_account(room, actor, account, **asked)
    with c.progress("Following") as progress:
        ended = c.node.run_job(job, progress)
    if ended.state != "done":
        raise CordonError(ended.error or f"The trace was {ended.state}.")
    with room.kernel.view(actor) as view:
        kept = row_of(view, id_)
        told = {"trace": id_, "way": kept.way, "hops": kept.hops, **kept.detail}
    for sentence in ended.report.get("left_out", []):
        c.say(sentence)
    if out is not None:
        option = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
        write_out(iter([orjson.dumps(told, option=option)]), out)
    words = f"{ended.report['traced']:,} payments were followed: /money/traces/{id_}"
    c.answer({"trace": id_, "traced": ended.report["traced"]}, words)
