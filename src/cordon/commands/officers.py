"""Officers, units and programs' tokens, from the node's own machine."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import Annotated, cast

import typer

from cordon.bootstrap import Node
from cordon.kernel.access.model import Mark, Role
from cordon.kernel.clock import format_time
from cordon.kernel.console import console
from cordon.kernel.errors import BadUsage

officers = typer.Typer(no_args_is_help=True, help="The officers who may sign in.")
units = typer.Typer(no_args_is_help=True, help="The agency's units.")
tokens = typer.Typer(no_args_is_help=True, help="Tokens under which programs act.")
Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]


@officers.command("add")
def add_officer(
    ctx: typer.Context,
    login: Annotated[str, typer.Option(help="Sign-in name.")],
    name: Annotated[str, typer.Option(help="Name for pages.")],
    role: Annotated[list[Role], typer.Option(help="What they are; again for more.")],
    unit: Annotated[str | None, typer.Option(help="Code of their unit.")] = None,
    cleared: Annotated[Mark, typer.Option(help="Strictest mark they may handle.")] = Mark.AMBER,
    password_file: Annotated[
        Path | None, typer.Option(help="File that holds the password; else it is asked for.")
    ] = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="They sign in by OpenID Connect alone.")
    ] = False,
    json: Json = False,
) -> None:
    """Add an officer. The password is asked for, never taken from an argument."""
    c = console(ctx, json=json)
    actor = c.passes("node.officers")
    node = cast("Node", c.node)
    password = None if no_password else _password(password_file)
    made = node.officers.add(
        actor, login=login, name=name, roles=role, unit=unit, cleared=cleared, password=password
    )
    c.answer({"id": made.id, "login": made.login}, f"Added {made.login}.")


@officers.command("list")
def list_officers(ctx: typer.Context, json: Json = False) -> None:
    """Show who may sign in."""
    c = console(ctx, json=json)
    actor = c.passes("node.officers")
    node = cast("Node", c.node)
    c.table(
        ("login", "name", "unit", "roles", "cleared", "second factor"),
        [
            (o.login, o.name, o.unit, ", ".join(sorted(o.roles)), str(o.cleared), o.second_factor)
            for o in node.officers.known(actor)
        ],
    )


@officers.command("link")
def link_officer(
    ctx: typer.Context,
    login: Annotated[str, typer.Argument(help="Sign-in name.")],
    subject: Annotated[str, typer.Argument(help="The provider's own id (`sub`) of the officer.")],
    json: Json = False,
) -> None:
    """Link an officer to the OpenID Connect provider, so that they can sign in by it."""
    c = console(ctx, json=json)
    actor = c.passes("node.officers")
    node = cast("Node", c.node)
    if not node.settings.oidc_issuer:
        raise BadUsage("This node has no OpenID Connect provider.", advice="Set oidc_issuer.")
    officer = node.officers.by_login(actor, login)
    node.officers.link(actor, officer.id, issuer=node.settings.oidc_issuer, subject=subject)
    c.answer({"linked": officer.login}, f"Linked {officer.login}.")


@officers.command("change")
def change_officer(
    ctx: typer.Context,
    login: Annotated[str, typer.Argument(help="Sign-in name.")],
    name: Annotated[str | None, typer.Option(help="Another name for pages.")] = None,
    role: Annotated[
        list[Role] | None, typer.Option(help="What they are from now on; again for more.")
    ] = None,
    unit: Annotated[str | None, typer.Option(help="Code of another unit.")] = None,
    cleared: Annotated[Mark | None, typer.Option(help="Strictest mark they may handle.")] = None,
    json: Json = False,
) -> None:
    """Change an officer's name, roles, unit or clearance, from their next request on."""
    c = console(ctx, json=json)
    actor = c.passes("node.officers")
    node = cast("Node", c.node)
    made = node.officers.change(
        actor,
        node.officers.by_login(actor, login).id,
        name=name,
        roles=role or None,
        unit=unit,
        cleared=cleared,
    )
    told = {"login": made.login, "roles": sorted(made.roles), "unit": made.unit}
    c.answer({**told, "cleared": made.cleared}, f"Changed {made.login}.")


@officers.command("lock")
def lock_officer(
    ctx: typer.Context,
    login: Annotated[str, typer.Argument(help="Sign-in name.")],
    why: Annotated[str, typer.Option(help="Why, in a few words.")],
    json: Json = False,
) -> None:
    """Lock an officer out at once and end their sessions."""
    c = console(ctx, json=json)
    actor = c.passes("node.officers")
    node = cast("Node", c.node)
    made = node.officers.lock(actor, node.officers.by_login(actor, login).id, why)
    c.answer({"locked": made.login}, f"Locked {made.login} out.")


@officers.command("unlock")
def unlock_officer(
    ctx: typer.Context,
    login: Annotated[str, typer.Argument(help="Sign-in name.")],
    json: Json = False,
) -> None:
    """Let a locked officer in again."""
    c = console(ctx, json=json)
    actor = c.passes("node.officers")
    node = cast("Node", c.node)
    made = node.officers.unlock(actor, node.officers.by_login(actor, login).id)
    c.answer({"unlocked": made.login}, f"{made.login} may sign in again.")


@officers.command("sign-out")
def sign_officer_out(
    ctx: typer.Context,
    login: Annotated[str, typer.Argument(help="Sign-in name.")],
    json: Json = False,
) -> None:
    """End every open session of an officer; they may sign in again."""
    c = console(ctx, json=json)
    actor = c.passes("node.officers")
    node = cast("Node", c.node)
    count = node.sessions.revoke_all(actor, node.officers.by_login(actor, login).id)
    c.answer({"login": login, "ended": count}, f"Ended {count} sessions.")


@units.command("change")
def change_unit(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(help="Its code, which stays.")],
    name: Annotated[str | None, typer.Option(help="Another name for pages.")] = None,
    parent: Annotated[str | None, typer.Option(help="Code of the unit above it.")] = None,
    json: Json = False,
) -> None:
    """Give a unit another name, or put it under another unit."""
    c = console(ctx, json=json)
    actor = c.passes("node.officers")
    made = cast("Node", c.node).units.change(actor, code, name=name, parent=parent)
    c.answer({"code": made.code, "name": made.name, "parent": made.parent}, f"Changed {made.code}.")


@units.command("close")
def close_unit(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(help="Its code.")],
    json: Json = False,
) -> None:
    """Close a unit in which no officer serves any more; its name stays for the records."""
    c = console(ctx, json=json)
    actor = c.passes("node.officers")
    made = cast("Node", c.node).units.close(actor, code)
    c.answer({"closed": made.code}, f"Closed {made.code}.")


@units.command("add")
def add_unit(
    ctx: typer.Context,
    code: Annotated[str, typer.Argument(help="Code, such as gwadar-station.")],
    name: Annotated[str, typer.Argument(help="Name for pages.")],
    parent: Annotated[str | None, typer.Option(help="Code of the unit above it.")] = None,
    json: Json = False,
) -> None:
    """Add a unit."""
    c = console(ctx, json=json)
    actor = c.passes("node.officers")
    made = cast("Node", c.node).units.add(actor, code, name, parent=parent)
    c.answer({"code": made.code}, f"Added {made.code}.")


@tokens.command("issue")
def issue_token(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="The program's name.")],
    scope: Annotated[list[str], typer.Option(help="An act it may do; again for more.")],
    days: Annotated[int, typer.Option(help="How long it is valid.")] = 90,
    json: Json = False,
) -> None:
    """Give a program a token for named acts. Its secret is shown this once."""
    c = console(ctx, json=json)
    actor = c.passes("node.officers")
    issued = cast("Node", c.node).tokens.issue(actor, name, scope, timedelta(days=days))
    if c.json:
        c.answer({"token": issued.secret, "id": issued.token.id}, "")
    else:
        sys.stdout.write(issued.secret + "\n")


@tokens.command("list")
def list_tokens(ctx: typer.Context, json: Json = False) -> None:
    """Show which programs have tokens, what each may do, and until when."""
    c = console(ctx, json=json)
    actor = c.passes("node.officers")
    node = cast("Node", c.node)
    now = node.kernel.clock.now()
    c.table(
        ("id", "name", "acts", "until", "used", "state"),
        [
            (
                t.id,
                t.name,
                ", ".join(sorted(t.scopes)),
                format_time(t.expires_at),
                format_time(t.used_at) if t.used_at else None,
                "revoked" if t.revoked_at else "expired" if t.expires_at <= now else "valid",
            )
            for t in node.tokens.known(actor)
        ],
    )


@tokens.command("revoke")
def revoke_token(
    ctx: typer.Context,
    token: Annotated[str, typer.Argument(help="Its id, as `cordon tokens list` shows it.")],
    json: Json = False,
) -> None:
    """Take a token away; the program's next request is refused."""
    c = console(ctx, json=json)
    actor = c.passes("node.officers")
    cast("Node", c.node).tokens.revoke(actor, token)
    c.answer({"revoked": token}, "Taken away; the program's next request is refused.")


def _password(file: Path | None) -> str:
    if file is not None:
        try:
            return file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as wrong:
            why = wrong.strerror if isinstance(wrong, OSError) else "it is not UTF-8"
            raise BadUsage(f"The password cannot be read from {file}: {why}.") from None
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
