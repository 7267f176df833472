"""A shop's handset, in which SIMs are tried when they are sold, ties nobody to anybody."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from cordon.calls.rings.fitting import Further
from cordon.calls.rings.gathering import gather, grouped
from cordon.calls.rings.ground import ground
from cordon.calls.rings.sites import sites
from cordon.calls.rings.uses import Uses

HOUR, DAY = 3_600_000_000, 86_400_000_000
CELLS = ["410-03-1-1", "410-03-1-2", "410-03-1-3", "410-03-1-9"]
SHOP, AWAY = 99, 3  # its handset and its cell
Call = tuple[int, int, int]  # handset, cell, µs


def listed(lines: list[list[Call]]) -> Uses:
    """Lines with calls to people of their own."""
    of = np.repeat(np.arange(len(lines)), [len(one) for one in lines])
    rows = np.array([call for one in lines for call in sorted(one, key=lambda c: c[2])])
    every = np.arange(len(of))
    starts = np.searchsorted(of, np.arange(len(lines) + 1))
    return Uses(of, every, every >= 0, every, of, rows[:, 0], rows[:, 1], rows[:, 2], starts)


def room(first: int, cells: list[int], begin: int, shop: list[int] | None) -> list[list[Call]]:
    """Four lines at two desks over five days; each was tried in a shop before, where one is."""
    lines = []
    for line in range(4):
        calls = [
            (first + line // 2, cells[(n + day) % len(cells)], day * DAY + (begin + n) * HOUR)
            for day in range(1, 6)
            for n in range(4)
        ]
        calls += [(SHOP, cell, line * HOUR) for cell in shop or ()]
        lines.append(calls)
    return lines


def groups(lines: list[list[Call]]) -> list[list[int]]:
    table = pa.table(
        {
            "cell": CELLS,
            "lat": [31.500, 31.506, 31.512, 31.56],
            "lon": [74.3] * 4,
            "azimuth_deg": [None] * 4,
            "beamwidth_deg": [None] * 4,
            "range_m": [900.0] * 4,
        }
    )
    each, where = listed(lines), ground(CELLS, table)
    own = sites(each, len(lines), where)
    size = len(each.call)
    part = gather(each, own, where, np.zeros(size, bool), np.full(size, 60.0), 0)
    return [g.tolist() for g in grouped(part)]


@pytest.mark.parametrize("shop", [None, [AWAY, AWAY]])
def test_rooms_whose_sims_were_sold_in_one_shop_stay_two(shop: list[int] | None) -> None:
    # the two rooms share a cell, and work at other hours
    lines = [*room(0, [0, 0, 1], 4, shop), *room(10, [1, 2, 2], 14, shop)]
    assert groups(lines) == [[0, 1, 2, 3], [4, 5, 6, 7]]


def test_a_handset_that_lines_use_where_they_work_ties_them() -> None:
    # the same, but what they share stands in the cell that both rooms have
    lines = [*room(0, [0, 0, 1], 4, [1, 1]), *room(10, [1, 2, 2], 14, [1, 1])]
    assert groups(lines) == [[0, 1, 2, 3, 4, 5, 6, 7]]


@pytest.mark.parametrize(("cell", "found"), [(AWAY, []), (0, [0])])
def test_who_was_tried_in_the_shop_of_a_ring_s_sims_is_not_of_it(cell: int, found: list) -> None:
    ring = listed(room(0, [0, 1], 6, [cell, cell]))
    # a new SIM that has called from that handset alone so far
    rest = listed([[(SHOP, cell, DAY), (SHOP, cell, DAY + HOUR)], [(7, 2, DAY), (7, 2, 2 * DAY)]])
    one = np.ones(2, np.int64)
    profiles = SimpleNamespace(people=one, callers=one, ties=0 * one)
    further = Further(profiles, np.arange(2), rest)  # type: ignore[arg-type]
    assert further.of(ring, np.arange(4)).tolist() == found


def test_without_cells_a_handset_ties_as_before() -> None:
    ring = listed(room(0, [-1], 6, [-1, -1]))
    rest = listed([[(SHOP, -1, DAY), (SHOP, -1, DAY + HOUR)]])
    one = np.ones(1, np.int64)
    profiles = SimpleNamespace(people=one, callers=one, ties=0 * one)
    further = Further(profiles, np.arange(1), rest)  # type: ignore[arg-type]
    assert further.of(ring, np.arange(4)).tolist() == [0]
