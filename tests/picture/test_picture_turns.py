"""When the live picture is looked at."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

from cordon.picture.turns import AT_ONCE_S, Turns


def test_what_is_telling_is_looked_at_soon_and_not_more_often_than_said() -> None:
    telling, began, enough = threading.Event(), list[float](), threading.Event()

    def look() -> None:
        telling.clear()
        began.append(time.monotonic())
        telling.set()  # there is always more
        if len(began) == 4:
            enough.set()

    turns = Turns(telling, at_once=look, whole=lambda: None, steps={})
    turns.start()
    try:
        telling.set()
        assert enough.wait(30)
    finally:
        turns.stop()
        turns.join()
    apart = [b - a for a, b in pairwise(began)]
    assert min(apart) >= AT_ONCE_S - 0.01


def test_a_pass_that_fails_does_not_end_the_others() -> None:
    telling, times, twice = threading.Event(), list[int](), threading.Event()

    def look() -> None:
        telling.clear()
        times.append(1)
        telling.set()
        if len(times) == 2:
            twice.set()
        raise RuntimeError

    turns = Turns(telling, at_once=look, whole=lambda: None, steps={})
    turns.start()
    try:
        telling.set()
        assert twice.wait(30)
    finally:
        turns.stop()
        turns.join()
