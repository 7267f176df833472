"""Which internet addresses some lines reached or were seen by, and how many others did.

A nation's sessions are tens of millions of rows: DuckDB walks two columns of them a few times
within its bound of memory, and only what concerns the lines comes here. It does so in this
process whichever engine counts the calls.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy import sparse

from cordon.kernel.store.columns import connect

Ints = NDArray[np.int64]
KEPT = ("start", "number", "public_ip", "remote_ip")
"""Columns of the format `sessions` that are asked."""

_KEEPS = 0.8  # of a line's sessions, from an outside address that is its own
_FEWEST = 2  # lines of an address that is looked at: one alone ties nothing
_FIRST, _LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)
_SIDES = {"public": "public_ip", "remote": "remote_ip"}
# one session that was delivered twice has one start
_PAIRS = """
SELECT l.place, s.{column} AS address, count(DISTINCT s.start) AS sessions
FROM told s JOIN lines l USING (number)
WHERE s.{column} IS NOT NULL GROUP BY l.place, s.{column}
QUALIFY count(*) OVER (PARTITION BY s.{column}) >= {fewest}
ORDER BY address, place
"""
# a user is told by a hash of eight bytes, so that a hub of a nation's users fits
_OTHERS = """
SELECT code, exempt, count(*) AS users FROM (
    SELECT DISTINCT a.code, e.number IS NOT NULL AS exempt, hash(s.number) AS user
    FROM told s JOIN asked a ON s.{column} = a.address LEFT JOIN exempt e ON s.number = e.number
    WHERE s.number NOT IN (SELECT number FROM lines)
) GROUP BY ALL ORDER BY ALL
"""
_EVERYBODY = """
SELECT count(DISTINCT hash(number)) FROM told
WHERE number NOT IN (SELECT number FROM lines)
"""
_PLACES = "SELECT DISTINCT l.place FROM told s JOIN lines l USING (number) ORDER BY l.place"


@dataclass(frozen=True, slots=True)
class SessionFiles:
    """Parquet files that hold `KEPT` at least, numbers in E.164.

    Attributes:
        since, until: only sessions that start in [since, until), where given.
        memory_mb, threads: of DuckDB. scratch: folder for what does not fit.
    """

    paths: tuple[Path, ...]
    since: datetime | None = None
    until: datetime | None = None
    memory_mb: int = 768
    threads: int = 2
    scratch: Path | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Addresses that at least two of the lines share.

    Attributes:
        names: each address. public: True where it is the one that the outside saw.
        times: lines × addresses, sessions. ties: the same of those that can tie: of addresses that
            the outside saw only one that a line keeps, as behind a firm's own access; an
            operator's pool gives a line another one each time.
        others: of each address, numbers that are none of the lines and not exempt; exempt: those
            that are. everybody: numbers with sessions that are none of the lines.
        seen: of each line, whether it has sessions at all.
    """

    names: list[str]
    public: NDArray[np.bool_]
    times: sparse.csr_matrix
    ties: sparse.csr_matrix
    others: Ints
    exempt: Ints
    everybody: int
    seen: NDArray[np.bool_]


def reach(files: SessionFiles, lines: Sequence[str], exempt: Iterable[str] = ()) -> Reach:
    """What the sessions of lines reach.

    Args:
        lines: numbers (E.164), each once. exempt: numbers of registered holders.

    Raises:
        BadInput: a file cannot be read. Unavailable: there is too little memory or disk.
    """
    with connect(memory_mb=files.memory_mb, threads=files.threads, spill=files.scratch) as db:
        db.execute("SET TimeZone = 'UTC'")
        db.read_parquet([str(p) for p in files.paths]).create_view("sessions")
        since, until = files.since or _FIRST, files.until or _LAST
        db.execute(
            f"CREATE VIEW told AS SELECT {', '.join(KEPT)} FROM sessions "  # noqa: S608 - our own
            f"WHERE start >= TIMESTAMPTZ '{since.isoformat()}' "
            f"AND start < TIMESTAMPTZ '{until.isoformat()}'"
        )
        numbers = {"number": pa.array(lines, pa.string()), "place": np.arange(len(lines))}
        _put(db, "lines", numbers)
        _put(db, "exempt", {"number": pa.array(sorted(set(exempt)), pa.string())})
        seen = np.zeros(len(lines), bool)
        seen[_rows(db, _PLACES)["place"]] = True
        (everybody,) = db.execute(_EVERYBODY).fetchall()[0]
        sides = [_side(db, column) for column in _SIDES.values()]
    names = [n for side in sides for n in side.names]
    begins = np.cumsum([0, *(len(s.names) for s in sides)])
    column = np.concatenate([s.code + b for s, b in zip(sides, begins, strict=False)])
    place = np.concatenate([s.place for s in sides])
    times = sparse.coo_matrix(
        (np.concatenate([s.sessions for s in sides]), (place, column)),
        shape=(len(lines), len(names)),
    ).tocsr()
    public = np.repeat([name == "public" for name in _SIDES], [len(s.names) for s in sides])
    others = np.concatenate([s.others for s in sides])
    exempts = np.concatenate([s.exempt for s in sides])
    ties = _kept(times, public)
    return Reach(names, public, times, ties, others, exempts, int(everybody), seen)


def _kept(times: sparse.csr_matrix, public: NDArray[np.bool_]) -> sparse.csr_matrix:
    pairs = times.tocoo()
    outside = np.asarray(times[:, np.flatnonzero(public)].sum(axis=1)).ravel()
    stays = ~public[pairs.col] | (pairs.data >= _KEEPS * outside[pairs.row])
    shape = times.shape
    return sparse.coo_matrix(
        (pairs.data[stays], (pairs.row[stays], pairs.col[stays])), shape=shape
    ).tocsr()


@dataclass(frozen=True, slots=True)
class _Side:
    """Of one column of addresses: what `Reach` holds, a pair of line and address an entry."""

    names: list[str]
    place: Ints
    code: Ints
    sessions: Ints
    others: Ints
    exempt: Ints


def _side(db: duckdb.DuckDBPyConnection, column: str) -> _Side:
    pairs = _rows(db, _PAIRS.format(column=column, fewest=_FEWEST))
    found, code = np.unique(pairs["address"].astype(str), return_inverse=True)
    names = [str(n) for n in found]
    asked = {"address": pa.array(names, pa.string()), "code": np.arange(len(names))}
    _put(db, "asked", asked)
    told = _rows(db, _OTHERS.format(column=column))
    others, exempt = np.zeros(len(names), np.int64), np.zeros(len(names), np.int64)
    registered = told["exempt"].astype(bool)
    others[told["code"][~registered]] = told["users"][~registered]
    exempt[told["code"][registered]] = told["users"][registered]
    place, sessions = pairs["place"].astype(np.int64), pairs["sessions"].astype(np.int64)
    return _Side(names, place, code.astype(np.int64).ravel(), sessions, others, exempt)


def _put(db: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, Any]) -> None:
    db.register("given", pa.table(dict(columns)))
    db.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM given")  # noqa: S608 - our own
    db.unregister("given")


def _rows(db: duckdb.DuckDBPyConnection, asked: str) -> dict[str, NDArray[Any]]:
    table: Any = db.sql(asked).to_arrow_table()
    return {n: table[n].to_numpy(zero_copy_only=False) for n in table.column_names}
