"""Bringing call records in under a legal authority: a job that resumes and refuses by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import func, select

from cordon.calls import attached, forwarding, sides
from cordon.calls.importing import NEAR, span, without_repeats
from cordon.calls.model import Counts, Refusal
from cordon.calls.reading import Batch, read_calls
from cordon.calls.tables import CallFileRow
from cordon.kernel.access.model import Authority, Scope, Thing
from cordon.kernel.bringing import KEPT_REFUSALS, report, source_of
from cordon.kernel.errors import BadInput
from cordon.kernel.ids import new_id
from cordon.kernel.jobs import Running
from cordon.kernel.store.columns import SegmentRow
from cordon.kernel.work import Kernel, Work

DATASET = "calls"
SOUGHT = ("caller", "callee")  # by which pages look for the calls of one number
OUTSIDE = "neither number is covered by the authority, or the call lies outside its span"


def covering(work: Work, act: str) -> Authority:
    """The authority that calls may be brought in under now, entered in the ledger.

    One that names subjects lets only their calls in; the rest of the file is refused row by
    row (`within`).
    """
    chosen = work.actor.authority
    named = sorted(chosen.scope.subjects)[0] if chosen and chosen.scope.subjects else None
    return work.under_authority(act, Thing.room("calls", work.kernel.agency), "calls", named)


def within(table: pa.Table, scope: Scope) -> tuple[pa.Table, list[Refusal]]:
    """The calls that a scope covers, and a refusal for each other row."""
    inside = pa.array(np.ones(len(table), bool))
    if scope.subjects is not None:
        numbers = pa.array(
            [s.partition(":")[2] for s in sorted(scope.subjects) if s.startswith("number:")],
            pa.string(),
        )
        inside = pc.or_(pc.is_in(table["caller"], numbers), pc.is_in(table["callee"], numbers))
    if scope.since is not None:
        inside = pc.and_(inside, pc.greater_equal(table["start"], pa.scalar(scope.since)))
    if scope.until is not None:
        inside = pc.and_(inside, pc.less(table["start"], pa.scalar(scope.until)))
    if pc.all(inside).as_py():
        return table, []
    outside = table.filter(pc.invert(inside))["row"].to_pylist()
    return table.filter(inside), [Refusal(row, OUTSIDE) for row in outside]


def run(
    job: Running, kernel: Kernel, region: str, layouts: Path | None = None
) -> Mapping[str, Any]:
    """Read a kept file into segments, a batch a transaction, from where the job had come to.

    Args:
        layouts: folder of layouts beside the built-in ones.
    """
    sha256, name = str(job.params["sha256"]), str(job.params["name"])
    share = 0.0

    def told(done: int, total: int) -> None:
        nonlocal share
        share = done / max(total, 1)

    reading = read_calls(
        kernel.files.path(sha256),
        region,
        told,
        layout=str(job.params.get("layout", "auto")),
        name=name,
        folder=layouts,
        dates=str(job.params.get("dates", "")),
    )
    done = int(job.checkpoint.get("batches", 0))
    counts = Counts(**job.checkpoint.get("counts", {}))
    refusals: list[dict[str, Any]] = list(job.checkpoint.get("refusals", []))
    try:
        for batch in reading:
            if batch.number < done:
                continue
            with job.step() as work:
                authority = covering(work, "calls.record.import")
                kept, outside = within(batch.table, authority.scope)
                counts += _store(
                    work, sha256, batch, kept, len(outside), authority, str(job.params["mark"])
                )
                new = [*batch.refusals, *outside][: max(0, KEPT_REFUSALS - len(refusals))]
                refusals += [{"row": r.row, "reason": r.reason} for r in new]
                saved = {
                    "batches": batch.number + 1,
                    "counts": asdict(counts),
                    "refusals": refusals,
                }
                job.save(
                    work,
                    saved,
                    done=counts.read,
                    stage="reading",
                    report=report(
                        name,
                        "reading",
                        asdict(counts),
                        refusals,
                        share=share,
                        layout=reading.layout,
                    ),
                )
    except BadInput:
        if not counts.kept:  # tried again, perhaps by a corrected layout, it begins anew
            with job.step() as work:
                job.save(work, {}, done=counts.read, stage="refused")
        raise
    if reading.broken:
        refusals.append({"row": counts.read + 1, "reason": reading.broken})
    said = report(
        name,
        "done",
        asdict(counts),
        refusals,
        share=1.0,
        layout=reading.layout,
        notes=list(dict.fromkeys(reading.notes)),
    )
    with job.step() as work:
        row = file_of(work, sha256, str(job.params["authority"]))
        if row is not None and row.state != "stored":  # brought in again, it keeps what it gave
            row.state, row.counts, row.refusals = "stored", asdict(counts), refusals
        work.act(
            "calls.record.import", Thing.room("calls", kernel.agency), file=sha256, **asdict(counts)
        )
        job.save(
            work, job.checkpoint, done=counts.read, total=counts.read, stage="done", report=said
        )
        work.emit("calls.records.stored", {"file": sha256})
    return said


def _store(
    work: Work,
    reading_sha: str,
    batch: Batch,
    kept: pa.Table,
    outside: int,
    authority: Authority,
    mark: str,
) -> Counts:
    """Write a batch's new calls as a segment; its row stands in the same transaction."""
    # What one authority brought in is not used under another: each has its own segments
    columns = work.kernel.columns
    source = source_of(reading_sha, authority.id)
    # one import under an authority at a time: a call that two files hold is to be kept once
    work.kernel.rows.alone(work.session, f"calls:{authority.id}")
    first, _ = span(kept) if len(kept) else (None, None)
    # this batch's own segment too, where it is committed: then all of it is repeated
    since = first - NEAR if first else None
    before = columns.paths(work.session, DATASET, since=since, authorities=[authority.id])
    new, repeated = without_repeats(
        kept, before, memory_mb=columns.memory_mb, threads=columns.threads
    )
    if len(new):
        # the next number: what a crash left of this one has no row, and is written over
        part = work.session.scalar(
            select(func.count()).where(SegmentRow.dataset == DATASET, SegmentRow.source == source)
        )
        path = columns.write(DATASET, source, part or 0, new, SOUGHT)
        first, last = span(new)
        work.session.add(
            SegmentRow(
                id=new_id(),
                agency=work.kernel.agency,
                mark=mark,
                created_at=work.now,
                dataset=DATASET,
                source=source,
                part=part or 0,
                rows=len(new),
                starts=first,
                ends=last,
                path=path,
                authority=authority.id,
            )
        )
    _store_forwards(work, reading_sha, batch, kept, authority, mark)
    if repeated:
        beside = columns.paths(work.session, sides.DATASET, since=since, authorities=[authority.id])
        how = {"memory_mb": columns.memory_mb, "threads": columns.threads}
        more = sides.adding(kept, new, [*before, *beside], **how)
        attached.keep_part(
            work, sides.DATASET, reading_sha, batch.number, more, authority, mark, SOUGHT,
            ("start", "start"),
        )  # fmt: skip
    refused = len(batch.refusals) + outside
    return Counts(batch.read, len(new), repeated, refused)


def _store_forwards(
    work: Work, sha256: str, batch: Batch, kept: pa.Table, authority: Authority, mark: str
) -> None:
    """Keep who sent calls on, also of calls that another file told without that."""
    sent = batch.forwards.filter(pc.is_in(batch.forwards["row"], kept["row"].combine_chunks()))
    attached.keep_part(
        work,
        forwarding.DATASET,
        sha256,
        batch.number,
        sent,
        authority,
        mark,
        forwarding.SOUGHT,
        ("start", "start"),
    )


def file_of(work: Work, sha256: str, authority: str) -> CallFileRow | None:
    """The file of this content under this authority, where the node has it."""
    return work.session.scalars(
        select(CallFileRow).where(CallFileRow.sha256 == sha256, CallFileRow.authority == authority)
    ).first()
