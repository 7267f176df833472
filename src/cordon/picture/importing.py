"""Bringing in a file of positions: a job that resumes, counts, and refuses row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cordon.kernel.access.model import Mark
from cordon.kernel.findings import Finding
from cordon.kernel.ids import new_id
from cordon.kernel.jobs import Running
from cordon.kernel.store.files import Files
from cordon.kernel.work import Kernel, Work
from cordon.picture import columns
from cordon.picture.feeds.readers import open_positions
from cordon.picture.tables import PositionFileRow

KEPT_REFUSALS = 500

Detect = Callable[[Sequence[float]], list[Finding]]
Keep = Callable[[Work, Iterable[Finding]], None]


def known(work: Work, sha256: str) -> PositionFileRow | None:
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
        detect: findings of a span [since, until] (seconds since the epoch); outside any
            transaction, because it may take long. keep: keeps them, in the transaction given.
    """
    report = job.checkpoint.get("report") or _read(job, kernel.files)
    span = job.checkpoint["span"]
    if not job.checkpoint.get("looked"):
        found = detect(span) if span else []
        job.check()
        with kernel.work(kernel.node) as work:
            row = known(work, str(job.params["sha256"]))
            if row is not None:
                row.state = "stored"
            keep(work, found)
            job.save(work, {**job.checkpoint, "looked": True}, done=job.done, stage="done")
            work.emit("picture.positions.stored", {"span": span, "file": job.params["sha256"]})
    return report


def _read(job: Running, files: Files) -> dict[str, Any]:
    """Read the file into columns, a batch a transaction; return the job's report."""
    sha256 = str(job.params["sha256"])
    name = str(job.params["name"])
    reader = open_positions(files.path(sha256), source=Path(name).stem)
    done = int(job.checkpoint.get("parts", 0))
    span: list[float] = list(job.checkpoint.get("span", []))
    part = 0
    for batch in reader.batches():
        part += 1
        if part <= done or not len(batch):
            continue
        span = [min([*span[:1], float(batch.t.min())]), max([*span[1:], float(batch.t.max())])]
        with job.step() as work:
            columns.write(work, batch, part, mark=str(job.params["mark"]))
            work.act(
                "picture.position.import", _room(work), file=sha256, part=part, rows=len(batch)
            )
            job.save(work, {"parts": part, "span": span}, done=reader.counts.read, stage="reading")
    refused = [{"row": r.row, "reason": r.reason} for r in reader.refusals[:KEPT_REFUSALS]]
    report: dict[str, Any] = {
        "files": [{"name": name, "state": "done", **asdict(reader.counts)}],
        "refusals": refused,
        "span": span,
    }
    with job.step() as work:
        row = known(work, sha256)
        if row is not None:
            row.counts, row.refusals = asdict(reader.counts), refused
        work.act(
            "picture.position.import",
            _room(work),
            file=sha256,
            kept=reader.counts.kept,
            repeated=reader.counts.repeated,
            refused=reader.counts.refused,
        )
        job.save(
            work,
            {"parts": part, "span": span, "report": report},
            done=reader.counts.read,
            total=reader.counts.read,
            stage="looking for behaviours",
            report=report,
        )
    return report


def _room(work: Work) -> Any:
    from cordon.kernel.access.model import Thing

    return Thing.room("picture", work.kernel.agency)
