"""Calls that were fetched, with a number in place of each text, put in one order.

The order must be the same whoever fetched them, and whatever came first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from cordon.calls.survey.census import Census
from cordon.calls.survey.distinct import ordered

if TYPE_CHECKING:
    from cordon.calls.survey.words import Words


@dataclass
class Rows:
    """What was fetched, with a number in place of each text.

    Attributes:
        columns: as of `near.ROWS`, by time, file and row.
        at, numbers: of each number at either end, sorted, its place in the census and its text.
    """

    columns: dict[str, NDArray[Any]]
    at: NDArray[np.int64]
    numbers: list[str]
    imsis: list[str]
    imeis: list[str]
    cells: list[str]
    origins: list[str]


def by_column(
    made: Callable[[str], NDArray[Any]], names: Iterable[str], threads: int
) -> dict[str, NDArray[Any]]:
    """Each column as `made` gives it, several at a time."""
    every = list(names)
    with ThreadPoolExecutor(threads) as pool:
        return dict(zip(every, pool.map(made, every), strict=True))


def in_order(
    c: dict[str, NDArray[Any]],
    words: Mapping[str, Words],
    census: Census,
    origins: list[str],
    threads: int = 1,
) -> Rows:
    """Fetched calls by time, file and row, each text told by its place among all of them.

    Args:
        c: columns as of `Rows`, but a SIM, handset or cell is a number of `words`, and caller and
            callee are places in the census.
        words: under `imsi`, `imei` and `cell`. threads: columns worked on at a time.
    """
    told = {what: one.texts() for what, one in words.items()}
    order = _by_time(c["us"], c["origin"], c["row"])
    seen = np.zeros(len(census.key), bool)
    seen[c["caller"]] = seen[c["callee"]] = True
    at = np.flatnonzero(seen)
    texts = census.number.take(pa.array(at))
    sorted_ = np.asarray(pc.sort_indices(texts).to_numpy(), np.int64)
    at = at[sorted_]
    place = np.full(len(census.key), -1, np.int32)
    place[at] = np.arange(len(at), dtype=np.int32)

    def placed(name: str) -> NDArray[Any]:
        column: NDArray[Any] = c.pop(name)
        if order is not None:
            column = column[order]
        what = name.partition("_")[2]
        if name in ("caller", "callee"):
            column = place[column]
        elif what in told:
            column = told[what][1][column]
        return column

    c = by_column(placed, list(c), threads)
    imsis, imeis, cells = (told[what][0] for what in ("imsi", "imei", "cell"))
    numbers = texts.take(pa.array(sorted_)).to_pylist()
    return Rows(c, at, numbers, imsis, imeis, cells, origins)


def _by_time(
    us: NDArray[np.int64], origin: NDArray[np.int32], row: NDArray[np.int64]
) -> NDArray[np.int64] | None:
    """The order of calls by time, file and row; None where they stand in it, as most files do."""
    same = origin[1:] == origin[:-1]
    told = bool(np.where(same, row[1:] > row[:-1], origin[1:] > origin[:-1]).all())
    if told and bool((us[1:] >= us[:-1]).all()):
        return None
    since = us - us.min()
    # most switches write whole seconds: fewer digits are sorted several times as fast
    step = int(np.gcd.reduce(since)) or 1
    if told:
        return ordered(since // step)
    first = ordered(row)
    first = first[ordered(origin[first])]
    return first[ordered(since[first] // step)]
