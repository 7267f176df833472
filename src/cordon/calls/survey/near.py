"""The calls of those who could matter: the third pass, as arrays in memory.

Who is let through is decided by plain counts alone, generously: what is usual of a subscriber
is to be called about as often as to call, and to call the same few people.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls.survey.census import Census
from cordon.calls.survey.distinct import distinct
from cordon.calls.survey.engine import Engine

ROWS = """
SELECT c.us, c.duration_s, c.kind = 'voice' AS voice, key64(c.caller) AS a, key64(c.callee) AS b,
       c.caller_imsi, c.caller_imei, c.caller_cell, c.callee_imsi, c.callee_imei, c.callee_cell,
       c.origin, c.row
FROM calls c LEFT JOIN near x ON key64(c.caller) = x.k LEFT JOIN near y ON key64(c.callee) = y.k
WHERE x.k IS NOT NULL OR y.k IS NOT NULL
"""

FAN, TAKES, BOX, NAMED, ENDED, BEGAN, SAMPLE = (1 << n for n in range(7))
"""Why a number is looked at: calls many, is called by many, calls and is never called, stands in
a complaint, fell silent within the span, first spoke within it, says what is usual."""

_DAY = 86_400_000_000  # microseconds
_FEWEST_OUT, _MET, _RETURNED = 3, 0.5, 0.4
_FEWEST_IN, _HEARD, _ANSWERS = 12, 0.6, 0.35
_FEWEST_BOX, _NEVER = 20, 0.08
_FEWEST_LIFE = 10  # records; fewer make no habit that could be known again
_SILENCES = 8  # mean intervals of silence that are no longer chance (e^-8 for a Poisson process)
_SAME_START, _SAME_TALK = 2_000_000, 2.0  # µs, s: so far two records of one call differ
_EXEMPT = 300  # exempt numbers whose calls are fetched
_SAMPLE = 1_000  # numbers that say what is usual
MOST_ROWS = 6_000_000
"""Rows held at a time; beyond it the least striking numbers are left out, and that is said."""


@dataclass(slots=True)
class Near:
    """Calls with at least one end among those who could matter, each call once, by time.

    Attributes:
        numbers: every number at either end, sorted; `why[i]` is 0 where it is only the other end.
        in_census: position of each in the census.
        us: start (µs). duration: seconds, NaN where not recorded. voice: or a message.
        caller, callee: positions in `numbers`. *_imsi, *_imei, *_cell: positions in `imsis`,
            `imeis` (14 digits: 3GPP TS 23.003 §6.2) and `cells`, -1 where not recorded.
        origin, row: where the record stands; origin is a position in `origins`.
        exempt_one_in: how many exempt numbers stand behind each whose calls are here.
        repeated: records left out because an equal one stands before.
        left_out: sentences for the reader.
    """

    numbers: list[str]
    in_census: NDArray[np.int64]
    why: NDArray[np.int8]
    us: NDArray[np.int64]
    duration: NDArray[np.float32]
    voice: NDArray[np.bool_]
    caller: NDArray[np.int32]
    callee: NDArray[np.int32]
    caller_imsi: NDArray[np.int32]
    caller_imei: NDArray[np.int32]
    caller_cell: NDArray[np.int32]
    callee_imsi: NDArray[np.int32]
    callee_imei: NDArray[np.int32]
    callee_cell: NDArray[np.int32]
    origin: NDArray[np.int32]
    row: NDArray[np.int64]
    imsis: list[str]
    imeis: list[str]
    cells: list[str]
    origins: list[str]
    exempt_one_in: float = 1.0
    repeated: int = 0
    left_out: list[str] = field(default_factory=list)


def who_matters(census: Census, named: Iterable[str] = ()) -> NDArray[np.int8]:
    """For each of the census, why it is looked at; 0 where it is not."""
    out, inn = census.out, census.inn
    why = np.zeros(len(out), np.int8)
    fan = (out >= _FEWEST_OUT) & (census.met >= _MET * out) & (inn <= _RETURNED * out)
    why[fan] |= FAN
    takes = (inn >= _FEWEST_IN) & (census.heard >= _HEARD * inn) & (out <= _ANSWERS * inn)
    why[takes] |= TAKES
    why[(out >= _FEWEST_BOX) & (inn <= _NEVER * out)] |= BOX
    acts = census.sent + census.got
    life = np.maximum(census.last - census.first, 1)
    quiet = np.maximum(2 * _DAY, _SILENCES * life / np.maximum(acts, 1))
    lived = (acts >= _FEWEST_LIFE) & (census.last >= census.first)
    why[lived & (census.end - census.last > quiet)] |= ENDED
    why[lived & (census.first - census.begin > quiet)] |= BEGAN
    why[census.at(named)] |= NAMED
    why[_sample(census)] |= SAMPLE
    return why


def _sample(census: Census) -> NDArray[np.int64]:
    """Some numbers that call, by their own digits: another day of records leaves them the same."""
    lived = np.flatnonzero((census.out >= _FEWEST_OUT) & (census.inn + census.out >= _FEWEST_LIFE))
    names = census.number.take(pa.array(lived)).to_pylist()
    drawn = np.array([crc32(n.encode()) for n in names], np.int64)
    return lived[drawn < _SAMPLE * 2**32 / max(len(lived), _SAMPLE)]


def gather(
    engine: Engine,
    census: Census,
    named: Iterable[str] = (),
    exempt: Iterable[str] = (),
    *,
    most: int = MOST_ROWS,
) -> Near:
    """Fetch the calls of those who could matter.

    Args:
        named: numbers that a complaint names, looked at whatever they did.
        exempt: numbers whose trade it is to call many; only some of them are fetched, to see
            what is usual where they are.
        most: rows at most.
    """
    why = who_matters(census, named)
    one_in = _fewer(census, why, exempt)
    left_out = _within(census, why, most)
    chosen = np.flatnonzero(why)
    engine.put("near", pa.table({"k": _as_key(census, chosen)}))
    return _near(engine.table(ROWS), census, why, one_in, left_out)


def _fewer(census: Census, why: NDArray[np.int8], exempt: Iterable[str]) -> float:
    """Leave out exempt numbers but for some; how many stand behind each that is left."""
    at = census.at(exempt)
    at = at[(why[at] & (FAN | TAKES | BOX)) > 0]
    if len(at) <= _EXEMPT:
        return 1.0
    names = census.number.take(pa.array(at)).to_pylist()
    order = np.argsort([crc32(n.encode()) for n in names], kind="stable")
    why[at[order[_EXEMPT:]]] = 0
    return len(at) / _EXEMPT


def _within(census: Census, why: NDArray[np.int8], most: int) -> list[str]:
    """Take out the least striking numbers until the rest has at most so many rows."""
    rows = census.sent + census.got
    chosen = np.flatnonzero(why)
    if rows[chosen].sum() <= most:
        return []
    lopsided = 1.0 - np.minimum(census.inn, census.out) / np.maximum(
        np.maximum(census.inn, census.out), 1
    )
    standing = np.zeros(len(chosen))
    for worth, kinds in ((4.0, NAMED), (3.0, FAN | BOX), (2.0, ENDED | BEGAN | SAMPLE)):
        standing = np.maximum(standing, worth * ((why[chosen] & kinds) > 0))
    standing += lopsided[chosen]
    names = np.asarray(census.number.take(pa.array(chosen)).to_pylist())
    order = chosen[np.lexsort((names, rows[chosen], -standing))]
    kept = np.cumsum(rows[order]) <= most
    why[order[~kept]] = 0
    return [
        f"{int((~kept).sum()):,} of {len(chosen):,} numbers whose calls go one way were not "
        f"looked at: together with the others they have more than {most:,} records. Ask for a "
        "shorter span."
    ]


def _as_key(census: Census, chosen: NDArray[np.int64]) -> pa.Array:
    return pa.array(census.key[chosen].view(census.key_type))


def _near(
    table: pa.Table, census: Census, why: NDArray[np.int8], one_in: float, left_out: list[str]
) -> Near:
    # a column is let go once it is read: text of millions of rows is most of what a search holds
    columns = {name: table[name] for name in table.column_names}
    del table
    ends = [_numpy(columns.pop(n)).view(np.int64) for n in ("a", "b")]
    keys = distinct(np.concatenate(ends))
    at = np.searchsorted(census.key, keys)
    names = census.number.take(pa.array(at))
    # by name and not by hash: the order must be the same whatever engine answered
    order = np.asarray(pc.sort_indices(names).to_numpy(), np.int64)
    rank = np.empty(len(order), np.int32)
    rank[order] = np.arange(len(order), dtype=np.int32)
    caller, callee = (rank[np.searchsorted(keys, e)] for e in ends)
    us = _numpy(columns.pop("us")).astype(np.int64)
    duration = _numpy(columns.pop("duration_s")).astype(np.float32)
    voice = _numpy(columns.pop("voice")).astype(bool)
    origin, origins = _codes(columns, ("origin",))
    row = _numpy(columns.pop("row")).astype(np.int64)
    same = _repeats(us, caller, callee, voice, duration, origin[0], row)
    by_time = np.lexsort((row, origin[0], us))
    kept = by_time[~same[by_time]]
    imsi, imsis = _codes(columns, ("caller_imsi", "callee_imsi"))
    imei, imeis = _codes(columns, ("caller_imei", "callee_imei"), 14)
    cell, cells = _codes(columns, ("caller_cell", "callee_cell"))
    return Near(
        names.take(pa.array(order)).to_pylist(),
        at[order],
        why[at[order]],
        us[kept],
        duration[kept],
        voice[kept],
        caller[kept],
        callee[kept],
        imsi[0][kept],
        imei[0][kept],
        cell[0][kept],
        imsi[1][kept],
        imei[1][kept],
        cell[1][kept],
        origin[0][kept],
        row[kept],
        imsis,
        imeis,
        cells,
        origins,
        one_in,
        int(same.sum()),
        left_out,
    )


def _repeats(
    us: NDArray[np.int64],
    caller: NDArray[np.int32],
    callee: NDArray[np.int32],
    voice: NDArray[np.bool_],
    duration: NDArray[np.float32],
    origin: NDArray[np.int32],
    row: NDArray[np.int64],
) -> NDArray[np.bool_]:
    """True for a call that stands before: the same in each part, or nearly in another file.

    Two switches of one call, or two deliveries of one day, differ by a second or two.
    """
    ends = (caller.astype(np.int64) << 32 | callee.astype(np.int64)) << 1 | voice
    order = np.lexsort((row, origin, us, ends))
    one, two = order[1:], order[:-1]
    unknown = np.isnan(duration[one]) & np.isnan(duration[two])
    pair = ends[one] == ends[two]
    exact = (us[one] == us[two]) & ((duration[one] == duration[two]) | unknown)
    close = (
        (origin[one] != origin[two])
        & (us[one] - us[two] <= _SAME_START)
        & ((np.abs(duration[one] - duration[two]) <= _SAME_TALK) | unknown)
    )
    same = np.zeros(len(us), bool)
    same[one] = pair & (exact | close)
    return same


def _codes(
    table: dict[str, pa.ChunkedArray], columns: tuple[str, ...], length: int = 0
) -> tuple[list[NDArray[np.int32]], list[str]]:
    """Columns of text as positions in one sorted list; -1 for null."""
    parts = []
    for name in columns:
        column = table.pop(name)
        if length:
            column = pc.utf8_slice_codeunits(column, 0, length)
        parts.append(column.combine_chunks().dictionary_encode())
    parts = [p.combine_chunks() if isinstance(p, pa.ChunkedArray) else p for p in parts]
    words = sorted({w for p in parts for w in p.dictionary.to_pylist() if w is not None})
    known = pa.array(words, pa.string())
    out = []
    for part in parts:
        place = _numpy(pc.fill_null(pc.index_in(part.dictionary, known), -1)).astype(np.int32)
        index = _numpy(pc.fill_null(part.indices, -1)).astype(np.int64)
        codes = np.full(len(index), -1, np.int32)
        held = index >= 0
        codes[held] = place[index[held]]
        out.append(codes)
    return out, words


def _numpy(column: pa.ChunkedArray | pa.Array) -> NDArray[np.generic]:
    return np.asarray(
        column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy()
    )
