"""Where lines stand to one another: cells in one network, positions across, places by day."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from scipy import sparse

from cordon.calls.rings.ground import Ground
from cordon.calls.rings.handing import Contacts, contacts, hands_on
from cordon.calls.rings.placing import Placing
from cordon.calls.rings.rejoining import rejoined
from cordon.calls.rings.sites import Sites, sites
from cordon.calls.rings.uses import Uses

_HOUR, _DAY = 3_600_000_000, 86_400_000_000
_MONDAY = 20_454 * _DAY


def ground(*places: tuple[float, float], network: Sequence[int] | None = None) -> Ground:
    """Cells that send all round 800 m."""
    lat, lon = (np.array(v, float) for v in zip(*places, strict=True))
    none = np.full(len(lat), np.nan)
    of = np.zeros(len(lat), np.int64) if network is None else np.array(network)
    return Ground(lat, lon, none, none, np.full(len(lat), 800.0), of)


def used(calls: Sequence[tuple[int, int, int]]) -> Uses:
    """Uses of (line, µs, cell), in the order of lines and time."""
    of, us, cell = (np.array(v, np.int64) for v in zip(*sorted(calls), strict=True))
    count, none = int(of.max()) + 1, np.full(len(of), -1)
    starts = np.searchsorted(of, np.arange(count + 1))
    at = np.arange(len(of))
    return Uses(of, at, np.ones(len(of), bool), at, none, none, cell, us, starts)


def placing(near: float, overlap: float, served: tuple[int, ...]) -> tuple[Placing, float]:
    """Two things that are near one another, with what stands at their entry; and the share."""
    beside = sparse.csr_matrix(np.array([[0, near], [near, 0]]))
    none = np.full(2, np.nan)
    own = Sites(sparse.csr_matrix((2, 1)), np.full(2, 10_000), none, none, none, none)
    made = Placing(beside, own, np.array(served), np.full(2, overlap))
    return made, float(made.share(0, np.array([1]), made.columns[:1])[0])


def test_in_one_network_cells_tell_how_sure_it_is() -> None:
    def share(overlap: float) -> float:
        return placing(1.0, overlap, (0, 0))[1]

    assert share(0.4) == 0 < share(0.6) < 0.45 < share(0.75) < 0.55 < share(0.9) < 1
    assert share(0.97) == 1


def test_across_networks_and_without_any_nearness_tells_it() -> None:
    assert placing(0.6, 0.0, (0, 1))[1] == pytest.approx(0.6)
    assert placing(1.0, 0.2, (-1, -1))[1] == 1


def test_what_has_grown_together_is_told_by_the_network_that_both_use() -> None:
    """Two rooms of two networks each: positions say near, and the one network says apart."""
    near = np.array([[0, 0.6, 1, 0.6], [0.6, 0, 0.6, 0.6], [1, 0.6, 0, 0.6], [0.6, 0.6, 0.6, 0]])
    beside = sparse.csr_matrix(near)
    none = np.full(4, np.nan)
    own = Sites(sparse.csr_matrix((4, 1)), np.full(4, 10_000), none, none, none, none)
    overlap = np.where((beside.tocoo().row % 2) == (beside.tocoo().col % 2), 0.1, 0.0)
    made = Placing(beside, own, np.array([0, 1, 0, 1]), overlap)
    between = made.columns[beside.tocoo().row // 2 != beside.tocoo().col // 2]
    made.merge(0, 1)
    made.merge(2, 3)
    sums = between[: len(between) // 2].sum(axis=0)
    assert made.share(0, np.array([2]), sums[None])[0] == 0


def test_a_line_that_moves_on_every_day_stays_meanwhile_and_a_rider_does_not() -> None:
    rng = np.random.default_rng(3)
    country = ground(*[(31.0 + 0.1 * n, 74.0) for n in range(8)])
    room = [(0, _MONDAY + d * _DAY + h * _HOUR, d) for d in range(8) for h in range(9)]
    rider = [
        (1, _MONDAY + d * _DAY + h * _HOUR, int(rng.integers(8))) for d in range(8)
        for h in range(9)
    ]  # fmt: skip
    seldom = [(2, _MONDAY + d * _DAY + h * _HOUR, int(rng.integers(8))) for d in range(8)
              for h in range(2)]  # fmt: skip
    found = sites(used(room + rider + seldom), 3, country)
    assert found.still[0] == 1 > 0.5 > max(found.still[1], found.still[2])


def test_a_line_whose_cells_lie_nowhere_is_told_by_its_cells_alone() -> None:
    nowhere = ground(*[(np.nan, np.nan)] * 8)
    moves = [(0, _MONDAY + d * _DAY + h * _HOUR, d) for d in range(8) for h in range(9)]
    assert sites(used(moves), 1, nowhere).still[0] == pytest.approx(3 / 8)


@pytest.mark.parametrize(("third", "rooms"), [(0.0, [[0, 1, 2]]), (1.0, [[0, 1], [2]])])
def test_what_lies_between_two_rooms_does_not_make_them_one(
    third: float, rooms: list[list[int]]
) -> None:
    """The second is served half as the first is, and half as the third."""
    country = ground((31.0, 74.0), (31.0, 74.01))
    rng = np.random.default_rng(5)
    calls = []
    for line, share in enumerate((0.0, 0.5, third)):
        for day in range(8):
            for hour in rng.uniform(9, 17, 60):
                cell = int(rng.random() < share)
                calls.append((line, int(_MONDAY + day * _DAY + hour * _HOUR), cell))
    uses = used(calls)
    none = np.zeros(len(uses.of), bool)
    told = rejoined(
        [np.array([n]) for n in range(3)], uses, sites(uses, 3, country), country, none,
        np.full(len(uses.of), 60.0), 0, 10_000,
    )  # fmt: skip
    assert told == rooms


def test_who_deals_with_those_whom_another_called_is_handed_them() -> None:
    """A machine calls 2,000 of 20,000 people a day; agents speak with 40 of them, or with any."""
    rng = np.random.default_rng(9)
    day = 86_400
    machine = [(int(p), d * day + int(s)) for d in range(4)
               for p, s in zip(rng.choice(20_000, 2000, False), rng.integers(30_000, 60_000, 2000),
                               strict=True)]  # fmt: skip
    rung = [machine[int(n)] for n in rng.choice(len(machine), 160, False)]
    agents = [(person, second + int(rng.integers(60, 7200))) for person, second in rung]
    others = [(int(rng.integers(20_000)), second) for _, second in agents]

    def dealt(with_whom: list[tuple[int, int]]) -> Contacts:
        who, second = (np.array(v, np.int64) for v in zip(*with_whom, strict=True))
        at = np.arange(len(who))
        none = np.full(len(who), -1)
        us = second * 1_000_000
        uses = Uses(np.zeros_like(at), at, np.ones(len(at), bool), who, none, none, none, us, at)
        return contacts(uses, at)

    one = dealt([(0, 0), *machine])
    assert hands_on(one, dealt([(0, 0), *agents]), 20_000)
    assert not hands_on(one, dealt([(0, 0), *others]), 20_000)
    assert not hands_on(dealt([(0, 0), *agents]), one, 20_000)
    assert not hands_on(one, dealt([(0, 0), *agents[:5]]), 20_000)  # too few to say
