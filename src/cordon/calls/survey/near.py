"""The calls of those who could matter: the third pass, as arrays in memory.

Who is let through is decided by plain counts alone, generously: what is usual of a subscriber
is to be called about as often as to call, and to call the same few people.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from zlib import crc32

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls.survey.census import Census
from cordon.calls.survey.distinct import Scalar, distinct, ordered
from cordon.calls.survey.engine import Engine
from cordon.calls.survey.inorder import Rows, in_order
from cordon.kernel.findings import RecordRef

KEPT = """
SELECT c.us, CAST(c.duration_s AS REAL) AS duration_s, c.kind = 'voice' AS voice,
       key64(c.caller) AS a, key64(c.callee) AS b,
       CASE WHEN x.k IS NOT NULL THEN c.caller_imsi END AS caller_imsi,
       CASE WHEN y.k IS NOT NULL THEN c.callee_imsi END AS callee_imsi,
       CASE WHEN x.k IS NOT NULL THEN substr(c.caller_imei, 1, 14) END AS caller_imei,
       CASE WHEN y.k IS NOT NULL THEN substr(c.callee_imei, 1, 14) END AS callee_imei,
       c.caller_cell, c.callee_cell, c.origin, c.row, c.again
FROM {calls} c LEFT JOIN near x ON key64(c.caller) = x.k LEFT JOIN near y ON key64(c.callee) = y.k
WHERE x.k IS NOT NULL OR y.k IS NOT NULL
"""
PLAIN = "(SELECT *, false AS again FROM calls)"
BOTH = "(SELECT *, false AS again FROM calls UNION ALL SELECT *, true AS again FROM again)"
# the same, where it is known which calls they are: the texts of their numbers need not be compared
WANTED = """
SELECT w.n, c.us, CAST(c.duration_s AS REAL) AS duration_s, c.kind = 'voice' AS voice,
       CASE WHEN w.a THEN c.caller_imsi END AS caller_imsi,
       CASE WHEN w.b THEN c.callee_imsi END AS callee_imsi,
       CASE WHEN w.a THEN substr(c.caller_imei, 1, 14) END AS caller_imei,
       CASE WHEN w.b THEN substr(c.callee_imei, 1, 14) END AS callee_imei,
       c.caller_cell, c.callee_cell, key64(c.origin) AS origin, c.row
FROM calls c JOIN wanted w ON c.place = w.place
"""
# and records of calls that stand before them, which may tell what those do not
AGAIN = KEPT.format(calls="(SELECT *, true AS again FROM again)").replace(
    "c.origin,", "key64(c.origin) AS origin,"
)
ROWS = """
SELECT r.us, r.duration_s, r.voice, a.code AS caller, b.code AS callee,
       coalesce(ai.code, -1) AS caller_imsi, coalesce(bi.code, -1) AS callee_imsi,
       coalesce(ae.code, -1) AS caller_imei, coalesce(be.code, -1) AS callee_imei,
       coalesce(ac.code, -1) AS caller_cell, coalesce(bc.code, -1) AS callee_cell,
       o.code AS origin, r.row, r.again
FROM kept r JOIN numbers a ON r.a = a.k JOIN numbers b ON r.b = b.k
JOIN origins o ON key64(r.origin) = o.k
LEFT JOIN imsis ai ON key64(r.caller_imsi) = ai.k LEFT JOIN imsis bi ON key64(r.callee_imsi) = bi.k
LEFT JOIN imeis ae ON key64(r.caller_imei) = ae.k LEFT JOIN imeis be ON key64(r.callee_imei) = be.k
LEFT JOIN cells ac ON key64(r.caller_cell) = ac.k LEFT JOIN cells bc ON key64(r.callee_cell) = bc.k
ORDER BY r.us, o.code, r.row
"""

FAN, TAKES, BOX, NAMED, ENDED, BEGAN, SAMPLE, WRITES = (1 << n for n in range(8))
"""Why a number is looked at: calls many, is called by many, calls and is never called, stands in
a complaint, fell silent within the span, first spoke within it, says what is usual, sends messages
and does little else."""

_DAY = 86_400_000_000  # microseconds
_FEWEST_OUT, _MET, _RETURNED = 3, 0.5, 0.4
_FEWEST_IN, _HEARD, _ANSWERS = 12, 0.6, 0.35
_FEWEST_BOX, _NEVER = 20, 0.08
_FEWEST_SENT, _ELSE = 3, 0.2  # messages; of them, calls of either kind, or messages received
_FEWEST_LIFE = 10  # records; fewer make no habit that could be known again
_SILENCES = 8  # mean intervals of silence that are no longer chance (e^-8 for a Poisson process)
_SAME_START, _SAME_TALK = 2_000_000, 2.0  # µs, s: so far two records of one call differ
_EXEMPT = 300  # exempt numbers whose calls are fetched
_SAMPLE = 1_000  # numbers that say what is usual
ROWS_A_MB = 4_000
"""Rows held at a time for each MB of memory that a search may use; beyond them the least striking
numbers are left out, and that is said. A row and what is made of it take some 250 bytes."""


Ints = NDArray[np.int64]


@dataclass
class Near:
    """Calls with at least one end among those who could matter, each call once, by time.

    Attributes:
        numbers: every number at either end, sorted; `why[i]` is 0 where it is only the other end.
        in_census: position of each in the census.
        us: start (µs). duration: seconds, NaN where not recorded. voice: or a message.
        caller, callee: positions in `numbers`. *_imsi, *_imei, *_cell: positions in `imsis`,
            `imeis` (14 digits: 3GPP TS 23.003 §6.2) and `cells`, -1 where not recorded. SIM and
            handset of a number that is only the other end are not fetched: -1 too.
        origin, row: where the record stands; origin is a position in `origins`.
        more: calls of which another record told what its own does not, ascending; more_origin,
            more_row: where that one stands.
        exempt_one_in: how many exempt numbers stand behind each whose calls are here.
        repeated: records left out because an equal one stands before, and which were not known
            to.
        left_out: sentences for the reader.
    """

    numbers: list[str]
    in_census: NDArray[np.int64]
    why: NDArray[np.int16]
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
    more: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    more_origin: NDArray[np.int32] = field(default_factory=lambda: np.zeros(0, np.int32))
    more_row: Ints = field(default_factory=lambda: np.zeros(0, np.int64))
    left_out: list[str] = field(default_factory=list)

    @cached_property
    def made(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Calls by caller, then time; where each number's begin, and one more."""
        return _by(self.caller, len(self.numbers))

    @cached_property
    def taken(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Calls by callee, then time; where each number's begin, and one more."""
        return _by(self.callee, len(self.numbers))

    def records(self, calls: NDArray[np.int64]) -> list[RecordRef]:
        """Where calls stand, by their positions."""
        return self._refs(self.origin[calls], self.row[calls])

    def every_record(self, calls: NDArray[np.int64]) -> list[RecordRef]:
        """The same, and where else something stands that was taken from there."""
        own = distinct(calls)
        begin, end = np.searchsorted(self.more, own), np.searchsorted(self.more, own, "right")
        some = np.flatnonzero(begin < end)
        if not len(some):
            return self.records(calls)
        there = np.concatenate([np.arange(begin[n], end[n]) for n in some])
        return self.records(calls) + self._refs(self.more_origin[there], self.more_row[there])

    def _refs(self, origin: NDArray[np.int32], row: NDArray[np.int64]) -> list[RecordRef]:
        origins = [self.origins[o] for o in origin.tolist()]
        return list(map(RecordRef, origins, row.tolist()))


def _by(end: NDArray[np.int32], size: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    counts = np.bincount(end, minlength=size)
    return ordered(end), np.concatenate([[0], np.cumsum(counts)])


def who_matters(census: Census, named: Iterable[str] = ()) -> NDArray[np.int16]:
    """For each of the census, why it is looked at; 0 where it is not."""
    out, inn = census.out, census.inn
    why = np.zeros(len(out), np.int16)
    fan = (out >= _FEWEST_OUT) & (census.met >= _MET * out) & (inn <= _RETURNED * out)
    why[fan] |= FAN
    takes = (inn >= _FEWEST_IN) & (census.heard >= _HEARD * inn) & (out <= _ANSWERS * inn)
    why[takes] |= TAKES
    why[(out >= _FEWEST_BOX) & (inn <= _NEVER * out)] |= BOX
    texts = census.sent - out
    writes = (texts >= _FEWEST_SENT) & (np.maximum(out + inn, census.got - inn) <= _ELSE * texts)
    why[_with_sims(census, np.flatnonzero(writes))] |= WRITES
    acts = census.sent + census.got
    life = np.maximum(census.last - census.first, 1)
    quiet = np.maximum(2 * _DAY, _SILENCES * life / np.maximum(acts, 1))
    lived = (acts >= _FEWEST_LIFE) & (census.last >= census.first)
    why[lived & (census.end - census.last > quiet)] |= ENDED
    why[lived & (census.first - census.begin > quiet)] |= BEGAN
    why[census.at(named)] |= NAMED
    why[_sample(census)] |= SAMPLE
    return why


def _with_sims(census: Census, at: Ints) -> Ints:
    """Those of the numbers that are telephones': a bank's name or short code has no SIM."""
    told = pc.starts_with(census.number.take(pa.array(at)), "+")
    some: Ints = at[np.asarray(told.to_numpy(zero_copy_only=False), bool)]
    return some


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
    most: int = 6_000_000,
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
    if census.ends is not None and census.ends.by_page:
        from cordon.calls.survey.fetched import fetched

        rows = fetched(census, why)
    elif census.ends is not None:
        rows = _streamed(engine, census, why)
    else:
        engine.put("near", pa.table({"k": _as_key(census, np.flatnonzero(why))}))
        rows = _asked(engine, census)
    return _near(rows, why, one_in, left_out)


def _fewer(census: Census, why: NDArray[np.int16], exempt: Iterable[str]) -> float:
    """Leave out exempt numbers but for some; how many stand behind each that is left."""
    at = census.at(exempt)
    at = at[(why[at] & (FAN | TAKES | BOX)) > 0]
    if len(at) <= _EXEMPT:
        return 1.0
    names = census.number.take(pa.array(at)).to_pylist()
    order = np.argsort([crc32(n.encode()) for n in names], kind="stable")
    why[at[order[_EXEMPT:]]] = 0
    return len(at) / _EXEMPT


def _within(census: Census, why: NDArray[np.int16], most: int) -> list[str]:
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
        f"looked at: together with the others they have more than {most:,} records, which is what "
        "fits. Ask for a shorter span, or give the search more memory (--memory for files, the "
        "setting columns_memory_mb for a node)."
    ]


def _as_key(census: Census, chosen: NDArray[np.int64]) -> pa.Array:
    return pa.array(census.key[chosen].view(census.key_type))


def _streamed(engine: Engine, census: Census, why: NDArray[np.int16]) -> Rows:
    """Fetched a part at a time, each text numbered as it comes: none is held by an engine."""
    from cordon.calls.survey.words import Words

    assert census.ends is not None
    assert not census.ends.by_page
    assert census.seen is not None
    chosen = np.zeros(census.ends.numbers, bool)
    chosen[census.seen[why != 0]] = True
    place, ends = census.ends.touching(chosen)
    engine.put(
        "wanted",
        pa.table(
            {"place": place, "n": _upto(len(place)), **dict(zip("ab", chosen[ends].T, strict=True))}
        ),
    )
    at_first = np.full(census.ends.numbers, -1, np.int32)
    at_first[census.seen] = np.arange(len(census.seen), dtype=np.int32)
    words = {"imsi": Words(), "imei": Words(), "cell": Words()}
    parts: dict[str, list[NDArray[Any]]] = {}
    files = np.empty(0, np.uint64)

    def add(batch: pa.RecordBatch, both: tuple[NDArray[Any], NDArray[Any]], again: bool) -> None:
        nonlocal files
        part: dict[str, NDArray[Any]] = {
            "us": batch.column("us").to_numpy(),
            "duration_s": batch.column("duration_s").to_numpy(zero_copy_only=False),
            "voice": batch.column("voice").to_numpy(zero_copy_only=False),
            "row": batch.column("row").to_numpy(),
            "origin": batch.column("origin").to_numpy(),
            "again": np.full(len(batch), again),
        }
        for end, at in zip(("caller", "callee"), both, strict=True):
            part[end] = at
            for what, known in words.items():
                part[f"{end}_{what}"] = known.codes(batch.column(f"{end}_{what}"))
        files = np.union1d(files, part["origin"])
        for name, values in part.items():
            parts.setdefault(name, []).append(values)

    for batch in engine.stream(WANTED):
        one, two = ends[batch.column("n").to_numpy()].T
        add(batch, (at_first[one], at_first[two]), False)
    del place, ends, at_first
    engine.drop("wanted")
    engine.put("near", pa.table({"k": _as_key(census, np.flatnonzero(why))}))
    if not parts:  # nobody matters
        return _asked(engine, census)
    for batch in engine.stream(AGAIN) if engine.again else ():
        keys = [batch.column(end).to_numpy().view(np.int64) for end in "ab"]
        at = [np.minimum(np.searchsorted(census.key, k), len(census.key) - 1) for k in keys]
        # of a call that nobody counted, as where its own file is not searched, there is no other
        known = np.flatnonzero((census.key[at[0]] == keys[0]) & (census.key[at[1]] == keys[1]))
        add(batch.take(pa.array(known)), (at[0][known], at[1][known]), True)
    c = {name: np.concatenate(parts.pop(name)) for name in list(parts)}
    every = " UNION SELECT key64(origin), origin FROM again" if engine.again else ""
    names = engine.table(
        f"SELECT DISTINCT key64(origin) AS k, origin FROM calls{every}"  # noqa: S608 - our own
    ).to_pylist()
    origins = sorted(n["origin"] for n in names if n["k"] in set(files.tolist()))
    rank = {n["k"]: origins.index(n["origin"]) for n in names if n["origin"] in set(origins)}
    places = np.array([rank[f] for f in files.tolist()], np.int32)
    c["origin"] = places[np.searchsorted(files, c["origin"])]
    return in_order(c, words, census, origins)


def _asked(engine: Engine, census: Census) -> Rows:
    """Kept by the engine, which numbers the texts: only whole numbers come here.

    Texts are numbered in their own order and not in that of hashes: the order must be the same
    whatever engine answered.
    """
    engine.keep("kept", KEPT.format(calls=BOTH if engine.again else PLAIN))
    keys = distinct(
        np.concatenate(
            [_numpy(engine.table(f"SELECT DISTINCT {k} FROM kept")[k]).view(np.int64) for k in "ab"]  # noqa: S608 - names of our own
        )
    )
    at = np.searchsorted(census.key, keys)
    names = census.number.take(pa.array(at))
    order = np.asarray(pc.sort_indices(names).to_numpy(), np.int64)
    at = at[order]
    engine.put("numbers", pa.table({"k": _as_key(census, at), "code": _upto(len(at))}))
    imsis = _numbered(engine, "imsis", ("caller_imsi", "callee_imsi"))
    imeis = _numbered(engine, "imeis", ("caller_imei", "callee_imei"))
    cells = _numbered(engine, "cells", ("caller_cell", "callee_cell"))
    origins = _numbered(engine, "origins", ("origin",))
    table = engine.table(ROWS)
    engine.drop("kept")
    c = {name: _numpy(table[name]) for name in table.column_names}
    return Rows(c, at, names.take(pa.array(order)).to_pylist(), imsis, imeis, cells, origins)


def _near(rows: Rows, why: NDArray[np.int16], one_in: float, left_out: list[str]) -> Near:
    """What was fetched, each call once."""
    c, at = rows.columns, rows.at
    duration = c["duration_s"].astype(np.float32)
    us, row = c["us"].astype(np.int64), c["row"].astype(np.int64)
    voice = c["voice"].astype(bool)
    caller, callee, origin = (c[n].astype(np.int32) for n in ("caller", "callee", "origin"))
    again = c["again"].astype(bool)
    same = _repeats(us, caller, callee, voice, duration, origin, again)
    kept = (same == np.arange(len(us))) & ~again
    every = bool(kept.all())
    givers = _givers(c, same)

    def those(column: NDArray[Scalar]) -> NDArray[Scalar]:
        return column if every else column[kept]

    def codes(name: str) -> NDArray[np.int32]:
        return those(c.pop(name).astype(np.int32, copy=False))

    return Near(
        rows.numbers,
        at,
        why[at],
        those(us),
        those(duration),
        those(voice),
        those(caller),
        those(callee),
        codes("caller_imsi"),
        codes("caller_imei"),
        codes("caller_cell"),
        codes("callee_imsi"),
        codes("callee_imei"),
        codes("callee_cell"),
        those(origin),
        those(row),
        rows.imsis,
        rows.imeis,
        rows.cells,
        rows.origins,
        one_in,
        int((~kept & ~again).sum()),
        (np.cumsum(kept) - 1)[same[givers]],
        origin[givers],
        row[givers],
        left_out,
    )


def _givers(c: dict[str, NDArray[Any]], same: Ints) -> Ints:
    """Write what other records tell of a call into its own; which of them gave something.

    An operator knows its own subscriber's SIM, handset and cell, and seldom the other's: of a call
    between two operators each record tells one side.
    """
    if bool((same == np.arange(len(same))).all()):
        return np.zeros(0, np.int64)
    from cordon.calls.survey.habits import filled

    gave = np.zeros(len(same), bool)
    for end in ("caller", "callee"):
        for what in ("imsi", "imei", "cell"):
            column = np.array(c[f"{end}_{what}"], np.int32)
            filled(same, column, gave)
            c[f"{end}_{what}"] = column
    givers = np.flatnonzero(gave)
    return givers[np.argsort(same[givers], kind="stable")]


def _numbered(engine: Engine, name: str, columns: tuple[str, ...]) -> list[str]:
    """The different texts of columns of `kept`, sorted, also as a table of that name there."""
    found: set[str] = set()
    for column in columns:
        texts = engine.table(f"SELECT DISTINCT {column} AS k FROM kept")["k"]  # noqa: S608 - names of our own
        found.update(t for t in texts.to_pylist() if t is not None)
    ordered = sorted(found)
    words = pa.array(ordered, pa.string())
    engine.put("words", pa.table({"word": words, "code": _upto(len(ordered))}))
    engine.keep(name, "SELECT key64(word) AS k, code FROM words")
    return ordered


def _upto(count: int) -> pa.Array:
    return pa.array(np.arange(count, dtype=np.int32))


def _repeats(
    us: NDArray[np.int64],
    caller: NDArray[np.int32],
    callee: NDArray[np.int32],
    voice: NDArray[np.bool_],
    duration: NDArray[np.float32],
    origin: NDArray[np.int32],
    again: NDArray[np.bool_],
) -> Ints:
    """Of each call the one that it is: one before it that is the same, or nearly in another file.

    The calls are ordered by time, file and row. Two switches of one call, or two deliveries of
    one day, differ by a second or two.
    """
    size = int(max(caller.max(initial=0), callee.max(initial=0))) + 1
    ends = (caller.astype(np.int64) * size + callee) * 2 + voice
    # loads what is compiled, which an engine elsewhere does without
    from cordon.calls.survey.habits import repeated

    return repeated(ends, ordered(ends), us, duration, origin, again, _SAME_START, _SAME_TALK)


def _numpy(column: pa.ChunkedArray | pa.Array) -> NDArray[np.generic]:
    return np.asarray(
        column.to_numpy(zero_copy_only=False) if isinstance(column, pa.Array) else column.to_numpy()
    )
