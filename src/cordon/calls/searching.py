"""A search over a node's own call records: a job that keeps what it found, ring by ring."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import func, select

from cordon.calls import attached, charting, intake
from cordon.calls.beside import newest
from cordon.calls.find import FindResult, find_in_segments
from cordon.calls.forms import ACCOUNTS, CELLS, COMPLAINTS, PAYMENTS
from cordon.calls.plain import read_plain
from cordon.calls.registers import read_register
from cordon.calls.ringbook import KINDS, keep_found
from cordon.countries import Country
from cordon.kernel.access.model import Authority, Mark, Thing
from cordon.kernel.cards import Card
from cordon.kernel.errors import NotFound
from cordon.kernel.jobs import Running
from cordon.kernel.store.columns import SegmentRow
from cordon.kernel.work import Kernel

ACT = "calls.record.search"


def run(
    job: Running, kernel: Kernel, cards: Mapping[str, Card], country: Country, mark: Mark
) -> Mapping[str, Any]:
    """Search what an authority let in, with the newest file of each kind beside the calls."""
    room = Thing.room("calls", kernel.agency)
    with job.step() as work:
        authority = work.under_authority(ACT, room, "calls", None)
        scope = authority.scope
        paths = kernel.columns.paths(
            work.session,
            intake.DATASET,
            since=scope.since,
            until=scope.until,
            authorities=[authority.id],
        )
        last = work.session.scalar(
            select(func.max(SegmentRow.ends)).where(
                SegmentRow.dataset == intake.DATASET, SegmentRow.authority == authority.id
            )
        )
        files = newest(work, authority)
        accounts = (
            attached.segments(work, ACCOUNTS, authority, files[ACCOUNTS.name])
            if ACCOUNTS.name in files
            else []
        )
    if not paths or last is None:
        raise NotFound(
            "No call record was brought in under this authority.",
            advice="Bring a file in first.",
        )
    region = country.phone_region
    register = files.get("subscribers")
    holders = read_register(kernel.files.path(register), region).holders if register else None
    beside, left_out = _tables(kernel, files, region)
    result = _search(job, kernel, paths, authority, holders, beside, region)
    until = min(last, scope.until) if scope.until else last
    rings = {f.id: f.subjects for f in result.findings if f.kind in KINDS}
    found = {
        id_: [s.removeprefix("number:") for s in subjects if s.startswith("number:")]
        for id_, subjects in rings.items()
    }
    seen = charting.details(
        kernel.columns,
        paths,
        found,
        since=scope.since,
        until=scope.until,
        offset=until.astimezone(country.zone).utcoffset() or until - until,
    )
    for id_, subjects in rings.items():
        tied = [s.removeprefix("account:") for s in subjects if s.startswith("account:")]
        own = attached.bound(kernel.columns, accounts, found[id_], tied)
        charting.with_beside(seen[id_], subjects, beside["cells"], beside["complaints"], own)
    with job.step() as work:
        kept = keep_found(
            work,
            result.findings,
            cards,
            beside["complaints"],
            authority=authority.id,
            search=job.id,
            until=until,
            mark=mark,
            details=seen,
        )
        told = {
            "findings": len(result.findings),
            "rings": len(kept.rings),
            "new": len(kept.made),
            "grown": len(kept.grown),
        }
        work.act(ACT, room, **told)
        report = {**told, "left_out": [*left_out, *result.left_out]}
        job.save(
            work,
            {},
            done=result.counts.read,
            total=result.counts.read,
            stage="done",
            report=report,
        )
    return report


def _search(
    job: Running,
    kernel: Kernel,
    paths: list[Path],
    authority: Authority,
    holders: Mapping[str, str] | None,
    beside: Mapping[str, pa.Table | None],
    region: str,
) -> FindResult:
    return find_in_segments(
        paths,
        holders,
        lambda _what, _share: job.check(),
        cells=beside["cells"],
        complaints=beside["complaints"],
        payments=beside["payments"],
        since=authority.scope.since,
        until=authority.scope.until,
        engine=kernel.columns.engine,
        memory_mb=kernel.columns.memory_mb,
        threads=kernel.columns.threads,
        region=region,
        scratch=kernel.columns.root,
    )


def _tables(
    kernel: Kernel, files: Mapping[str, str], region: str
) -> tuple[dict[str, pa.Table | None], list[str]]:
    """The files beside the calls as tables, those that were brought in; what was lost of them."""
    tables: dict[str, pa.Table | None] = {}
    left_out: list[str] = []
    for form in (CELLS, COMPLAINTS, PAYMENTS):
        tables[form.name] = None
        if form.name not in files:
            continue
        read = read_plain(kernel.files.path(files[form.name]), form, region, form.name)
        tables[form.name] = read.table
        if read.refusals:
            left_out.append(
                f"{len(read.refusals):,} of the {read.counts.read:,} rows of the newest file of "
                f"{form.name} could not be read and were left out."
            )
        if read.broken:
            left_out.append(read.broken + " What stands before it was used.")
    return tables, left_out
