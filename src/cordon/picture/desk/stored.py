"""Stored positions asked for by span, box and subject, in the engine of the column store.

At most two such questions run at a time on a node: each may take the whole memory that the
settings give a query, and a watch floor of two hundred must not ask for two hundred times that.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
from sqlalchemy import func, select

from cordon.kernel.access.model import Actor, Thing
from cordon.kernel.errors import BadInput, Unavailable
from cordon.kernel.store.columns import SegmentRow
from cordon.kernel.work import Kernel
from cordon.picture.columns import DATASET

AT_ONCE = 2
WAIT_S = 20.0
Box = tuple[float, float, float, float]
"""West, south, east, north (degrees); west > east crosses the antimeridian."""


@dataclass(frozen=True, slots=True)
class Span:
    """From and to, aware; the end is not within it."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        if self.since.tzinfo is None or self.until.tzinfo is None:
            raise BadInput("A span's times name no zone.", advice="Write them with Z.")
        if not self.since < self.until:
            raise BadInput("The span ends before it begins.", advice="Give the earlier time first.")

    @property
    def seconds(self) -> float:
        """Its length (s)."""
        return (self.until - self.since).total_seconds()


class Stored:
    """Reads the positions that a node has stored."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def ends(self, actor: Actor) -> tuple[datetime, datetime] | None:
        """When the first and the last stored position was, or None where there is none."""
        with self._kernel.view(actor) as view:
            view.permit("picture.track.view", Thing.room("picture", self._kernel.agency))
            first, last = view.session.execute(
                select(func.min(SegmentRow.starts), func.max(SegmentRow.ends)).where(
                    SegmentRow.dataset == DATASET
                )
            ).one()
        return (first, last) if first is not None and last is not None else None

    def sources(self, actor: Actor, segments: Collection[str]) -> dict[str, str]:
        """The SHA-256 of the file that segments of one file came from, by the segment's path."""
        root = self._kernel.columns.root
        paths = {str(Path(s).relative_to(root)): s for s in segments}
        with self._kernel.view(actor) as view:
            rows = view.session.execute(
                select(SegmentRow.path, SegmentRow.source).where(
                    SegmentRow.dataset == DATASET, SegmentRow.path.in_(paths)
                )
            )
            return {paths[path]: source for path, source in rows}

    @contextmanager
    def positions(
        self,
        actor: Actor,
        span: Span,
        *,
        box: Box | None = None,
        subject: str = "",
    ) -> Iterator[duckdb.DuckDBPyConnection | None]:
        """A connection with the view `p` of the positions asked for; None where there are none.

        Columns: subject, source, name, imo, call_sign, ship_type, flag, t (s since the epoch),
        lat, lon, speed, course (NaN where not told), kind, row, sha256: of the file it came in,
        null or empty where its segment is of one file alone, and segment: its segment's path.

        Raises:
            Unavailable: two others are asking, and neither came to an end in time.
        """
        with self._kernel.view(actor) as view:
            view.permit("picture.track.view", Thing.room("picture", self._kernel.agency))
            paths = self._kernel.columns.paths(
                view.session, DATASET, since=span.since, until=span.until
            )
        if not paths:
            yield None
            return
        if not self._turns.acquire(timeout=WAIT_S):
            raise Unavailable(
                "Others are asking for stored positions.", advice="Ask again in a moment."
            )
        try:
            where, given = _where(span, box, subject)
            with self._kernel.columns.connect() as connection:
                every = connection.sql(_EVERY, params={"paths": [str(p) for p in paths]})
                every.create_view("every")
                columns = _ASKED if "file" in every.columns else _ASKED.replace("file AS", "'' AS")
                connection.sql(columns + where, params=given).create_view("p")
                yield connection
        finally:
            self._turns.release()


_EVERY = "SELECT * FROM read_parquet($paths, filename = true, union_by_name = true)"
_ASKED = (
    "SELECT subject, source, name, imo, call_sign, ship_type, flag, t, lat, lon, speed, course, "
    "kind, row, file AS sha256, filename AS segment FROM every WHERE "
)


def _where(span: Span, box: Box | None, subject: str) -> tuple[str, dict[str, Any]]:
    parts = ["t >= $since AND t < $until"]
    given: dict[str, Any] = {"since": span.since.timestamp(), "until": span.until.timestamp()}
    if subject:
        parts.append("subject = $subject")
        given["subject"] = subject
    if box is not None:
        west, south, east, north = box
        along = "lon >= $west {} lon <= $east".format("AND" if west <= east else "OR")
        parts.append(f"lat BETWEEN $south AND $north AND ({along})")
        given |= {"west": west, "south": south, "east": east, "north": north}
    return " AND ".join(parts), given


def read_box(text: str) -> Box | None:
    """A box of an address, `west,south,east,north` in degrees; None where it is empty."""
    if not text:
        return None
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise BadInput("The box is not four numbers: west,south,east,north.") from None
    if not (-90 <= south < north <= 90 and abs(west) <= 180 and abs(east) <= 180):
        raise BadInput("The box lies outside ±180 and ±90, or is upside down.")
    return west, south, east, north
