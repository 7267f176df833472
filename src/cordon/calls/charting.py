"""What the page of a ring shows of its members, counted once when a search has found it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from cordon.kernel.store.columns import Columns

MOST_MEMBERS, MOST_CELLS, MOST_LINKS, MOST_NAMED = 2000, 60, 6000, 200
NAMED = {
    "suspect_account": "account",
    "suspect_handle": "handle",
    "suspect_wallet": "wallet",
    "suspect_url": "url",
}
"""Columns of a complaint that name somebody beside the number, and the type of each."""

IMEI = 14  # digits by which handsets are compared; the last one is a check digit

_OWN = """
CREATE TEMP TABLE own AS
SELECT l.ring, l.number, c.other, c.made, left(c.imei, 14) AS imei, c.cell, c.start,
       CAST(c.start AS TIMESTAMP) + to_seconds($offset) AS local
FROM lines l JOIN (
    SELECT caller AS number, callee AS other, true AS made, caller_imei AS imei,
           caller_cell AS cell, start
    FROM calls WHERE start >= $since AND start < $until
    UNION ALL
    SELECT callee, caller, false, callee_imei, callee_cell, start
    FROM calls WHERE start >= $since AND start < $until
) c USING (number)
"""
_ASKED = {
    "all": """
        SELECT ring, count(*) AS calls, count(*) FILTER (made) AS made,
               count(DISTINCT other) AS people
        FROM own GROUP BY ring""",
    "members": """
        SELECT ring, number, count(*) AS calls, count(*) FILTER (made) AS made,
               count(DISTINCT other) AS people, min(start) AS first, max(start) AS last,
               count(DISTINCT imei) AS handsets
        FROM own GROUP BY ring, number ORDER BY calls DESC, number""",
    "links": """
        SELECT ring, number, imei, count(*) AS calls, min(start) AS first, max(start) AS last
        FROM own WHERE imei IS NOT NULL GROUP BY ring, number, imei
        ORDER BY calls DESC, number, imei""",
    "cells": """
        SELECT ring, cell, count(*) AS calls, count(DISTINCT number) AS numbers
        FROM own WHERE cell IS NOT NULL GROUP BY ring, cell ORDER BY calls DESC, cell""",
    "days": """
        SELECT ring, CAST(local AS DATE) AS day, count(*) AS calls,
               count(DISTINCT number) AS numbers
        FROM own GROUP BY ring, day ORDER BY day""",
    "hours": """
        SELECT ring, isodow(local) AS weekday, hour(local) AS hour, count(*) AS calls
        FROM own GROUP BY ring, weekday, hour""",
}


def details(
    columns: Columns,
    paths: Sequence[Path],
    rings: Mapping[str, Sequence[str]],
    *,
    since: datetime | None,
    until: datetime | None,
    offset: timedelta,
) -> dict[str, dict[str, Any]]:
    """Members, handsets, cells, days and hours of rings, as JSON values.

    Args:
        paths: segments of calls. rings: the numbers (E.164) of each.
        since, until: only calls that start in [since, until), where given.
        offset: of local time from UTC.

    Returns:
        For each ring: `calls`, `made`, `people`; `members` and `links` (number to handset, 14
        digits) with the most calls first; `cells`; `days` (local); `hours`, 7 × 24 counts of
        calls, Monday first.
    """
    told: dict[str, dict[str, Any]] = {ring: _nothing() for ring in rings}
    if not rings or not paths:
        return told
    lines = pa.table(
        {
            "ring": [ring for ring, numbers in rings.items() for _ in numbers],
            "number": [number for numbers in rings.values() for number in numbers],
        }
    )
    with columns.connect() as db:
        db.register("lines", lines)
        db.read_parquet([str(p) for p in paths]).create_view("calls")
        db.execute(
            _OWN,
            {
                "since": since or datetime.fromisoformat("1900-01-01T00:00:00+00:00"),
                "until": until or datetime.fromisoformat("9999-01-01T00:00:00+00:00"),
                "offset": int(offset.total_seconds()),
            },
        )
        for name, asked in _ASKED.items():
            rows: Any = db.sql(asked).to_arrow_table()
            for row in rows.to_pylist():
                ring = row.pop("ring")
                _put(told[ring], name, {k: _plain(v) for k, v in row.items()})
    return told


def with_beside(
    told: dict[str, Any],
    subjects: Sequence[str],
    cells: pa.Table | None,
    complaints: pa.Table | None,
    accounts: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Add to a ring's details where its cells are, and what belongs to it beside its numbers.

    Args:
        subjects: of the ring's finding. accounts: rows of the format `accounts` that are bound to
            one of its numbers or named among its subjects (`attached.bound`).

    Returns:
        `told`, with `lat` and `lon` in its cells where they are known; `complaints`, how many
        name one of its numbers; `named`, what belongs to it: `type`, `value`; `by` what it is
        known, `complaint`, `payment` (its accounts pay into it) or `bound` (to a number of it);
        `signs`, all by which it is tied: of these, and `alone` for complaints that name it with no
        number of the ring; `times` that complaints name it; the `numbers` it is named with or
        bound to; `bank`.
    """
    if cells is not None and told["cells"]:
        wanted = pa.array([c["cell"] for c in told["cells"]], pa.string())
        some = cells.filter(pc.is_in(cells["cell"], wanted))
        where = {r["cell"]: r for r in some.select(["cell", "lat", "lon"]).to_pylist()}
        for cell in told["cells"]:
            if cell["cell"] in where:
                cell |= {k: where[cell["cell"]][k] for k in ("lat", "lon")}
    numbers = {s.removeprefix("number:") for s in subjects if s.startswith("number:")}
    named: dict[tuple[str, str], dict[str, Any]] = {}

    def one(type_: str, value: str, by: str) -> dict[str, Any]:
        new = {"type": type_, "value": value, "by": by, "signs": [], "times": 0, "numbers": [],
               "bank": None}  # fmt: skip
        return named.setdefault((type_, value), new)

    told["complaints"] = 0
    tied = {s for s in subjects if s.partition(":")[0] in NAMED.values()}
    if complaints is not None:
        for row in complaints.select(["suspect_number", *NAMED]).to_pylist():
            number = row.pop("suspect_number")
            told["complaints"] += number in numbers
            for column, value in row.items():
                if value and (number in numbers or f"{NAMED[column]}:{value}" in tied):
                    said = one(NAMED[column], value, "complaint")
                    said["times"] += 1
                    said["signs"].append("complaint" if number in numbers else "alone")
                    said["numbers"] += [number] if number in numbers else []
    for subject in sorted(tied):
        type_, _, value = subject.partition(":")
        said = one(type_, value, "payment")
        said["signs"] += [] if said["times"] else ["payment"]
    for row in accounts:
        if row["phone"] in numbers or ("account", row["account"]) in named:
            said = one("account", row["account"], "bound")
            said["numbers"] += [row["phone"]] if row["phone"] in numbers else []
            said["signs"] += ["bound"] if row["phone"] in numbers else []
            said["bank"] = said["bank"] or row["bank"]
    for said in named.values():
        said["numbers"] = sorted(set(said["numbers"]))
        said["signs"] = sorted(set(said["signs"]))
    ranked = sorted(named.values(), key=lambda n: (-n["times"], n["by"], n["type"], n["value"]))
    told["named"] = ranked[:MOST_NAMED]
    return told


def _nothing() -> dict[str, Any]:
    return {
        "calls": 0,
        "made": 0,
        "people": 0,
        "members": [],
        "links": [],
        "cells": [],
        "days": [],
        "hours": [[0] * 24 for _ in range(7)],
    }


def _put(told: dict[str, Any], name: str, row: dict[str, Any]) -> None:
    most = {"members": MOST_MEMBERS, "links": MOST_LINKS, "cells": MOST_CELLS}
    if name == "all":
        told |= row
    elif name == "hours":
        told["hours"][row["weekday"] - 1][row["hour"]] = row["calls"]
    elif len(told[name]) < most.get(name, 5000):
        told[name].append(row)


def _plain(value: Any) -> Any:
    return value.isoformat() if hasattr(value, "isoformat") else value
