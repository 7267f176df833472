"""What the room tells others of its rings: who is in one, and how often its things were used."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select
from sqlalchemy.orm import undefer

from cordon.calls import intake
from cordon.calls.beside import orders, stored
from cordon.calls.charting import IMEI
from cordon.calls.forms import COMPLAINTS, PAYMENTS
from cordon.calls.merging import read_merged
from cordon.calls.tables import CallFileRow, RingRow
from cordon.kernel.access.model import Authority, Thing
from cordon.kernel.errors import NotFound
from cordon.kernel.findings import Finding
from cordon.kernel.leads.tables import FindingRow
from cordon.kernel.work import View

MEASURES = ("handsets", "site", "complaints", "mules")
"""What may come back: calls of the same handsets; calls of known lines at the same cells;
complaints that name the ring; payments into its accounts."""

_CALLS = """
SELECT k.ring, CAST(CAST(c.start AS TIMESTAMP) + to_seconds($offset) AS DATE) AS day, count(*) AS n
FROM calls c JOIN wanted k ON {joined} GROUP BY 1, 2
"""
_SPAN = """
SELECT min(day), max(day) FROM (
    SELECT CAST(CAST(start AS TIMESTAMP) + to_seconds($offset) AS DATE) AS day FROM calls
)
"""
_JOINED = {
    "handsets": "left(c.caller_imei, 14) = k.key",
    "site": "c.caller_cell = k.key AND c.caller IN (SELECT number FROM known)",
}


@dataclass(frozen=True, slots=True)
class Series:
    """Counts of one measure, by ring's id and day of local time.

    Attributes:
        first, last: days of the first and last record at hand, whoever they speak of: a day
            outside of these was not counted, one between them without an entry had none.
    """

    by_ring: Mapping[str, Mapping[date, int]]
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class RingTold:
    """A ring, whole and in clear: whoever shows it masks what no authority covers.

    Attributes:
        finding: its own. detail: see `charting.details`. follows: id of an earlier ring, or None.
    """

    id: str
    name: str
    kind: str
    thing: Thing
    authority: str
    state: str
    follows: str | None
    starts: datetime
    finding: Finding
    detail: Mapping[str, Any]

    def named(self, type_: str) -> list[Mapping[str, Any]]:
        """What belongs to it of a type beside its numbers: `value`, `bank`, `by`."""
        return [n for n in self.detail.get("named", ()) if n["type"] == type_]

    def keys(self) -> dict[str, set[str]]:
        """By what each of `MEASURES` knows the ring."""
        subjects = [s.partition(":") for s in self.finding.subjects]
        accounts = {n["value"] for n in self.named("account")}
        return {
            "handsets": {v[:IMEI] for t, _, v in subjects if t == "imei"},
            "site": {c["cell"] for c in self.detail.get("cells", ())[:5]},
            "complaints": {v for t, _, v in subjects if t == "number"}
            | {n["value"] for n in self.detail.get("named", ())},
            "mules": accounts | {v for t, _, v in subjects if t == "account"},
        }


def ring_told(view: View, ring: str) -> RingTold:
    """One ring by its id; NotFound where there is none. The caller asks the gate."""
    row = view.session.get(RingRow, ring, options=[undefer(RingRow.detail)])
    if row is None or row.agency != view.kernel.agency:
        raise NotFound("There is no such ring.", advice="Choose one of the list of rings.")
    return _told(view, row)


def rings_told(view: View, authority: str) -> list[RingTold]:
    """All rings that were found under an authority (its id), the oldest first."""
    rows = view.session.scalars(
        select(RingRow)
        .where(RingRow.agency == view.kernel.agency, RingRow.authority == authority)
        .order_by(RingRow.id)
        .options(undefer(RingRow.detail))
    )
    return [_told(view, row) for row in rows]


def kept_files(view: View, authority: str, kind: str) -> list[str]:
    """SHA-256 of the files of a kind that were brought in under an authority and read, the one
    brought in last at the end."""
    query = (
        select(CallFileRow.sha256)
        .where(
            CallFileRow.authority == authority,
            CallFileRow.kind == kind,
            CallFileRow.state == "stored",
        )
        .order_by(CallFileRow.created_at, CallFileRow.id)
    )
    return list(dict.fromkeys(view.session.scalars(query)))


def counted(
    view: View,
    keys: Mapping[str, Mapping[str, set[str]]],
    known: Collection[str],
    authority: Authority,
    *,
    offset: timedelta,
    region: str,
) -> dict[str, Series]:
    """How often each ring's things were used, by measure, ring's id and day of local time.

    A measure that the authority does not cover, or for which no file was brought in, is left out.

    Args:
        keys: by ring, what of each measure it is known by; see `RingTold.keys`. known: numbers
            (E.164) whose calls count at a cell.
        offset: of local time from UTC. region: of numbers in national form.
    """
    kernel, scope = view.kernel, authority.scope
    told: dict[str, Series] = {}
    paths = kernel.columns.paths(
        view.session, intake.DATASET, since=scope.since, until=scope.until,
        authorities=[authority.id],
    )  # fmt: skip
    if paths and "calls" in scope.data:
        with kernel.columns.connect() as db:
            db.read_parquet([str(p) for p in paths]).create_view("calls")
            away = {"offset": int(offset.total_seconds())}
            first, last = db.execute(_SPAN, away).fetchall()[0]
            db.register("known", pa.table({"number": pa.array(sorted(known), pa.string())}))
            for measure, joined in _JOINED.items():
                pairs = [(r, k) for r, of in keys.items() for k in sorted(of[measure])]
                wanted = {
                    "ring": pa.array([r for r, _ in pairs], pa.string()),
                    "key": pa.array([k for _, k in pairs], pa.string()),
                }
                db.register("wanted", pa.table(wanted))
                rows = db.execute(_CALLS.format(joined=joined), away).fetchall()
                told[measure] = Series(_by_ring(rows), first, last)
                db.unregister("wanted")
    files, dates = stored(view, authority), orders(view, authority)
    for form, measure, of in (
        (COMPLAINTS, "complaints", _complained),
        (PAYMENTS, "mules", _paid),
    ):
        if form.name not in files:
            continue
        table = read_merged(kernel, files[form.name], form, region, dates=dates).table
        if len(table):
            told[measure] = of(table, keys, offset)
    return told


def _told(view: View, row: RingRow) -> RingTold:
    said = view.session.get_one(FindingRow, row.finding)
    return RingTold(
        row.id, row.name, row.kind, row.thing(), row.authority, row.state, row.follows, row.starts,
        Finding.from_dict(said.whole()), row.detail,
    )  # fmt: skip


def _by_ring(rows: list[Any]) -> dict[str, dict[date, int]]:
    told: dict[str, dict[date, int]] = {}
    for ring, day, times in rows:
        told.setdefault(ring, {})[day] = int(times)
    return told


def _holders(keys: Mapping[str, Mapping[str, set[str]]], measure: str) -> dict[str, list[str]]:
    """Rings by what names them."""
    holders: dict[str, list[str]] = {}
    for ring, of in keys.items():
        for key in of[measure]:
            holders.setdefault(key, []).append(ring)
    return holders


def _complained(
    table: pa.Table, keys: Mapping[str, Mapping[str, set[str]]], _offset: timedelta
) -> Series:
    """Complaints that name each ring, by the day on which it happened (else was told)."""
    holders = _holders(keys, "complaints")
    names = ["number", "account", "handle", "wallet", "url"]
    columns = ["received", "occurred", *(f"suspect_{n}" for n in names)]
    told: dict[str, dict[date, int]] = {}
    span = []
    for row in table.select(columns).to_pylist():
        day = _day(row["occurred"] or row["received"])
        span.append(day)
        said = {row[f"suspect_{n}"] for n in names}
        for ring in {r for value in said if value for r in holders.get(value, ())}:
            days = told.setdefault(ring, {})
            days[day] = days.get(day, 0) + 1
    return Series(told, min(span), max(span))


def _paid(table: pa.Table, keys: Mapping[str, Mapping[str, set[str]]], offset: timedelta) -> Series:
    holders = _holders(keys, "mules")
    told: dict[str, dict[date, int]] = {}
    wanted = pa.array(sorted(holders), pa.string())
    some = table.filter(pc.is_in(table["to_account"], wanted))
    for account, at in zip(some["to_account"].to_pylist(), some["at"].to_pylist(), strict=True):
        for ring in holders.get(account, ()):
            days = told.setdefault(ring, {})
            day = _day(at + offset)
            days[day] = days.get(day, 0) + 1
    first, last = pc.min_max(table["at"]).as_py().values()
    return Series(told, _day(first + offset), _day(last + offset))


def _day(value: date | datetime) -> date:
    return value.date() if isinstance(value, datetime) else value
