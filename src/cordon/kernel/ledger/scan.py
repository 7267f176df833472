"""Reading leaves in order: their hashes, and whether indexes and times go on as they must.

Functions over bytes alone, the same for an export's lines and a database's rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any

import orjson

from cordon.kernel.ledger import merkle
from cordon.kernel.ledger.report import MOST_PROBLEMS, Problem

COLUMNS = (
    "index",
    "at",
    "agency",
    "act",
    "outcome",
    "actor",
    "unit",
    "thing",
    "mark",
    "authority",
)
"""Columns of a row that repeat its leaf, in the order that `scan` takes them."""

_said = itemgetter(*COLUMNS)
_TIME_LENGTH = len("2026-01-17T08:30:00.000000Z")


@dataclass(slots=True)
class Scanned:
    """What a run of leaves was found to be.

    Attributes:
        segments: complete subtrees (see `merkle.compact`), one list for each part between cuts.
        next: the index that must come after. first_at, last_at: times, empty where none.
        count: number of leaves. problems: what is wrong, the first 1,000; wrong: how many.
        in_order: indexes were as they must be, so that the segments fit.
    """

    next: int
    count: int = 0
    segments: list[list[tuple[int, bytes]]] = field(default_factory=list)
    first_at: str = ""
    last_at: str = ""
    problems: list[Problem] = field(default_factory=list)
    wrong: int = 0
    in_order: bool = True

    def note(self, index: int, says: str) -> None:
        """Note a problem."""
        self.wrong += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(index, says))


def scan(
    leaves: Sequence[bytes],
    start: int,
    *,
    cuts: Sequence[int] = (),
    hashes: bytes | None = None,
    rows: Sequence[Sequence[Any]] | None = None,
    keep: merkle.Keep | None = None,
) -> Scanned:
    """Read leaves whose first must have index `start`.

    Args:
        cuts: sizes of the ledger at which the caller wants to know the root.
        hashes: what the leaf hashes are said to be, 32 bytes each, or None.
        rows: the columns beside each leaf, as `COLUMNS` orders them, or None.
        keep: told of complete subtrees.
    """
    found = Scanned(next=start, count=len(leaves))
    digests = [merkle.leaf_hash(leaf) for leaf in leaves]
    _check_order(leaves, rows, found)
    if hashes is not None and hashes != b"".join(digests):
        _compare(digests, hashes, start, found)
    bounds = [start, *sorted(c for c in cuts if start < c < start + len(leaves))]
    bounds.append(start + len(leaves))
    for low, high in pairwise(bounds):
        found.segments.append(merkle.compact(low, digests[low - start : high - start], keep))
    return found


def scan_file(path: Path, hashes_path: Path, start: int, most: int, cuts: Sequence[int]) -> Scanned:
    """Read one file of an export: a leaf a line. `most` is how many lines it may hold."""
    data = path.read_bytes()
    leaves = data.split(b"\n")
    cut_off = leaves.pop() != b""
    if cut_off and data:
        leaves = data.split(b"\n")
    hashes = hashes_path.read_bytes() if hashes_path.is_file() else None
    found = scan(leaves, start, cuts=cuts, hashes=hashes)
    if cut_off:
        found.note(found.next, f"{path.name} is cut off within a line.")
        found.in_order = False
    if len(leaves) > most:
        found.note(start + most, f"{path.name} has {len(leaves)} lines, not at most {most}.")
        found.in_order = False
    return found


def _check_order(
    leaves: Sequence[bytes], rows: Sequence[Sequence[Any]] | None, found: Scanned
) -> None:
    expected, last = found.next, ""
    loads = orjson.loads
    for n, leaf in enumerate(leaves):
        try:
            data = loads(leaf)
            index, at = data["index"], data["at"]
            if type(index) is not int:  # 3.0 and true compare like numbers, and are no index
                raise TypeError
            if index != expected:
                found.in_order = False
                if index > expected:
                    found.note(expected, missing(expected, index))
                    expected = index + 1
                else:
                    found.note(index, f"It stands where entry {expected} belongs.")
            else:
                expected += 1
            if at < last or len(at) != _TIME_LENGTH:
                found.note(index, f"Its time {at!s:.30} is before that of the entry below it.")
            last = at
            found.first_at = found.first_at or at
            if rows is not None:
                _check_columns(data, rows[n], found)
        except (KeyError, TypeError, ValueError):
            found.note(expected, "It cannot be read: it is not an entry in JSON.")
            found.in_order = False
            expected += 1
    found.next, found.last_at = expected, last


def _check_columns(data: dict[str, Any], row: Sequence[Any], found: Scanned) -> None:
    said = _said(data)
    if said == row:
        return
    for name, in_leaf, in_row in zip(COLUMNS, said, row, strict=True):
        # PostgreSQL gives a time, SQLite the text of one
        same = datetime.fromisoformat(in_leaf) if isinstance(in_row, datetime) else in_leaf
        if same != in_row:
            found.note(data["index"], f"Its column “{name}” is not what the entry itself says.")


def _compare(digests: Sequence[bytes], hashes: bytes, start: int, found: Scanned) -> None:
    """Say which leaves do not have the hash they are said to have."""
    if len(hashes) != 32 * len(digests):
        found.note(start, f"{len(hashes) / 32:g} leaf hashes stand beside {len(digests)} entries.")
    for n, digest in enumerate(digests):
        kept = hashes[32 * n : 32 * n + 32]
        if kept and kept != digest:
            found.note(start + n, "It was changed: its bytes do not give the leaf hash kept of it.")
            if not found.in_order:  # everything after a gap is off by as much
                return


def missing(first: int, after: int) -> str:
    """What is wrong with entry `first` where the next one that is there is `after`."""
    return (
        "It is missing."
        if after == first + 1
        else f"It and all up to entry {after - 1} are missing."
    )
