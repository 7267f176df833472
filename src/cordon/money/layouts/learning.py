"""Proposes a layout for a file that none is known for, to be looked over by a person."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cordon.calls import tabular
from cordon.kernel.errors import BadInput, BadUsage
from cordon.money.layouts.amounts import COMMA, latin
from cordon.money.layouts.meanings import DIRECTIONS, comma_decimal, guessed
from cordon.money.layouts.model import FIELDS, FORMS, Layout, lacking

SAMPLE = 2_000  # rows that are looked at
_MOST_TOLD = 8  # codes that a sentence names
_CODED = {"channel": "channels", "kind": "kinds"}


@dataclass(frozen=True, slots=True)
class _Table:
    above: str
    sign: str
    columns: tuple[tabular.Column, ...]

    def values(self, by: Mapping[str, str], meaning: str) -> tuple[str, ...]:
        """The sample of the column of a meaning."""
        return next((c.values for c in self.columns if c.name == by.get(meaning)), ())


def learn(
    path: Path,
    *,
    name: str,
    zone: str,
    kind: str,
    layouts: Sequence[Layout],
    corrections: Mapping[str, str] | None = None,
) -> tabular.Proposal:
    """Propose a layout for a file.

    Args:
        name: of the layout. zone: IANA name of the clock of its times, or `country`.
        kind: `payments` or `accounts`.
        layouts: known ones of that kind, whose headers and codes are likely to mean the same here;
            what was corrected in them holds here too.
        corrections: meaning by column's name; `none` passes a column over. They are kept in the
            layout's file.

    Returns:
        the proposal; its `lacks` also name codes that no layout knows.

    Raises:
        BadInput: the file has no header. BadUsage: a correction names no column or no meaning.
    """
    table = _table(path, kind)
    said = _said(corrections or {}, [c.name for c in table.columns], kind)
    before = {
        key_of(n): "" if m == tabular.PASSED_OVER else m
        for one in layouts
        for n, m in one.corrected.items()
    }
    guesses = guessed(table.columns, layouts, kind, before | said)
    by = {g.meaning: g.column for g in guesses if g.meaning}
    data: dict[str, Any] = {
        "name": name, "title": f"{name}, as it was learned", "kind": kind, "zone": zone,
    }  # fmt: skip
    order = tabular.Order()
    dated = table.values(by, "date" if kind == "payments" else "opened")
    order.look(v.split(" ")[0] for v in dated)
    if told := order.told(""):
        data["order"] = told
    data["separator"] = table.sign
    sure = [g.meaning for g in guesses if g.meaning and g.confidence >= 0.5]
    data["known_by"] = sure or list(by)
    data["columns"] = by
    says = lacking(kind, by)
    if kind == "payments":
        says += _of_payments(table, by, layouts, data)
    says += _codes(table, by, layouts, data)
    if not told and any(map(tabular.needs_order, (v.split(" ")[0] for v in dated))):
        says.append("Its dates do not tell whether day or month stands first: say it (order).")
    if corrections:
        data["corrected"] = dict(corrections)
    return tabular.Proposal(tuple(guesses), data, tuple(says))


_AROUND = re.compile(r"(?i)(?:^[-+(]?(rs\.?|pkr|₨|eur|€)\s*)?\d[\d.,' ]*(/[-=])?")
_BEHIND = re.compile(r"(?i)\d\s*(?:dr|cr)\.?$")


def key_of(name: str) -> str:
    """A header as corrections name it; one in another script as it is."""
    return tabular.words(name) or tabular.plain(name)


def _of_payments(
    table: _Table, by: Mapping[str, str], layouts: Sequence[Layout], data: dict[str, Any]
) -> list[str]:
    """What only payments have; sentences on what must be told with the file."""
    amounts: dict[str, Any] = {}
    money = [v for m in ("amount", "debit", "credit") for v in table.values(by, m)]
    if comma_decimal(money):
        amounts = {"decimal": COMMA, "thousands": ["."]}
    debits = table.values(by, "debit")
    if debits and sum(v.startswith("-") for v in debits) * 2 > len(debits):
        amounts["debit"] = "negative"
    around = sorted({one[0] for v in money for one in _AROUND.findall(v) if one[0]})
    around += sorted({one[1] for v in money for one in _AROUND.findall(v) if one[1]})
    if around:
        amounts["around"] = around
    if amounts:
        data["amounts"] = amounts
    statement = "from_account" not in by
    ids = table.values(by, "payment_id")
    data["ids"] = "reference" if statement or len(set(ids)) < len(ids) else "payment"
    above = {}
    for layout in layouts if statement else ():
        for field, pattern in layout.head.above.items():
            if field not in by and field not in above and pattern.search(table.above):
                above[field] = pattern.pattern
    if above:
        data["above"] = above
    if "direction" in by:
        data["directions"] = {way: list(codes) for way, codes in DIRECTIONS.items()}
    elif "amount" in by and 2 * sum(bool(_BEHIND.search(v)) for v in money) > len(money):
        data["directions"] = {"out": ["dr"], "in": ["cr"]}  # behind each amount
    says = []
    if "currency" not in by and "currency" not in above:
        says.append("No column holds the currency: say it (always: {currency: …}) or --currency.")
    if statement and "account" not in by and "account" not in above:
        says.append("Nothing tells whose account it is: give --account when it is brought in.")
    return says


def _codes(
    table: _Table, by: Mapping[str, str], layouts: Sequence[Layout], data: dict[str, Any]
) -> list[str]:
    """Codes that layouts know, for the columns that hold some; sentences on those that none does.

    All that the layouts know of a meaning is taken, because a sample seldom has every code.
    """
    says = []
    for field, key in _CODED.items():
        known: dict[str, str] = {}
        for layout in layouts:
            known |= getattr(layout, key)
        if field not in by or not known:
            continue
        meant: dict[str, list[str]] = {}
        for code, meaning in sorted(known.items()):
            meant.setdefault(meaning, []).append(code)
        data[key] = meant
        says += _unknown(field, key, table.values(by, field), set(known))
    if "status" in by:
        done = {code for layout in layouts for code in layout.done}
        data["done"] = sorted(done)
        says += _unknown("status", "done", table.values(by, "status"), done)
    return says


def _unknown(field: str, key: str, values: Sequence[str], known: set[str]) -> list[str]:
    odd = sorted({v.lower() for v in values} - known)
    if not odd:
        return []
    some = ", ".join(v[:30] for v in odd[:_MOST_TOLD])
    more = "" if len(odd) <= _MOST_TOLD else f" and {len(odd) - _MOST_TOLD:,} more"
    return [f"No layout knows these values of {field}: {some}{more}. Say what they mean ({key})."]


def _table(path: Path, kind: str) -> _Table:
    """The header of a file and a sample of each column."""
    expected = "A CSV file or a workbook with a header is expected."
    if not path.is_file():
        raise BadInput(f"There is no file {path.name}.", advice=expected)
    opened = tabular.source(path, None, expected)
    for block in opened.blocks():
        lines = latin(block.text).split(b"\n")
        at, sign = tabular.header_line(lines)
        if at >= 0:
            break
        if not opened.is_workbook:
            raise BadInput(f"{path.name} has no line that looks like a header.", advice=expected)
    else:
        raise BadInput(opened.broken or f"{path.name} has no header.", advice=expected)
    names = tabular.split(lines[at], sign)
    rows = [tabular.split(line, sign) for line in lines[at + 1 : at + 1 + SAMPLE] if line.strip()]
    rows = [r for r in rows if abs(len(r) - len(names)) <= 1]
    columns = [
        tabular.Column(
            " ".join(name.strip(" '\"").split()),
            tuple(v for r in rows if i < len(r) and (v := r[i].strip(" '\"=\t"))),
        )
        for i, name in enumerate(names)
    ]
    if kind not in FORMS:
        raise BadUsage(f"There is no kind {kind[:40]}.", advice=f"Take: {', '.join(FORMS)}.")
    above = b"\n".join(lines[:at]).decode(errors="replace")
    return _Table(above, sign, tuple(c for c in columns if c.name))


def _said(corrections: Mapping[str, str], names: Sequence[str], kind: str) -> dict[str, str]:
    have = {key_of(n) for n in names}
    for column, meaning in corrections.items():
        if key_of(column) not in have:
            raise BadUsage(f"The file has no column {column[:60]}.")
        if meaning != tabular.PASSED_OVER and meaning not in FIELDS[kind]:
            raise BadUsage(
                f"A column cannot mean {meaning[:40]}.",
                advice=f"Take of: {', '.join(sorted(FIELDS[kind]))}; or {tabular.PASSED_OVER}.",
            )
    return {key_of(c): "" if m == tabular.PASSED_OVER else m for c, m in corrections.items()}
