"""Plain counts over everybody: the first pass.

A few numbers are kept for each subscriber. How many different people were met is only estimated
here, by linear counting on 63 bits (Whang, Vander-Zanden and Taylor 1990); who is let through is
counted exactly later.

An engine elsewhere counts by CALLERS and CALLEES. One in this process gives its calls as hashes
(ENDS), which are counted by `tally`: the same counts for a third of the work, because one walk
keeps all of a number in one place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls.survey.distinct import distinct
from cordon.calls.survey.engine import COUNTED, DuckEngine, Engine

if TYPE_CHECKING:
    from cordon.calls.survey.ends import Ends
    from cordon.calls.survey.paged import Everyone

CALLERS = """
SELECT key64(caller) AS k, any_value(caller) AS number, count(*) AS n,
       count_if(kind = 'voice') AS voice,
       min(us) AS first, max(us) AS last,
       bit_or(CASE WHEN kind = 'voice' THEN slot63(callee) ELSE 0 END) AS slots,
       count(us) AS timed
FROM calls GROUP BY key64(caller)
"""
KINDS = "SELECT kind, count(*) AS n FROM calls GROUP BY kind"
CALLEES = """
SELECT key64(callee) AS k, any_value(callee) AS number, count(*) AS n,
       count_if(kind = 'voice') AS voice,
       min(CASE WHEN duration_s > 0 THEN us END) AS first,
       max(CASE WHEN duration_s > 0 THEN us END) AS last,
       bit_or(CASE WHEN kind = 'voice' THEN slot63(caller) ELSE 0 END) AS slots
FROM calls GROUP BY key64(callee)
"""
ENDS = """
SELECT key64(caller) AS a, key64(callee) AS b, us, place,
       CAST(CASE kind WHEN 'voice' THEN 1 WHEN 'sms' THEN 0 ELSE 4 END
            + CASE WHEN duration_s > 0 THEN 2 ELSE 0 END AS UTINYINT) AS what
FROM calls
"""
NAMES = """
SELECT key64(c.caller) AS a, c.caller, key64(c.callee) AS b, c.callee
FROM calls c SEMI JOIN seen s ON c.place = s.place
"""
EARLIEST, LATEST = 631_152_000_000_000, 4_102_444_799_999_999  # 1990 to 2099
_SLOTS = 63
_MAX = 1 << 62


@dataclass(frozen=True, slots=True)
class Census:
    """Everybody, one entry a number, in no order that means anything.

    Attributes:
        key: the engine's hash of each number, as `key_type` there; number: Arrow strings.
        out, inn: voice calls made and received. sent, got: calls and messages of both kinds.
        met, heard: different people called, and called by, by voice; estimated, and infinite
            where they are beyond counting.
        first, last: µs of the first and last call or message made or call answered: people go on
            calling a number that nobody uses any more. Far apart where there is none.
        rows: records in all. odd: 0 where each has a number, a kind and a time.
        begin, end: span (µs).
        seen: of each, its place in the order of first sight, and ends: who called whom, told by
            that; None where an engine elsewhere counted.
        repeated: calls that were passed over here, because an equal one stands before.
    """

    key: NDArray[np.int64]
    key_type: np.dtype[np.generic]
    number: pa.Array
    out: NDArray[np.int64]
    inn: NDArray[np.int64]
    sent: NDArray[np.int64]
    got: NDArray[np.int64]
    met: NDArray[np.float64]
    heard: NDArray[np.float64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    rows: int
    odd: int
    begin: int
    end: int
    seen: NDArray[np.int64] | None = None
    ends: Ends | Everyone | None = None
    repeated: int = 0

    def at(self, numbers: Iterable[str]) -> NDArray[np.int64]:
        """Positions of those of the numbers that stand in the calls."""
        found = pc.index_in(pa.array(sorted(set(numbers)), pa.string()), self.number)
        return np.asarray(found.drop_null().to_numpy(zero_copy_only=False), np.int64)


def count_everybody(engine: Engine, scratch: Path | None = None) -> Census | None:
    """Plain counts of everybody; None where there is no call at all.

    Args:
        scratch: folder for what is too much to hold; the machine's own where absent.
    """
    return _walked(engine, scratch) if engine.here else _queried(engine)


def _walked(engine: Engine, scratch: Path | None) -> Census | None:
    """Counted here, of an engine that gives its calls at little cost."""
    # loads what is compiled, which a search elsewhere does not need
    from cordon.calls.survey import tally
    from cordon.calls.survey.ends import Ends

    lines, held, rows, odd = tally.empty(), 0, 0, 0
    ends = Ends(scratch)
    begin, end = tally.NEVER, -tally.NEVER
    new, seen = np.empty(0, np.int64), [np.empty(0, np.int64)]
    for batch in engine.stream(ENDS):
        a, b, place, what = (batch.column(n).to_numpy() for n in ("a", "b", "place", "what"))
        times = batch.column("us")
        if times.null_count:  # the file holds what is none, and is read again another way
            odd += times.null_count
            times = pc.fill_null(times, EARLIEST - 1)
        us = times.to_numpy()
        if len(new) < 2 * len(us):
            new = np.empty(2 * len(us), np.int64)
        pairs = np.empty((len(us), 2), np.int32)
        lines, held, found = tally.walk(lines, held, a, b, us, what, new, pairs)
        ends.add(place, pairs)
        seen.append(place[distinct(new[:found])])
        rows += len(us)
        odd += int(np.count_nonzero(what & tally.NONE))
        begin, end = min(begin, int(us.min())), max(end, int(us.max()))
    if not rows:
        return None
    ends.numbers = held
    if begin < EARLIEST or end > LATEST:
        odd += 1
    engine.put("seen", pa.table({"place": distinct(np.concatenate(seen))}))
    number = _names(engine, lines, held)
    lines = lines[lines[:, tally.PLACE] > 0]
    nobody = int(number.null_count)
    if nobody:
        odd += nobody
        lines = lines[np.asarray(pc.is_valid(number))[lines[:, tally.PLACE] - 1]]
    lines = lines[np.argsort(lines[:, tally.KEY])]
    seen_at = lines[:, tally.PLACE] - 1
    names = number.take(pa.array(seen_at))
    key = lines[:, tally.KEY].copy()
    return _census(key, names, lines, rows, odd, (begin, end), seen_at, ends)


def count_by_page(engine: DuckEngine, scratch: Path | None = None) -> Census | None:
    """Plain counts of everybody, read without the engine; None where that cannot be.

    Each call counts once, as the engine's `each_once` would have it. Whatever is odd in a file
    is left to the engine, which tells what it is.

    Args:
        scratch: folder for what is too much to hold; the machine's own where absent.
    """
    # loads what is compiled, which a search elsewhere does not need
    from cordon.calls.survey import tally
    from cordon.calls.survey.paged import parts_of, walked
    from cordon.kernel.store.pages import Unread

    sources = engine.sources
    if sources.segments or not sources.raw:
        return None
    try:
        parts = parts_of(sources.raw)
        if not engine.alone and sum(p.rows for p in parts) > COUNTED:
            return None
        walk, everyone = walked(
            parts,
            engine.slots,
            threads=engine.threads,
            scratch=scratch,
            since=sources.since,
            until=sources.until,
            each_once=not engine.alone,
        )
    except Unread:
        return None
    if not walk.rows or walk.begin < EARLIEST or walk.end > LATEST:
        return None
    engine.owes_each_once = True
    lines, names = walk.lines[: everyone.numbers], walk.words.told().cast(pa.string())
    seen = np.flatnonzero(lines[:, tally.MADE] + lines[:, tally.TAKEN])
    if len(seen) < len(lines):  # some only stand in calls that are not looked at
        lines, names = lines[seen], names.take(pa.array(seen))
    span = walk.begin, walk.end
    found = _census(np.arange(len(seen)), names, lines, walk.rows, 0, span, seen, everyone)
    return replace(found, repeated=walk.repeated)


def _census(
    key: NDArray[np.int64],
    number: pa.Array,
    lines: NDArray[np.int64],
    rows: int,
    odd: int,
    span: tuple[int, int],
    seen: NDArray[np.int64],
    ends: Ends | Everyone,
) -> Census:
    from cordon.calls.survey import tally

    calls = np.int64((1 << 32) - 1)
    made, taken = lines[:, tally.MADE], lines[:, tally.TAKEN]
    return Census(
        key,
        np.dtype(np.uint64),
        number,
        made & calls,
        taken & calls,
        made >> 32,
        taken >> 32,
        _linear(lines[:, tally.MET]),
        _linear(lines[:, tally.HEARD]),
        lines[:, tally.FIRST].copy(),
        lines[:, tally.LAST].copy(),
        rows,
        odd,
        *span,
        seen,
        ends,
    )


def _names(engine: Engine, lines: NDArray[np.int64], held: int) -> pa.Array:
    """The text of each number, by its place; null where there was none."""
    from cordon.calls.survey.tally import places

    texts, where = [], np.full(held, -1)
    ahead = 0
    for batch in engine.stream(NAMES):
        for key, name in (("a", "caller"), ("b", "callee")):
            at = places(lines, batch.column(key).to_numpy())
            fresh = np.flatnonzero((at >= 0) & (where[at] < 0))
            where[at[fresh]] = ahead + np.arange(len(fresh))
            texts.append(batch.column(name).take(pa.array(fresh)))
            ahead += len(fresh)
    return pa.concat_arrays([t.cast(pa.string()) for t in texts]).take(pa.array(where))


def _queried(engine: Engine) -> Census | None:
    """Counted by the engine, in two passes."""
    made = engine.table(CALLERS)
    taken = engine.table(CALLEES)
    rows = int(pc.sum(made["n"]).as_py() or 0)
    if not rows:
        return None
    missing = sum(
        int(pc.sum(t.filter(pc.is_null(t["number"]))["n"]).as_py() or 0) for t in (made, taken)
    )
    odd = missing + rows - int(pc.sum(made["timed"]).as_py() or 0) + _odd(engine, made)
    # who was called and never answered has no first call, and is somebody all the same
    made, taken = (t.filter(pc.is_valid(t["number"])) for t in (made, taken))
    a, b = _keys(made), _keys(taken)
    keys = np.union1d(a, b)
    at_a, at_b = np.searchsorted(keys, a), np.searchsorted(keys, b)
    count = len(keys)

    def spread(table: pa.Table, at: NDArray[np.int64], name: str) -> NDArray[np.int64]:
        column = np.zeros(count, np.int64)
        column[at] = _ints(table[name])
        return column

    first, last = np.full(count, _MAX), np.full(count, -_MAX)
    for table, at in ((made, at_a), (taken, at_b)):
        first[at] = np.minimum(first[at], _ints(table["first"], _MAX))
        last[at] = np.maximum(last[at], _ints(table["last"], -_MAX))
    where = np.full(count, -1)
    where[at_b] = np.arange(len(at_b))
    where[at_a] = len(at_b) + np.arange(len(at_a))
    names = pa.concat_arrays([_whole(taken["number"]), _whole(made["number"])])
    met, heard = np.zeros(count), np.zeros(count)
    met[at_a] = _linear(_ints(made["slots"]))
    heard[at_b] = _linear(_ints(taken["slots"]))
    return Census(
        keys,
        np.asarray(_whole(made["k"]).to_numpy(zero_copy_only=False)).dtype,
        names.take(pa.array(where)),
        spread(made, at_a, "voice"),
        spread(taken, at_b, "voice"),
        spread(made, at_a, "n"),
        spread(taken, at_b, "n"),
        met,
        heard,
        first,
        last,
        rows,
        odd,
        int(pc.min(made["first"]).as_py()),
        int(pc.max(made["last"]).as_py()),
    )


def _odd(engine: Engine, made: pa.Table) -> int:
    """Kinds that are none, and callers with a time that is none."""
    kinds = engine.table(KINDS).to_pylist()
    beyond = pc.or_(pc.less(made["first"], EARLIEST), pc.greater(made["last"], LATEST))
    callers = int(pc.sum(pc.fill_null(beyond, True)).as_py() or 0)
    return callers + sum(int(k["n"]) for k in kinds if k["kind"] not in ("voice", "sms"))


def _linear(slots: NDArray[np.int64]) -> NDArray[np.float64]:
    """How many different ones set the bits; infinite where nearly all of them are set."""
    ones = np.zeros(len(slots), np.int64)
    left = slots.astype(np.uint64)
    for shift in range(0, 64, 16):
        ones += _POP16[((left >> np.uint64(shift)) & np.uint64(0xFFFF)).astype(np.int64)]
    with np.errstate(divide="ignore"):
        return np.asarray(np.where(ones >= _SLOTS - 1, np.inf, -_SLOTS * np.log1p(-ones / _SLOTS)))


_POP16 = np.array([bin(n).count("1") for n in range(1 << 16)], np.int64)


def _keys(table: pa.Table) -> NDArray[np.int64]:
    # DuckDB's hash is unsigned, Spark's signed: the same 64 bits
    return np.asarray(_whole(table["k"]).to_numpy(zero_copy_only=False)).view(np.int64)


def _ints(column: pa.ChunkedArray, missing: int = 0) -> NDArray[np.int64]:
    whole = _whole(pc.fill_null(pc.cast(column, pa.int64()), missing))
    return np.asarray(whole.to_numpy(zero_copy_only=False), np.int64)


def _whole(column: pa.ChunkedArray) -> pa.Array:
    whole = column.combine_chunks()
    return whole.chunk(0) if isinstance(whole, pa.ChunkedArray) and whole.num_chunks else whole
