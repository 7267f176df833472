"""Positions as a table (formats.md): what CSV and Parquet share, column by column.

A chunk of rows is converted a column at a time; only a column that holds something broken
is gone through value by value, so that one bad row costs no more than its chunk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from cordon.kernel.clock import parse_time
from cordon.kernel.errors import BadInput
from cordon.picture.feeds.source import EARLIEST, LATEST, Gathering
from cordon.picture.model import KINDS, Static
from cordon.picture.tracks import Batch, Floats, Ints

REQUIRED = ("at", "source", "subject", "lat", "lon")
NUMBERS = ("speed_kn", "course_deg", "heading_deg", "accuracy_m")
NAMES = ("name", "imo", "call_sign", "ship_type", "flag")
KNOWN = (*REQUIRED, *NUMBERS, "kind", *NAMES)

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?[Zz]").fullmatch
_SUBJECT = re.compile(r"[a-z][a-z0-9_]*:\S(?:.{0,126}\S)?").fullmatch
_KIND_CODE = {kind: code for code, kind in enumerate(KINDS)} | {"": 0}

Column = Sequence[str]


def expect(found: Sequence[str], where: str) -> None:
    """Refuse a header without the required columns, naming both."""
    missing = [c for c in REQUIRED if c not in found]
    if missing:
        shown = ", ".join(str(c)[:40] for c in list(found)[:20]) or "nothing"
        raise BadInput(
            f"{where} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; "
            f"it has: {shown}.",
            advice=f"Positions need {', '.join(REQUIRED)}, with these names, in any order; "
            "or give a log of AIS sentences.",
        )


def take_rows(
    g: Gathering, columns: dict[str, Column], rows: Ints, t: Floats | None = None
) -> Batch:
    """One chunk as a batch; rows that cannot be read are refused with their first fault.

    Args:
        columns: text columns of equal length by name, at least those of REQUIRED (without
            `at` where `t` is given). rows: their row numbers. t: times already read, s.
    """
    n = len(rows)
    fault: dict[int, str] = {}
    if t is None:
        t = _times(columns["at"], fault)
    lat = _numbers(columns["lat"], "lat", fault, required=True)
    lon = _numbers(columns["lon"], "lon", fault, required=True)
    out = ~((lat >= -90) & (lat <= 90) & (lon >= -180) & (lon <= 180))
    for i in np.flatnonzero(out):
        fault.setdefault(int(i), "the position lies outside ±90 and ±180 degrees")
    for late in np.flatnonzero(~((t >= EARLIEST) & (t <= LATEST))):
        fault.setdefault(int(late), "the time is not between 1980 and 2100")
    empty = [""] * n
    speed, course, heading, accuracy = (
        _numbers(columns.get(c, empty), c, fault, required=False) for c in NUMBERS
    )
    subject = _codes(columns["subject"], g.subject_code, wrong_subject, fault)
    source = _codes(columns["source"], g.source_code, _is_source, fault)
    kinds = columns.get("kind", empty)
    kind = np.array([_KIND_CODE.get(k.strip(), -1) for k in kinds], dtype=np.int64)
    for i in np.flatnonzero(kind < 0):
        fault.setdefault(int(i), f"kind is none of {', '.join(KINDS)}")
    good = np.ones(n, dtype=bool)
    for bad in sorted(fault):
        good[bad] = False
        g.refuse(int(rows[bad]), fault[bad])
    g.counts.read += n
    _say_names(g, columns, t, good)
    batch = Batch(
        g.sha256,
        list(g.subjects),
        list(g.sources),
        subject,
        source,
        t,
        lat,
        lon,
        np.where((speed >= 0) & (speed < 1e4), speed, np.nan),
        _angle(course),
        _angle(heading),
        np.where(accuracy >= 0, accuracy, np.nan),
        kind,
        rows,
        g.static,
        g.take_said(t),
    )
    return g.kept(batch if good.all() else batch.take(good))


def wrong_subject(text: str) -> str:
    """Why a text is no subject, or empty where it is one."""
    if text.startswith("mmsi:"):
        digits = text[5:].strip()
        if not (digits.isascii() and digits.isdigit()):
            return "the subject's MMSI is not made of digits"
        if len(digits) > 9:
            return "the subject's MMSI has more than nine digits"
    return "" if _SUBJECT(text) else "the subject is not written type:id, as mmsi:463012345"


def _is_source(text: str) -> str:
    return "" if text.strip() else "the source is empty"


def _codes(
    column: Column, code: Callable[[str], int], wrong: Callable[[str], str], fault: dict[int, str]
) -> Ints:
    """Codes of a column of names; each distinct name is looked at once."""
    known: dict[str, int] = {}
    bad: dict[str, str] = {}
    for name in set(column):
        if reason := wrong(name):
            bad[name] = reason
    for name in dict.fromkeys(column):
        known[name] = 0 if name in bad else code(name.strip())
    if bad:
        for i, name in enumerate(column):
            if name in bad:
                fault.setdefault(i, bad[name])
    return np.array([known[name] for name in column], dtype=np.int64)


def _times(column: Column, fault: dict[int, str]) -> Floats:
    if all(map(_RFC3339, column)):
        try:
            stamps = np.array([s[:-1].replace(" ", "T") for s in column], dtype="datetime64[us]")
            return np.asarray(stamps.astype(np.int64) / 1e6)
        except ValueError:
            pass  # a 31 February among them: each is looked at below
    t = np.full(len(column), 0.0)
    for i, text in enumerate(column):
        try:
            t[i] = parse_time(text).timestamp()
        except (BadInput, OverflowError, ValueError) as wrong:
            zone = isinstance(wrong, BadInput) and "zone" in wrong.message
            fault.setdefault(
                i,
                "the time names no zone: write it with Z"
                if zone
                else "the time is not RFC 3339, as 2026-01-17T08:30:00Z",
            )
    return t


def _numbers(column: Column, name: str, fault: dict[int, str], *, required: bool) -> Floats:
    try:
        values = np.array([v or "nan" for v in column], dtype=np.float64)
    except ValueError:
        values = np.full(len(column), np.nan)
        for i, text in enumerate(column):
            try:
                values[i] = float(text) if text.strip() else np.nan
            except ValueError:
                fault.setdefault(i, f"{name} is not a number")
    if required:
        for blank in np.flatnonzero(~np.isfinite(values)):
            fault.setdefault(int(blank), f"{name} is empty or not a number")
    return values


def _angle(values: Floats) -> Floats:
    # 360 is north written otherwise; beyond it stand the codes for “not available”
    inside: NDArray[np.bool_] = (values >= 0) & (values <= 360)
    return np.where(inside, values % 360.0, np.nan)


def _say_names(
    g: Gathering, columns: dict[str, Column], t: Floats, good: NDArray[np.bool_]
) -> None:
    named = [c for c in NAMES if c in columns]
    if not named:
        return
    rows = list(zip(columns["subject"], *(columns[c] for c in named), strict=True))
    # a dict keeps the order of the file, so that the newest word stands
    first = {row: n for n, row in reversed(list(enumerate(rows))) if good[n] and any(row[1:])}
    begins = sorted(first.values())
    if len({row[0] for row in first}) < len(
        first
    ):  # who says more than one thing may say the first again
        last: dict[str, tuple[str, ...]] = {}
        begins = []
        for n, row in enumerate(rows):
            if row in first and good[n] and last.get(row[0]) != row:
                last[row[0]] = row
                begins.append(n)
    for n in begins:
        subject, *said = rows[n]
        words = dict(zip(named, map(str.strip, said), strict=True))
        g.says(subject.strip(), Static(**words), float(t[n]))
