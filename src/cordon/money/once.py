"""Payments that are told twice: by one id, by two banks at one moment, or by one of them as a day.

An id alone makes no payment another's repeat, because two banks number 1, 2, 3 each. Queries ask
`told` (payments as they stand in files, with `file`) and `account_codes`, of any engine.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from itertools import groupby

import pyarrow as pa

from cordon.money.engines import Engine, rows

TWICE_S = 120
"""Two banks tell one payment with clocks that are so far apart, at most."""

DAY_US = 86_400_000_000
_ENDS = """t.file, t.row, t.us, s.code AS sender, r.code AS receiver, t.amount, t.currency"""
_CODED = """FROM told t JOIN account_codes s ON t.from_account = s.name
JOIN account_codes r ON t.to_account = r.name"""
_ALIKE = f"""
SELECT {_ENDS}, t.payment_id {_CODED} WHERE key64(t.payment_id) IN (
    SELECT key64(payment_id) FROM told GROUP BY key64(payment_id) HAVING count(*) > 1)
"""  # noqa: S608 - words of our own
_BY_ID = f"""
SELECT file, row FROM (SELECT file, row, row_number() OVER (
    PARTITION BY payment_id, sender, receiver, amount, currency, us - us % {DAY_US}
    ORDER BY file, row) AS n FROM alike) WHERE n > 1
"""  # noqa: S608 - words of our own
# the nth equal payment of one file is the nth of the other: three of one bank and two of the other
# are three
_NUMBERED = f"""
SELECT {_ENDS}, row_number() OVER (
    PARTITION BY t.file, s.code, r.code, t.amount, t.currency, t.us - t.us % {DAY_US}
    ORDER BY t.us, t.row) AS nth {_CODED}
"""
_BY_BOTH = f"""
SELECT DISTINCT b.file, b.row FROM numbered a JOIN numbered b
ON a.sender = b.sender AND a.receiver = b.receiver AND a.amount = b.amount
AND a.currency = b.currency AND a.nth = b.nth
WHERE a.file < b.file AND abs(a.us - b.us) <= {TWICE_S * 1_000_000}
"""  # noqa: S608 - a number of our own
# whatever goes between the accounts of a payment of which a day alone is told, of the same sum
_NEAR_A_DAY = f"""
SELECT n.*, g.number FROM (SELECT {_ENDS}, t.precision, t.told_by {_CODED}) n
JOIN (SELECT *, row_number() OVER (ORDER BY sender, receiver, amount, currency) AS number FROM (
    SELECT s.code AS sender, r.code AS receiver, t.amount, t.currency {_CODED}
    WHERE t.amount IN (SELECT amount FROM told WHERE precision = 'day')
    GROUP BY s.code, r.code, t.amount, t.currency
    HAVING count(DISTINCT t.file) > 1
    AND count(CASE WHEN t.precision = 'day' THEN 1 END) > 0
)) g ON n.sender = g.sender AND n.receiver = g.receiver AND n.amount = g.amount
AND n.currency = g.currency
"""  # noqa: S608 - words of our own
_DAYS = f"""
SELECT g.number, g.file, g.row, g.us, g.precision, g.told_by,
       CASE WHEN t.row IS NULL THEN 0 ELSE 1 END AS gone
FROM ({_NEAR_A_DAY}) g LEFT JOIN twice t ON t.file = g.file AND t.row = g.row
ORDER BY g.number, g.file, g.us, g.row
"""  # noqa: S608 - words of our own
_NAMESAKES = """
SELECT count(*) - count(DISTINCT payment_id) FROM alike a
WHERE NOT EXISTS (SELECT 1 FROM twice t WHERE t.file = a.file AND t.row = a.row)
"""
Key = tuple[int, int]  # file and row
Row = tuple[int, int, int, int, str | None, str | None, int]  # as of _DAYS


def each_once(engine: Engine, files: int, left_out: list[str]) -> int:
    """Offer as `payments` what of `told` stands not before; how many rows do.

    Args:
        left_out: takes what is to be said of them.
    """
    engine.keep("alike", _ALIKE)
    engine.keep("by_id", _BY_ID)
    twice = "SELECT file, row FROM by_id"
    if files > 1:
        engine.view("numbered", _NUMBERED)
        engine.keep("by_both", _BY_BOTH)
        twice += " UNION SELECT file, row FROM by_both"
    engine.view("twice", twice)
    ((days,),) = rows(engine, "SELECT count(*) AS n FROM told WHERE precision = 'day'")
    if files > 1 and days:
        joined = _joined(engine)
        if joined:
            left_out.append(by_day(len(joined)))
            engine.put("by_day", pa.table(
                {"file": pa.array([f for f, _ in joined], pa.int32()),
                 "row": pa.array([r for _, r in joined], pa.int64())}
            ))  # fmt: skip
            engine.view("twice", f"{twice} UNION SELECT file, row FROM by_day")  # noqa: S608 - words of our own
    ((found,),) = rows(engine, "SELECT count(*) AS n FROM twice")
    ((namesakes,),) = rows(engine, _NAMESAKES)
    if namesakes:
        left_out.append(of_one_id(int(namesakes)))
    once = "WHERE NOT EXISTS (SELECT 1 FROM twice t WHERE t.file = e.file AND t.row = e.row)"
    # without one a join less for every pass
    engine.view("payments", f"SELECT * FROM told e {once if found else ''}")  # noqa: S608 - words of our own
    return int(found)


def of_one_id(rows: int) -> str:
    """A sentence on payments that are kept beside others of their ids."""
    return (
        f"{rows:,} payments carry the id of another one and differ from it in account, amount, "
        "currency or day; each counts."
    )


def by_day(rows: int) -> str:
    """A sentence on payments that were joined by a day."""
    return (
        f"{rows:,} payments of which one file tells a day alone were joined with the same payment "
        "of another file: the same accounts and amount, on that day or the next."
    )


def _joined(engine: Engine) -> list[Key]:
    """Rows that tell what a row of another file tells, where one of the two tells a day alone."""
    found: list[Key] = []
    every: list[Row] = rows(engine, _DAYS)
    for _, group in groupby(every, key=lambda row: row[0]):
        found += _of_group(list(group))
    return found


def _of_group(group: list[Row]) -> Iterator[Key]:
    """Of payments between the same accounts, of the same sum, those that stand before.

    Each payment that counts is one of each other file, at most, the nearest first.
    """
    counts: list[Row] = []  # in the order of time
    for _, told in groupby(group, key=lambda row: row[1]):
        mine, taken = list(told), set[Key]()
        for row in mine:  # what was found to stand before has its own there
            if row[6] and (same := _nearest(row, _around(counts, row), taken)) is not None:
                taken.add(same)
        left = [row for row in mine if not row[6]]
        for next_day in (False, True):
            further = []
            for row in left:
                fits = [c for c in _around(counts, row) if _one(c, row, next_day=next_day)]
                same = _nearest(row, fits, taken)
                if same is None:
                    further.append(row)
                    continue
                taken.add(same)
                yield row[1], row[2]
            left = further
        counts = sorted([*counts, *left], key=lambda row: row[3])


def _around(counts: list[Row], row: Row) -> list[Row]:
    """Those within two days of a row."""
    begin = bisect_left(counts, row[3] - 2 * DAY_US, key=lambda c: c[3])
    return counts[begin : bisect_left(counts, row[3] + 2 * DAY_US, key=lambda c: c[3])]


def _nearest(row: Row, among: list[Row], taken: set[Key]) -> Key | None:
    free = [c for c in among if (c[1], c[2]) not in taken]
    one = min(free, key=lambda c: (abs(c[3] - row[3]), c[1], c[2]), default=None)
    return None if one is None else (one[1], one[2])


def _one(a: Row, b: Row, *, next_day: bool) -> bool:
    """Whether two rows may tell one payment: on one local day, or on one and the next.

    A statement's days are its own account's: what two statements of one account tell of two days
    are two payments.
    """
    if b[4] != "day":
        a, b = b, a
    if b[4] != "day":
        return False
    apart = a[3] - b[3]  # b is the first moment of a day
    if not next_day:
        return 0 <= apart < DAY_US
    return (a[5] or b[5]) is not None and a[5] != b[5] and -DAY_US <= apart < 2 * DAY_US
