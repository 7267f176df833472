"""One subject's history: its way over a span, what it called itself, and whom it met."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from cordon.kernel.access.model import Actor
from cordon.kernel.findings import RecordRef
from cordon.kernel.leads import KeptFinding
from cordon.picture.desk.replaying import step_for
from cordon.picture.desk.stored import Span, Stored
from cordon.picture.model import KINDS, Position
from cordon.picture.tracks import moment

MOST = 5_000  # fixes of a way that a page draws
LONGEST = timedelta(days=31)
IDENTITIES_OVER = timedelta(days=30)
MET = ("picture.encounter", "picture.shore_transfer", "picture.convoy")
"""Kinds of findings that say that two were together."""
NAMED = ("picture.shared_identity", "picture.identity_change")
"""Kinds of findings that speak of who it says it is."""


@dataclass(frozen=True, slots=True)
class Way:
    """Where a subject was.

    Attributes:
        fixes: oldest first. step: seconds of which one fix each was kept, 0 where all were.
        total: fixes there are in the span.
    """

    fixes: tuple[Position, ...]
    step: float
    total: int


@dataclass(frozen=True, slots=True)
class Identity:
    """What a subject said of itself, and when. Any part may be empty."""

    name: str
    imo: str
    call_sign: str
    ship_type: str
    flag: str
    first: datetime
    last: datetime
    reports: int


@dataclass(slots=True)
class Meeting:
    """Whom a subject was found together with; findings newest first."""

    others: tuple[str, ...]
    findings: list[KeptFinding] = field(default_factory=list)


def way_of(
    stored: Stored,
    actor: Actor,
    subject: str,
    span: Span,
    live: Sequence[Position] = (),
    *,
    most: int = MOST,
) -> Way:
    """A subject's fixes over a span: those stored, and of the live window those that are newer.

    Past `most` the first fix of every so many seconds is kept.

    Args:
        live: what the live window holds of it, oldest first.
    """
    fixes, step, total = _stored(stored, actor, subject, span, most)
    last = fixes[-1].at if fixes else span.since - timedelta(microseconds=1)
    newer = [p for p in live if last < p.at < span.until and p.at >= span.since]
    fixes += list(_thinned(newer, step)) if step else newer
    return Way(tuple(fixes), step, total + len(newer))


def _thinned(fixes: Iterable[Position], step: float) -> Iterable[Position]:
    turn = -1
    for fix in fixes:
        now = int(fix.at.timestamp() // step)
        if now != turn:
            turn = now
            yield fix


def _stored(
    stored: Stored, actor: Actor, subject: str, span: Span, most: int
) -> tuple[list[Position], float, int]:
    """Its stored fixes, the step (s) by which they were thinned, and how many there are."""
    with stored.positions(actor, span, subject=subject) as connection:
        if connection is None:
            return [], 0.0, 0
        ends = connection.sql("SELECT count(*) AS n, max(t) - min(t) AS s FROM p").fetchnumpy()
        total = int(ends["n"][0])
        if not total:
            return [], 0.0, 0
        step = step_for(ends["n"], ends["s"], most)
        told = connection.sql(
            _FIXES if step == 0 else _THINNED, params={"step": step} if step else None
        ).fetchnumpy()
        files = stored.sources(actor, {str(s) for s in told["segment"]})
    return [_fix(subject, told, i, files) for i in range(len(told["t"]))], float(step), total


def _fix(subject: str, told: Mapping[str, Any], i: int, files: Mapping[str, str]) -> Position:
    speed, course = (_told(told[name][i]) for name in ("speed", "course"))
    said = {name: _word(told[name][i]) for name in _SAID}
    sha256 = _word(told["sha256"][i]) or files.get(str(told["segment"][i]), "")
    return Position(
        moment(told["t"][i]),
        str(told["source"][i]),
        subject,
        float(told["lat"][i]),
        float(told["lon"][i]),
        speed,
        course,
        kind=KINDS[int(told["kind"][i])],
        name=said["name"],
        imo=said["imo"],
        call_sign=said["call_sign"],
        ship_type=said["ship_type"],
        flag=said["flag"],
        record=RecordRef(sha256, int(told["row"][i])) if sha256 else None,
    )


_FIXES = (
    "SELECT source, t, lat, lon, speed, course, kind, row, sha256, segment, name, imo, call_sign, "
    "ship_type, flag FROM p ORDER BY t, source, row"
)
_THINNED = (
    "SELECT source, t, lat, lon, speed, course, kind, row, sha256, segment, name, imo, call_sign, "
    "ship_type, flag FROM p "
    "QUALIFY row_number() OVER (PARTITION BY floor(t / $step) ORDER BY t, source, row) = 1 "
    "ORDER BY t, source, row"
)
_SAID = ("name", "imo", "call_sign", "ship_type", "flag")


def identities_of(stored: Stored, actor: Actor, subject: str, span: Span) -> list[Identity]:
    """What a subject said of itself in a span, the newest first; what says nothing is left out."""
    with stored.positions(actor, span, subject=subject) as connection:
        if connection is None:
            return []
        rows = connection.sql(
            "SELECT coalesce(name, '') AS name, coalesce(imo, '') AS imo, "
            "coalesce(call_sign, '') AS call_sign, coalesce(ship_type, '') AS ship_type, "
            "coalesce(flag, '') AS flag, min(t) AS first, max(t) AS last, count(*) AS n "
            "FROM p GROUP BY ALL ORDER BY last DESC"
        ).fetchall()
    return [
        Identity(name, imo, sign, type_, flag, moment(first), moment(last), int(n))
        for name, imo, sign, type_, flag, first, last, n in rows
        if name or imo or sign or type_ or flag
    ]


def meetings_of(subject: str, findings: Iterable[KeptFinding]) -> list[Meeting]:
    """Findings that say that it was with others, by the others; those met most often first."""
    by: dict[tuple[str, ...], Meeting] = {}
    for kept in findings:
        if kept.finding.kind not in MET:
            continue
        others = tuple(s for s in kept.finding.subjects if s != subject and not _place(s))
        if others:
            by.setdefault(others, Meeting(others)).findings.append(kept)
    return sorted(by.values(), key=lambda m: (-len(m.findings), m.others))


def _place(subject: str) -> bool:
    return subject.partition(":")[0] in ("zone", "cell", "sensor")


def _told(value: Any) -> float | None:
    return None if value is None or value is np.ma.masked or np.isnan(value) else float(value)


def _word(value: object) -> str:
    return "" if value is None or value is np.ma.masked else str(value)
