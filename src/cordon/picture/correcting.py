"""Findings that a file's late reports no longer bear out."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sqlalchemy import select

from cordon.kernel.findings import Finding
from cordon.kernel.leads import withdraw
from cordon.kernel.leads.tables import FindingRow
from cordon.kernel.work import Work
from cordon.picture.telling import LATE
from cordon.picture.tracks import Batch

_MOST = 5_000  # findings that are compared


@dataclass(frozen=True, slots=True)
class Looked:
    """What the detectors said of a stored span after a file was brought in.

    Attributes:
        findings: all of them. since, until: the span that was looked at (s since the epoch).
        brought: of each subject, begin and end (s) of what the file brought of it.
    """

    findings: tuple[Finding, ...] = ()
    since: float = 0.0
    until: float = 0.0
    brought: Mapping[str, tuple[float, float]] = field(default_factory=dict)


def spans_of(batches: Iterable[Batch]) -> dict[str, tuple[float, float]]:
    """Begin and end (s) of what some batches hold of each subject."""
    spans: dict[str, tuple[float, float]] = {}
    for batch in batches:
        for code in set(batch.subject.tolist()):
            t = batch.t[batch.subject == code]
            name = batch.subjects[code]
            begin, end = spans.get(name, (float(t.min()), float(t.max())))
            spans[name] = (min(begin, float(t.min())), max(end, float(t.max())))
    return spans


def take_back(work: Work, looked: Looked, kinds: Collection[str]) -> list[str]:
    """Withdraw what was said before of subjects that the file speaks of and is said no more.

    Only what lies well within the span that was looked at, and of which the file brought
    something between its begin and its end: of the rest nothing more is known than before.

    Returns:
        ids of what was taken back.
    """
    if not looked.brought:
        return []
    margin = 0.25 * (looked.until - looked.since)
    since = datetime.fromtimestamp(looked.since + margin, UTC)
    until = datetime.fromtimestamp(looked.until, UTC)
    query = (
        select(FindingRow)
        .where(FindingRow.kind.in_(list(kinds)))
        .where(FindingRow.starts >= since, FindingRow.ends <= until)
        .order_by(FindingRow.starts)
        .limit(_MOST)
    )
    named = {f.id for f in looked.findings}
    again: dict[tuple[str, tuple[str, ...]], list[Finding]] = {}
    for f in looked.findings:
        again.setdefault((f.kind, f.subjects), []).append(f)
    gone = []
    for row in work.session.scalars(query):
        old = Finding.from_dict(row.body)
        if old.id in named or not _touched(old, looked.brought):
            continue
        same = again.get((old.kind, old.subjects), ())
        if any(f.start <= old.end and old.start <= f.end for f in same):
            continue
        if withdraw(work, old, LATE):
            gone.append(old.id)
    return gone


def _touched(finding: Finding, brought: Mapping[str, tuple[float, float]]) -> bool:
    start, end = finding.start.timestamp(), finding.end.timestamp()
    return any(
        span[0] <= end and start <= span[1]
        for s in finding.subjects
        if (span := brought.get(s)) is not None
    )
