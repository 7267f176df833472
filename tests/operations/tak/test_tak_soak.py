"""The soak of TAK clients: a short one, and that it would tell what it is there to tell."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3]))

from bench.soak_tak import STALE_S, Marker, Minute, Size, Soak, growth, measure, rows

LATE_S = Size(2, 1).late_s


class Line:
    """A connection that is there and gives nothing."""


def soak(clients: int = 3) -> Soak:
    return Soak(Size(clients, 1.0), 1, [None] * clients)  # type: ignore[list-item]


def there(one: Soak, number: int, since: float) -> None:
    one.clients[number].socket, one.clients[number].since = Line(), since  # type: ignore[assignment]


def test_a_marker_that_one_was_given_and_another_waits_for_is_lost() -> None:
    now, one = time.monotonic(), soak()
    for number in range(3):
        there(one, number, now - 100)
    one.markers[1] = Marker(now - LATE_S - 1, by=0, waits={1, 2})
    one._given(1, 1)
    one._sweep(now)
    assert (one.lost, one.markers) == (1, {})


def test_who_was_away_is_waited_for_until_the_marker_is_stale() -> None:
    now, one = time.monotonic(), soak()
    there(one, 0, now - 100)
    there(one, 1, now - 100)
    one.markers[1] = Marker(now - LATE_S - 1, by=0, waits={1, 2})
    one._given(1, 1)
    one._sweep(now)
    assert one.markers[1].waits == {2}
    there(one, 2, now)  # it comes back, and is given nothing though it had time
    one._sweep(now + LATE_S + 1)
    assert (one.lost, one.markers) == (1, {})
    one.markers[2] = Marker(now - STALE_S - 1, by=0, taken=True, waits={2})
    one.clients[2].socket = None
    one._sweep(now)
    assert (one.lost, one.markers) == (1, {})  # it was away until it was stale


@pytest.mark.parametrize(("since", "lost", "untaken"), [(-100, 1, 0), (-1, 0, 1)])
def test_what_nobody_was_given_is_lost_unless_its_sender_went(
    since: float, lost: int, untaken: int
) -> None:
    now, one = time.monotonic(), soak(2)
    there(one, 0, now + since)
    one.markers[1] = Marker(now - LATE_S - 1, by=0, waits={1})
    one._sweep(now)
    assert (one.lost, one.untaken) == (lost, untaken)


def test_growth_is_told_against_a_server_that_has_settled() -> None:
    def minutes(*memory: float) -> list[Minute]:
        return [Minute(m, 9, 0, 0, 0, 0, 0) for m in memory]

    assert growth(minutes(100, 100, 100, 100)) is None
    assert growth(minutes(50, 100, 100, 100, 130)) == pytest.approx(1.3)
    assert rows(Size(9, 5), minutes(50, 100, 100, 100, 130), _taken())[2]["ours"] == 1.3


def _taken():
    from bench.measuring import Taken

    return Taken([1.0], [1.0])


@pytest.mark.faults
def test_twenty_clients_come_and_go_and_nothing_is_lost() -> None:
    said: list[str] = []
    minutes, taken = measure(
        Size(20, 0.06, rate=40.0, stays_s=2.0, away_s=0.5, late_s=4.0), said.append
    )
    end = minutes[-1]
    assert (end.shut_out, end.cut, end.lost, end.there) == (0, 0, 0, 20)
    assert end.drops > 5
    assert end.sent > 50
    assert end.memory > 50
    assert "0 lost" in said[-1]
    assert taken.wall < 60
