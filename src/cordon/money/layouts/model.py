"""A layout of a bank's or wallet's file as a typed value, and its YAML file read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from cordon.calls import ACCOUNTS, PAYMENTS, Form, tabular
from cordon.kernel.errors import BadInput
from cordon.money.layouts.amounts import Writing, writing
from cordon.money.model import CHANNELS

FORMS: Mapping[str, Form] = {form.name: form for form in (PAYMENTS, ACCOUNTS)}
OF_PAYMENTS = frozenset(
    {
        "payment_id", "date", "time", "amount", "currency", "channel", "note", "status",
        "from_account", "to_account", "from_bank", "to_bank",
        "account", "bank", "other_account", "other_bank", "debit", "credit", "direction", "balance",
        "iban",
    }
)  # fmt: skip
"""What columns of payments can mean. `account` is whose statement it is (`iban`, told above a table
beside a number of the bank's own, goes before it), `debit` what left it,
`credit` what came in; with one `amount` its sign or `direction` tells which."""
OF_ACCOUNTS = frozenset(column.name for column in ACCOUNTS.columns)
FIELDS = {"payments": OF_PAYMENTS, "accounts": OF_ACCOUNTS}
COUNTRY = "country"
"""As a layout's zone: the clock of the country that the node is in."""
ALL_DONE = ("total", "grand total", "sub total", "opening balance", "closing balance",
            "balance brought forward", "brought forward", "balance carried forward",
            "carried forward", "end of statement", "page total", "balance b/f", "balance c/f",
            "b/f", "c/f")  # fmt: skip
_KEYS = frozenset(
    {
        "name", "title", "kind", "zone", "order", "separator", "known_by", "columns", "above",
        "always", "note_tells", "amounts", "channels", "note_channels", "channel_if_absent",
        "currencies", "directions", "kinds", "done", "ids", "leave_out", "corrected",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """How a bank or wallet writes its payments or accounts.

    Attributes:
        name, title: for commands and for people. kind: `payments` or `accounts`.
        zone: IANA name of the clock that times are told by, or `country`.
        known_by: fields of each of which a file of this layout has a column.
        head: its columns as `calls` looks for them: field to names, and what is told `above`.
        separator: between two values; empty where it is told from the header.
        always: field to what it is for every row whose file does not tell it.
        note_tells: field to the pattern that finds it in a payment's note, in its first group.
        writing: how amounts are written. debits: `positive`, `negative` or `either`, as what left
            stands in its own column.
        negative_out: of one signed amount, below nothing is what left.
        channels: value (lower case) of the column to a channel. note_channels: words in a note.
        channel: of payments of which neither tells one.
        currencies: what a currency is called (lower case) to its code.
        directions: value (lower case) to `in` or `out`. kinds: value to a kind of account.
        done: values (lower case) of `status` of payments that took place; of all where empty.
        unique: an id names one payment; else several rows may have it, as a payment and its fee.
        leave_out: what rows begin with that are no records, as totals.
        corrected: name of a column to what a person said that it means, or `none`.
    """

    name: str
    title: str
    kind: str
    zone: str
    known_by: tuple[str, ...]
    head: tabular.Layout
    separator: str
    always: Mapping[str, str]
    note_tells: Mapping[str, re.Pattern[str]]
    writing: Writing
    debits: str
    negative_out: bool
    channels: Mapping[str, str]
    note_channels: Mapping[str, str]
    channel: str
    currencies: Mapping[str, str]
    directions: Mapping[str, str]
    kinds: Mapping[str, str]
    done: frozenset[str]
    unique: bool
    leave_out: tuple[str, ...]
    corrected: Mapping[str, str]

    @property
    def order(self) -> str:
        """Of day, month and year, where always so; empty where the file must tell."""
        return self.head.order

    @property
    def columns(self) -> Mapping[str, tuple[str, ...]]:
        """Field to names of columns, normalised, the first that is there."""
        return self.head.columns

    def lacks(self, names: Sequence[str]) -> list[str]:
        """Fields that it is known by and of which a header of these names has no column."""
        return [f for f in self.known_by if self.head.column(f, list(names)) is None]

    def tells(self, field: str) -> bool:
        """True where a column, the lines above, or the layout itself may tell a field."""
        return field in self.columns or field in self.head.above or field in self.always


def load(path: Path) -> Layout:
    """Read a layout's file; BadInput names the key that is wrong."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        raise BadInput(f"The layout {path.name} cannot be read.") from None
    return parse(text, path.name)


def parse(text: str, file: str) -> Layout:
    """A layout's text; errors call it `file`."""
    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as wrong:
        raise BadInput(f"The layout {file} is no YAML: {wrong}.") from None
    if not isinstance(data, dict):
        raise BadInput(f"The layout {file} is no YAML mapping.")
    try:
        return _checked(file, data)
    except (AttributeError, TypeError, ValueError) as wrong:
        raise BadInput(f"The layout {file} is not as layouts are: {wrong}.") from None


def _checked(file: str, data: dict[str, Any]) -> Layout:
    if odd := sorted(str(k) for k in data if k not in _KEYS):
        raise BadInput(
            f"The layout {file} has the unknown key {odd[0]}.",
            advice=f"Keys are: {', '.join(sorted(_KEYS))}.",
        )
    for key in ("name", "title", "known_by", "columns"):
        if not data.get(key):
            raise BadInput(f"The layout {file} lacks {key}.")
    kind = _one_of(file, "kind", str(data.get("kind") or "payments"), tuple(FIELDS))
    columns = _columns(file, kind, data["columns"])
    always = {str(k): str(v) for k, v in (data.get("always") or {}).items()}
    above = _patterns(file, "above", data.get("above") or {})
    told = _patterns(file, "note_tells", data.get("note_tells") or {})
    known_by = tuple(str(n) for n in data["known_by"])
    for key, fields in (("columns", columns), ("always", always), ("above", above),
                        ("note_tells", told)):  # fmt: skip
        _known(file, key, fields, FIELDS[kind])
    _known(file, "known_by", known_by, columns)
    zone = str(data.get("zone") or COUNTRY)
    order = str(data.get("order") or "")
    if order:
        _one_of(file, "order", order, tabular.ORDERS)
    sign = str(data.get("separator") or "")
    if sign:
        _one_of(file, "separator", sign, tabular.SIGNS)
    amounts = data.get("amounts") or {}
    _known(file, "amounts", amounts, ("decimal", "thousands", "around", "debit", "out"))
    signs = ("positive", "negative")
    channel = str(data.get("channel_if_absent") or "")
    layout = Layout(
        name=str(data["name"]),
        title=str(data["title"]),
        kind=kind,
        zone=_zone(file, zone),
        known_by=known_by,
        head=tabular.Layout(
            name=str(data["name"]), title=str(data["title"]), zone=zone, order=order,
            known_by=known_by, columns=columns, directions={}, kinds={}, kind="", above=above,
        ),
        separator=sign,
        always=always,
        note_tells=told,
        writing=writing(file, amounts),
        debits=_one_of(file, "debit", str(amounts.get("debit") or signs[0]), (*signs, "either")),
        negative_out=_one_of(file, "out", str(amounts.get("out") or signs[1]), signs) == signs[1],
        channels=_values(file, "channels", data, CHANNELS),
        note_channels=_values(file, "note_channels", data, CHANNELS),
        channel=_one_of(file, "channel_if_absent", channel, CHANNELS) if channel else "",
        currencies=_values(file, "currencies", data, ()),
        directions=_values(file, "directions", data, ("in", "out")),
        kinds=_values(file, "kinds", data, ("bank", "wallet", "agent", "exchange")),
        done=frozenset(str(v).strip().lower() for v in data.get("done") or ()),
        unique=_one_of(file, "ids", str(data.get("ids") or "payment"), ("payment", "reference"))
        == "payment",
        leave_out=tuple(str(v).strip().lower() for v in data.get("leave_out") or ALL_DONE),
        corrected={str(k): str(v) for k, v in (data.get("corrected") or {}).items()},
    )  # fmt: skip
    _check_use(file, layout)
    return layout


def _check_use(file: str, layout: Layout) -> None:
    """That a layout tells what a row cannot be without."""
    lacks = lacking(layout.kind, layout.columns)
    if "direction" in layout.columns and not layout.directions:
        lacks.append("It does not say which values of direction are in and out.")
    if lacks:
        raise BadInput(f"The layout {file} cannot be used: {lacks[0]}")


def lacking(kind: str, columns: Mapping[str, Any]) -> list[str]:
    """Sentences on what rows cannot be read without; `columns` by field."""
    have = set(columns)
    if kind == "accounts":
        return [] if "account" in have else ["No column holds the accounts."]
    says = []
    if "date" not in have:
        says.append("No column holds dates.")
    if not have & {"amount", "debit", "credit"}:
        says.append("No column holds amounts.")
    if ("debit" in have) != ("credit" in have):
        says.append("Of the columns debit and credit there is one and not the other.")
    if len(have & {"from_account", "to_account"}) == 1:
        says.append("One account of a payment has a column and the other has none.")
    return says


def _columns(file: str, kind: str, data: Any) -> dict[str, tuple[str, ...]]:
    if not isinstance(data, dict):
        raise BadInput(f"The layout {file} has columns that are no mapping.")
    return {
        str(field): tuple(
            tabular.plain(str(n)) for n in (names if isinstance(names, list) else [names])
        )
        for field, names in data.items()
    }


def _known(file: str, key: str, have: Any, known: Any) -> None:
    if odd := sorted(str(h) for h in have if h not in known):
        raise BadInput(
            f"The layout {file} has the unknown field {odd[0]} in {key}.",
            advice=f"Fields are: {', '.join(sorted(known))}.",
        )


def _one_of(file: str, key: str, value: str, known: Sequence[str]) -> str:
    if value not in known:
        raise BadInput(
            f"The layout {file} has the {key} {value}.", advice=f"Take of: {', '.join(known)}."
        )
    return value


def _zone(file: str, zone: str) -> str:
    if zone == COUNTRY:
        return zone
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadInput(f"The layout {file} names the unknown zone {zone}.") from None
    return zone


def _patterns(file: str, key: str, data: dict[str, Any]) -> dict[str, re.Pattern[str]]:
    try:
        found = {str(f): re.compile(str(p), re.IGNORECASE) for f, p in data.items()}
    except re.error as wrong:
        raise BadInput(f"The layout {file} has a pattern that is none: {wrong}.") from None
    if odd := [f for f, p in found.items() if p.groups != 1]:
        raise BadInput(
            f"The layout {file} tells {odd[0]} in {key}.", advice="Its pattern has one group."
        )
    return found


def _values(file: str, key: str, data: dict[str, Any], known: Sequence[str]) -> dict[str, str]:
    """Values (lower case) to what they mean."""
    meanings = data.get(key) or {}
    if known:
        _known(file, key, meanings, known)
    return {
        str(v).strip().lower(): str(meaning) for meaning, some in meanings.items() for v in some
    }
