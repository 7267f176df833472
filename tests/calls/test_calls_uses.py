"""Uses of numbers: their calls either way as one list; and lines that moved together."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from cordon.calls.rings.fitting import moved
from cordon.calls.rings.ground import ground
from cordon.calls.rings.merging import both_ways
from cordon.calls.rings.sites import sites
from cordon.calls.rings.uses import Uses, regrouped

HOUR = 3_600_000_000


def test_calls_either_way_are_one_list_by_time() -> None:
    rng = np.random.default_rng(4)
    size, rows = 30, 900
    caller, callee = rng.integers(0, size, (2, rows))  # some call themselves
    listed = []
    for end in (caller, callee):
        counts = np.bincount(end, minlength=size)
        listed += [np.argsort(end, kind="stable"), np.concatenate([[0], np.cumsum(counts)])]
    at = np.array([7, 3, 29, 11])
    of, call, made = both_ways(at, *listed)
    expected = [
        (place, n, way)
        for place, number in enumerate(at.tolist())
        for n in range(rows)
        for way, end in ((True, caller), (False, callee))
        if end[n] == number
    ]
    assert list(zip(of.tolist(), call.tolist(), made.tolist(), strict=True)) == expected
    assert [len(x) for x in both_ways(at[:0], *listed)] == [0, 0, 0]


def worked(*lines: tuple[int, int, int, int]) -> Uses:
    """Lines with so many calls, one an hour from an hour on; those after a turn elsewhere."""
    of, us, cell = [], [], []
    for line, (calls, begin, turn, pause) in enumerate(lines):
        for n in range(calls):
            of.append(line)
            us.append((begin + n + (pause if n >= turn else 0)) * HOUR)
            cell.append(int(n >= turn))
    none = np.full(len(of), -1)
    starts = np.searchsorted(of, np.arange(len(lines) + 1))
    return Uses(
        np.array(of), np.arange(len(of)), none > 0, none, none, none, np.array(cell), np.array(us),
        starts,
    )  # fmt: skip


def test_lines_are_parted_where_they_moved() -> None:
    both = np.array([0, 1])
    # one works before the pause and one after it, each with calls enough to tell where
    apart = worked((40, 0, 40, 0), (40, 100, 0, 0))
    assert [m.tolist() for m in moved(both, apart, 2)] == [[0], [1]]
    # no move: the same cells, no pause, or too few calls on one side
    assert len(moved(both, worked((40, 0, 40, 0), (40, 100, 40, 0)), 2)) == 1
    assert len(moved(both, worked((40, 0, 40, 0), (40, 45, 0, 0)), 2)) == 1
    assert len(moved(both, worked((40, 0, 40, 0), (29, 100, 0, 0)), 2)) == 1
    # a line alone goes where most of its own calls are
    assert [m.tolist() for m in moved(both[:1], worked((80, 0, 40, 60)), 2)] == [[0]]


def test_sites_of_some_lines_are_their_own() -> None:
    where = ground(
        ["a", "b"],
        pa.table(
            {
                "cell": ["a"], "lat": [33.6], "lon": [73.0], "azimuth_deg": [90.0],
                "beamwidth_deg": [65.0], "range_m": [800.0],
            }
        ),
    )  # fmt: skip
    each = worked((9, 0, 4, 0), (5, 0, 0, 0), (30, 0, 21, 0), (0, 0, 0, 0))
    some = np.array([0, 2, 3])
    place = np.array([0, -1, 1, 2])[each.of]
    alone = sites(regrouped(each, np.flatnonzero(place >= 0), place, 3), 3, where)
    found = sites(each, 4, where).of(some)
    assert found.located.tolist() == [9, 30, 0]
    assert not np.isnan(found.lat[1])
    assert np.isnan(found.lat[0])
    for name in ("located", "lat", "lon", "reach", "still"):
        np.testing.assert_array_equal(getattr(found, name), getattr(alone, name), name)
    np.testing.assert_array_equal(found.cells.toarray(), alone.cells.toarray())
