"""Arguments and options that the commands of this room share, each with one name and one help."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from cordon.kernel.errors import BadInput, BadUsage

Chosen = TypeVar("Chosen", bound=StrEnum)
LARGEST_FILE = 1 << 20

Json = Annotated[bool, typer.Option("--json", help="Answer in JSON.")]
Agency = Annotated[str, typer.Argument(help="Code of the other agency.")]
Under = Annotated[str | None, typer.Option("--authority", help="Reference of an authority.")]
Reason = Annotated[str, typer.Option(help="For whoever reads the ledger.")]


def one_of(kind: type[Chosen], text: str) -> Chosen:
    """The word of a list that was typed; BadUsage names them all."""
    try:
        return kind(text)
    except ValueError:
        raise BadUsage(
            f"“{text[:30]}” is none of them.", advice="It is one of " + ", ".join(kind) + "."
        ) from None


def text_of(file: Path, most: int = LARGEST_FILE) -> str:
    """The text of a file; BadInput where it is none, or longer than `most` bytes."""
    try:
        with file.open("rb") as opened:
            data = opened.read(most + 1)
        if len(data) > most:
            raise BadInput(f"{file} is longer than {most} bytes.")
        return data.decode()
    except (OSError, UnicodeDecodeError):
        raise BadInput(f"{file} cannot be read as text.") from None


def json_of(file: Path) -> Any:
    """What a file holds as JSON; BadInput where it holds none."""
    try:
        return json.loads(text_of(file))
    except (ValueError, RecursionError):
        raise BadInput(f"{file} holds no JSON.", advice="See docs/rooms/sharing.md.") from None
