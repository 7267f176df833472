"""A search over a node's own call records: a job that keeps what it found, ring by ring."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import func, select

from cordon.calls import attached, charting, forwarding, intake, sides
from cordon.calls.beside import orders, stored
from cordon.calls.companions import PAID
from cordon.calls.find import FindResult, find_in_segments
from cordon.calls.forms import ACCOUNTS, CELLS, COMPLAINTS, PAYMENTS, SESSIONS
from cordon.calls.merging import read_holders, read_merged
from cordon.calls.ringbook import KINDS, keep_found
from cordon.countries import Country
from cordon.kernel.access.model import Authority, Mark, Thing
from cordon.kernel.cards import Card
from cordon.kernel.errors import NotFound
from cordon.kernel.jobs import Running
from cordon.kernel.store.columns import SegmentRow
from cordon.kernel.work import Kernel

ACT = "calls.record.search"
USED = ("subscribers", CELLS.name, COMPLAINTS.name, PAYMENTS.name, ACCOUNTS.name, SESSIONS.name)
"""Kinds of file that a search uses beside the calls."""


def run(
    job: Running, kernel: Kernel, cards: Mapping[str, Card], country: Country, mark: Mark
) -> Mapping[str, Any]:
    """Search what an authority let in, with every file that came in beside the calls."""
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
        sent = kernel.columns.paths(work.session, forwarding.DATASET, authorities=[authority.id])
        more = kernel.columns.paths(
            work.session,
            sides.DATASET,
            since=scope.since,
            until=scope.until,
            authorities=[authority.id],
        )
        last = work.session.scalar(
            select(func.max(SegmentRow.ends)).where(
                SegmentRow.dataset == intake.DATASET, SegmentRow.authority == authority.id
            )
        )
        files, dates = stored(work, authority), orders(work, authority)
        accounts = attached.segments(work, ACCOUNTS, authority, files.get(ACCOUNTS.name, ()))
        sessions = attached.segments(work, SESSIONS, authority, files.get(SESSIONS.name, ()))
    if not paths or last is None:
        raise NotFound(
            "No call record was brought in under this authority.",
            advice="Bring a file in first.",
        )
    region = country.phone_region
    holders, activated, left_out = None, dict[str, int](), list[str]()
    if registers := files.get("subscribers"):
        holders, activated, left_out = read_holders(kernel, registers, region, dates)
    beside, lost = _tables(kernel, files, region, dates)
    left_out += lost
    result = _search(
        job,
        kernel,
        (paths, more),
        authority,
        (holders, activated),
        beside,
        sessions,
        sent,
        accounts,
        region,
    )
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
        used = {kind: len(files[kind]) for kind in USED if kind in files}
        report = {**told, "files_used": used, "left_out": [*left_out, *result.left_out]}
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
    paths: tuple[Sequence[Path], Sequence[Path]],
    authority: Authority,
    register: tuple[Mapping[str, str] | None, Mapping[str, int]],
    beside: Mapping[str, pa.Table | None],
    sessions: Sequence[str],
    sent: Sequence[Path],
    accounts: Sequence[str],
    region: str,
) -> FindResult:
    return find_in_segments(
        paths[0],
        register[0],
        lambda _what, _share: job.check(),
        activated=register[1],
        cells=beside["cells"],
        complaints=beside["complaints"],
        payments=beside["payments"],
        sessions=[Path(p) for p in sessions],
        forwards=sent,
        sides=paths[1],
        bound=lambda numbers: [
            (one["account"], one["phone"])
            for one in attached.bound(kernel.columns, accounts, numbers, ())
        ],
        since=authority.scope.since,
        until=authority.scope.until,
        engine=kernel.columns.engine,
        memory_mb=kernel.columns.memory_mb,
        threads=kernel.columns.threads,
        region=region,
        scratch=kernel.columns.root,
    )


def _tables(
    kernel: Kernel, files: Mapping[str, Mapping[str, str]], region: str, dates: Mapping[str, str]
) -> tuple[dict[str, pa.Table | None], list[str]]:
    """The files beside the calls as tables, those that were brought in; what was lost of them."""
    tables: dict[str, pa.Table | None] = {}
    left_out: list[str] = []
    for form, columns in ((CELLS, None), (COMPLAINTS, None), (PAYMENTS, ("payment_id", *PAID))):
        tables[form.name] = None
        if form.name in files:
            read = read_merged(kernel, files[form.name], form, region, columns, dates)
            tables[form.name] = read.table
            left_out += read.notes
    return tables, left_out
