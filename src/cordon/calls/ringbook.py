"""The rings that a node keeps: each found one goes on with the ring that it was before.

A ring's finding keeps one id, so that neither its alert nor its case meets it a second time. The
id is the ring's own random one, not made of numbers: which numbers it has changes, and decision
0005 says why an id must not tell them. Only where searches tell the ring to be of another kind has
it another finding, because that is another claim, and has to be answered anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from sqlalchemy import func, select

from cordon.calls import names
from cordon.calls.charting import IMEI, NAMED
from cordon.calls.following import Follow, Ring, followed, matched
from cordon.calls.tables import RingEventRow, RingRow
from cordon.kernel.access.model import Mark
from cordon.kernel.cards import Card
from cordon.kernel.findings import Finding
from cordon.kernel.ids import new_id
from cordon.kernel.leads import keep
from cordon.kernel.leads.tables import FindingRow
from cordon.kernel.work import Work

KINDS = ("calls.call_centre", "calls.simbox")
SILENT = timedelta(days=3)
"""A ring without a call for so long before the newest of all calls is silent (own choice)."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of a search's findings: ids of those new and grown; rings by finding found.

    Attributes:
        rings: id of the ring, by the id that the finding bore when it was found.
    """

    made: list[str]
    grown: list[str]
    rings: Mapping[str, str]


def keep_found(
    work: Work,
    findings: Sequence[Finding],
    cards: Mapping[str, Card],
    complaints: pa.Table | None,
    *,
    authority: str,
    search: str,
    until: datetime,
    mark: Mark,
    details: Mapping[str, Mapping[str, Any]],
) -> Kept:
    """Keep a search's findings; those of rings under the ids that the rings have.

    Args:
        authority: id of the authority searched under. search: id of the job.
        until: the newest call searched (aware UTC). details: see `charting.details`, by the id
            that a finding bears here.
    """
    work.kernel.rows.alone(work.session, "calls.rings")
    rows = {
        row.id: row
        for row in work.session.scalars(
            select(RingRow)
            .where(RingRow.agency == work.kernel.agency, RingRow.authority == authority)
            .order_by(RingRow.id)
        )
    }
    named = _complained(complaints)
    kept = [_kept(work, row, named) for row in rows.values()]
    found = [_found(f, named) for f in findings if f.kind in KINDS]
    said = matched(kept, found)
    ids = {ring.id: said.goes_on.get(ring.id) or new_id() for ring in found}
    new = [replace(r, id=ids[r.id]) for r in found if r.id not in said.goes_on]
    others = [replace(r, id=ids[r.id]) for r in found]
    others += [r for r in kept if r.id not in set(said.goes_on.values())]
    follows = followed(
        [r for r in new if r.id not in {ids[f] for f in said.split}],
        others,
    )
    said_as = {f.id: _id_of(work, ids[f.id], f.kind) if f.id in ids else f.id for f in findings}
    made, grown = keep(work, [replace(f, id=said_as[f.id]) for f in findings], cards, mark=mark)
    subjects = {s for f in findings for s in (*f.subjects, *f.extra.get("beside", ()))}
    names.remember(work, (s for s in subjects if s.partition(":")[0] in names.PAGES))
    book = _Book(work, authority, search, until, mark)
    for finding in findings:
        if finding.id not in ids:
            continue
        ring = ids[finding.id]
        row = rows.get(ring)
        if row is None:
            row = book.open(ring, finding, said.split.get(finding.id), follows.get(ring))
        else:
            book.goes_on(row, next(k for k in kept if k.id == ring), finding)
            book.turned(row, finding, work.kernel.masker.opaque_id(said_as[finding.id]))
        book.write(row, finding, details.get(finding.id, {}))
    for child, parent in said.split.items():
        book.tell(parent, "split_off", ids[child], {})
    for ring, follow in follows.items():
        if follow.earlier in rows or follow.earlier in ids.values():
            book.tell(follow.earlier, "followed", ring, _shared(follow))
    for old, taker in said.merged.items():
        book.merge(rows[old], ids[taker])
    for old in sorted(said.gone):
        book.gone(rows[old])
    return Kept(made, grown, ids)


class _Book:
    """Writes rings and what became of them, in one search's transaction."""

    def __init__(
        self, work: Work, authority: str, search: str, until: datetime, mark: Mark
    ) -> None:
        self._work = work
        self._authority = authority
        self._search = search
        self._until = until
        self._mark = mark

    def tell(self, ring: str, what: str, other: str | None, counts: Mapping[str, Any]) -> None:
        """Enter what became of a ring."""
        work = self._work
        work.session.flush()  # the ring's own row first
        work.session.add(
            RingEventRow(
                id=new_id(),
                agency=work.kernel.agency,
                mark=self._mark,
                created_at=work.now,
                ring=ring,
                what=what,
                other=other,
                counts=dict(counts),
                search=self._search,
                until=self._until,
            )
        )

    def open(
        self, ring: str, finding: Finding, part_of: str | None, follow: Follow | None
    ) -> RingRow:
        """Begin a ring: give it the next number of the year."""
        work = self._work
        last = work.session.scalar(
            select(func.max(RingRow.number)).where(
                RingRow.agency == work.kernel.agency, RingRow.year == work.now.year
            )
        )
        row = RingRow(
            id=ring,
            agency=work.kernel.agency,
            mark=self._mark,
            created_at=work.now,
            year=work.now.year,
            number=(last or 0) + 1,
            kind=finding.kind,
            authority=self._authority,
            finding=work.kernel.masker.opaque_id(ring),
            state="at_work",
            confidence=0.0,
            numbers=0,
            handsets=0,
            starts=finding.start,
            ends=finding.end,
            found_day=max((self._until - finding.start).days, 0) + 1,
            part_of=part_of,
            follows=follow.earlier if follow else None,
            search=self._search,
            detail={},
        )
        work.session.add(row)
        counts = {"numbers": len(_of(finding, "number")), "handsets": len(_of(finding, "imei"))}
        self.tell(ring, "found", None, counts)
        if part_of is not None:
            self.tell(ring, "split", part_of, counts)
        if follow is not None:
            self.tell(ring, "moved" if follow.moved else "follows", follow.earlier, _shared(follow))
        return row

    def goes_on(self, row: RingRow, before: Ring, finding: Finding) -> None:
        """Tell how a ring differs from what it was."""
        now = _of(finding, "number")
        joined, left = len(now - before.numbers), len(before.numbers - now)
        counts = {
            "before": len(before.numbers),
            "after": len(now),
            "joined": joined,
            "left": left,
            "handsets": len(_of(finding, "imei")),
        }
        if row.state in ("gone", "merged"):
            row.into = None
            self.tell(row.id, "back", None, counts)
        elif joined and len(now) >= len(before.numbers):
            self.tell(row.id, "grew", None, counts)
        elif left:
            self.tell(row.id, "shrank", None, counts)

    def turned(self, row: RingRow, finding: Finding, id_: str) -> None:
        """Tell where a ring is of another kind now; its finding of before stays as it was."""
        if row.kind != finding.kind:
            told = {"before": row.kind, "after": finding.kind, "finding": row.finding}
            self.tell(row.id, "kind", None, told)
            row.kind, row.finding = finding.kind, id_

    def write(self, row: RingRow, finding: Finding, detail: Mapping[str, Any]) -> None:
        """Let a ring's row say what its finding says now."""
        silent = self._until - finding.end > SILENT
        if silent and row.state != "silent":
            self.tell(row.id, "silent", None, {"days": (self._until - finding.end).days})
        elif not silent and row.state == "silent":
            self.tell(row.id, "back", None, {})
        seats = finding.extra.get("seats") or {}
        row.state = "silent" if silent else "at_work"
        row.confidence, row.starts, row.ends = finding.confidence, finding.start, finding.end
        row.numbers, row.handsets = len(_of(finding, "number")), len(_of(finding, "imei"))
        row.seats_least, row.seats_most = seats.get("least"), seats.get("most")
        row.search = self._search
        row.detail = dict(detail)
        names.remember(self._work, {f"imei:{link['imei']}" for link in detail.get("links", ())})

    def merge(self, row: RingRow, taker: str) -> None:
        """A ring of which another one has taken the numbers in."""
        row.search = self._search
        if row.state == "merged" and row.into == taker:
            return
        row.state, row.into = "merged", taker
        self.tell(row.id, "merged", taker, {"numbers": row.numbers})
        self.tell(taker, "took_in", row.id, {"numbers": row.numbers})

    def gone(self, row: RingRow) -> None:
        """A ring that a search did not find; its finding stays as it was."""
        row.search = self._search
        if row.state != "gone":
            row.state = "gone"
            self.tell(row.id, "gone", None, {"numbers": row.numbers})


def _id_of(work: Work, ring: str, kind: str) -> str:
    """The id of what is said of a ring: its own; of a kind that it was not first of, one beside."""
    first = work.session.get(FindingRow, work.kernel.masker.opaque_id(ring))
    return ring if first is None or first.kind == kind else f"{ring}:{kind}"


def _shared(follow: Follow) -> dict[str, Any]:
    told: dict[str, Any] = {"handsets": follow.handsets, "named": follow.named}
    if follow.metres is not None:
        told["metres"] = round(follow.metres)
    return told


def _of(finding: Finding, type_: str) -> frozenset[str]:
    some = (s.partition(":") for s in finding.subjects)
    return frozenset(v[:IMEI] if t == "imei" else v for t, _, v in some if t == type_)


def _found(finding: Finding, named: Mapping[str, frozenset[str]]) -> Ring:
    numbers = _of(finding, "number")
    lon, lat = finding.place["coordinates"] if finding.place else (None, None)
    return Ring(
        finding.id,
        finding.kind,
        numbers,
        finding.start,
        finding.end,
        _of(finding, "imei"),
        frozenset().union(*(named.get(n, frozenset()) for n in numbers)),
        lat,
        lon,
        float(finding.radius_m or 0),
    )


def _kept(work: Work, row: RingRow, named: Mapping[str, frozenset[str]]) -> Ring:
    said = work.session.get_one(FindingRow, row.finding)
    return replace(_found(Finding.from_dict(said.body), named), id=row.id)


def _complained(complaints: pa.Table | None) -> dict[str, frozenset[str]]:
    """What complaints name beside a number: `type:value`, by number."""
    told: dict[str, set[str]] = {}
    if complaints is None:
        return {}
    for row in complaints.select(["suspect_number", *NAMED]).to_pylist():
        number = row.pop("suspect_number")
        if number:
            more = {f"{NAMED[k]}:{v}" for k, v in row.items() if v}
            told.setdefault(number, set()).update(more)
    return {number: frozenset(more) for number, more in told.items()}
