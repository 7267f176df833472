"""What an import leaves: its report, and what its segments name as their source."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow.parquet as pq
from sqlalchemy import select

from cordon.kernel.store.columns import SegmentRow
from cordon.kernel.work import View

KEPT_REFUSALS = 500
"""Refused rows that a job keeps; all of them are read from the file once more when asked for."""


def report(
    name: str,
    state: str,
    counts: Mapping[str, int],
    refusals: list[dict[str, Any]],
    *,
    share: float = 0.0,
    layout: str = "",
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """What a job that reads a file leaves.

    Args:
        counts: rows `read`, `kept`, `repeated`, `refused`.
        share: of the file that was read (0 to 1). layout: by which, once it is known.
        notes: sentences on what of it was passed over.
    """
    file: dict[str, Any] = {"name": name, "state": state, **counts, "share": share}
    if layout:
        file["layout"] = layout
    if notes:
        file["notes"] = list(notes)
    return {"files": [file], "refusals": refusals}


def source_of(sha256: str, authority: str) -> str:
    """What the segments of a file name as their source: the file and its authority (hex)."""
    return hashlib.sha256(f"{sha256}:{authority}".encode()).hexdigest()


def row_moment(
    view: View, dataset: str, column: str, sha256: str, authority: str, row: int
) -> datetime | None:
    """The time (UTC) in a row of a file; None where no segment keeps that row.

    Rows that were refused or repeated stand in none.
    """
    paths = view.session.scalars(
        select(SegmentRow.path)
        .where(SegmentRow.dataset == dataset, SegmentRow.source == source_of(sha256, authority))
        .order_by(SegmentRow.part)
    )
    for path in paths:
        kept = view.kernel.columns.root / path
        if kept.is_file():
            found = pq.read_table(kept, columns=[column], filters=[("row", "=", row)])
            if len(found):
                at: datetime = found[column][0].as_py()
                return at
    return None
