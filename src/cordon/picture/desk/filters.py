"""The filters of the picture as they stand in its address, for the table beside the map.

The map applies the same rules to its frames (`static/islands/filters.js`); names of parameters
and their meaning stand here once:

    kind    one of KINDS            source  the receiver or feed
    name    words in name or id     age     heard within so many minutes
    least, most    speed (kn)       moving  1: under way (half a knot and more)
    listed  1: on the watch list    found   1: a finding speaks of it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from cordon.kernel.errors import BadInput
from cordon.picture.live import FLAG_FOUND, FLAG_STILL, HEADER
from cordon.picture.model import KINDS
from cordon.picture.tracks import Bools

NOT_TOLD = 0xFFFF


@dataclass(frozen=True, slots=True)
class Filters:
    """What of the picture is asked for; empty ones ask for everything. See the module."""

    kind: str = ""
    source: str = ""
    name: str = ""
    age: float | None = None
    least: float | None = None
    most: float | None = None
    moving: bool = False
    listed: bool = False
    found: bool = False

    @classmethod
    def read(cls, query: Mapping[str, str]) -> Filters:
        """From an address; what it does not know it passes over. Raises BadInput."""
        given: dict[str, Any] = {}
        for field in fields(cls):
            raw = query.get(field.name, "").strip()
            if not raw:
                continue
            if field.name in ("age", "least", "most"):
                given[field.name] = _number(field.name, raw)
            elif field.name in ("moving", "listed", "found"):
                given[field.name] = raw not in ("0", "false")
            else:
                given[field.name] = raw[:80]
        if given.get("kind") and given["kind"] not in KINDS:
            raise BadInput(f"There is no kind {given['kind'][:20]!r}.")
        return cls(**given)


@dataclass(frozen=True, slots=True)
class Shown:
    """The rows of a frame as columns; course: degrees, speed: kn, NaN where not told; age: s."""

    lat: Any
    lon: Any
    index: Any
    course: Any
    speed: Any
    age: Any
    kind: Any
    flags: Any

    @classmethod
    def of(cls, frame: bytes) -> Shown:
        """The columns of a frame of the live picture."""
        _magic, _version, at, count, *_rest = HEADER.unpack_from(frame)
        columns = []
        for form in ("<f8", "<f8", "<u4", "<u2", "<u2", "<u2", "u1", "u1"):
            columns.append(np.frombuffer(frame, dtype=form, count=count, offset=at))
            at += count * np.dtype(form).itemsize
        lat, lon, index, course, speed, age, kind, flags = columns
        return cls(lat, lon, index, _tenths(course), _tenths(speed), age, kind, flags)

    def fitting(self, asked: Filters) -> Bools:
        """Which rows fit what the frame itself can tell: all but name, source and list."""
        fits = np.ones(len(self.index), dtype=np.bool_)
        if asked.kind:
            fits &= self.kind == KINDS.index(asked.kind)
        if asked.age is not None:
            fits &= self.age <= asked.age * 60
        if asked.least is not None:
            fits &= self.speed >= asked.least
        if asked.most is not None:
            fits &= self.speed <= asked.most
        if asked.moving:
            fits &= ~np.isnan(self.speed) & (self.flags & FLAG_STILL == 0)
        if asked.found:
            fits &= self.flags & FLAG_FOUND != 0
        return fits


def told(value: float) -> float | None:
    """A value, or None for NaN."""
    return None if np.isnan(value) else float(value)


def _tenths(column: Any) -> Any:
    return np.where(column == NOT_TOLD, np.nan, column / 10)


def _number(name: str, raw: str) -> float:
    try:
        value = float(raw)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 100_000:
        raise BadInput(f"The filter {name} takes a number of 0 or more, not {raw[:20]!r}.")
    return value
