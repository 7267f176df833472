"""`cordon sharing`: collections, service accounts, and TAXII in both directions."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cordon.kernel.clock import format_time
from cordon.kernel.console import Console, console
from cordon.sharing.agreements.commands import app as agreements_app
from cordon.sharing.node_commands import app as nodes_app
from cordon.sharing.options import Json, one_of
from cordon.sharing.requests.commands import app as requests_app
from cordon.sharing.witness.commands import app as witness_app

if TYPE_CHECKING:
    from cordon.sharing.taxii.exchange import Moved

app = typer.Typer(no_args_is_help=True, help="What is shared with other agencies.")
accounts_app = typer.Typer(no_args_is_help=True, help="Accounts of other agencies' programs.")
taxii_app = typer.Typer(no_args_is_help=True, help="Collections by TAXII 2.1.")
app.add_typer(accounts_app, name="accounts")
app.add_typer(taxii_app, name="taxii")
app.add_typer(nodes_app, name="nodes")
app.add_typer(witness_app, name="witness")
app.add_typer(agreements_app, name="agreements")
app.add_typer(requests_app, name="requests")


@app.command("list")
def list_collections(ctx: typer.Context, json: Json = False) -> None:
    """List API roots and collections."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.collection.view")
    held = c.node.room("sharing").held(actor)
    c.table(
        ("root", "collection", "alias", "title", "mark", "objects", "last_added"),
        [
            (
                h.root.name,
                h.collection.id,
                h.collection.alias,
                h.collection.title,
                h.collection.mark.value,
                h.count,
                format_time(h.last) if h.last else None,
            )
            for h in held
        ],
    )


@accounts_app.command("list")
def list_accounts(ctx: typer.Context, json: Json = False) -> None:
    """List service accounts."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.account.view")
    known = c.node.room("sharing").accounts.known(actor)
    c.table(
        ("name", "cleared", "rights", "used_at", "revoked_at"),
        [
            (
                a.name,
                a.cleared.value,
                len(a.rights),
                format_time(a.used_at) if a.used_at else None,
                format_time(a.revoked_at) if a.revoked_at else None,
            )
            for a in known
        ],
    )


@accounts_app.command("add")
def add_account(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The user name that the program signs in with.")],
    read: Annotated[
        list[str] | None, typer.Option(help="Collection that it may read; may be repeated.")
    ] = None,
    write: Annotated[
        list[str] | None, typer.Option(help="Collection that it may write; may be repeated.")
    ] = None,
    cleared: Annotated[str, typer.Option(help="Strictest mark it may be given.")] = "TLP:AMBER",
    certificate: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="PEM file of the client certificate that it signs in with as well.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Make a service account; its password is shown this once."""
    from cordon.kernel.access.model import Mark

    c = console(ctx, json=json)
    mark = one_of(Mark, cleared)
    actor = c.passes("sharing.account.add")
    room = c.node.room("sharing")
    reads = {room.find(actor, one).collection.id for one in read or ()}
    writes = {room.find(actor, one).collection.id for one in write or ()}
    rights = [(one, one in reads, one in writes) for one in sorted(reads | writes)]
    given = None if certificate is None else certificate.read_bytes()
    made = room.accounts.add(actor, name, mark, rights, certificate=given)
    c.answer(
        {"id": made.account.id, "name": name, "password": made.password},
        f"Made {name}. Hand its password over; it is shown this once: {made.password}",
    )


@accounts_app.command("revoke")
def revoke_account(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The account's name.")],
    why: Annotated[str, typer.Option(help="The reason, for whoever reads the ledger.")],
    json: Json = False,
) -> None:
    """Take a service account away, with a reason."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.account.revoke")
    c.node.room("sharing").accounts.revoke(actor, name, why)
    c.answer({"revoked": name}, f"Revoked {name}.")


@taxii_app.command()
def load(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Data file, JSON or YAML.")
    ],
    users: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="Another file, whose users are taken too."),
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Where refused entries are written, with the reasons.")
    ] = None,
    json: Json = False,
) -> None:
    """Make API roots, collections, objects and accounts from a data file."""
    from cordon.kernel.store.files import written_whole
    from cordon.sharing.taxii.loading import read_file

    c = console(ctx, json=json)
    actor = c.passes("sharing.collection.load")
    more = read_file(users) if users is not None else {}
    told = c.node.room("sharing").loader.load(actor, read_file(file), more)
    if rejects is not None and told.refused:
        with written_whole(rejects) as partial:
            partial.write_text("".join(f"{at}: {why}\n" for at, why in told.refused), "utf-8")
    for at, why in told.refused[:20]:
        c.say(f"{at}: {why}")
    c.answer(
        {
            "roots": told.roots, "collections": told.collections, "objects": told.objects,
            "repeated": told.repeated, "accounts": told.accounts,
            "refused": [{"place": at, "reason": why} for at, why in told.refused],
        },
        f"{told.roots} roots, {told.collections} collections, {told.objects} objects and "
        f"{told.accounts} accounts are new; {told.repeated} objects were there, "
        f"{len(told.refused)} entries were refused.",
    )  # fmt: skip


@app.command()
def told(
    ctx: typer.Context,
    collection: Annotated[str, typer.Argument(help="Collection: its id, alias or root/alias.")],
    json: Json = False,
) -> None:
    """List the cases that a collection tells of, each with the grade that its agency gave it."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.object.view")
    found = c.node.room("sharing").told(actor, collection)
    for id_, why in found.bad[:20]:
        c.say(f"{id_}: {why}")
    c.table(
        ("name", "number", "title", "state", "mark", "grade", "findings", "exhibits"),
        [
            (
                t.name, t.number, t.title, t.state.value, t.mark.value,
                str(t.grade) if t.grade else None, len(t.findings), len(t.exhibits),
            )
            for t in found.cases
        ],
    )  # fmt: skip


@app.command()
def put(
    ctx: typer.Context,
    case: Annotated[str, typer.Argument(help="Number (C-2026-0001) or id of the case.")],
    into: Annotated[str, typer.Option(help="Collection: its id, alias or root/alias.")],
    grade: Annotated[
        str | None, typer.Option(help="Admiralty grade of source and content, such as B2.")
    ] = None,
    json: Json = False,
) -> None:
    """Put a case, without its personal data, into a collection as STIX."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.case.put")
    from cordon.sharing.agreements.grades import Grade

    done = c.node.room("sharing").put(actor, case, into, Grade.read(grade))
    c.answer(
        {
            "new": done.new,
            "repeated": done.repeated,
            "findings": done.findings,
            "withheld": done.withheld,
        },
        f"{done.new} objects are new, {done.repeated} were there; {done.findings} findings, "
        f"{done.withheld} personal subjects withheld.",
    )


@app.command()
def misp(
    ctx: typer.Context,
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, help="Events that MISP exported (JSON).")
    ],
    into: Annotated[str, typer.Option(help="Collection: its id, alias or root/alias.")],
    organisation: Annotated[
        str | None,
        typer.Option(help="This agency's own organisation in MISP, by UUID or name."),
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Where what was not taken is written, with the reasons.")
    ] = None,
    json: Json = False,
) -> None:
    """Take events of MISP into a collection as STIX, as far as it is known whom they are for."""
    from cordon.kernel.store.files import written_whole

    c = console(ctx, json=json)
    actor = c.passes("sharing.misp.take")
    done = c.node.room("sharing").take_misp(actor, file, into, organisation)
    if rejects is not None and done.refused:
        with written_whole(rejects) as partial:
            partial.write_text("".join(f"{at}: {why}\n" for at, why in done.refused), "utf-8")
    for at, why in done.refused[:20]:
        c.say(f"{at}: {why}")
    c.answer(
        {
            "events": done.events, "new": done.new, "repeated": done.repeated,
            "refused": len(done.refused),
        },
        f"{done.events} events taken: {done.new} objects are new, {done.repeated} were there; "
        f"{len(done.refused)} parts were not taken.",
    )  # fmt: skip


PeerName = Annotated[str | None, typer.Argument(help="Name of a peer; all where absent.")]


@taxii_app.command()
def poll(ctx: typer.Context, peer: PeerName = None, json: Json = False) -> None:
    """Fetch what is new from other agencies' TAXII servers."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.peer.poll")
    _moved(c, c.node.room("sharing").move(actor, "poll", peer))


@taxii_app.command()
def push(ctx: typer.Context, peer: PeerName = None, json: Json = False) -> None:
    """Hand what is new on to other agencies' TAXII servers."""
    c = console(ctx, json=json)
    actor = c.passes("sharing.peer.push")
    _moved(c, c.node.room("sharing").move(actor, "push", peer))


def _moved(c: Console, found: Iterable[Moved]) -> None:
    ways = list(found)
    for way in ways:
        for id_, why in way.refused[:10]:
            c.say(f"{way.peer}, {id_}: {why}")
    c.table(
        ("peer", "ours", "theirs", "moved", "repeated", "refused"),
        [(w.peer, w.ours, w.theirs, w.moved, w.repeated, w.bad) for w in ways],
    )
