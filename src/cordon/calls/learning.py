"""Proposes a layout for a file that none is known for, to be looked over by a person."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from cordon.calls.cellids import Base, is_cell
from cordon.calls.layouts import Layout, plain
from cordon.calls.layouts.dates import Order
from cordon.calls.layouts.grouped import are_groups, joined
from cordon.calls.layouts.languages import languages, words
from cordon.calls.layouts.lines import is_furniture
from cordon.calls.layouts.mapping import FORWARDS, SIDES
from cordon.calls.layouts.meanings import DIRECTIONS, Column, Guess, guessed, weighed
from cordon.calls.layouts.model import FIELDS
from cordon.calls.layouts.recognise import MOST_LINES, SIGNS, split
from cordon.calls.lists import no_calls
from cordon.calls.printed import Header, Printed, first_header
from cordon.calls.sources import source
from cordon.calls.trying import Sample, Trial, tried
from cordon.countries import clock_of
from cordon.kernel.errors import BadInput, BadUsage

SAMPLE = 2_000  # rows that are looked at
_FEWEST_NAMES = 4
_EXPECTED = "A CSV file, a workbook or a printed report with a header is expected."
PASSED_OVER = "none"
_WORTH = 0.2  # share of a sample's rows for which a meaning is given up
_CODED = ("direction", "kind")  # given up, they would let every row be read as what it is not
_MOST_TOLD = 8  # codes that a sentence names


@dataclass(frozen=True, slots=True)
class Proposal:
    """A layout as it might be.

    Attributes:
        guesses: what each column means, in the file's order.
        layout: the data of a layout's file. lacks: sentences on what it cannot be used without.
        notes: sentences on what a person should look at. trial: what became of the sample's rows
            when they were read by it; None where they were not.
    """

    guesses: tuple[Guess, ...]
    layout: Mapping[str, Any]
    lacks: tuple[str, ...] = field(default=())
    notes: tuple[str, ...] = ()
    trial: Trial | None = None

    @property
    def kept(self) -> int:
        """Rows of the sample that it reads."""
        return self.trial.kept if self.trial is not None else 0

    def as_yaml(self) -> str:
        """The layout's file."""
        return yaml.safe_dump(dict(self.layout), sort_keys=False, allow_unicode=True, width=100)


def learn(
    path: Path,
    *,
    name: str,
    zone: str,
    region: str,
    layouts: Sequence[Layout],
    corrections: Mapping[str, str] | None = None,
    order: str = "",
) -> Proposal:
    """Propose a layout for a file.

    Args:
        name: of the layout. zone: IANA name of the clock of its times.
        region: ISO 3166 code of numbers in national form.
        layouts: known ones, whose headers and codes are likely to mean the same here; what was
            corrected in them holds here too.
        corrections: meaning by column's name; `none` passes a column over. They are kept in the
            layout's file.
        order: of day and month as somebody said it (`dmy`, `mdy`), kept in the layout's file.

    Raises:
        BadInput: the file has no header, or its dates are written otherwise than was said.
        BadUsage: a correction names no column or no meaning.
    """
    region = region.upper()
    table = _table(path)
    said = _said(corrections or {}, [c.name for c in table.columns])
    before = {
        words(n): "" if m == PASSED_OVER else m for one in layouts for n, m in one.corrected.items()
    }
    sure = weighed(table.columns, layouts, region, before | said)

    def proposed(barred: frozenset[tuple[str, str]]) -> Proposal:
        guesses = guessed(table.columns, sure, barred)
        data = _layout(table, guesses, layouts, name, (zone, region), corrections or {})
        if order and data.setdefault("order", order) != order:
            raise BadInput(
                f"{path.name} does not write its dates in the order that was said.",
                advice="Leave the order of dates (--dates) unsaid: its own dates tell it.",
            )
        trial = tried(data, table.sample, region)
        notes = (*trial.notes, *_notes(guesses, table, data))
        lacks = tuple(_lacks(guesses))
        other = no_calls([c.name for c in table.columns])
        if other:  # whoever corrects it has seen this, and may know better
            lacks, notes = (lacks, (other, *notes)) if said else ((other, *lacks), notes)
        return Proposal(tuple(guesses), data, lacks, notes, trial)

    return _best(proposed)


def _best(proposed: Callable[[frozenset[tuple[str, str]]], Proposal]) -> Proposal:
    """The proposal under which the most rows of the sample are read.

    Starting from the likeliest meanings, the one is given up without which many more rows are
    read, as long as there is one. A few rows more are no reason: they are the file's odd rows,
    and a column that tells something would be lost for them.
    """
    barred: frozenset[tuple[str, str]] = frozenset()
    best = proposed(barred)
    while best.trial is not None and best.trial.refused > _WORTH * best.trial.rows:
        tries = [
            (other, barred | {(g.column, g.meaning)})
            for g in best.guesses
            if g.meaning and g.meaning not in _CODED
            for other in [proposed(barred | {(g.column, g.meaning)})]
        ]
        if not tries:
            break
        better, without = max(tries, key=lambda t: t[0].kept)
        if better.kept - best.kept <= _WORTH * best.trial.rows:
            break
        best, barred = better, without
    return best


@dataclass(frozen=True, slots=True)
class _Table:
    columns: tuple[Column, ...]
    shape: str
    sample: Sample
    header_lines: int = 1


def _table(path: Path) -> _Table:
    """The header of a file and a sample of each column."""
    if not path.is_file():
        raise BadInput(f"There is no file {path.name}.", advice=_EXPECTED)
    opened = source(path, None, _EXPECTED)
    block = next(opened.blocks(), None)
    if block is None or not block.text.strip():
        raise BadInput(opened.broken or f"{path.name} is empty.", advice=_EXPECTED)
    lines = block.text.split(b"\n")
    shape = "delimited"
    at, sign = header_line(lines)
    two = grouped_header(lines)
    if two is not None:
        at, sign = two
    if at < 0 and not opened.is_workbook:
        text = block.text.decode(errors="replace").expandtabs().split("\n")
        header = first_header(text, _named)
        if header is not None:
            shape, sign = "fixed", ","
            lines, at = _printed(path, header)
    if at < 0:
        raise BadInput(f"{path.name} has no line that looks like a header.", advice=_EXPECTED)
    names = split(lines[at], sign)
    if two is not None:
        names = joined(split(lines[at - 1], sign), names)
    repeated = {tuple(split(lines[n], sign)) for n in (at, at - (two is not None))}
    rows = [
        split(line, sign)
        for line in lines[at + 1 : at + 1 + SAMPLE]
        if line.strip() and not is_furniture(line.decode(errors="replace"))
    ]
    above = b"\n".join(lines[:at]).decode(errors="replace")
    rows = [r for r in rows if abs(len(r) - len(names)) <= 1 and tuple(r) not in repeated]
    columns = [
        Column(
            " ".join(name.strip(" '\"").split()),
            tuple(v for r in rows if i < len(r) and (v := r[i].strip(" '\"=\t"))),
        )
        for i, name in enumerate(names)
    ]
    sample = Sample(tuple(plain(n) for n in names), tuple(map(tuple, rows)), above)
    each = {c.name: c for c in reversed(columns) if c.name}
    return _Table(
        tuple(c for c in columns if each.get(c.name) is c), shape, sample, 1 if two is None else 2
    )


def header_line(lines: Sequence[bytes]) -> tuple[int, str]:
    """The line that holds most names above rows of as many values, and its sign; -1 for none."""
    best, found = 0, (-1, ",")
    for at, line in enumerate(lines[:MOST_LINES]):
        for sign in SIGNS:
            names = split(line, sign)
            count = _named(names)
            below = [split(b, sign) for b in lines[at + 1 : at + 30] if b.strip()]
            rows = sum(abs(len(r) - len(names)) <= 1 for r in below)
            if count > best and rows * 2 > len(below) > 0:
                best, found = count, (at, sign)
    return found


def grouped_header(lines: Sequence[bytes]) -> tuple[int, str] | None:
    """The second line of a header of two, groups over names, and its sign; None for none."""
    for at in range(1, min(len(lines), MOST_LINES)):
        for sign in SIGNS:
            above, names = split(lines[at - 1], sign), split(lines[at], sign)
            if len(names) < _FEWEST_NAMES or not are_groups(above, names):
                continue
            below = [split(b, sign) for b in lines[at + 1 : at + 30] if b.strip()]
            rows = sum(abs(len(r) - len(names)) <= 1 for r in below)
            if rows * 2 > len(below) > 0:
                return at, sign
    return None


def _named(names: Sequence[str]) -> int:
    """How many names a line has, where it holds names and no values; else 0."""
    have = [n.strip(" '\"") for n in names if n.strip(" '\"")]
    like = [n for n in have if any(c.isalpha() for c in n) and sum(c.isdigit() for c in n) < 4]
    distinct = len(set(have))  # some stand twice: of each pair the first is meant
    enough = distinct >= _FEWEST_NAMES and len(like) == len(have) < 2 * distinct
    return distinct if enough else 0


def _printed(path: Path, header: Header) -> tuple[list[bytes], int]:
    """A printed report's lines as comma-parted ones, and where its header stands."""

    def same(names: Sequence[str]) -> int:
        return len(names) if tuple(names) == header.names else 0

    block = next(Printed(source(path, None, _EXPECTED), same).blocks())
    return block.text.split(b"\n"), header.last


def _said(corrections: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    have = {words(n) for n in names}
    for column, meaning in corrections.items():
        if words(column) not in have:
            raise BadUsage(f"The file has no column {column[:60]}.")
        if meaning != PASSED_OVER and meaning not in FIELDS:
            raise BadUsage(
                f"A column cannot mean {meaning[:40]}.",
                advice=f"Take of: {', '.join(sorted(FIELDS))}; or {PASSED_OVER}.",
            )
    return {words(c): "" if m == PASSED_OVER else m for c, m in corrections.items()}


def _layout(
    table: _Table,
    guesses: Sequence[Guess],
    layouts: Sequence[Layout],
    name: str,
    of: tuple[str, str],
    corrections: Mapping[str, str],
) -> dict[str, Any]:
    by = {g.meaning: g.column for g in guesses if g.meaning}
    values = {c.name: c.values for c in table.columns}
    columns: dict[str, Any] = {m: c for m, c in by.items() if m not in ("direction", "kind")}
    data: dict[str, Any] = {"name": name, "title": f"{name}, as it was learned"}
    data |= dict(zip(("zone", "region"), of, strict=True))
    order = Order()
    order.look(v.split(" ")[0] for v in values.get(by.get("date") or by.get("start") or "", ()))
    if told := order.told(""):
        data["order"] = told
    if table.header_lines > 1:
        data["header_lines"] = table.header_lines
    if table.shape == "fixed":
        data["shape"] = "fixed"
    base = Base()
    for meaning in ("cell", "caller_cell", "callee_cell"):
        base.look(pa.array(values.get(by.get(meaning, ""), ()), pa.string()))
    if base.told != "decimal":
        data["cells"] = base.told
    telling = [g.column for g in guesses if g.meaning and g.confidence >= 0.5]
    data["known_by"] = telling or [g.column for g in guesses if g.meaning] or list(values)
    coded = [c for m in ("kind", "direction") if (c := by.get(m))]
    if "direction" in by:
        columns["direction"] = by["direction"]
        data["directions"] = _known_codes(values[by["direction"]], layouts, "directions")
    if coded:
        columns["kind"] = coded
        seen = [v for c in coded for v in values[c]]
        data["kinds"] = _known_codes(seen, layouts, "kinds")
    if not coded or not data["kinds"]:
        data["kind_if_absent"] = "voice"
        columns.pop("kind", None)
        data.pop("kinds", None)
    data["columns"] = columns
    if corrections:
        data["corrected"] = dict(corrections)
    return data


def _known_codes(values: Sequence[str], layouts: Sequence[Layout], which: str) -> dict[str, Any]:
    """The codes that stand in a column and in some layout, by what they mean there.

    All that the layouts know of a meaning is taken, because a sample seldom has every code.
    """
    known: dict[str, str] = {}
    if which == "directions":
        known = {code: m for m, some in DIRECTIONS.items() for code in some}
    for layout in layouts:
        known |= {c: m for c, m in getattr(layout, which).items() if not c.isdigit()}
    seen = {v.lower() for v in values}
    for one in languages():  # only of those that the file is written in
        codes = getattr(one, which)
        known |= codes if seen & set(codes) else {}
    if not seen & set(known):
        return {}
    return {
        m: sorted(c for c, means in known.items() if means == m)
        for m in sorted(set(known.values()))
    }


def _notes(guesses: Sequence[Guess], table: _Table, data: Mapping[str, Any]) -> list[str]:
    """What a person should look at: how the direction is taken, and codes that none knows."""
    by = {g.meaning: g for g in guesses if g.meaning}
    notes = []
    if {"target", "other", "direction"} <= set(by):
        target, other = by["target"].column, by["other"].column
        notes.append(
            f"{target} is taken for the target's number, and {other} for the caller where "
            f"{by['direction'].column} says incoming. Where {target} is always the caller, say "
            f"so: --set '{target}=caller' --set '{other}=callee'."
        )
    whose = [by[m].column for m in SIDES if m in by]
    if whose and "direction" not in by:
        notes.append(
            f"No column tells whose {', '.join(whose)} it is, and so it is passed over. Where it "
            "is the caller's, say so: "
            + " ".join(f"--set '{by[m].column}=caller_{m}'" for m in SIDES if m in by)
            + "."
        )
    notes += _of_network(by, table, data)
    known = {c for which in ("directions", "kinds") for some in (data.get(which) or {}).values()
             for c in some}  # fmt: skip
    for meaning in _CODED:
        if meaning not in by:
            continue
        column = next(c for c in table.columns if c.name == by[meaning].column)
        odd = sorted({v.lower() for v in column.values} - known - FORWARDS)
        if odd:
            some = ", ".join(v[:20] for v in odd[:_MOST_TOLD])
            notes.append(
                f"Nothing is known of these values of {column.name}: {some}. Say in the layout's "
                "file what they mean (directions, kinds)."
            )
    return notes


def _of_network(by: Mapping[str, Guess], table: _Table, data: Mapping[str, Any]) -> Iterator[str]:
    """That cells told by area and number name no network, and so are found in no list of cells."""
    for of in ("cell", "caller_cell", "callee_cell"):
        area = by.get(of.replace("cell", "area"))
        if area is None or of not in by or "network" in data:
            continue
        values = next(c for c in table.columns if c.name == by[of].column).values
        if not any(map(is_cell, values)):
            yield (
                f"{area.column} and {by[of].column} together are a cell, but they do not say of "
                "which network. Where all are of one, say it in the layout's file, so that they "
                'are the cells of other files too: network: "410-01" (country and network).'
            )


def _lacks(guesses: Sequence[Guess]) -> list[str]:
    have = {g.meaning for g in guesses}
    lacks = []
    if not have & {"date", "start"}:
        lacks.append("No column holds dates.")
    if "date" in have and "start" not in have and "time" not in have:
        lacks.append("No column holds times of day.")
    if not {"caller", "callee"} <= have and not {"target", "other"} <= have:
        lacks.append("It is not clear which columns hold the two numbers of a call.")
    if "target" in have and "direction" not in have:
        lacks.append("No column tells whether the target called or was called.")
    return lacks


def by_name(names: Sequence[str]) -> dict[str, str]:
    """Corrections as a command gives them: `COLUMN=MEANING` each.

    Raises:
        BadUsage: one has no equals sign.
    """
    found = {}
    for one in names:
        column, sign, meaning = one.rpartition("=")
        if not sign or not column.strip():
            raise BadUsage("A correction is COLUMN=MEANING.", advice="For example: 'B No=callee'.")
        found[plain(column)] = meaning.strip().lower()
    return found


def name_of(path: Path) -> str:
    """A layout's name by its file's; a long number, which may be a person's, is left out."""
    bare = re.sub(r"\d{5,}", "", path.name.split(".")[0].lower())
    return re.sub(r"[^a-z0-9]+", "-", bare).strip("-") or "learned"


def zone_of(region: str) -> str:
    """The IANA name of a country's clock (by its ISO 3166 code); empty where it is not known."""
    zone = clock_of(region)
    return "" if zone is None else zone.key
