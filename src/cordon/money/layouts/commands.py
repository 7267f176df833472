"""`cordon money layout`: layouts of banks' and wallets' files, and proposing one for a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cordon.calls import tabular
from cordon.kernel.bringing import TOLD
from cordon.kernel.console import console, write_out
from cordon.kernel.errors import BadUsage
from cordon.money.layouts import FORMS, all_layouts, load, named
from cordon.money.layouts.learning import learn
from cordon.money.layouts.model import COUNTRY

app = typer.Typer(no_args_is_help=True, help="Layouts of banks' and wallets' files.")
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Folder = Annotated[Path | None, typer.Option("--layouts", help="Folder of layouts of one's own.")]


@app.command("list")
def list_layouts(ctx: typer.Context, folder: Folder = None, json: Json = False) -> None:
    """Show the layouts by which banks' and wallets' files can be read."""
    console(ctx, json=json).table(
        ("name", "kind", "title", "clock", "known by"),
        [(o.name, o.kind, o.title, o.zone, ", ".join(o.known_by)) for o in all_layouts(folder)],
    )


@app.command("show")
def show_layout(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="Its name, or the path of its file.")],
    folder: Folder = None,
    json: Json = False,
) -> None:
    """Show what the columns of one layout mean."""
    if name == TOLD:
        raise BadUsage("Name one layout.", advice="cordon money layout list shows them.")
    one = load(Path(name)) if name.endswith((".yaml", ".yml")) else named(name, folder)
    rows = [(field, ", ".join(names)) for field, names in one.columns.items()]
    rows += [(field, "told above the table") for field in one.head.above]
    rows += [(field, f"always {value}") for field, value in one.always.items()]
    rows += [(field, "told in the note, where no column does") for field in one.note_tells]
    console(ctx, json=json).table(("meaning", "columns"), rows)


@app.command("learn")
def learn_layout(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(help="A file that no layout is known for.")],
    out: Annotated[Path | None, typer.Option(help="Write the proposed layout here.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="COLUMN=MEANING, where the proposal is wrong; again for more."),
    ] = None,
    kind: Annotated[
        str, typer.Option(help=f"What the file holds: {', '.join(FORMS)}.")
    ] = "payments",
    name: Annotated[str, typer.Option(help="Name of the layout; else of the file.")] = "",
    zone: Annotated[str, typer.Option(help="Clock of its times; else the node's country's.")] = "",
    folder: Folder = None,
    json: Json = False,
) -> None:
    """Propose a layout for a file, each column with how sure it is; no whole value is shown."""
    c = console(ctx, json=json)
    if kind not in FORMS:
        raise BadUsage(f"There is no kind {kind[:40]}.", advice=f"Take: {', '.join(FORMS)}.")
    proposal = learn(
        file,
        name=name or tabular.name_of(out or file),
        zone=zone or COUNTRY,
        kind=kind,
        layouts=all_layouts(folder, kind),
        corrections=tabular.by_name(set_ or ()),
    )
    c.table(
        ("column", "meaning", "confidence", "looks like"),
        [
            (
                g.column,
                g.meaning or tabular.PASSED_OVER,
                f"{g.confidence:.2f}",
                "  ".join(g.looks),
            )
            for g in proposal.guesses
        ],
    )
    for sentence in proposal.lacks:
        c.say(sentence)
    if out is None:
        c.say("Nothing was kept. Give --out LAYOUT.yaml to keep it, --set to correct it.")
        return
    write_out(iter([proposal.as_yaml().encode()]), out)
    c.say(f"{out} is ready: cordon money import FILE --layout {out} …")
