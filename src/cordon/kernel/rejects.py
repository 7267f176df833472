"""Refused rows beside the input: which row of which file, and why."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from cordon.kernel.store.files import written_whole


class Refused(Protocol):
    """A row that was not taken: its number from 1, and one phrase without its content."""

    @property
    def row(self) -> int: ...
    @property
    def reason(self) -> str: ...


def write_rejects(path: Path, refused: Iterable[tuple[str, Refused]]) -> int:
    """Write refused rows as CSV (`file`, `row`, `reason`), whole or not at all; return how many.

    They stand by file and row: readers meet them in the order of their checks.
    """
    written = 0
    with written_whole(path) as partial, partial.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(("file", "row", "reason"))
        for name, refusal in sorted(refused, key=lambda one: (one[0], one[1].row)):
            rows.writerow((name, refusal.row, refusal.reason))
            written += 1
    return written
