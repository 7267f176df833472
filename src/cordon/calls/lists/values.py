"""Values of operators' lists as the plain formats write them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls.layouts.areas import joined
from cordon.calls.layouts.dates import both_of, day_of, moments
from cordon.calls.layouts.durations import seconds_of
from cordon.calls.layouts.mapping import NO_VALUE

_TEXT = pa.string()
_NUMBER = r"^[0-9A-Fa-f]{1,9}$"  # of a cell, without its network
_SIDES = {"n": 1, "s": -1, "e": 1, "w": -1, "north": 1, "south": -1, "east": 1, "west": -1}
_SIDE = re.compile(r"(north|south|east|west|[nsew])", re.IGNORECASE)
_FIGURE = re.compile(r"\d+(?:[.,]\d+)?")
_DECIMAL = r"^[+-]?\d+(?:\.\d+)?$"
_UNIT = re.compile(r"\s*([+-]?\d[\d,]*(?:\.\d+)?)\s*([a-z°/.-]*)\s*", re.IGNORECASE)
_TIMES = {"km": 1000.0, "kms": 1000.0, "kb": 1024.0, "mb": 1024.0**2, "gb": 1024.0**3}
_WHOLE = re.compile(r"\d{1,12}")
_CELLS = 256  # that a station of LTE may have
_NUMBERS = re.compile(r"\s*(?:[/,;|&\n]|\band\b)\s*|(?<=\d{10})\s+(?=\+?\d{10})")
_FEWEST_DIGITS = 7
_MOST_PORTS = 65_535
_PORT = r"^(?:\d{1,4}|[1-5]\d{4}|6[0-4]\d{3}|65[0-4]\d{2}|655[0-2]\d|6553[0-5])$"
_AMOUNT = re.compile(r"(?:[a-z₨₹$]+\.?\s*)?([\d,]+(?:\.\d+)?)\s*(?:/-|/=)?", re.IGNORECASE)


def bare(column: pa.ChunkedArray | pa.Array) -> pa.Array:
    """Text without the quotes that operators put around it; null where it says nothing."""
    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    text = pc.utf8_trim(whole, characters=" \t'\"=")
    empty = pc.is_in(pc.utf8_lower(text), pa.array(NO_VALUE))
    return pc.if_else(empty, pa.scalar(None, _TEXT), text)


def each(column: pa.Array, one: Callable[[str], str | None]) -> pa.Array:
    """Each distinct text as `one` writes it."""
    encoded = column.dictionary_encode()
    known = [None if v is None else one(v) for v in encoded.dictionary.to_pylist()]
    return pa.array(known, _TEXT).take(encoded.indices)


def dates_and_times(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """A column that tells both as two; where it tells a date alone, no time."""
    dates, times = both_of(column)
    return pc.coalesce(dates, column), times


def instants(
    dates: pa.Array, times: pa.Array, order: str, zone: str, *, days: bool
) -> tuple[pa.Array, NDArray[np.bool_], NDArray[np.bool_]]:
    """As `layouts.dates.moments`; a date alone is its midnight in UTC where `days` are taken."""
    found, wrong, unclear = moments(dates, times, order, zone)
    if not days:
        return found, wrong, unclear
    alone = np.asarray(pc.is_null(times).to_numpy(zero_copy_only=False), bool)
    texts = dates.to_pylist()
    told = [day_of(texts[n], order) if alone[n] and texts[n] else None for n in range(len(texts))]
    midnight = pa.array([None if d is None else d * 86_400_000_000 for d in told], pa.int64())
    midnight = midnight.cast(pa.timestamp("us", "UTC"))
    return pc.coalesce(found, midnight), wrong & np.array([d is None for d in told]), unclear


def degrees(text: str) -> str | None:
    """A latitude or longitude in decimal degrees; as it stands where it cannot be read.

    Also as degrees, minutes and seconds, with its side of the world before or behind it.
    """
    side = _SIDE.findall(text)
    figures = [float(f.replace(",", ".")) for f in _FIGURE.findall(text)]
    if not 1 <= len(figures) <= 3 or len(side) > 1 or any(f >= 60 for f in figures[1:]):
        return text
    value = sum(f / 60**n for n, f in enumerate(figures))
    sign = _SIDES[side[0].lower()] if side else 1
    if text.strip().startswith("-"):
        sign = -sign
    return repr(round(sign * value, 7))


def places(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """A column of latitude and longitude as two, of decimal degrees."""
    told = [_place(v) for v in column.to_pylist()]
    return pa.array([t[0] for t in told], _TEXT), pa.array([t[1] for t in told], _TEXT)


def _place(text: str | None) -> tuple[str | None, str | None]:
    for sign in ("/", ";", "|", ", ", ",", " "):
        parts = [p.strip() for p in (text or "").split(sign) if p.strip()]
        if len(parts) == 2:
            return degrees(parts[0]), degrees(parts[1])
    return None, None


def angles(column: pa.Array) -> pa.Array:
    """Latitudes or longitudes in decimal degrees."""
    plain = pc.fill_null(pc.match_substring_regex(column, _DECIMAL), True)
    return column if pc.all(plain, min_count=0).as_py() else each(column, degrees)


def measured(
    column: pa.Array, least: float, most: float, unit: float = 1.0
) -> tuple[pa.Array, int]:
    """Numbers, with their unit (`120°`, `1.5 km`); null where there is none, or none within the
    bounds, both taken. And how many said something else."""

    def one(text: str) -> str | None:
        found = _UNIT.fullmatch(text)
        if found is None:
            return None
        value = float(found[1].replace(",", "")) * _TIMES.get(found[2].lower(), unit)
        return repr(round(value, 3)) if least <= value <= most else None

    told = each(column, one)
    return told, told.null_count - column.null_count


def volumes(column: pa.Array, unit: float) -> tuple[pa.Array, int]:
    """Amounts of data as whole bytes, and how many said something else."""
    whole = pc.fill_null(pc.match_substring_regex(column, r"^\d{1,18}$"), True)
    if unit == 1 and pc.all(whole, min_count=0).as_py():
        return column, 0
    told, lost = measured(column, 0, 2**62, unit)
    return each(told, lambda v: str(int(float(v)))), lost


def identities(columns: Mapping[str, pa.Array], rows: int) -> pa.Array:
    """Cells by their whole identity, where it stands in columns of its own too.

    Args:
        columns: `cell`, and of `area`, `plmn`, `mcc`, `mnc`, `enodeb` and `sector` those that are
            there; without `cell` its `sector` in the station `enodeb` is one.
    """
    nothing = pa.nulls(rows, _TEXT)
    cell, area = columns.get("cell", nothing), columns.get("area", nothing)
    if "enodeb" in columns:
        local = columns.get("sector", nothing)
        stations = columns["enodeb"].to_pylist()
        each_ = zip(stations, cell.to_pylist(), local.to_pylist(), strict=True)
        cell = pa.array([_of_station(*one) for one in each_], _TEXT)
    network = _networks(*(columns.get(n, nothing) for n in ("plmn", "mcc", "mnc")))
    named = pc.binary_join_element_wise(network, area, "-")
    told = joined(pc.coalesce(named, area), cell, "")
    alone = pc.and_(pc.is_null(area), pc.fill_null(pc.match_substring_regex(cell, _NUMBER), False))
    return pc.coalesce(
        pc.if_else(alone, pc.binary_join_element_wise(network, cell, "-"), None), told
    )


def _networks(plmn: pa.Array, mcc: pa.Array, mnc: pa.Array) -> pa.Array:
    """Networks as `MCC-MNC`, from the one column or the two that name them."""
    # two digits at least, as an identity has them: a spreadsheet makes 3 of 03
    both = pc.binary_join_element_wise(mcc, pc.utf8_lpad(mnc, 2, "0"), "-")
    bare_ = pc.replace_substring_regex(plmn, r"[-_/. ]", "")
    whole = pc.if_else(pc.match_substring_regex(bare_, r"^\d{5,6}$"), bare_, None)
    return pc.coalesce(both, pc.replace_substring_regex(whole, r"^(\d{3})", r"\1-"))


def _of_station(station: str | None, cell: str | None, local: str | None) -> str | None:
    """A cell by its number in its station: the identity is the station's number and eight bits
    (TS 36.413 §9.2.1.38). One that is larger is whole already."""
    number = cell if cell is not None else local
    if station is None or number is None or not (_WHOLE.fullmatch(station + number)):
        return cell
    return str(int(station) * _CELLS + int(number)) if int(number) < _CELLS else number


def is_public(column: pa.Array) -> NDArray[np.bool_]:
    """Which addresses the outside can see."""

    def seen(text: str) -> str | None:
        try:
            return text if ipaddress.ip_address(text).is_global else None
        except ValueError:
            return None

    return np.asarray(pc.is_valid(each(column, seen)).to_numpy(zero_copy_only=False), bool)


def with_ports(column: pa.Array, ports: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Addresses and ports where some stand in one column (`8.8.8.8:443`, `[2001:db8::1]:443`)."""
    joined = pc.match_substring_regex(column, r"^(?:[0-9.]+|\[.+\]):\d{1,5}$")
    if not pc.any(joined, min_count=0).as_py():
        return column, ports
    text = [(None if v is None else v.rpartition(":")) for v in column.to_pylist()]
    alone = pa.array([t and t[0].strip("[]") for t in text], _TEXT)
    beside = pa.array([t and t[2] for t in text], _TEXT)
    joined = pc.fill_null(joined, False)
    nothing = pa.scalar(None, _TEXT)
    return (
        pc.if_else(joined, alone, column),
        pc.coalesce(ports, pc.if_else(joined, beside, nothing)),
    )


def ports(column: pa.Array) -> tuple[pa.Array, int]:
    """Ports; null where it is none, as a block of them (`1024-2047`); and how many were none."""

    plain = pc.fill_null(pc.match_substring_regex(column, _PORT), True)
    if pc.all(plain, min_count=0).as_py():
        return column, 0

    def one(text: str) -> str | None:
        whole = re.fullmatch(r"(\d{1,5})(?:\.0)?", text)
        return whole[1] if whole and int(whole[1]) <= _MOST_PORTS else None

    told = each(column, one)
    return told, told.null_count - column.null_count


def no_mac(column: pa.Array) -> pa.Array:
    """Identities of handsets; null for what is an address of a network card (`00:1a:2b:…`)."""
    mac = pc.match_substring_regex(column, "^[0-9A-Fa-f]{2}(?:[:.-]?[0-9A-Fa-f]{2}){5}$")
    mac = pc.and_(mac, pc.match_substring_regex(column, "[^0-9]"))
    return pc.if_else(pc.fill_null(mac, False), pa.scalar(None, _TEXT), column)


def first_numbers(column: pa.Array) -> tuple[pa.Array, int]:
    """The first number of each value, and how many values hold several (`0300… / 0301…`).

    Several that are read as one would be a number that nobody has.
    """

    def one(text: str) -> str | None:
        parts = [p for p in _NUMBERS.split(text) if sum(map(str.isdigit, p)) >= _FEWEST_DIGITS]
        return parts[0] if len(parts) > 1 else text

    told = each(column, one)
    return told, pc.sum(pc.not_equal(told, column)).as_py() or 0


def seconds(column: pa.Array) -> NDArray[np.float64]:
    """Durations in seconds, NaN where there is none."""

    def one(text: str) -> str | None:
        if re.fullmatch(r"\d+(?:\.\d+)?", text):
            return text
        told = seconds_of(text)
        return None if told is None else str(told)

    told = each(column, one).cast(pa.float64())
    return np.asarray(told.to_numpy(zero_copy_only=False), np.float64)


def amounts(column: pa.Array) -> pa.Array:
    """Amounts without the currency's sign and what is written behind them (`Rs. 5,000/-`)."""

    def one(text: str) -> str | None:
        found = _AMOUNT.fullmatch(text.strip())
        return found[1] if found else text

    return each(column, one)


def meanings(column: pa.Array, words: Mapping[str, str]) -> pa.Array:
    """Words as the plain format has them; null for any that is not known."""
    return each(column, lambda v: words.get(v.strip().lower()))
