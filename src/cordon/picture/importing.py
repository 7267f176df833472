"""Bringing in a file of positions: a job that resumes, counts, and refuses row by row."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cordon.kernel.access.model import Mark
from cordon.kernel.errors import BadInput
from cordon.kernel.ids import new_id
from cordon.kernel.jobs import Running
from cordon.kernel.work import Kernel, View, Work
from cordon.picture import columns
from cordon.picture.correcting import Looked
from cordon.picture.feeds.readers import PositionReader, open_positions
from cordon.picture.feeds.seen import Seen
from cordon.picture.tables import PositionFileRow
from cordon.picture.tracks import Batch

KEPT_REFUSALS = 500

Detect = Callable[[Sequence[float], str], Looked]
Keep = Callable[[Work, Looked], None]


def known(work: View, sha256: str) -> PositionFileRow | None:
    """The file of this content, where the node has it already."""
    return work.session.scalars(
        select(PositionFileRow).where(PositionFileRow.sha256 == sha256)
    ).first()


def new_file(
    work: Work, *, sha256: str, size: int, name: str, origin: str, mark: Mark
) -> PositionFileRow:
    """The row of a file whose bytes are safely kept."""
    row = PositionFileRow(
        id=new_id(),
        agency=work.kernel.agency,
        mark=mark,
        created_at=work.now,
        sha256=sha256,
        name=Path(name).name[:200],
        origin=origin,
        state="kept",
        size=size,
        counts={},
        refusals=[],
    )
    work.session.add(row)
    work.session.flush()
    return row


def run(job: Running, kernel: Kernel, detect: Detect, keep: Keep) -> Mapping[str, Any]:
    """Read a kept file into columns, then look for behaviours, from where the job had come to.

    A job that was killed reads the file again up to its checkpoint without writing: decoding
    has a state (parts of messages, repeats), so that the batches come out as before. The file
    counts as stored once what the detectors say of it is kept too, so that a file brought in
    after this one meets the same findings whether or not this job was killed.

    Args:
        detect: what is said of a span [since, until] (seconds since the epoch) into which a file
            was brought (its SHA-256); outside any transaction, because it may take long.
        keep: keeps that, in the transaction given.
    """
    report = job.checkpoint.get("report") or _read(job, kernel)
    span = job.checkpoint["span"]
    if not job.checkpoint.get("looked"):
        found = detect(span, str(job.params["sha256"])) if span else Looked()
        job.check()
        with kernel.work(kernel.node) as work:
            row = known(work, str(job.params["sha256"]))
            if row is not None:
                row.state = "stored"
            keep(work, found)
            job.save(work, {**job.checkpoint, "looked": True}, done=job.done, stage="done")
            work.emit("picture.positions.stored", {"span": span, "file": job.params["sha256"]})
    return report


def _read(job: Running, kernel: Kernel) -> dict[str, Any]:
    """Read the file into columns, a batch a transaction; return the job's report.

    Raises:
        BadInput: nothing in it can be read; the report then holds the refusals.
    """
    sha256 = str(job.params["sha256"])
    name = str(job.params["name"])
    reader = open_positions(kernel.files.path(sha256), name=name, source=Path(name).stem)
    try:
        _write(job, kernel, reader)
    except BadInput:
        with job.step() as work:
            report = {"files": [], "refusals": _refused(reader)}
            job.save(work, job.checkpoint, done=reader.counts.read, report=report)
        raise
    span = list(job.checkpoint.get("span", []))
    known_before = int(job.checkpoint.get("known", 0))
    counts = asdict(reader.counts)
    counts["kept"] -= known_before
    counts["repeated"] += known_before
    report = {
        "files": [{"name": name, "state": "done", **counts, "broken": reader.broken}],
        "refusals": _refused(reader),
        "span": span,
    }
    with job.step() as work:
        row = known(work, sha256)
        if row is not None:
            row.counts, row.refusals = counts, report["refusals"]
        work.act(
            "picture.position.import",
            _room(work),
            file=sha256,
            kept=counts["kept"],
            repeated=counts["repeated"],
            refused=counts["refused"],
        )
        job.save(
            work,
            {**job.checkpoint, "span": span, "report": report},
            done=reader.counts.read,
            total=reader.counts.read,
            stage="looking for behaviours",
            report=report,
        )
    return report


def _write(job: Running, kernel: Kernel, reader: PositionReader) -> None:
    """Write the reader's batches as segments, without what other files brought before.

    The checkpoint holds how many batches are done (`parts`), the span of what was written
    (s) and how many positions the node had already (`known`).
    """
    sha256 = reader.sha256
    done = int(job.checkpoint.get("parts", 0))
    span: list[float] = list(job.checkpoint.get("span", []))
    before = Before(kernel, sha256)
    repeated = int(job.checkpoint.get("known", 0))
    for part, batch in enumerate(reader.batches(), 1):
        if part <= done or not len(batch):
            continue
        fresh = before.without(batch)
        repeated += len(batch) - len(fresh)
        if len(fresh):
            span = [min([*span[:1], float(fresh.t.min())]), max([*span[1:], float(fresh.t.max())])]
        # before the transaction: while it lasts nobody else writes
        segment = columns.write(kernel.columns, fresh, part) if len(fresh) else None
        with job.step() as work:
            if segment is not None:
                columns.keep(work, segment, mark=str(job.params["mark"]))
            work.act(
                "picture.position.import", _room(work), file=sha256, part=part, rows=len(fresh)
            )
            saved = {"parts": part, "span": span, "known": repeated}
            job.save(work, saved, done=reader.counts.read, stage="reading")


def _refused(reader: PositionReader) -> list[dict[str, Any]]:
    return [{"row": r.row, "reason": r.reason} for r in reader.refusals[:KEPT_REFUSALS]]


class Before:
    """The positions that other files brought in, as far as a file's span has come.

    Two files that are brought in at the same moment may both keep what both hold.
    """

    def __init__(self, kernel: Kernel, sha256: str) -> None:
        self._kernel = kernel
        self._sha256 = sha256
        self._seen = Seen()
        self._span: tuple[int, int] | None = None  # whole seconds [since, until) that were read

    def without(self, batch: Batch) -> Batch:
        """The batch's positions that no other file holds; its own repeats are left out before."""
        since, until = math.floor(batch.t.min()), math.floor(batch.t.max()) + 1
        for piece in self._pieces(since, until):
            with self._kernel.view(self._kernel.node) as view:
                some = columns.read(
                    view,
                    self._kernel.columns,
                    *(datetime.fromtimestamp(s, UTC) for s in piece),
                    but=self._sha256,
                )
                for stored in some:
                    self._seen.new(stored)
        fresh = self._seen.new(batch)
        return batch if fresh.all() else batch.take(fresh)

    def _pieces(self, since: int, until: int) -> list[tuple[int, int]]:
        """What of a span was not read yet."""
        if self._span is None:
            self._span = (since, until)
            return [self._span]
        begin, end = self._span
        self._span = (min(begin, since), max(end, until))
        pieces = [(self._span[0], begin), (end, self._span[1])]
        return [(a, b) for a, b in pieces if a < b]


def _room(work: Work) -> Any:
    from cordon.kernel.access.model import Thing

    return Thing.room("picture", work.kernel.agency)
