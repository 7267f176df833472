"""`cordon sharing agreements`: what may go between agencies: drafted, signed, ended, tried."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cordon.kernel.clock import format_time
from cordon.kernel.console import console
from cordon.sharing.options import Json, json_of

if TYPE_CHECKING:
    from cordon.sharing.agreements.model import Agreement

app = typer.Typer(no_args_is_help=True, help="Agreements with other agencies.")

Id = Annotated[str, typer.Argument(help="Id of the agreement.")]
File = Annotated[
    Path, typer.Argument(exists=True, dir_okay=False, help="The terms, as one JSON object.")
]


@app.command("list")
def list_agreements(ctx: typer.Context, json: Json = False) -> None:
    """List agreements and where each stands, the newest first."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.agreement.view")
    c.table(
        ("id", "title", "state", "parties", "signed_by", "starts", "ends"),
        [
            (
                one.id, one.terms.title, one.state.value,
                " ".join(p.agency for p in one.terms.parties),
                " ".join(s.agency for s in one.signatures), format_time(one.terms.starts),
                format_time(one.terms.ends),
            )
            for one in c.node.room("sharing").agreements.known(actor)
        ],
    )  # fmt: skip


@app.command()
def show(ctx: typer.Context, agreement: Id, json: Json = False) -> None:
    """Show one in sentences, with its signatures; --json gives its terms and Cedar text too."""
    from cordon.sharing.agreements.clauses import cedar
    from cordon.sharing.agreements.desk import key_of

    c = console(ctx, json=json)
    actor = c.passes("sharing.agreement.view")
    one = c.node.room("sharing").agreements.get(actor, agreement)
    said = _said(one)
    signed = [
        {"agency": s.agency, "at": format_time(s.at), "key": key_of(s)} for s in one.signatures
    ]
    words = [f"{one.terms.title}: {one.state.replace('_', ' ')}", *said.values()]
    words += [f"Signed by {s['agency']} at {s['at']} with the key {s['key']}." for s in signed]
    if one.ended_why:
        words.append(f"Ended by {one.ended_by}: {one.ended_why}")
    c.answer(
        {
            **_plain(one), "terms": one.terms.plain(), "clauses": said,
            "cedar": cedar(one.terms), "signatures": signed,
        },
        "\n".join(words),
    )  # fmt: skip


@app.command()
def draft(ctx: typer.Context, file: File, json: Json = False) -> None:
    """Draft an agreement from a file of its terms; nothing leaves until it is signed."""
    from cordon.sharing.agreements.model import Terms

    c = console(ctx, json=json)
    actor = c.passes("sharing.agreement.draft")
    one = c.node.room("sharing").agreements.draft(actor, Terms.read(json_of(file)))
    c.answer(_plain(one), f"Drafted {one.id}. A second officer signs it.")


@app.command()
def sign(ctx: typer.Context, agreement: Id, json: Json = False) -> None:
    """Sign for this agency what somebody else drafted; the other parties are told."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.agreement.sign")
    one = c.node.room("sharing").agreements.sign(actor, agreement)
    c.answer(_plain(one), f"Signed {one.id}; it is {one.state.replace('_', ' ')}.")


@app.command()
def end(
    ctx: typer.Context,
    agreement: Id,
    why: Annotated[str, typer.Option(help="The reason; the other parties read it.")],
    json: Json = False,
) -> None:
    """End one for all its parties; a draft is only taken back here."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.agreement.end")
    c.node.room("sharing").agreements.end(actor, agreement, why)
    c.answer({"ended": agreement}, f"Ended {agreement}. Nothing goes under it any more.")


@app.command("dry-run")
def dry_run(ctx: typer.Context, file: File, json: Json = False) -> None:
    """Count what of last month would have gone under these terms; --json names each thing."""
    from cordon.sharing.agreements.dryrun import dry_run as tried
    from cordon.sharing.agreements.model import Terms

    c = console(ctx, json=json)
    actor = c.passes("sharing.agreement.view")
    room = c.node.room("sharing")
    run = tried(room.kernel, room.cases, actor, Terms.read(json_of(file)))
    words = [f"Since {format_time(run.since)} there were {len(run.things)} things."]
    words += ["There were more, which are not counted."] if run.cut else []
    for to in run.receivers:
        kept = ", ".join(f"{why} {n}" for why, n in sorted(run.reasons[to].items()))
        words.append(f"To {to} {run.goes[to]} would have gone. Clauses against: {kept or 'none'}.")
        if run.graded[to]:
            words.append(
                f"{run.graded[to]} more to {to}, had an officer given each the grade asked for."
            )
    c.answer(
        {
            "since": format_time(run.since), "receivers": list(run.receivers), "goes": run.goes,
            "reasons": run.reasons, "cut": run.cut, "graded": run.graded,
            "things": [
                {
                    "ref": t.ref, "class": t.class_, "title": t.title, "mark": t.mark.value,
                    "against": {to: list(why) for to, why in t.against.items()},
                }
                for t in run.things
            ],
        },
        "\n".join(words),
    )  # fmt: skip


def _plain(one: Agreement) -> dict[str, Any]:
    return {
        "id": one.id, "title": one.terms.title, "state": one.state.value, "signed": one.signed,
        "ended_by": one.ended_by or None, "ended_why": one.ended_why or None,
    }  # fmt: skip


def _said(one: Agreement) -> dict[str, str]:
    """Each clause's sentence, by its id."""
    from cordon.sharing.agreements.clauses import clauses

    return {
        c.id: c.says % {name: ", ".join(words) for name, words in c.values.items()}
        for c in clauses(one.terms)
    }
