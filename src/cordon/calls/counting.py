"""What the calls of one authority say of one number, handset or cell, as rows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from threading import Lock
from typing import Any

import duckdb

from cordon.kernel.access.model import Scope
from cordon.kernel.store.columns import Columns

PAGE = 100  # calls of a page
MOST_ROWS = 500_000  # calls that a profile is counted over; the newest
MOST_OF_A_KIND = 50

# Each end of the calls is asked by itself, with a condition that the Parquet reader can use, so
# that of the other end nothing is read. What is looked for is bound, never written into it.
_ENDS = """
CREATE TEMP TABLE own AS
SELECT * FROM (
    SELECT true AS made, caller AS number, callee AS other, caller_imsi AS imsi,
           left(caller_imei, 14) AS imei, caller_cell AS cell, start, duration_s, kind,
           sha256, row
    FROM calls WHERE {caller} AND start >= $since AND start < $until
    UNION ALL
    SELECT false, callee, caller, callee_imsi, left(callee_imei, 14), callee_cell, start,
           duration_s, kind, sha256, row
    FROM calls WHERE {callee} AND start >= $since AND start < $until
)
"""
_WHERE = {
    "number": "{end} = $value",
    # digits alone stand there: those that begin so lie between, which a reader can tell by
    "imei": "{end}_imei >= $value AND {end}_imei < $value || ':'",
    "cell": "{end}_cell = $value",
}
_NEWEST = " ORDER BY start DESC, row LIMIT $most"
_COUNTS = """
SELECT count(*) AS calls, count(*) FILTER (made) AS made, count(DISTINCT other) AS people,
       count(DISTINCT number) AS numbers, min(start) AS first, max(start) AS last
FROM own
"""
_HOURS = """
SELECT isodow(local) AS weekday, hour(local) AS hour, count(*) AS calls
FROM (SELECT CAST(start AS TIMESTAMP) + to_seconds($offset) AS local FROM own)
GROUP BY weekday, hour
"""
_DAYS = """
SELECT CAST(CAST(start AS TIMESTAMP) + to_seconds($offset) AS DATE) AS day, count(*) AS calls
FROM own GROUP BY day ORDER BY day DESC LIMIT 400
"""
_USED = """
SELECT kind, value, count(*) AS calls, min(start) AS first, max(start) AS last
FROM (
    SELECT 'number' AS kind, number AS value, start FROM own
    UNION ALL SELECT 'imei', imei, start FROM own
    UNION ALL SELECT 'imsi', imsi, start FROM own
    UNION ALL SELECT 'cell', cell, start FROM own
    UNION ALL SELECT 'other', other, start FROM own
)
WHERE value IS NOT NULL
GROUP BY kind, value
QUALIFY row_number() OVER (PARTITION BY kind ORDER BY count(*) DESC, value) <= $most
ORDER BY kind, calls DESC, value
"""
_CALLS = """
SELECT made, number, other, imei, cell, start, duration_s, kind, sha256, row
FROM own ORDER BY start DESC, row LIMIT $most OFFSET $skipped
"""


class Recent:
    """What was counted lately, so that a page that is opened again is not counted again.

    Segments never change, so that what was counted over the same ones stays true. Whether it may
    be shown is asked each time.

    Args:
        most: how many pages are kept.
    """

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._kept: OrderedDict[Any, dict[str, Any]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Any) -> dict[str, Any] | None:
        """What was kept under a key."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: Any, read: dict[str, Any]) -> None:
        """Keep it, and let go what was not asked for the longest."""
        with self._lock:
            self._kept[key] = read
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)


def counted(
    columns: Columns,
    paths: Sequence[Path],
    scope: Scope,
    type_: str,
    value: str,
    page: int,
    zone: tzinfo,
) -> dict[str, Any]:
    """Counts, hours, days, what was used with it, and one page of calls.

    Args:
        paths: segments. scope: only calls within its span. type_: `number`, `imei` or `cell`.
        page: from 1; the calls, newest first, one more than a page where another follows.
        zone: of hours and days.
    """
    if not paths:
        return {"counts": {"calls": 0}}
    with columns.connect() as db:
        db.read_parquet([str(p) for p in paths]).create_view("calls")
        ends = {end: _WHERE[type_].format(end=end) for end in ("caller", "callee")}
        db.execute(
            _ENDS.format(**ends) + _NEWEST,
            {
                "since": scope.since or datetime(1900, 1, 1, tzinfo=UTC),
                "until": scope.until or datetime(9999, 1, 1, tzinfo=UTC),
                "value": value,
                "most": MOST_ROWS,
            },
        )
        (counts,) = _rows(db, _COUNTS, {})
        if not counts["calls"]:
            return {"counts": counts}
        offset = counts["last"].astimezone(zone).utcoffset() or timedelta(0)
        local = {"offset": int(offset.total_seconds())}
        asked = {"most": PAGE + 1, "skipped": (page - 1) * PAGE}
        return {
            "counts": counts,
            "page": page,
            "hours": _rows(db, _HOURS, local),
            "days": _rows(db, _DAYS, local),
            "used": _rows(db, _USED, {"most": MOST_OF_A_KIND}),
            "calls": _rows(db, _CALLS, asked),
        }


def _rows(db: duckdb.DuckDBPyConnection, asked: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    table: Any = db.sql(asked, params=given or None).to_arrow_table()
    return list(table.to_pylist())
