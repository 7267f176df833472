"""`cordon settings`: each setting with its help, value and where it came from."""

from __future__ import annotations

from typing import Annotated

import typer

from cordon.kernel.console import console
from cordon.settings import load, shown


def settings(
    ctx: typer.Context,
    json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Show every setting, its value, where it came from, and what it is for."""
    c = console(ctx, json=json)
    c.table(
        ("setting", "value", "from", "help"),
        [(s.name, s.value, s.origin, s.help) for s in shown(load())],
    )
