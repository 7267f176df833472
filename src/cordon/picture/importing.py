"""Bringing in a file of positions: a job that resumes, counts, and refuses row by row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cordon.kernel.access.model import Mark
from cordon.kernel.ids import new_id
from cordon.kernel.jobs import Running
from cordon.kernel.store.files import Files
from cordon.kernel.work import Work
from cordon.picture import columns
from cordon.picture.feeds.readers import open_positions
from cordon.picture.tables import PositionFileRow

KEPT_REFUSALS = 500


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


def run(job: Running, files: Files) -> Mapping[str, Any]:
    """Read a kept file into columns, a batch a transaction, from where the job had come to.

    A job that was killed reads the file again up to its checkpoint without writing: decoding
    has a state (parts of messages, repeats), so that the batches come out as before.
    """
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
            row.state, row.counts = "stored", asdict(reader.counts)
            row.refusals = refused
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
            {"parts": part, "span": span},
            done=reader.counts.read,
            total=reader.counts.read,
            stage="done",
            report=report,
        )
        work.emit("picture.positions.stored", {"span": span, "file": sha256})
    return report


def _room(work: Work) -> Any:
    from cordon.kernel.access.model import Thing

    return Thing.room("picture", work.kernel.agency)
