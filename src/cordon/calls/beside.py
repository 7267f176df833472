"""Files that stand beside the calls on a node: cells, complaints, payments, accounts, sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import defer

from cordon.calls import intake
from cordon.calls.attached import keep_columns
from cordon.calls.forms import FORMS
from cordon.calls.model import Counts, Refusal
from cordon.calls.plain import PlainReading
from cordon.calls.tables import CallFileRow
from cordon.kernel.access.model import Authority, Thing
from cordon.kernel.bringing import KEPT_REFUSALS, report
from cordon.kernel.jobs import Running
from cordon.kernel.work import Kernel, View, Work

BY_NAME = {form.name: form for form in FORMS}
KINDS = ("calls", "subscribers", *BY_NAME)
"""What a file that is brought in may hold."""

SCOPES = {"payments": "payments", "accounts": "payments"}
"""Kinds of file that an authority over calls alone does not cover, and what it must cover."""


def covering(work: Work, kind: str) -> Authority:
    """The authority that a file of this kind may be brought in under now, entered in the ledger."""
    data = SCOPES.get(kind, "calls")
    act = "calls.record.import"
    if data == "calls":
        return intake.covering(work, act)
    return work.under_authority(act, Thing.room("calls", work.kernel.agency), data, None)


def stored(view: View, authority: Authority) -> dict[str, dict[str, str]]:
    """Files brought in under an authority, by kind; calls are left out.

    A kind that the authority does not cover (any more) is left out too.

    Returns:
        Of each kind the SHA-256 of every file to its name, the one brought in last at the end.
    """
    rows = view.session.scalars(
        select(CallFileRow)
        .options(defer(CallFileRow.refusals))
        .where(
            CallFileRow.authority == authority.id,
            CallFileRow.kind != "calls",
            CallFileRow.state == "stored",
        )
        .order_by(CallFileRow.created_at, CallFileRow.id)
    )
    files: dict[str, dict[str, str]] = {}
    for row in rows:
        if SCOPES.get(row.kind, "calls") in authority.scope.data:
            files.setdefault(row.kind, {})[row.sha256] = row.name
    return files


def orders(view: View, authority: Authority) -> dict[str, str]:
    """Of files under an authority (SHA-256) the order of day and month that was said of each.

    Files of which nobody said any are left out.
    """
    rows = view.session.execute(
        select(CallFileRow.sha256, CallFileRow.dates).where(
            CallFileRow.authority == authority.id, CallFileRow.dates != ""
        )
    )
    return {row.sha256: row.dates for row in rows}


def run(job: Running, kernel: Kernel, region: str) -> Mapping[str, Any]:
    """Read a kept file of a plain format once, so that what it refuses is told.

    Of kinds that pages ask for one number, its rows are kept as columns too.
    """
    sha256, name = str(job.params["sha256"]), str(job.params["name"])
    kind, share = str(job.params["kind"]), 0.0
    said = str(job.params.get("dates", ""))

    def told(done: int, total: int) -> None:
        nonlocal share
        share = done / max(total, 1)

    reading = PlainReading(kernel.files.path(sha256), BY_NAME[kind], region, name, told, dates=said)
    refusals: list[dict[str, Any]] = []
    outside = 0
    for part, batch in enumerate(reading.batches()):
        with job.step() as work:
            authority = covering(work, kind)
            mark = str(job.params["mark"])
            more = keep_columns(work, reading.form, sha256, part, batch.table, authority, mark)
            outside += len(more)
            odd = sorted([*batch.refusals, *more], key=lambda r: r.row)
            refusals += _some(odd, KEPT_REFUSALS - len(refusals))
            counts = _without(reading.counts, outside)
            so_far = report(name, "reading", asdict(counts), refusals, share=share)
            job.save(work, {}, done=counts.read, stage="reading", report=so_far)
    counts = _without(reading.counts, outside)
    if reading.broken:
        refusals.append({"row": counts.read + 1, "reason": reading.broken})
    notes = [
        f"{why}: {times:,} times" if times > 1 else why
        for why, times in sorted(reading.notes.items())
    ]
    done = report(name, "done", asdict(counts), refusals, share=1.0, notes=notes)
    with job.step() as work:
        covering(work, kind)
        row = intake.file_of(work, sha256, str(job.params["authority"]))
        if row is not None:  # where two say otherwise, the one brought in last counts
            row.state, row.created_at, row.dates = "stored", work.now, said
            row.counts, row.refusals = asdict(counts), refusals
        work.act(
            "calls.record.import",
            Thing.room("calls", kernel.agency),
            file=sha256,
            kind=kind,
            **asdict(counts),
        )
        total = counts.read
        job.save(work, {}, done=total, total=total, stage="done", report=done)
        work.emit("calls.file.stored", {"file": sha256, "kind": kind})
    return done


def _without(counts: Counts, outside: int) -> Counts:
    """The counts where so many of the rows kept lie outside the authority."""
    return replace(counts, kept=counts.kept - outside, refused=counts.refused + outside)


def _some(refusals: Sequence[Refusal], room: int) -> list[dict[str, Any]]:
    return [{"row": r.row, "reason": r.reason} for r in refusals[: max(0, room)]]
