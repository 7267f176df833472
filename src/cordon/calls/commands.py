"""`cordon calls`: call records in, findings out; with a node or on files alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from cordon.calls.beside import KINDS
from cordon.calls.find import find as find_in_files
from cordon.calls.layouts import AUTO, all_layouts, chosen
from cordon.calls.layouts.dates import order_of
from cordon.calls.learning import PASSED_OVER, by_name, learn, name_of, zone_of
from cordon.calls.lists import all_headings
from cordon.calls.model import NothingRead, Refusal, rows_of
from cordon.calls.service import Calls
from cordon.countries import clocks_of
from cordon.kernel.access.model import Actor
from cordon.kernel.bringing import TOLD
from cordon.kernel.clock import parse_time
from cordon.kernel.console import Console, console, write_out
from cordon.kernel.errors import AuthorityRefused, BadInput, BadUsage, CordonError
from cordon.kernel.findings import write_findings
from cordon.kernel.rejects import write_rejects

MOST_REASONS = 5  # of a file's refused rows that are told; a file of rejects has them all
_COUNTED = {"read": "", "kept": "kept", "repeated": "repeated", "refused": "refused"}

app = typer.Typer(no_args_is_help=True, help="Call records: import, and look for call centres.")
Dates = Annotated[
    str,
    typer.Option(
        help="day-first or month-first, of files whose own dates do not tell.", metavar="ORDER"
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@app.command("import")
def import_(
    ctx: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Files; of one kind where --kind says it.")],
    authority: Annotated[str, typer.Option(help="Reference of the legal authority.")],
    layout: Annotated[
        str, typer.Option(help="Name or file of a layout; `auto` tells it from each file.")
    ] = "auto",
    rejects: Annotated[Path | None, typer.Option(help="Write refused rows here.")] = None,
    subscribers: Annotated[
        bool, typer.Option("--subscribers", help="The same as --kind subscribers.")
    ] = False,
    kind: Annotated[
        str,
        typer.Option(
            help=f"What the files hold: {', '.join(KINDS)}; `auto` tells it from each file, and "
            "takes a file for calls where a layout of calls is named.",
            metavar="KIND",
        ),
    ] = TOLD,
    dates: Dates = "",
    json: Json = False,
) -> None:
    """Bring files into the node, under a legal authority: calls, and what stands beside them."""
    c = console(ctx, json=json)
    said = _how("subscribers" if subscribers else kind, layout, dates)
    actor = c.passes("calls.record.import", authority)
    room: Calls = c.node.room("calls")
    chosen(said["layout"], room.layouts)
    outcomes: list[dict[str, Any]] = []
    refused: list[tuple[str, Refusal]] = []
    ended = ""
    for path in files:
        if ended:
            outcomes.append({"name": path.name, "state": "not begun"})
            continue
        how = {**said, "kind": _kind(room, path, said)}
        if how["kind"] not in (said["kind"], "calls"):
            c.say(f"{path.name}: by its headings it holds {how['kind']}.")
        try:
            actor = c.passes("calls.record.import", authority)  # as the authority is by now
        except AuthorityRefused as wrong:
            ended = str(wrong)
            outcomes.append({"name": path.name, "state": "not begun", "error": ended})
            continue
        try:
            outcome = _brought(c, room, actor, path, how)
        except CordonError as wrong:  # also of a kind that the authority does not cover
            outcome = {"name": path.name, "state": "failed", "error": str(wrong)}
        outcomes.append(outcome)
        first = outcome.pop("refusals", [])
        if rejects is not None:
            first = _refused(room, actor, path, how, first)
        rows = first
        refused += [(path.name, r) for r in rows]
        if outcome["state"] != "done":
            for why, times in Counter(r.reason for r in rows).most_common(MOST_REASONS):
                c.say(f"{path.name}: {rows_of(times)}: {why}")
    if rejects is not None:
        written = write_rejects(rejects, refused)
        if written:
            c.say(_see(written, rejects))
    c.answer({"files": outcomes}, "\n".join(_words(f) for f in outcomes))
    if any(f["state"] != "done" for f in outcomes):
        raise CordonError("Not every file was brought in; what was is kept.")


def _how(kind: str, layout: str, dates: str) -> dict[str, str]:
    """What was said of files, as the room takes it; BadUsage where it is none."""
    if kind not in (TOLD, *KINDS):
        known = ", ".join((TOLD, *KINDS))
        raise BadUsage(f"There is no kind {kind[:40]}.", advice=f"Take: {known}.")
    order_of(dates)
    if layout.endswith((".yaml", ".yml")):
        layout = str(Path(layout).resolve())  # the job reads it wherever it runs
    return {"kind": kind, "layout": layout, "dates": dates}


def _kind(room: Calls, path: Path, said: Mapping[str, str]) -> str:
    """What a file holds: as it was said, or told from its headings."""
    if said["kind"] != TOLD:
        return said["kind"]
    if said["layout"] == AUTO:
        with suppress(OSError):  # of a file that cannot be opened its reader says why
            return room.brings.kind_of(path)
    return "calls"  # a layout is one of calls


def _brought(
    c: Console, room: Calls, actor: Actor, path: Path, how: Mapping[str, str]
) -> dict[str, Any]:
    """Bring one file in; its state, what became of its rows and the first refusals."""
    try:
        with path.open("rb") as source:
            job = room.ask_import(actor, source, path.name, **how)
    except OSError as wrong:
        raise BadUsage(f"{path} cannot be read: {wrong.strerror}.") from None
    if not job:
        register = max(
            (f for f in room.files(actor) if f.kind == how["kind"]), key=lambda f: f.created_at
        )
        rows = room.file(actor, register.id).refusals
        first = [Refusal(r["row"], r["reason"]) for r in rows]
        return {"name": path.name, "state": "done", **register.counts, "refusals": first}
    with c.progress(f"Reading {path.name}") as progress:
        ended = c.node.run_job(job, progress)
    (file,) = ended.report.get("files") or [{"name": path.name}]
    for note in file.get("notes", []):
        c.say(f"{path.name}: {note}")
    outcome = {**file, "state": ended.state}
    if ended.state != "done":
        # what was kept before it ended stays
        outcome["state"] = "stopped" if file.get("kept") else ended.state
        outcome["error"] = ended.error or ended.state
    rows = ended.report.get("refusals", [])
    return {**outcome, "refusals": [Refusal(r["row"], r["reason"]) for r in rows]}


def _refused(
    room: Calls,
    actor: Actor,
    path: Path,
    how: Mapping[str, str],
    first: Sequence[Refusal],
) -> list[Refusal]:
    """Every refused row of a file; the first ones, which its job kept, where it may not be read."""
    found: list[Refusal] = []
    try:
        found.extend(room.refusals(actor, path, **how))
    except AuthorityRefused:
        return list(first)
    except CordonError:  # what it was is told already; the rows before it are refused each
        pass
    return found or list(first)


def _words(file: Mapping[str, Any]) -> str:
    """What became of one file, as a line."""
    counts = ", ".join(
        f"{file[n]:,} {said}" if said else f"{rows_of(file[n])} read"
        for n, said in _COUNTED.items()
        if n in file
    )
    if file["state"] == "done":
        return f"{file['name']}: {counts}."
    so_far = f" So far: {counts}." if counts else ""
    return f"{file['name']}: {file['state']}. {file.get('error', '')}".rstrip() + so_far


layout_app = typer.Typer(no_args_is_help=True, help="Layouts of operators' files.")
app.add_typer(layout_app, name="layout")
Folder = Annotated[Path | None, typer.Option("--layouts", help="Folder of layouts of one's own.")]


@app.command("layouts")
def layouts_(ctx: typer.Context, folder: Folder = None, json: Json = False) -> None:
    """Show the layouts of operators' files that can be read; the same as `layout list`."""
    list_layouts(ctx, folder, json)


@layout_app.command("list")
def list_layouts(ctx: typer.Context, folder: Folder = None, json: Json = False) -> None:
    """Show the layouts of operators' files that can be read."""
    of_calls = [
        (one.name, "calls", one.title, one.zone, one.region, ", ".join(one.known_by))
        for one in all_layouts(folder)
    ]
    of_lists = [("", one.form, one.title, "", "", one.known_by) for one in all_headings().values()]
    console(ctx, json=json).table(
        ("name", "kind", "title", "clock", "numbers", "known by"), [*of_calls, *of_lists]
    )


@layout_app.command("show")
def show_layout(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Its name, or the path of its file.")],
    folder: Folder = None,
    json: Json = False,
) -> None:
    """Show what the columns of one layout mean."""
    if name == AUTO:
        raise BadUsage("Name one layout.", advice="cordon calls layout list shows them.")
    (one,) = chosen(name, folder)
    rows = [(field, ", ".join(names)) for field, names in one.columns.items()]
    rows += [(field, "told above the table") for field in one.above]
    console(ctx, json=json).table(("meaning", "columns"), rows)


@layout_app.command("learn")
def learn_layout(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that no layout is known for.")],
    out: Annotated[Path | None, typer.Option(help="Write the proposed layout here.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="COLUMN=MEANING, where the proposal is wrong; again for more."),
    ] = None,
    name: Annotated[str, typer.Option(help="Name of the layout; else of the file.")] = "",
    zone: Annotated[str, typer.Option(help="Clock of its times; else the country's.")] = "",
    region: Annotated[str, typer.Option(help="Country of numbers in national form.")] = "PK",
    dates: Dates = "",
    folder: Folder = None,
    json: Json = False,
) -> None:
    """Propose a layout for a file, each column with how sure it is; no whole value is shown."""
    c = console(ctx, json=json)
    clock = zone or zone_of(region)
    if not clock:
        raise BadUsage(f"The clock of {region} is not known.", advice="Give --zone, an IANA name.")
    if not zone and len(several := clocks_of(region)) > 1:
        raise BadUsage(
            f"{region} has {len(several)} clocks, and records do not say by which they are told.",
            advice=f"Give --zone, as one of {', '.join(several[:6])}.",
        )
    proposal = learn(
        file,
        name=name or name_of(out or file),
        zone=clock,
        region=region,
        layouts=all_layouts(folder),
        corrections=by_name(set_ or ()),
        order=order_of(dates),
    )
    c.table(
        ("column", "meaning", "confidence", "looks like"),
        [
            (g.column, g.meaning or PASSED_OVER, f"{g.confidence:.2f}", "  ".join(g.looks))
            for g in proposal.guesses
        ],
    )
    for sentence in (*proposal.lacks, *proposal.notes):
        c.say(sentence)
    if proposal.trial is not None:
        c.say(proposal.trial.says)
    if out is None:
        c.say("Nothing was kept. Give --out LAYOUT.yaml to keep it, --set to correct it.")
        return
    write_out(iter([proposal.as_yaml().encode()]), out)
    if proposal.trial is not None and proposal.trial.rows and not proposal.trial.kept:
        raise BadInput(
            f"{out} was kept, but none of the rows of {file.name} can be read by it.",
            advice="Say what its columns mean: --set COLUMN=MEANING, and --set COLUMN=none.",
        )
    if proposal.lacks:
        c.say(f"{out} was kept, but it cannot be used before what is said above is mended.")
        return
    c.say(f"{out} is ready: cordon calls import FILE --layout {out} …")


@app.command()
def find(
    ctx: typer.Context,
    out: Annotated[Path | None, typer.Option(help="Write findings here.")] = None,
    calls: Annotated[
        list[Path] | None, typer.Option(help="A file of calls; again for more.")
    ] = None,
    cells: Annotated[Path | None, typer.Option(help="Where the cells are.")] = None,
    subscribers: Annotated[Path | None, typer.Option(help="A register of subscribers.")] = None,
    complaints: Annotated[Path | None, typer.Option(help="Complaints of victims.")] = None,
    payments: Annotated[Path | None, typer.Option(help="Payments between accounts.")] = None,
    accounts: Annotated[
        Path | None, typer.Option(help="File of accounts, for the numbers that they are bound to.")
    ] = None,
    sessions: Annotated[
        list[Path] | None, typer.Option(help="A file of internet sessions; again for more.")
    ] = None,
    engine: Annotated[
        str,
        typer.Option(envvar="CORDON_COLUMNS_ENGINE", help="duckdb, local[N] or spark://HOST:PORT."),
    ] = "duckdb",
    memory: Annotated[
        int,
        typer.Option(
            metavar="MB",
            min=256,
            help="Memory for a search of files; with more of it more calls are looked at closely.",
        ),
    ] = 1536,
    since: Annotated[str, typer.Option(help="Only calls from this moment on (RFC 3339).")] = "",
    until: Annotated[str, typer.Option(help="Only calls before this moment.")] = "",
    rejects: Annotated[Path | None, typer.Option(help="Write refused rows here.")] = None,
    layout: Annotated[
        str,
        typer.Option(help="Name or file of the layout of the calls; `auto` tells it from each."),
    ] = AUTO,
    dates: Dates = "",
    region: Annotated[
        str,
        typer.Option(
            metavar="CODE",
            help="Country of the calls, whose clock and numbers in national form they have; "
            "else told from the numbers, and PK in national form.",
        ),
    ] = "",
    authority: Annotated[
        str, typer.Option(help="Search the node's own records under this authority.")
    ] = "",
    json: Json = False,
) -> None:
    """Look for call centres: on the files given, without a node; else on the node's records."""
    c = console(ctx, json=json)
    if not calls:
        if not authority:
            raise BadUsage("Nothing to search.", advice="Give --calls FILE, or --authority REF.")
        given = (
            subscribers, rejects, cells, complaints, payments, accounts, sessions, since, until,
            dates, region,
        )  # fmt: skip
        if any(given) or layout != AUTO:
            raise BadUsage(
                "The node's own records are searched with its own files beside them.",
                advice="Bring them in: cordon calls import FILE --kind KIND --authority REF.",
            )
        actor = c.passes("calls.record.search", authority)
        room: Calls = c.node.room("calls")
        with c.progress("Searching") as progress:
            ended = c.node.run_job(room.ask_find(actor), progress)
        if ended.state != "done":
            raise CordonError(ended.error or f"The search was {ended.state}.")
        for sentence in ended.report.get("left_out", []):
            c.say(sentence)
        if out is not None:
            write_out(write_findings(k.finding for k in room.findings(actor)), out)
        used = ", ".join(f"{kind} ({n:,})" for kind, n in ended.report["files_used"].items())
        c.answer(
            ended.report,
            f"{_findings(ended.report['findings'])}, {ended.report['new']} new. "
            f"Files used beside the calls: {used or 'none'}.",
        )
        return
    try:
        with c.progress("Reading") as progress:
            result = find_in_files(
                calls,
                subscribers,
                lambda _what, share: progress(int(share * 1000), 1000),
                cells=cells,
                complaints=complaints,
                payments=payments,
                accounts=accounts,
                sessions=sessions or (),
                engine=engine,
                memory_mb=memory,
                since=parse_time(since) if since else None,
                until=parse_time(until) if until else None,
                layout=layout,
                dates=dates,
                region=region,
            )
    except NothingRead as wrong:
        _tell_refused(c, wrong, rejects)
        raise
    write_out(write_findings(result.findings), out)
    if rejects is not None:
        write_rejects(rejects, result.refusals)
    for sentence in result.left_out:
        c.say(sentence)
    n = result.counts
    words = (
        f"{rows_of(n.read)} read, {n.kept:,} kept, {n.repeated:,} repeated, {n.refused:,} refused; "
        f"{_findings(len(result.findings))}."
    )
    if out is None:
        c.say(words)
    else:
        c.answer(
            {**asdict(n), "findings": len(result.findings), "left_out": list(result.left_out)},
            words,
        )


def _tell_refused(c: Console, wrong: NothingRead, rejects: Path | None) -> None:
    """Say why the rows of a file were refused, of which none could be read, and write them."""
    for why, times in Counter(r.reason for _, r in wrong.refused).most_common(MOST_REASONS):
        c.say(f"{rows_of(times)}: {why}")
    if rejects is not None:
        c.say(_see(write_rejects(rejects, wrong.refused), rejects))


def _see(written: int, rejects: Path) -> str:
    return f"{written:,} refused row{'s' * (written != 1)}: see {rejects}."


def _findings(count: int) -> str:
    return f"{count:,} finding{'s' * (count != 1)}"
