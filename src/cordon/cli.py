"""The command line: each command is a thin call into a room's face."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from cordon import __version__
from cordon.kernel.console import Console, NodeLike
from cordon.kernel.errors import CordonError

COMMANDS = {
    "serve": "cordon.commands.serving:serve",
    "demo": "cordon.commands.demo:demo",
    "settings": "cordon.commands.settings:settings",
    "picture": "cordon.picture.commands:app",
    "calls": "cordon.calls.commands:app",
    "money": "cordon.money.commands:app",
    "operations": "cordon.operations.commands:app",
    "cases": "cordon.cases.commands:app",
    "evidence": "cordon.cases.commands:evidence",
    "sharing": "cordon.sharing.commands:app",
    "release": "cordon.sharing.releases.commands:app",
    "deconflict": "cordon.sharing.deconfliction.commands:app",
    "match": "cordon.sharing.match.commands:app",
    "exercise": "cordon.exercise.commands:app",
    "oversight": "cordon.oversight.commands:app",
    "ledger": "cordon.oversight.commands:ledger",
    "authorities": "cordon.commands.authorities:authorities",
    "officers": "cordon.commands.officers:officers",
    "units": "cordon.commands.officers:units",
    "tokens": "cordon.commands.officers:tokens",
    "files": "cordon.commands.keeping:files",
    "backup": "cordon.commands.keeping:backup",
}
"""Where each command stands: a group of a room, or a single function."""


class Lazily(TyperGroup):
    """Loads a room's commands only once they are asked for: a command starts in a moment."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        found = getattr(import_module(module), attribute)
        if not isinstance(found, typer.Typer):
            single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            single.command(cmd_name)(found)
            command: Any = typer.main.get_command(single)
        else:
            command = typer.main.get_group(found)
        command.name = cmd_name
        return command


def application() -> typer.Typer:
    """The program with every room's commands."""
    app = typer.Typer(
        name="cordon",
        cls=Lazily,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        help="A working system for those who guard a border and a coast.",
    )

    @app.callback(invoke_without_command=True)
    def root(
        ctx: typer.Context,
        json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
        version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
    ) -> None:
        if version:
            typer.echo(f"cordon {__version__}")
            raise typer.Exit
        ctx.obj = Console(_open_node, json=json)
        ctx.call_on_close(ctx.obj.close)

    return app


def _open_node() -> NodeLike:
    from cordon.bootstrap import open_node
    from cordon.kernel import logs
    from cordon.settings import load

    settings = load()
    logs.set_up(settings.log_level, settings.log_format)
    return open_node(settings)


def main(arguments: list[str] | None = None) -> None:
    """Run a command and end with its exit code: 0 done, 1 refused or failed, 2 wrong usage."""
    sys.exit(run(arguments))


def run(arguments: list[str] | None = None) -> int:
    """As `main`, returning the exit code."""
    try:
        typer.main.get_command(application()).main(arguments, prog_name="cordon")
    except CordonError as fault:
        _tell(str(fault))
        return type(fault).exit_code
    except BrokenPipeError:
        # the reader of the pipe has seen enough; Python must not complain about it again
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as fault:  # a path that is not there, or may not be written
        _tell(_what_and_why(fault))
        return 1
    except SystemExit as ended:  # typer has told wrong usage (2) and Ctrl-C (1) itself
        return ended.code if isinstance(ended.code, int) else 0
    return 0


def _what_and_why(fault: OSError) -> str:
    """The file and the system's own reason, on one line."""
    if fault.filename is None or fault.strerror is None:
        return " ".join(f"The machine refused it: {fault}.".split())[:500]
    return f"{os.fsdecode(fault.filename)} cannot be used: {fault.strerror}."


def _tell(words: str) -> None:
    sys.stderr.write(f"cordon: {words}\n")


if __name__ == "__main__":
    main()
