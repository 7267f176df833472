"""`cordon release`: what goes to other agencies and came from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cordon.kernel.clock import format_time
from cordon.kernel.console import console
from cordon.sharing.options import Agency, Json, Under, one_of

if TYPE_CHECKING:
    from cordon.sharing.releases.gathering import Asked

app = typer.Typer(no_args_is_help=True, help="Releases to other agencies.")

For = Annotated[str, typer.Option("--purpose", help="What it is given for.")]
Findings = Annotated[
    list[str] | None, typer.Option("--finding", help="Id of a finding; may be repeated.")
]
Case = Annotated[str | None, typer.Option(help="Number or id of a case.")]
Codes = Annotated[
    list[str] | None, typer.Option("--handling", help="H1, H2 or H3; may be repeated.")
]
Caveats = Annotated[
    list[str] | None,
    typer.Option("--not-for", help="Kind of agency that it is not for; may be repeated."),
]

Graded = Annotated[
    str | None, typer.Option("--grade", help="Admiralty grade of source and content, such as B2.")
]


@app.command()
def preview(
    ctx: typer.Context, to: Agency, purpose: For, finding: Findings = None, case: Case = None,
    handling: Codes = None, not_for: Caveats = None, grade: Graded = None,
    authority: Under = None, json: Json = False,
) -> None:  # fmt: skip
    """Show exactly what would leave, and what would not and why."""
    from cordon.sharing.releases.model import digest, plain_marks

    c = console(ctx, json=json)
    actor = c.passes("sharing.release.send", authority)
    asked = _asked(to, purpose, finding, case, handling, not_for, grade)
    shown = c.node.room("sharing").releases.preview(actor, asked)
    parts = [p.plain() for p in shown.parts]
    for left in shown.left:
        c.say(f"{left.ref} does not go: {', '.join(left.against)}")
    c.answer(
        {
            "to": shown.to, "agreement": shown.agreement, **plain_marks(shown.marks),
            "second_officer": shown.asks_for_second, "sha256": digest(parts), "parts": parts,
            "left": [
                {"ref": one.ref, "class": one.class_, "against": list(one.against)}
                for one in shown.left
            ],
        },
        f"{len(parts)} parts would go, {len(shown.left)} would not; --json shows each.",
    )  # fmt: skip


@app.command()
def send(
    ctx: typer.Context, to: Agency, purpose: For, finding: Findings = None, case: Case = None,
    handling: Codes = None, not_for: Caveats = None, grade: Graded = None,
    authority: Under = None,
    seen: Annotated[str | None, typer.Option(help="sha256 of the preview that was read.")] = None,
    json: Json = False,
) -> None:  # fmt: skip
    """Give what the preview shows; some marks wait for a second officer."""
    from cordon.sharing.releases.desk import plain

    c = console(ctx, json=json)
    actor = c.passes("sharing.release.send", authority)
    asked = _asked(to, purpose, finding, case, handling, not_for, grade)
    made = c.node.room("sharing").releases.send(actor, asked, seen=seen)
    c.answer(dict(plain(made)), f"{made.id} is {made.state.value}; {len(made.parts)} parts.")


@app.command()
def recall(
    ctx: typer.Context,
    release: Annotated[str, typer.Argument(help="Id of the release.")],
    why: Annotated[str, typer.Option(help="The reason; the other agency reads it.")],
    json: Json = False,
) -> None:
    """Call a release back; the other node removes it and answers with proof."""
    from cordon.sharing.releases.desk import plain

    c = console(ctx, json=json)
    actor = c.passes("sharing.release.recall")
    made = c.node.room("sharing").releases.recall(actor, release, why)
    c.answer(dict(plain(made)), f"{made.id} is {made.state.value}.")


@app.command("list")
def list_releases(
    ctx: typer.Context,
    received: Annotated[bool, typer.Option("--received", help="Those that came.")] = False,
    json: Json = False,
) -> None:
    """List releases that were sent, or those that came."""
    from cordon.sharing.releases.desk import plain
    from cordon.sharing.releases.model import Way

    c = console(ctx, json=json)
    actor = c.passes("sharing.release.view")
    way = Way.RECEIVED if received else Way.SENT
    columns = (
        "id", "way", "peer", "state", "purpose", "parts", "mark", "handling", "grade", "at",
        "expires_at",
    )  # fmt: skip
    rows = [plain(one) for one in c.node.room("sharing").releases.list(actor, way)]
    for gone in c.node.room("sharing").releases.lapsed(actor) if received else ():
        c.say(
            f"The agreement “{gone.title}” ended at {format_time(gone.since)}: what came from "
            f"{gone.peer} at {format_time(gone.at)}, which you read, may not be used any more."
        )
    c.table(columns, [[row.get(name) for name in columns] for row in rows])


def _asked(
    to: str, purpose: str, findings: list[str] | None, case: str | None,
    handling: list[str] | None, caveats: list[str] | None, grade: str | None,
) -> Asked:  # fmt: skip
    from cordon.sharing.agreements.grades import Grade
    from cordon.sharing.agreements.model import AgencyKind, Handling, Purpose
    from cordon.sharing.releases.gathering import Asked

    return Asked(
        to, one_of(Purpose, purpose), tuple(findings or ()), case,
        frozenset({Handling.H0, *(one_of(Handling, h) for h in handling or ())}),
        frozenset(one_of(AgencyKind, k) for k in caveats or ()),
        grade=Grade.read(grade),
    )  # fmt: skip
