"""The headings by which operators name the columns of their lists, as data, and how one is told."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from cordon.calls.layouts.model import Layout
from cordon.calls.layouts.recognise import MOST_LINES, SIGNS, Recognised, split
from cordon.calls.layouts.zones import letters_of

_HINT = re.compile(r"[(\[]([^)\]]*)[)\]]")
_MOST_NAMES = 1_000  # of columns; no list has nearly so many
_WORD = re.compile(r"[^\W_]+")
_UNITS = {"kb": 1024, "kbytes": 1024, "mb": 1024**2, "mbytes": 1024**2, "km": 1000, "kms": 1000}
_ORDERS = {"dd": "dmy", "mm": "mdy", "yyyy": "ymd"}


@dataclass(frozen=True, slots=True)
class Headings:
    """What the columns of one kind of list are called.

    Attributes:
        form: the plain format that its rows are handed on in. title: for people.
        needs: groups of fields; a list has a column of one field of each.
        never: headings (as `key`) that show a file of another kind.
        columns: field to headings (as `key`), the best first.
        words: field to value (lower case) to the word of the plain format.
    """

    form: str
    title: str
    needs: tuple[tuple[str, ...], ...]
    never: frozenset[str]
    columns: Mapping[str, tuple[str, ...]]
    words: Mapping[str, Mapping[str, str]]

    @property
    def layout(self) -> Layout:
        """It as `sections` knows a layout."""
        return _layout(self.form)

    @property
    def known_by(self) -> str:
        """The columns that such a list must have, each by its first heading."""
        groups = ([self.columns[n][0] for n in some if n in self.columns] for some in self.needs)
        return ", ".join(" / ".join(some) for some in groups)

    def found(self, names: Sequence[str]) -> dict[str, int]:
        """The column of each field that is there, by place; none where it is no such list."""
        found = self._fields(names)
        return {} if self._missing(found) else _dated(found)

    def lacking(self, names: Sequence[str]) -> tuple[int, list[tuple[str, ...]]]:
        """How many fields these headings tell, and the groups of `needs` that they do not."""
        found = self._fields(names)
        return len(found), self._missing(found)

    def _fields(self, names: Sequence[str]) -> dict[str, int]:
        keys = [key(n) for n in names] if len(names) <= _MOST_NAMES else []
        if self.never & set(keys):
            return {}
        at = {k: n for n, k in reversed(list(enumerate(keys))) if k}
        return {
            what: at[next(k for k in known if k in at)]
            for what, known in self.columns.items()
            if not at.keys().isdisjoint(known)
        }

    def _missing(self, found: Mapping[str, int]) -> list[tuple[str, ...]]:
        return [some for some in self.needs if all(what not in found for what in some)]


@dataclass(frozen=True, slots=True)
class Head(Recognised):
    """The header of a list.

    Attributes:
        names: of each column the field that it holds, empty where it is passed over.
        orders: field to the order of day and month that its heading tells (`dmy`, `mdy`, `ymd`).
        clocks: field to the letters of the clock that its heading tells (`IST`).
        units: field to what its values are to be multiplied with, as their heading tells.
    """

    orders: Mapping[str, str] = field(default_factory=dict)
    clocks: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, int] = field(default_factory=dict)


def key(heading: str) -> str:
    """A heading as it is compared: its words, in lower case, without what stands in brackets."""
    return " ".join(_WORD.findall(_HINT.sub(" ", heading).lower()))


def head_of(lines: Sequence[bytes], some: Sequence[Headings]) -> Head | None:
    """The header of a list that begins with these lines; None where they hold none."""
    for number, line in enumerate(lines[:MOST_LINES]):
        best: tuple[int, Head] | None = None
        for sign in SIGNS:
            names = split(line, sign)
            for one in some if len(names) > 1 else ():
                found = one.found(names)
                if found and (best is None or len(found) > best[0]):
                    best = len(found), _head(one, number, sign, names, found)
        if best is not None:
            return best[1]
    return None


def told_by(lines: Sequence[bytes]) -> Headings | None:
    """The kind of list that a file is which begins with these lines."""
    head = head_of(lines, list(all_headings().values()))
    return None if head is None else all_headings()[head.layout.name]


@cache
def all_headings() -> Mapping[str, Headings]:
    """Every kind of list, by the plain format."""
    read = (_read(path) for path in sorted(Path(__file__).parent.glob("*.yaml")))
    return {one.form: one for one in read if one is not None}


def clock_named(letters: str, own: str) -> str:
    """The clock (IANA name) that letters of a heading mean, for readers whose own clock is `own`.

    `IST` is India's, Israel's and Ireland's: a country's own clock goes before.
    """
    zone = _clocks()[letters]
    return own if zone != "UTC" and letters in letters_of(own) else zone


@cache
def _clocks() -> Mapping[str, str]:
    text = (Path(__file__).parent / "clocks.yaml").read_text("utf-8")
    return dict(yaml.safe_load(text))


def _read(path: Path) -> Headings | None:
    data: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    if "form" not in data:
        return None
    words = {
        what: {v.lower(): word for word, values in some.items() for v in values}
        for what, some in (data.get("words") or {}).items()
    }
    return Headings(
        data["form"],
        data["title"],
        tuple(tuple(some) for some in data["needs"]),
        frozenset(key(n) for n in data["never"]),
        {what: tuple(key(n) for n in some) for what, some in data["columns"].items()},
        words,
    )


@cache
def _layout(form: str) -> Layout:
    one = all_headings()[form]
    needed = one.needs[-1]
    return Layout(
        name=form,
        title=one.title,
        zone="UTC",
        order="",
        known_by=tuple(n for what in needed for n in one.columns.get(what, ())),
        columns={},
        directions={},
        kinds={},
        kind="",
    )


def _dated(found: dict[str, int]) -> dict[str, int]:
    """The fields, each time in one column (`start`) or in two (`start_date`, `start_time`)."""
    told = dict(found)
    for what in {n.rpartition("_")[0] for n in found if n.endswith(("_date", "_time"))}:
        date, time = found.get(f"{what}_date"), found.get(f"{what}_time")
        both = date is not None and time is not None and date != time
        alone = time is not None and date is None and what == "end" and "start_date" in found
        if both or alone:
            told.pop(what, None)
            continue
        told.pop(f"{what}_date", None)
        told.pop(f"{what}_time", None)
        if what not in told and date is not None:
            told[what] = date
    return told


def _head(
    one: Headings, number: int, sign: str, names: Sequence[str], found: Mapping[str, int]
) -> Head:
    fields = [""] * len(names)
    for what, at in found.items():
        fields[at] = what
    told = {what: _words(names[at]) for what, at in found.items()}
    brackets = {what: _words(" ".join(_HINT.findall(names[at]))) for what, at in found.items()}
    return Head(
        one.layout,
        number,
        sign,
        tuple(fields),
        # two words at least: (mm) may be millimetres
        {n: _ORDERS[w[0]] for n, w in brackets.items() if len(w) > 1 and w[0] in _ORDERS},
        {n: w.upper() for n, words in told.items() for w in words if w.upper() in _clocks()},
        {n: _UNITS[w] for n, words in told.items() for w in words if w in _UNITS},
    )


def _words(heading: str) -> list[str]:
    return [w.lower() for w in _WORD.findall(heading)]
