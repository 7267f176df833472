"""Values for a question, as a command reads them: never from its arguments."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cordon.kernel.console import Console
from cordon.kernel.errors import BadInput, BadUsage

if TYPE_CHECKING:
    from cordon.sharing.match.forms import RefusedValue

_MOST_BYTES = 64 << 20


def lines(file: Path | None) -> list[str]:
    """Lines of a file or of standard input; values never stand among the arguments."""
    try:
        data = sys.stdin.buffer.read(_MOST_BYTES + 1) if file is None else file.read_bytes()
        if len(data) > _MOST_BYTES:
            raise BadInput(f"The values take more than {_MOST_BYTES >> 20} MiB.")
        found = data.decode("utf-8-sig").splitlines()
    except OSError as wrong:
        raise BadUsage(f"The file of values cannot be read: {wrong.strerror}.") from None
    except UnicodeDecodeError:
        raise BadInput("The values are not UTF-8 text.") from None
    return found


def refused_lines(c: Console, refused: list[RefusedValue]) -> None:
    """Say which lines were no values, and why."""
    for one in refused:
        c.say(f"Line {one.row}: {one.reason}")
