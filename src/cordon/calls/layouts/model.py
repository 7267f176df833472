"""A layout as a typed value, and its YAML file read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from phonenumbers import SUPPORTED_REGIONS

from cordon.kernel.errors import BadInput

ORDERS = ("dmy", "mdy", "ymd")
SHAPES = ("delimited", "fixed")
CELLS = ("decimal", "hexadecimal")
FIELDS = frozenset(
    {
        "date", "time", "start", "end", "duration_s", "duration_ms",
        "direction", "kind", "target", "other",
        "forwarded",
        "caller", "callee", "imsi", "imei", "cell", "area", "trunk_in", "trunk_out",
        "caller_imsi", "caller_imei", "caller_cell", "callee_imsi", "callee_imei", "callee_cell",
        "caller_area", "callee_area",
    }
)  # fmt: skip
"""What a layout's columns can mean. `target` and `other` become caller and callee by the
direction; `imsi`, `imei` and `cell` are the target's; `area` (LAC, TAC) is of a `cell` whose
number alone stands in its column; `end` tells the duration where no column does; `forwarded` is
whom a forwarded call went to."""
_FIELDS_ARE = f"Fields are: {', '.join(sorted(FIELDS))}."


@dataclass(frozen=True, slots=True)
class Layout:
    """How an operator writes its records.

    Attributes:
        name, title: for commands and for people. own: the format `calls` itself.
        zone: IANA name of the clock that the records' times are told by.
        region: ISO 3166 code of the country whose plan its numbers in national form are of; empty
            where they are of whoever reads it.
        order: of day, month and year (`dmy`), where the operator always writes them so; empty
            where it must be told from the file.
        known_by: names of columns, normalised, that a file of this layout has.
        columns: field of `FIELDS` to names of columns, normalised, the first that is there.
        directions: value (lower case) to `in` or `out`. kinds: value to `voice` or `sms`.
        kind: the kind where the file has no column for it; empty where it must have one.
        shape: `delimited` by commas or the like, `fixed` places as a printed report has; empty
            where either may be.
        cells: base of the numbers in cells' identities (`decimal`, `hexadecimal`); empty where
            it is told from the whole file.
        network: `MCC-MNC` of cells that are told by area and number; empty where nobody said it.
        above: field to the pattern that finds it above a table, in its first group; for what a
            statement says once, as whose it is.
        header_lines: 2 where groups stand in a line over the names, whose columns are then named
            by both (`layouts.grouped`).
        corrected: name of a column to what a person said that it means, or `none`; kept from
            when the layout was learned, for the next one.
    """

    name: str
    title: str
    zone: str
    order: str
    known_by: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    directions: Mapping[str, str]
    kinds: Mapping[str, str]
    kind: str
    shape: str = ""
    cells: str = ""
    above: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    corrected: Mapping[str, str] = field(default_factory=dict)
    header_lines: int = 1
    region: str = ""
    network: str = ""

    @property
    def own(self) -> bool:
        """True for the format `calls`, which needs no mapping."""
        return not self.columns

    def column(self, what: str, names: list[str]) -> str | None:
        """Which of a file's columns holds a field; None where none does."""
        return next((n for n in self.columns.get(what, ()) if n in names), None)

    def respelt(self, names: Sequence[str]) -> list[str]:
        """A file's columns by the names that this layout has for them.

        Operators write one header with spaces, underscores and dots by turns: letters and digits
        tell it. A column that has its name already keeps it.
        """
        if self.own:
            return list(names)
        own = {spelt(n): n for some in self.columns.values() for n in some}
        own |= {spelt(n): n for n in self.known_by}
        told: list[str] = []
        for name in names:
            other = own.get(spelt(name), name)
            told.append(name if other in names or other in told else other)
        return told

    def told_above(self, text: str) -> dict[str, str]:
        """Fields that the text above a table tells."""
        found = {what: pattern.search(text) for what, pattern in self.above.items()}
        return {what: one[1].strip() for what, one in found.items() if one is not None}


def plain(name: str) -> str:
    """A column's name as it is compared: no quotes, lower case, single spaces."""
    return re.sub(r"\s+", " ", name.strip().strip("'\"").strip()).lower()


def spelt(name: str) -> str:
    """Letters and digits of a column's name, and the strokes that part them."""
    return re.sub(r"[^\w/]|_", "", name.lower())


def load(path: Path) -> Layout:
    """Read a layout's file; BadInput names the key that is wrong."""
    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except yaml.YAMLError as wrong:
        raise BadInput(f"The layout {path.name} is no YAML: {wrong}.") from None
    if not isinstance(data, dict):
        raise BadInput(f"The layout {path.name} is no YAML mapping.")
    return checked(path.name, data)


def checked(file: str, data: Mapping[str, Any]) -> Layout:
    """A layout from the data of its file (its name, for errors); BadInput as `load`."""
    for key in ("name", "title", "zone", "known_by"):
        if not data.get(key):
            raise BadInput(f"The layout {file} lacks {key}.")
    columns = data.get("columns") or {}
    if unknown := sorted(set(columns) - FIELDS):
        raise BadInput(
            f"The layout {file} has the unknown field {unknown[0]}.",
            advice=_FIELDS_ARE,
        )
    order = str(data.get("order") or "")
    if order and order not in ORDERS:
        raise BadInput(f"The layout {file} has the order {order}.", advice="dmy, mdy or ymd.")
    for key, known in (("shape", SHAPES), ("cells", CELLS)):
        if data.get(key) and data[key] not in known:
            raise BadInput(
                f"The layout {file} has the {key} {data[key]}.", advice=f"{' or '.join(known)}."
            )
    if data.get("header_lines") not in (None, 1, 2):
        raise BadInput(f"The layout {file} has another number of header_lines than 1 or 2.")
    try:
        ZoneInfo(str(data["zone"]))
    except (ZoneInfoNotFoundError, ValueError):
        raise BadInput(f"The layout {file} names the unknown zone {data['zone']}.") from None
    region = str(data.get("region") or "").upper()
    if region and region not in SUPPORTED_REGIONS:
        raise BadInput(
            f"The layout {file} has the region {region[:10]}, which has no numbering plan.",
            advice="An ISO 3166 code, as PK or IN; leave it out where it is the reader's own.",
        )
    return Layout(
        name=str(data["name"]),
        title=str(data["title"]),
        zone=str(data["zone"]),
        order=order,
        known_by=tuple(plain(str(n)) for n in data["known_by"]),
        columns=MappingProxyType(
            {
                field: tuple(plain(str(n)) for n in (names if isinstance(names, list) else [names]))
                for field, names in columns.items()
            }
        ),
        directions=_values(data.get("directions")),
        kinds=_values(data.get("kinds")),
        kind=str(data.get("kind_if_absent") or ""),
        shape=str(data.get("shape") or ""),
        cells=str(data.get("cells") or ""),
        above=_above(file, data.get("above") or {}),
        corrected={str(k): str(v) for k, v in (data.get("corrected") or {}).items()},
        header_lines=int(data.get("header_lines") or 1),
        region=region,
        network=_network(file, str(data.get("network") or "")),
    )


def _network(file: str, text: str) -> str:
    if text and not re.fullmatch(r"\d{3}-\d{2,3}", text):
        raise BadInput(
            f"The layout {file} has a network that is none.",
            advice="Write the country's and the network's code, as 410-01, in quotes.",
        )
    return text


def _above(file: str, data: dict[str, Any]) -> Mapping[str, re.Pattern[str]]:
    try:
        found = {str(f): re.compile(str(p), re.IGNORECASE) for f, p in data.items()}
    except re.error as wrong:
        raise BadInput(f"The layout {file} has a pattern that is none: {wrong}.") from None
    if odd := [f for f, p in found.items() if f not in FIELDS or p.groups != 1]:
        raise BadInput(
            f"The layout {file} tells {odd[0]} above a table.",
            advice=f"It may tell a field with a pattern of one group. {_FIELDS_ARE}",
        )
    return MappingProxyType(found)


def _values(data: Any) -> Mapping[str, str]:
    return MappingProxyType(
        {str(v).lower(): meaning for meaning, values in (data or {}).items() for v in values}
    )
