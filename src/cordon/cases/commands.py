"""Commands of the room: `cordon cases …`, `cordon evidence seal` and `cordon evidence verify`."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Annotated

import typer

from cordon.kernel.console import Console, console
from cordon.kernel.errors import BadInput, BadUsage, DoesNotVerify

app = typer.Typer(no_args_is_help=True, help="Cases and their exhibits.")
exhibit = typer.Typer(no_args_is_help=True, help="Exhibits of a case.")
app.add_typer(exhibit, name="exhibit")
evidence = typer.Typer(no_args_is_help=True, help="Sealed evidence bundles.")

CaseName = Annotated[str, typer.Argument(help="Number (C-2026-0001) or id of the case.")]
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON on standard output.")]
Under = Annotated[
    str | None, typer.Option("--authority", help="Reference of the legal authority acted under.")
]


@app.command("list")
def list_cases(
    ctx: typer.Context,
    state: Annotated[str | None, typer.Option(help="open or closed.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Cases at most.")] = 50,
    json: Json = False,
) -> None:
    """List cases, newest first."""
    c = _console(ctx, json)
    actor = c.passes("cases.case.view", None)
    lines = c.node.room("cases").list(actor, state=state, at_most=limit)
    c.table(
        ("number", "title", "state", "seriousness", "mark", "exhibits", "findings", "bundles"),
        [
            (
                line.case.number,
                line.case.title,
                line.lead_state,
                line.case.seriousness,
                str(line.case.mark),
                line.exhibits,
                line.findings,
                line.bundles,
            )
            for line in lines
        ],
    )


@app.command("open")
def open_case(
    ctx: typer.Context,
    title: Annotated[str, typer.Argument(help="One line; it names no person.")],
    finding: Annotated[
        list[str] | None, typer.Option(help="Id of a finding to link; may be repeated.")
    ] = None,
    seriousness: Annotated[str, typer.Option(help="notice, serious or grave.")] = "notice",
    mark: Annotated[str, typer.Option(help="Handling mark (TLP).")] = "TLP:AMBER",
    json: Json = False,
) -> None:
    """Open a case, from nothing or from findings."""
    from cordon.kernel.access.model import Mark

    c = _console(ctx, json)
    actor = c.passes("cases.case.open", None)
    try:
        marked = Mark(mark)
    except ValueError:
        raise BadUsage(
            f"“{mark[:30]}” is no handling mark.", advice="It is one of " + ", ".join(Mark) + "."
        ) from None
    room = c.node.room("cases")
    id_ = room.open(
        actor, title=title, finding_ids=finding or [], seriousness=seriousness, mark=marked
    )
    number = room.view(actor, id_).case.number
    c.answer({"id": id_, "number": number}, f"Opened {number}.")


@exhibit.command("add")
def add_exhibit(
    ctx: typer.Context,
    case: CaseName,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="The exhibit's file.")],
    received_from: Annotated[
        str, typer.Option("--from", help="Whom it came from, kind:name (person:…, agency:…).")
    ],
    kind: Annotated[str, typer.Option(help="file, record_extract, statement or photo.")] = "file",
    source: Annotated[str, typer.Option(help="Where it came from, in words.")] = "",
    json: Json = False,
) -> None:
    """Add a file to a case as an exhibit, with its receipt."""
    from cordon.cases.jsoning import exhibit_json
    from cordon.cases.model import ExhibitKind

    c = _console(ctx, json)
    actor = c.passes("cases.exhibit.add", None)
    try:
        what = ExhibitKind(kind)
    except ValueError:
        raise BadUsage(f"“{kind[:30]}” is no kind of exhibit.", advice="See --help.") from None
    with file.open("rb") as stream:
        added = c.node.room("cases").add_file(
            actor,
            case,
            stream,
            title=file.name,
            kind=what,
            media_type=mimetypes.guess_type(file.name)[0] or "application/octet-stream",
            source=source,
            received_from=received_from,
        )
    c.answer(exhibit_json(added), f"Added as {added.label}, SHA-256 {added.sha256}.")


@evidence.command()
def seal(
    ctx: typer.Context,
    case: CaseName,
    out: Annotated[Path, typer.Option("--out", help="Folder of the bundle; it must not exist.")],
    authority: Under = None,
    declare: Annotated[
        list[str] | None,
        typer.Option(help='Explain a break of custody, E-1:gap="reason"; may be repeated.'),
    ] = None,
    json: Json = False,
) -> None:
    """Seal all that a case holds into a signed bundle for court."""
    from cordon.cases.declaring import Declaration
    from cordon.cases.jsoning import bundle_json

    c = _console(ctx, json)
    try:
        declared = [Declaration.parse(text) for text in declare or ()]
    except BadInput as wrong:
        raise BadUsage(wrong.message, advice=wrong.advice) from None
    actor = c.passes("cases.bundle.seal", authority)
    room = c.node.room("cases")
    with c.progress("sealing") as tell:
        bundle = room.bundles.seal(actor, case, out=out, declared=declared, progress=tell)
    verifier = room.kernel.ledger.verifier
    withheld = f" {bundle.withheld} raw files are withheld." if bundle.withheld else ""
    c.answer(
        {**bundle_json(bundle), "folder": str(out), "public_key": str(verifier)},
        f"Sealed {bundle.files} files in {out}, root {bundle.root}.{withheld}\n"
        f"Public key {verifier}\nFingerprint {verifier.fingerprint}",
    )


@evidence.command()
def verify(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The bundle's folder.")],
    key: Annotated[
        Path | None,
        typer.Option("--key", help="File with the agency's public key, got by another way."),
    ] = None,
    json: Json = False,
) -> None:
    """Check every byte of a bundle; needs no node and no network."""
    from cordon.cases.bundle import verify as verify_bundle
    from cordon.cases.jsoning import verification_json

    c = _console(ctx, json)
    with c.progress("verifying") as tell:
        told = verify_bundle(folder, _key(key), tell)
    if c.json:
        c.answer(verification_json(told), "")
        if not told.ok:
            raise typer.Exit(1)
        return
    for remark in told.remarks:
        c.say(remark)
    if not told.ok:
        first, more = told.problems[0], len(told.problems) - 1
        rest = f" And {more} more; --json lists them." if more else ""
        raise DoesNotVerify(f"The bundle does not verify: {first.file}: {first.says}.{rest}")
    c.say(
        f"It verifies: case {told.case}, sealed by {told.by} of {told.agency} at "
        f"{told.sealed_at:%Y-%m-%dT%H:%M:%SZ}; {told.files} files, root {told.root}."
    )


def _key(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        return path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise BadInput(
            f"{path.name} cannot be read.", advice="Name the file with the public key."
        ) from None


def _console(ctx: typer.Context, json: bool) -> Console:
    c = console(ctx)
    c.json = c.json or json
    return c
