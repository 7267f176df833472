"""In what unit a currency's payments are counted, and which of them cannot be counted so.

Sums are whole numbers of 64 bits. One absurd row must not keep all others from being read: what
does not fit with them is left out, and named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa

from cordon.calls import PAYMENTS
from cordon.money.currencies import places_of
from cordon.money.engines import Engine, rows

MOST = 1 << 62
"""Sums of a currency stay below, in units of its smallest place."""

MOST_DIGITS = 18
MOST_AMOUNT = int(next(c.most for c in PAYMENTS.columns if c.name == "amount") or 0)
"""Of one payment, in whole units of its currency."""

_KEPT_DIGITS = 8  # of a coin: what no small amount is left out for
_AT_ONCE = 1_000  # rows too large that are looked for in one pass
_NAMED = 5  # rows that a sentence names
_PLACES = """
SELECT currency, places(amount) AS digits, count(*) AS n,
       sum(CAST(floor(amount) AS DECIMAL(38, 0))) AS whole, sum(fraction(amount)) AS part
FROM {payments} GROUP BY currency, places(amount) ORDER BY currency, digits
"""
_BEYOND = f"""
SELECT file, row, currency FROM payments WHERE amount > {MOST_AMOUNT} ORDER BY file, row
"""  # noqa: S608 - a number of our own
_LARGEST = """
SELECT file, row, amount FROM payments p WHERE currency = '{currency}' AND NOT EXISTS (
    SELECT 1 FROM beyond b WHERE b.file = p.file AND b.row = p.row)
ORDER BY amount DESC, file, row LIMIT {most}
"""
_LESS = """
SELECT * FROM payments p WHERE NOT EXISTS (
    SELECT 1 FROM beyond b WHERE b.file = p.file AND b.row = p.row)
"""
_FINER = "SELECT file, row FROM {payments} WHERE {finer} ORDER BY file, row"
_LARGE = "an amount that is not counted beside the others of its currency; look whether it is meant"
_FINE = "more decimal places than are counted beside the others of its currency"

Beyond = tuple[int, int, str]
"""File, row and why."""


@dataclass(slots=True)
class Counted:
    """The currencies of payments, sorted, the decimal places that each is kept in, and rows that
    are left out."""

    currencies: list[str] = field(default_factory=list)
    digits: list[int] = field(default_factory=list)
    beyond: list[Beyond] = field(default_factory=list)

    def said(self, names: Sequence[str]) -> list[str]:
        """Sentences on what is left out, by file (names by their number) and row."""
        found = []
        for why in sorted({why for _, _, why in self.beyond}):
            of = [(file, row) for file, row, other in self.beyond if other == why]
            places = ", ".join(f"{names[file]} row {row:,}" for file, row in of[:_NAMED])
            more = f" and {len(of) - _NAMED:,} more" if len(of) > _NAMED else ""
            found.append(f"{len(of):,} payments were left out, with {why}: {places}{more}.")
        return found


def counted(engine: Engine) -> Counted:
    """Find how `payments` are counted, and offer those that can be as `counted`."""
    beyond = [(f, r, _LARGE) for f, r, _ in rows(engine, _BEYOND)]
    name = _without(engine, beyond)
    while True:
        by_currency: dict[str, dict[int, tuple[int, Decimal]]] = {}
        for currency, digits, n, whole, part in rows(engine, _PLACES.format(payments=name)):
            by_currency.setdefault(currency, {})[int(digits)] = (n, Decimal(whole) + Decimal(part))
        large: list[Beyond] = []
        for currency, of in by_currency.items():
            kept = min(max(of), places_of(currency), _KEPT_DIGITS)
            large += _largest(engine, currency, sum(t for _, t in of.values()), kept, name)
        if not large:
            break
        beyond += large
        name = _without(engine, beyond)
    found = Counted(list(by_currency), [_digits(of) for of in by_currency.values()], beyond)
    finer = " OR ".join(
        f"(currency = '{_quoted(c)}' AND places(amount) > {digits})"
        for c, digits in zip(found.currencies, found.digits, strict=True)
        if digits < max(by_currency[c])
    )
    if finer:
        rest = rows(engine, _FINER.format(payments=name, finer=finer))
        beyond += [(f, r, _FINE) for f, r in rest]
        name = _without(engine, beyond)
    engine.view("counted", f"SELECT * FROM {name}")  # noqa: S608 - names of our own
    return found


def _without(engine: Engine, beyond: list[Beyond]) -> str:
    """What to ask instead of `payments`: these left out."""
    if not beyond:
        return "payments"
    table = pa.table(
        {"file": pa.array([f for f, _, _ in beyond], pa.int32()),
         "row": pa.array([r for _, r, _ in beyond], pa.int64())}
    )  # fmt: skip
    engine.put("beyond", table)
    engine.view("less", _LESS)
    return "less"


def _largest(
    engine: Engine, currency: str, total: Decimal | int, digits: int, name: str
) -> list[Beyond]:
    """The largest payments of a currency, as many as must go for the rest to be counted."""
    found: list[Beyond] = []
    if total * 10**digits < MOST:
        return found
    sql = _LARGEST.format(currency=_quoted(currency), most=_AT_ONCE)
    if name == "payments":
        sql = sql.replace("beyond", "(SELECT file, row FROM payments WHERE 1 = 0)")
    for file, row, amount in rows(engine, sql):
        found.append((file, row, _LARGE))
        total -= amount
        if total * 10**digits < MOST:
            break
    return found


def _digits(of: dict[int, tuple[int, Decimal]]) -> int:
    """As many places as are used, or as can be counted."""
    total = sum(t for _, t in of.values())
    digits = min(max(of), MOST_DIGITS)
    while digits and total * 10**digits >= MOST:
        digits -= 1
    return digits


def _quoted(text: str) -> str:
    return text.replace("'", "''")
