"""What a column of an unknown file means, judged by the words of its header and by its values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from cordon.calls import tabular
from cordon.money.accounts import is_iban, written
from cordon.money.layouts.amounts import COMMA, POINT, Writing
from cordon.money.layouts.model import Layout

# Words of headers, most telling first: pattern over the header in lower case with single spaces,
# what it means (nothing: it is passed over), how sure that is (0 to 1).
_OF_PAYMENTS: tuple[tuple[str, str, float], ...] = (
    (r"\b(value|settlement|initiation|created|system) ?(date|time)\b|\bbranch\b|\bs ?no\b",
     "", 1.0),
    (r"\b(title|name|user|teller|maker|checker|officer|remitter type|lat|long)\b", "", 0.8),
    (r"\b(receipt|trx|txn|tran|trans|transaction|payment|reference|ref|rrn|utr|stan|uetr)\b.*"
     r"\b(id|no|number|ref|reference)\b|\b(trxid|tid|rrn|utr|uetr|receipt|reference)\b",
     "payment_id", 0.9),
    (r"\b(ccy|currency|cur|iso code)\b", "currency", 1.0),
    (r"\bbalance\b", "balance", 1.0),
    (r"\b(status|state|result)\b", "status", 0.9),
    (r"\b(debit|dr|from|debtor|sender|remitter|payer|source|originator)\b.*\b(account|acct|a/c|iban|"
     r"wallet|msisdn|no|number)\b", "from_account", 1.0),
    (r"\b(credit|cr|to|creditor|receiver|beneficiary|bene|payee|destination|recipient)\b.*"
     r"\b(account|acct|a/c|iban|wallet|msisdn|no|number)\b", "to_account", 1.0),
    (r"\b(debit|dr|from|debtor|sender|remitter|payer|source)\b.*\b(bank|bic|ifsc|swift)\b",
     "from_bank", 1.0),
    (r"\b(credit|cr|to|creditor|receiver|beneficiary|bene|payee)\b.*\b(bank|bic|ifsc|swift)\b",
     "to_bank", 1.0),
    (r"\b(contra|counter ?party|counter|opposite|other)\b.*\b(bank|bic)\b", "other_bank", 1.0),
    (r"\b(contra|counter ?party|counter|opposite|other)\b", "other_account", 0.9),
    (r"\b(debit ?/ ?credit|dr ?/ ?cr|d/c|c/d|cr ?/ ?dr|direction|in ?/ ?out|sign)\b",
     "direction", 1.0),
    (r"\b(debit|debits|dr|withdrawal|withdrawals|withdrawn|paid out|money out|sent)\b",
     "debit", 0.9),
    (r"\b(credit|credits|cr|deposit|deposits|paid in|money in|received)\b", "credit", 0.9),
    (r"\b(amount|amt|sum|value)\b", "amount", 0.9),
    (r"\b(date|timestamp|completion time|completed)\b", "date", 0.9),
    (r"\b(time|hour)\b", "time", 0.8),
    (r"\b(channel|mode|type|service|reason)\b", "channel", 0.8),
    (r"\b(narration|narrative|description|particulars|remarks|details|purpose|memo|note)\b",
     "note", 0.9),
    (r"\b(account|acct|a/c|iban|wallet)\b", "account", 0.7),
    (r"\b(bank|bic)\b", "bank", 0.7),
)  # fmt: skip
_OF_ACCOUNTS: tuple[tuple[str, str, float], ...] = (
    (r"\b(father|mother|branch|address|city|balance|email|status)\b", "", 1.0),
    (r"\b(cnic|nic|national id|id (number|no|card)|passport|document|identity)\b",
     "holder_id", 1.0),
    (r"\b(mobile|phone|contact|cell|msisdn)\b", "phone", 0.9),
    (r"\b(opening|opened|open|registration|activation)\b", "opened", 0.9),
    (r"\b(title|holder|customer name|name)\b", "holder_name", 0.8),
    (r"\b(type|product|level|category)\b", "kind", 0.8),
    (r"\b(bank|institution|bic)\b", "bank", 0.8),
    (r"\b(account|acct|a/c|iban|wallet)\b", "account", 0.9),
)  # fmt: skip
WORDS = {"payments": _OF_PAYMENTS, "accounts": _OF_ACCOUNTS}
DIRECTIONS = {
    "out": ("d", "dr", "debit", "debited", "out", "outgoing", "sent", "paid", "withdrawal"),
    "in": ("c", "cr", "credit", "credited", "in", "incoming", "received", "deposit"),
}
_LEAST_SURE = 0.35
_UNSAID = 0.6  # how sure values alone are
_DAYS = {"payments": "date", "accounts": "opened"}
_MOST_CODES = 40  # distinct values of a column of codes
_POINT, _COMMA = Writing(), Writing(COMMA, (POINT,))


def guessed(
    columns: Sequence[tabular.Column],
    layouts: Sequence[Layout],
    kind: str,
    corrected: Mapping[str, str],
) -> list[tabular.Guess]:
    """What each column means; an empty meaning where it is passed over.

    A meaning goes to the column that is surest of it.

    Args:
        layouts: known ones of that kind: a header that one of them has means the same here, most
            likely.
        corrected: meaning by header in lower case, said by somebody; empty: passed over.
    """
    known = _known(layouts)
    sure: list[tuple[float, int, str]] = []
    for at, column in enumerate(columns):
        name = tabular.words(column.name)
        key = name or tabular.plain(column.name)
        if key in corrected:
            sure.append((2.0, at, corrected[key]))
            continue
        said = {**_said(name, kind), **known.get(name, {})}
        if not said:  # days are told by what they are
            said = {_DAYS[kind]: _UNSAID * column.share(_is_day)}
        for meaning, weight in said.items():
            if meaning:
                sure.append((_confidence(meaning, weight, column), at, meaning))
    sure.sort(key=lambda s: (-s[0], s[1]))
    taken: dict[int, tuple[str, float]] = {}
    given: set[str] = set()
    for confidence, at, meaning in sure:
        if at in taken or (meaning and meaning in given) or confidence < _LEAST_SURE:
            continue
        taken[at] = (meaning, min(confidence, 1.0))
        given.add(meaning)
    return [
        tabular.Guess(c.name, *taken.get(at, ("", 0.0)), _looks(c, taken.get(at, ("", 0.0))[0]))
        for at, c in enumerate(columns)
    ]


def comma_decimal(values: Sequence[str]) -> bool:
    """True where amounts can only be read with a decimal comma; both ways, a point is taken."""
    column = pa.array(values, pa.string())
    with_comma = pc.sum(_POINT.looks_other(column)).as_py() or 0
    with_point = pc.sum(_COMMA.looks_other(column)).as_py() or 0
    return bool(with_comma > with_point)


def _said(name: str, kind: str) -> dict[str, float]:
    """Meanings that the words of a header tell; the empty one where it is passed over."""
    found: dict[str, float] = {}
    for pattern, meaning, weight in WORDS[kind]:
        if re.search(pattern, name):
            if not meaning:
                return {"": weight}
            found.setdefault(meaning, weight / (1 + len(found)))  # what stands first tells more
    return found


def _confidence(meaning: str, said: float, column: tabular.Column) -> float:
    """By the header, and by whether the values are what it says; empty ones speak for nothing."""
    if not column.values:
        return 0.5 * said
    return said * (0.25 + 0.75 * _held(meaning, column))


def _held(meaning: str, column: tabular.Column) -> float:
    """How well the values of a column go with a meaning (0 to 1)."""
    if meaning in ("direction", "status", "channel", "kind"):
        few = len({v.lower() for v in column.values}) <= _MOST_CODES
        told = column.share(_is_way) if meaning == "direction" else 1.0
        return told if few else 0.2
    shape = _SHAPES.get(meaning)
    return column.share(shape) if shape is not None else 1.0


def _is_way(text: str) -> bool:
    return any(text.lower().rstrip(".") in some for some in DIRECTIONS.values())


def _is_amount(text: str) -> bool:
    shape = r"[-+(]?[^\d\W]*\.? ?\d[\d.,' \u066b\u066c]*\)?-?( ?[A-Za-z]{1,3})?"
    return re.fullmatch(shape, text) is not None


def _is_account(text: str) -> bool:
    return is_iban(written(text)) or bool(re.fullmatch(r"\+?[A-Z0-9*][A-Z0-9*\- ]{4,40}", text))


def _is_time(text: str) -> bool:
    return ":" in text and tabular.second_of(text) is not None


def _is_day(text: str) -> bool:
    day = re.split(r"[ T]+(?=\d{1,2}:)", text, maxsplit=1)[0]
    return any(tabular.day_of(day, order) is not None for order in ("dmy", "mdy"))


def _looks(column: tabular.Column, meaning: str) -> tuple[str, ...]:
    """Codes as they are, of all else the shape and no digit."""
    if meaning in ("direction", "status", "channel", "currency", "kind"):
        return tuple(v for v, _ in Counter(column.values).most_common(3) if len(v) <= 20)
    return tabular.looks_of(column, "")


def _known(layouts: Sequence[Layout]) -> dict[str, dict[str, float]]:
    """Meanings of headers that layouts have, each as likely as layouts say so."""
    found: dict[str, Counter[str]] = {}
    for layout in layouts:
        for meaning, names in layout.columns.items():
            for name in {tabular.words(n) for n in names}:
                found.setdefault(name, Counter())[meaning] += 1
    return {
        name: {m: n / counts.total() for m, n in counts.items()} for name, counts in found.items()
    }


_SHAPES: Mapping[str, Callable[[str], object]] = {
    **dict.fromkeys(("amount", "debit", "credit", "balance"), _is_amount),
    **dict.fromkeys(("from_account", "to_account", "account", "other_account"), _is_account),
    **dict.fromkeys(("date", "opened"), _is_day),
    "time": _is_time,
    "currency": re.compile(r"[A-Za-z]{2,5}\.?").fullmatch,
    "phone": re.compile(r"\+?[\d \-()]{7,17}").fullmatch,
}
