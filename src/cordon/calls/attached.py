"""What files beside the calls say of one number, handset or cell, from columns kept of them.

Internet sessions, accounts and cells are kept as columns when they come in, so that a page that
asks for one number does not read a nation's file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import func, select

from cordon.calls.charting import IMEI
from cordon.calls.forms import ACCOUNTS, CELLS, SESSIONS, Form
from cordon.calls.model import Refusal
from cordon.kernel.access.model import Authority, Scope
from cordon.kernel.bringing import source_of
from cordon.kernel.ids import new_id
from cordon.kernel.store.columns import Columns, SegmentRow
from cordon.kernel.work import View, Work

MOST = 50  # addresses or accounts of one page
OUTSIDE = "the number is not covered by the authority, or the session lies outside its span"

# names and documents of holders are not kept as columns: no page shows them
_KEPT: Mapping[str, tuple[str, ...]] = {
    SESSIONS.name: tuple(c.name for c in SESSIONS.columns),
    ACCOUNTS.name: ("account", "bank", "phone", "opened", "kind"),
    CELLS.name: tuple(c.name for c in CELLS.columns),
}
_REACHED = """
WITH own AS (
    SELECT DISTINCT start, "end", number, public_ip, public_port, remote_ip, remote_port,
           coalesce(bytes_up, 0) + coalesce(bytes_down, 0) AS bytes
    FROM sessions
    WHERE {where} AND start >= $since AND start < $until
)
SELECT side, address, sessions, CAST(bytes AS BIGINT) AS bytes, first, last FROM (
    SELECT 'public' AS side, public_ip AS address, count(*) AS sessions, sum(bytes) AS bytes,
           min(start) AS first, max("end") AS last
    FROM own WHERE public_ip IS NOT NULL GROUP BY address
    UNION ALL
    SELECT 'remote', remote_ip, count(*), sum(bytes), min(start), max("end")
    FROM own GROUP BY remote_ip
)
QUALIFY row_number() OVER (PARTITION BY side ORDER BY sessions DESC, address) <= $most
ORDER BY side, sessions DESC, address
"""
_LAST = """
WITH told AS (
    SELECT * FROM (
        SELECT * FROM accounts WHERE account IN (SELECT account FROM accounts WHERE {where})
        QUALIFY row_number() OVER (
            PARTITION BY account ORDER BY list_position($paths, filename) DESC
        ) = 1
    ) WHERE {where}
)
"""
_WHERE = {"number": "number = $value", "imei": "starts_with(imei, $value)"}
_SOUGHT = {SESSIONS.name: ("number",), ACCOUNTS.name: ("phone",), CELLS.name: ("cell",)}


@dataclass(frozen=True, slots=True)
class Address:
    """An internet address of a number's sessions: how many, bytes both ways, first and last."""

    address: str
    sessions: int
    bytes: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """An account that is bound to a number; `account` in clear."""

    account: str
    bank: str
    kind: str
    opened: datetime | None


@dataclass(frozen=True, slots=True)
class Position:
    """Where a cell stands (°), where it points (° from north), how wide (°) and far (m)."""

    lat: float
    lon: float
    azimuth_deg: float | None
    beamwidth_deg: float | None
    range_m: float | None


def keep_columns(
    work: Work, form: Form, sha256: str, part: int, table: pa.Table, authority: Authority, mark: str
) -> list[Refusal]:
    """Keep a batch of a file as columns; return the rows that the authority does not let in.

    Does nothing for a kind of which no page asks, and for a part that is kept already: batches
    of one file are the same each time that it is read.
    """
    if form.name not in _KEPT:
        return []
    outside: list[Refusal] = []
    if form is SESSIONS:
        table, outside = within(table, authority.scope)
    kept = table.select(["row", *_KEPT[form.name]])
    sought = _SOUGHT[form.name]
    keep_part(work, f"calls.{form.name}", sha256, part, kept, authority, mark, sought, form.span)
    return outside


def keep_part(
    work: Work,
    dataset: str,
    sha256: str,
    part: int,
    kept: pa.Table,
    authority: Authority,
    mark: str,
    sought: Sequence[str],
    span: tuple[str, str] | None,
) -> None:
    """Keep part of a file as columns, where it is not kept already.

    Args:
        sought: columns of which single values are looked for. span: columns of when a row begins
            and ends, or None.
    """
    source = source_of(sha256, authority.id)
    work.kernel.rows.alone(work.session, f"{dataset}:{authority.id}")
    known = work.session.scalar(
        select(func.count()).where(
            SegmentRow.dataset == dataset, SegmentRow.source == source, SegmentRow.part == part
        )
    )
    if known or not len(kept):
        return
    first = last = None
    if span is not None:
        begin, end = span
        first, last = pc.min(kept[begin]).as_py(), pc.max(kept[end]).as_py()
    work.session.add(
        SegmentRow(
            id=new_id(),
            agency=work.kernel.agency,
            mark=mark,
            created_at=work.now,
            dataset=dataset,
            source=source,
            part=part,
            rows=len(kept),
            starts=first,
            ends=last,
            path=work.kernel.columns.write(dataset, source, part, kept, sought),
            authority=authority.id,
        )
    )


def within(table: pa.Table, scope: Scope) -> tuple[pa.Table, list[Refusal]]:
    """The sessions that a scope covers, and a refusal for each other row."""
    inside = pc.is_valid(table["row"])
    if scope.subjects is not None:
        numbers = [s.removeprefix("number:") for s in scope.subjects if s.startswith("number:")]
        inside = pc.is_in(table["number"], pa.array(sorted(numbers), pa.string()))
    if scope.since is not None:
        inside = pc.and_(inside, pc.greater_equal(table["start"], pa.scalar(scope.since)))
    if scope.until is not None:
        inside = pc.and_(inside, pc.less(table["start"], pa.scalar(scope.until)))
    outside = table.filter(pc.invert(inside))["row"].to_pylist()
    return table.filter(inside), [Refusal(row, OUTSIDE) for row in outside]


def segments(view: View, form: Form, authority: Authority, files: Iterable[str]) -> list[str]:
    """Paths of what is kept of files (SHA-256), in the order of the files.

    Of sessions, which no later file says otherwise, those of a file still being read as well.
    """
    sources = [source_of(sha256, authority.id) for sha256 in files]
    asked = select(SegmentRow.source, SegmentRow.path).where(
        SegmentRow.dataset == f"calls.{form.name}", SegmentRow.authority == authority.id
    )
    rows = view.session.execute(asked.order_by(SegmentRow.created_at, SegmentRow.id)).all()
    order = {source: at for at, source in enumerate(sources)}
    if form is not SESSIONS:
        rows = sorted((r for r in rows if r[0] in order), key=lambda r: order[r[0]])
    return [str(view.kernel.columns.root / path) for _, path in rows]


def addresses(
    columns: Columns, paths: Sequence[str], type_: str, value: str, scope: Scope
) -> dict[str, list[Address]]:
    """Addresses of the internet sessions of a number or handset.

    Returns:
        `public`: what the outside saw; `remote`: what was reached; the most sessions first.
    """
    if not paths or type_ not in _WHERE:
        return {}
    rows = _rows(
        columns,
        {"sessions": paths},
        _REACHED.format(where=_WHERE[type_]),
        {
            "value": value[:IMEI] if type_ == "imei" else value,
            "since": scope.since or datetime.fromisoformat("1900-01-01T00:00:00+00:00"),
            "until": scope.until or datetime.fromisoformat("9999-01-01T00:00:00+00:00"),
            "most": MOST,
        },
    )
    told: dict[str, list[Address]] = {}
    for side, *rest in rows:
        told.setdefault(side, []).append(Address(*rest))
    return told


def accounts(columns: Columns, paths: Sequence[str], number: str) -> list[Account]:
    """Accounts that are bound to a number (E.164), by the last file that tells of each."""
    if not paths:
        return []
    asked = (
        "SELECT account, coalesce(bank, ''), coalesce(kind, ''), opened FROM told "
        "ORDER BY account LIMIT $most"
    )
    rows = _accounts(columns, paths, "phone = $number", asked, {"number": number, "most": MOST})
    return [Account(*row) for row in rows]


def bound(
    columns: Columns, paths: Sequence[str], numbers: Sequence[str], named: Sequence[str]
) -> list[dict[str, Any]]:
    """Accounts that are bound to one of these numbers, or that have one of these names.

    Returns:
        `account`, `bank`, `kind` and `phone` of each, by account; what is not known is None.
    """
    if not paths:
        return []
    where = "(list_contains($numbers, phone) OR list_contains($named, account))"
    asked = """SELECT DISTINCT account, bank, kind, phone FROM told
        ORDER BY account, phone, bank, kind"""
    given = {"numbers": [*numbers], "named": [*named]}
    rows = _accounts(columns, paths, where, asked, given)
    return [dict(zip(("account", "bank", "kind", "phone"), row, strict=True)) for row in rows]


def _accounts(
    columns: Columns, paths: Sequence[str], where: str, asked: str, given: dict[str, Any]
) -> list[tuple[Any, ...]]:
    """Answer a question about accounts (`told`) for which something holds in their last file."""
    told = f"WITH told AS (SELECT * FROM accounts WHERE {where}) "  # noqa: S608 - our own
    if len({_file(p) for p in paths}) > 1:
        # a later file may bind to another number what an earlier one bound to this
        told = _LAST.format(where=where)
        given = {**given, "paths": list(paths)}
    return _rows(columns, {"accounts": paths}, told + asked, given)


def _file(path: str) -> str:
    """What the segments of one file have in common: their path up to the part."""
    return path.rpartition("-")[0]


def position(columns: Columns, paths: Sequence[str], cell: str) -> Position | None:
    """Where a cell stands, by the last file that tells of it; None where none does."""
    if not paths:
        return None
    asked = """SELECT lat, lon, azimuth_deg, beamwidth_deg, range_m FROM cells WHERE cell = $cell
        ORDER BY list_position($paths, filename) DESC LIMIT 1"""
    rows = _rows(columns, {"cells": paths}, asked, {"cell": cell, "paths": list(paths)})
    return Position(*rows[0]) if rows else None


def _rows(
    columns: Columns, views: Mapping[str, Sequence[str]], asked: str, given: dict[str, Any]
) -> list[tuple[Any, ...]]:
    with columns.connect() as db:
        for name, paths in views.items():
            db.read_parquet(list(paths), filename=True).create_view(name)
        table: Any = db.sql(asked, params=given).to_arrow_table()
        return [tuple(row.values()) for row in table.to_pylist()]
